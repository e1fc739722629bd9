//! The reply with a pair of tokens (RFC 6749, 5.1), and the lifetime of its access token.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::PRAGMA;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Settings;
use crate::context::Context;
use crate::crypto::access_token::NewAccessToken;
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::{Scopes, USER_READ};
use crate::domain::{Claims, Session};

/// When an access token is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) issued_at: Timestamp,
    /// To the second, as the token says it.
    pub(super) expires_at: Timestamp,
}

/// Limits of its lifetime.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenLifetimes {
    access: Duration,
    idle: Duration,
}

impl TokenLifetimes {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            access: settings.tokens.access_lifetime,
            idle: settings.session.idle_timeout,
        }
    }

    /// Of a token issued now. It never outlives its session, not even an idle one: services that verify it by themselves
    /// see only its expiry.
    pub(super) fn term(self, session: &Session, now: Timestamp) -> Validity {
        let expires_at = (now + self.access)
            .min(now + self.idle)
            .min(session.expires_at);
        let past_the_second = expires_at.as_millis().rem_euclid(1000);
        Validity {
            issued_at: now,
            expires_at: Timestamp::from_millis(expires_at.as_millis() - past_the_second),
        }
    }
}

/// A pair to reply with, after the commit.
pub(super) struct Pair<'a> {
    pub(super) session: &'a Session,
    /// `None`: this server.
    pub(super) audience: Option<&'a str>,
    pub(super) scopes: &'a Scopes,
    pub(super) jti: &'a str,
    pub(super) term: Validity,
    /// `None` where a script could read it.
    pub(super) refresh: Option<&'a PlainToken>,
}

impl Pair<'_> {
    pub(super) async fn reply(&self, context: &Context) -> Result<HttpResponse> {
        let claims = match self.scopes.has(USER_READ) {
            true => context.claims_of(self.session.user_id).await?,
            false => Claims::default(),
        };
        let access_token = context.access_tokens.mint(&NewAccessToken {
            user_id: self.session.user_id,
            sid: &self.session.sid(),
            audience: self.audience,
            scopes: self.scopes,
            claims: &claims,
            auth_methods: &self.session.auth_methods,
            authenticated_at: self.session.authenticated_at,
            jti: self.jti,
            issued_at: self.term.issued_at,
            expires_at: self.term.expires_at,
        })?;
        let now = context.clock.now();
        let end = self
            .session
            .ends_at(self.term.issued_at, context.settings.session.idle_timeout);
        let tokens = Tokens {
            access_token: &access_token,
            refresh_token: self.refresh.map(PlainToken::reveal),
            token_type: "Bearer",
            expires_in: self.term.expires_at.since(now).as_secs(),
            refresh_expires_in: self.refresh.map(|_| end.since(now).as_secs()),
            scope: self.scopes.as_str(),
        };
        // Every reply has `Cache-Control: no-store`.
        Ok(HttpResponse::Ok()
            .insert_header((PRAGMA, "no-cache"))
            .json(tokens))
    }
}

/// An access token, and the token that renews it.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens<'a> {
    /// A JWT (RFC 9068).
    access_token: &'a str,
    /// Valid once. Absent where the session came in the cookie, which gets another access token instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<&'a str>,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(value_type = i64, minimum = 0)]
    expires_in: u64,
    /// Seconds until the refresh token expires unless it is used: its session then ends or has been idle for too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 0, nullable = false)]
    refresh_expires_in: Option<u64>,
    /// What the access token may do, with spaces between.
    scope: &'a str,
}
