-- When the issuer was last restored. A one-time assertion that is older may have been used before.
ALTER TABLE issuer ADD COLUMN restored_at INTEGER;
