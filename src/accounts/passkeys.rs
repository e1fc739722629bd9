//! Passkeys of a user: their challenges, what authenticators return for them, and the use of one.
//!
//! # Threats
//! - a response that is used twice, also at once, on two nodes or after a restart: the digest of its challenge is a primary
//!   key, and the transaction that accepts it adds the row
//! - a response for another ceremony, user or session: see [`crypto::passkey_challenge`](crate::crypto::passkey_challenge)
//! - a flood of answers by a user's own authenticator, each of which adds a row: those of a user are limited, and only
//!   accepted ones count, so that a copy of one cannot use the limit up
//! - a passkey registered for two users: credential ids are unique
//! - a made-up credential that reveals, by being refused at a second sign-up, whether the first one created an account:
//!   where sign-up hides that, the passkey of an account that was never verified gives way to a new one of the same id
//! - a user handle of another user, which no signature covers: it must be that of the credential's user
//! - a passkey that was removed meanwhile: its row is updated by the transaction that accepts the response
//! - a caller who learns why a response is refused: the reason is in the log alone, but for a passkey that no account has

use super::authentication::Authentication;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::passkey_challenge::{self, Ceremony, Challenge, ChallengeFault};
use crate::crypto::webauthn::{
    Assertion, AuthenticationResponse, NewPasskey, Refusal, RegistrationResponse, RelyingParty,
};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{ClientInfo, Passkey, PasskeyId, User, UserId, one_line};
use crate::mail::{self, Notice};
use crate::store::passkeys::{self, PasskeyKey};
use crate::store::{revocations, used_challenges};
use crate::throttle::Throttle;

/// Passkeys of one user.
pub const MAX_PASSKEYS: u32 = 20;
/// The name of a passkey that was added without one.
const DEFAULT_NAME: &str = "Passkey";

/// A value, or the reason of a refusal for the log.
type Verdict<T> = std::result::Result<T, &'static str>;

const USED: &str = "challenge_used";
const UNKNOWN: &str = "unknown_passkey";
const OTHER_USER: &str = "other_user";
const TOO_MANY_USES: &str = "too_many_uses";

/// A response by a user's passkey that is verified, and whose challenge is not used up yet.
#[derive(Clone, Debug)]
pub struct VerifiedAssertion {
    /// The user.
    pub user: UserId,
    passkey: PasskeyId,
    challenge: Challenge,
    assertion: Assertion,
}

/// A new passkey that is verified, and whose challenge is not used up yet.
#[derive(Clone, Debug)]
pub struct VerifiedRegistration {
    new: NewPasskey,
    name: String,
    challenge: Challenge,
    /// Whether sign-up hides which addresses have an account.
    is_private: bool,
}

/// What came of adding a passkey.
#[derive(Clone, Debug)]
pub enum Added {
    /// It was added.
    Done(Passkey),
    /// The response was used before, or its passkey is registered.
    Refused,
    /// The user has as many as there may be.
    TooMany,
}

/// Verifies a response by any user's passkey; `None`, recorded, if it is refused.
///
/// # Errors
/// [`Error::PasskeyUnknown`], recorded, if no account has the passkey: password managers then stop to offer it. With private
/// sign-up it is `None` too: a caller who signed up for an address by a passkey would learn whether the address was taken.
pub async fn verify_assertion(
    context: &Context,
    client: &ClientInfo,
    response: &AuthenticationResponse,
) -> Result<Option<VerifiedAssertion>> {
    let opened = open_response(context, response);
    let (user, verdict) = match opened {
        Err(reason) => (None, Err(reason)),
        Ok((credential_id, challenge)) => {
            let found = context
                .database
                .read(move |reader| passkeys::find_key(reader, &credential_id));
            match found.await? {
                None => (None, Err(UNKNOWN)),
                Some(key) => (Some(key.user_id), judge(context, &key, challenge, response)),
            }
        }
    };
    let is_unknown = verdict.as_ref().err() == Some(&UNKNOWN);
    let verified = kept(context, client, user, verdict);
    match is_unknown && !context.settings.registration.private {
        true => Err(Error::PasskeyUnknown),
        false => Ok(verified),
    }
}

/// The credential that a response names, and the challenge that it answers.
fn open_response(
    context: &Context,
    response: &AuthenticationResponse,
) -> Verdict<(Vec<u8>, Challenge)> {
    let credential_id = response.credential_id().map_err(Refusal::name)?;
    let bytes = response.challenge().map_err(Refusal::name)?;
    let challenge = challenge(context, Ceremony::Assertion, &bytes)?;
    Ok((credential_id, challenge))
}

fn judge(
    context: &Context,
    key: &PasskeyKey,
    challenge: Challenge,
    response: &AuthenticationResponse,
) -> Verdict<VerifiedAssertion> {
    // The client sent no address, so the authenticator names the user (Web Authentication Level 3, 7.2, step 6).
    let handle = response.user_handle().map_err(Refusal::name)?;
    if handle.as_deref() != Some(key.handle.as_bytes()) {
        return Err(Refusal::UserHandle.name());
    }
    let assertion = relying_party(context)?
        .verify_assertion(&challenge.bytes, &key.stored, response)
        .map_err(Refusal::name)?;
    Ok(VerifiedAssertion {
        user: key.user_id,
        passkey: key.id,
        challenge,
        assertion,
    })
}

/// Uses a response as the proof of its user; `None`, recorded, if it was used, its passkey was removed meanwhile, or
/// the user's passkeys were used too often.
pub fn accept(
    change: &Change<'_>,
    throttle: &Throttle,
    verified: &VerifiedAssertion,
    now: Timestamp,
) -> Result<Option<Authentication>> {
    let (user, passkey) = (verified.user, verified.passkey);
    let verdict = match use_challenge(change, throttle, Some(user), &verified.challenge, now)? {
        Err(reason) => Err(reason),
        Ok(()) if !passkeys::note_use(change, user, passkey, &verified.assertion, now)? => {
            Err(UNKNOWN)
        }
        Ok(()) => Ok(()),
    };
    if let Err(reason) = verdict {
        let user = Some(user);
        change.record(Event::PasskeyRefused { user, reason });
        return Ok(None);
    }
    if verified.assertion.counter_went_back {
        change.record(Event::PasskeyCounterBehind { user, passkey });
    }
    Ok(Some(Authentication::by_passkey(user, now)))
}

/// The same for a response that must be by this user's passkey.
pub fn accept_of(
    change: &Change<'_>,
    throttle: &Throttle,
    user: UserId,
    verified: &VerifiedAssertion,
    now: Timestamp,
) -> Result<Option<Authentication>> {
    if verified.user != user {
        let (user, reason) = (Some(user), OTHER_USER);
        change.record(Event::PasskeyRefused { user, reason });
        return Ok(None);
    }
    accept(change, throttle, verified, now)
}

/// Verifies what an authenticator returned for a new passkey of this name.
///
/// # Errors
/// The fault of `field`, whose reason is recorded, and that of the name.
pub fn verify_registration(
    context: &Context,
    client: &ClientInfo,
    ceremony: Ceremony<'_>,
    field: &'static str,
    (response, name): (&RegistrationResponse, Option<&str>),
) -> Result<VerifiedRegistration, ValidationErrors> {
    let name = match one_line::parse("name", name.unwrap_or_default())? {
        "" => DEFAULT_NAME.to_owned(),
        name => name.to_owned(),
    };
    let user = match ceremony {
        Ceremony::Registration(user, _) => Some(user),
        Ceremony::SignUp(_) | Ceremony::Assertion => None,
    };
    let verdict = judge_registration(context, ceremony, response);
    let (new, challenge) =
        kept(context, client, user, verdict).ok_or_else(|| refused_field(field))?;
    Ok(VerifiedRegistration {
        new,
        name,
        challenge,
        is_private: context.settings.registration.private,
    })
}

/// The fault of a field whose response is refused.
pub fn refused_field(field: &'static str) -> ValidationErrors {
    ValidationErrors::field(field, "could not be verified")
}

fn judge_registration(
    context: &Context,
    ceremony: Ceremony<'_>,
    response: &RegistrationResponse,
) -> Verdict<(NewPasskey, Challenge)> {
    let bytes = response.challenge().map_err(Refusal::name)?;
    let challenge = challenge(context, ceremony, &bytes)?;
    let new = relying_party(context)?
        .verify_registration(&challenge.bytes, response)
        .map_err(Refusal::name)?;
    Ok((new, challenge))
}

impl VerifiedRegistration {
    /// Uses up the challenge; `false`, recorded, if it was used, or the passkey is registered for any user. For a sign-up
    /// it comes before the address: which addresses are taken must not be learnt by a passkey that is.
    pub fn claim(
        &self,
        change: &Change<'_>,
        throttle: &Throttle,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<bool> {
        let verdict = match use_challenge(change, throttle, user, &self.challenge, now)? {
            Ok(()) if self.is_registered(change, user)? => Err("registered_passkey"),
            other => other,
        };
        if let Err(reason) = verdict {
            change.record(Event::PasskeyRefused { user, reason });
        }
        Ok(verdict.is_ok())
    }

    fn is_registered(&self, change: &Change<'_>, user: Option<UserId>) -> Result<bool> {
        let holder = passkeys::find_holder(change, &self.new.credential_id)?;
        Ok(holder.is_some_and(|holder| {
            let gives_way = self.is_private && !holder.is_verified && Some(holder.user) != user;
            !gives_way
        }))
    }

    /// Adds the passkey, which [`Self::claim`] allowed in this transaction, to a new account. The challenge of a sign-up has
    /// the handle by which the authenticator knows the user.
    pub fn insert_first(&self, change: &Change<'_>, user: UserId, now: Timestamp) -> Result<()> {
        passkeys::handle_or(change, user, &self.challenge.handle())?;
        self.insert(change, user, now).map(drop)
    }

    /// `None` if the user has as many as there may be.
    fn insert(&self, change: &Change<'_>, user: UserId, now: Timestamp) -> Result<Option<Passkey>> {
        if let Some(holder) = passkeys::find_holder(change, &self.new.credential_id)? {
            // Of an account that was never verified, see `is_registered`.
            passkeys::delete(change, holder.user, holder.passkey)?;
            change.record(Event::PasskeyRemoved {
                user: holder.user,
                passkey: Some(holder.passkey),
            });
        }
        let added = passkeys::insert(change, user, &self.new, &self.name, MAX_PASSKEYS, now)?;
        if let Some(passkey) = &added {
            change.record(Event::PasskeyAdded {
                user,
                passkey: passkey.id,
            });
        }
        Ok(added)
    }

    /// Adds the passkey to an account, and notifies its owner.
    pub fn add_to(
        &self,
        change: &Change<'_>,
        throttle: &Throttle,
        user: &User,
        notice: Option<&Notice>,
        now: Timestamp,
    ) -> Result<Added> {
        // An operator who removes all factors removes the handle too, and the authenticator stored it.
        if passkeys::handle(change, user.id)?.is_none()
            || !self.claim(change, throttle, Some(user.id), now)?
        {
            return Ok(Added::Refused);
        }
        let Some(passkey) = self.insert(change, user.id, now)? else {
            return Ok(Added::TooMany);
        };
        mail::notify(change, notice, user, now)?;
        Ok(Added::Done(passkey))
    }
}

/// Uses up a challenge. Those of a user are counted; sign-ups are limited by the client's network.
fn use_challenge(
    change: &Change<'_>,
    throttle: &Throttle,
    user: Option<UserId>,
    challenge: &Challenge,
    now: Timestamp,
) -> Result<Verdict<()>> {
    if now >= challenge.expires_at {
        return Ok(Err(name_of(ChallengeFault::Expired)));
    }
    let limit = user.map(|user| throttle.passkey_uses(user));
    if let Some(limit) = &limit
        && !throttle.has_room(change, limit, now)?
    {
        return Ok(Err(TOO_MANY_USES));
    }
    // After a restore it is not known which of the earlier ones were used.
    if revocations::covers_all(change, challenge.expires_at - passkey_challenge::LIFETIME)?
        || !used_challenges::use_once(change, &challenge.digest(), challenge.expires_at)?
    {
        return Ok(Err(USED));
    }
    if let Some(limit) = &limit {
        throttle.admits(change, limit, now)?;
    }
    Ok(Ok(()))
}

fn challenge(context: &Context, ceremony: Ceremony<'_>, bytes: &[u8]) -> Verdict<Challenge> {
    let now = context.clock.now();
    Challenge::verify(&context.key_ring, ceremony, bytes, now).map_err(name_of)
}

/// The name of a reason in the log; one that was not issued is what the relying party calls another challenge.
fn name_of(fault: ChallengeFault) -> &'static str {
    match fault {
        ChallengeFault::Unknown => Refusal::Challenge.name(),
        ChallengeFault::Expired => "challenge_expired",
    }
}

fn relying_party(context: &Context) -> Verdict<&RelyingParty> {
    context.relying_party.as_ref().ok_or("no_relying_party")
}

fn kept<T>(
    context: &Context,
    client: &ClientInfo,
    user: Option<UserId>,
    verdict: Verdict<T>,
) -> Option<T> {
    if let Err(reason) = verdict {
        context.refused(client, Event::PasskeyRefused { user, reason });
    }
    verdict.ok()
}
