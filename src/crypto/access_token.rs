//! Access tokens: short-lived and verified without the database.
//!
//! [`AccessTokens::verify`] checks form, signature and claims, whose result is cached, and the times, which are checked
//! on every request. Whether a token was revoked is a question to the database, which
//! [`Context::verify_access_token`](crate::context::Context::verify_access_token) asks.

mod signature_cache;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

use crate::config::Settings;
use crate::crypto::hex;
use crate::crypto::jwt::{self, JwtKeys};
pub use crate::crypto::jwt::{AccessTokenClaims, NewAccessToken};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Claims, EmailAddress};
use signature_cache::SignatureCache;

/// How long what was read of a token's user is reused.
const USER_TTL: Duration = Duration::from_secs(1);

/// Issues and verifies access tokens.
pub struct AccessTokens {
    keys: JwtKeys,
    signatures: SignatureCache,
}

/// An access token whose signature and claims are valid. Requests that present the same token share it.
pub struct VerifiedAccessToken {
    claims: AccessTokenClaims,
    /// When the key that signed it stops to verify; `None` for the current one.
    key_until: Option<Timestamp>,
    is_bound: AtomicBool,
    user: Mutex<Option<(KnownUser, Instant)>>,
}

/// What `/v1/verify` reports of a token's user.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownUser {
    /// The address.
    pub address: EmailAddress,
    /// Whether it is verified.
    pub is_confirmed: bool,
    /// The claims.
    pub claims: Claims,
}

impl AccessTokens {
    /// Derives the keys.
    pub fn open(key_ring: &KeyRing, settings: &Settings) -> Result<Self> {
        let keys = JwtKeys::new(
            key_ring,
            settings.tokens.algorithm,
            settings.issuer(),
            settings.audience(),
            &settings.tokens.audiences,
            settings.tokens.access_lifetime,
        )?;
        Ok(Self {
            keys,
            signatures: SignatureCache::new(),
        })
    }

    /// Signs a new token.
    pub fn mint(&self, new: &NewAccessToken<'_>) -> Result<String> {
        self.keys.sign(new)
    }

    /// The claims of a token for this server that is valid now, unless it was revoked.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`], also before its time or for another audience; [`Error::TokenExpired`] after its time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedAccessToken>> {
        let verified = self.read(token).filter(|token| token.audience.is_none());
        check_time(verified, now)
    }

    /// As [`Self::verify`], for any audience: to describe the token, not to act for its bearer.
    ///
    /// # Errors
    /// Those of [`Self::verify`], but for the audience.
    pub fn verify_for_any_audience(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<VerifiedAccessToken>> {
        check_time(self.read(token), now)
    }

    /// The public keys that verify now, as a JWK set with the current one first; and 16 hex digits that change with it.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn jwks(&self, now: Timestamp) -> Result<(String, String)> {
        let set = self.keys.jwks(now)?;
        let version = hex(&digest(&SHA256, set.as_bytes()).as_ref()[..8]);
        Ok((set, version))
    }

    /// The claims of a token with a valid signature, whatever its time and audience.
    pub(crate) fn read(&self, token: &str) -> Option<Arc<VerifiedAccessToken>> {
        if token.len() > jwt::MAX_LENGTH {
            return None;
        }
        let key = SignatureCache::key(token);
        if let Some(cached) = self.signatures.get(&key) {
            return Some(cached);
        }
        let signed = self.keys.verify(token)?;
        let verified = Arc::new(VerifiedAccessToken::new(signed.claims, signed.key_until));
        self.signatures.insert(key, Arc::clone(&verified));
        Some(verified)
    }
}

fn check_time(
    verified: Option<Arc<VerifiedAccessToken>>,
    now: Timestamp,
) -> Result<Arc<VerifiedAccessToken>> {
    let verified = verified.ok_or(Error::TokenInvalid)?;
    if now < verified.valid_from() {
        Err(Error::TokenInvalid)
    } else if now >= verified.valid_until() || verified.key_until.is_some_and(|until| now >= until)
    {
        Err(Error::TokenExpired)
    } else {
        Ok(verified)
    }
}

impl VerifiedAccessToken {
    fn new(claims: AccessTokenClaims, key_until: Option<Timestamp>) -> Self {
        Self {
            claims,
            key_until,
            is_bound: AtomicBool::new(false),
            user: Mutex::new(None),
        }
    }

    /// Whether its session and user were found in the database with its nonce. Both go together, and the list of revoked
    /// tokens has the end of the session, so that one look is enough.
    pub fn is_bound(&self) -> bool {
        self.is_bound.load(Ordering::Relaxed)
    }

    /// Remembers that they were found.
    pub fn note_bound(&self) {
        self.is_bound.store(true, Ordering::Relaxed);
    }

    /// What was read of the user within the last second before `now`.
    pub fn cached_user(&self, now: Instant) -> Option<KnownUser> {
        let cached = self.user.lock();
        let (user, _) = cached
            .as_ref()
            .filter(|(_, read_at)| now.saturating_duration_since(*read_at) < USER_TTL)?;
        Some(user.clone())
    }

    /// Keeps what was read of the user at `now`.
    pub fn cache_user(&self, user: KnownUser, now: Instant) {
        *self.user.lock() = Some((user, now));
    }
}

impl Deref for VerifiedAccessToken {
    type Target = AccessTokenClaims;

    fn deref(&self) -> &AccessTokenClaims {
        &self.claims
    }
}

/// Omits the user.
impl fmt::Debug for VerifiedAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.claims.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Secret};
    use crate::domain::clock::Clock;
    use crate::domain::scope::Scopes;
    use crate::domain::{AuthMethods, SessionId, UserId};

    pub(super) fn verified() -> Arc<VerifiedAccessToken> {
        let claims = AccessTokenClaims {
            user_id: UserId(1),
            session_id: SessionId(1),
            session_nonce: "".into(),
            audience: None,
            scopes: Scopes::default(),
            auth_methods: AuthMethods::default(),
            authenticated_at: 0,
            jti: "0".repeat(32).into(),
            issued_at: 0,
            not_before: 0,
            expires_at: 1,
        };
        Arc::new(VerifiedAccessToken::new(claims, None))
    }

    #[test]
    fn a_cached_signature_does_not_skip_the_check_of_times() {
        let settings = Settings::for_env(Environment::Test).unwrap();
        let key_ring = KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let access_tokens = AccessTokens::open(&key_ring, &settings).unwrap();
        let verify = |millis| access_tokens.verify("not.a.token", Timestamp::from_millis(millis));
        assert!(matches!(verify(500), Err(Error::TokenInvalid)));
        access_tokens
            .signatures
            .insert(SignatureCache::key("not.a.token"), verified());
        assert_eq!(verify(999).unwrap().user_id, UserId(1));
        assert!(matches!(verify(-1), Err(Error::TokenInvalid)));
        assert!(matches!(verify(1000), Err(Error::TokenExpired)));
    }

    fn known_user() -> KnownUser {
        KnownUser {
            address: EmailAddress::parse("one@example.com").unwrap(),
            is_confirmed: true,
            claims: Claims::default(),
        }
    }

    #[test]
    fn email_address_is_cached_for_a_second() {
        let (token, clock) = (verified(), Clock::manual(Timestamp::from_millis(0)));
        assert_eq!(token.cached_user(clock.monotonic()), None);
        token.cache_user(known_user(), clock.monotonic());
        clock.advance(USER_TTL - Duration::from_millis(1));
        assert_eq!(token.cached_user(clock.monotonic()), Some(known_user()));
        clock.advance(Duration::from_millis(1));
        assert_eq!(token.cached_user(clock.monotonic()), None);
    }

    #[test]
    fn printing_a_verified_token_shows_claims_without_address() {
        let (token, clock) = (verified(), Clock::manual(Timestamp::from_millis(0)));
        token.cache_user(known_user(), clock.monotonic());
        let printed = format!("{token:?}");
        assert!(printed.contains("issued_at"), "{printed}");
        assert!(!printed.contains("example.com"), "{printed}");
    }

    #[test]
    fn a_token_above_the_largest_length_is_refused_although_cached() {
        let settings = Settings::for_env(Environment::Test).unwrap();
        let key_ring = KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let access_tokens = AccessTokens::open(&key_ring, &settings).unwrap();
        for (length, expected) in [(jwt::MAX_LENGTH, true), (jwt::MAX_LENGTH + 1, false)] {
            let token = "t".repeat(length);
            let key = SignatureCache::key(&token);
            access_tokens.signatures.insert(key, verified());
            assert_eq!(access_tokens.read(&token).is_some(), expected, "{length}");
        }
    }
}
