//! API keys.

use serde::Serialize;

use super::clock::Timestamp;
use super::scope::Scopes;
use super::user::{User, UserId};

/// The id of an API key, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ApiKeyId(pub i64);

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The user for whom it acts; `None`: a service of the operator.
    pub user_id: Option<UserId>,
    /// Its name: one line of at most 255 characters.
    pub name: String,
    /// The last four characters of the secret, for its owner to recognise it.
    pub last_four: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it expires; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is accepted: neither revoked nor expired, and its user, if it has one, not disabled.
    pub fn is_live(&self, user: Option<&User>, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|end| now < end)
            && user.is_none_or(|user| user.disabled_at.is_none())
    }
}
