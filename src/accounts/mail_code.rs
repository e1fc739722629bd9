//! Codes and links that are mailed: signing in by one, and reauthenticating by a code. `POST /v1/session/code` requests it.
//!
//! # Threats
//! - guessing: five codes for each request, counted in its row by one conditional update; a limit by client network;
//!   and one by user on wrong codes of a day, over all requests. Beyond it each code is refused as a wrong one is, so
//!   that the reply does not reveal whether the address has an account
//! - an attacker who uses up that limit: it holds for typed codes alone. The link of the mail signs in, as do a
//!   password and a passkey
//! - a code that outlives a change of credentials: it is bound to the `credentials_version` of the account
//! - a code or a link that is used twice, twenty times at once or on two nodes: its use deletes the row, and of concurrent
//!   deletions one wins
//! - enumeration: a request for an unknown address has a row as well, in which wrong codes are counted
//! - a mail scanner that opens the link, runs scripts and presses buttons: a link signs in only the browser or the app that
//!   asked, and shows all others the code, which is worth nothing without the token of the request
//! - a link that a person plants in another's browser: a browser uses a link only by its own cookie and on the page of the
//!   application itself
//! - an account that another person prepared for the owner of the mailbox: see
//!   [`unverified_account`](super::unverified_account)
//! - a mailbox that an attacker reads: a mailed code is one factor, never a second one, and no reauthentication where there
//!   is a password or a second factor

use std::sync::Arc;

use zeroize::Zeroizing;

use super::authentication::Authentication;
use super::password_sign_in::SignedIn;
use super::sign_in_methods::SignInMethods;
use super::start_session::{SessionDraft, SessionStart, StartedSession, start_session};
use super::unverified_account::{RemovalNotices, claim_account};
use crate::audit::Event;
use crate::config::UnverifiedReset;
use crate::context::{Change, Context};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::mail_code::MailCode;
use crate::crypto::signed_link;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Account, ClientInfo, SecondFactorDue, TokenDigest, UserId};
use crate::store::mail_codes::MailCodeRequest;
use crate::store::{Reader, mail_codes, totp_factors, users};
use crate::throttle::{Admission, Throttle};

/// Codes that may be tried for one request.
const MAX_TRIES: u32 = 5;
const LINK_INVALID: Error = Error::LinkInvalid("Sign-in link is invalid or has expired.");
const OTHER_BROWSER: Error = Error::LinkInvalid(
    "This browser did not ask for the link. Type the code where you asked for it.",
);

/// A code and the token of its request, as they were presented.
#[derive(Clone)]
pub struct PresentedCode {
    /// `None` for a text that can be none.
    request: Option<TokenDigest>,
    code: Option<MailCode>,
}

impl PresentedCode {
    /// For the values of a form.
    pub fn new(request_token: &str, code: &str) -> Self {
        Self {
            request: request_of(request_token),
            code: MailCode::parse(code),
        }
    }

    /// Uses the code as a proof of this account's user; `false` if it is wrong, another user's, or was mailed before a
    /// change of credentials.
    pub fn prove(
        &self,
        change: &Change<'_>,
        account: &Account,
        (key_ring, throttle): (&KeyRing, &Throttle),
        now: Timestamp,
    ) -> Result<bool> {
        let Some(token) = &self.request else {
            return Ok(false);
        };
        let user = account.user.id;
        let counted = mail_codes::try_once(change, token, MAX_TRIES, now)?;
        let recipient = Some((user, account.credentials_version));
        let Some(request) = counted.filter(|request| request.recipient == recipient) else {
            return Ok(false);
        };
        let is_right = self.is_code_of(&request.token, key_ring, now);
        let is_admitted = admits_code(change, throttle, user, is_right, now)?;
        Ok(is_admitted && is_right && mail_codes::take(change, token)?)
    }

    fn is_code_of(&self, request: &TokenDigest, key_ring: &KeyRing, now: Timestamp) -> bool {
        let code = self.code.as_ref();
        code.is_some_and(|code| code.is_of(key_ring, request, now))
    }
}

/// Whether the user has wrong codes left for today, of which a wrong one is counted.
fn admits_code(
    change: &Change<'_>,
    throttle: &Throttle,
    user: UserId,
    is_right: bool,
    now: Timestamp,
) -> Result<bool> {
    let limit = throttle.mail_code_guesses(user);
    match is_right {
        true => throttle.has_room(change, &limit, now),
        false => throttle.admits(change, &limit, now),
    }
}

/// Whether a mailed code may reauthenticate the user: there is no other proof.
pub fn is_only_proof(
    reader: &Reader<'_>,
    account: &Account,
    methods: &SignInMethods,
) -> Result<bool> {
    let user = account.user.id;
    let has_factors =
        methods.has_passkey(reader, user)? || totp_factors::enrolled_at(reader, user)?.is_some();
    Ok(account.password_digest.is_none() && !has_factors)
}

/// The request that a link was mailed for; `None` if the link is forged or the request has ended.
pub async fn open_mail_link(context: &Context, token: &str) -> Result<Option<MailCodeRequest>> {
    let now = context.clock.now();
    let Some(link) = signed_link::verify_mail_link(&context.key_ring, token, now) else {
        return Ok(None);
    };
    let found = context.database.read(move |reader| {
        let account = users::find(reader, link.subject)?;
        let Some(account) = account.filter(|account| account.user.disabled_at.is_none()) else {
            return Ok(None);
        };
        let version = account.credentials_version;
        let open = mail_codes::list_for_user(reader, link.subject, MAX_TRIES, now)?;
        Ok(open
            .into_iter()
            .find(|request| signed_link::mail_link_is_for(&link, &request.token, version)))
    });
    found.await
}

/// What a client presents to sign in by mail.
pub enum MailSignIn {
    /// The code.
    Code(PresentedCode),
    /// The link, and what shows that the client asked for it.
    Link {
        /// The token of the link.
        link: Zeroizing<String>,
        /// The token in the browser's cookie.
        browser: Option<TokenDigest>,
        /// The token of the request, which an app has.
        request: Option<TokenDigest>,
    },
}

impl MailSignIn {
    /// By the link.
    pub fn by_link(link: &str, browser: Option<TokenDigest>, request_token: &str) -> Self {
        Self::Link {
            link: Zeroizing::new(link.trim().to_owned()),
            browser,
            request: request_of(request_token),
        }
    }

    /// Starts a session.
    ///
    /// # Errors
    /// [`Error::InvalidCode`], [`Error::LinkInvalid`], [`Error::CrossOrigin`], [`Error::RateLimited`],
    /// [`Error::SecondFactorRequired`], [`Error::SecondFactorOverdue`], and those of the database.
    pub async fn start_session(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
    ) -> Result<SignedIn<()>> {
        let limits = vec![context.throttle.sign_in(client.ip)];
        let admission = context.admit(client, limits).await?;
        let started = self.verify_and_start(context, client, admission.clone());
        context.counted(&admission, started).await
    }

    async fn verify_and_start(
        self,
        context: &Arc<Context>,
        client: &ClientInfo,
        admission: Admission,
    ) -> Result<SignedIn<()>> {
        let now = context.clock.now();
        let (request, proof) = self.verify(context, client, now).await?;
        let (mut draft, token) = SessionDraft::new(context, client, request.remembered, now)?;
        // For an unknown address too, in the same time.
        let user = request.recipient.map_or(UserId(0), |(user, _)| user);
        draft.look(context, user, now).await?;
        let step = MailStep {
            request: request.token,
            proof,
            draft,
            admission,
            throttle: context.throttle.clone(),
            unverified: context.settings.registration.unverified_reset,
            removals: RemovalNotices::of(context, client),
        };
        let finished = context.commit(client, move |change| step.finish(change, now));
        match finished.await? {
            Finished::SignedIn(started) => Ok(SignedIn {
                user: started.user,
                session: started.session,
                token,
                made: (),
            }),
            Finished::SecondFactorDue(due) => Err(Error::SecondFactorRequired(due)),
            Finished::EnrolmentOverdue => Err(Error::SecondFactorOverdue),
            Finished::Refused => Err(match proof {
                Proof::Code { .. } => Error::InvalidCode,
                Proof::Link => LINK_INVALID,
            }),
        }
    }

    /// The request, if it is open: whether its code is right is counted and decided in the transaction.
    async fn verify(
        self,
        context: &Context,
        client: &ClientInfo,
        now: Timestamp,
    ) -> Result<(MailCodeRequest, Proof)> {
        match self {
            Self::Code(presented) => {
                let found = match presented.request {
                    Some(token) => {
                        let find = move |reader: &Reader<'_>| {
                            mail_codes::find(reader, &token, MAX_TRIES, now)
                        };
                        context.database.read(find).await?
                    }
                    None => None,
                };
                let Some(request) = found else {
                    context.refused(client, Event::MailCodeRefused { user: None });
                    return Err(Error::InvalidCode);
                };
                let is_right = presented.is_code_of(&request.token, &context.key_ring, now);
                Ok((request, Proof::Code { is_right }))
            }
            Self::Link {
                link,
                browser,
                request: asked,
            } => {
                let Some(request) = open_mail_link(context, &link).await? else {
                    context.refused(client, Event::MailLinkRefused);
                    return Err(LINK_INVALID);
                };
                if asked != Some(request.token) {
                    if browser.is_none() || browser != request.browser {
                        context.refused(client, Event::MailLinkRefused);
                        return Err(OTHER_BROWSER);
                    }
                    if !client.same_origin {
                        context.refused(client, Event::CrossOriginRefused);
                        return Err(Error::CrossOrigin);
                    }
                }
                Ok((request, Proof::Link))
            }
        }
    }
}

/// How a sign-in by mail was verified.
#[derive(Clone, Copy)]
enum Proof {
    /// By a code, which is counted whether it is right or not.
    Code { is_right: bool },
    /// By a link with a valid signature.
    Link,
}

/// A sign-in by mail, to be finished in a transaction.
struct MailStep {
    request: TokenDigest,
    proof: Proof,
    draft: SessionDraft,
    admission: Admission,
    throttle: Throttle,
    unverified: UnverifiedReset,
    removals: RemovalNotices,
}

/// What came of it.
enum Finished {
    SignedIn(Box<StartedSession>),
    SecondFactorDue(Box<SecondFactorDue>),
    EnrolmentOverdue,
    Refused,
}

impl MailStep {
    fn finish(&self, change: &Change<'_>, now: Timestamp) -> Result<Finished> {
        let (found, is_right) = match self.proof {
            Proof::Code { is_right } => (
                mail_codes::try_once(change, &self.request, MAX_TRIES, now)?,
                is_right,
            ),
            Proof::Link => (
                mail_codes::find(change, &self.request, MAX_TRIES, now)?,
                true,
            ),
        };
        let account = match found.and_then(|request| request.recipient) {
            Some((user, version)) => users::find(change, user)?.filter(|account| {
                account.credentials_version == version && account.user.disabled_at.is_none()
            }),
            None => None,
        };
        let user = account.as_ref().map(|account| account.user.id);
        let mut draft = self.draft.clone();
        if account
            .as_ref()
            .is_some_and(|account| account.user.email_confirmed_at.is_none())
        {
            // Verifying it may replace the account and forget its devices.
            draft.forget_look();
        }
        let is_admitted = match self.proof {
            Proof::Code { .. } => {
                let counted = user.unwrap_or_else(|| no_user(&self.request));
                admits_code(change, &self.throttle, counted, is_right, now)?
            }
            Proof::Link => true,
        };
        let account = match account.filter(|_| is_admitted && is_right) {
            Some(account) if mail_codes::take(change, &self.request)? => {
                self.verified(change, account, now)?
            }
            _ => None,
        };
        let Some(account) = account else {
            change.record(match self.proof {
                Proof::Code { .. } => Event::MailCodeRefused { user },
                Proof::Link => Event::MailLinkRefused,
            });
            return Ok(Finished::Refused);
        };
        let authentication = Authentication::by_mail(&account, now);
        match start_session(change, &authentication, &draft, now)? {
            SessionStart::Session(started) => {
                started.record(change);
                self.admission.give_back_after(change)?;
                Ok(Finished::SignedIn(started))
            }
            SessionStart::SecondFactorDue(due) => {
                self.admission.give_back_after(change)?;
                Ok(Finished::SecondFactorDue(due))
            }
            SessionStart::EnrolmentOverdue => {
                self.admission.give_back_after(change)?;
                Ok(Finished::EnrolmentOverdue)
            }
            // The account was read in this transaction.
            SessionStart::Outdated => Err(Error::internal("a sign-in by mail was outdated")),
        }
    }

    /// The account, whose address the mail proves.
    fn verified(
        &self,
        change: &Change<'_>,
        account: Account,
        now: Timestamp,
    ) -> Result<Option<Account>> {
        match account.user.email_confirmed_at {
            Some(_) => Ok(Some(account)),
            None => claim_account(change, &account, self.unverified, &self.removals, now),
        }
    }
}

/// A number that no user has. The wrong codes of a request for an address without an account are counted by it, so that they
/// take the same time; each request has its own, so that no row is written by all.
fn no_user(request: &TokenDigest) -> UserId {
    let bytes = request.as_bytes().first_chunk().copied();
    UserId(i64::from_be_bytes(bytes.unwrap_or_default()) | i64::MIN)
}

fn request_of(token: &str) -> Option<TokenDigest> {
    let token = PlainToken::parse(TokenKind::MailCode, token.trim());
    token.map(|token| token.digest())
}
