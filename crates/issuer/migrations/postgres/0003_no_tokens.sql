-- When a token expires stands in the audit, at its mint.
DROP TABLE token;
