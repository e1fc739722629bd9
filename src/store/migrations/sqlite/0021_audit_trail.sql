-- The audit trail, and the ends of its chain.

CREATE TABLE audit_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    at            INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    outcome       TEXT    NOT NULL,
    actor         TEXT,
    actor_id      INTEGER,
    user_id       INTEGER,
    session_id    INTEGER,
    api_key_id    INTEGER,
    details       TEXT    NOT NULL,
    repeats       INTEGER NOT NULL,
    request_id    TEXT,
    ip_address    TEXT,
    user_agent    TEXT,
    nonce         BLOB,
    client_digest BLOB    NOT NULL,
    mac           BLOB    NOT NULL,
    position      INTEGER UNIQUE,
    previous      BLOB,
    hash          BLOB
) STRICT;

CREATE INDEX audit_events_by_user ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE position IS NULL;
CREATE INDEX audit_events_to_erase ON audit_events (at) WHERE kind = 'account_deleted' AND nonce IS NOT NULL;

CREATE TABLE audit_chain (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    start_position INTEGER NOT NULL,
    start_hash     BLOB    NOT NULL,
    position       INTEGER NOT NULL,
    hash           BLOB    NOT NULL,
    key_base       TEXT    NOT NULL,
    mac            BLOB    NOT NULL
) STRICT;
