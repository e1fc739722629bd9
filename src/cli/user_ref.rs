//! The user that a command is about: an id or an email address.

use std::fmt;
use std::str::FromStr;

use super::CommandError;
use crate::domain::error::Result;
use crate::domain::{Account, EmailAddress, UserId};
use crate::store::Reader;
use crate::store::users;

/// As typed. Digits are an id: every address contains an `@`.
#[derive(Clone, Debug)]
pub(super) enum UserRef {
    Id(UserId),
    Address(EmailAddress),
}

impl UserRef {
    pub(super) fn find(&self, reader: &Reader<'_>) -> Result<Option<Account>> {
        match self {
            Self::Id(id) => users::find(reader, *id),
            Self::Address(address) => users::find_by_address(reader, address),
        }
    }

    /// The value, or the error that no such user exists.
    pub(super) fn require<T>(&self, found: Option<T>) -> Result<T, CommandError> {
        found.ok_or_else(|| self.unknown().into())
    }

    /// The error that no such user exists.
    pub(super) fn unknown(&self) -> String {
        format!("no user with {self}")
    }
}

impl FromStr for UserRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(UserId(id)));
        }
        address(text)
            .map(Self::Address)
            .map_err(|_| "not an id or email address".to_owned())
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id {}", id.0),
            Self::Address(address) => write!(f, "address {}", address.as_str()),
        }
    }
}

/// An address as an argument.
pub(super) fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|invalid| invalid.to_string())
}
