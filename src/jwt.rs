//! JSON Web Tokens (RFC 7519): the keys that sign and verify them, each pinned to one algorithm, and what a token says.

use serde::{Deserialize, Serialize};

use crate::config;
use crate::error::{Error, Result};
use crate::keys::Keys;

/// What a token says. All of it is there, of exactly these types, and nothing else is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// The user's id, in digits.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// From this second on it is void.
    pub exp: u64,
    /// Before this second it is.
    pub nbf: u64,
    /// When it was signed.
    pub iat: u64,
    /// Its own name: 32 hexadecimal digits.
    pub jti: String,
    /// The session's id, in digits.
    pub sid: String,
    /// What it may, with a space between words.
    pub scope: String,
}

/// The keys of the current key base and of the previous ones.
pub struct KeyRing {
    jwks: String,
}

impl KeyRing {
    /// Derives them.
    ///
    /// # Errors
    /// The cryptography that is installed in this process cannot do what is asked of it.
    pub fn new(_keys: &Keys, _settings: &config::Tokens, _issuer: &str, _audience: &str) -> Result<Self> {
        Ok(Self { jwks: r#"{"keys":[]}"#.to_owned() })
    }

    /// Signs with the current key.
    ///
    /// # Errors
    /// A fault of ours.
    pub fn sign(&self, _claims: &Claims) -> Result<String> {
        Err(Error::internal("not built yet"))
    }

    /// What a token says, if its form, signature, issuer and audience are right. Its time is not looked at.
    pub fn verify(&self, _token: &str) -> Option<Claims> {
        None
    }

    /// The public keys as a JSON Web Key Set, the current one first.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }
}
