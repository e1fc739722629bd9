//! Signing in by address and password: `POST /v1/session`. The flow itself has a second caller and lies in
//! [`accounts::password_sign_in`](crate::accounts::password_sign_in).
//!
//! # Threats
//! - a page that signs its visitors in as someone else: a cookie is set only for the application itself
//! - a session planted by cookie: the token is always new, and the session of the cookie in the request ends

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::password_sign_in::PasswordSignIn;
use crate::context::Context;
use crate::domain::ClientInfo;
use crate::domain::error::Result;
use crate::http::error_codes::{EMAIL_UNCONFIRMED, INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED};
use crate::http::session_reply::{SignedIn, Transport, carrier, respond_with_session};
use crate::http::{Access, Body, Route, SecretText};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session", Access::Public, create)
            .operation("signIn", "Sign in")
            .description(
                "Always starts a new session and ends the session of the request's cookie. For a user with a second factor the \
                 reply is 401 `second_factor_required`, and `POST /v1/session/second_factor` starts the session.",
            )
            .returns::<SignedIn>(200, "Session started")
            .errors(&[
                INVALID_CREDENTIALS,
                SECOND_FACTOR_REQUIRED,
                EMAIL_UNCONFIRMED,
            ])
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<SignInInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let (address, password) = (&input.email_address, input.password.expose());
    let form = PasswordSignIn::new(address, password, input.remember);
    let signed_in = form
        .start_session(&context, &client, |_, _, _| Ok(()))
        .await?;
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        carrier,
        &signed_in.token,
        &signed_in.user,
        &signed_in.session,
    )
}

/// Address and password.
#[derive(Deserialize, ToSchema)]
struct SignInInput {
    #[schema(format = "email")]
    email_address: String,
    #[schema(value_type = String, format = Password)]
    password: SecretText,
    /// Requests the longer lifetime.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}
