//! The sessions of a user: who is signed in, the list of sessions, ending one, several or the current one, and a new token
//! for it.
//!
//! # Threats
//! - another user's session: every statement names the user, and a foreign session is as absent as none
//! - a token that outlives its sign-out: the reply leaves after the commit, and every look-up reads the row
//! - an expired session in the list: expired and idle ones are left out, whether or not they are swept
//! - a copied token: rotation revokes it, with the refresh tokens that it was exchanged for
//! - a copied token that is rotated after its owner's reauthentication: rotation needs no proof, and ends the
//!   reauthentication

use std::cmp::Reverse;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::credentials_changed::end_open_sign_ins;
use crate::accounts::rotate_session::rotate_session;
use crate::accounts::second_factor_rule::enrol_until;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::error::{Error, Result};
use crate::domain::scope::USER_READ;
use crate::domain::{ClientInfo, Session, SessionId, User};
use crate::http::session_reply::{SessionView, SignedIn, clear_cookie, respond_with_rotated};
use crate::http::{Access, Caller, CurrentSession, CurrentUser, Message, PathId, Query, Route};
use crate::store::sessions;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/session", Access::Scope(USER_READ), show)
            .operation("showSession", "Get the current user and session")
            .returns::<Shown>(200, "User and session"),
        Route::delete("/v1/session", Access::Session, sign_out)
            .operation("signOut", "Sign out")
            .returns::<Message>(200, "Session ended and cookie cleared"),
        Route::post("/v1/session/rotate", Access::Session, rotate)
            .operation("rotateSession", "Rotate the session token")
            .description(
                "Revokes the old token and returns a new one, by the same transport. Also revokes the session's refresh \
                 tokens and ends its reauthentication; access tokens stay valid until they expire.",
            )
            .returns::<SignedIn>(200, "Session with its new token"),
        Route::get("/v1/sessions", Access::Session, index)
            .operation("listSessions", "List sessions")
            .returns::<SessionList>(200, "Active sessions"),
        Route::delete("/v1/sessions", Access::Session, destroy_all)
            .operation("endSessions", "End all sessions, or all others")
            .returns::<SessionsEnded>(200, "Sessions ended"),
        Route::delete("/v1/sessions/{id}", Access::Session, destroy)
            .operation("endSession", "End a session")
            .returns_no_body(204, "Session ended"),
    ]
}

async fn show(context: web::Data<Context>, caller: Caller) -> Result<HttpResponse> {
    let user = caller.user(&context).await?;
    let session = caller.session(&context).await?;
    let view = session.as_deref().map(|session| {
        let enrol_until = enrol_until(&context.settings, &user);
        let mut view = SessionView::new(session, session.id, enrol_until);
        view.last_active_at = context.activity.last_of(session);
        view
    });
    Ok(HttpResponse::Ok().json(Shown {
        user: &user,
        session: view,
    }))
}

/// The user, and the session if there is one.
#[derive(Serialize, ToSchema)]
struct Shown<'a> {
    user: &'a User,
    /// `null` for an API key.
    #[schema(required)]
    session: Option<SessionView<'a>>,
}

async fn sign_out(
    context: web::Data<Context>,
    client: ClientInfo,
    current: CurrentSession,
) -> Result<HttpResponse> {
    let (user, session, presented) = (current.user_id, current.id, *current.presented());
    let ended = context.commit(&client, move |change| {
        let ended = sessions::delete_by_digest(change, &presented)?;
        if ended {
            change.record(Event::SessionEnded { user, session });
        }
        Ok(ended)
    });
    if !ended.await? {
        // Another sign-out by the same token was faster, or the session has another token by now.
        return Err(Error::TokenInvalid);
    }
    let mut reply = clear_cookie(HttpResponse::Ok(), &context, current.carrier())?;
    Ok(reply.json(Message::new("Logged out")))
}

async fn rotate(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    current: CurrentSession,
) -> Result<HttpResponse> {
    let token = PlainToken::generate(TokenKind::Session)?;
    let (owner, id, presented, new) = (user.id, current.id, *current.presented(), token.digest());
    let rotated = user.commit(&context, &client, move |change| {
        rotate_session(change, id, &presented, &new)?;
        sessions::set_reauthenticated(change, id, None)?;
        change.record(Event::SessionRotated {
            user: owner,
            session: id,
        });
        Ok(())
    });
    rotated.await?;
    let session = Session::clone(&current);
    respond_with_rotated(&context, (&current, session), &token, &user)
}

async fn index(
    context: web::Data<Context>,
    user: CurrentUser,
    current: CurrentSession,
) -> Result<HttpResponse> {
    let (owner, now) = (user.id, context.clock.now());
    let idle_timeout = context.settings.session.idle_timeout;
    let mut found = context
        .database
        .read(move |reader| sessions::list_for_user(reader, owner))
        .await?;
    for session in &mut found {
        session.last_active_at = context.activity.last_of(session);
    }
    found.retain(|session| now < session.ends_at(session.last_active_at, idle_timeout));
    found.sort_by_key(|session| Reverse((session.last_active_at, session.id.0)));
    let enrol_until = enrol_until(&context.settings, &user);
    let sessions = found
        .iter()
        .map(|session| SessionView::new(session, current.id, enrol_until))
        .collect();
    Ok(HttpResponse::Ok().json(SessionList { sessions }))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    current: CurrentSession,
    id: PathId,
) -> Result<HttpResponse> {
    let (owner, id) = (user.id, SessionId(id.0));
    let ended = user.commit(&context, &client, move |change| {
        let ended = sessions::delete_for_user(change, owner, id)?;
        if ended {
            change.record(Event::SessionEnded {
                user: owner,
                session: id,
            });
        }
        Ok(ended)
    });
    if !ended.await? {
        return Err(Error::NotFound);
    }
    if id == current.id {
        return Ok(clear_cookie(HttpResponse::NoContent(), &context, current.carrier())?.finish());
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn destroy_all(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    current: CurrentSession,
    Query(query): Query<EndSessions>,
) -> Result<HttpResponse> {
    let keeps_current = query.except.is_some();
    let (owner, current_id) = (user.id, current.id);
    let ended = user.commit(&context, &client, move |change| {
        end_open_sign_ins(change, owner)?;
        let sessions_ended = match keeps_current {
            true => sessions::delete_all_but(change, owner, current_id)?,
            false => sessions::delete_all_for_user(change, owner)?,
        };
        change.record(Event::SessionsEnded {
            user: Some(owner),
            sessions_ended,
        });
        Ok(sessions_ended)
    });
    let ended = ended.await?;
    let mut reply = match keeps_current {
        true => HttpResponse::Ok(),
        false => clear_cookie(HttpResponse::Ok(), &context, current.carrier())?,
    };
    Ok(reply.json(SessionsEnded {
        message: "Sessions ended",
        sessions_ended: ended,
    }))
}

/// The sessions that end.
#[derive(Deserialize, IntoParams)]
struct EndSessions {
    /// Keeps the session of the request.
    #[param(inline, nullable = false)]
    except: Option<Except>,
}

/// Which session stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Except {
    Current,
}

/// The user's sessions.
#[derive(Serialize, ToSchema)]
struct SessionList<'a> {
    /// The most recently used first.
    sessions: Vec<SessionView<'a>>,
}

/// How many sessions ended.
#[derive(Serialize, ToSchema)]
struct SessionsEnded {
    message: &'static str,
    #[schema(value_type = i64, minimum = 0)]
    sessions_ended: usize,
}
