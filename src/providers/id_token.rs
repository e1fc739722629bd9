//! The ID token, checked claim by claim (OpenID Connect Core 1.0, 3.1.3.7).

use std::time::Duration;

use serde::Deserialize;

use super::claims::StatedClaims;
use super::issuer::Issuer;
use super::refusal::Refusal;
use crate::crypto::jws::{Algorithm, JwsError};
use crate::domain::clock::Timestamp;

/// The longest token that is read, in bytes.
pub(super) const MAX_LENGTH: usize = 16 * 1024;
/// How far apart the clocks may be.
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest subject (OpenID Connect Core 1.0, 2).
const LONGEST_SUBJECT: usize = 255;

/// What a token must state.
pub(super) struct Expected<'e> {
    pub issuer: &'e Issuer,
    pub client_id: &'e str,
    pub nonce: &'e str,
    pub access_token: &'e str,
    pub now: Timestamp,
}

/// What a token states.
#[derive(Debug, Deserialize)]
pub(super) struct IdToken {
    pub iss: String,
    pub sub: String,
    aud: Audience,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    azp: Option<String>,
    at_hash: Option<String>,
    #[serde(flatten)]
    pub claims: StatedClaims,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, client_id: &str) -> bool {
        match self {
            Self::One(name) => name == client_id,
            Self::Several(names) => names.iter().any(|name| name == client_id),
        }
    }

    fn is_several(&self) -> bool {
        matches!(self, Self::Several(names) if names.len() > 1)
    }
}

impl IdToken {
    /// Reads the payload of a token whose signature was verified, and checks each claim.
    ///
    /// # Errors
    /// The first fault.
    pub(super) fn read(
        payload: &[u8],
        algorithm: Algorithm,
        expected: &Expected<'_>,
    ) -> Result<Self, Refusal> {
        let token: Self = serde_json::from_slice(payload).map_err(|_| Refusal::IdTokenMalformed)?;
        let now = expected.now.as_millis() as f64 / 1000.0;
        let leeway = LEEWAY.as_secs_f64();
        let is_subject = (1..=LONGEST_SUBJECT).contains(&token.sub.len())
            && !token.sub.contains(char::is_control);
        let party = token.azp.as_deref();
        let hash = token.at_hash.as_deref();
        let faults = [
            (!is_subject, Refusal::IdTokenMalformed),
            (!expected.issuer.is(&token.iss), Refusal::IdTokenIssuer),
            (
                !token.aud.names(expected.client_id) || (token.aud.is_several() && party.is_none()),
                Refusal::IdTokenAudience,
            ),
            (
                party.is_some_and(|party| party != expected.client_id),
                Refusal::IdTokenParty,
            ),
            (now >= token.exp + leeway, Refusal::IdTokenExpired),
            (
                token.iat.max(token.nbf.unwrap_or(token.iat)) > now + leeway,
                Refusal::IdTokenFuture,
            ),
            (
                token.nonce.as_deref() != Some(expected.nonce),
                Refusal::IdTokenNonce,
            ),
            (
                hash.is_some_and(|hash| hash != algorithm.half_hash(expected.access_token)),
                Refusal::AccessTokenMismatch,
            ),
        ];
        match faults.into_iter().find(|(is_fault, _)| *is_fault) {
            Some((_, refusal)) => Err(refusal),
            None => Ok(token),
        }
    }
}

impl From<JwsError> for Refusal {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed => Self::IdTokenMalformed,
            JwsError::Algorithm => Self::IdTokenAlgorithm,
            JwsError::UnknownKey => Self::IdTokenKey,
            JwsError::Signature => Self::IdTokenSignature,
        }
    }
}
