//! The body of a request for a mail.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::EmailAddress;
use crate::domain::error::ValidationErrors;

/// The address that the mail goes to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AddressInput {
    #[schema(format = "email")]
    email_address: String,
}

impl AddressInput {
    /// The address, if it is well-formed.
    ///
    /// # Errors
    /// The fault of the field.
    pub fn parse(&self) -> Result<EmailAddress, ValidationErrors> {
        EmailAddress::parse(&self.email_address)
    }
}
