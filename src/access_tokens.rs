//! Access tokens: minted for a session, and verified without asking the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::jwt::KeyRing;
use crate::keys::Keys;
use crate::model::{EmailAddress, SessionId, UserId};
use crate::scope::Scopes;
use crate::store::Database;

/// How long an address that was read is believed.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(1);

/// What mints and verifies them.
pub struct AccessTokens {
    ring: KeyRing,
}

/// What an access token is minted with; times are cut to whole seconds.
#[derive(Clone, Copy, Debug)]
pub struct Minting<'a> {
    /// Whose it is.
    pub user_id: UserId,
    /// The session that it lives and ends with.
    pub session_id: SessionId,
    /// What it may.
    pub scopes: &'a Scopes,
    /// Its own name: 32 hexadecimal digits.
    pub jti: &'a str,
    /// From when on it is good.
    pub issued_at: Timestamp,
    /// From when on it is void.
    pub expires_at: Timestamp,
}

/// What a verified access token says.
#[derive(Debug)]
pub struct Bearing {
    /// Whose it is.
    pub user_id: UserId,
    /// The session that it lives and ends with.
    pub session_id: SessionId,
    /// Its own name.
    pub jti: Box<str>,
    /// What it may.
    pub scopes: Scopes,
    /// When it was signed, in seconds since 1970.
    pub issued_at: u64,
    /// Before this second it is void.
    pub not_before: u64,
    /// From this second on it is.
    pub expires_at: u64,
    /// Its user's address, and when that was read: it is no claim, since it changes and others read the token.
    pub(crate) address: Mutex<Option<(EmailAddress, Instant)>>,
}

impl Bearing {
    /// Its user's address, if that was read within the last second.
    pub fn fresh_address(&self) -> Option<EmailAddress> {
        let address = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        address.as_ref().filter(|(_, at)| at.elapsed() < ADDRESS_LIFETIME).map(|(address, _)| address.clone())
    }

    /// Keeps its user's address, just read.
    pub fn keep_address(&self, address: EmailAddress) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, Instant::now()));
    }
}

impl AccessTokens {
    /// With keys derived from the key base.
    ///
    /// # Errors
    /// The cryptography that is installed in this process cannot do what is asked of it.
    pub fn open(keys: &Keys, settings: &Settings) -> Result<Self> {
        let ring = KeyRing::new(keys, &settings.tokens, settings.issuer(), settings.audience())?;
        Ok(Self { ring })
    }

    /// Signs one.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn mint(&self, _minting: &Minting<'_>) -> Result<String> {
        Err(Error::internal("not built yet"))
    }

    /// What a token says, if it is ours, good now, and neither it nor its session was ended before its time.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenExpired`], and [`Error::Unavailable`] when nobody can tell whether it was
    /// ended.
    pub fn verify(&self, _database: &Database, _token: &str, _now: Timestamp) -> Result<Arc<Bearing>> {
        Err(Error::TokenInvalid)
    }

    /// The public keys as a JSON Web Key Set, the current one first.
    pub fn jwks(&self) -> &str {
        self.ring.jwks()
    }
}
