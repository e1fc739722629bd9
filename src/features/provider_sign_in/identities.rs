//! The identities of the signed-in user: listed, linked and unlinked. Linking goes the way of a sign-in, and is finished by
//! `POST /v1/user/identities`.
//!
//! # Threats
//! - a code for linking used to sign in, or the other way round: what a code is bound to names the user
//! - an account that another person prepared with the address of its owner: no identity is linked before the address is
//!   verified
//! - an identity of the victim linked to the attacker's account, or the attacker's to the victim's: the browser or app that
//!   started it must finish it, with a session of the same user

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::exchange::confirmed;
use super::start::{start, target};
use crate::accounts::identities::{Linked, Unlinked, link, unlink};
use crate::accounts::sign_in_methods::SignInMethods;
use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, IdentityId, LinkedIdentity};
use crate::http::auth::browser_cookie;
use crate::http::error_codes::TOO_MANY_IDENTITIES;
use crate::http::password_challenge::{ChallengeInput, challenge_beside};
use crate::http::{Body, CurrentSession, CurrentUser, NonEmpty, PathId, SecretText};
use crate::providers::Identity;
use crate::store::identities::{self, NewIdentity};
use crate::store::{provider_sign_ins, users};

pub(super) async fn index(context: web::Data<Context>, user: CurrentUser) -> Result<HttpResponse> {
    let id = user.id;
    let found = context
        .database
        .read(move |reader| identities::list_for_user(reader, id));
    Ok(HttpResponse::Ok().json(IdentityList {
        identities: found.await?,
    }))
}

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    session: CurrentSession,
    name: web::Path<String>,
    Body(input): Body<LinkingInput>,
) -> Result<HttpResponse> {
    let provider = context.providers.find(&name).ok_or(Error::NotFound)?;
    let target = target(
        &context.settings,
        input.redirect_to.as_ref(),
        input.code_challenge.as_ref(),
    );
    let offered = input.password_challenge.as_ref();
    let (challenge, target) = challenge_beside(target, &context, &session, offered)?;
    let limits = vec![context.throttle.provider_sign_in(client.ip)];
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?
        .admit(&context, &client, limits)
        .await?;
    let verified = |_: &Change<'_>, account: &Account, _: Timestamp| check_address(account);
    reauthenticated.commit(&context, &client, verified).await?;
    let user = Some(session.user_id);
    start(&context, &client, &request, provider, target, user).await
}

pub(super) async fn finish(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    user: CurrentUser,
    Body(input): Body<LinkedCodeInput>,
) -> Result<HttpResponse> {
    let browser = browser_cookie::value(request.headers(), &context.settings);
    let (verifier, id) = (input.code_verifier.as_ref(), user.id);
    let found = confirmed(&context, &input.exchange_code, verifier, browser, Some(id)).await?;
    let (code, confirmed) = found.ok_or(Error::ExchangeCodeInvalid)?;
    let identity: Identity = serde_json::from_str(&confirmed.identity).map_err(Error::internal)?;
    let notice = context.notice(&client, MailKind::IdentityLinked);
    let now = context.clock.now();
    let linked = user.commit(&context, &client, move |change| {
        let Some(account) = users::find(change, id)? else {
            return Ok(None);
        };
        check_address(&account)?;
        if !provider_sign_ins::take(change, &code, now)? {
            return Ok(None);
        }
        let new = NewIdentity {
            provider: &confirmed.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            email: identity.email.as_deref(),
        };
        link(change, &account.user, &new, notice.as_ref(), now).map(Some)
    });
    match linked.await?.ok_or(Error::ExchangeCodeInvalid)? {
        Linked::Done(identity) => Ok(HttpResponse::Created().json(ShownIdentity { identity })),
        Linked::Taken => Err(Error::IdentityTaken),
        Linked::TooMany => Err(TOO_MANY_IDENTITIES.refusal()),
    }
}

/// Refuses a user who has not verified their address.
fn check_address(account: &Account) -> Result<()> {
    match account.user.email_confirmed_at {
        Some(_) => Ok(()),
        None => Err(Error::Unconfirmed),
    }
}

pub(super) async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    id: PathId,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let notice = context.notice(&client, MailKind::IdentityUnlinked);
    let (id, kept) = (IdentityId(id.0), session.id);
    let methods = SignInMethods::of(&context);
    let remove = move |change: &Change<'_>, account: &Account, now| {
        unlink(change, account, id, &methods, kept, notice.as_ref(), now)
    };
    match reauthenticated.commit(&context, &client, remove).await? {
        Unlinked::Done => Ok(HttpResponse::NoContent().finish()),
        Unlinked::NotFound => Err(Error::NotFound),
        Unlinked::LastSignInMethod => Err(Error::LastSignInMethod),
    }
}

/// An identity to be linked.
#[derive(Deserialize, ToSchema)]
pub(super) struct LinkingInput {
    /// The page that it returns to, one of `identities.redirects`; the first of these by default.
    #[schema(value_type = Option<String>, nullable = false, max_length = 512)]
    redirect_to: Option<NonEmpty>,
    /// For apps, in place of the cookie: the SHA-256 of a random `code_verifier` in base64url (RFC 7636).
    #[schema(value_type = Option<String>, nullable = false, min_length = 43, max_length = 43)]
    code_challenge: Option<NonEmpty>,
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
}

/// The code of an identity to be linked.
#[derive(Deserialize, ToSchema)]
pub(super) struct LinkedCodeInput {
    /// From the fragment of the page.
    #[schema(value_type = String)]
    exchange_code: SecretText,
    /// Of the `code_challenge` that started it, if one did.
    #[schema(value_type = Option<String>, nullable = false)]
    code_verifier: Option<SecretText>,
}

/// The identities of the user.
#[derive(Serialize, ToSchema)]
pub(super) struct IdentityList {
    /// The oldest first.
    identities: Vec<LinkedIdentity>,
}

/// An identity of the user.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownIdentity {
    identity: LinkedIdentity,
}
