//! What goes into a statement and comes out of a row, in types of our own.

use crate::crypto::token::{ReplaySeed, TokenDigest};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::model::{ApiKeyId, EmailAddress, PasswordDigest, ProjectId, SessionId, UserId};
use crate::domain::scope::Scopes;
use crate::store::sqlite;

/// A value for a placeholder.
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

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_millis())
    }
}

impl From<UserId> for Value<'_> {
    fn from(value: UserId) -> Self {
        Self::Integer(value.0)
    }
}

impl From<SessionId> for Value<'_> {
    fn from(value: SessionId) -> Self {
        Self::Integer(value.0)
    }
}

impl From<ProjectId> for Value<'_> {
    fn from(value: ProjectId) -> Self {
        Self::Integer(value.0)
    }
}

impl From<ApiKeyId> for Value<'_> {
    fn from(value: ApiKeyId) -> Self {
        Self::Integer(value.0)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Self::Text(value)
    }
}

impl<'v> From<&'v EmailAddress> for Value<'v> {
    fn from(value: &'v EmailAddress) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'v> From<&'v PasswordDigest> for Value<'v> {
    fn from(value: &'v PasswordDigest) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'v> From<&'v Scopes> for Value<'v> {
    fn from(value: &'v Scopes) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'v> From<&'v ReplaySeed> for Value<'v> {
    fn from(value: &'v ReplaySeed) -> Self {
        Self::Blob(value.as_bytes())
    }
}

impl<'v> From<&'v TokenDigest> for Value<'v> {
    fn from(value: &'v TokenDigest) -> Self {
        Self::Blob(value.as_bytes())
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer; columns are numbered from 0.
pub struct Row<'r> {
    pub(super) inner: &'r rusqlite::Row<'r>,
}

impl Row<'_> {
    /// The column's value.
    ///
    /// # Errors
    /// When the column is not of that type: the schema and the statement disagree.
    pub fn get<T: Column>(&self, index: usize) -> Result<T> {
        T::from_row(self, index)
    }
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// Reads it.
    fn from_row(row: &Row<'_>, index: usize) -> Result<Self>;
}

macro_rules! column {
    ($($type:ty, $stored:ty => $make:expr;)*) => {$(
        impl Column for $type {
            fn from_row(row: &Row<'_>, index: usize) -> Result<Self> {
                row.inner.get::<_, $stored>(index).map($make).map_err(sqlite::fault)
            }
        }

        impl Column for Option<$type> {
            fn from_row(row: &Row<'_>, index: usize) -> Result<Self> {
                row.inner.get::<_, Option<$stored>>(index).map(|stored| stored.map($make)).map_err(sqlite::fault)
            }
        }
    )*};
}

column! {
    i64, i64 => |value| value;
    String, String => |value| value;
    Timestamp, i64 => Timestamp::from_millis;
    UserId, i64 => UserId;
    SessionId, i64 => SessionId;
    ProjectId, i64 => ProjectId;
    ApiKeyId, i64 => ApiKeyId;
    EmailAddress, String => EmailAddress::from_stored;
    PasswordDigest, String => PasswordDigest::new;
    Scopes, String => Scopes::from_stored;
    TokenDigest, [u8; 32] => TokenDigest::from_stored;
    ReplaySeed, [u8; 32] => ReplaySeed::from_stored;
}
