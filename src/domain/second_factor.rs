//! Second factors, and sign-ins that wait for one.

use std::fmt;

use serde::{Serialize, Serializer};
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
    /// A passkey of the user.
    Passkey,
}

/// What the client of a sign-in gets while a second factor is due, beside the error.
#[derive(Clone, Serialize, ToSchema)]
pub struct SecondFactorDue {
    /// Finishes the sign-in with a second factor; no route accepts it as a credential.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    pub pending_token: Zeroizing<String>,
    /// The second factors that the user can present.
    pub methods: Vec<SecondFactor>,
    /// When `pending_token` expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

impl fmt::Debug for SecondFactorDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SecondFactorDue({:?}, {})",
            self.methods, self.expires_at
        )
    }
}

fn reveal<S: Serializer>(token: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token)
}
