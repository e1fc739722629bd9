//! Signing in by address and password: the flow of `POST /v1/session`, and of `POST /v1/tokens` without a session.
//!
//! # Threats
//! - guessing: limits by client network and by address, counted before the password is verified
//! - a full hash queue that closes an address: the place in the queue is reserved before the try is counted, and a try
//!   that ends as unavailable is not counted
//! - hanging up to suppress the unlock mail: the try that closes an address is finished in any case
//! - enumeration: unknown, disabled and hidden unverified accounts cost one hash and get one answer
//! - a password changed meanwhile: the session starts only if the digest is still the one verified, else it is verified
//!   again

use std::sync::Arc;
use std::time::Duration;

use super::authentication::{Authentication, verify_password};
use super::start_session::{SessionDraft, SessionStart, start_session};
use crate::audit::Event;
use crate::config::{Confirm, Registration};
use crate::context::{Change, Context};
use crate::crypto::password::{HashSlot, Password};
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::domain::{Account, ClientInfo, EmailAddress, Session, User, UserId};
use crate::mail;
use crate::store::users;
use crate::throttle::{Admission, Count, Limit};

/// How often a password is verified when its digest changes meanwhile.
pub(super) const ROUNDS: u32 = 3;

/// What a client presents to sign in. A malformed address or an unusable password is no fault of the form: it is wrong.
/// Without an address or a password it is no guess, and no failure of the address.
#[derive(Clone)]
pub struct PasswordSignIn {
    /// The address, or what was typed where that is none: failures are counted by it, however it is spelled.
    counted_address: String,
    email_address: Option<EmailAddress>,
    password: Option<Password>,
    is_blank: bool,
    remember: bool,
}

/// A user who has just signed in.
pub struct SignedIn<T> {
    /// The user.
    pub user: User,
    /// The session that was started.
    pub session: Session,
    /// Its token, not shown yet.
    pub token: PlainToken,
    /// What was made in the same transaction.
    pub made: T,
}

impl PasswordSignIn {
    /// For the values of a form.
    pub fn new(email_address: &str, password: &str, remember: bool) -> Self {
        let address = EmailAddress::parse(email_address).ok();
        let counted_address = match &address {
            Some(address) => address.as_str().to_owned(),
            None => email_address.trim().to_ascii_lowercase(),
        };
        Self {
            counted_address,
            email_address: address,
            password: Password::offered(password),
            is_blank: email_address.trim().is_empty() || password.is_empty(),
            remember,
        }
    }

    /// Starts a session, with what `also` makes in the same transaction.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] or [`Error::LastAttempt`], [`Error::Unconfirmed`], [`Error::RateLimited`],
    /// [`Error::SecondFactorRequired`], [`Error::SecondFactorOverdue`], and those of the database and the hash queue.
    pub async fn start_session<T: Send + 'static>(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        also: impl Fn(&Change<'_>, &Session, Timestamp) -> Result<T> + Clone + Send + 'static,
    ) -> Result<SignedIn<T>> {
        let failures = context
            .throttle
            .address_failures(&self.counted_address, client.ip);
        let attempt = self.count(context, client, &failures).await?;
        let admission = attempt.admission.clone();
        let session = attempt.start_session(context, client, &failures, also);
        context.counted(&admission, session).await
    }

    /// Counts the try before it is verified. The one that closes the address is verified here and, if it fails, the
    /// unlock mail is enqueued.
    async fn count(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: &Limit,
    ) -> Result<Attempt> {
        let mut limits = vec![context.throttle.sign_in(client.ip)];
        if !self.is_blank {
            limits.push(failures.clone());
        }
        let (shared, client, failures) = (Arc::clone(context), client.clone(), failures.clone());
        let steps = async move {
            let context = shared;
            let (slot, admission) = context.admit_hashing(&client, limits).await?;
            let count = admission.of(&failures);
            let mut attempt = Attempt {
                form: self,
                slot,
                count,
                admission: admission.clone(),
                authenticated: None,
            };
            if let Some(closing) = count.filter(|count| count.shared && count.left() == 0) {
                let verified = attempt.verify_last(&context, &client, failures, closing);
                context.counted(&admission, verified).await?;
            }
            Ok(attempt)
        };
        context.finish(steps).await
    }
}

/// A try that was counted.
struct Attempt {
    form: PasswordSignIn,
    slot: HashSlot,
    admission: Admission,
    /// Of failures at the address; `None` while limits are off.
    count: Option<Count>,
    /// The outcome of a try that was verified when it was counted.
    authenticated: Option<(Account, Authentication)>,
}

impl Attempt {
    async fn start_session<T: Send + 'static>(
        mut self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: &Limit,
        also: impl Fn(&Change<'_>, &Session, Timestamp) -> Result<T> + Clone + Send + 'static,
    ) -> Result<SignedIn<T>> {
        for _ in 0..ROUNDS {
            let (account, mut authentication) = self.authenticate(context, client).await?;
            if lacks_verification(&context.settings.registration, &account) {
                self.forgive(context, client, account.user.id, failures)
                    .await?;
                return Err(Error::Unconfirmed);
            }
            if let Some(password) = &self.form.password {
                authentication.rehash(context, &self.slot, password).await;
            }
            let (user, now) = (account.user.id, context.clock.now());
            let (mut draft, token) = SessionDraft::new(context, client, self.form.remember, now)?;
            draft.look(context, user, now).await?;
            let (admission, failures, also) =
                (self.admission.clone(), failures.clone(), also.clone());
            let started = context.commit(client, move |change| {
                let start = start_session(change, &authentication, &draft, now)?;
                if !matches!(start, SessionStart::Outdated) {
                    // The password was right: that was no failure to guess.
                    admission.give_back_after(change)?;
                    failures.forgive(change, now)?;
                }
                let SessionStart::Session(started) = &start else {
                    return Ok((start, None));
                };
                started.record(change);
                let made = also(change, &started.session, now)?;
                Ok((start, Some(made)))
            });
            match started.await? {
                (SessionStart::Session(started), Some(made)) => {
                    return Ok(SignedIn {
                        user: started.user,
                        session: started.session,
                        token,
                        made,
                    });
                }
                (SessionStart::SecondFactorDue(due), _) => {
                    return Err(Error::SecondFactorRequired(due));
                }
                (SessionStart::EnrolmentOverdue, _) => return Err(Error::SecondFactorOverdue),
                _ => {}
            }
        }
        Err(Error::unavailable(
            UnavailableReason::DigestUnsettled,
            Duration::from_secs(1),
        ))
    }

    /// Verifies the try that closes the address. If it fails, the unlock mail is enqueued.
    async fn verify_last(
        &mut self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: Limit,
        closing: Count,
    ) -> Result<()> {
        match self.authenticate(context, client).await {
            Ok(authenticated) => {
                self.authenticated = Some(authenticated);
                Ok(())
            }
            Err(failure @ (Error::InvalidCredentials | Error::LastAttempt)) => {
                self.enqueue_unlock(context, client, failures, closing.expires_at)
                    .await?;
                Err(failure)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn authenticate(
        &mut self,
        context: &Context,
        client: &ClientInfo,
    ) -> Result<(Account, Authentication)> {
        if let Some(authenticated) = self.authenticated.take() {
            return Ok(authenticated);
        }
        let account = match self.form.email_address.clone() {
            Some(address) => {
                context
                    .database
                    .read(move |reader| users::find_by_address(reader, &address))
                    .await?
            }
            None => None,
        };
        let password = self.form.password.clone();
        let authentication =
            verify_password(context, &self.slot, account.as_ref(), password).await?;
        let user = account.as_ref().map(|account| account.user.id);
        match account.zip(authentication) {
            Some((account, authentication))
                if authentication.holds(&account)
                    && !is_hidden(&context.settings.registration, &account) =>
            {
                Ok((account, authentication))
            }
            _ => {
                context.refused(client, Event::SignInFailed { user });
                Err(match self.count {
                    Some(count) if count.left() == 1 => Error::LastAttempt,
                    _ => Error::InvalidCredentials,
                })
            }
        }
    }

    /// The password was right, and the address must be verified first: that was no failure to guess.
    async fn forgive(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        user: UserId,
        failures: &Limit,
    ) -> Result<()> {
        let (admission, failures, now) = (
            self.admission.clone(),
            failures.clone(),
            context.clock.now(),
        );
        let forgiven = context.commit(client, move |change| {
            change.record(Event::SignInUnverified { user });
            admission.give_back_after(change)?;
            failures.forgive(change, now)
        });
        forgiven.await
    }

    /// Enqueues the mail that unlocks the address, whether it has an account or not: the mail worker finds that out.
    async fn enqueue_unlock(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        failures: Limit,
        until: Timestamp,
    ) -> Result<()> {
        let Some(address) = self.form.email_address.clone() else {
            return Ok(());
        };
        let now = context.clock.now();
        let request = context.commit(client, move |change| {
            match failures.is_exhausted(change, until, now)? {
                true => mail::enqueue_unlock(change, &address, until, now),
                // A success cleared it meanwhile.
                false => Ok(()),
            }
        });
        request.await
    }
}

/// Whether the sign-in must fail as if the account did not exist. Where sign-up does not tell whether an address is taken,
/// an answer of its own would tell a client that has just signed up with the address.
pub fn is_hidden(rules: &Registration, account: &Account) -> bool {
    rules.private && lacks_verification(rules, account)
}

/// Whether the address must be verified before a session starts.
pub fn lacks_verification(rules: &Registration, account: &Account) -> bool {
    rules.confirm == Confirm::Required && account.user.email_confirmed_at.is_none()
}
