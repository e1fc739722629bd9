//! The mailed link that links an identity at another provider to the account that has its address, and signs in.
//!
//! # Threats
//! - an attacker who has an identity with the victim's address: the link is mailed to the victim, and works only in the
//!   browser or the app that signed in at the provider. A victim who opens it elsewhere changes nothing
//! - a mail scanner that opens the link, runs scripts and presses buttons: it is not that browser
//! - a page of others that makes the victim's browser use the link: it must come from the application itself
//! - a link that is used twice, at once or on two nodes: its use deletes the row of its request, and of concurrent
//!   deletions one wins
//! - a change of credentials or of the address meanwhile, or a sign-out everywhere: the requests of the user are
//!   deleted, and the link is bound to the account's counter
//! - a flood of mails to one address: limited, without a change of the reply; a request without a mail leaves no row
//! - an account that another person prepared for the owner of the mailbox: see
//!   [`unverified_account`](super::unverified_account)
//! - an account with a second factor: it is due as at each sign-in

use std::sync::Arc;

use super::authentication::Authentication;
use super::identities::{Linked, link};
use super::identity_claims::{fill_details, keep_metadata};
use super::start_session::{SessionDraft, SessionStart, start_session};
use super::unverified_account::{RemovalNotices, claim_account};
use crate::audit::Event;
use crate::config::UnverifiedReset;
use crate::context::{Change, Context};
use crate::crypto::signed_link;
use crate::crypto::signed_message::SignedMessage;
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::{IDENTITY_LINK_LIFETIME, MailKind};
use crate::domain::{Account, ClientInfo, Locale, Role};
use crate::mail::{self, Notice};
use crate::providers::{BoundTo, Identity};
use crate::store::identities::{self, NewIdentity};
use crate::store::identity_link_requests::{self, IdentityLinkRequest};
use crate::store::users;
use crate::throttle::{Admission, Throttle};

const LINK_INVALID: Error = Error::LinkInvalid("Link is invalid or has expired.");
const OTHER_BROWSER: Error =
    Error::LinkInvalid("Open the link in the browser in which you signed in by the provider.");

/// An identity whose address has an account.
pub struct LinkableIdentity<'a> {
    /// The name of the provider.
    pub provider: &'a str,
    /// The browser or the app that signed in there.
    pub bound_to: &'a str,
    /// Who the user is there.
    pub identity: &'a Identity,
    /// Whether the sign-in sent `remember`.
    pub remember: bool,
    /// The language of the mail, if the account has none.
    pub locale: Option<&'a Locale>,
}

impl LinkableIdentity<'_> {
    /// Enqueues the mail to the account, unless it is disabled or gets too many.
    pub fn request_link(
        &self,
        change: &Change<'_>,
        throttle: &Throttle,
        account: &Account,
        now: Timestamp,
    ) -> Result<()> {
        let address = &account.user.email_address;
        if account.user.disabled_at.is_some()
            || !throttle.admits(change, &throttle.identity_link_mails(address), now)?
        {
            return Ok(());
        }
        let new = IdentityLinkRequest {
            user_id: account.user.id,
            provider: self.provider.to_owned(),
            bound_to: self.bound_to.to_owned(),
            identity: serde_json::to_string(self.identity).map_err(Error::internal)?,
            remembered: self.remember,
            expires_at: now + IDENTITY_LINK_LIFETIME,
        };
        let request = identity_link_requests::insert(change, &new)?;
        let user = account.user.id;
        change.record(Event::IdentityLinkRequested { user });
        mail::enqueue_identity_link(change, request, address, self.locale, now)
    }
}

/// A link that is valid, and what it links.
pub struct OpenedIdentityLink {
    /// The account.
    pub account: Account,
    /// What the sign-in at the provider left.
    pub request: IdentityLinkRequest,
    /// The identity in it.
    pub identity: Identity,
    id: i64,
    link: SignedMessage,
}

/// The account, the request and the identity of a link.
///
/// # Errors
/// [`Error::LinkInvalid`], recorded, if it is forged, used or expired, or if its provider was removed from the
/// settings; and those of the database.
pub async fn open_identity_link(
    context: &Context,
    client: &ClientInfo,
    token: &str,
) -> Result<OpenedIdentityLink> {
    match find(context, token).await? {
        Some(opened) => Ok(opened),
        None => {
            context.refused(client, Event::IdentityLinkRefused);
            Err(LINK_INVALID)
        }
    }
}

async fn find(context: &Context, token: &str) -> Result<Option<OpenedIdentityLink>> {
    let now = context.clock.now();
    let Some(link) = signed_link::verify_identity_link(&context.key_ring, token, now) else {
        return Ok(None);
    };
    let user = link.subject;
    let found = context.database.read(move |reader| {
        let Some(account) = users::find(reader, user)? else {
            return Ok(None);
        };
        let open = identity_link_requests::list_for_user(reader, user, now)?;
        Ok(Some((account, open)))
    });
    let Some((account, open)) = found.await? else {
        return Ok(None);
    };
    let is_for = |(id, request): &(i64, IdentityLinkRequest)| {
        signed_link::identity_link_is_for(&link, &account, (*id, &request.identity))
    };
    let request = open.into_iter().find(is_for);
    let is_offered = |(_, request): &(i64, IdentityLinkRequest)| {
        context.providers.find(&request.provider).is_some()
    };
    let Some((id, request)) = request.filter(is_offered) else {
        return Ok(None);
    };
    Ok(Some(OpenedIdentityLink {
        identity: serde_json::from_str(&request.identity).map_err(Error::internal)?,
        account,
        request,
        id,
        link,
    }))
}

impl OpenedIdentityLink {
    /// Whether this browser signed in at the provider.
    pub fn is_bound_to(&self, bearer: Option<&BoundTo>) -> bool {
        bearer.is_some_and(|bearer| bearer.as_str() == self.request.bound_to)
    }
}

/// What came of a link that was used.
pub enum Used {
    /// The identity is linked, and a session with this token was started or waits for a second factor.
    Started(SessionStart, PlainToken),
    /// The user has as many identities as there may be.
    TooMany,
}

/// Links the identity of a mailed link and starts a session. `bearer` is the browser or the app that presents the link.
///
/// # Errors
/// [`Error::LinkInvalid`], [`Error::CrossOrigin`], [`Error::IdentityTaken`], [`Error::RateLimited`] and those of the
/// database.
pub async fn use_identity_link(
    context: &Arc<Context>,
    client: &ClientInfo,
    token: &str,
    bearer: Option<&BoundTo>,
) -> Result<Used> {
    let limits = vec![context.throttle.sign_in(client.ip)];
    let admission = context.admit(client, limits).await?;
    let used = verify_and_use(context, client, token, bearer, admission.clone());
    context.counted(&admission, used).await
}

async fn verify_and_use(
    context: &Arc<Context>,
    client: &ClientInfo,
    token: &str,
    bearer: Option<&BoundTo>,
    admission: Admission,
) -> Result<Used> {
    let opened = open_identity_link(context, client, token).await?;
    if !opened.is_bound_to(bearer) {
        context.refused(client, Event::IdentityLinkRefused);
        return Err(OTHER_BROWSER);
    }
    if !bearer.is_some_and(BoundTo::is_app) && !client.same_origin {
        context.refused(client, Event::CrossOriginRefused);
        return Err(Error::CrossOrigin);
    }
    let now = context.clock.now();
    let (mut draft, token) = SessionDraft::new(context, client, opened.request.remembered, now)?;
    if opened.account.user.email_confirmed_at.is_some() {
        draft.look(context, opened.account.user.id, now).await?;
    }
    let step = LinkStep {
        context: Arc::clone(context),
        opened,
        draft,
        admission,
        unverified: context.settings.registration.unverified_reset,
        linked: context.notice(client, MailKind::IdentityLinked),
        removals: RemovalNotices::of(context, client),
    };
    match context
        .commit(client, move |change| step.finish(change, now))
        .await?
    {
        Finished::Started(start) => Ok(Used::Started(start, token)),
        Finished::TooMany => Ok(Used::TooMany),
        Finished::Taken => Err(Error::IdentityTaken),
        Finished::Refused => Err(LINK_INVALID),
    }
}

/// The use of a link, to be finished in a transaction.
struct LinkStep {
    context: Arc<Context>,
    opened: OpenedIdentityLink,
    draft: SessionDraft,
    admission: Admission,
    unverified: UnverifiedReset,
    linked: Option<Notice>,
    removals: RemovalNotices,
}

/// What came of it.
enum Finished {
    Started(SessionStart),
    TooMany,
    Taken,
    Refused,
}

impl LinkStep {
    fn finish(&self, change: &Change<'_>, now: Timestamp) -> Result<Finished> {
        let OpenedIdentityLink {
            request,
            identity,
            id,
            link: token,
            ..
        } = &self.opened;
        let account = users::find(change, request.user_id)?.filter(|account| {
            signed_link::identity_link_is_for(token, account, (*id, &request.identity))
        });
        let Some(account) = account else {
            return Ok(refused(change));
        };
        if identities::find_user(change, &identity.issuer, &identity.subject)?.is_some() {
            return Ok(Finished::Taken);
        }
        if !identity_link_requests::take(change, *id, now)? {
            return Ok(refused(change));
        }
        let Some(account) = self.verified(change, account, now)? else {
            return Ok(refused(change));
        };
        let new = NewIdentity {
            provider: &request.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            email: identity.email.as_deref(),
        };
        match link(change, &account.user, &new, self.linked.as_ref(), now)? {
            Linked::Done(_) => {}
            Linked::TooMany => return Ok(Finished::TooMany),
            Linked::Taken => return Err(Error::IdentityTaken),
        }
        let Some(mut account) = users::find(change, account.user.id)? else {
            return Err(Error::internal("a linked account is missing"));
        };
        account.user = keep_metadata(&self.context, change, account.user, identity, now)?;
        let authentication = Authentication::by_identity(&account, now);
        let start = start_session(change, &authentication, &self.draft, now)?;
        match &start {
            SessionStart::Session(started) => started.record(change),
            SessionStart::SecondFactorDue(_) | SessionStart::EnrolmentOverdue => {}
            // The account was read in this transaction.
            SessionStart::Outdated => {
                return Err(Error::internal("a sign-in by a mailed link was outdated"));
            }
        }
        self.admission.give_back_after(change)?;
        Ok(Finished::Started(start))
    }

    /// The account, whose address the mail proves, or the new one in its place. That of an operator is never replaced.
    fn verified(
        &self,
        change: &Change<'_>,
        account: Account,
        now: Timestamp,
    ) -> Result<Option<Account>> {
        if account.user.email_confirmed_at.is_some() {
            return Ok(Some(account));
        }
        let unverified = match account.user.role {
            Role::User => self.unverified,
            Role::Operator => UnverifiedReset::Keep,
        };
        let claimed = claim_account(change, &account, unverified, &self.removals, now)?;
        if let Some(new) = claimed.as_ref().map(|claimed| claimed.user.id)
            && new != account.user.id
        {
            fill_details(change, new, &self.opened.identity, now)?;
        }
        Ok(claimed)
    }
}

fn refused(change: &Change<'_>) -> Finished {
    change.record(Event::IdentityLinkRefused);
    Finished::Refused
}
