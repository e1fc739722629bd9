//! The digest of a new password, for sign-up, change, reset and the command line.

use crate::breached_passwords::BreachedPasswords;
use crate::config::Settings;
use crate::context::Context;
use crate::crypto::password::{HashSlot, Password};
use crate::domain::error::Result;
use crate::domain::{EmailAddress, PasswordDigest};

/// Where a new password is checked and hashed.
pub struct NewPasswords<'a> {
    settings: &'a Settings,
    breached: &'a BreachedPasswords,
    slot: &'a HashSlot,
}

impl<'a> NewPasswords<'a> {
    /// From its parts; a command has no [`Context`].
    pub fn new(
        settings: &'a Settings,
        breached: &'a BreachedPasswords,
        slot: &'a HashSlot,
    ) -> Self {
        Self {
            settings,
            breached,
            slot,
        }
    }

    /// In the slot that a request has reserved.
    pub fn of(context: &'a Context, slot: &'a HashSlot) -> Self {
        Self::new(&context.settings, &context.breached_passwords, slot)
    }

    /// The digest of the password that the user with this address chose.
    ///
    /// # Errors
    /// [`Error::Validation`](crate::Error::Validation) if it is common, breached or easily guessed and the settings refuse
    /// that.
    pub async fn digest(&self, password: Password, user: &EmailAddress) -> Result<PasswordDigest> {
        self.breached.refuse_known(&password).await?;
        let lists = self.breached.lists();
        let words = self.settings.guessable_words(user.as_str());
        let is_common = move |password: &Password| lists.check(password);
        self.slot.hash_choice(password, &words, is_common).await
    }
}
