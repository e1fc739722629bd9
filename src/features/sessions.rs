//! Signing in, asking who one is, signing out; and the two doors that other features share: `Opening`, where
//! every way in ends, and `credentials_changed`, the one list of what dies when a password changes.
//!
//! Fears: guessing (limits by client and by address, counted before the check); telling a known address from an
//! unknown one (one reply, one bcrypt, one write before it for both); a password that changes while it is being
//! checked (the session starts only if the digest is still the one that was verified, else it is checked again); a
//! token that outlives its sign-out (the reply leaves after the commit).

use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{CurrentSession, CurrentUser, Input, Routes, Visit, audit};
use crate::model::{EmailAddress, PasswordDigest, Session, SessionId, User, UserId};
use crate::password::Password;
use crate::store::Transaction;
use crate::store::sessions::{self as rows, NewSession};
use crate::store::users::{self, Account};
use crate::throttle::Rule;
use crate::token::{PlainToken, TokenKind};

/// How often the password is checked when the digest changes meanwhile.
const ROUNDS: u32 = 3;

pub(super) fn routes(routes: &mut Routes) {
    routes.public(Method::POST, "/v1/session", create).protected(Method::GET, "/v1/session", show).protected(
        Method::DELETE,
        "/v1/session",
        destroy,
    );
}

async fn create(context: web::Data<Context>, visit: Visit, input: Input) -> Result<HttpResponse> {
    let attempt = Attempt::read(&input)?;
    let failures = context.throttle.address_failures(&attempt.typed_address, visit.ip);
    visit.admit(&context, vec![context.throttle.sign_in(visit.ip), failures.clone()]).await?;

    for _ in 0..ROUNDS {
        let account = attempt.verify(&context, &visit).await?;
        let rehashed = attempt.rehash(&context, &account).await;
        let now = context.clock.now();
        let (opening, token) = Opening::prepare(&context, &visit, attempt.remember, now)?;
        let (context, visit) = (context.clone(), visit.clone());
        let (verified, failures) = (account.clone(), failures.clone());
        let session = audit::see_through(async move {
            let user = verified.user.id;
            let started = context
                .database
                .write(move |tx| sign_in(tx, &verified, rehashed.as_ref(), &failures, &opening, now))
                .await?;
            Ok(started.map(|Started { session, evicted }| {
                audit::signed_in(&visit, user, session.id, evicted, false);
                session
            }))
        });
        if let Some(session) = session.await? {
            return Ok(HttpResponse::Ok().json(SignedIn::new(&token, &account.user, &session)));
        }
    }
    Err(Error::unavailable("digest_unsettled", Duration::from_secs(1)))
}

async fn show(context: web::Data<Context>, user: CurrentUser, session: CurrentSession) -> HttpResponse {
    let mut view = SessionView::new(&session, session.id);
    view.last_active_at = context.activity.last_of(&session);
    HttpResponse::Ok().json(Shown { user: &user, session: view })
}

async fn destroy(context: web::Data<Context>, visit: Visit, session: CurrentSession) -> Result<HttpResponse> {
    let (id, user_id) = (session.id, session.user_id);
    audit::see_through(async move {
        match context.database.write(move |tx| rows::delete(tx, id)).await? {
            true => audit::session_ended(&visit, user_id, id),
            // Another sign-out with the same token was faster.
            false => return Err(Error::TokenInvalid),
        }
        Ok(())
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Logged out" })))
}

/// One try to sign in. An unusable address or password is no fault of form: it is a wrong one.
struct Attempt {
    typed_address: String,
    email_address: Option<EmailAddress>,
    password: Option<Password>,
    remember: bool,
}

impl Attempt {
    fn read(input: &Input) -> Result<Self> {
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
    async fn verify(&self, context: &Context, visit: &Visit) -> Result<Account> {
        let account = self.find_account(context).await?;
        let digest = account.as_ref().map(|account| account.password_digest.clone());
        let verified = context.passwords.verify(self.password.clone(), digest).await?;
        let known = account.as_ref().map(|account| account.user.id);
        let account = account.filter(|account| verified && account.user.disabled_at.is_none());
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
    async fn rehash(&self, context: &Context, account: &Account) -> Option<PasswordDigest> {
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

/// Gives `None` when the digest is no longer the one that was verified: a reset, or another sign-in that wrote it
/// at a new cost, was faster. Which of the two, only checking again tells.
fn sign_in(
    tx: &Transaction<'_>,
    verified: &Account,
    rehashed: Option<&PasswordDigest>,
    failures: &Rule,
    opening: &Opening,
    now: Timestamp,
) -> Result<Option<Started>> {
    let id = verified.user.id;
    let unchanged = users::find(tx, id)?.is_some_and(|account| {
        account.password_digest == verified.password_digest && account.user.disabled_at.is_none()
    });
    if !unchanged {
        return Ok(None);
    }
    if let Some(digest) = rehashed {
        users::replace_digest(tx, id, &verified.password_digest, digest, now)?;
    }
    failures.forgive(tx, now)?;
    opening.start(tx, id, now).map(Some)
}

/// A session about to be started. Every way in ends here: sign-up, sign-in, whatever comes later.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    new: NewSession,
    max_per_user: u32,
}

/// A session that was started.
#[derive(Clone, Debug)]
pub(super) struct Started {
    pub(super) session: Session,
    /// How many of the user's others ended for it.
    pub(super) evicted: usize,
}

impl Opening {
    /// A fresh token, and all that the transaction needs to know of it.
    pub(super) fn prepare(
        context: &Context,
        visit: &Visit,
        remember: bool,
        now: Timestamp,
    ) -> Result<(Self, PlainToken)> {
        let token = PlainToken::generate(TokenKind::Session)?;
        let settings = &context.settings.session;
        let lifetime = if remember { settings.remember_lifetime } else { settings.lifetime };
        let new = NewSession {
            token_digest: token.digest(),
            ip_address: visit.ip.to_string(),
            user_agent: visit.user_agent.clone(),
            expires_at: now + lifetime,
        };
        Ok((Self { new, max_per_user: settings.max_per_user }, token))
    }

    /// Starts it; beyond the number that a user may have, the least recently active one ends.
    pub(super) fn start(&self, tx: &Transaction<'_>, user_id: UserId, now: Timestamp) -> Result<Started> {
        let session = rows::insert(tx, user_id, &self.new, now)?;
        let evicted = rows::delete_beyond(tx, user_id, session.id, self.max_per_user)?;
        Ok(Started { session, evicted })
    }
}

/// What dies when a password changes, in the same transaction: every session of the user. Reset links die by
/// themselves, being bound to the digest. Gives how many sessions ended.
pub(crate) fn credentials_changed(tx: &Transaction<'_>, user_id: UserId) -> Result<usize> {
    rows::delete_all_for_user(tx, user_id)
}

/// The reply that shows a token, the only one.
#[derive(Serialize)]
pub(super) struct SignedIn<'a> {
    token: &'a str,
    expires_at: Timestamp,
    user: &'a User,
    session: SessionView<'a>,
}

impl<'a> SignedIn<'a> {
    pub(super) fn new(token: &'a PlainToken, user: &'a User, session: &'a Session) -> Self {
        Self {
            token: token.reveal(),
            expires_at: session.expires_at,
            user,
            session: SessionView::new(session, session.id),
        }
    }
}

/// The reply to who one is.
#[derive(Serialize)]
struct Shown<'a> {
    user: &'a User,
    session: SessionView<'a>,
}

/// A session as its user sees it.
#[derive(Serialize)]
struct SessionView<'a> {
    id: SessionId,
    ip_address: &'a str,
    user_agent: Option<&'a str>,
    created_at: Timestamp,
    last_active_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

impl<'a> SessionView<'a> {
    fn new(session: &'a Session, current: SessionId) -> Self {
        Self {
            id: session.id,
            ip_address: &session.ip_address,
            user_agent: session.user_agent.as_deref(),
            created_at: session.created_at,
            last_active_at: session.last_active_at,
            expires_at: session.expires_at,
            current: session.id == current,
        }
    }
}
