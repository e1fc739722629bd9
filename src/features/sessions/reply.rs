//! How sessions look in a reply, and the only place that shows a token.

use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::model::{Session, SessionId, User};
use crate::token::PlainToken;

/// Hands over the token of a session to whoever started it.
pub(in crate::features) fn hand_over(
    mut builder: HttpResponseBuilder,
    token: &PlainToken,
    user: &User,
    session: &Session,
) -> HttpResponse {
    builder.json(SignedIn {
        token: token.reveal(),
        expires_at: session.expires_at,
        user,
        session: SessionView::new(session, session.id),
    })
}

/// The reply that shows a token.
#[derive(Serialize)]
struct SignedIn<'a> {
    token: &'a str,
    expires_at: Timestamp,
    user: &'a User,
    session: SessionView<'a>,
}

/// A session as its user sees it.
#[derive(Serialize)]
pub(in crate::features) struct SessionView<'a> {
    id: SessionId,
    ip_address: &'a str,
    user_agent: Option<&'a str>,
    created_at: Timestamp,
    pub(in crate::features) last_active_at: Timestamp,
    expires_at: Timestamp,
    current: bool,
}

impl<'a> SessionView<'a> {
    pub(in crate::features) fn new(session: &'a Session, current: SessionId) -> Self {
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
