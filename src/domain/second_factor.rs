//! Second factors, and sign-ins that wait for one.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::clock::Timestamp;

/// A way to present a second factor, by the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// A code of an authenticator app (RFC 6238).
    TotpCode,
    /// A recovery code.
    RecoveryCode,
}

/// What the client of a sign-in gets while a second factor is due.
#[derive(Clone)]
pub struct PendingSignIn {
    /// The token that the second step presents. It is no credential.
    pub token: Zeroizing<String>,
    /// The ways that the user has.
    pub methods: Vec<SecondFactor>,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingSignIn({:?}, {})", self.methods, self.expires_at)
    }
}
