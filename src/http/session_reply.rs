//! Sessions in replies, and the only place that shows a session's token: in the body or in a cookie, never in both.
//!
//! # Threats
//! - a page that signs its visitors in as someone else, to read later what they do: a cookie is set only for the
//!   application itself, and a page cannot read a token in a body

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{Session, SessionId, User};
use crate::http::auth::cookie;
use crate::http::{Carrier, ClientInfo, Input};

/// How a new token is to be carried, by the field `transport`: `bearer` (the default) or `cookie`.
///
/// # Errors
/// A fault of the field, and [`Error::CrossOrigin`], recorded, for a cookie that the application itself did not request.
pub fn transport(context: &Context, client: &ClientInfo, input: &Input) -> Result<Carrier> {
    let mut invalid = ValidationErrors::default();
    let written = input.text("transport", &mut invalid);
    invalid.into_result()?;
    match written {
        None | Some("bearer") => Ok(Carrier::Bearer),
        Some("cookie") if client.same_origin => Ok(Carrier::Cookie),
        Some("cookie") => {
            context.refused(client, Event::CrossOriginRefused);
            Err(Error::CrossOrigin)
        }
        Some(_) => Err(ValidationErrors::field("transport", "is invalid").into()),
    }
}

/// Replies with a session and its new token.
pub fn respond_with_session(
    mut builder: HttpResponseBuilder,
    context: &Context,
    carrier: Carrier,
    token: &PlainToken,
    user: &User,
    session: &Session,
) -> Result<HttpResponse> {
    let (server, now) = (&context.settings.server, context.clock.now());
    let shown = match carrier {
        Carrier::Bearer => Some(token.reveal()),
        Carrier::Cookie => {
            builder.insert_header((
                SET_COOKIE,
                cookie::set(server, token, session.expires_at, now)?,
            ));
            None
        }
    };
    Ok(builder.json(SignedIn {
        token: shown,
        expires_at: session.expires_at,
        user,
        session: SessionView::new(session, session.id),
    }))
}

/// Removes the cookie of a session that has ended, where it was carried by one.
pub fn clear_cookie(
    mut builder: HttpResponseBuilder,
    context: &Context,
    carrier: Carrier,
) -> Result<HttpResponseBuilder> {
    if carrier == Carrier::Cookie {
        builder.insert_header((SET_COOKIE, cookie::cleared(&context.settings.server)?));
    }
    Ok(builder)
}

/// A session with its new token.
#[derive(Serialize)]
struct SignedIn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    expires_at: Timestamp,
    user: &'a User,
    session: SessionView<'a>,
}

/// A session as its user sees it.
#[derive(Debug, Serialize)]
pub struct SessionView<'a> {
    id: SessionId,
    ip_address: &'a str,
    user_agent: Option<&'a str>,
    created_at: Timestamp,
    /// When it was last used.
    pub last_active_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

impl<'a> SessionView<'a> {
    /// Of `session`, which is marked if it is the current one.
    pub fn new(session: &'a Session, current: SessionId) -> Self {
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
