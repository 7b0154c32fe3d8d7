-- Tokens that were minted: what revoking, watermarks and reading need of them, so that none of it rests on
-- the details of audit rows. Each row is written in the transaction of its audit row, and is as old as that.
CREATE TABLE token (
    id        BLOB    PRIMARY KEY,
    -- The root key that signed it.
    key       INTEGER NOT NULL,
    agent     TEXT NOT NULL,
    principal TEXT NOT NULL,
    tenant    TEXT,
    -- Who asked for it: a client or an operator.
    actor     TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    -- The row of the audit.
    audit_seq INTEGER NOT NULL
) STRICT;

CREATE INDEX token_issued_at ON token (issued_at);

-- Up to which row of the audit `token` holds the mints. The program fills in those of an older database, and
-- those that an issuer of an older version mints while the others are upgraded.
ALTER TABLE issuer ADD COLUMN token_seq INTEGER NOT NULL DEFAULT 0;

-- Mints are found by `token`: the same again in this index would be the dearest part of a mint.
DROP INDEX audit_token;
CREATE INDEX audit_token ON audit (token) WHERE token IS NOT NULL AND event <> 'mint';
