//! API keys: credentials for a user's own programs, made, listed, renamed and revoked. What one may do is the scopes that
//! it was made with and what its user may, whichever is less; it never manages the account, keys included.
//!
//! Fears: a key that is seen later (shown once, in the reply that makes it; the digest alone is stored, and a list tells
//! it by its last four characters); one that a thief of a session makes to stay (its owner is mailed, and a reset by link
//! revokes it); one that works after its end (every use reads the row); somebody else's (every statement asks whose; a
//! stranger's is as absent as none); an account that makes them by the thousand (so many an hour, so many at all, and of those that
//! ended the newest alone).

use actix_web::http::Method;
use actix_web::http::header::PRAGMA;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::accounts::api_keys::{ApiKeyView, check_expiry, check_name};
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::scope::Scopes;
use crate::domain::{ApiKeyId, User};
use crate::http::extract::raw_query::path_id;
use crate::http::{ClientInfo, CurrentUser, Input, Routes};
use crate::mail;
use crate::store::api_keys::{self, NewKey};

/// Of keys that ended, those that their owner still sees in the list.
const KEEP_ENDED: u32 = 100;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .protected(Method::GET, "/v1/api_keys", index)
        .protected(Method::POST, "/v1/api_keys", create)
        .protected(Method::PATCH, "/v1/api_keys/{id}", update)
        .protected(Method::DELETE, "/v1/api_keys/{id}", destroy);
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
    let views: Vec<ApiKeyView<'_>> = found.iter().map(ApiKeyView::of).collect();
    Ok(HttpResponse::Ok().json(json!({ "api_keys": views })))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    input: Input,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let draft = Draft::read(&input, now)?;
    let limits = vec![context.throttle.api_keys(user.id)];
    context.admit(&client, limits).await?;
    let token = PlainToken::generate(TokenKind::ApiKey)?;
    let (digest, last_four) = (token.digest(), token.last_four().to_owned());
    let (notice, most) = (
        context.notice(&client, MailKind::ApiKeyCreated),
        context.settings.tokens.max_keys_per_user,
    );
    let owner = User::clone(&user);
    let made = user.commit(&context, &client, move |change| {
        let new = NewKey {
            user_id: Some(owner.id),
            name: &draft.name,
            token_digest: digest,
            last_four: &last_four,
            scopes: &draft.scopes,
            expires_at: draft.expires_at,
        };
        let made = api_keys::insert(change, &new, most, now)?;
        if let Some(key) = &made {
            api_keys::delete_ended_beyond(change, owner.id, KEEP_ENDED, now)?;
            mail::notify(change, notice.as_ref(), &owner, now)?;
            change.record(Event::ApiKeyCreated {
                user: key.user_id,
                key: key.id,
            });
        }
        Ok(made)
    });
    let made = made.await?.ok_or_else(|| {
        ValidationErrors::summary(
            "too_many_api_keys",
            "You have as many API keys as there may be",
        )
    })?;
    let mut reply = HttpResponse::Created();
    reply.insert_header((PRAGMA, "no-cache"));
    Ok(reply.json(json!({ "key": token.reveal(), "api_key": ApiKeyView::of(&made) })))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    id: web::Path<String>,
    input: Input,
) -> Result<HttpResponse> {
    let (owner, id) = (user.id, ApiKeyId(path_id(&id)?));
    let name = read_name(&input)?;
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
    Ok(HttpResponse::Ok().json(json!({ "api_key": ApiKeyView::of(&renamed) })))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (owner, id, now) = (user.id, ApiKeyId(path_id(&id)?), context.clock.now());
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

/// What a key is to be.
struct Draft {
    name: String,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

impl Draft {
    fn read(input: &Input, now: Timestamp) -> Result<Self, ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let name = invalid.keep(read_name(input));
        let scopes = invalid.keep(read_scopes(input));
        let expires_at = invalid.keep(read_end(input, now));
        match (name, scopes, expires_at) {
            (Some(name), Some(scopes), Some(expires_at)) => Ok(Self {
                name,
                scopes,
                expires_at,
            }),
            _ => Err(invalid),
        }
    }
}

fn read_name(input: &Input) -> Result<String, ValidationErrors> {
    let mut invalid = ValidationErrors::default();
    let text = input.text("name", &mut invalid);
    invalid.into_result()?;
    check_name(text.unwrap_or_default())
}

fn read_scopes(input: &Input) -> Result<Scopes, ValidationErrors> {
    let mut invalid = ValidationErrors::default();
    let words = input.words("scopes", &mut invalid);
    invalid.into_result()?;
    match Scopes::from_words(&words.unwrap_or_default()) {
        Some(scopes) if scopes.is_empty() => {
            Err(ValidationErrors::field("scopes", "can't be blank"))
        }
        Some(scopes) => Ok(scopes),
        None => Err(ValidationErrors::field("scopes", "is invalid")),
    }
}

fn read_end(input: &Input, now: Timestamp) -> Result<Option<Timestamp>, ValidationErrors> {
    let mut invalid = ValidationErrors::default();
    let text = input.text("expires_at", &mut invalid);
    invalid.into_result()?;
    match text.map(Timestamp::parse) {
        None => Ok(None),
        Some(None) => Err(ValidationErrors::field("expires_at", "is invalid")),
        Some(Some(end)) => check_expiry(end, now).map(Some),
    }
}
