-- Second factors: authenticator apps, recovery codes, and sign-ins that wait for one of them.

CREATE TABLE totp_factors (
    user_id       BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BYTEA  NOT NULL,
    key_base      TEXT   COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    enrolled_at   BIGINT,
    last_step     BIGINT NOT NULL
);

CREATE INDEX totp_factors_unproved ON totp_factors (created_at) WHERE enrolled_at IS NULL;

CREATE TABLE recovery_codes (
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_digest BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, code_digest)
);

CREATE TABLE pending_sign_ins (
    token_digest        BYTEA  PRIMARY KEY,
    user_id             BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_methods        TEXT   NOT NULL,
    credentials_version BIGINT NOT NULL,
    remembered          BIGINT NOT NULL,
    tries               BIGINT NOT NULL,
    expires_at          BIGINT NOT NULL
);

CREATE INDEX pending_sign_ins_by_user ON pending_sign_ins (user_id, expires_at);
CREATE INDEX pending_sign_ins_by_expiry ON pending_sign_ins (expires_at);
