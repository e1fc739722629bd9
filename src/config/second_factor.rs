//! `[second_factor]`: who must have a second factor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::declare::section;
use super::problems::{HOUR, MAX_DURATION};
use super::values::duration;
use crate::domain::Role;

section! {
    /// Who must have a second factor.
    SecondFactor {
        /// Who must have a second factor: "off", "operators" (users with that role) or "all". Sessions that exist and
        /// API keys stay valid; `/v1/verify?acr=aal2` refuses sessions without one.
        required: Required = "off",
        /// How long a user who must have a second factor may sign in without one, counted from the first such sign-in.
        /// Afterwards the password alone is refused until the user resets it by mail and sets one up within the next hour.
        #[serde(with = "duration")]
        grace: Duration = "7d" in HOUR..=MAX_DURATION,
    }
}

/// Who must have a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Required {
    /// No user.
    Off,
    /// Operators.
    Operators,
    /// All users.
    All,
}

impl SecondFactor {
    /// Whether users of this role must have one.
    pub fn is_required_of(&self, role: Role) -> bool {
        match self.required {
            Required::Off => false,
            Required::Operators => role == Role::Operator,
            Required::All => true,
        }
    }
}
