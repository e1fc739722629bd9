//! What a token says and whether it holds, for services that ask (RFC 7662).
//!
//! Fears: a stranger who asks (an API key with the scope `introspect`, and nothing else); a user's key that looks into
//! somebody else's credentials (it is told of its own user's, and that all others are not active; a service's key sees
//! everybody's); a reply that tells why something is not active (one body for all of it); a question that changes
//! something (nothing is noted as used, and a spent refresh token is looked at without ending anything); a stale yes
//! (every answer is the database's of now).

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use super::presented_token::PresentedToken;
use crate::accounts::standing::{session_end, session_of_access_token};
use crate::context::Context;
use crate::crypto::token::TokenDigest;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::Scopes;
use crate::domain::{EmailAddress, Session, User};
use crate::http::{Caller, CredentialKind, Input};
use crate::store::{api_keys, refresh_tokens, revocations, sessions};

/// RFC 7662, 2.2.
#[derive(Serialize)]
struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    credential: &'static str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<EmailAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

pub(super) async fn create(
    context: web::Data<Context>,
    caller: Caller,
    input: Input,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let active = match PresentedToken::read(&input)? {
        Some(PresentedToken::Session(digest)) => session(&context, digest, now).await?,
        Some(PresentedToken::ApiKey(digest)) => api_key(&context, digest, now).await?,
        Some(PresentedToken::Refresh(digest)) => refresh_token(&context, digest, now).await?,
        Some(PresentedToken::Access(text)) => access_token(&context, text, now).await?,
        None => None,
    };
    let asker = caller.user_id().map(|id| id.0.to_string());
    Ok(
        match active.filter(|active| asker.is_none() || active.sub == asker) {
            Some(active) => HttpResponse::Ok().json(active),
            None => HttpResponse::Ok().json(json!({ "active": false })),
        },
    )
}

async fn session(
    context: &Context,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let found = context
        .database
        .read(move |reader| sessions::find_by_digest(reader, &digest))
        .await?;
    Ok(found.and_then(|(session, user)| {
        let end = end_of(context, &session, &user, now)?;
        let scopes = &context.settings.tokens.scopes;
        Some(Introspection {
            token_type: Some("Bearer"),
            sid: Some(session.id.0.to_string()),
            iat: Some(seconds(session.created_at)),
            exp: Some(seconds(end)),
            ..Introspection::of(CredentialKind::Session.as_str(), Some(&user), scopes)
        })
    }))
}

async fn api_key(
    context: &Context,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let found = context
        .database
        .read(move |reader| api_keys::find_by_digest(reader, &digest))
        .await?;
    let live = found.filter(|(key, user)| key.is_live(user.as_ref(), now));
    Ok(live.map(|(key, user)| Introspection {
        iat: Some(seconds(key.created_at)),
        exp: key.expires_at.map(seconds),
        ..Introspection::of(CredentialKind::ApiKey.as_str(), user.as_ref(), &key.scopes)
    }))
}

async fn refresh_token(
    context: &Context,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let found = context.database.read(move |reader| {
        let good = refresh_tokens::find(reader, &digest)?;
        let Some(token) = good.filter(|token| token.spent.is_none() && now < token.expires_at)
        else {
            return Ok(None);
        };
        Ok(sessions::find_with_user(reader, token.session_id)?
            .map(|(session, user)| (token, session, user)))
    });
    Ok(found.await?.and_then(|(token, session, user)| {
        let end = end_of(context, &session, &user, now)?.min(token.expires_at);
        Some(Introspection {
            sid: Some(session.id.0.to_string()),
            exp: Some(seconds(end)),
            ..Introspection::of("refresh_token", Some(&user), &token.scopes)
        })
    }))
}

async fn access_token(
    context: &Context,
    text: &str,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let claims = match context.verify_access_token(text, now).await {
        Ok(claims) => claims,
        Err(Error::TokenInvalid | Error::TokenExpired) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let (id, subject, jti) = (claims.session_id, claims.user_id, claims.jti.clone());
    let found = context
        .database
        .read(move |reader| match revocations::has_token(reader, &jti)? {
            true => Ok(None),
            false => session_of_access_token(reader, id, subject),
        });
    Ok(found.await?.map(|(_, user)| Introspection {
        token_type: Some("Bearer"),
        sid: Some(claims.session_id.0.to_string()),
        iss: Some(context.settings.issuer().to_owned()),
        aud: Some(context.settings.audience().to_owned()),
        iat: whole(claims.issued_at),
        nbf: whole(claims.not_before),
        exp: whole(claims.expires_at),
        jti: Some(claims.jti.to_string()),
        ..Introspection::of(
            CredentialKind::AccessToken.as_str(),
            Some(&user),
            &claims.scopes,
        )
    }))
}

impl Introspection {
    fn of(credential: &'static str, user: Option<&User>, scopes: &Scopes) -> Self {
        Self {
            active: true,
            token_type: None,
            credential,
            scope: scopes.as_str().to_owned(),
            sub: user.map(|user| user.id.0.to_string()),
            username: user.map(|user| user.email_address.clone()),
            email_verified: user.map(|user| user.email_confirmed_at.is_some()),
            sid: None,
            iss: None,
            aud: None,
            iat: None,
            nbf: None,
            exp: None,
            jti: None,
        }
    }
}

/// When a session ends unless somebody uses it; `None` when it is over, or its user may not come in.
fn end_of(context: &Context, session: &Session, user: &User, now: Timestamp) -> Option<Timestamp> {
    let last_use = context.activity.last_of(session);
    let idle_timeout = context.settings.session.idle_timeout;
    session_end(session, user, last_use, idle_timeout, now)
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

fn whole(seconds: u64) -> Option<i64> {
    i64::try_from(seconds).ok()
}
