//! Signing in by an identity at another provider: an exchange code becomes a session, and an unknown identity an account.
//!
//! # Threats
//! - a code that is used twice, or twenty times at once: it is used up in the transaction that starts the session
//! - a process that is killed in between: account, identity and session are one transaction
//! - an account taken over by its address: the identity is known by issuer and subject. An account that has the
//!   address is linked only if both sides have verified it: the provider, which must be authoritative for its domain,
//!   and the user. Otherwise a mailed link does: see [`identity_link`](super::identity_link)
//! - an account prepared by an identity of a provider that states addresses of others as verified: it is not linked by
//!   the address, even if a provider that gives out the address comes later
//! - an identity that its user unlinked: it does not come back by its address
//! - an account prepared by another person with the address (squatting), whose sessions and identities would stay: see
//!   [`unverified_account`](super::unverified_account)
//! - an address that its owner never verified: a new account needs one that the provider states as verified
//! - a stolen identity of an account with a second factor: no session starts without the factor
//! - rules of an embedding app about sign-ups: they hold here too

use std::sync::Arc;

use super::authentication::Authentication;
use super::identities::{Linked, link};
use super::identity_claims::{fill_details, keep_metadata};
use super::identity_link::LinkableIdentity;
use super::password_sign_in::lacks_verification;
use super::start_session::{SessionDraft, SessionStart, start_session};
use super::unverified_account::{RemovalNotices, claim_account};
use crate::audit::Event;
use crate::config::UnverifiedReset;
use crate::context::{Change, Context, SignUp};
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, EmailAddress, Locale, Role, TokenDigest, User, UserId};
use crate::mail::Notice;
use crate::providers::Identity;
use crate::store::identities::{self, NewIdentity};
use crate::store::{provider_sign_ins, users};

/// A sign-in that a provider has confirmed.
pub struct IdentitySignIn {
    /// The digest of its exchange code.
    pub code: TokenDigest,
    /// The browser or the app that the code is bound to.
    pub bound_to: String,
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
    /// The language of a new account, or of the mail to one that has no language.
    pub locale: Option<Locale>,
}

/// The notices of a sign-in that changes an account.
struct Notices {
    linked: Option<Notice>,
    removals: RemovalNotices,
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
    /// The identity is unknown, and its address has an account, which a mailed link may link.
    AccountExists,
    /// The identity is unknown, and the user whose address it has has as many identities as there may be.
    TooManyIdentities,
}

impl Refused {
    const fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "exchange_code_invalid",
            Self::Unconfirmed => "email_unconfirmed",
            Self::SignUpClosed => "sign_up_closed",
            Self::AddressUnverified => "address_unverified",
            Self::AccountExists => "account_exists",
            Self::TooManyIdentities => "too_many_identities",
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
        let address = self.identity.verified_address();
        let stated = address.clone();
        let found = context.database.read(move |reader| {
            let known = identities::find_user(reader, &issuer, &subject)?;
            let account = match &stated {
                Some(address) if known.is_none() => users::find_by_address(reader, address)?,
                _ => None,
            };
            Ok((known, account))
        });
        let (known, account) = found.await?;
        if let Some(user) = known {
            draft.look(context, user, now).await?;
        }
        // An account that is only linked is no sign-up.
        let unverified = context.settings.registration.unverified_reset;
        let creates = self.creates_accounts
            && known.is_none()
            && account.is_none_or(|account| self.replaces(&account, unverified));
        let new = address.filter(|_| creates);
        let new = new.map(|address| SignUp::new(address, client.clone()));
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
            removals: RemovalNotices::of(context, client),
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
        let Some(account) = users::find_by_address(change, &address)? else {
            return self.create(context, change, &address, new, now);
        };
        // A provider may give the address of a former user to a new one, whose subject is another.
        let issuer = &self.identity.issuer;
        let is_of_another = identities::has_one_of(change, account.user.id, issuer)?;
        let links = account.links_by_address && !is_of_another;
        match account.user.email_confirmed_at {
            Some(_) if self.owns_address_of(&account) && links => {
                let notice = notices.linked.as_ref();
                let linked = link(change, &account.user, &self.row(), notice, now)?;
                Ok(match linked {
                    Linked::Done(_) => Ok((account.user.id, false)),
                    Linked::Taken => Err(Refused::Invalid),
                    Linked::TooMany => Err(Refused::TooManyIdentities),
                })
            }
            None if self.owns_address_of(&account) && account.user.role == Role::User => {
                self.claim(context, change, &account, new, notices, now)
            }
            _ => self.mail_link(context, change, &account, now),
        }
    }

    /// Whether the provider gives out the address of this account, which may be signed in to.
    fn owns_address_of(&self, account: &Account) -> bool {
        self.is_authoritative && account.user.disabled_at.is_none()
    }

    /// Whether the account gives way to a fresh one.
    fn replaces(&self, account: &Account, unverified: UnverifiedReset) -> bool {
        unverified == UnverifiedReset::Replace
            && self.owns_address_of(account)
            && account.user.email_confirmed_at.is_none()
            && account.user.role == Role::User
    }

    /// A new account for an address that has none.
    fn create(
        &self,
        context: &Context,
        change: &Change<'_>,
        address: &EmailAddress,
        new: Option<&SignUp>,
        now: Timestamp,
    ) -> Result<Result<(UserId, bool), Refused>> {
        if !self.creates_accounts {
            return Ok(Err(Refused::SignUpClosed));
        }
        // Without a sign-up that was checked, the address had an account a moment ago.
        let Some(sign_up) = new else {
            return Ok(Err(Refused::Invalid));
        };
        let Some(user) = users::insert(change, address, self.locale.as_ref(), now)? else {
            return Ok(Err(Refused::Invalid));
        };
        if !self.is_authoritative {
            users::stop_linking_by_address(change, user.id)?;
        }
        let user = self.set_up(context, change, user, sign_up, now)?;
        Ok(Ok((user, true)))
    }

    /// Mails the account a link, by which the owner of the mailbox links the identity.
    fn mail_link(
        &self,
        context: &Context,
        change: &Change<'_>,
        account: &Account,
        now: Timestamp,
    ) -> Result<Result<(UserId, bool), Refused>> {
        let linkable = LinkableIdentity {
            provider: &self.provider,
            bound_to: &self.bound_to,
            identity: &self.identity,
            remember: self.remember,
            locale: self.locale.as_ref(),
        };
        linkable.request_link(change, &context.throttle, account, now)?;
        Ok(Err(Refused::AccountExists))
    }

    /// Gives an account whose address was never verified to the owner of the mailbox, or a fresh one in its place, as the
    /// settings say of a reset by mail.
    fn claim(
        &self,
        context: &Context,
        change: &Change<'_>,
        account: &Account,
        new: Option<&SignUp>,
        notices: &Notices,
        now: Timestamp,
    ) -> Result<Result<(UserId, bool), Refused>> {
        let unverified = context.settings.registration.unverified_reset;
        if self.replaces(account, unverified) && new.is_none() {
            return match self.creates_accounts {
                // The account was another a moment ago.
                true => Ok(Err(Refused::Invalid)),
                false => self.mail_link(context, change, account, now),
            };
        }
        let Some(claimed) = claim_account(change, account, unverified, &notices.removals, now)?
        else {
            return Ok(Err(Refused::Invalid));
        };
        let user = claimed.user;
        match new {
            Some(sign_up) if user.id != account.user.id => {
                let user = self.set_up(context, change, user, sign_up, now)?;
                // Its sign-up is recorded already.
                Ok(Ok((user, false)))
            }
            _ => {
                self.link_to(change, &user, notices.linked.as_ref(), now)?;
                Ok(Ok((user.id, false)))
            }
        }
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
        let profile = fill_details(change, user.id, &self.identity, now)?;
        // The sign-up is its own notice.
        self.link_to(change, &user, None, now)?;
        let user = User {
            email_confirmed_at: Some(now),
            name: self.identity.name.clone(),
            profile: profile.unwrap_or_default(),
            ..user
        };
        context.hooks.signed_up(change, sign_up, &user)?;
        Ok(user.id)
    }

    /// Links the identity, which no user has, to one who has none.
    fn link_to(
        &self,
        change: &Change<'_>,
        user: &User,
        notice: Option<&Notice>,
        now: Timestamp,
    ) -> Result<()> {
        match link(change, user, &self.row(), notice, now)? {
            Linked::Done(_) => Ok(()),
            Linked::Taken | Linked::TooMany => {
                Err(Error::internal("an unknown identity was not linked"))
            }
        }
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
