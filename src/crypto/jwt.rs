//! Access tokens as text: JSON Web Tokens (RFC 7519) in the manner of RFC 9068, with the advice of RFC 8725.
//!
//! What is feared is a token that is believed for what it says of itself. So its header may name three things and no
//! other, one of our keys among them, and that name alone decides the algorithm and the key. Every claim is there, once
//! and of its own type, or the token is none. The time, and whether its session has ended, are for
//! [`access_tokens`](crate::crypto::access_token).

mod keys;
mod provider;

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

use crate::config;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{SessionId, UserId};
use keys::{Ed25519, Hs256, SigningKey, VerifyingKey};

/// What the header says a token of ours is (RFC 9068, 2.1).
const TYP: &str = "at+jwt";
/// Bytes of the longest token that is looked at; ours have some 600, and more with many scopes.
pub(crate) const LONGEST: usize = 4096;

/// What a token says, but for who issued it and for whom: those are the same for all of ours. Times are whole seconds
/// since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// `sub`: for whom it acts.
    pub user_id: UserId,
    /// `sid`: with which session it ends.
    pub session_id: SessionId,
    /// `scope`: what it may do.
    pub scopes: Scopes,
    /// `jti`: its own name, 32 hex digits.
    pub jti: String,
    /// `iat`.
    pub issued_at: u64,
    /// `nbf`: void before.
    pub not_before: u64,
    /// `exp`: void from then on.
    pub expires_at: u64,
}

/// The claims as they are written. Another one, one that is missing and one of another type make it none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    sid: String,
    scope: String,
}

/// The header, with no other member: no `jku`, `jwk`, `x5u` or `crit` reaches anybody who would follow it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'t> {
    typ: &'t str,
    alg: Algorithm,
    kid: &'t str,
}

/// The keys: one signs, and all that are derived from a base that is not dropped verify.
pub struct JwtKeys {
    signing: SigningKey,
    verifying: Vec<VerifyingKey>,
    issuer: String,
    audience: String,
    jwks: String,
}

impl JwtKeys {
    /// Derives them, and tries the one that signs.
    ///
    /// # Errors
    /// The process has another provider of `jsonwebtoken`'s cryptography, and that one lacks the algorithm.
    pub fn new(
        keys: &KeyRing,
        settings: &config::Tokens,
        issuer: &str,
        audience: &str,
    ) -> Result<Self> {
        provider::install();
        let rules = rules(issuer, audience);
        let pairs = keys
            .verifying(Purpose::AccessTokenEd25519)
            .map(|key| Ed25519::from_key(&key));
        let pairs: Vec<Ed25519> = pairs.collect::<Result<_>>()?;
        let names = keys.verifying(Purpose::AccessTokenHs256Name);
        let secrets = keys.verifying(Purpose::AccessTokenHs256).zip(names);
        let secrets: Vec<Hs256> = secrets.map(|(key, name)| Hs256 { key, name }).collect();

        let signing = match settings.algorithm {
            config::Algorithm::EdDsa => pairs.first().map(Ed25519::signing),
            config::Algorithm::Hs256 => secrets.first().map(Hs256::signing),
        };
        let pinned = pairs.iter().map(|pair| pair.verifying(&rules));
        let ring = Self {
            signing: signing.ok_or_else(|| Error::internal("there is no key to sign with"))?,
            verifying: pinned
                .chain(secrets.iter().map(|secret| secret.verifying(&rules)))
                .collect(),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            jwks: jwks(&pairs)?,
        };
        ring.try_out()?;
        Ok(ring)
    }

    /// Writes and signs a token.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let written = Written {
            iss: self.issuer.clone(),
            sub: claims.user_id.0.to_string(),
            aud: self.audience.clone(),
            exp: claims.expires_at,
            nbf: claims.not_before,
            iat: claims.issued_at,
            jti: claims.jti.clone(),
            sid: claims.session_id.0.to_string(),
            scope: claims.scopes.as_str().to_owned(),
        };
        jsonwebtoken::encode(&self.signing.header, &written, &self.signing.key)
            .map_err(Error::internal)
    }

    /// Reads a token that one of our keys has signed for this issuer and audience; `None` for all others. It may be
    /// past its time, or ended before it.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return None;
        }
        let (head, _) = token.split_once('.')?;
        let head = BASE64_URL_SAFE_NO_PAD.decode(head).ok()?;
        let header: Header<'_> = serde_json::from_slice(&head).ok()?;
        let pinned = self.verifying.iter().find(|key| key.kid == header.kid)?;
        if header.typ != TYP || header.alg != pinned.algorithm {
            return None;
        }
        let read = jsonwebtoken::decode::<Written>(token, &pinned.key, &pinned.rules).ok()?;
        Claims::from_written(read.claims)
    }

    /// The public keys as a JWK set (RFC 7517, 5), the current one first.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    fn try_out(&self) -> Result<()> {
        let (user_id, session_id) = (UserId(1), SessionId(1));
        let (jti, scopes) = ("0".repeat(32), Scopes::default());
        let claims = Claims {
            user_id,
            session_id,
            scopes,
            jti,
            issued_at: 0,
            not_before: 0,
            expires_at: 0,
        };
        match self.sign(&claims).map(|token| self.verify(&token)) {
            Ok(Some(read)) if read == claims => Ok(()),
            _ => Err(Error::internal(
                "access tokens cannot be signed: another CryptoProvider of jsonwebtoken is installed in this process",
            )),
        }
    }
}

impl Claims {
    fn from_written(written: Written) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if written.jti.len() != 32 || !written.jti.bytes().all(is_hex) {
            return None;
        }
        Some(Self {
            user_id: UserId(id(&written.sub)?),
            session_id: SessionId(id(&written.sid)?),
            scopes: Scopes::parse(&written.scope)?,
            jti: written.jti,
            issued_at: moment(written.iat)?,
            not_before: moment(written.nbf)?,
            expires_at: moment(written.exp)?,
        })
    }
}

/// Digits as we write them: no sign, no white space, no zero in front.
fn id(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|id: &i64| *id > 0 && id.to_string() == text)
}

/// Seconds that are also a number of milliseconds.
fn moment(seconds: u64) -> Option<u64> {
    i64::try_from(seconds)
        .ok()?
        .checked_mul(1000)
        .map(|_| seconds)
}

/// What the library looks at beside the signature. Not the time: ours is not always the system's.
fn rules(issuer: &str, audience: &str) -> Validation {
    let mut rules = Validation {
        validate_exp: false,
        validate_nbf: false,
        required_spec_claims: HashSet::from(["iss", "aud"].map(str::to_owned)),
        ..Validation::default()
    };
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[audience]);
    rules
}

fn jwks(pairs: &[Ed25519]) -> Result<String> {
    #[derive(Serialize)]
    struct Set {
        keys: Vec<keys::Jwk>,
    }
    let mut known = HashSet::new();
    // A rotation that was cut short lists the current base as a previous one, too.
    let keys = pairs
        .iter()
        .map(Ed25519::jwk)
        .filter(|jwk| known.insert(jwk.kid.clone()))
        .collect();
    serde_json::to_string(&Set { keys }).map_err(Error::internal)
}
