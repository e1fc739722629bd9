//! The errors of all layers. They know nothing of HTTP: `http::error_codes` maps them to statuses and codes.
//!
//! Which one to use:
//! - a field of the input is unusable: [`Error::Validation`], collected with [`ValidationErrors`];
//! - the request cannot be read: [`Error::Malformed`] and its neighbours;
//! - the credential is missing or not valid: [`Error::Unauthorized`], [`Error::TokenInvalid`], [`Error::TokenExpired`],
//!   [`Error::InvalidApiKey`], [`Error::InvalidCredentials`], [`Error::LastAttempt`], [`Error::LinkInvalid`],
//!   [`Error::SecondFactorRequired`], [`Error::PendingSignInInvalid`], [`Error::InvalidCode`],
//!   [`Error::ExchangeCodeInvalid`], [`Error::PasskeyInvalid`],
//!   [`Error::PasskeyUnknown`];
//! - a sign-in by another provider cannot go on: [`Error::StateInvalid`], [`Error::AccountExists`], [`Error::IdentityTaken`],
//!   [`Error::ProviderUnavailable`];
//! - authenticated, but not allowed: [`Error::Forbidden`], [`Error::InsufficientScope`],
//!   [`Error::InsufficientAuthentication`], [`Error::Unconfirmed`], [`Error::SecondFactorOverdue`];
//! - a token cannot be issued: [`Error::InvalidGrant`], [`Error::InvalidScope`],
//!   [`Error::InvalidTarget`];
//! - a page of another origin sent it: [`Error::CrossOrigin`];
//! - missing, or owned by another user: [`Error::NotFound`];
//! - it would leave the user without a way to sign in: [`Error::LastSignInMethod`];
//! - temporarily not possible: [`Error::RateLimited`], [`Error::Unavailable`];
//! - an internal failure: [`Error::Internal`], whose text is logged and never sent.
//!
//! Failure is not absence: look-ups return `Ok(None)` or one of these.

use std::fmt;
use std::time::Duration;

use crate::domain::SecondFactorDue;
use crate::domain::scope::Scopes;

/// The `Result` of this crate; settings have `ConfigError`, mail `SendError`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure that a request can get.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input was read and cannot be used.
    #[error("{0}")]
    Validation(#[from] ValidationErrors),
    /// The request contradicts itself or cannot be parsed; the text is for people.
    #[error("{0}")]
    Malformed(&'static str),
    /// The body is neither JSON nor a form.
    #[error("the body is neither JSON nor a form")]
    UnsupportedMediaType,
    /// The body is compressed.
    #[error("the body is compressed")]
    UnsupportedEncoding,
    /// The body is longer than we read.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The path exists, but not with this method; the ones that it has.
    #[error("no such method on this path")]
    MethodNotAllowed(Vec<String>),
    /// No credential was presented.
    #[error("no credential")]
    Unauthorized,
    /// The credential is malformed, unknown or revoked.
    #[error("the token is invalid")]
    TokenInvalid,
    /// The credential was good once.
    #[error("the token has expired")]
    TokenExpired,
    /// The API key is malformed, unknown, expired or revoked.
    #[error("the API key is invalid")]
    InvalidApiKey,
    /// A refresh token is malformed, unknown, expired or spent (RFC 6749, 5.2).
    #[error("the refresh token is invalid")]
    InvalidGrant,
    /// A scope is malformed, or more than there is to give (RFC 6749, 5.2).
    #[error("the scope cannot be granted")]
    InvalidScope,
    /// An audience is none of those that are configured (RFC 8707, 2).
    #[error("the audience is not known")]
    InvalidTarget,
    /// Address and password do not belong together.
    #[error("invalid email address or password")]
    InvalidCredentials,
    /// They do not, and one more failure shuts the address for a while.
    #[error("invalid email address or password, one attempt is left")]
    LastAttempt,
    /// The password was right, and a second factor is due.
    #[error("a second factor is due")]
    SecondFactorRequired(Box<SecondFactorDue>),
    /// The password was right, but the user must have a second factor, and the time to set one up is over.
    #[error("the time to set up a second factor is over")]
    SecondFactorOverdue,
    /// A sign-in that waited for a second factor is unknown, expired, finished or was tried too often.
    #[error("the pending sign-in is invalid")]
    PendingSignInInvalid,
    /// The second factor is wrong or was used.
    #[error("the second factor is wrong")]
    InvalidCode,
    /// What an authenticator returned for a passkey is refused; why stands in the log alone.
    #[error("the passkey is refused")]
    PasskeyInvalid,
    /// No account has the passkey.
    #[error("the passkey is unknown")]
    PasskeyUnknown,
    /// A link from a mail is forged, used or too old; the sentence that its form shows.
    #[error("{0}")]
    LinkInvalid(&'static str),
    /// The caller is known and may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The credential is good and narrower than this; all the scopes that it takes (RFC 6750, 3.1).
    #[error("the credential lacks a scope of {}", .0.as_str())]
    InsufficientScope(Scopes),
    /// The credential is valid, but its user authenticated too long ago or with one factor only (RFC 9470, 3).
    #[error("the authentication is not sufficient")]
    InsufficientAuthentication {
        /// Whether two factors are demanded.
        two_factors: bool,
        /// How old the authentication may be, in seconds.
        max_age: Option<u32>,
    },
    /// The code of a sign-in by another provider is unknown, expired, used, or not for this browser or app.
    #[error("the exchange code is invalid")]
    ExchangeCodeInvalid,
    /// A provider sent the browser back with a `state` that is not ours.
    #[error("the state is invalid")]
    StateInvalid,
    /// The address that a provider states has an account, to which the identity is not linked.
    #[error("an account with this address exists")]
    AccountExists,
    /// The identity is linked to another user.
    #[error("the identity is linked to another user")]
    IdentityTaken,
    /// A provider does not answer, or cannot be used; when to try again.
    #[error("the provider is not available")]
    ProviderUnavailable(Duration),
    /// The password was right, and the address was not confirmed yet.
    #[error("the email address is not confirmed")]
    Unconfirmed,
    /// The credential is a cookie, which another site's page may have sent.
    #[error("sent for another origin")]
    CrossOrigin,
    /// It does not exist, or belongs to another user.
    #[error("not found")]
    NotFound,
    /// The user has nothing else to sign in with.
    #[error("the last way to sign in")]
    LastSignInMethod,
    /// Too many tries; how long until the next may work.
    #[error("too many tries, again in {} s", .0.as_secs())]
    RateLimited(Duration),
    /// We cannot do it now: the reason for the log, and when to come back.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// Why.
        reason: UnavailableReason,
        /// How long the caller should wait.
        retry_after: Duration,
    },
    /// The server lives and cannot do its work; for `/ready` alone, whose reply has the reason as its code.
    #[error("not ready: {reason}")]
    NotReady {
        /// As in [`Error::Unavailable`].
        reason: UnavailableReason,
        /// How long the caller should wait.
        retry_after: Duration,
    },
    /// A fault of ours.
    #[error("{0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A fault of ours, described for the log.
    pub fn internal(fault: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(fault.into())
    }

    /// A passing inability, worth another try after `retry_after`.
    pub fn unavailable(reason: UnavailableReason, retry_after: Duration) -> Self {
        Self::Unavailable {
            reason,
            retry_after,
        }
    }
}

/// Why the server cannot do something now. Displays as its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnavailableReason {
    /// Another process holds the database, or too many writes are queued.
    DatabaseBusy,
    /// The database file is corrupt or no database.
    DatabaseDamaged,
    /// Reading or writing the database file failed.
    DatabaseIoFailure,
    /// Every connection that reads is in use.
    DatabaseReadersExhausted,
    /// The database file may not be written.
    DatabaseReadOnly,
    /// The database file was removed or replaced while it is open.
    DatabaseReplaced,
    /// The database has been closed.
    DatabaseStopped,
    /// The database server cannot be reached, or ended the session.
    DatabaseUnreachable,
    /// The database file or its folder cannot be opened.
    DatabaseUnopenable,
    /// The password digest kept changing while the password was verified.
    DigestUnsettled,
    /// No space is left for the database.
    DiskFull,
    /// The server runs with a key base that was replaced, and can seal nothing until it is restarted.
    KeyBaseRetired,
    /// A secret is sealed under a key base that is not configured here.
    KeyBaseUnknown,
    /// Too many passwords wait to be hashed.
    PasswordsSaturated,
}

impl UnavailableReason {
    /// The stable code for the log and for `/ready`.
    pub fn code(self) -> &'static str {
        match self {
            Self::DatabaseBusy => "database_busy",
            Self::DatabaseDamaged => "database_damaged",
            Self::DatabaseIoFailure => "database_io_failure",
            Self::DatabaseReadersExhausted => "database_readers_exhausted",
            Self::DatabaseReadOnly => "database_read_only",
            Self::DatabaseReplaced => "database_replaced",
            Self::DatabaseStopped => "database_stopped",
            Self::DatabaseUnreachable => "database_unreachable",
            Self::DatabaseUnopenable => "database_unopenable",
            Self::DigestUnsettled => "digest_unsettled",
            Self::DiskFull => "disk_full",
            Self::KeyBaseRetired => "key_base_retired",
            Self::KeyBaseUnknown => "key_base_unknown",
            Self::PasswordsSaturated => "passwords_saturated",
        }
    }
}

impl fmt::Display for UnavailableReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The faults of an input, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationErrors {
    /// A sentence that replaces the listing of faults, and its stable code.
    pub summary: Option<(&'static str, &'static str)>,
    /// Attribute and message without the attribute's name: `("password", "can't be blank")`.
    pub faults: Vec<(&'static str, String)>,
}

impl ValidationErrors {
    /// One fault of one attribute.
    pub fn field(attribute: &'static str, message: impl Into<String>) -> Self {
        let mut invalid = Self::default();
        invalid.add(attribute, message);
        invalid
    }

    /// A refusal that names no attribute, with its stable code.
    pub fn summary(code: &'static str, sentence: &'static str) -> Self {
        Self {
            summary: Some((code, sentence)),
            faults: Vec::new(),
        }
    }

    /// Adds a fault.
    pub fn add(&mut self, attribute: &'static str, message: impl Into<String>) {
        self.faults.push((attribute, message.into()));
    }

    /// Keeps the value, or takes over the faults and gives nothing.
    pub fn keep<T>(&mut self, parsed: Result<T, Self>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(other) => {
                self.faults.extend(other.faults);
                None
            }
        }
    }

    /// `Ok` when nothing was found.
    pub fn into_result(self) -> Result<(), Self> {
        if self.summary.is_none() && self.faults.is_empty() {
            Ok(())
        } else {
            Err(self)
        }
    }

    /// Whole sentences as Rails writes them: `Email address can't be blank`.
    pub fn full_messages(&self) -> Vec<String> {
        let summary = self
            .summary
            .iter()
            .map(|(_, sentence)| (*sentence).to_owned());
        let faults = self
            .faults
            .iter()
            .map(|(attribute, message)| format!("{} {message}", humanize(attribute)));
        summary.chain(faults).collect()
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_messages().join(", "))
    }
}

impl std::error::Error for ValidationErrors {}

/// `email_address` as people read it: `Email address`.
fn humanize(attribute: &str) -> String {
    let words = attribute.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
