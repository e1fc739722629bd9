//! Whether a token is active, and what it stands for (RFC 7662).
//!
//! # Threats
//! - a stranger who asks: only an API key with the scope `introspect` may
//! - a user's key that looks into another user's credentials: they are reported as not active; a service's key sees all
//! - a user's key that reads the address without the scope `user:read`: its replies do not describe the user
//! - a reply that reveals why a token is not active: all get the same
//! - a service that is told its own audience for a token of another: `aud` is that of the token
//! - side effects: nothing counts as used, and a spent refresh token ends no session here
//! - stale answers: every reply is read from the database

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::presented_token::{PresentedToken, TokenInput};
use crate::accounts::standing::{are_of_access_token, session_end};
use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::{Scopes, USER_READ};
use crate::domain::{
    AuthMethods, Claims, CredentialKind, EmailAddress, JsonObject, Session, TokenDigest, User,
};
use crate::http::{Body, Caller};
use crate::store::{api_keys, refresh_tokens, revocations, sessions};

pub(super) async fn create(
    context: web::Data<Context>,
    caller: Caller,
    Body(input): Body<TokenInput>,
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
    let shows_user = asker.is_none() || caller.require(USER_READ).is_ok();
    Ok(
        match active.filter(|active| asker.is_none() || active.sub == asker) {
            Some(active) if shows_user => {
                HttpResponse::Ok().json(active.with_claims(&context).await?)
            }
            Some(active) => HttpResponse::Ok().json(active.without_user()),
            None => HttpResponse::Ok().json(Introspection::default()),
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
        .look_up(sessions::by_digest(digest))
        .await?;
    Ok(found.and_then(|(session, user)| {
        let end = end_of(context, &session, &user, now)?;
        let scopes = &context.settings.tokens.scopes;
        let active = Introspection {
            token_type: Some("Bearer"),
            sid: Some(session.sid()),
            iat: Some(seconds(session.created_at)),
            exp: Some(seconds(end)),
            ..Introspection::of(
                context,
                CredentialKind::Session.as_str(),
                Some(&user),
                scopes,
            )
        };
        Some(active.authenticated(&session.auth_methods, session.authenticated_at))
    }))
}

async fn api_key(
    context: &Context,
    digest: TokenDigest,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let found = context
        .database
        .look_up(api_keys::by_digest(digest))
        .await?;
    let live = found.filter(|(key, user)| key.is_live(user.as_ref(), now));
    Ok(live.map(|(key, user)| Introspection {
        iat: Some(seconds(key.created_at)),
        exp: key.expires_at.map(seconds),
        ..Introspection::of(
            context,
            CredentialKind::ApiKey.as_str(),
            user.as_ref(),
            &key.scopes,
        )
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
        Ok(reader
            .look_up(&sessions::by_id(token.session_id))?
            .map(|(session, user)| (token, session, user)))
    });
    Ok(found.await?.and_then(|(token, session, user)| {
        let end = end_of(context, &session, &user, now)?.min(token.expires_at);
        let active = Introspection {
            sid: Some(session.sid()),
            exp: Some(seconds(end)),
            ..Introspection::of(context, "refresh_token", Some(&user), &token.scopes)
        };
        Some(active.authenticated(&session.auth_methods, session.authenticated_at))
    }))
}

async fn access_token(
    context: &Context,
    text: &str,
    now: Timestamp,
) -> Result<Option<Introspection>> {
    let claims = match context
        .verify_access_token_for_any_audience(text, now)
        .await
    {
        Ok(claims) => claims,
        Err(Error::TokenInvalid | Error::TokenExpired) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let asked = Arc::clone(&claims);
    let found = context.database.read(move |reader| {
        match revocations::has_token(reader, asked.session_id, &asked.jti, asked.issued_at())? {
            true => Ok(None),
            false => reader.look_up(&sessions::by_id(asked.session_id)),
        }
    });
    let audience = claims.audience.as_deref();
    let audience = audience.unwrap_or_else(|| context.settings.audience());
    let found = found.await?;
    let found = found.filter(|found| are_of_access_token(found, &claims));
    Ok(found.map(|(session, user)| {
        let active = Introspection {
            token_type: Some("Bearer"),
            sid: Some(session.sid()),
            iss: Some(context.settings.issuer().to_owned()),
            aud: Some(audience.to_owned()),
            iat: whole(claims.issued_at),
            nbf: whole(claims.not_before),
            exp: whole(claims.expires_at),
            jti: Some(claims.jti.to_string()),
            ..Introspection::of(
                context,
                CredentialKind::AccessToken.as_str(),
                Some(&user),
                &claims.scopes,
            )
        };
        active.authenticated(&claims.auth_methods, claims.authenticated_at())
    }))
}

impl Introspection {
    fn of(
        context: &Context,
        credential: &'static str,
        user: Option<&User>,
        scopes: &Scopes,
    ) -> Self {
        let shows_any = context.settings.tokens.show_unverified_email;
        Self {
            active: true,
            credential: Some(credential),
            scope: Some(scopes.as_str().to_owned()),
            sub: user.map(|user| user.id.0.to_string()),
            username: user
                .filter(|user| shows_any || user.email_confirmed_at.is_some())
                .map(|user| user.email_address.clone()),
            metadata: user.map(|user| user.metadata.clone()),
            email_verified: user.map(|user| user.email_confirmed_at.is_some()),
            user: user.cloned(),
            ..Self::default()
        }
    }

    async fn with_claims(self, context: &Context) -> Result<Self> {
        let claims = match &self.user {
            Some(user) => Some(context.claims(user).await?),
            None => None,
        };
        Ok(Self {
            claims: claims.filter(|claims| !claims.is_empty()),
            ..self
        })
    }

    fn authenticated(self, methods: &AuthMethods, at: Timestamp) -> Self {
        Self {
            amr: Some(methods.clone()),
            acr: methods.acr(),
            auth_time: Some(seconds(at)),
            ..self
        }
    }

    /// The same with the user's id alone.
    fn without_user(self) -> Self {
        Self {
            username: None,
            email_verified: None,
            metadata: None,
            ..self
        }
    }
}

/// What is known of a credential (RFC 7662, 2.2); of one that is not active, only that.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Introspection {
    active: bool,
    /// `Bearer`, for sessions and access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_type: Option<&'static str>,
    /// `session`, `api_key`, `access_token` or `refresh_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential: Option<&'static str>,
    /// With spaces between.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope: Option<String>,
    /// The user's id; absent for a service's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sub: Option<String>,
    /// The user's email address, once it is verified. A user's key needs the scope `user:read` to see it and the members
    /// below that describe the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    username: Option<EmailAddress>,
    /// Whether that address is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email_verified: Option<bool>,
    /// What operators record about the user; absent for a service's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, serde_json::Value>>, nullable = false)]
    metadata: Option<JsonObject>,
    /// The claims of the user now, by `tokens.claims`; an access token may hold earlier ones. Absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, serde_json::Value>>, nullable = false)]
    claims: Option<Claims>,
    #[serde(skip)]
    user: Option<User>,
    /// The session: its id, a dot and a random value, as in its access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aud: Option<String>,
    /// Seconds since 1970, like all times here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    jti: Option<String>,
    /// How the user authenticated (RFC 8176); absent for API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    amr: Option<AuthMethods>,
    /// `aal2` where two factors were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acr: Option<&'static str>,
    /// When the user last authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    auth_time: Option<i64>,
}

/// When a session ends unless it is used; `None` when it has ended or its user is disabled.
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
