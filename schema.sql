-- The whole schema. `src/store/migrations/` holds the steps that lead here; a test proves that they agree.
-- Times are milliseconds since 1970-01-01T00:00:00Z, handed in by the program, never asked of the database.
-- Ids are never used twice (AUTOINCREMENT): an old link or token cannot come to mean somebody new.
-- Nothing here is a secret in clear: tokens and API keys are SHA-256 digests, passwords bcrypt digests, links and access
-- tokens are not stored.
-- Columns that came with a later step stand last in their tables, where SQLite adds them.

CREATE TABLE users (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    email_address      TEXT    NOT NULL UNIQUE,  -- stripped and lower-cased before it comes here
    password_digest    TEXT    NOT NULL,         -- bcrypt, as Rails writes it: $2b$12$…
    email_confirmed_at INTEGER,
    disabled_at        INTEGER,                  -- set by an operator; no session lives while it is
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    pending_email_address TEXT,                  -- asked for, until a link mailed to it is used
    credentials_version INTEGER NOT NULL DEFAULT 0 -- in every link: a change of password or address counts it up
) STRICT;

CREATE TABLE sessions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest   BLOB    NOT NULL UNIQUE,      -- SHA-256 of the token
    ip_address     TEXT    NOT NULL,
    user_agent     TEXT,
    created_at     INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,             -- to the minute: written off the request's path
    expires_at     INTEGER NOT NULL,
    sudo_at        INTEGER,                      -- when the password was last given on it, after its start
    access_until   INTEGER                       -- when the last of the access tokens made under it expires
) STRICT;

-- None on expires_at: every sign-in and sign-out would pay a page for it, and the sweep reads the table.
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Keys for machines. A revoked or expired one is kept for its owner to see, then swept.
CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER REFERENCES users (id) ON DELETE CASCADE, -- none: a service of the operator's own
    name         TEXT    NOT NULL,
    token_digest BLOB    NOT NULL UNIQUE,        -- SHA-256 of the key
    last_four    TEXT    NOT NULL,               -- of the key, for its owner to tell it by; of its checksum
    scopes       TEXT    NOT NULL,               -- words with a space between
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,                        -- to the minute: written off the request's path
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE INDEX api_keys_by_user ON api_keys (user_id, id);
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_expiring ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

-- Of each family of refresh tokens the one that is good, and those that were spent in the last seconds; and, until the
-- family's next refresh or the next sweep, those before them.
CREATE TABLE refresh_tokens (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id       INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    family_digest    BLOB    NOT NULL,           -- SHA-256 of the part that all of a family share
    token_digest     BLOB    NOT NULL UNIQUE,    -- SHA-256 of the token
    scopes           TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,           -- the family's, never put off
    spent_at         INTEGER,
    seed             BLOB,                       -- gives the successor again, with the spent token and a key of ours
    successor_digest BLOB,
    access_until     INTEGER                     -- when the access token that went out with the successor expires
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_digest);
CREATE INDEX refresh_tokens_spent ON refresh_tokens (spent_at) WHERE spent_at IS NOT NULL;

-- Access tokens that are refused before they expire: all of a session that ended, or one alone. Read into memory.
CREATE TABLE ended_access (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of commits: who knows one knows all before it
    session_id INTEGER NOT NULL,                 -- no reference: it is gone
    jti        TEXT,                             -- that token alone; none: every one of the session
    until      INTEGER NOT NULL                  -- when the last of them expires
) STRICT;

CREATE UNIQUE INDEX ended_access_by_jti ON ended_access (jti) WHERE jti IS NOT NULL;
CREATE INDEX ended_access_by_until ON ended_access (until);

-- However a session ends, by the cascade from its user too, its access tokens end with it.
CREATE TRIGGER sessions_end_access AFTER DELETE ON sessions WHEN OLD.access_until IS NOT NULL BEGIN
    INSERT INTO ended_access (session_id, until) VALUES (OLD.id, OLD.access_until);
END;

-- What users sign in from, to tell them of a new one.
CREATE TABLE devices (
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fingerprint TEXT    NOT NULL,                -- a pseudonym of network and user agent, its versions left aside
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (user_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_time ON devices (seen_at);

CREATE TABLE projects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title       TEXT    NOT NULL,
    description TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX projects_by_user ON projects (user_id, id);

-- Mails to be sent, as intentions: the worker finds the account and mints the link when it sends.
-- A row is waiting until sent_at or dead_at is set; it is leased while a worker is at it.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT    NOT NULL,            -- password_reset, new_device, api_key_created
    email_address   TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,            -- when a mail would be of no use: its link is dead, its news old
    attempts        INTEGER NOT NULL DEFAULT 0,  -- counted before each try
    next_attempt_at INTEGER NOT NULL,            -- while leased: when the lease runs out
    sent_at         INTEGER,
    dead_at         INTEGER,
    last_error      TEXT,                        -- a reason's code, never an address
    user_id         INTEGER,                     -- whom it is about; no reference: notices outlive accounts
    ip_address      TEXT,                        -- from where it was done, for notices alone
    user_agent      TEXT
) STRICT;

CREATE INDEX outbox_waiting ON outbox (next_attempt_at) WHERE sent_at IS NULL AND dead_at IS NULL;
-- Of those that wait alone: what was sent to an address must not slow down the next request for it.
CREATE INDEX outbox_by_address ON outbox (email_address, kind) WHERE sent_at IS NULL AND dead_at IS NULL;

-- How often something happened in a window that starts with its first time. A name says what is limited, and whom: a
-- client's network, an address's pseudonym, or the id of a session or a user.
CREATE TABLE throttles (
    name       TEXT    PRIMARY KEY,
    count      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL                  -- when the window ends and counting starts anew
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_by_expiry ON throttles (expires_at);

-- One row that `/ready` writes to learn whether writing works.
CREATE TABLE heartbeat (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    beat_at INTEGER NOT NULL
) STRICT;
