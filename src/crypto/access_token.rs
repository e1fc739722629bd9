//! Access tokens: short-lived, verified without the database, and refused all the same once their session has ended.
//!
//! Everyone who presents one takes the same steps: the text is one of ours, or was a moment ago; its time has come and
//! has not passed; nobody has ended it. The first is remembered, the other two are asked each time.

mod signature_cache;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::config::Settings;
use crate::crypto::jwt::{self, Claims, JwtKeys};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{EmailAddress, SessionId, UserId};
use signature_cache::SignatureCache;

/// How long an address that was read may be said again.
const ADDRESS_HOLDS: Duration = Duration::from_secs(1);

/// What mints access tokens and takes them back.
pub struct AccessTokens {
    ring: JwtKeys,
    signatures: SignatureCache,
    jwks_version: String,
}

/// What an access token is to be made of.
#[derive(Clone, Copy, Debug)]
pub struct NewAccessToken<'m> {
    /// For whom it acts.
    pub user_id: UserId,
    /// With which session it ends.
    pub session_id: SessionId,
    /// What it may do.
    pub scopes: &'m Scopes,
    /// Its own name, 32 hex digits, never the same twice.
    pub jti: &'m str,
    /// From when on it is good, cut to the second.
    pub issued_at: Timestamp,
    /// From when on it is void, cut to the second.
    pub expires_at: Timestamp,
}

/// What a token that is good says of its bearer.
pub struct AccessTokenClaims {
    /// For whom it acts.
    pub user_id: UserId,
    /// With which session it ends.
    pub session_id: SessionId,
    /// Its own name.
    pub jti: Box<str>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made, in seconds since 1970.
    pub issued_at: u64,
    /// Void before, in seconds since 1970.
    pub not_before: u64,
    /// Void from then on, in seconds since 1970.
    pub expires_at: u64,
    address: Mutex<Option<KnownAddress>>,
}

/// An address as it was read.
struct KnownAddress {
    address: EmailAddress,
    is_confirmed: bool,
    read_at: Instant,
}

impl AccessTokens {
    /// Derives the keys.
    ///
    /// # Errors
    /// As [`JwtKeys::new`].
    pub fn open(keys: &KeyRing, settings: &Settings) -> Result<Self> {
        let ring = JwtKeys::new(
            keys,
            &settings.tokens,
            settings.issuer(),
            settings.audience(),
        )?;
        let jwks_version = Sha256::digest(ring.jwks())
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            ring,
            signatures: SignatureCache::new(),
            jwks_version,
        })
    }

    /// A new token.
    pub fn mint(&self, minting: &NewAccessToken<'_>) -> Result<String> {
        let issued_at = seconds(minting.issued_at);
        self.ring.sign(&Claims {
            user_id: minting.user_id,
            session_id: minting.session_id,
            scopes: minting.scopes.clone(),
            jti: minting.jti.to_owned(),
            issued_at,
            not_before: issued_at,
            expires_at: seconds(minting.expires_at),
        })
    }

    /// The claims of a token of this server within its validity. Whether it was revoked is a question for the database:
    /// [`Context::verify_access_token`](crate::context::Context::verify_access_token).
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], [`Error::TokenExpired`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<AccessTokenClaims>> {
        let claims = self.read(token).ok_or(Error::TokenInvalid)?;
        if now < moment(claims.not_before) {
            return Err(Error::TokenInvalid);
        }
        if now >= moment(claims.expires_at) {
            return Err(Error::TokenExpired);
        }
        Ok(claims)
    }

    /// The public keys as a JWK set, the current one first.
    pub fn jwks(&self) -> &str {
        self.ring.jwks()
    }

    /// 16 hex digits that change when [`Self::jwks`] does.
    pub fn jwks_version(&self) -> &str {
        &self.jwks_version
    }

    /// What a token says that is ours, whether its time has come or has passed and whoever has ended it.
    pub(crate) fn read(&self, token: &str) -> Option<Arc<AccessTokenClaims>> {
        if token.len() > jwt::LONGEST {
            return None;
        }
        let name = SignatureCache::name(token);
        if let Some(known) = self.signatures.get(&name) {
            return Some(known);
        }
        let claims = Arc::new(AccessTokenClaims::from(self.ring.verify(token)?));
        self.signatures.insert(name, Arc::clone(&claims));
        Some(claims)
    }
}

impl AccessTokenClaims {
    /// The address of its user, and whether that is confirmed, if they were read within the last second.
    pub fn fresh_address(&self, now: Instant) -> Option<(EmailAddress, bool)> {
        let known = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known
            .as_ref()
            .filter(|known| now.saturating_duration_since(known.read_at) < ADDRESS_HOLDS)?;
        Some((known.address.clone(), known.is_confirmed))
    }

    /// Keeps the address of its user, and whether that is confirmed, read just now.
    pub fn keep_address(&self, address: EmailAddress, is_confirmed: bool, now: Instant) {
        let known = KnownAddress {
            address,
            is_confirmed,
            read_at: now,
        };
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

impl From<Claims> for AccessTokenClaims {
    fn from(claims: Claims) -> Self {
        Self {
            user_id: claims.user_id,
            session_id: claims.session_id,
            jti: claims.jti.into(),
            scopes: claims.scopes,
            issued_at: claims.issued_at,
            not_before: claims.not_before,
            expires_at: claims.expires_at,
            address: Mutex::new(None),
        }
    }
}

/// Without the address.
impl fmt::Debug for AccessTokenClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenClaims")
            .field("user_id", &self.user_id)
            .field("session_id", &self.session_id)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn seconds(at: Timestamp) -> u64 {
    at.since(Timestamp::from_millis(0)).as_secs()
}

fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0) + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Secret};
    use crate::domain::clock::Clock;

    pub(super) fn claims() -> Arc<AccessTokenClaims> {
        Arc::new(AccessTokenClaims::from(Claims {
            user_id: UserId(1),
            session_id: SessionId(1),
            scopes: Scopes::default(),
            jti: "0".repeat(32),
            issued_at: 0,
            not_before: 0,
            expires_at: 1,
        }))
    }

    #[test]
    fn a_cached_signature_does_not_skip_the_check_of_times() {
        let settings = Settings::for_env(Environment::Test).unwrap();
        let key_ring = KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let access = AccessTokens::open(&key_ring, &settings).unwrap();
        let verify = |millis| access.verify("not.a.token", Timestamp::from_millis(millis));
        assert!(matches!(verify(500), Err(Error::TokenInvalid)));
        access
            .signatures
            .insert(SignatureCache::name("not.a.token"), claims());
        assert_eq!(verify(999).unwrap().user_id, UserId(1));
        assert!(matches!(verify(-1), Err(Error::TokenInvalid)));
        assert!(matches!(verify(1000), Err(Error::TokenExpired)));
    }

    #[test]
    fn email_address_is_cached_for_a_second() {
        let claims = claims();
        let now = Clock::System.monotonic();
        assert_eq!(claims.fresh_address(now), None);
        let address = EmailAddress::parse("one@example.com").unwrap();
        claims.keep_address(address.clone(), true, now);
        assert_eq!(claims.fresh_address(now), Some((address, true)));
        assert_eq!(claims.fresh_address(now + ADDRESS_HOLDS), None);
    }
}
