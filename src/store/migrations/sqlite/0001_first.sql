-- Users, sessions, projects, the outbox and the throttles.

CREATE TABLE users (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    email_address      TEXT    NOT NULL UNIQUE,  -- stripped and lower-cased before it comes here
    password_digest    TEXT    NOT NULL,         -- bcrypt, as Rails writes it: $2b$12$…
    email_confirmed_at INTEGER,
    disabled_at        INTEGER,                  -- set by an operator; no session lives while it is
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest   BLOB    NOT NULL UNIQUE,      -- SHA-256 of the bearer token
    ip_address     TEXT    NOT NULL,
    user_agent     TEXT,
    created_at     INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,             -- to the minute: written off the request's path
    expires_at     INTEGER NOT NULL
) STRICT;

-- None on expires_at: every sign-in and sign-out would pay a page for it, and the sweep reads the table.
CREATE INDEX sessions_by_user ON sessions (user_id);

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
    kind            TEXT    NOT NULL,            -- password_reset
    email_address   TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,            -- when its link dies, so that a later mail would be of no use
    attempts        INTEGER NOT NULL DEFAULT 0,  -- counted before each try
    next_attempt_at INTEGER NOT NULL,            -- while leased: when the lease runs out
    sent_at         INTEGER,
    dead_at         INTEGER,
    last_error      TEXT                         -- a reason's code, never an address
) STRICT;

CREATE INDEX outbox_waiting ON outbox (next_attempt_at) WHERE sent_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_by_address ON outbox (email_address, kind);

-- How often something happened in a window that starts with its first time.
CREATE TABLE throttles (
    name       TEXT    PRIMARY KEY,              -- what is limited, and whom: a client's network or an address's pseudonym
    count      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL                  -- when the window ends and counting starts anew
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_by_expiry ON throttles (expires_at);

-- One row that `/ready` writes to learn whether writing works.
CREATE TABLE heartbeat (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    beat_at INTEGER NOT NULL
) STRICT;
