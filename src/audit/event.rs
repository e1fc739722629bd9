//! The kinds of audit events: one variant each, and one row each for how it is written.

use crate::domain::{ApiKeyId, SessionId, UserId};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields are ids and counts, named after what they hold"
)]
pub enum Event {
    /// A user signed up; without a session where the address must be verified first.
    SignedUp {
        user: UserId,
        session: Option<SessionId>,
    },
    /// A user signed in.
    SignedIn {
        user: UserId,
        session: SessionId,
        /// How many of the user's other sessions were ended to stay within the limit.
        evicted: usize,
        /// Whether the session of the cookie in the request was ended.
        replaced: bool,
        /// Whether the account was never used from this device before.
        new_device: bool,
    },
    /// A sign-in failed; the user is known when the address is.
    SignInFailed { user: Option<UserId> },
    /// The password was right, but the address must be verified first.
    SignInUnverified { user: UserId },
    /// A limit was reached.
    Throttled { limit: &'static str },
    /// An operator lifted limits: those of a user, of another subject, or all.
    LimitsLifted { user: Option<UserId> },
    /// A session was ended.
    SessionEnded { user: UserId, session: SessionId },
    /// Several sessions were ended at once: of a user, or of all users.
    SessionsEnded {
        user: Option<UserId>,
        sessions_ended: usize,
    },
    /// A session got a new token; the old one is revoked.
    SessionRotated { user: UserId, session: SessionId },
    /// A user reauthenticated on a session.
    Reauthenticated { user: UserId, session: SessionId },
    /// A reauthentication failed: the session may be stolen.
    ReauthenticationFailed { user: UserId, session: SessionId },
    /// A user changed their password, which ended their other sessions.
    PasswordChanged { user: UserId, sessions_ended: usize },
    /// A user requested a change of address, or withdrew it.
    AddressChangeRequested { user: UserId },
    /// The requested address was verified and replaced the old one.
    AddressChanged { user: UserId },
    /// A user verified their address.
    AddressVerified { user: UserId },
    /// A verification mail was requested, for a known address or not.
    VerificationRequested,
    /// A verification link was forged, used or expired.
    VerificationRefused,
    /// The limit on failed sign-ins to a user's address was lifted by link.
    Unlocked { user: UserId },
    /// An unlock link was forged, used or expired.
    UnlockRefused,
    /// A user changed their name or profile.
    UserUpdated { user: UserId },
    /// An account was deleted.
    AccountDeleted { user: UserId },
    /// A request with the session cookie did not prove that it came from the application itself.
    CrossOriginRefused,
    /// A reset mail was requested, for a known address or not.
    PasswordResetRequested,
    /// A password was reset by link, which ended the user's sessions.
    PasswordReset { user: UserId, sessions_ended: usize },
    /// A reset link was forged, used or expired.
    PasswordResetRefused,
    /// A session got an access token, with a refresh token unless the request came with the cookie.
    TokensIssued { user: UserId, session: SessionId },
    /// A refresh token was exchanged for its successor.
    TokensRefreshed { user: UserId, session: SessionId },
    /// A spent refresh token was presented within its grace period and got the same successor.
    RefreshRepeated { user: UserId, session: SessionId },
    /// A spent refresh token was presented later, which ended its session: it may be stolen.
    RefreshReused { user: UserId, session: SessionId },
    /// A refresh token was malformed, unknown or expired.
    RefreshRefused,
    /// A credential was unknown, forged or revoked. Expired ones are not recorded.
    CredentialRefused { credential: &'static str },
    /// A token was revoked by presenting it.
    TokenRevoked {
        credential: &'static str,
        user: Option<UserId>,
        session: Option<SessionId>,
        key: Option<ApiKeyId>,
    },
    /// An API key was created; without a user for a service.
    ApiKeyCreated { user: Option<UserId>, key: ApiKeyId },
    /// An API key was renamed.
    ApiKeyRenamed { user: Option<UserId>, key: ApiKeyId },
    /// An API key was revoked.
    ApiKeyRevoked { user: Option<UserId>, key: ApiKeyId },
    /// An operator revoked several API keys at once: of a user, or all.
    ApiKeysRevoked {
        user: Option<UserId>,
        keys_revoked: usize,
    },
    /// An operator printed a link that resets a user's password.
    ResetLinkPrinted { user: UserId },
    /// An operator created an account.
    UserCreated { user: UserId },
    /// An operator disabled an account, which ended its sessions.
    UserDisabled { user: UserId, sessions_ended: usize },
    /// An operator enabled a disabled account.
    UserEnabled { user: UserId },
}

/// How serious an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
}

/// The fields of an event's log line.
#[derive(Debug)]
pub(super) struct Line {
    pub level: Level,
    pub name: &'static str,
    pub user: Option<i64>,
    pub session: Option<i64>,
    pub key: Option<i64>,
    pub credential: Option<&'static str>,
    pub limit: Option<&'static str>,
    pub sessions_ended: Option<usize>,
    pub keys_revoked: Option<usize>,
    pub sessions_evicted: Option<usize>,
    pub session_replaced: Option<bool>,
    pub new_device: Option<bool>,
}

impl Event {
    /// The user whom it concerns, if that is known.
    pub fn user(&self) -> Option<UserId> {
        self.line().user.map(UserId)
    }

    #[rustfmt::skip]
    pub(super) fn line(&self) -> Line {
        match *self {
            Self::SignedUp { user, session } => info("signed_up").user(user).session(session),
            Self::SignedIn { user, session, evicted, replaced, new_device } => Line {
                sessions_evicted: Some(evicted),
                session_replaced: Some(replaced),
                new_device: Some(new_device),
                ..info("signed_in").user(user).session(session)
            },
            Self::SignInFailed { user } => warn("sign_in_failed").user(user),
            Self::SignInUnverified { user } => info("sign_in_unconfirmed").user(user),
            Self::Throttled { limit } => Line { limit: Some(limit), ..warn("throttled") },
            Self::LimitsLifted { user } => warn("limits_lifted").user(user),
            Self::SessionEnded { user, session } => info("session_ended").user(user).session(session),
            Self::SessionsEnded { user, sessions_ended } => info("sessions_ended").user(user).ended(sessions_ended),
            Self::SessionRotated { user, session } => info("session_rotated").user(user).session(session),
            Self::Reauthenticated { user, session } => info("sudo_given").user(user).session(session),
            Self::ReauthenticationFailed { user, session } => warn("challenge_failed").user(user).session(session),
            Self::PasswordChanged { user, sessions_ended } => info("password_changed").user(user).ended(sessions_ended),
            Self::AddressChangeRequested { user } => info("address_change_asked").user(user),
            Self::AddressChanged { user } => info("address_changed").user(user),
            Self::AddressVerified { user } => info("address_confirmed").user(user),
            Self::VerificationRequested => info("confirmation_asked"),
            Self::VerificationRefused => warn("confirmation_refused"),
            Self::Unlocked { user } => info("unlocked").user(user),
            Self::UnlockRefused => warn("unlock_refused"),
            Self::UserUpdated { user } => info("user_updated").user(user),
            Self::AccountDeleted { user } => info("account_deleted").user(user),
            Self::CrossOriginRefused => warn("cross_origin_refused"),
            Self::PasswordResetRequested => info("reset_asked"),
            Self::PasswordReset { user, sessions_ended } => info("reset_done").user(user).ended(sessions_ended),
            Self::PasswordResetRefused => warn("reset_refused"),
            Self::TokensIssued { user, session } => info("tokens_issued").user(user).session(session),
            Self::TokensRefreshed { user, session } => info("tokens_refreshed").user(user).session(session),
            Self::RefreshRepeated { user, session } => info("refresh_repeated").user(user).session(session),
            Self::RefreshReused { user, session } => warn("refresh_reused").user(user).session(session),
            Self::RefreshRefused => warn("refresh_refused"),
            Self::CredentialRefused { credential } => info("credential_refused").credential(credential),
            Self::TokenRevoked { credential, user, session, key } =>
                info("token_revoked").credential(credential).user(user).session(session).key(key),
            Self::ApiKeyCreated { user, key } => info("api_key_created").user(user).key(key),
            Self::ApiKeyRenamed { user, key } => info("api_key_renamed").user(user).key(key),
            Self::ApiKeyRevoked { user, key } => info("api_key_revoked").user(user).key(key),
            Self::ApiKeysRevoked { user, keys_revoked } => Line {
                keys_revoked: Some(keys_revoked),
                ..info("api_keys_revoked").user(user)
            },
            Self::ResetLinkPrinted { user } => warn("reset_link_printed").user(user),
            Self::UserCreated { user } => info("user_created").user(user),
            Self::UserDisabled { user, sessions_ended } => info("user_disabled").user(user).ended(sessions_ended),
            Self::UserEnabled { user } => info("user_enabled").user(user),
        }
    }
}

fn info(name: &'static str) -> Line {
    Line::new(Level::Info, name)
}

fn warn(name: &'static str) -> Line {
    Line::new(Level::Warn, name)
}

impl Line {
    fn new(level: Level, name: &'static str) -> Self {
        Self {
            level,
            name,
            user: None,
            session: None,
            key: None,
            credential: None,
            limit: None,
            sessions_ended: None,
            keys_revoked: None,
            sessions_evicted: None,
            session_replaced: None,
            new_device: None,
        }
    }

    fn user(mut self, user: impl Into<Option<UserId>>) -> Self {
        self.user = user.into().map(|user| user.0);
        self
    }

    fn session(mut self, session: impl Into<Option<SessionId>>) -> Self {
        self.session = session.into().map(|session| session.0);
        self
    }

    fn key(mut self, key: impl Into<Option<ApiKeyId>>) -> Self {
        self.key = key.into().map(|key| key.0);
        self
    }

    fn credential(mut self, credential: &'static str) -> Self {
        self.credential = Some(credential);
        self
    }

    fn ended(mut self, sessions: usize) -> Self {
        self.sessions_ended = Some(sessions);
        self
    }
}
