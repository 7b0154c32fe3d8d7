-- An agent's tokens are listed and revoked in an incident, however many others there are.
CREATE INDEX token_agent ON token (agent, issued_at);
