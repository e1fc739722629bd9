//! What a connector returns.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::EmailAddress;

/// Who a user is at a provider, as the provider states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The issuer.
    pub issuer: String,
    /// The user there. Only with the issuer it identifies a user.
    pub subject: String,
    /// The address, in the form of [`EmailAddress`].
    pub email: Option<String>,
    /// Whether the address counts as verified.
    pub email_verified: bool,
    /// Whether the provider gives out addresses of this domain, so that the user owns it.
    #[serde(default)]
    pub is_authoritative: bool,
    /// The name: one line.
    pub name: Option<String>,
    /// What is kept in the profile of a new user.
    #[serde(default)]
    pub profile: Map<String, Value>,
    /// What is kept in the metadata; `null` removes what the provider no longer states.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl Identity {
    /// The address, if it counts as verified.
    pub fn verified_address(&self) -> Option<EmailAddress> {
        let text = self.email.as_deref().filter(|_| self.email_verified)?;
        EmailAddress::parse(text).ok()
    }
}
