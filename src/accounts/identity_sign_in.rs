//! Signing in by an identity at another provider: an exchange code becomes a session, and an unknown identity an account.
//!
//! # Threats
//! - a code that is used twice, or twenty times at once: it is used up in the transaction that starts the session
//! - a process that is killed in between: account, identity and session are one transaction
//! - an account taken over by its address: the identity is known by issuer and subject. An account that has the address is
//!   linked only if both sides have verified it: the provider, which must be authoritative for its domain, and the user
//! - an account prepared by another person with the address (squatting), whose sessions and identities would stay: see
//!   [`unverified_account`](super::unverified_account)
//! - an address that its owner never verified: a new account needs one that the provider states as verified
//! - a stolen identity of an account with a second factor: no session starts without the factor
//! - rules of an embedding app about sign-ups: they hold here too

use std::sync::Arc;

use super::authentication::Authentication;
use super::identities::link;
use super::identity_claims::{keep_metadata, new_profile};
use super::password_sign_in::lacks_verification;
use super::start_session::{SessionDraft, SessionStart, start_session};
use super::unverified_account::claim_account;
use crate::audit::Event;
use crate::context::{Change, Context, SignUp};
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, Locale, Role, TokenDigest, User, UserId};
use crate::mail::Notice;
use crate::providers::Identity;
use crate::store::identities::{self, NewIdentity};
use crate::store::users::DetailChanges;
use crate::store::{provider_sign_ins, users};

/// A sign-in that a provider has confirmed.
pub struct IdentitySignIn {
    /// The digest of its exchange code.
    pub code: TokenDigest,
    /// The name of the provider.
    pub provider: String,
    /// Who the user is there.
    pub identity: Identity,
    /// Whether it may create an account.
    pub creates_accounts: bool,
    /// Whether it gives out the address of the identity.
    pub is_authoritative: bool,
    /// Whether the sign-in sent `remember`.
    pub remember: bool,
    /// The language of a new account.
    pub locale: Option<Locale>,
}

/// The notices of a sign-in that changes an account.
struct Notices {
    linked: Option<Notice>,
    password_removed: Option<Notice>,
}

/// What came of a sign-in.
pub enum Outcome {
    /// The user is known or new, and a session was started or waits for a second factor.
    Started(SessionStart),
    /// It was refused.
    Refused(Refused),
}

/// Why a sign-in is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The code was used meanwhile, or the account is disabled.
    Invalid,
    /// The user must verify the address first.
    Unconfirmed,
    /// The identity is unknown, and its provider creates no accounts.
    SignUpClosed,
    /// The identity is unknown and comes without a verified address.
    AddressUnverified,
    /// The identity is unknown, and its address has an account.
    AccountExists,
}

impl Refused {
    const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "exchange_code_invalid",
            Self::Unconfirmed => "email_unconfirmed",
            Self::SignUpClosed => "sign_up_closed",
            Self::AddressUnverified => "address_unverified",
            Self::AccountExists => "account_exists",
        }
    }
}

impl IdentitySignIn {
    /// Uses up the code and starts a session, with this token.
    ///
    /// # Errors
    /// [`Error::RateLimited`](crate::domain::error::Error::RateLimited) for a sign-up, those of an embedding app's rules,
    /// and those of the database.
    pub async fn finish(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
    ) -> Result<(Outcome, PlainToken)> {
        let now = context.clock.now();
        let (mut draft, token) = SessionDraft::new(context, client, self.remember, now)?;
        let (issuer, subject) = (self.identity.issuer.clone(), self.identity.subject.clone());
        let known = context
            .database
            .read(move |reader| identities::find_user(reader, &issuer, &subject));
        let address = self.identity.verified_address();
        let new = match (known.await?, address) {
            (Some(user), _) => {
                draft.look(context, user, now).await?;
                None
            }
            (None, Some(address)) if self.creates_accounts => {
                Some(SignUp::new(address, client.clone()))
            }
            (None, _) => None,
        };
        let admission = match &new {
            Some(sign_up) => {
                let limits = vec![context.throttle.sign_up(client.ip)];
                let admission = context.admit(client, limits).await?;
                let checked = context.hooks.check_sign_up(&context.database, sign_up);
                context.counted(&admission, checked).await?;
                admission
            }
            None => Default::default(),
        };
        let shared = Arc::clone(context);
        let notices = Notices {
            linked: context.notice(client, MailKind::IdentityLinked),
            password_removed: context.notice(client, MailKind::PasswordRemoved),
        };
        let written = context.commit(client, move |change| {
            let outcome = self.write(&shared, change, &draft, new.as_ref(), &notices, now)?;
            if let Outcome::Refused(refused) = outcome {
                let reason = refused.reason();
                change.record(Event::ProviderSignInRefused { reason });
            }
            Ok(outcome)
        });
        Ok((context.counted(&admission, written).await?, token))
    }

    fn write(
        &self,
        context: &Context,
        change: &Change<'_>,
        draft: &SessionDraft,
        new: Option<&SignUp>,
        notices: &Notices,
        now: Timestamp,
    ) -> Result<Outcome> {
        if !provider_sign_ins::take(change, &self.code, now)? {
            return Ok(Outcome::Refused(Refused::Invalid));
        }
        let Identity {
            issuer,
            subject,
            email,
            ..
        } = &self.identity;
        let known = identities::find_user(change, issuer, subject)?;
        let owner = match known {
            Some(user) => {
                identities::note_use(change, issuer, subject, email.as_deref(), now)?;
                Ok((user, false))
            }
            None => self.find_owner(context, change, new, notices, now)?,
        };
        let (user, is_new) = match owner {
            Ok(owner) => owner,
            Err(refused) => return Ok(Outcome::Refused(refused)),
        };
        let Some(mut account) = users::find(change, user)? else {
            return Ok(Outcome::Refused(Refused::Invalid));
        };
        if lacks_verification(&context.settings.registration, &account) {
            return Ok(Outcome::Refused(Refused::Unconfirmed));
        }
        account.user = keep_metadata(context, change, account.user, &self.identity, now)?;
        let authentication = Authentication::by_identity(&account, now);
        let start = start_session(change, &authentication, draft, now)?;
        match &start {
            SessionStart::Session(started) if is_new => {
                change.record(Event::SignedUp {
                    user,
                    session: Some(started.session.id),
                });
            }
            SessionStart::Session(started) => started.record(change),
            SessionStart::SecondFactorDue(_) | SessionStart::EnrolmentOverdue => {}
            SessionStart::Outdated => return Ok(Outcome::Refused(Refused::Invalid)),
        }
        Ok(Outcome::Started(start))
    }

    /// The user to whom an unknown identity belongs from now on, and whether the account is new.
    fn find_owner(
        &self,
        context: &Context,
        change: &Change<'_>,
        new: Option<&SignUp>,
        notices: &Notices,
        now: Timestamp,
    ) -> Result<Result<(UserId, bool), Refused>> {
        let Some(address) = self.identity.verified_address() else {
            return Ok(Err(match self.creates_accounts {
                true => Refused::AddressUnverified,
                false => Refused::SignUpClosed,
            }));
        };
        let account = users::find_by_address(change, &address)?;
        let user = match (account, new) {
            (None, None) => return Ok(Err(Refused::SignUpClosed)),
            (None, Some(_)) => users::insert(change, &address, self.locale.as_ref(), now)?,
            (Some(account), _) if !self.is_authoritative || account.user.disabled_at.is_some() => {
                return Ok(Err(Refused::AccountExists));
            }
            (Some(account), _) if account.user.email_confirmed_at.is_some() => {
                link(
                    change,
                    &account.user,
                    &self.row(),
                    notices.linked.as_ref(),
                    now,
                )?;
                return Ok(Ok((account.user.id, false)));
            }
            (Some(account), Some(sign_up)) if account.user.role == Role::User => {
                return self.claim(context, change, &account, sign_up, notices, now);
            }
            (Some(_), _) => return Ok(Err(Refused::AccountExists)),
        };
        let (Some(user), Some(sign_up)) = (user, new) else {
            return Ok(Err(Refused::AccountExists));
        };
        self.set_up(context, change, user, sign_up, now)
            .map(|user| Ok((user, true)))
    }

    /// Gives an account whose address was never verified to the owner of the mailbox, or a fresh one in its place, as the
    /// settings say of a reset by mail.
    fn claim(
        &self,
        context: &Context,
        change: &Change<'_>,
        account: &Account,
        sign_up: &SignUp,
        notices: &Notices,
        now: Timestamp,
    ) -> Result<Result<(UserId, bool), Refused>> {
        let unverified = context.settings.registration.unverified_reset;
        let removed = notices.password_removed.as_ref();
        let Some(claimed) = claim_account(change, account, unverified, removed, now)? else {
            return Ok(Err(Refused::AccountExists));
        };
        let user = claimed.user;
        if user.id != account.user.id {
            let set_up = self.set_up(context, change, user, sign_up, now);
            return set_up.map(|user| Ok((user, true)));
        }
        link(change, &user, &self.row(), notices.linked.as_ref(), now)?;
        Ok(Ok((user.id, false)))
    }

    /// Gives a new account without a password its identity, its verified address and its name.
    fn set_up(
        &self,
        context: &Context,
        change: &Change<'_>,
        user: User,
        sign_up: &SignUp,
        now: Timestamp,
    ) -> Result<UserId> {
        users::confirm_address(change, user.id, &user.email_address, now)?;
        let profile = new_profile(&self.identity);
        let details = DetailChanges {
            name: self.identity.name.as_deref().map(Some),
            profile: profile.as_ref(),
        };
        users::update_details(change, user.id, &details, now)?;
        // The sign-up is its own notice.
        link(change, &user, &self.row(), None, now)?;
        let user = User {
            email_confirmed_at: Some(now),
            name: self.identity.name.clone(),
            profile: profile.unwrap_or_default(),
            ..user
        };
        context.hooks.signed_up(change, sign_up, &user)?;
        Ok(user.id)
    }

    fn row(&self) -> NewIdentity<'_> {
        NewIdentity {
            provider: &self.provider,
            issuer: &self.identity.issuer,
            subject: &self.identity.subject,
            email: self.identity.email.as_deref(),
        }
    }
}
