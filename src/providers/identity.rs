//! What a connector returns.

use serde::{Deserialize, Serialize};

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
    /// The name: one line.
    pub name: Option<String>,
}

impl Identity {
    /// The address, if it counts as verified.
    pub fn verified_address(&self) -> Option<EmailAddress> {
        let text = self.email.as_deref().filter(|_| self.email_verified)?;
        EmailAddress::parse(text).ok()
    }
}
