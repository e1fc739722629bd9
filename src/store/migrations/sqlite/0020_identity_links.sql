-- Identities at other providers that are linked by a mailed link, and accounts to which none is linked otherwise.

ALTER TABLE users ADD COLUMN links_by_address INTEGER NOT NULL DEFAULT 1;

CREATE TABLE identity_link_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider   TEXT    NOT NULL,
    bound_to   TEXT    NOT NULL,
    identity   TEXT    NOT NULL,
    remembered INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_link_requests_by_user ON identity_link_requests (user_id);
CREATE INDEX identity_link_requests_by_expiry ON identity_link_requests (expires_at);
