//! Signing in, asking who one is, signing out; and the doors that other features share: `Opening`, where every way in
//! ends, `hand_over`, which shows its token, `take_back` for one that ended, `Challenge`, the proof that a change asks
//! for, and `credentials_changed`, the one list of what dies with it.
//!
//! Fears: guessing (limits by client and by address, counted before the check); telling a known address from an
//! unknown one (one reply, one bcrypt, one write before it for both); a password that changes while it is being
//! checked (the session starts only if the digest is still the one that was verified, else it is checked again); a
//! token that outlives its sign-out (the reply leaves after the commit); a cookie planted beforehand (the token is
//! always a new one, and the session of the cookie that came along ends).

mod attempt;
mod challenge;
mod changes;
mod confirmed;
mod opening;
mod reply;
mod rotation;
mod sudo;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use self::attempt::Attempt;
pub(super) use self::challenge::Challenge;
pub use self::changes::{Survivors, credentials_changed};
pub(super) use self::opening::{Opening, Started};
pub(super) use self::reply::{SessionView, hand_over, take_back, transport};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Caller, CurrentSession, Input, Routes, Visit, audit, to_the_end};
use crate::model::{PasswordDigest, User};
use crate::store::Transaction;
use crate::store::sessions as rows;
use crate::store::users::{self, Account};
use crate::throttle::Rule;

/// How often the password is checked when the digest changes meanwhile.
const ROUNDS: u32 = 3;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/session", create)
        .any_credential(Method::GET, "/v1/session", show)
        .protected(Method::DELETE, "/v1/session", destroy)
        .protected(Method::POST, "/v1/session/confirm", sudo::create)
        .protected(Method::POST, "/v1/session/rotate", rotation::create);
}

async fn create(context: web::Data<Context>, visit: Visit, input: Input) -> Result<HttpResponse> {
    let carrier = transport(&input, &visit)?;
    let attempt = Attempt::read(&input)?;
    let failures = context.throttle.address_failures(&attempt.typed_address, visit.ip);
    let mut attempt = attempt.admit(&context, &visit, &failures).await?;

    for _ in 0..ROUNDS {
        let account = attempt.verify(&context, &visit).await?;
        confirmed::require(&context, &visit, &account, &failures).await?;
        let rehashed = attempt.rehash(&context, &account).await;
        let now = context.clock.now();
        let (opening, token) = Opening::prepare(&context, &visit, attempt.remember, now)?;
        opening.make_ready(&context, account.user.id).await?;
        let (shared, visit) = (context.clone(), visit.clone());
        let (verified, failures) = (account.clone(), failures.clone());
        let session = to_the_end(async move {
            let user = verified.user.id;
            let started = shared
                .database
                .write(move |tx| sign_in(tx, &verified, rehashed.as_ref(), &failures, &opening, now))
                .await?;
            Ok(started.map(|Started { session, evicted, replaced, new_device }| {
                if new_device {
                    shared.courier.wake();
                }
                audit::signed_in(&visit, user, session.id, evicted, replaced, new_device);
                session
            }))
        });
        if let Some(session) = session.await? {
            return hand_over(HttpResponse::Ok(), &context, carrier, &token, &account.user, &session);
        }
    }
    Err(Error::unavailable("digest_unsettled", Duration::from_secs(1)))
}

async fn show(context: web::Data<Context>, caller: Caller) -> Result<HttpResponse> {
    let (user, session) = (caller.user(&context).await?, caller.session(&context).await?);
    let view = session.as_deref().map(|session| {
        let mut view = SessionView::new(session, session.id);
        view.last_active_at = context.activity.last_of(session);
        view
    });
    Ok(HttpResponse::Ok().json(Shown { user: &user, session: view }))
}

async fn destroy(context: web::Data<Context>, visit: Visit, session: CurrentSession) -> Result<HttpResponse> {
    let (id, user_id, presented) = (session.id, session.user_id, *session.presented());
    let database = context.database.clone();
    to_the_end(async move {
        match database.write(move |tx| rows::delete_by_digest(tx, &presented)).await? {
            true => audit::session_ended(&visit, user_id, id),
            // Another sign-out with the same token was faster, or the session has another token by now.
            false => return Err(Error::TokenInvalid),
        }
        Ok(())
    })
    .await?;
    let mut reply = take_back(HttpResponse::Ok(), &context, session.carrier())?;
    Ok(reply.json(json!({ "message": "Logged out" })))
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

/// The reply to who one is.
#[derive(Serialize)]
struct Shown<'a> {
    user: &'a User,
    session: Option<SessionView<'a>>,
}
