-- When a singly revoked token was issued, so that many single revocations of one session can become one row: for all
-- tokens issued until then. A token that was revoked before was issued before it expires.

ALTER TABLE revoked_access_tokens ADD COLUMN issued_until INTEGER;
UPDATE revoked_access_tokens SET issued_until = until WHERE jti IS NOT NULL;
CREATE INDEX revoked_access_tokens_by_session ON revoked_access_tokens (session_id) WHERE issued_until IS NOT NULL;
