-- The current schema of the SQLite file. `src/store/migrations/sqlite/` holds the steps that lead here; a test proves
-- that they agree. Columns that a later step added stand last in their tables. PostgreSQL has the same tables and columns.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z, passed in by the program; no statement asks the database's clock.
-- Ids are never reused (AUTOINCREMENT), so that an old link or token cannot refer to a new row.
-- No secret is stored in clear: tokens and API keys are SHA-256 digests, passwords bcrypt digests. Links and access
-- tokens are not stored.

-- Who a user is. How a user signs in stands in other tables: a user may have no password.
CREATE TABLE users (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    email_address      TEXT    NOT NULL UNIQUE,  -- stripped and in lower case
    email_confirmed_at INTEGER,                  -- when the address was verified
    disabled_at        INTEGER,                  -- set by an operator; the user then has no sessions
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    pending_email_address TEXT,                  -- requested new address, until the link mailed to it is used
    credentials_version INTEGER NOT NULL DEFAULT 0, -- part of every link: a change of password or address increments it
    role               TEXT    NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'operator')),
    name               TEXT,                     -- one line of at most 255 characters
    profile            TEXT    NOT NULL DEFAULT '{}', -- JSON object of at most 4 KiB, changed by the user
    metadata           TEXT    NOT NULL DEFAULT '{}', -- JSON object of at most 4 KiB, changed by operators
    locale             TEXT,                     -- language tag of the user's mails, from the sign-up
    second_factor_due_at INTEGER,                -- until then the user, who must have a second factor, signs in without
    links_by_address   INTEGER NOT NULL DEFAULT 1 -- 0: no identity is linked by its address without a mailed link
) STRICT;

CREATE TABLE passwords (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    digest     TEXT    NOT NULL,                 -- bcrypt in the format of Rails: $2b$12$…
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The authenticator app of a user. A secret that no code proved yet is no factor.
CREATE TABLE totp_factors (
    user_id       INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BLOB    NOT NULL,              -- nonce and AES-256-GCM under a derived key, bound to the user
    key_base      TEXT    NOT NULL,              -- name of the key base that the key is derived from
    created_at    INTEGER NOT NULL,
    enrolled_at   INTEGER,                       -- when a code proved it; NULL: not yet
    last_step     INTEGER NOT NULL               -- time step of the last accepted code: no code works twice
) STRICT;

CREATE INDEX totp_factors_unproved ON totp_factors (created_at) WHERE enrolled_at IS NULL;

-- Recovery codes that are left. The use of one deletes it.
CREATE TABLE recovery_codes (
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_digest BLOB    NOT NULL,                -- SHA-256 of the code
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, code_digest)
) STRICT, WITHOUT ROWID;

-- The public keys of users' authenticators. Private keys stay in them.
CREATE TABLE passkeys (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id   BLOB    NOT NULL UNIQUE,     -- chosen by the authenticator, at most 1,023 bytes
    public_key      BLOB    NOT NULL,            -- COSE_Key (RFC 9052)
    sign_count      INTEGER NOT NULL,            -- highest that was presented; synced passkeys have 0
    backup_eligible INTEGER NOT NULL,            -- 1 if the authenticator may sync it; never changes
    backed_up       INTEGER NOT NULL,            -- 1 if it was synced at its last use
    aaguid          BLOB    NOT NULL,            -- model of the authenticator, as it states; 16 bytes
    transports      TEXT    NOT NULL,            -- how browsers reach it, separated by spaces
    name            TEXT    NOT NULL,            -- one line of at most 255 characters
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER
) STRICT;

CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

-- What authenticators know a user by: random, so that it reveals nothing about the user.
CREATE TABLE passkey_handles (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle  BLOB    NOT NULL UNIQUE              -- 32 bytes
) STRICT;

-- Challenges that an authenticator answered, until they expire: none is accepted twice.
CREATE TABLE used_webauthn_challenges (
    digest     BLOB    PRIMARY KEY,              -- SHA-256 of the challenge
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_webauthn_challenges_by_expiry ON used_webauthn_challenges (expires_at);

-- Sign-ins whose first factor was right and whose second is due. The second step deletes its row.
CREATE TABLE pending_sign_ins (
    token_digest        BLOB    PRIMARY KEY,     -- SHA-256 of the token
    user_id             INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_methods        TEXT    NOT NULL,        -- of the first factor, as in sessions
    credentials_version INTEGER NOT NULL,        -- of the user then: a change of credentials ends it
    remembered          INTEGER NOT NULL,        -- 1 if the sign-in sent `remember`
    tries               INTEGER NOT NULL,        -- second factors that were tried
    expires_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_sign_ins_by_user ON pending_sign_ins (user_id, expires_at);
CREATE INDEX pending_sign_ins_by_expiry ON pending_sign_ins (expires_at);

-- Requests for a sign-in by mail, for known and unknown addresses alike. Code and link are derived from the digest of the
-- token and a secret key, and are in no table. The sign-in deletes its row.
CREATE TABLE mail_codes (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    token_digest        BLOB    NOT NULL UNIQUE, -- SHA-256 of the token that the client presents with the code
    browser_digest      BLOB,                    -- SHA-256 of the cookie of the browser that asked: its links sign in
    user_id             INTEGER REFERENCES users (id) ON DELETE CASCADE, -- NULL: no code was mailed
    credentials_version INTEGER,                 -- of the user when the code was mailed: a change of credentials ends it
    remembered          INTEGER NOT NULL,        -- 1 if the request sent `remember`
    tries               INTEGER NOT NULL,        -- codes that were tried
    expires_at          INTEGER NOT NULL
) STRICT;

CREATE INDEX mail_codes_by_user ON mail_codes (user_id, expires_at) WHERE user_id IS NOT NULL;
CREATE INDEX mail_codes_by_expiry ON mail_codes (expires_at);

-- Who a user is at another provider. The key is the issuer and the subject there, never an address.
CREATE TABLE identities (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider     TEXT    NOT NULL,               -- name in the settings
    issuer       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,               -- the user there: `sub`
    email        TEXT,                           -- that the provider stated last, verified or not; for the user to see
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) STRICT;

CREATE INDEX identities_by_user ON identities (user_id, id);

-- Sign-ins that came back from another provider. A row stays until its `state` expires, so that it works once.
CREATE TABLE provider_sign_ins (
    state_digest    BLOB    PRIMARY KEY,         -- SHA-256 of `state`
    expires_at      INTEGER NOT NULL,            -- of `state`
    code_digest     BLOB    UNIQUE,              -- SHA-256 of the exchange code; NULL before it is made and once it is used
    code_expires_at INTEGER,
    provider        TEXT,                        -- name in the settings
    bound_to        TEXT,                        -- the browser or the app that may use the code
    identity        TEXT                         -- JSON: what the provider confirmed, until the code is used
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_sign_ins_by_expiry ON provider_sign_ins (expires_at);

-- Identities that a mailed link links to a user. The link is not stored: it is bound to the row.
CREATE TABLE identity_link_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider   TEXT    NOT NULL,                 -- name in the settings
    bound_to   TEXT    NOT NULL,                 -- the browser or the app that may use the link
    identity   TEXT    NOT NULL,                 -- JSON: what the provider confirmed
    remembered INTEGER NOT NULL,                 -- 1 if the exchange sent `remember`
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_link_requests_by_user ON identity_link_requests (user_id);
CREATE INDEX identity_link_requests_by_expiry ON identity_link_requests (expires_at);

CREATE TABLE sessions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest   BLOB    NOT NULL UNIQUE,      -- SHA-256 of the token
    ip_address     TEXT    NOT NULL,             -- of the client at sign-in
    user_agent     TEXT,                         -- of the client at sign-in
    created_at     INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,             -- to the minute: written outside of requests
    expires_at     INTEGER NOT NULL,
    reauthenticated_at INTEGER,                  -- last reauthentication; cleared when the token is rotated without one
    access_until   INTEGER,                      -- when the last access token of the session expires
    auth_methods   TEXT    NOT NULL DEFAULT '',  -- how the user authenticated: RFC 8176 values, separated by spaces
    authenticated_at INTEGER NOT NULL DEFAULT 0, -- last authentication: sign-in or reauthentication
    remembered     INTEGER NOT NULL DEFAULT 0,   -- 1 if the sign-in sent `remember`: the browser keeps the cookie
    nonce          TEXT    NOT NULL DEFAULT ''   -- random, part of `sid` in access tokens: a restored backup repeats ids
) STRICT;

-- No index on expires_at: it would cost every sign-in and sign-out a page, and the sweep can read the table.
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Revoked and expired keys are kept for a while, for their owner to see.
CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER REFERENCES users (id) ON DELETE CASCADE, -- NULL: a service of the operator
    name         TEXT    NOT NULL,
    token_digest BLOB    NOT NULL UNIQUE,        -- SHA-256 of the key
    last_four    TEXT    NOT NULL,               -- last characters of the key, part of its checksum
    scopes       TEXT    NOT NULL,               -- separated by spaces
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,                        -- to the minute: written outside of requests
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;

CREATE INDEX api_keys_by_user ON api_keys (user_id, id);
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_expiring ON api_keys (expires_at) WHERE expires_at IS NOT NULL;

-- Of each family of refresh tokens the valid one, and those spent within the last seconds. Older spent tokens are
-- deleted by the family's next refresh or the next sweep.
CREATE TABLE refresh_tokens (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id       INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    family_digest    BLOB    NOT NULL,           -- SHA-256 of the part that all tokens of a family share
    token_digest     BLOB    NOT NULL UNIQUE,    -- SHA-256 of the token
    scopes           TEXT    NOT NULL,           -- separated by spaces
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,           -- of the family, never extended
    spent_at         INTEGER,
    seed             BLOB,                       -- derives the successor, with the spent token and a secret key
    successor_digest BLOB,
    access_until     INTEGER,                    -- when the access token issued with the successor expires
    audience         TEXT                        -- `aud` of the access tokens; NULL: this server
) STRICT;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_digest);
CREATE INDEX refresh_tokens_spent ON refresh_tokens (spent_at) WHERE spent_at IS NOT NULL;

-- Access tokens revoked before they expire: a single one, all of a session, or all of a session that were issued until
-- some time, which stands for many single ones. Each process keeps them in memory.
CREATE TABLE revoked_access_tokens (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of commits: a reader needs only rows above its last
    session_id INTEGER NOT NULL,                 -- no reference: the session is deleted; 0: all, after a restore
    jti        TEXT,                             -- the single token; NULL: several of the session
    until      INTEGER NOT NULL,                 -- when the last of them expires
    issued_until INTEGER                         -- when the last of them was issued; NULL: all of the session
) STRICT;

CREATE UNIQUE INDEX revoked_access_tokens_by_jti ON revoked_access_tokens (jti) WHERE jti IS NOT NULL;
CREATE INDEX revoked_access_tokens_by_until ON revoked_access_tokens (until);
CREATE INDEX revoked_access_tokens_by_session ON revoked_access_tokens (session_id);

-- Any deletion of a session revokes its access tokens, also the cascade from its user.
CREATE TRIGGER sessions_revoke_access_tokens AFTER DELETE ON sessions WHEN OLD.access_until IS NOT NULL BEGIN
    INSERT INTO revoked_access_tokens (session_id, until) VALUES (OLD.id, OLD.access_until);
END;

-- Devices that a user signed in from, so that a sign-in from a new one is notified.
CREATE TABLE known_devices (
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fingerprint TEXT    NOT NULL,                -- pseudonym of network and user agent without its versions
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (user_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_devices_by_time ON known_devices (seen_at);

CREATE TABLE projects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title       TEXT    NOT NULL,
    description TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX projects_by_user ON projects (user_id, id);

-- Mails to send. The worker finds the account and signs the link when it sends, so that no link is stored.
-- A row waits until sent_at or dead_at is set. A worker leases it while it sends.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT    NOT NULL,            -- password_reset, new_device, api_key_created, …
    email_address   TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,            -- not sent after this: its link is expired or its news old
    attempts        INTEGER NOT NULL DEFAULT 0,  -- incremented before each attempt
    next_attempt_at INTEGER NOT NULL,            -- while leased: when the lease ends
    sent_at         INTEGER,
    dead_at         INTEGER,                     -- when the worker gave up
    last_error      TEXT,                        -- code of a reason, never an address
    user_id         INTEGER,                     -- no reference: notices outlive accounts
    ip_address      TEXT,                        -- client of the reported change, in notices only
    user_agent      TEXT,                        -- as ip_address
    class           TEXT    NOT NULL DEFAULT 'link' CHECK (class IN ('link', 'notice')),
    subject_id      INTEGER,                     -- the API key that a notice is about, or the request of a code or a link
    priority        INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)), -- 0 is sent first
    locale          TEXT                         -- language tag: of the request for a link, of a notice's user
) STRICT;

CREATE INDEX outbox_waiting ON outbox (priority, next_attempt_at) WHERE sent_at IS NULL AND dead_at IS NULL;
-- Finished mails stand apart within an address: they must not slow down the next request for it.
CREATE INDEX outbox_by_address ON outbox (email_address, kind, sent_at, dead_at);
CREATE INDEX outbox_by_user ON outbox (user_id) WHERE user_id IS NOT NULL;

-- Counters of limits, each in a window that starts with its first hit. The name states the limit and its object: a
-- client's network, a pseudonym of an address, or the id of a session or user.
CREATE TABLE throttles (
    name       TEXT    PRIMARY KEY,
    count      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL                  -- end of the window
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_by_expiry ON throttles (expires_at);

-- The key bases that servers sign with, or did: all servers on one database need the same.
CREATE TABLE key_bases (
    name       TEXT    PRIMARY KEY,              -- derived from the base, which it does not reveal
    retired_at INTEGER                           -- NULL: it signs; a retired one verifies for one lifetime
) STRICT, WITHOUT ROWID;

-- The audit trail: what happened to accounts and credentials. A row is added in the transaction of what it tells. Two
-- changes follow: sealing sets its place in the chain, and its client is erased some time after the account was deleted.
CREATE TABLE audit_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            INTEGER NOT NULL,
    kind          TEXT    NOT NULL,              -- signed_in, password_changed, …
    outcome       TEXT    NOT NULL,              -- success or refused
    actor         TEXT,                          -- user, api_key, operator or system; NULL: a client without a credential
    actor_id      INTEGER,                       -- the user or the API key that acted
    user_id       INTEGER,                       -- whom it concerns. No references: events outlive what they are about
    session_id    INTEGER,
    api_key_id    INTEGER,
    details       TEXT    NOT NULL,              -- JSON object: the other fields of the event
    repeats       INTEGER NOT NULL,              -- how many refusals alike the row stands for, else 1
    request_id    TEXT,
    ip_address    TEXT,                          -- of the client; of repeated refusals, the first one's
    user_agent    TEXT,                          -- as ip_address
    nonce         BLOB,                          -- random; NULL: address and user agent are erased
    client_digest BLOB    NOT NULL,              -- SHA-256 of nonce, address and user agent
    mac           BLOB    NOT NULL,              -- HMAC-SHA-256 of the row under a derived key, when it is added
    position      INTEGER UNIQUE,                -- in the chain, without gaps; NULL: not sealed yet
    previous      BLOB,                          -- hash of the row before
    hash          BLOB                           -- SHA-256 of previous, position, id, row and mac
) STRICT;

CREATE INDEX audit_events_by_user ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE position IS NULL;
CREATE INDEX audit_events_to_erase ON audit_events (at) WHERE kind = 'account_deleted' AND nonce IS NOT NULL;

-- One row: where the chain of the audit trail starts and ends. Old rows are deleted from its start.
CREATE TABLE audit_chain (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    start_position INTEGER NOT NULL,             -- of the last row that was deleted, else 0
    start_hash     BLOB    NOT NULL,             -- its hash, else zeros
    position       INTEGER NOT NULL,             -- of the last row
    hash           BLOB    NOT NULL,             -- its hash
    key_base       TEXT    NOT NULL,             -- name of the key base that the key of the MAC is derived from
    mac            BLOB    NOT NULL              -- HMAC-SHA-256 of both ends
) STRICT;

-- One row, which `/ready` writes to test that writing works.
CREATE TABLE write_probe (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    written_at INTEGER NOT NULL
) STRICT;
