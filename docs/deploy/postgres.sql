-- Roles and rights for issuers on one PostgreSQL database. Run it with psql as a superuser, in two steps:
--
--   psql -v step=1 -f postgres.sql                  before `bailiwick init`: roles and the database
--   psql -v step=2 -d bailiwick -f postgres.sql     after it, and after each upgrade of the schema
--
-- `bailiwick_owner` owns the tables: `init` and upgrades of the schema use it. Running issuers use `bailiwick`,
-- which can add rows to the audit, but cannot change or delete them.

\set ON_ERROR_STOP on
SELECT :step = 1 AS first \gset
\if :first

CREATE ROLE bailiwick_owner LOGIN;
CREATE ROLE bailiwick LOGIN;
-- Set their passwords with `\password bailiwick_owner` and `\password bailiwick`.
-- UTF8, because names may contain any character.
CREATE DATABASE bailiwick OWNER bailiwick_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE bailiwick FROM PUBLIC;
GRANT CONNECT ON DATABASE bailiwick TO bailiwick;

\else

GRANT USAGE ON SCHEMA public TO bailiwick;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bailiwick;
GRANT INSERT ON assertion, audit, checkpoint, client, client_secret, feed_head, keyset, revocation,
    root_key, sealed_key, token, verifier TO bailiwick;
GRANT UPDATE ON root_key, verifier TO bailiwick;
GRANT UPDATE (disabled_at, public_keys) ON client TO bailiwick;
GRANT UPDATE (expires) ON client_secret TO bailiwick;
GRANT UPDATE (superseded) ON revocation TO bailiwick;
GRANT UPDATE (audit_seq, audit_hash, token_seq, feed_seq, feed_digest, revocation_url) ON issuer TO bailiwick;
GRANT DELETE ON assertion, client_secret, feed_head, keyset, sealed_key, verifier TO bailiwick;
-- The row of a destroyed key stays on disk until the server vacuums the table. The issuer asks for that at once,
-- but this role has no right to it, so the server answers with a warning. From PostgreSQL 17 on, grant the right:
-- GRANT MAINTAIN ON sealed_key TO bailiwick;

\endif
