-- A pending address, the counter that voids links, confirmed passwords and known devices.

ALTER TABLE users ADD COLUMN pending_email_address TEXT;
ALTER TABLE users ADD COLUMN credentials_version INTEGER NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN sudo_at INTEGER;

CREATE TABLE devices (
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fingerprint TEXT    NOT NULL,
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (user_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_time ON devices (seen_at);

-- Notices say whom they are about and from where it was done.
ALTER TABLE outbox ADD COLUMN user_id INTEGER;
ALTER TABLE outbox ADD COLUMN ip_address TEXT;
ALTER TABLE outbox ADD COLUMN user_agent TEXT;

DROP INDEX outbox_by_address;
CREATE INDEX outbox_by_address ON outbox (email_address, kind) WHERE sent_at IS NULL AND dead_at IS NULL;
