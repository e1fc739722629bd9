//! Passkeys.

use std::fmt;

use serde::Serialize;

use super::clock::Timestamp;

/// The id of a passkey, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PasskeyId(pub i64);

/// A passkey as its user knows it, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The id.
    pub id: PasskeyId,
    /// Its name: one line of at most 255 characters.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whether it was synced when it was last used, so that the loss of one device does not lose it.
    pub backed_up: bool,
    /// What its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// How browsers reach the authenticator, separated by spaces.
    pub transports: String,
}

/// What authenticators know a user by. It is random: an id or an address would reveal the user to
/// another holder of the authenticator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserHandle([u8; 32]);

impl UserHandle {
    /// Wraps 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for UserHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserHandle([hidden])")
    }
}
