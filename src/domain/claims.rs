//! Claims: what access tokens, `/v1/verify` and introspection report about a user beside the id.
//!
//! # Threats
//! - a claim that services take for the server's own: names of registered claims, and those that identify a user, are
//!   refused in any case of letters, because some JSON libraries ignore it
//! - tokens and headers that proxies refuse as too long: all claims of a user together have at most 1024 bytes
//! - a claim left out for lack of room, which a service might take for a permission: too many bytes are an error

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::{Error, Result};
use super::user::User;

/// Names with a meaning of their own: in JWTs (RFC 7519, 8693, 9068), in OpenID Connect, and in an introspection.
const RESERVED: &[&str] = &[
    "acr",
    "act",
    "active",
    "alg",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "credential",
    "crit",
    "email",
    "email_verified",
    "exp",
    "iat",
    "iss",
    "jti",
    "kid",
    "may_act",
    "metadata",
    "nbf",
    "nonce",
    "preferred_username",
    "scope",
    "scp",
    "sid",
    "sub",
    "sub_id",
    "token_type",
    "typ",
    "username",
];

/// The claim that is not a member of the metadata.
const ROLE: &str = "role";

/// Claims by name, with at most [`Claims::MAX_BYTES`] bytes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// The most bytes of all claims of a user, as JSON without white space.
    pub const MAX_BYTES: usize = 1024;
    /// The longest name.
    const MAX_NAME: usize = 32;

    /// Whether a claim may have this name: a letter, then letters, digits and underscores.
    pub fn is_name(name: &str) -> bool {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= Self::MAX_NAME
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !RESERVED
                .iter()
                .any(|reserved| reserved.eq_ignore_ascii_case(name))
    }

    /// The members of the user's metadata with these names, and `role` if it is among them.
    ///
    /// # Errors
    /// [`Error::Internal`] if the database holds metadata that is not a JSON object.
    pub fn of(user: &User, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let metadata: Map<String, Value> =
            serde_json::from_str(user.metadata.as_str()).map_err(Error::internal)?;
        let mut claims: Map<String, Value> = metadata
            .into_iter()
            .filter(|(name, _)| name != ROLE && names.contains(name))
            .collect();
        if names.iter().any(|name| name == ROLE) {
            claims.insert(ROLE.to_owned(), user.role.as_str().into());
        }
        Ok(Self(claims))
    }

    /// Sets a claim, in place of another of the same name.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are within [`Claims::MAX_BYTES`].
    pub fn fit(&self) -> bool {
        self.is_empty() || serde_json::to_vec(self).is_ok_and(|text| text.len() <= Self::MAX_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_have_plain_names_that_mean_nothing_else() {
        for name in ["plan", "role", "tenantId", "a", "x_1", &"a".repeat(32)] {
            assert!(Claims::is_name(name), "{name}");
        }
        let plain = ["", "1a", "_a", "two words", "a.b", "é", "a\n", "a-b"];
        for name in plain.iter().chain(RESERVED) {
            assert!(!Claims::is_name(name), "{name}");
        }
        for name in ["Exp", "SUB", "Email_Verified", &"a".repeat(33)] {
            assert!(!Claims::is_name(name), "{name}");
        }
    }

    #[test]
    fn claims_fit_1024_bytes() {
        let of = |length: usize| {
            let mut claims = Claims::default();
            claims.set("a", json!("x".repeat(length)));
            claims.fit()
        };
        assert!(of(1016));
        assert!(!of(1017));
    }
}
