//! One try to sign in: what was typed, and whether it is somebody's password.

use super::confirmed;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{Input, Visit, audit};
use crate::model::{EmailAddress, PasswordDigest};
use crate::password::Password;
use crate::store::users::{self, Account};

/// One try to sign in. An unusable address or password is no fault of form: it is a wrong one.
pub(super) struct Attempt {
    /// As it was typed, but for space around it and capitals: failures are counted by it.
    pub(super) typed_address: String,
    email_address: Option<EmailAddress>,
    password: Option<Password>,
    pub(super) remember: bool,
}

impl Attempt {
    pub(super) fn read(input: &Input) -> Result<Self> {
        let mut invalid = Invalid::default();
        let address = input.text("email_address", &mut invalid).unwrap_or_default();
        let password = input.text("password", &mut invalid).unwrap_or_default();
        let remember = input.flag("remember", &mut invalid);
        invalid.into_result()?;
        Ok(Self {
            typed_address: address.trim().to_ascii_lowercase(),
            email_address: EmailAddress::parse(address).ok(),
            password: Password::offered(password),
            remember,
        })
    }

    /// The account whose password this is. Whoever has none costs the same.
    pub(super) async fn verify(&self, context: &Context, visit: &Visit) -> Result<Account> {
        let account = self.find_account(context).await?;
        let digest = account.as_ref().map(|account| account.password_digest.clone());
        let verified = context.passwords.verify(self.password.clone(), digest).await?;
        let known = account.as_ref().map(|account| account.user.id);
        let account = account.filter(|account| {
            verified && account.user.disabled_at.is_none() && !confirmed::is_hidden(context, account)
        });
        account.ok_or_else(|| {
            audit::sign_in_failed(visit, known);
            Error::InvalidCredentials
        })
    }

    async fn find_account(&self, context: &Context) -> Result<Option<Account>> {
        let Some(address) = self.email_address.clone() else {
            return Ok(None);
        };
        context.database.read(move |reader| users::find_by_address(reader, &address)).await
    }

    /// A digest at the configured cost, when the stored one has another. Signing in does not depend on it.
    pub(super) async fn rehash(&self, context: &Context, account: &Account) -> Option<PasswordDigest> {
        let password =
            self.password.clone().filter(|_| context.passwords.is_outdated(&account.password_digest))?;
        match context.passwords.hash(password).await {
            Ok(digest) => Some(digest),
            Err(failure) => {
                tracing::warn!(%failure, user = account.user.id.0, "a digest keeps its old cost");
                None
            }
        }
    }
}
