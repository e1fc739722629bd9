//! Where one is signed in: the list of one's sessions, and ending one, the others or all of them.
//!
//! Fears: somebody else's session (every statement asks whose; a stranger's is as absent as none); a session that ends
//! after the reply said so (the reply leaves after the commit, and every look-up reads the row); one that is dead and
//! still listed (what expired or was idle for too long is left out, row or not).

use std::cmp::Reverse;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::sessions::{SessionView, clear_cookie};
use crate::audit::Event;
use crate::context::Context;
use crate::domain::SessionId;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::http::extract::query::{Query, path_id};
use crate::http::{ClientInfo, CurrentSession, CurrentUser, Routes};
use crate::store::sessions as rows;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .protected(Method::GET, "/v1/sessions", index)
        .protected(Method::DELETE, "/v1/sessions", destroy_all)
        .protected(Method::DELETE, "/v1/sessions/{id}", destroy);
}

async fn index(
    context: web::Data<Context>,
    user: CurrentUser,
    session: CurrentSession,
) -> Result<HttpResponse> {
    let (owner, now) = (user.id, context.clock.now());
    let idle_timeout = context.settings.session.idle_timeout;
    let mut found = context
        .database
        .read(move |reader| rows::list_for_user(reader, owner))
        .await?;
    for one in &mut found {
        one.last_active_at = context.activity.last_of(one);
    }
    found.retain(|one| now < one.expires_at && now < one.last_active_at + idle_timeout);
    found.sort_by_key(|one| Reverse((one.last_active_at, one.id.0)));
    let views: Vec<SessionView<'_>> = found
        .iter()
        .map(|one| SessionView::new(one, session.id))
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "sessions": views })))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (owner, id) = (user.id, SessionId(path_id(&id)?));
    let ended = user.commit(&context, &client, move |change| {
        let ended = rows::delete_for_user(change, owner, id)?;
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
    if id == session.id {
        return Ok(clear_cookie(HttpResponse::NoContent(), &context, session.carrier())?.finish());
    }
    Ok(HttpResponse::NoContent().finish())
}

async fn destroy_all(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let keeps_current = match Query::read(request.query_string())?.one("except")? {
        None => false,
        Some("current") => true,
        Some(_) => return Err(ValidationErrors::field("except", "is invalid").into()),
    };
    let (owner, current) = (user.id, session.id);
    let ended = user.commit(&context, &client, move |change| {
        let sessions_ended = match keeps_current {
            true => rows::delete_all_but(change, owner, current)?,
            false => rows::delete_all_for_user(change, owner)?,
        };
        change.record(Event::SessionsEnded {
            user: owner,
            sessions_ended,
        });
        Ok(sessions_ended)
    });
    let ended = ended.await?;
    let mut reply = match keeps_current {
        true => HttpResponse::Ok(),
        false => clear_cookie(HttpResponse::Ok(), &context, session.carrier())?,
    };
    Ok(reply.json(json!({ "message": "Sessions ended", "sessions_ended": ended })))
}
