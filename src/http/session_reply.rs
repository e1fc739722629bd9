//! Sessions in replies, and the only place that shows a session's token: in the body or in a cookie, never in both.
//!
//! # Threats
//! - a page that signs its visitors in as someone else, to read later what they do: a cookie is set only for the
//!   application itself, and a page cannot read a token in a body

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::second_factor_rule::enrol_until;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{AuthMethods, ClientInfo, Session, SessionId, User};
use crate::http::auth::cookie;
use crate::http::{Carrier, CurrentSession};

/// Where the reply carries a new token.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// In the body.
    Bearer,
    /// In a cookie that no script can read.
    Cookie,
}

/// The carrier that a client requests; the body by default.
///
/// # Errors
/// [`Error::CrossOrigin`], recorded, for a cookie that the application itself did not request.
pub fn carrier(
    context: &Context,
    client: &ClientInfo,
    requested: Option<Transport>,
) -> Result<Carrier> {
    match requested {
        None | Some(Transport::Bearer) => Ok(Carrier::Bearer),
        Some(Transport::Cookie) if client.same_origin => Ok(Carrier::Cookie),
        Some(Transport::Cookie) => {
            context.refused(client, Event::CrossOriginRefused);
            Err(Error::CrossOrigin)
        }
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
    let signed_in = signed_in(&mut builder, context, carrier, token, user, session)?;
    Ok(builder.json(signed_in))
}

/// Replies with the current session as it is now and its new token, carried as the old one was.
pub fn respond_with_rotated(
    context: &Context,
    (current, session): (&CurrentSession, Session),
    token: &PlainToken,
    user: &User,
) -> Result<HttpResponse> {
    let session = with_last_use(context, session);
    let (builder, carrier) = (HttpResponse::Ok(), current.carrier());
    respond_with_session(builder, context, carrier, token, user, &session)
}

/// The same after a change of credentials, which the message confirms.
pub fn respond_with_change(
    message: &'static str,
    context: &Context,
    current: &CurrentSession,
    token: &PlainToken,
    user: &User,
) -> Result<HttpResponse> {
    let session = with_last_use(context, Session::clone(current));
    let (mut builder, carrier) = (HttpResponse::Ok(), current.carrier());
    let signed_in = signed_in(&mut builder, context, carrier, token, user, &session)?;
    Ok(builder.json(CredentialsChanged { message, signed_in }))
}

fn with_last_use(context: &Context, session: Session) -> Session {
    Session {
        last_active_at: context.activity.last_of(&session),
        ..session
    }
}

fn signed_in<'a>(
    builder: &mut HttpResponseBuilder,
    context: &Context,
    carrier: Carrier,
    token: &'a PlainToken,
    user: &'a User,
    session: &'a Session,
) -> Result<SignedIn<'a>> {
    let shown = match carrier {
        Carrier::Bearer => Some(token.reveal()),
        Carrier::Cookie => {
            let lifetime = session.expires_at.since(context.clock.now());
            let max_age = session.remembered.then_some(lifetime);
            let cookie = cookie::set(&context.settings, token, max_age)?;
            builder.insert_header((SET_COOKIE, cookie));
            None
        }
    };
    Ok(SignedIn {
        token: shown,
        expires_at: session.expires_at,
        user,
        session: SessionView::new(session, session.id, enrol_until(&context.settings, user)),
    })
}

/// Removes the cookie of a session that has ended, where it was carried by one.
pub fn clear_cookie(
    mut builder: HttpResponseBuilder,
    context: &Context,
    carrier: Carrier,
) -> Result<HttpResponseBuilder> {
    if carrier == Carrier::Cookie {
        builder.insert_header((SET_COOKIE, cookie::cleared(&context.settings)?));
    }
    Ok(builder)
}

/// A session and its new token.
#[derive(Serialize, ToSchema)]
pub struct SignedIn<'a> {
    /// Shown only in this reply; absent where the token went into the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<&'a str>,
    /// When the session expires.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    user: &'a User,
    session: SessionView<'a>,
}

/// A change of credentials, and the session with its new token.
#[derive(Serialize, ToSchema)]
pub struct CredentialsChanged<'a> {
    /// Confirms the change in one sentence.
    message: &'static str,
    #[serde(flatten)]
    signed_in: SignedIn<'a>,
}

/// A session as its user sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView<'a> {
    #[schema(value_type = i64, minimum = 1)]
    id: SessionId,
    /// The client's address at sign-in.
    ip_address: &'a str,
    /// The client's `User-Agent` at sign-in.
    #[schema(required)]
    user_agent: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub last_active_at: Timestamp,
    /// When it expires at the latest, used or not.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How the user authenticated: values of RFC 8176. `mfa` stands beside the methods where there were two factors.
    #[schema(value_type = Vec<String>)]
    auth_methods: &'a AuthMethods,
    /// When the user last authenticated: at sign-in, or again since.
    #[schema(value_type = String, format = DateTime)]
    authenticated_at: Timestamp,
    /// Whether the request came with this session.
    current: bool,
    /// Until when the user must set up a second factor; absent where there is one, or none is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    enrol_until: Option<Timestamp>,
}

impl<'a> SessionView<'a> {
    /// Of `session`, which is marked if it is the current one, of a user who must set up a second factor until then.
    pub fn new(session: &'a Session, current: SessionId, enrol_until: Option<Timestamp>) -> Self {
        Self {
            id: session.id,
            ip_address: &session.ip_address,
            user_agent: session.user_agent.as_deref(),
            created_at: session.created_at,
            last_active_at: session.last_active_at,
            expires_at: session.expires_at,
            auth_methods: &session.auth_methods,
            authenticated_at: session.authenticated_at,
            current: session.id == current,
            enrol_until,
        }
    }
}
