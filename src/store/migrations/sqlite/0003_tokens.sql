-- Tokens for machines: API keys, refresh tokens, and access tokens that ended before their time.

ALTER TABLE sessions ADD COLUMN access_until INTEGER;

CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    token_digest BLOB    NOT NULL UNIQUE,
    last_four    TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE INDEX api_keys_by_user ON api_keys (user_id, id);
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_expiring ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id       INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    family_digest    BLOB    NOT NULL,
    token_digest     BLOB    NOT NULL UNIQUE,
    scopes           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    spent_at         INTEGER,
    seed             BLOB,
    successor_digest BLOB,
    access_until     INTEGER
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_digest);
CREATE INDEX refresh_tokens_spent ON refresh_tokens (spent_at) WHERE spent_at IS NOT NULL;

CREATE TABLE ended_access (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL,
    jti        TEXT,
    until      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX ended_access_by_jti ON ended_access (jti) WHERE jti IS NOT NULL;
CREATE INDEX ended_access_by_until ON ended_access (until);

-- However a session ends, by the cascade from its user too, its access tokens end with it.
CREATE TRIGGER sessions_end_access AFTER DELETE ON sessions WHEN OLD.access_until IS NOT NULL BEGIN
    INSERT INTO ended_access (session_id, until) VALUES (OLD.id, OLD.access_until);
END;
