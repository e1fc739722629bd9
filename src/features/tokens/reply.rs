//! How a pair of tokens looks (RFC 6749, 5.1), and for how long its access token is good.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::PRAGMA;
use serde::Serialize;

use crate::config::Settings;
use crate::context::Context;
use crate::crypto::access_token::NewAccessToken;
use crate::crypto::token::PlainToken;
use crate::domain::Session;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::scope::Scopes;

/// When an access token is good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) issued_at: Timestamp,
    /// To the second, as the token says it.
    pub(super) expires_at: Timestamp,
}

/// What limits it.
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

    /// Of a token that is made now. It never outlives its session, not even one that nobody uses any more: nothing but
    /// its expiry tells those who verify it elsewhere.
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

/// A pair about to be handed over; everything about it is on disk.
pub(super) struct Pair<'a> {
    pub(super) session: &'a Session,
    pub(super) scopes: &'a Scopes,
    pub(super) jti: &'a str,
    pub(super) term: Validity,
    /// `None` where a script could read it that should not.
    pub(super) refresh: Option<&'a PlainToken>,
}

impl Pair<'_> {
    pub(super) fn reply(&self, context: &Context) -> Result<HttpResponse> {
        let access_token = context.access_tokens.mint(&NewAccessToken {
            user_id: self.session.user_id,
            session_id: self.session.id,
            scopes: self.scopes,
            jti: self.jti,
            issued_at: self.term.issued_at,
            expires_at: self.term.expires_at,
        })?;
        let now = context.clock.now();
        let end = self
            .session
            .ends_at(self.term.issued_at, context.settings.session.idle_timeout);
        let shown = Shown {
            access_token: &access_token,
            refresh_token: self.refresh.map(PlainToken::reveal),
            token_type: "Bearer",
            expires_in: self.term.expires_at.since(now).as_secs(),
            refresh_expires_in: self.refresh.map(|_| end.since(now).as_secs()),
            scope: self.scopes.as_str(),
        };
        // `Cache-Control: no-store` stands in every reply.
        Ok(HttpResponse::Ok()
            .insert_header((PRAGMA, "no-cache"))
            .json(shown))
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: &'static str,
    /// Whole seconds.
    expires_in: u64,
    /// Unless it is used: its session's end, or that of its idleness.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    scope: &'a str,
}
