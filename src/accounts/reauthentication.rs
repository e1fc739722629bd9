//! Reauthentication: a sensitive change needs a proof besides the session, with the change (`password_challenge`) or
//! within the last 15 minutes on the same session (`POST /v1/session/reauthenticate`).
//!
//! # Threats
//! - a stolen session token: signing in is no reauthentication, so a token alone changes nothing
//! - guessing by it: counted by session, apart from failed sign-ins, so that neither closes the other
//! - a copied token that waits for its owner's proof: each proof and each change of credentials replaces the token of the
//!   session in the same transaction, so that the copy is revoked
//! - a full hash queue: it is refused before the try is counted, and a try at which the server fails is not counted
//! - a password changed meanwhile: the proof must still hold inside the transaction of the change, else it is verified
//!   again

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::authentication::{Authentication, verify_password};
use super::mail_code::{self, PresentedCode};
use super::password_sign_in::ROUNDS;
use super::rotate_session::rotate_session;
use super::second_factor::{Offered, Presented, SecondFactors};
use super::sign_in_methods::SignInMethods;
use super::standing::Credential;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::password::{HashSlot, Password};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, UnavailableReason, ValidationErrors};
use crate::domain::{Account, ClientInfo, Session, TokenDigest};
use crate::store::users;
use crate::store::{Transaction, sessions};
use crate::throttle::{Admission, Limit};

/// How long a reauthentication lasts.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What a client offers as a proof.
pub enum Reauthentication<'r> {
    /// A password.
    Password(PasswordChallenge),
    /// A second factor.
    SecondFactor(Offered<'r>),
    /// A mailed code, of a user who has no other proof.
    MailCode(PresentedCode),
}

/// A password in a field of a body, or a recent proof in its place.
pub enum PasswordChallenge {
    /// A password in this field; `None` for a text that can be none.
    Given(&'static str, Option<Password>),
    /// Nothing in this field, since another proof was given lately.
    Recent(&'static str),
}

/// A session that has just been reauthenticated.
#[derive(Clone)]
pub struct Reauthenticated {
    offer: Offer,
    credential: Credential,
    session: Session,
    proof: Proof,
    admission: Admission,
}

/// What is verified, again if it must be.
#[derive(Clone)]
enum Offer {
    /// The password in this field, hashed there.
    Password(&'static str, Option<Password>, HashSlot),
    /// A second factor.
    SecondFactor(Presented, Box<SecondFactors>),
    /// A mailed code.
    MailCode(PresentedCode),
    /// A recent reauthentication of the session, since this field is absent.
    Recent(&'static str),
}

#[derive(Clone)]
enum Proof {
    /// With the change.
    Now(Authentication),
    /// A code, which is used up.
    Code,
    /// On the same session, not long ago.
    Lately,
}

impl PasswordChallenge {
    /// A password in this field. Without one, the session must have been reauthenticated lately.
    ///
    /// # Errors
    /// A fault of the field.
    pub fn lately_or(
        field: &'static str,
        password: Option<&str>,
        session: &Session,
        now: Timestamp,
    ) -> Result<Self, ValidationErrors> {
        if password.is_none() && !is_recent(session.reauthenticated_at, now) {
            return Err(blank(field));
        }
        Ok(match password {
            Some(password) => Self::Given(field, Password::offered(password)),
            None => Self::Recent(field),
        })
    }

    /// A password in this field, however lately another was given.
    ///
    /// # Errors
    /// A fault of the field.
    pub fn now(field: &'static str, password: Option<&str>) -> Result<Self, ValidationErrors> {
        let password = password.ok_or_else(|| blank(field))?;
        Ok(Self::Given(field, Password::offered(password)))
    }

    /// Counts the try and verifies it.
    pub async fn verify(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        standing: (Credential, &Session),
    ) -> Result<Reauthenticated> {
        let limits = self.limits(context, client, standing.1);
        let (offer, admission) = match self {
            Self::Given(field, password) => {
                let (slot, admission) = context.admit_hashing(client, limits).await?;
                (Offer::Password(field, password, slot), admission)
            }
            Self::Recent(field) => {
                let admission = context.admit(client, limits).await?;
                (Offer::Recent(field), admission)
            }
        };
        Reauthenticated::new(context, client, standing, offer, admission).await
    }

    /// The same for a change that hashes as well, and has these limits besides; also returns where.
    pub async fn verify_before_hash(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        standing: (Credential, &Session),
        mut limits: Vec<Limit>,
    ) -> Result<(Reauthenticated, HashSlot)> {
        limits.extend(self.limits(context, client, standing.1));
        let (slot, admission) = context.admit_hashing(client, limits).await?;
        let offer = match self {
            Self::Given(field, password) => Offer::Password(field, password, slot.clone()),
            Self::Recent(field) => Offer::Recent(field),
        };
        let verified = Reauthenticated::new(context, client, standing, offer, admission);
        Ok((verified.await?, slot))
    }

    fn limits(&self, context: &Context, client: &ClientInfo, session: &Session) -> Vec<Limit> {
        match self {
            // Success does not forgive the limit by client: right or wrong, each try costs a hash.
            Self::Given(..) => vec![
                context.throttle.challenges_of_client(client.ip),
                context.throttle.challenges(session.id),
            ],
            Self::Recent(_) => vec![],
        }
    }
}

impl Reauthentication<'_> {
    /// Counts the try and verifies it: a signature of a passkey too is verified only behind the limit.
    pub async fn verify(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        standing: (Credential, &Session),
    ) -> Result<Reauthenticated> {
        let mut limits = vec![context.throttle.challenges(standing.1.id)];
        let (offer, admission) = match self {
            Self::Password(challenge) => return challenge.verify(context, client, standing).await,
            Self::SecondFactor(offered) => {
                if offered.is_totp_code() {
                    limits.push(guesses(context, standing.1));
                }
                let admission = context.admit(client, limits).await?;
                let verified = offered.verify(context, client);
                let presented = context.counted(&admission, verified).await?;
                let factors = Box::new(SecondFactors::of(context, client));
                (Offer::SecondFactor(presented, factors), admission)
            }
            Self::MailCode(presented) => {
                let admission = context.admit(client, limits).await?;
                (Offer::MailCode(presented), admission)
            }
        };
        Reauthenticated::new(context, client, standing, offer, admission).await
    }
}

impl Offer {
    /// A wrong password is refused, however lately the right one was given.
    async fn prove(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        session: &Session,
    ) -> Result<Proof> {
        let (id, user) = (session.id, session.user_id);
        let (field, password, slot) = match self {
            Self::Password(field, password, slot) => (*field, password, slot),
            Self::SecondFactor(presented, factors) => {
                return use_factor(context, client, session, presented, factors).await;
            }
            Self::MailCode(presented) => {
                return use_mail_code(context, client, session, presented).await;
            }
            Self::Recent(field) => {
                let at = context
                    .database
                    .read(move |reader| sessions::reauthenticated_at(reader, id))
                    .await?;
                return match is_recent(at.ok_or(Error::TokenInvalid)?, context.clock.now()) {
                    true => Ok(Proof::Lately),
                    false => Err(blank(field).into()),
                };
            }
        };
        let account = context
            .database
            .read(move |reader| users::find(reader, user))
            .await?
            .ok_or(Error::TokenInvalid)?;
        match verify_password(context, slot, Some(&account), password.clone()).await? {
            Some(authentication) => Ok(Proof::Now(authentication)),
            None => {
                let session = id;
                context.refused(client, Event::ReauthenticationFailed { user, session });
                Err(ValidationErrors::field(field, "is incorrect").into())
            }
        }
    }
}

/// A code is used up by its proof, in a transaction of its own: it must not work again if the change fails.
async fn use_factor(
    context: &Arc<Context>,
    client: &ClientInfo,
    session: &Session,
    presented: &Presented,
    factors: &SecondFactors,
) -> Result<Proof> {
    let (id, user, now) = (session.id, session.user_id, context.clock.now());
    let (code, factors) = (presented.clone(), factors.clone());
    if let Presented::TotpCode(_) = presented {
        let factors = factors.clone();
        let readable = context
            .database
            .read(move |reader| factors.check(reader, user));
        readable.await?;
    }
    let accepted = context.commit(client, move |change| {
        let Some(account) = users::find(change, user)? else {
            return Ok(false);
        };
        let accepted = factors.accept(change, &account.user, &code, now)?.is_some();
        if !accepted {
            change.record(Event::ReauthenticationFailed { user, session: id });
        }
        Ok(accepted)
    });
    match accepted.await? {
        true => Ok(Proof::Code),
        false => Err(ValidationErrors::field(presented.field(), "is incorrect").into()),
    }
}

/// The same with a mailed code, where the user has no other proof: an attacker who reads the mail could otherwise change
/// what protects the account.
async fn use_mail_code(
    context: &Arc<Context>,
    client: &ClientInfo,
    session: &Session,
    presented: &PresentedCode,
) -> Result<Proof> {
    const FIELD: &str = "mail_code";
    let (id, user, now) = (session.id, session.user_id, context.clock.now());
    let (code, key_ring) = (presented.clone(), context.key_ring.clone());
    let (throttle, methods) = (context.throttle.clone(), SignInMethods::of(context));
    let accepted = context.commit(client, move |change| {
        let Some(account) = users::find(change, user)? else {
            return Ok(Some(false));
        };
        if !mail_code::is_only_proof(change, &account, &methods)? {
            return Ok(None);
        }
        let accepted = code.prove(change, &account, (&key_ring, &throttle), now)?;
        if !accepted {
            change.record(Event::ReauthenticationFailed { user, session: id });
        }
        Ok(Some(accepted))
    });
    match accepted.await? {
        Some(true) => Ok(Proof::Code),
        Some(false) => Err(ValidationErrors::field(FIELD, "is incorrect").into()),
        None => {
            let message = "can't be used: present the password or a second factor";
            Err(ValidationErrors::field(FIELD, message).into())
        }
    }
}

impl Reauthenticated {
    async fn new(
        context: &Arc<Context>,
        client: &ClientInfo,
        (credential, session): (Credential, &Session),
        offer: Offer,
        admission: Admission,
    ) -> Result<Self> {
        let proof = offer.prove(context, client, session);
        Ok(Self {
            proof: context.counted(&admission, proof).await?,
            offer,
            credential,
            session: session.clone(),
            admission,
        })
    }

    /// Counts other limits of the change. Not before the reauthentication, or a thief without the password could use up
    /// the owner's tries.
    ///
    /// # Errors
    /// Those of [`Context::admit`].
    pub async fn admit(
        mut self,
        context: &Context,
        client: &ClientInfo,
        limits: Vec<Limit>,
    ) -> Result<Self> {
        let more = self.counted(context, context.admit(client, limits)).await?;
        self.admission = self.admission.and(more);
        Ok(self)
    }

    /// Does a part of the change outside its transaction. If the server fails meanwhile, nothing stays counted.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn counted<T>(
        &self,
        context: &Context,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        context.counted(&self.admission, work).await
    }

    /// Makes a change in a transaction in which the proof still holds. When it does not, because the password was changed
    /// meanwhile or the reauthentication is no longer recent, it is verified again.
    pub async fn commit<T, F>(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>, &Account, Timestamp) -> Result<T> + Clone + Send + 'static,
    {
        let admission = self.admission.clone();
        let change = self.verified_commit(context, client, work);
        context.counted(&admission, change).await
    }

    async fn verified_commit<T, F>(
        mut self,
        context: &Arc<Context>,
        client: &ClientInfo,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>, &Account, Timestamp) -> Result<T> + Clone + Send + 'static,
    {
        let (user, session) = (self.session.user_id, self.session.id);
        for _ in 0..ROUNDS {
            let (this, mut work) = (self.clone(), work.clone());
            let tries = context.throttle.challenges(session);
            let guesses = guesses(context, &self.session);
            let now = context.clock.now();
            let credential = self.credential.clone();
            let done = credential.commit(context, client, move |change| {
                let Some(account) = users::find(change, user)? else {
                    return Ok(None);
                };
                if !this.holds(change, &account, now)? {
                    return Ok(None);
                }
                if let Proof::Now(_) | Proof::Code = this.proof {
                    tries.forgive(change, now)?;
                }
                if let Offer::SecondFactor(..) = this.offer {
                    guesses.forgive(change, now)?;
                }
                work(change, &account, now).map(Some)
            });
            if let Some(done) = done.await? {
                return Ok(done);
            }
            self.proof = self.offer.prove(context, client, &self.session).await?;
        }
        Err(Error::unavailable(
            UnavailableReason::DigestUnsettled,
            Duration::from_secs(1),
        ))
    }

    /// The same, and replaces the token of the session in that transaction. Returns the new token as well.
    ///
    /// # Errors
    /// [`Error::TokenInvalid`] when the session has another token by now, and those of [`Reauthenticated::commit`].
    pub async fn commit_and_rotate<T, F>(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        presented: TokenDigest,
        mut work: F,
    ) -> Result<(PlainToken, T)>
    where
        T: Send + 'static,
        F: FnMut(&Change<'_>, &Account, Timestamp) -> Result<T> + Clone + Send + 'static,
    {
        let token = PlainToken::generate(TokenKind::Session)?;
        let (session, new) = (self.session.id, token.digest());
        let done = self.commit(context, client, move |change, account, now| {
            rotate_session(change, session, &presented, &new)?;
            work(change, account, now)
        });
        Ok((token, done.await?))
    }

    fn holds(&self, tx: &Transaction<'_>, account: &Account, now: Timestamp) -> Result<bool> {
        match &self.proof {
            Proof::Now(authentication) => Ok(authentication.holds(account)),
            Proof::Code => Ok(account.user.disabled_at.is_none()),
            Proof::Lately => {
                let at = sessions::reauthenticated_at(tx, self.session.id)?.flatten();
                Ok(is_recent(at, now))
            }
        }
    }
}

/// Codes are counted by user as well, over a long time, and apart from those at sign-in: a thief of a session does not
/// know the password.
fn guesses(context: &Context, session: &Session) -> Limit {
    let limit = context.throttle.second_factor_guesses(session.user_id);
    limit.of_kind("reauthentication")
}

/// A time in the future is not recent: the clock was set back.
fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now && now < at + LIFETIME)
}

fn blank(field: &'static str) -> ValidationErrors {
    ValidationErrors::field(field, "can't be blank")
}
