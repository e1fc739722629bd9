//! Signing and verifying access tokens as JSON Web Tokens (RFC 7519, RFC 9068, RFC 8725), with ring.
//!
//! Covers everything that never changes about a token: its form, its signature and its claims. Times are checked by
//! [`access_token`](crate::crypto::access_token), revocation by the caller.
//!
//! # Threats
//! - algorithm confusion: the key id alone selects key and algorithm; `alg` must equal that key's
//! - a header that names keys or extensions (`jku`, `jwk`, `x5u`, `crit`): any member but `typ`, `alg`, `kid` is refused
//! - claims of another type, missing or repeated: refused, and so are names that no claim of a user has
//! - timing of the comparison of a MAC: ring compares in constant time
//! - a token for one service that is used at another, or here: the audience is part of the claims, one of those that are
//!   configured, and [`access_token`](crate::crypto::access_token) refuses all but ours
//! - large input: tokens above [`MAX_LENGTH`] are not decoded

mod claims;
mod keys;

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::config;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use claims::Payload;
pub use claims::{AccessTokenClaims, NewAccessToken};
use keys::{Jwk, JwtKey};

/// The type of an access token (RFC 9068, 2.1).
const TYP: &str = "at+jwt";
/// The longest token that is verified, in bytes. Tokens have about 600, and more with many scopes and claims.
pub(crate) const MAX_LENGTH: usize = 6144;

/// The header, with exactly these members.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'t> {
    typ: &'t str,
    alg: &'t str,
    kid: &'t str,
}

/// The key that signs, and the keys that verify: those of both algorithms, derived from the current and each previous
/// key base.
pub struct JwtKeys {
    signing: JwtKey,
    /// Each with the time when it stops to verify; `None` for the current one.
    verifying: Vec<(JwtKey, Option<Timestamp>)>,
    issuer: String,
    audience: String,
    other_audiences: Vec<String>,
}

/// A token with a valid signature.
#[derive(Debug)]
pub struct SignedToken {
    /// Its claims.
    pub claims: AccessTokenClaims,
    /// When its key stops to verify; `None` for the current one.
    pub key_until: Option<Timestamp>,
}

impl JwtKeys {
    /// Derives the keys, for tokens of this lifetime.
    pub fn new(
        key_ring: &KeyRing,
        algorithm: config::Algorithm,
        issuer: &str,
        audience: &str,
        other_audiences: &[String],
        lifetime: Duration,
    ) -> Result<Self> {
        let names = key_ring.verifying(Purpose::AccessTokenHs256Name);
        let secrets = key_ring.verifying(Purpose::AccessTokenHs256);
        let mut verifying = key_ring
            .verifying(Purpose::AccessTokenEd25519)
            .map(|seed| Ok((JwtKey::ed25519(&seed.key)?, seed.verifies_until(lifetime))))
            .collect::<Result<Vec<_>>>()?;
        verifying.extend(secrets.zip(names).map(|(key, name)| {
            let until = key.verifies_until(lifetime);
            (JwtKey::hs256(&key.key, &name.key), until)
        }));
        Ok(Self {
            signing: match algorithm {
                config::Algorithm::EdDsa => {
                    JwtKey::ed25519(&key_ring.signing(Purpose::AccessTokenEd25519))?
                }
                config::Algorithm::Hs256 => JwtKey::hs256(
                    &key_ring.signing(Purpose::AccessTokenHs256),
                    &key_ring.signing(Purpose::AccessTokenHs256Name),
                ),
            },
            verifying,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            other_audiences: other_audiences.to_vec(),
        })
    }

    /// Signs a new token.
    pub fn sign(&self, new: &NewAccessToken<'_>) -> Result<String> {
        let header = Header {
            typ: TYP,
            alg: self.signing.alg(),
            kid: self.signing.kid(),
        };
        let payload = Payload::new(new, &self.issuer, &self.audience);
        let mut token = format!("{}.{}", encode(&header)?, encode(&payload)?);
        let signature = self.signing.sign(token.as_bytes());
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// A token that one of these keys has signed for this issuer and any of the audiences; `None` for any other text. The
    /// token may be expired, not valid yet, or revoked.
    pub fn verify(&self, token: &str) -> Option<SignedToken> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = decode(header)?;
        let header: Header<'_> = serde_json::from_slice(&header).ok()?;
        let mut keys = self.verifying.iter();
        let (key, until) = keys.find(|(key, _)| key.kid() == header.kid)?;
        if header.typ != TYP || header.alg != key.alg() {
            return None;
        }
        if !key.verify(message.as_bytes(), &decode(signature)?) {
            return None;
        }
        let payload: Payload = serde_json::from_slice(&decode(payload)?).ok()?;
        if payload.iss != self.issuer {
            return None;
        }
        let audience = match payload.aud == self.audience {
            true => None,
            false => Some(
                self.other_audiences
                    .iter()
                    .find(|name| **name == payload.aud)?,
            ),
        };
        Some(SignedToken {
            claims: AccessTokenClaims::from_payload(payload, audience.map(String::as_str))?,
            key_until: *until,
        })
    }

    /// The public keys as a JWK set (RFC 7517, 5), the current one first, without those that verify no more.
    pub fn jwks(&self, now: Timestamp) -> Result<String> {
        let mut known = HashSet::new();
        let keys = self.verifying.iter();
        let keys = keys
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            // An interrupted rotation lists the current base as a previous one, too.
            .filter(|(key, _)| known.insert(key.kid()))
            .filter_map(|(key, _)| key.jwk())
            .collect();
        serde_json::to_string(&JwkSet { keys }).map_err(Error::internal)
    }
}

/// The keys that verify access tokens (RFC 7517, 5).
#[derive(Serialize, ToSchema)]
#[schema(as = KeySet)]
pub struct JwkSet<'k> {
    /// The current one first, then the previous ones.
    keys: Vec<Jwk<'k>>,
}

fn encode(part: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(part).map_err(Error::internal)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(json))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Algorithm, Secret};
    use crate::domain::scope::Scopes;
    use crate::domain::{AuthMethods, Claims, UserId};

    #[test]
    fn a_token_above_the_largest_length_is_refused() {
        let key_ring = KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let mut lengths = HashSet::new();
        for letters in 4200..4500 {
            let issuer = "i".repeat(letters);
            let keys = JwtKeys::new(
                &key_ring,
                Algorithm::EdDsa,
                &issuer,
                "audience",
                &[],
                Duration::ZERO,
            )
            .unwrap();
            let token = keys
                .sign(&NewAccessToken {
                    auth_methods: &AuthMethods::default(),
                    authenticated_at: Timestamp::from_millis(0),
                    audience: None,
                    user_id: UserId(1),
                    sid: "1",
                    scopes: &Scopes::default(),
                    claims: &Claims::default(),
                    jti: &"0".repeat(32),
                    issued_at: Timestamp::from_millis(0),
                    expires_at: Timestamp::from_millis(1000),
                })
                .unwrap();
            let length = token.len();
            lengths.insert(length);
            assert_eq!(
                keys.verify(&token).is_some(),
                length <= MAX_LENGTH,
                "{length}"
            );
        }
        assert!(lengths.contains(&MAX_LENGTH), "no token had this length");
    }
}
