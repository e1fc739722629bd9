//! The values that go into a statement and come out of a row.

use crate::crypto::token::ReplaySeed;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{
    ApiKeyId, AuthMethods, EmailAddress, IdentityId, JsonObject, Locale, PasskeyId, PasswordDigest,
    ProjectId, Role, SessionId, TokenDigest, UserHandle, UserId,
};

/// A value of one of the four types that every engine stores.
#[derive(Clone, Copy, Debug)]
pub enum Value<'v> {
    /// `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Text(&'v str),
    /// Bytes.
    Blob(&'v [u8]),
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// Converts the value of the column.
    ///
    /// # Errors
    /// The value is of another type.
    fn from_value(value: Value<'_>) -> Result<Self>;
}

impl<'v, T: Into<Self>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

fn mismatch(expected: &str, found: Value<'_>) -> Error {
    // The type alone: the value may be personal.
    let found = match found {
        Value::Null => "NULL",
        Value::Integer(_) => "an integer",
        Value::Text(_) => "text",
        Value::Blob(_) => "a blob",
    };
    Error::internal(format!("the column holds {found}, not {expected}"))
}

macro_rules! integers {
    ($($type:ty: $into:expr, $from:expr;)*) => {$(
        impl From<$type> for Value<'_> {
            fn from(value: $type) -> Self {
                let into: fn($type) -> i64 = $into;
                Self::Integer(into(value))
            }
        }

        impl Column for $type {
            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Integer(value) => Ok($from(value)),
                    other => Err(mismatch("an integer", other)),
                }
            }
        }
    )*};
}

integers! {
    i64: |value| value, |value| value;
    Timestamp: Timestamp::as_millis, Timestamp::from_millis;
    UserId: |id| id.0, UserId;
    SessionId: |id| id.0, SessionId;
    ProjectId: |id| id.0, ProjectId;
    ApiKeyId: |id| id.0, ApiKeyId;
    IdentityId: |id| id.0, IdentityId;
    PasskeyId: |id| id.0, PasskeyId;
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Self::Text(value)
    }
}

macro_rules! texts {
    ($($type:ty: $into:expr, $from:expr;)*) => {$(
        impl<'v> From<&'v $type> for Value<'v> {
            fn from(value: &'v $type) -> Self {
                let into: fn(&$type) -> &str = $into;
                Self::Text(into(value))
            }
        }

        impl Column for $type {
            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Text(text) => Ok($from(text.to_owned())),
                    other => Err(mismatch("text", other)),
                }
            }
        }
    )*};
}

texts! {
    String: String::as_str, |text| text;
    EmailAddress: EmailAddress::as_str, EmailAddress::from_stored;
    PasswordDigest: PasswordDigest::as_str, PasswordDigest::new;
    Scopes: Scopes::as_str, Scopes::from_stored;
    JsonObject: JsonObject::as_str, JsonObject::from_stored;
    Locale: Locale::as_str, Locale::from_stored;
}

macro_rules! words {
    ($($type:ty)*) => {$(
        impl Column for $type {
            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Text(text) => Self::from_stored(text)
                        .ok_or_else(|| mismatch(concat!("a ", stringify!($type)), value)),
                    other => Err(mismatch("text", other)),
                }
            }
        }
    )*};
}

words! { Role AuthMethods }

impl<'v> From<&'v Vec<u8>> for Value<'v> {
    fn from(value: &'v Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(value: &'v [u8]) -> Self {
        Self::Blob(value)
    }
}

impl Column for Vec<u8> {
    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Blob(bytes) => Ok(bytes.to_vec()),
            other => Err(mismatch("a blob", other)),
        }
    }
}

macro_rules! digests {
    ($($type:ty: $from:expr;)*) => {$(
        impl<'v> From<&'v $type> for Value<'v> {
            fn from(value: &'v $type) -> Self {
                Self::Blob(value.as_bytes())
            }
        }

        impl Column for $type {
            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Blob(bytes) => match bytes.try_into() {
                        Ok(bytes) => Ok($from(bytes)),
                        Err(_) => Err(mismatch("a blob of 32 bytes", value)),
                    },
                    other => Err(mismatch("a blob", other)),
                }
            }
        }
    )*};
}

// 32 bytes each.
digests! {
    TokenDigest: TokenDigest::new;
    UserHandle: UserHandle::new;
    ReplaySeed: ReplaySeed::from_stored;
}
