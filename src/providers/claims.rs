//! What a provider states about a user, in an ID token or by UserInfo. The types are strict: a text in place of a truth
//! value, or a list in place of a text, is refused, and not interpreted.

use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;
use crate::domain::EmailAddress;
use crate::domain::one_line;

/// The claims as they came.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StatedClaims {
    email: Option<Value>,
    email_verified: Option<Value>,
    name: Option<Value>,
}

/// The claims that count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
}

impl StatedClaims {
    /// Whether there is an address among them.
    pub(super) fn has_email(&self) -> bool {
        self.email.is_some()
    }

    /// Checks them.
    ///
    /// # Errors
    /// [`Refusal::ClaimsInvalid`] and [`Refusal::EmailInvalid`].
    pub(super) fn check(&self) -> Result<Claims, Refusal> {
        let email = text(self.email.as_ref())?
            .map(EmailAddress::parse)
            .transpose()
            .map_err(|_| Refusal::EmailInvalid)?
            .map(|address| address.as_str().to_owned());
        let email_verified = match &self.email_verified {
            None => false,
            Some(Value::Bool(verified)) => *verified,
            Some(_) => return Err(Refusal::ClaimsInvalid),
        };
        // A name that cannot be used is no reason to refuse its user.
        let name = text(self.name.as_ref())?
            .and_then(|name| one_line::parse_required("name", name).ok())
            .map(str::to_owned);
        Ok(Claims {
            email,
            email_verified,
            name,
        })
    }
}

fn text(claim: Option<&Value>) -> Result<Option<&str>, Refusal> {
    match claim {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::ClaimsInvalid),
    }
}
