-- Second factors: authenticator apps, recovery codes, and sign-ins that wait for one of them.

CREATE TABLE totp_factors (
    user_id       INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BLOB    NOT NULL,
    key_base      TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    enrolled_at   INTEGER,
    last_step     INTEGER NOT NULL
) STRICT;

CREATE INDEX totp_factors_unproved ON totp_factors (created_at) WHERE enrolled_at IS NULL;

CREATE TABLE recovery_codes (
    user_id     INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_digest BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, code_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending_sign_ins (
    token_digest        BLOB    PRIMARY KEY,
    user_id             INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_methods        TEXT    NOT NULL,
    credentials_version INTEGER NOT NULL,
    remembered          INTEGER NOT NULL,
    tries               INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pending_sign_ins_by_user ON pending_sign_ins (user_id, expires_at);
CREATE INDEX pending_sign_ins_by_expiry ON pending_sign_ins (expires_at);
