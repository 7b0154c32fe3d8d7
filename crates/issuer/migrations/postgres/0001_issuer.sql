-- Times are seconds since the Unix epoch. Key ids are the numbers that tokens carry.

CREATE TABLE issuer (
    one            BIGINT PRIMARY KEY CHECK (one = 1),
    name           TEXT    NOT NULL,
    refresh_hint   BIGINT NOT NULL,
    max_token_ttl  BIGINT NOT NULL,
    keyset_life    BIGINT NOT NULL,
    revocation_url TEXT,
    keyset_public  BYTEA   NOT NULL,
    -- The age recipient of identity.age, so that the files of two homes are not mixed up.
    recipient      TEXT    NOT NULL,
    -- Where the audit ends. A chain cannot show on its own that its tail was cut off.
    audit_seq      BIGINT NOT NULL,
    audit_hash     BYTEA   NOT NULL,
    -- The history of revocations: its name, and the last change in it with the chain's digest.
    feed_epoch     TEXT    NOT NULL,
    feed_seq       BIGINT NOT NULL,
    feed_digest    BYTEA   NOT NULL,
    -- When it was last restored. A one-time assertion that is older may have been used before.
    restored_at    BIGINT
);

CREATE TABLE root_key (
    id                BIGINT PRIMARY KEY,
    public            BYTEA   NOT NULL UNIQUE,
    state             TEXT    NOT NULL CHECK (state IN ('staged', 'active', 'retiring', 'retired', 'revoked')),
    -- The first keyset that shows it.
    published_version BIGINT NOT NULL,
    staged_at         BIGINT NOT NULL,
    activated_at      BIGINT,
    retiring_at       BIGINT,
    retired_at        BIGINT,
    revoked_at        BIGINT,
    reason            TEXT
);

CREATE UNIQUE INDEX root_key_one_active ON root_key (state) WHERE state = 'active';

-- Private halves, encrypted to identity.age. A table of their own: no query about keys touches it,
-- and to destroy one is to delete its row.
CREATE TABLE sealed_key (
    name   TEXT PRIMARY KEY,
    sealed BYTEA NOT NULL
);

CREATE TABLE keyset (
    version   BIGINT PRIMARY KEY,
    issued_at BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    envelope  TEXT    NOT NULL
);

-- The changes of the feed, in their order and never altered: of several about one target the last
-- one counts.
CREATE TABLE revocation (
    seq           BIGINT PRIMARY KEY,
    kind          TEXT    NOT NULL,
    target        BYTEA   NOT NULL,
    -- Of a watermark.
    issued_before BIGINT,
    revoked_at    BIGINT NOT NULL,
    expires       BIGINT,
    reason        TEXT    NOT NULL,
    -- The line as verifiers are given it, byte for byte.
    line          TEXT    NOT NULL,
    -- Whether a later change is about the same target.
    superseded    BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX revocation_target ON revocation (kind, target);
-- How many are alive.
CREATE INDEX revocation_alive ON revocation (expires) WHERE superseded = 0;

-- The head of the feed as it was signed last, so that several issuers hand out one.
CREATE TABLE feed_head (
    one            BIGINT PRIMARY KEY CHECK (one = 1),
    seq            BIGINT NOT NULL,
    keyset_version BIGINT NOT NULL,
    issued_at      BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    envelope       TEXT    NOT NULL
);

CREATE TABLE audit (
    seq       BIGINT PRIMARY KEY,
    time      BIGINT NOT NULL,
    actor     TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    agent     TEXT,
    principal TEXT,
    token     TEXT,
    key       TEXT,
    detail    TEXT    NOT NULL,
    prev      BYTEA   NOT NULL,
    hash      BYTEA   NOT NULL
);

CREATE INDEX audit_agent ON audit (agent) WHERE agent IS NOT NULL;
CREATE INDEX audit_principal ON audit (principal) WHERE principal IS NOT NULL;
CREATE INDEX audit_token ON audit (token) WHERE token IS NOT NULL;
CREATE INDEX audit_time ON audit (time);

-- Signed statements that the audit had this row at its end.
CREATE TABLE checkpoint (
    seq      BIGINT PRIMARY KEY,
    time     BIGINT NOT NULL,
    envelope TEXT    NOT NULL
);

CREATE TABLE client (
    name        TEXT    PRIMARY KEY,
    principal   TEXT    NOT NULL,
    -- JSON: a list of names, and an object.
    profiles    TEXT    NOT NULL,
    claims      TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE client_secret (
    id         TEXT    PRIMARY KEY,
    client     TEXT    NOT NULL REFERENCES client (name),
    -- Argon2id, in the PHC string format.
    hash       TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    expires    BIGINT
);

CREATE INDEX client_secret_client ON client_secret (client);

-- One-time assertions that were used, until they would be refused as expired.
CREATE TABLE assertion (
    id      BYTEA   PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE INDEX assertion_expires ON assertion (expires);

-- What verifiers last said of themselves.
CREATE TABLE verifier (
    name           TEXT    PRIMARY KEY,
    service        TEXT    NOT NULL,
    keyset_version BIGINT NOT NULL,
    feed_epoch     TEXT,
    feed_seq       BIGINT,
    seen_at        BIGINT NOT NULL
);
