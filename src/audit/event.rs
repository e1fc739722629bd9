//! The kinds of audit events, one row each: what happened, its fields, and how it is written. The trail, the log and
//! `docs/reference/events.md` derive from these rows.

use serde_json::{Map, Value, json};

use crate::domain::{ApiKeyId, AuthMethods, PasskeyId, SessionId, UserId};

/// Each row `Variant { fields } Level Outcome "name";` becomes a variant of [`Event`] and its line.
macro_rules! events {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident $({ $($field:ident: $type:ty),+ })? $level:ident $outcome:ident $name:literal;
    )+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields are ids and counts, described with those of the log line")]
        pub enum Event {
            $($(#[doc = $doc])+ $variant $({ $($field: $type),+ })?,)+
        }

        impl Event {
            pub(super) fn line(&self) -> Line {
                match self {
                    $(Self::$variant $({ $($field),+ })? => Line {
                        $($($field: $field.clone().into(),)+)?
                        ..Line::new(Level::$level, Outcome::$outcome, $name)
                    },)+
                }
            }
        }

        /// The names of all kinds.
        pub const KINDS: &[&str] = &[$($name),+];

        /// Every row: level, outcome, name, description and fields.
        #[cfg(test)]
        pub(super) const ALL: &[(Level, Outcome, &str, &[&str], &[&str])] = &[
            $((Level::$level, Outcome::$outcome, $name, &[$($doc),+], &[$($(stringify!($field)),+)?]),)+
        ];
    };
}

events! {
    /// A user signed up; without a session where the address must be verified first.
    SignedUp { user: UserId, session: Option<SessionId> } Info Success "signed_up";
    /// A user signed in.
    SignedIn {
        user: UserId, session: SessionId, methods: AuthMethods, sessions_evicted: usize, session_replaced: bool,
        new_device: bool
    } Info Success "signed_in";
    /// A sign-in failed; the user is known when the address is.
    SignInFailed { user: Option<UserId> } Warn Refused "sign_in_failed";
    /// A code for a sign-in by mail was requested, for a known address or not.
    MailCodeRequested Info Success "mail_code_requested";
    /// A mailed code was wrong, or its request has ended; the user is known when a code was mailed.
    MailCodeRefused { user: Option<UserId> } Warn Refused "mail_code_refused";
    /// The link of a mailed code was forged, used or expired, or was not opened by the browser that asked.
    MailLinkRefused Warn Refused "mail_link_refused";
    /// A first factor was right, and a second one is due.
    SecondFactorDue { user: UserId } Info Success "second_factor_due";
    /// A password was right, but the user must have a second factor, and the time to set one up is over.
    SecondFactorOverdue { user: UserId } Warn Refused "second_factor_overdue";
    /// A second factor was wrong or was used before; the first one was right, so the password may be known to others.
    SecondFactorFailed { user: UserId } Warn Refused "second_factor_failed";
    /// The second step of a sign-in was unknown, expired or tried too often.
    PendingSignInRefused Info Refused "pending_sign_in_refused";
    /// A recovery code was used up in place of an authenticator app.
    RecoveryCodeUsed { user: UserId } Warn Success "recovery_code_used";
    /// A user set up an authenticator app.
    TotpEnrolled { user: UserId } Info Success "totp_enrolled";
    /// A user removed the authenticator app, and with it the recovery codes.
    TotpRemoved { user: UserId } Warn Success "totp_removed";
    /// A user got new recovery codes; the old ones are void.
    RecoveryCodesReplaced { user: UserId } Info Success "recovery_codes_replaced";
    /// A user added a passkey.
    PasskeyAdded { user: UserId, passkey: PasskeyId } Info Success "passkey_added";
    /// A user renamed a passkey.
    PasskeyRenamed { user: UserId, passkey: PasskeyId } Info Success "passkey_renamed";
    /// A passkey was removed: by its user, or because another account registered its id while this one was not
    /// verified. Without an id all of a user, at the first proof of the address, or those from before it, at a reset.
    PasskeyRemoved { user: UserId, passkey: Option<PasskeyId> } Warn Success "passkey_removed";
    /// What an authenticator returned was refused, at sign-in or for a new passkey.
    PasskeyRefused { user: Option<UserId>, reason: &'static str } Warn Refused "passkey_refused";
    /// The counter of a passkey did not rise: the authenticator may have been copied. It was accepted.
    PasskeyCounterBehind { user: UserId, passkey: PasskeyId } Warn Success "passkey_counter_behind";
    /// An operator removed all second factors and passkeys of a user, who may sign in without until a new grace ends.
    SecondFactorsReset { user: UserId } Warn Success "second_factors_reset";
    /// A sign-in by another provider was refused: by a reply of the provider, or by the rules here.
    ProviderSignInRefused { reason: &'static str } Warn Refused "provider_sign_in_refused";
    /// The address of a sign-in by another provider has an account, to which a link that links both was mailed.
    IdentityLinkRequested { user: UserId } Info Success "identity_link_requested";
    /// Such a link was forged, used or expired, or was not opened by the browser or app that signed in there.
    IdentityLinkRefused Warn Refused "identity_link_refused";
    /// An identity at another provider was linked to a user.
    IdentityLinked { user: UserId } Info Success "identity_linked";
    /// An identity at another provider was unlinked from a user, which ended the user's other sessions.
    IdentityUnlinked { user: UserId, sessions_ended: usize } Warn Success "identity_unlinked";
    /// The credential was right, but the address must be verified first.
    SignInUnverified { user: UserId } Info Refused "sign_in_unverified";
    /// A limit was reached.
    Throttled { limit: &'static str } Warn Refused "throttled";
    /// An operator lifted limits: those of a user, of another subject, or all.
    LimitsLifted { user: Option<UserId> } Warn Success "limits_lifted";
    /// A session was ended.
    SessionEnded { user: UserId, session: SessionId } Info Success "session_ended";
    /// Several sessions were ended at once: of a user, or of all users.
    SessionsEnded { user: Option<UserId>, sessions_ended: usize } Info Success "sessions_ended";
    /// A session got a new token; the old one is revoked.
    SessionRotated { user: UserId, session: SessionId } Info Success "session_rotated";
    /// A user reauthenticated on a session.
    Reauthenticated { user: UserId, session: SessionId } Info Success "reauthenticated";
    /// A reauthentication failed: the session may be stolen.
    ReauthenticationFailed { user: UserId, session: SessionId } Warn Refused "reauthentication_failed";
    /// A user changed their password, which ended their other sessions.
    PasswordChanged { user: UserId, sessions_ended: usize } Info Success "password_changed";
    /// A user removed their password.
    PasswordRemoved { user: UserId, sessions_ended: usize } Warn Success "password_removed";
    /// The first proof of an address, by a mailed code or another provider, removed the password that another person
    /// may have set.
    UnverifiedPasswordRemoved { user: UserId, sessions_ended: usize } Warn Success "unverified_password_removed";
    /// A user requested a change of address, or withdrew it.
    AddressChangeRequested { user: UserId } Info Success "address_change_requested";
    /// The requested address was verified and replaced the old one.
    AddressChanged { user: UserId } Info Success "address_changed";
    /// A user verified their address.
    AddressVerified { user: UserId } Info Success "address_verified";
    /// A verification mail was requested, for a known address or not.
    VerificationRequested Info Success "verification_requested";
    /// A verification link was forged, used or expired.
    VerificationRefused Warn Refused "verification_refused";
    /// The limit on failed sign-ins to a user's address was lifted by link.
    Unlocked { user: UserId } Info Success "unlocked";
    /// An unlock link was forged, used or expired.
    UnlockRefused Warn Refused "unlock_refused";
    /// A user changed their name or profile.
    UserUpdated { user: UserId } Info Success "user_updated";
    /// An operator changed what is recorded about a user.
    MetadataChanged { user: UserId } Info Success "metadata_changed";
    /// An account was deleted.
    AccountDeleted { user: UserId } Info Success "account_deleted";
    /// A request with the session cookie did not prove that it came from the application itself.
    CrossOriginRefused Warn Refused "cross_origin_refused";
    /// A reset mail was requested, for a known address or not.
    PasswordResetRequested Info Success "reset_requested";
    /// A password was reset by link, which ended the user's sessions.
    PasswordReset { user: UserId, sessions_ended: usize } Info Success "reset_completed";
    /// A reset link was forged, used or expired.
    PasswordResetRefused Warn Refused "reset_refused";
    /// A session got an access token, with a refresh token unless the request came with the cookie.
    TokensIssued { user: UserId, session: SessionId } Info Success "tokens_issued";
    /// A refresh token was exchanged for its successor.
    TokensRefreshed { user: UserId, session: SessionId } Info Success "tokens_refreshed";
    /// A spent refresh token was presented within its grace period and got the same successor.
    RefreshRepeated { user: UserId, session: SessionId } Info Success "refresh_repeated";
    /// A spent refresh token was presented later, which ended its session: it may be stolen.
    RefreshReused { user: UserId, session: SessionId } Warn Refused "refresh_reused";
    /// A refresh token was malformed, unknown or expired.
    RefreshRefused Warn Refused "refresh_refused";
    /// A credential was unknown, forged or revoked. Expired ones are not recorded.
    CredentialRefused { credential: &'static str } Info Refused "credential_refused";
    /// A valid credential was refused: it lacks a scope, or its kind may not do this.
    AccessRefused {
        credential: &'static str, user: Option<UserId>, session: Option<SessionId>, key: Option<ApiKeyId>
    } Info Refused "access_refused";
    /// A valid credential named an object that does not exist or is another user's.
    ObjectNotFound {
        credential: &'static str, user: Option<UserId>, session: Option<SessionId>, key: Option<ApiKeyId>
    } Info Refused "object_not_found";
    /// A token was revoked by presenting it.
    TokenRevoked {
        credential: &'static str, user: Option<UserId>, session: Option<SessionId>, key: Option<ApiKeyId>
    } Info Success "token_revoked";
    /// An API key was created; without a user for a service.
    ApiKeyCreated { user: Option<UserId>, key: ApiKeyId } Info Success "api_key_created";
    /// An API key was renamed.
    ApiKeyRenamed { user: Option<UserId>, key: ApiKeyId } Info Success "api_key_renamed";
    /// An API key was revoked.
    ApiKeyRevoked { user: Option<UserId>, key: ApiKeyId } Info Success "api_key_revoked";
    /// An operator revoked several API keys at once: of a user, or all.
    ApiKeysRevoked { user: Option<UserId>, keys_revoked: usize } Info Success "api_keys_revoked";
    /// An operator printed a link that resets a user's password.
    ResetLinkPrinted { user: UserId } Warn Success "reset_link_printed";
    /// An operator replaced the key base; the old one still verifies for a while.
    KeyBaseRotated Warn Success "key_base_rotated";
    /// An operator replaced a leaked key base, and dropped it with all previous ones.
    LeakedKeyBaseReplaced Warn Success "leaked_key_base_replaced";
    /// An operator dropped the previous key bases.
    KeyBasesForgotten Warn Success "key_bases_forgotten";
    /// An operator made another key base that of the database.
    KeyBaseAdopted Warn Success "key_base_adopted";
    /// An operator restored a database, which ended all access tokens, refresh tokens and mailed links.
    DatabaseRestored { sessions_ended: usize } Warn Success "database_restored";
    /// An operator created an account.
    UserCreated { user: UserId } Info Success "user_created";
    /// An operator gave a user another role.
    RoleChanged { user: UserId } Warn Success "role_changed";
    /// An operator disabled an account, which ended its sessions.
    UserDisabled { user: UserId, sessions_ended: usize } Info Success "user_disabled";
    /// An operator enabled a disabled account.
    UserEnabled { user: UserId } Info Success "user_enabled";
}

impl Event {
    /// Its name: `signed_in`.
    pub fn name(&self) -> &'static str {
        self.line().name
    }

    /// The user whom it concerns, if that is known.
    pub fn user(&self) -> Option<UserId> {
        self.line().user
    }
}

/// How serious an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
}

/// Whether what was tried happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Refused,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
        }
    }
}

/// The fields of an event.
#[derive(Debug)]
pub(super) struct Line {
    pub level: Level,
    pub outcome: Outcome,
    pub name: &'static str,
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub key: Option<ApiKeyId>,
    pub passkey: Option<PasskeyId>,
    pub credential: Option<&'static str>,
    pub limit: Option<&'static str>,
    pub reason: Option<&'static str>,
    pub methods: Option<AuthMethods>,
    pub sessions_ended: Option<usize>,
    pub keys_revoked: Option<usize>,
    pub sessions_evicted: Option<usize>,
    pub session_replaced: Option<bool>,
    pub new_device: Option<bool>,
}

impl Line {
    fn new(level: Level, outcome: Outcome, name: &'static str) -> Self {
        Self {
            level,
            outcome,
            name,
            user: None,
            session: None,
            key: None,
            passkey: None,
            credential: None,
            limit: None,
            reason: None,
            methods: None,
            sessions_ended: None,
            keys_revoked: None,
            sessions_evicted: None,
            session_replaced: None,
            new_device: None,
        }
    }

    /// The fields that have no column of their own.
    pub fn details(&self) -> Map<String, Value> {
        let fields = [
            ("passkey", self.passkey.map(|id| json!(id.0))),
            ("credential", self.credential.map(Value::from)),
            ("limit", self.limit.map(Value::from)),
            ("reason", self.reason.map(Value::from)),
            (
                "methods",
                self.methods.as_ref().map(|methods| json!(methods)),
            ),
            ("sessions_ended", self.sessions_ended.map(Value::from)),
            ("keys_revoked", self.keys_revoked.map(Value::from)),
            ("sessions_evicted", self.sessions_evicted.map(Value::from)),
            ("session_replaced", self.session_replaced.map(Value::from)),
            ("new_device", self.new_device.map(Value::from)),
        ];
        let stated = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        stated.collect()
    }
}
