//! `POST /v1/session/exchange`: a code becomes a session.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::identity_sign_in::{IdentitySignIn, Outcome, Refused};
use crate::accounts::start_session::SessionStart;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::error::{Error, Result};
use crate::domain::{ClientInfo, TokenDigest, UserId};
use crate::http::auth::browser_cookie;
use crate::http::error_codes::{ADDRESS_UNVERIFIED, TOO_MANY_IDENTITIES};
use crate::http::session_reply::{Transport, carrier, respond_with_session};
use crate::http::{Body, Carrier, Languages, SecretText};
use crate::providers::{BoundTo, Identity};
use crate::store::provider_sign_ins::{self, ProviderSignIn};

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    languages: Languages,
    Body(input): Body<ExchangeInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let browser = browser_cookie::value(request.headers(), &context.settings);
    let verifier = input.code_verifier.as_ref();
    let found = confirmed(&context, &input.exchange_code, verifier, browser, None).await?;
    let Some((code, confirmed)) = found else {
        let reason = "exchange_code_invalid";
        context.refused(&client, Event::ProviderSignInRefused { reason });
        return Err(Error::ExchangeCodeInvalid);
    };
    let identity: Identity = serde_json::from_str(&confirmed.identity).map_err(Error::internal)?;
    // A provider that was removed from the settings meanwhile signs no user in.
    let provider = context.providers.find(&confirmed.provider);
    let provider = provider.ok_or(Error::ExchangeCodeInvalid)?;
    let sign_in = IdentitySignIn {
        is_authoritative: provider.is_authoritative_for(&identity),
        code,
        bound_to: confirmed.bound_to,
        provider: confirmed.provider,
        identity,
        creates_accounts: provider.creates_accounts(),
        remember: input.remember,
        locale: context.locale(&languages.0),
    };
    let (outcome, token) = sign_in.finish(&context, &client).await?;
    match outcome {
        Outcome::Started(start) => respond_with_start(&context, carrier, start, &token),
        Outcome::Refused(refused) => Err(match refused {
            Refused::Invalid => Error::ExchangeCodeInvalid,
            Refused::Unconfirmed => Error::Unconfirmed,
            Refused::SignUpClosed => Error::Forbidden("Registration is closed"),
            Refused::AddressUnverified => ADDRESS_UNVERIFIED.refusal(),
            Refused::AccountExists => Error::AccountExists,
            Refused::TooManyIdentities => TOO_MANY_IDENTITIES.refusal(),
        }),
    }
}

/// Replies with the session that was started by an identity, or asks for a second factor.
pub(super) fn respond_with_start(
    context: &Context,
    carrier: Carrier,
    start: SessionStart,
    token: &PlainToken,
) -> Result<HttpResponse> {
    match start {
        SessionStart::Session(started) => respond_with_session(
            HttpResponse::Ok(),
            context,
            carrier,
            token,
            &started.user,
            &started.session,
        ),
        SessionStart::SecondFactorDue(due) => Err(Error::SecondFactorRequired(due)),
        SessionStart::EnrolmentOverdue => Err(Error::SecondFactorOverdue),
        SessionStart::Outdated => Err(Error::ExchangeCodeInvalid),
    }
}

/// A code to be exchanged.
#[derive(Deserialize, ToSchema)]
pub(super) struct ExchangeInput {
    /// From the fragment of the page.
    #[schema(value_type = String)]
    exchange_code: SecretText,
    /// Of the `code_challenge` that started the sign-in, if one did.
    #[schema(value_type = Option<String>, nullable = false)]
    code_verifier: Option<SecretText>,
    /// Requests the longer lifetime.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

/// What a provider confirmed, if the code is valid, and bound to what presents it: for a sign-in, or to be linked to this
/// user. One that was stolen is not used up by a wrong browser.
pub(super) async fn confirmed(
    context: &Context,
    code: &SecretText,
    verifier: Option<&SecretText>,
    browser: Option<&str>,
    user: Option<UserId>,
) -> Result<Option<(TokenDigest, ProviderSignIn)>> {
    let code = PlainToken::parse(TokenKind::ExchangeCode, code.expose().trim());
    let Some(code) = code.map(|code| code.digest()) else {
        return Ok(None);
    };
    let now = context.clock.now();
    let found = context
        .database
        .read(move |reader| provider_sign_ins::find(reader, &code, now));
    let bearer = bearer(verifier, browser);
    let bearer = match user {
        Some(user) => bearer.map(|bearer| bearer.for_user(user)),
        None => bearer,
    };
    let is_bound = |confirmed: &ProviderSignIn| {
        bearer.is_some_and(|bearer| bearer.as_str() == confirmed.bound_to)
    };
    Ok(found.await?.filter(is_bound).map(|found| (code, found)))
}

/// What presents a code or a link: an app by its verifier, or a browser by its cookie.
pub(super) fn bearer(verifier: Option<&SecretText>, browser: Option<&str>) -> Option<BoundTo> {
    match verifier {
        Some(verifier) => Some(BoundTo::app_with(verifier.expose())),
        None => browser.map(BoundTo::browser),
    }
}
