//! Signing in, asking who one is, signing out; and the doors that other features share: `start_by_password`, the way in
//! by a password, `SessionStart`, where every way in ends, `respond_with_session`, which shows its token, `clear_cookie` for one that ended,
//! `Challenge`, the proof that a change asks for, and `credentials_changed`, the one list of what dies with it.
//!
//! Fears: guessing (limits by client and by address, counted before the check); telling a known address from an
//! unknown one (one reply, one bcrypt, one write before it for both); a password that changes while it is being
//! checked (the session starts only if the digest is still the one that was verified, else it is checked again); a
//! token that outlives its sign-out (the reply leaves after the commit); a cookie planted beforehand (the token is
//! always a new one, and the session of the cookie that came along ends).

mod attempt;
mod by_password;
mod challenge;
mod changes;
mod confirmed;
mod opening;
mod reply;
mod rotation;
mod sudo;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

pub(super) use self::by_password::{SignedIn, start_by_password};
pub(super) use self::challenge::Challenge;
pub use self::changes::{KeepSessions, credentials_changed};
pub(super) use self::opening::{SessionStart, StartedSession};
pub(super) use self::reply::{SessionView, clear_cookie, respond_with_session, transport};
use crate::audit::Event;
use crate::context::Context;
use crate::domain::User;
use crate::domain::error::{Error, Result};
use crate::http::{Caller, ClientInfo, CurrentSession, Input, Routes};
use crate::store::sessions as rows;

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

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    input: Input,
) -> Result<HttpResponse> {
    let carrier = transport(&context, &client, &input)?;
    let alone = start_by_password(&context, &client, &input, |_, _, _| Ok(())).await?;
    let SignedIn {
        user,
        session,
        token,
        ..
    } = alone;
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        carrier,
        &token,
        &user,
        &session,
    )
}

async fn show(context: web::Data<Context>, caller: Caller) -> Result<HttpResponse> {
    let (user, session) = (
        caller.user(&context).await?,
        caller.session(&context).await?,
    );
    let view = session.as_deref().map(|session| {
        let mut view = SessionView::new(session, session.id);
        view.last_active_at = context.activity.last_of(session);
        view
    });
    Ok(HttpResponse::Ok().json(Shown {
        user: &user,
        session: view,
    }))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
) -> Result<HttpResponse> {
    let (id, user_id, presented) = (session.id, session.user_id, *session.presented());
    let ended = context.commit(&client, move |change| {
        let ended = rows::delete_by_digest(change, &presented)?;
        if ended {
            change.record(Event::SessionEnded {
                user: user_id,
                session: id,
            });
        }
        Ok(ended)
    });
    if !ended.await? {
        // Another sign-out with the same token was faster, or the session has another token by now.
        return Err(Error::TokenInvalid);
    }
    let mut reply = clear_cookie(HttpResponse::Ok(), &context, session.carrier())?;
    Ok(reply.json(json!({ "message": "Logged out" })))
}

/// The reply to who one is.
#[derive(Serialize)]
struct Shown<'a> {
    user: &'a User,
    session: Option<SessionView<'a>>,
}
