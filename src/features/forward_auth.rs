//! Who a request comes from, for reverse proxies that ask before they forward it: nginx's `auth_request`, the forward
//! auth of Caddy and Traefik. They ask by any method, and copy headers of the reply to the request that they forward.
//!
//! # Threats
//! - a header that the client wrote itself: all seven headers are always set, empty where there is no value, because some
//!   proxies keep the client's own in place of an absent one
//! - header injection: anything but visible ASCII is an internal error
//! - a session of long ago, or of one factor, where more is at stake: `max_age` and `acr` refuse it, and the challenge says
//!   what is missing (RFC 9470); `POST /v1/session/reauthenticate` proves it
//! - a misread demand: a malformed or empty `scope`, another `acr`, or a parameter of another name, is refused
//! - an address that a narrow credential reads here: the client may ask as a proxy does, so that `X-User-Email` and
//!   `X-User-Email-Confirmed` are empty without the scope `user:read`, which `GET /v1/user` requires as well
//! - claims of a user: like the address, for credentials with `user:read` only; base64url, so that no value has a meaning
//!   in a header, and no proxy or framework splits or expands it
//! - an address that is another person's: `X-User-Email` is empty until it is verified, unless the settings allow it; then
//!   `X-User-Email-Confirmed` stands beside it
//! - cross-site requests by cookie, which proxies report by `GET`: `auth::same_origin` checks the method that they forward
//!
//! **A scope narrows a credential and never grants a right.** A session has all scopes of `tokens.scopes` and no others:
//! what a user may do, the service decides by `X-User-Id`.

use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::context::Context;
use crate::crypto::access_token::KnownUser;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::scope::{Scopes, USER_READ};
use crate::domain::{AAL2, Claims, EmailAddress};
use crate::http::error_codes::{
    FORBIDDEN, INSUFFICIENT_AUTHENTICATION, INSUFFICIENT_SCOPE, METHOD_NOT_ALLOWED,
};
use crate::http::{Access, Caller, Message, Query, Route};

const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const X_USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
const X_USER_EMAIL_CONFIRMED: HeaderName = HeaderName::from_static("x-user-email-confirmed");
const X_USER_CLAIMS: HeaderName = HeaderName::from_static("x-user-claims");
const X_CREDENTIAL: HeaderName = HeaderName::from_static("x-credential");
const X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const X_SCOPES: HeaderName = HeaderName::from_static("x-scopes");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::any("/v1/verify", Access::Credential, show)
            .operation("verify", "Verify the credential of a request")
            .description(
                "For nginx's `auth_request` and the forward auth of Caddy and Traefik; accepts every method. The result is \
                 in `X-User-Id`, `X-User-Email`, `X-User-Email-Confirmed`, `X-User-Claims`, `X-Credential`, `X-Session-Id` \
                 and `X-Scopes`. Without the scope `user:read` address and claims are empty. The claims of `tokens.claims` \
                 are a JSON object in base64url without padding; empty where there are none.",
            )
            .returns::<Message>(200, "Credential is valid and has the required scopes")
            .errors(&[
                INSUFFICIENT_AUTHENTICATION,
                FORBIDDEN,
                INSUFFICIENT_SCOPE,
                METHOD_NOT_ALLOWED,
            ]),
    ]
}

/// The body of the request is never read: proxies ask without it.
async fn show(
    context: web::Data<Context>,
    caller: Caller,
    Query(query): Query<Demand>,
) -> Result<HttpResponse> {
    let tokens = &context.settings.tokens;
    let scopes = caller.scopes().unwrap_or(&tokens.scopes);
    if let Some(words) = &query.scope {
        let demanded = Scopes::parse(words)
            .filter(|scopes| !scopes.is_empty())
            .ok_or(Error::Malformed("Invalid `scope` parameter"))?;
        if !scopes.holds(&demanded) {
            return Err(Error::InsufficientScope(demanded));
        }
    }
    query.check_authentication(&caller, context.clock.now())?;
    let reads_user = caller.require(USER_READ).is_ok();
    let known = match reads_user {
        true => known_user(&context, &caller).await?,
        false => None,
    };
    let (address, is_confirmed) = match &known {
        Some(user) if user.is_confirmed => (Some(&user.address), "true"),
        Some(user) => (
            tokens.show_unverified_email.then_some(&user.address),
            "false",
        ),
        None => (None, ""),
    };
    let claims = known.as_ref().map(|user| &user.claims);
    Ok(HttpResponse::Ok()
        .insert_header((X_USER_ID, number(caller.user_id().map(|id| id.0))))
        .insert_header((
            X_USER_EMAIL,
            text(address.map_or("", EmailAddress::as_str))?,
        ))
        .insert_header((
            X_USER_EMAIL_CONFIRMED,
            HeaderValue::from_static(is_confirmed),
        ))
        .insert_header((X_USER_CLAIMS, encoded(claims)?))
        .insert_header((
            X_CREDENTIAL,
            HeaderValue::from_static(caller.kind().as_str()),
        ))
        .insert_header((X_SESSION_ID, number(caller.session_id().map(|id| id.0))))
        .insert_header((X_SCOPES, text(scopes.as_str())?))
        .json(Message::new("Verified")))
}

/// What the credential must have; in a query, `+` is a space.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Demand {
    /// Scopes that the credential must have, with spaces between.
    #[param(nullable = false)]
    scope: Option<String>,
    /// `aal2`: the user must have authenticated with two factors.
    #[param(nullable = false)]
    acr: Option<String>,
    /// How many seconds ago the user may have authenticated at most.
    #[param(nullable = false)]
    max_age: Option<u32>,
}

impl Demand {
    /// An API key proves nothing about its user's authentication.
    fn check_authentication(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        let two_factors = match self.acr.as_deref() {
            None => false,
            Some(AAL2) => true,
            Some(_) => return Err(Error::Malformed("Invalid `acr` parameter")),
        };
        if !two_factors && self.max_age.is_none() {
            return Ok(());
        }
        let Some((methods, at)) = caller.authentication() else {
            return Err(Error::Forbidden(
                "An API key does not prove how its user authenticated",
            ));
        };
        let is_fresh = self
            .max_age
            .is_none_or(|seconds| now <= at + Duration::from_secs(seconds.into()));
        match is_fresh && (!two_factors || methods.has_several_factors()) {
            true => Ok(()),
            false => Err(Error::InsufficientAuthentication {
                two_factors,
                max_age: self.max_age,
            }),
        }
    }
}

/// What is reported of the caller's user, if there is one. An access token holds claims of when it was issued and no
/// address, so both are read from the database and kept for a second.
async fn known_user(context: &Context, caller: &Caller) -> Result<Option<KnownUser>> {
    if caller.user_id().is_none() {
        return Ok(None);
    }
    if let Some(fresh) = caller
        .access_token()
        .and_then(|token| token.cached_user(context.clock.monotonic()))
    {
        return Ok(Some(fresh));
    }
    let user = caller.user(context).await?;
    let known = KnownUser {
        address: user.email_address.clone(),
        is_confirmed: user.email_confirmed_at.is_some(),
        claims: context.claims(&user).await?,
    };
    if let Some(token) = caller.access_token() {
        token.cache_user(known.clone(), context.clock.monotonic());
    }
    Ok(Some(known))
}

/// JSON as the payload of a JWT has it; empty where there are none.
fn encoded(claims: Option<&Claims>) -> Result<HeaderValue> {
    let Some(claims) = claims.filter(|claims| !claims.is_empty()) else {
        return Ok(HeaderValue::from_static(""));
    };
    let json = serde_json::to_vec(claims).map_err(Error::internal)?;
    HeaderValue::try_from(BASE64_URL_SAFE_NO_PAD.encode(json)).map_err(Error::internal)
}

fn number(id: Option<i64>) -> HeaderValue {
    id.map_or_else(|| HeaderValue::from_static(""), HeaderValue::from)
}

/// Another program may have written anything into the database.
fn text(value: &str) -> Result<HeaderValue> {
    let is_plain = value
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let plain = is_plain
        .then(|| HeaderValue::from_str(value).ok())
        .flatten();
    plain.ok_or_else(|| {
        Error::internal("the database holds an address or a scope that no header may carry")
    })
}
