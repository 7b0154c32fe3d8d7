-- The public keys that a client signs its own assertions with, as JSON: a list of objects with `id`, `jwk` and
-- `created_at`. They are a part of the client's row, since every sign-in reads that row.
ALTER TABLE client ADD COLUMN public_keys TEXT NOT NULL DEFAULT '[]';
