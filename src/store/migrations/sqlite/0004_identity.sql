-- Identity apart from credentials, tables named as in the code, and notices that name their subject.

CREATE TABLE passwords (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    digest     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

INSERT INTO passwords (user_id, digest, created_at, updated_at)
    SELECT id, password_digest, created_at, updated_at FROM users;

ALTER TABLE users DROP COLUMN password_digest;
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'operator'));
ALTER TABLE users ADD COLUMN name TEXT;
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

-- Until now a session started with the password, and the password alone reauthenticated it.
ALTER TABLE sessions RENAME COLUMN sudo_at TO reauthenticated_at;
ALTER TABLE sessions ADD COLUMN auth_methods TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN authenticated_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET auth_methods = 'pwd', authenticated_at = max(created_at, coalesce(reauthenticated_at, created_at));

-- The trigger first: it names the table.
DROP TRIGGER sessions_end_access;
DROP INDEX ended_access_by_jti;
DROP INDEX ended_access_by_until;
ALTER TABLE ended_access RENAME TO revoked_access_tokens;
CREATE UNIQUE INDEX revoked_access_tokens_by_jti ON revoked_access_tokens (jti) WHERE jti IS NOT NULL;
CREATE INDEX revoked_access_tokens_by_until ON revoked_access_tokens (until);
CREATE TRIGGER sessions_revoke_access_tokens AFTER DELETE ON sessions WHEN OLD.access_until IS NOT NULL BEGIN
    INSERT INTO revoked_access_tokens (session_id, until) VALUES (OLD.id, OLD.access_until);
END;

DROP INDEX devices_by_time;
ALTER TABLE devices RENAME TO known_devices;
CREATE INDEX known_devices_by_time ON known_devices (seen_at);

ALTER TABLE heartbeat RENAME TO write_probe;
ALTER TABLE write_probe RENAME COLUMN beat_at TO written_at;

-- Only notices had an address of the client. The key of a notice was created in the notice's transaction.
ALTER TABLE outbox ADD COLUMN class TEXT NOT NULL DEFAULT 'link' CHECK (class IN ('link', 'notice'));
ALTER TABLE outbox ADD COLUMN subject_id INTEGER;
UPDATE outbox SET class = 'notice' WHERE ip_address IS NOT NULL;
UPDATE outbox SET subject_id =
        (SELECT max(id) FROM api_keys WHERE user_id = outbox.user_id AND created_at = outbox.created_at)
    WHERE kind = 'api_key_created';
