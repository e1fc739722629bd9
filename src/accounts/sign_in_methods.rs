//! Which of a user's ways to sign in count, where one is removed: a passkey signs in only where the settings have passkeys,
//! and an identity only while its provider is configured.
//!
//! # Threats
//! - a user who removes the last way that works, because one that does not is counted

use crate::context::Context;
use crate::domain::error::Result;
use crate::domain::{IdentityId, UserId};
use crate::store::{Reader, identities, passkeys};

/// The ways to sign in besides a password, as the settings have them.
#[derive(Clone, Debug)]
pub struct SignInMethods {
    passkeys: bool,
    /// The names of the providers.
    providers: Vec<String>,
}

impl SignInMethods {
    /// Those of this server.
    pub fn of(context: &Context) -> Self {
        let providers = context.providers.iter();
        Self {
            passkeys: context.offers_passkeys(),
            providers: providers.map(|provider| provider.name.clone()).collect(),
        }
    }

    /// Whether the user can sign in by a passkey.
    pub fn has_passkey(&self, reader: &Reader<'_>, user: UserId) -> Result<bool> {
        Ok(self.passkeys && passkeys::count(reader, user)? > 0)
    }

    /// Whether the user can sign in by an identity at another provider, other than `removed`.
    pub fn has_identity(
        &self,
        reader: &Reader<'_>,
        user: UserId,
        removed: Option<IdentityId>,
    ) -> Result<bool> {
        let linked = identities::list_for_user(reader, user)?;
        let mut others = linked
            .iter()
            .filter(|identity| Some(identity.id) != removed);
        Ok(others.any(|identity| self.providers.contains(&identity.provider)))
    }
}
