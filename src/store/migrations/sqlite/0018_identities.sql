-- Sign-in by other providers: who users are there, and sign-ins that came back from there.

CREATE TABLE identities (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider     TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    email        TEXT,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) STRICT;

CREATE INDEX identities_by_user ON identities (user_id, id);

CREATE TABLE provider_sign_ins (
    state_digest    BLOB    PRIMARY KEY,
    expires_at      INTEGER NOT NULL,
    code_digest     BLOB    UNIQUE,
    code_expires_at INTEGER,
    provider        TEXT,
    bound_to        TEXT,
    identity        TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_sign_ins_by_expiry ON provider_sign_ins (expires_at);
