-- `tokens.revocation = "strict"` looks a session up at each use of an access token, also one whose tokens are all revoked.

DROP INDEX revoked_access_tokens_by_session;
CREATE INDEX revoked_access_tokens_by_session ON revoked_access_tokens (session_id);
