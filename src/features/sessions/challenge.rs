//! The proof that a change of credentials asks for besides a session: the password, given with the change
//! (`password_challenge`) or on the same session a while ago (`sudo`).
//!
//! Fears: a stolen session (signing in is no proof, so that a token alone changes nothing); guessing by it (counted by
//! session, so that neither a stranger's failures at sign-in stop the owner here nor a thief's here stop them there); a
//! password that changes while it is being checked (the proof is asked for again inside the transaction of the change).

use std::time::Duration;

use std::sync::Arc;

use super::ROUNDS;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::password::Password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, UnavailableReason, ValidationErrors};
use crate::domain::{Account, PasswordDigest, SessionId};
use crate::http::{ClientInfo, CurrentSession, CurrentUser, Input};
use crate::store::users;
use crate::store::{Transaction, sessions as rows};
use crate::throttle::Limit;

/// How long a password that was given counts.
const SUDO: Duration = Duration::from_secs(15 * 60);
const FIELD: &str = "password_challenge";

/// What a caller gives to prove that they know the password.
pub(in crate::features) struct Challenge {
    /// The field that it came in.
    field: &'static str,
    /// `None` when nothing was given, and `Some(None)` when it can be nobody's password.
    given: Option<Option<Password>>,
}

/// A challenge that was met, a moment ago.
pub(in crate::features) struct Proven {
    challenge: Challenge,
    proof: Proof,
}

#[derive(Clone)]
enum Proof {
    /// The password of this digest was given.
    Password(PasswordDigest),
    /// It was given lately.
    Sudo,
}

impl Challenge {
    /// Reads `password_challenge`, beside what else a change needs: the faults of both are told at once.
    ///
    /// # Errors
    /// [`Error::Validation`] with the faults of `beside`, and when the challenge is of the wrong type, or absent without a
    /// password given lately.
    pub(in crate::features) fn read_beside<T>(
        beside: Result<T, ValidationErrors>,
        input: &Input,
        session: &CurrentSession,
        now: Timestamp,
    ) -> Result<(Self, T)> {
        let mut invalid = ValidationErrors::default();
        let given = input.text(FIELD, &mut invalid).map(Password::offered);
        if given.is_none() && invalid.faults.is_empty() && !is_fresh(session.sudo_at, now) {
            invalid.add(FIELD, "can't be blank");
        }
        match (invalid.keep(beside), invalid.faults.is_empty()) {
            (Some(beside), true) => Ok((
                Self {
                    field: FIELD,
                    given,
                },
                beside,
            )),
            _ => Err(invalid.into()),
        }
    }

    /// One that is met by this password alone.
    pub(super) fn with(field: &'static str, password: &str) -> Self {
        Self {
            field,
            given: Some(Password::offered(password)),
        }
    }

    /// Counts it, together with what else this caller may not do too often, and checks it.
    pub(in crate::features) async fn prove(
        self,
        context: &Context,
        client: &ClientInfo,
        session: &CurrentSession,
        mut rules: Vec<Limit>,
    ) -> Result<Proven> {
        if self.given.is_some() {
            // Success does not forgive this one: each costs a bcrypt, right or wrong.
            rules.push(context.throttle.challenges_of_client(client.ip));
            rules.push(context.throttle.challenges(session.id));
        }
        context.admit(client, rules).await?;
        let proof = self.check(context, client, session).await?;
        Ok(Proven {
            challenge: self,
            proof,
        })
    }

    /// A password that is given and wrong is refused, however lately the right one was given.
    async fn check(
        &self,
        context: &Context,
        client: &ClientInfo,
        session: &CurrentSession,
    ) -> Result<Proof> {
        let (id, user_id) = (session.id, session.user_id);
        let Some(password) = &self.given else {
            let given_at = context
                .database
                .read(move |reader| rows::sudo_at(reader, id))
                .await?;
            return match is_fresh(given_at.ok_or(Error::TokenInvalid)?, context.clock.now()) {
                true => Ok(Proof::Sudo),
                false => Err(ValidationErrors::field(self.field, "can't be blank").into()),
            };
        };
        let account = context
            .database
            .read(move |reader| users::find(reader, user_id))
            .await?;
        let digest = account.ok_or(Error::TokenInvalid)?.password_digest;
        match context
            .passwords
            .verify(password.clone(), Some(digest.clone()))
            .await?
        {
            true => Ok(Proof::Password(digest)),
            false => {
                let event = Event::ReauthenticationFailed {
                    user: user_id,
                    session: id,
                };
                context.refused(client, event);
                Err(ValidationErrors::field(self.field, "is incorrect").into())
            }
        }
    }
}

impl Proven {
    /// Does `work` in a transaction in which the proof still holds. When it does not, because the digest changed
    /// meanwhile or the password was given too long ago, it is checked again.
    pub(in crate::features) async fn commit<T, F>(
        mut self,
        context: &Arc<Context>,
        client: &ClientInfo,
        user: &CurrentUser,
        session: &CurrentSession,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>, &Account, Timestamp) -> Result<T> + Clone + Send + 'static,
    {
        let (user_id, session_id) = (session.user_id, session.id);
        for _ in 0..ROUNDS {
            let (proof, mut work) = (self.proof.clone(), work.clone());
            let challenges = context.throttle.challenges(session_id);
            let now = context.clock.now();
            let done = user.commit(context, client, move |change| {
                let Some(account) = users::find(change, user_id)? else {
                    return Ok(None);
                };
                if !proof.holds(change, &account, session_id, now)? {
                    return Ok(None);
                }
                if let Proof::Password(_) = proof {
                    challenges.forgive(change, now)?;
                }
                work(change, &account, now).map(Some)
            });
            if let Some(done) = done.await? {
                return Ok(done);
            }
            self.proof = self.challenge.check(context, client, session).await?;
        }
        Err(Error::unavailable(
            UnavailableReason::DigestUnsettled,
            Duration::from_secs(1),
        ))
    }
}

impl Proof {
    fn holds(
        &self,
        tx: &Transaction<'_>,
        account: &Account,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool> {
        match self {
            Self::Password(digest) => Ok(account.password_digest == *digest),
            Self::Sudo => Ok(is_fresh(rows::sudo_at(tx, session)?.flatten(), now)),
        }
    }
}

/// What lies ahead is not: the clock was set back, and nobody knows how long ago it was.
fn is_fresh(given_at: Option<Timestamp>, now: Timestamp) -> bool {
    given_at.is_some_and(|at| at <= now && now < at + SUDO)
}
