//! `POST /v1/session/identity/{provider}`: where the browser goes.

use std::time::Duration;

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::callback::CODE_LIFETIME;
use crate::audit::Event;
use crate::config::Settings;
use crate::context::Context;
use crate::crypto::token::random_hex;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::IDENTITY_LINK_LIFETIME;
use crate::domain::{ClientInfo, UserId};
use crate::http::auth::browser_cookie;
use crate::http::{Body, NonEmpty};
use crate::providers::{BoundTo, Flow, Provider, STATE_LIFETIME};

/// How long a browser is recognised: while the user is at the provider, and until a mailed link expires.
const BROWSER_LIFETIME: Duration = STATE_LIFETIME
    .saturating_add(CODE_LIFETIME)
    .saturating_add(IDENTITY_LINK_LIFETIME);
/// When a provider that does not answer may be tried again.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// SHA-256 in base64url (RFC 7636, 4.2).
const CHALLENGE_LENGTH: usize = 43;

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    name: web::Path<String>,
    Body(input): Body<ProviderSignInInput>,
) -> Result<HttpResponse> {
    let provider = context.providers.find(&name).ok_or(Error::NotFound)?;
    let target = target(
        &context.settings,
        input.redirect_to.as_ref(),
        input.code_challenge.as_ref(),
    )?;
    let limit = context.throttle.provider_sign_in(client.ip);
    context.admit(&client, vec![limit]).await?;
    start(&context, &client, &request, provider, target, None).await
}

/// Where a sign-in returns to, and the challenge of the app that starts it.
pub(super) struct Target {
    redirect_to: Url,
    challenge: Option<String>,
}

/// Checks what a client requests.
///
/// # Errors
/// The faults of the fields.
pub(super) fn target(
    settings: &Settings,
    redirect_to: Option<&NonEmpty>,
    challenge: Option<&NonEmpty>,
) -> Result<Target, ValidationErrors> {
    let mut invalid = ValidationErrors::default();
    let redirect_to =
        settings.identity_redirect(redirect_to.map(NonEmpty::as_str), challenge.is_some());
    if redirect_to.is_none() {
        invalid.add("redirect_to", "is not an allowed page");
    }
    let challenge = challenge.map(NonEmpty::as_str);
    if !challenge.is_none_or(is_challenge) {
        invalid.add("code_challenge", "is invalid");
    }
    match redirect_to {
        Some(redirect_to) if invalid.faults.is_empty() => Ok(Target {
            redirect_to,
            challenge: challenge.map(str::to_owned),
        }),
        _ => Err(invalid),
    }
}

/// Sends the browser to a provider: for a sign-in, or to link an identity to this user.
pub(super) async fn start(
    context: &Context,
    client: &ClientInfo,
    request: &HttpRequest,
    provider: &Provider,
    target: Target,
    user: Option<UserId>,
) -> Result<HttpResponse> {
    let (bound_to, browser) = match &target.challenge {
        Some(challenge) => (BoundTo::app(challenge), None),
        // Another page cannot carry a cookie for the browser's own.
        None if !client.same_origin => {
            context.refused(client, Event::CrossOriginRefused);
            return Err(Error::CrossOrigin);
        }
        None => {
            let known = browser_cookie::value(request.headers(), &context.settings);
            let browser = known.map_or_else(random_hex, |value| Ok(value.to_owned()))?;
            (BoundTo::browser(&browser), Some(browser))
        }
    };
    let bound_to = match user {
        Some(user) => bound_to.for_user(user),
        None => bound_to,
    };
    let flow = Flow::new(&provider.name, target.redirect_to.into(), bound_to)?;
    let state = flow.seal(&context.key_ring, context.clock.now())?;
    let url = provider.authorization_url(&flow, &state).await;
    let url = url.map_err(|refusal| {
        let reason = refusal.code();
        context.refused(client, Event::ProviderSignInRefused { reason });
        Error::ProviderUnavailable(RETRY_AFTER)
    })?;
    let mut reply = HttpResponse::Ok();
    if let Some(browser) = browser {
        let cookie = browser_cookie::set(&context.settings, &browser, BROWSER_LIFETIME)?;
        reply.insert_header((SET_COOKIE, cookie));
    }
    Ok(reply.json(Started {
        authorization_url: url.as_str(),
    }))
}

/// A sign-in to be started.
#[derive(Deserialize, ToSchema)]
pub(super) struct ProviderSignInInput {
    /// The page that the sign-in returns to, one of `identities.redirects`; the first of these by default.
    #[schema(value_type = Option<String>, nullable = false, max_length = 512)]
    redirect_to: Option<NonEmpty>,
    /// For apps, in place of the cookie: the SHA-256 of a random `code_verifier` in base64url (RFC 7636).
    #[schema(value_type = Option<String>, nullable = false, min_length = 43, max_length = 43)]
    code_challenge: Option<NonEmpty>,
}

fn is_challenge(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == CHALLENGE_LENGTH && text.bytes().all(is_base64url)
}

/// A sign-in that was started.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderSignInStarted)]
pub(super) struct Started<'a> {
    /// The page of the provider, for the browser.
    authorization_url: &'a str,
}
