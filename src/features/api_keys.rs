//! API keys: credentials for a user's own programs: created, listed, renamed and revoked. A key may do what its scopes name
//! and its user may, and never manages the account or its keys.
//!
//! # Threats
//! - disclosure: a key is shown once, in the reply that creates it; the database holds its digest, and lists show its last
//!   four characters
//! - a key that an attacker with a stolen session creates to stay: creating one needs a reauthentication, see
//!   [`accounts::reauthentication`](crate::accounts::reauthentication); the user is notified by mail, and a new password
//!   revokes it
//! - a forgotten key: it expires after a year, unless the user requests another end
//! - use after revocation or expiry: every use reads the row
//! - another user's key: every query names the owner, and theirs is not found
//! - a key that vouches for rights its user invented: its scopes are of those that the operator lists
//! - keys by the thousand: limits by hour and in total; of revoked and expired keys only the newest are kept

use actix_web::http::header::PRAGMA;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::api_keys::{
    ApiKeyView, DEFAULT_LIFETIME, NEVER, check_expiry, check_name, check_scopes, create_api_key,
};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::scope::Scopes;
use crate::domain::{Account, ApiKeyId, ClientInfo};
use crate::http::error_codes::TOO_MANY_API_KEYS;
use crate::http::password_challenge::challenge_beside;
use crate::http::{
    Access, Body, CurrentSession, CurrentUser, NonEmpty, PathId, Route, SecretText, location,
};
use crate::store::api_keys::{self, NewKey};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/api_keys", Access::Session, index)
            .operation("listApiKeys", "List API keys")
            .returns::<ApiKeyList>(200, "The API keys"),
        Route::post("/v1/api_keys", Access::Session, create)
            .operation("createApiKey", "Create an API key")
            .description(
                "The key is shown once. It may do what its scopes name and cannot manage the account. A changed or reset \
                 password revokes it.",
            )
            .returns::<CreatedApiKey>(201, "The new API key")
            .errors(&[TOO_MANY_API_KEYS])
            .rate_limited(),
        Route::patch("/v1/api_keys/{id}", Access::Session, update)
            .operation("renameApiKey", "Rename an API key")
            .returns::<ShownApiKey>(200, "The renamed API key"),
        Route::delete("/v1/api_keys/{id}", Access::Session, destroy)
            .operation("revokeApiKey", "Revoke an API key")
            .returns_no_body(204, "API key revoked"),
    ]
}

async fn index(context: web::Data<Context>, user: CurrentUser) -> Result<HttpResponse> {
    let owner = user.id;
    let mut found = context
        .database
        .read(move |reader| api_keys::list_for_user(reader, owner))
        .await?;
    for key in &mut found {
        key.last_used_at = context.activity.last_use_of(key);
    }
    let api_keys = found.iter().map(ApiKeyView::of).collect();
    Ok(HttpResponse::Ok().json(ApiKeyList { api_keys }))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<ApiKeyInput>,
) -> Result<HttpResponse> {
    let checked = input.checked(&context.settings.tokens.scopes, context.clock.now());
    let challenge = input.password_challenge.as_ref();
    let (challenge, new) = challenge_beside(checked, &context, &session, challenge)?;
    let limits = vec![context.throttle.api_keys(session.user_id)];
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?
        .admit(&context, &client, limits)
        .await?;
    let token = PlainToken::generate(TokenKind::ApiKey)?;
    let (digest, last_four) = (token.digest(), token.last_four().to_owned());
    let (notice, most) = (
        context.notice(&client, MailKind::ApiKeyCreated),
        context.settings.tokens.max_keys_per_user,
    );
    let create = move |change: &Change<'_>, account: &Account, now| {
        let owner = &account.user;
        let new = NewKey {
            user_id: Some(owner.id),
            name: &new.name,
            token_digest: digest,
            last_four: &last_four,
            scopes: &new.scopes,
            expires_at: new.expires_at,
        };
        create_api_key(change, &new, Some(owner), most, notice.as_ref(), now)
    };
    let made = reauthenticated.commit(&context, &client, create);
    let made = made.await?.ok_or_else(|| TOO_MANY_API_KEYS.refusal())?;
    let mut reply = HttpResponse::Created();
    let path = format!("/v1/api_keys/{}", made.id.0);
    reply.insert_header(location(&context.settings, &path));
    reply.insert_header((PRAGMA, "no-cache"));
    Ok(reply.json(CreatedApiKey {
        key: token.reveal(),
        api_key: ApiKeyView::of(&made),
    }))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    id: PathId,
    Body(changes): Body<ApiKeyChangesInput>,
) -> Result<HttpResponse> {
    let (owner, id) = (user.id, ApiKeyId(id.0));
    let name = check_name(&changes.name)?;
    let renamed = user.commit(&context, &client, move |change| {
        let renamed = api_keys::rename(change, owner, id, &name)?;
        if let Some(key) = &renamed {
            change.record(Event::ApiKeyRenamed {
                user: key.user_id,
                key: key.id,
            });
        }
        Ok(renamed)
    });
    let mut renamed = renamed.await?.ok_or(Error::NotFound)?;
    renamed.last_used_at = context.activity.last_use_of(&renamed);
    Ok(HttpResponse::Ok().json(ShownApiKey {
        api_key: ApiKeyView::of(&renamed),
    }))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    id: PathId,
) -> Result<HttpResponse> {
    let (owner, id, now) = (user.id, ApiKeyId(id.0), context.clock.now());
    let found = user.commit(&context, &client, move |change| {
        let revoked = api_keys::revoke_for_user(change, owner, id, now)?;
        // Revoking it again succeeds and is no event.
        if revoked == Some(true) {
            change.record(Event::ApiKeyRevoked {
                user: Some(owner),
                key: id,
            });
        }
        Ok(revoked.is_some())
    });
    if !found.await? {
        return Err(Error::NotFound);
    }
    Ok(HttpResponse::NoContent().finish())
}

/// A new API key.
#[derive(Deserialize, ToSchema)]
struct ApiKeyInput {
    /// The current password. Needed unless it was given on this session within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
    #[schema(max_length = 255)]
    name: String,
    /// Of the scopes in `tokens.scopes`, and `introspect`; also one text with spaces between them.
    scopes: Vec<String>,
    /// A time within ten years, or `never`. Absent or `null`: in a year.
    #[schema(value_type = Option<String>)]
    expires_at: Option<NonEmpty>,
}

#[derive(Clone)]
struct NewApiKey {
    name: String,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

impl ApiKeyInput {
    fn checked(&self, available: &Scopes, now: Timestamp) -> Result<NewApiKey, ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let name = invalid.keep(check_name(&self.name));
        let scopes = invalid.keep(check_scopes(&self.scopes, available));
        let expires_at = invalid.keep(self.expiry(now));
        match (name, scopes, expires_at) {
            (Some(name), Some(scopes), Some(expires_at)) => Ok(NewApiKey {
                name,
                scopes,
                expires_at,
            }),
            _ => Err(invalid),
        }
    }

    /// `None` for a key that does not expire.
    fn expiry(&self, now: Timestamp) -> Result<Option<Timestamp>, ValidationErrors> {
        let at = match self.expires_at.as_ref().map(NonEmpty::as_str) {
            None => return Ok(Some(now + DEFAULT_LIFETIME)),
            Some(NEVER) => return Ok(None),
            Some(text) => Timestamp::parse(text),
        };
        let at = at.ok_or_else(|| ValidationErrors::field("expires_at", "is invalid"))?;
        check_expiry(at, now).map(Some)
    }
}

/// Changes to an API key.
#[derive(Deserialize, ToSchema)]
struct ApiKeyChangesInput {
    #[schema(max_length = 255)]
    name: String,
}

/// A new API key and its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
struct CreatedApiKey<'a> {
    /// The key itself, shown only in this reply.
    key: &'a str,
    api_key: ApiKeyView<'a>,
}

/// One API key.
#[derive(Serialize, ToSchema)]
struct ShownApiKey<'a> {
    api_key: ApiKeyView<'a>,
}

/// The user's API keys.
#[derive(Serialize, ToSchema)]
struct ApiKeyList<'a> {
    /// The newest first; revoked and expired ones stay in the list for a while.
    api_keys: Vec<ApiKeyView<'a>>,
}
