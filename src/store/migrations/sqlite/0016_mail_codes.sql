-- Requests for a sign-in by mail.

CREATE TABLE mail_codes (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    token_digest        BLOB    NOT NULL UNIQUE,
    browser_digest      BLOB,
    user_id             INTEGER REFERENCES users (id) ON DELETE CASCADE,
    credentials_version INTEGER,
    remembered          INTEGER NOT NULL,
    tries               INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL
) STRICT;

CREATE INDEX mail_codes_by_user ON mail_codes (user_id, expires_at) WHERE user_id IS NOT NULL;
CREATE INDEX mail_codes_by_expiry ON mail_codes (expires_at);
