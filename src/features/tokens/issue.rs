//! A pair of tokens for a password, or for the session that is presented.
//!
//! # Threats
//! - a second way to guess passwords: the sign-in is that of `POST /v1/session` and shares its limits
//! - scope escalation: API keys and access tokens cannot be exchanged for tokens
//! - a script that reads the refresh token: with the cookie there is none; the page asks again with its cookie
//! - a service that uses a token at other services, or here: a token has one audience, out of the configured ones
//! - tokens of an ended session: its token is checked again inside the transaction
//! - a full revocation list: access tokens are limited by user and hour, and only those can be revoked

use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::reply::{Pair, TokenLifetimes, Validity};

use crate::accounts::password_sign_in::{PasswordSignIn, SignedIn};
use crate::audit::Event;
use crate::config::Settings;
use crate::context::{Change, Context};
use crate::crypto::token::{PlainToken, TokenKind, random_hex};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{ClientInfo, Session, TokenDigest};
use crate::http::{Body, Carrier, CurrentSession, CurrentUser, Patch, SecretText};
use crate::store::refresh_tokens::{self, NewRefresh};
use crate::store::sessions;

/// Refresh token families of a session: one for each program that shares it, and some that were lost.
const MAX_FAMILIES: u32 = 10;

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    Body(input): Body<TokensInput>,
) -> Result<HttpResponse> {
    let wanted = Wanted::of(&context.settings, &input)?;
    // Credentials in the body come first: a session beside them is the previous one.
    if input.email_address != Patch::Absent || !matches!(input.password, Patch::Absent) {
        return by_password(&context, &client, &input, wanted).await;
    }
    match CurrentSession::extract(&request).await {
        Ok(session) => {
            let user = CurrentUser::extract(&request).await?;
            by_session(&context, client, user, session, wanted).await
        }
        Err(Error::Unauthorized) => by_password(&context, &client, &input, wanted).await,
        Err(refusal) => Err(refusal),
    }
}

async fn by_password(
    context: &Arc<Context>,
    client: &ClientInfo,
    input: &TokensInput,
    wanted: Wanted,
) -> Result<HttpResponse> {
    let refresh = PlainToken::generate(TokenKind::Refresh)?;
    let grant = Grant::new(&context.settings, Some(&refresh), wanted.clone());
    let also = move |change: &Change<'_>, session: &Session, now| grant.write(change, session, now);
    let form = input.password_sign_in();
    let signed_in = form.start_session(context, client, also).await?;
    let SignedIn {
        session,
        made: term,
        ..
    } = signed_in;
    Pair {
        session: &session,
        audience: wanted.audience.as_deref(),
        scopes: &wanted.scopes,
        jti: &random_hex()?,
        term,
        refresh: Some(&refresh),
    }
    .reply(context)
    .await
}

async fn by_session(
    context: &Arc<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    wanted: Wanted,
) -> Result<HttpResponse> {
    let refresh = match session.carrier() {
        Carrier::Bearer => Some(PlainToken::generate(TokenKind::Refresh)?),
        Carrier::Cookie => None,
    };
    let grant = Grant::new(&context.settings, refresh.as_ref(), wanted.clone());
    let (now, row) = (context.clock.now(), Session::clone(&session));
    let (throttle, limits) = (context.throttle.clone(), [context.throttle.tokens(user.id)]);
    let granted = user.commit(context, &client, move |change| {
        throttle.within(change, &limits, now, || grant.write(change, &row, now))
    });
    let term = granted
        .await?
        .map_err(|throttled| context.throttled(&client, throttled))?;
    Pair {
        session: &session,
        audience: wanted.audience.as_deref(),
        scopes: &wanted.scopes,
        jti: &random_hex()?,
        term,
        refresh: refresh.as_ref(),
    }
    .reply(context)
    .await
}

/// What is written for a pair.
#[derive(Clone)]
struct Grant {
    /// Digests of the refresh token and its family, where there is to be one.
    refresh: Option<(TokenDigest, TokenDigest)>,
    wanted: Wanted,
    lifetimes: TokenLifetimes,
}

impl Grant {
    fn new(settings: &Settings, refresh: Option<&PlainToken>, wanted: Wanted) -> Self {
        let refresh = refresh.map(|token| (token.digest(), token.family()));
        Self {
            refresh,
            wanted,
            lifetimes: TokenLifetimes::of(settings),
        }
    }

    fn write(&self, change: &Change<'_>, session: &Session, now: Timestamp) -> Result<Validity> {
        let term = self.lifetimes.term(session, now);
        if let Some((token_digest, family_digest)) = self.refresh {
            let new = NewRefresh {
                family_digest,
                token_digest,
                audience: self.wanted.audience.as_deref(),
                scopes: &self.wanted.scopes,
                expires_at: session.expires_at,
            };
            refresh_tokens::insert(change, session.id, &new, now)?;
            refresh_tokens::delete_beyond(change, session.id, MAX_FAMILIES)?;
        }
        sessions::note_access(change, session.id, term.expires_at, now)?;
        change.record(Event::TokensIssued {
            user: session.user_id,
            session: session.id,
        });
        Ok(term)
    }
}

/// Address and password, or neither where a session is presented.
#[derive(Deserialize, ToSchema)]
pub(super) struct TokensInput {
    #[schema(value_type = Option<String>, format = "email", nullable = false)]
    email_address: Patch<String>,
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password: Patch<SecretText>,
    /// Requests the longer lifetime.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
    /// The scopes of the access token, with spaces between; absent: all that the settings allow.
    #[schema(nullable = false)]
    scope: Option<String>,
    /// The service that the access token is for, as its `aud`: one of those that the settings allow; absent: this server.
    /// This server's routes refuse a token for another, and so does each service that verifies tokens as documented.
    #[schema(nullable = false)]
    audience: Option<String>,
}

impl TokensInput {
    fn password_sign_in(&self) -> PasswordSignIn {
        let address = match &self.email_address {
            Patch::Value(text) => text,
            Patch::Absent | Patch::Null => "",
        };
        let password = match &self.password {
            Patch::Value(text) => text.expose(),
            Patch::Absent | Patch::Null => "",
        };
        PasswordSignIn::new(address, password, self.remember)
    }
}

/// What the access tokens are to be for.
#[derive(Clone)]
struct Wanted {
    /// `None`: this server.
    audience: Option<String>,
    scopes: Scopes,
}

impl Wanted {
    fn of(settings: &Settings, input: &TokensInput) -> Result<Self> {
        let audience = match input.audience.as_deref().unwrap_or_default() {
            "" => None,
            own if own == settings.audience() => None,
            other if settings.tokens.audiences.iter().any(|name| name == other) => {
                Some(other.to_owned())
            }
            _ => return Err(Error::InvalidTarget),
        };
        Ok(Self {
            audience,
            scopes: requested(settings, input.scope.as_deref())?,
        })
    }
}

/// The scopes of the tokens: all that the settings allow, or the ones that `scope` names.
fn requested(settings: &Settings, scope: Option<&str>) -> Result<Scopes> {
    let allowed = &settings.tokens.scopes;
    match Scopes::parse(scope.unwrap_or_default()) {
        Some(scopes) if scopes.is_empty() => Ok(allowed.clone()),
        Some(scopes) if allowed.holds(&scopes) => Ok(scopes),
        _ => Err(Error::InvalidScope),
    }
}
