//! Sessions.

use std::time::Duration;

use serde::Serialize;

use super::auth_method::AuthMethods;
use super::clock::Timestamp;
use super::user::UserId;

/// The id of a session, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// A session, without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// Its user.
    pub user_id: UserId,
    /// The client's address at sign-in.
    pub ip_address: String,
    /// The client's `User-Agent` at sign-in, cut to 255 characters.
    pub user_agent: Option<String>,
    /// When it started.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_active_at: Timestamp,
    /// When it expires, used or not.
    pub expires_at: Timestamp,
    /// When the user last reauthenticated on it; `None` again once the credentials changed.
    pub reauthenticated_at: Option<Timestamp>,
    /// How the user authenticated.
    pub auth_methods: AuthMethods,
    /// When the user last authenticated: sign-in or reauthentication.
    pub authenticated_at: Timestamp,
    /// Whether the sign-in sent `remember`: a browser keeps the cookie when it is closed.
    pub remembered: bool,
    /// A random value, part of [`Self::sid`]; empty for a session of an earlier schema.
    pub nonce: String,
}

impl Session {
    /// The `sid` of its access tokens: id and nonce with a dot between. The id alone could be another session's after the
    /// restore of a backup.
    pub fn sid(&self) -> String {
        match self.nonce.as_str() {
            "" => self.id.0.to_string(),
            nonce => format!("{}.{nonce}", self.id.0),
        }
    }

    /// When it ends unless it is used after `last_use`.
    pub fn ends_at(&self, last_use: Timestamp, idle_timeout: Duration) -> Timestamp {
        self.expires_at.min(last_use + idle_timeout)
    }
}
