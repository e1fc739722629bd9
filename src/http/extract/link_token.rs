//! The token of a mailed link in a body, which reaches no log of URLs.

use serde::Deserialize;
use utoipa::ToSchema;

use super::body::SecretText;
use crate::domain::error::ValidationErrors;

/// A body that consists of the token of a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LinkInput {
    /// The token from the mailed link.
    #[schema(value_type = String)]
    token: SecretText,
}

impl LinkInput {
    /// The token, unless it is blank.
    ///
    /// # Errors
    /// The fault of the field.
    pub fn token(&self) -> Result<&str, ValidationErrors> {
        link_token(&self.token)
    }
}

/// The token in the field `token`, unless it is blank. Whether it is valid is the link's business.
///
/// # Errors
/// The fault of the field.
pub fn link_token(token: &SecretText) -> Result<&str, ValidationErrors> {
    let token = token.expose().trim();
    match token.is_empty() {
        true => Err(ValidationErrors::field("token", "can't be blank")),
        false => Ok(token),
    }
}
