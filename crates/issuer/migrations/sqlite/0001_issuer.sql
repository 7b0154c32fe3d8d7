-- Times are seconds since the Unix epoch. Key ids are the numbers that tokens carry.

CREATE TABLE issuer (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    name           TEXT    NOT NULL,
    refresh_hint   INTEGER NOT NULL,
    max_token_ttl  INTEGER NOT NULL,
    keyset_life    INTEGER NOT NULL,
    revocation_url TEXT,
    keyset_public  BLOB    NOT NULL,
    -- The age recipient of identity.age, so that the files of two homes are not mixed up.
    recipient      TEXT    NOT NULL,
    -- Where the audit ends. A chain cannot show on its own that its tail was cut off.
    audit_seq      INTEGER NOT NULL,
    audit_hash     BLOB    NOT NULL,
    -- The history of revocations: its name, and the last change in it with the chain's digest.
    feed_epoch     TEXT    NOT NULL,
    feed_seq       INTEGER NOT NULL,
    feed_digest    BLOB    NOT NULL,
    -- When it was last restored. A one-time assertion that is older may have been used before.
    restored_at    INTEGER
) STRICT;

CREATE TABLE root_key (
    id                INTEGER PRIMARY KEY,
    public            BLOB    NOT NULL UNIQUE,
    state             TEXT    NOT NULL CHECK (state IN ('staged', 'active', 'retiring', 'retired', 'revoked')),
    -- The first keyset that shows it.
    published_version INTEGER NOT NULL,
    staged_at         INTEGER NOT NULL,
    activated_at      INTEGER,
    retiring_at       INTEGER,
    retired_at        INTEGER,
    revoked_at        INTEGER,
    reason            TEXT
) STRICT;

CREATE UNIQUE INDEX root_key_one_active ON root_key (state) WHERE state = 'active';

-- Private halves, encrypted to identity.age. A table of their own: no query about keys touches it,
-- and to destroy one is to delete its row (the connection runs with secure_delete).
CREATE TABLE sealed_key (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE keyset (
    version   INTEGER PRIMARY KEY,
    issued_at INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    envelope  TEXT    NOT NULL
) STRICT;

-- The changes of the feed, in their order and never altered: of several about one target the last
-- one counts.
CREATE TABLE revocation (
    seq           INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL,
    target        BLOB    NOT NULL,
    -- Of a watermark.
    issued_before INTEGER,
    revoked_at    INTEGER NOT NULL,
    expires       INTEGER,
    reason        TEXT    NOT NULL,
    -- The line as verifiers are given it, byte for byte.
    line          TEXT    NOT NULL,
    -- Whether a later change is about the same target.
    superseded    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX revocation_target ON revocation (kind, target);
-- How many are alive.
CREATE INDEX revocation_alive ON revocation (expires) WHERE superseded = 0;

-- The head of the feed as it was signed last, so that several issuers hand out one.
CREATE TABLE feed_head (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    seq            INTEGER NOT NULL,
    keyset_version INTEGER NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires        INTEGER NOT NULL,
    envelope       TEXT    NOT NULL
) STRICT;

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY,
    time      INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    agent     TEXT,
    principal TEXT,
    token     TEXT,
    key       TEXT,
    detail    TEXT    NOT NULL,
    prev      BLOB    NOT NULL,
    hash      BLOB    NOT NULL
) STRICT;

CREATE INDEX audit_agent ON audit (agent) WHERE agent IS NOT NULL;
CREATE INDEX audit_principal ON audit (principal) WHERE principal IS NOT NULL;
CREATE INDEX audit_token ON audit (token) WHERE token IS NOT NULL;
CREATE INDEX audit_time ON audit (time);

-- Signed statements that the audit had this row at its end.
CREATE TABLE checkpoint (
    seq      INTEGER PRIMARY KEY,
    time     INTEGER NOT NULL,
    envelope TEXT    NOT NULL
) STRICT;

CREATE TABLE client (
    name        TEXT    PRIMARY KEY,
    principal   TEXT    NOT NULL,
    -- JSON: a list of names, and an object.
    profiles    TEXT    NOT NULL,
    claims      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE client_secret (
    id         TEXT    PRIMARY KEY,
    client     TEXT    NOT NULL REFERENCES client (name),
    -- Argon2id, in the PHC string format.
    hash       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires    INTEGER
) STRICT;

CREATE INDEX client_secret_client ON client_secret (client);

-- One-time assertions that were used, until they would be refused as expired.
CREATE TABLE assertion (
    id      BLOB    PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT;

CREATE INDEX assertion_expires ON assertion (expires);

-- What verifiers last said of themselves.
CREATE TABLE verifier (
    name           TEXT    PRIMARY KEY,
    service        TEXT    NOT NULL,
    keyset_version INTEGER NOT NULL,
    feed_epoch     TEXT,
    feed_seq       INTEGER,
    seen_at        INTEGER NOT NULL
) STRICT;
