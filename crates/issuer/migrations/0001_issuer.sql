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
    audit_hash     BLOB    NOT NULL
) STRICT;

CREATE TABLE root_key (
    id           INTEGER PRIMARY KEY,
    public       BLOB    NOT NULL UNIQUE,
    state        TEXT    NOT NULL CHECK (state IN ('staged', 'active', 'retiring', 'retired', 'revoked')),
    staged_at    INTEGER NOT NULL,
    activated_at INTEGER,
    retiring_at  INTEGER,
    retired_at   INTEGER,
    revoked_at   INTEGER,
    reason       TEXT
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

CREATE TABLE token (
    id        BLOB    PRIMARY KEY,
    key_id    INTEGER NOT NULL REFERENCES root_key (id),
    issued_at INTEGER NOT NULL,
    expires   INTEGER NOT NULL
) STRICT;

CREATE TABLE revocation (
    -- Rises with each entry that is new or changed, and is never used again.
    change     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('token', 'block')),
    target     BLOB    NOT NULL,
    revoked_at INTEGER NOT NULL,
    expires    INTEGER,
    reason     TEXT    NOT NULL,
    UNIQUE (kind, target)
) STRICT;

CREATE INDEX revocation_expires ON revocation (expires);

CREATE TABLE revocation_list (
    seq       INTEGER PRIMARY KEY,
    -- The last change in it.
    change    INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    envelope  TEXT    NOT NULL
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
