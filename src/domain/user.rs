//! Users and their accounts.

use std::fmt;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::json_object::JsonObject;
use super::locale::Locale;

/// The id of a user, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// A user without credentials, so that no reply can contain one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// The id.
    #[schema(value_type = i64, minimum = 1)]
    pub id: UserId,
    /// The address for sign-in and mail, in lower case.
    #[schema(value_type = String)]
    pub email_address: EmailAddress,
    /// Whether the user proved to own the address; inside the server, when.
    #[serde(rename = "email_confirmed", serialize_with = "is_some")]
    #[schema(value_type = bool)]
    pub email_confirmed_at: Option<Timestamp>,
    /// When an operator disabled the user, who then can have no sessions.
    #[serde(skip)]
    pub disabled_at: Option<Timestamp>,
    /// When the user signed up.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When a field of the user or a credential last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// What the user may do beyond the own account.
    #[serde(skip)]
    pub role: Role,
    /// Until when a user who must have a second factor may sign in without one; `None` before the first such sign-in, and
    /// once there is one.
    #[serde(skip)]
    pub second_factor_due_at: Option<Timestamp>,
    /// The full name or a nickname: one line of at most 255 characters.
    #[schema(required)]
    pub name: Option<String>,
    /// What the user states about themselves, at most 4 KiB.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub profile: JsonObject,
    /// What operators record about the user, at most 4 KiB.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    pub metadata: JsonObject,
    /// The language of mails to the user; `None` if no request stated one.
    #[serde(skip)]
    pub locale: Option<Locale>,
}

/// What a user may do beyond the own account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing.
    #[default]
    User,
    /// Manage users, sessions, API keys and mails.
    Operator,
}

impl Role {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }

    /// Reads a name from the database or a command; `None` for an unknown one.
    pub(crate) fn from_stored(name: &str) -> Option<Self> {
        [Self::User, Self::Operator]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// A user with what sign-in verifies and what links are bound to.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The digest of the password; `None` for a user who signs in otherwise.
    pub password_digest: Option<PasswordDigest>,
    /// The requested new address, until it is verified.
    pub pending_email_address: Option<EmailAddress>,
    /// Incremented to void all links signed before.
    pub credentials_version: i64,
    /// Whether an identity at another provider may be linked because its address is the user's.
    pub links_by_address: bool,
}

/// A bcrypt digest as the database stores it: `$2b$12$…`. It is neither printed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    /// Wraps a digest in bcrypt's format.
    pub fn new(digest: String) -> Self {
        Self(digest)
    }

    /// The text of the digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigest([hidden])")
    }
}

fn is_some<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(at.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_json_shows_verification_but_not_disabling() {
        let at = Timestamp::from_millis(0);
        let email_address = EmailAddress::parse("one@example.com").unwrap();
        let user = User {
            id: UserId(1),
            email_address,
            email_confirmed_at: None,
            disabled_at: Some(at),
            created_at: at,
            updated_at: at,
            role: Role::User,
            second_factor_due_at: None,
            name: None,
            profile: JsonObject::default(),
            metadata: JsonObject::default(),
            locale: None,
        };
        assert_eq!(
            serde_json::to_string(&user).unwrap(),
            r#"{"id":1,"email_address":"one@example.com","email_confirmed":false,"created_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:00.000Z","name":null,"profile":{},"metadata":{}}"#
        );
    }
}
