//! One try to sign in: what was typed, how many came before it, and whether it is somebody's password.

use std::sync::Arc;

use super::confirmed;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::password::Password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{Account, EmailAddress, PasswordDigest};
use crate::http::{ClientInfo, Input};
use crate::mail;
use crate::store::users;
use crate::throttle::{Count, Limit};

/// One try to sign in. An unusable address or password is no fault of form: it is a wrong one.
pub(super) struct Attempt {
    /// As it was typed, but for space around it and capitals: failures are counted by it.
    pub(super) typed_address: String,
    email_address: Option<EmailAddress>,
    password: Option<Password>,
    pub(super) remember: bool,
    /// What it counted as at the address; `None` while limits are off.
    count: Option<Count>,
    /// Whose password it is, if it was checked when it was counted.
    verified: Option<Account>,
}

impl Attempt {
    pub(super) fn read(input: &Input) -> Result<Self> {
        let mut invalid = ValidationErrors::default();
        let address = input
            .text("email_address", &mut invalid)
            .unwrap_or_default();
        let password = input.text("password", &mut invalid).unwrap_or_default();
        let remember = input.flag("remember", &mut invalid);
        invalid.into_result()?;
        Ok(Self {
            typed_address: address.trim().to_ascii_lowercase(),
            email_address: EmailAddress::parse(address).ok(),
            password: Password::offered(password),
            remember,
            count: None,
            verified: None,
        })
    }

    /// Counts the try before checking it. The one that closes the address is checked here and, if it fails, the unlock
    /// mail is asked for: to the end, or an attacker would hang up to suppress the mail.
    pub(super) async fn admit(
        mut self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: &Limit,
    ) -> Result<Self> {
        let rules = vec![context.throttle.sign_in(client.ip), failures.clone()];
        let (shared, client, failures) = (Arc::clone(context), client.clone(), failures.clone());
        let steps = async move {
            let context = shared;
            self.count = context.admit(&client, rules).await?.pop();
            if let Some(shut) = self.count.filter(|count| count.shared && count.left() == 0) {
                match self.verify(&context, &client).await {
                    Ok(account) => self.verified = Some(account),
                    Err(failure) => {
                        self.mail_unlock(&context, &client, failures, shut.expires_at)
                            .await?;
                        return Err(failure);
                    }
                }
            }
            Ok(self)
        };
        context.finish(steps).await
    }

    /// The account whose password this is. Whoever has none costs the same.
    pub(super) async fn verify(
        &mut self,
        context: &Context,
        client: &ClientInfo,
    ) -> Result<Account> {
        if let Some(account) = self.verified.take() {
            return Ok(account);
        }
        let account = self.find_account(context).await?;
        let digest = account
            .as_ref()
            .map(|account| account.password_digest.clone());
        let verified = context
            .passwords
            .verify(self.password.clone(), digest)
            .await?;
        let known = account.as_ref().map(|account| account.user.id);
        let account = account.filter(|account| {
            verified
                && account.user.disabled_at.is_none()
                && !confirmed::is_hidden(context, account)
        });
        account.ok_or_else(|| {
            context.refused(client, Event::SignInFailed { user: known });
            match self.count {
                Some(count) if count.left() == 1 => Error::LastAttempt,
                _ => Error::InvalidCredentials,
            }
        })
    }

    /// Asks for the mail that opens the address, whether anybody has it or not: that is for the mail worker to find out.
    async fn mail_unlock(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: Limit,
        until: Timestamp,
    ) -> Result<()> {
        let Some(address) = self.email_address.clone() else {
            return Ok(());
        };
        let now = context.clock.now();
        let request = context.commit(client, move |change| {
            match failures.is_exhausted(change, until, now)? {
                true => mail::enqueue_unlock(change, &address, until, now),
                // It was unlocked meanwhile.
                false => Ok(()),
            }
        });
        request.await
    }

    async fn find_account(&self, context: &Context) -> Result<Option<Account>> {
        let Some(address) = self.email_address.clone() else {
            return Ok(None);
        };
        context
            .database
            .read(move |reader| users::find_by_address(reader, &address))
            .await
    }

    /// A digest at the configured cost, when the stored one has another. Signing in does not depend on it.
    pub(super) async fn rehash(
        &self,
        context: &Context,
        account: &Account,
    ) -> Option<PasswordDigest> {
        let password = self
            .password
            .clone()
            .filter(|_| context.passwords.is_outdated(&account.password_digest))?;
        match context.passwords.hash(password).await {
            Ok(digest) => Some(digest),
            Err(failure) => {
                tracing::warn!(%failure, user = account.user.id.0, "a digest keeps its old cost");
                None
            }
        }
    }
}
