//! Signing in by address and password, or by a mailed code or link: `POST /v1/session`. The flows are in
//! [`accounts::password_sign_in`](crate::accounts::password_sign_in) and
//! [`accounts::mail_code`](crate::accounts::mail_code).
//!
//! # Threats
//! - a page that signs its visitors in as someone else: a cookie is set only for the application itself
//! - a session planted by cookie: the token is always new, and the session of the cookie in the request ends

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::mail_code::{MailSignIn, PresentedCode};
use crate::accounts::password_sign_in::PasswordSignIn;
use crate::context::Context;
use crate::domain::ClientInfo;
use crate::domain::error::Result;
use crate::http::error_codes::{
    EMAIL_UNCONFIRMED, INVALID_CODE, INVALID_CREDENTIALS, LINK_INVALID,
    SECOND_FACTOR_ENROLMENT_REQUIRED, SECOND_FACTOR_REQUIRED,
};
use crate::http::session_reply::{SignedIn, Transport, carrier, respond_with_session};
use crate::http::{Access, AskingBrowser, Body, Route, SecretText, filled_in};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session", Access::Public, create)
            .operation("signIn", "Sign in")
            .description(
                "Takes `email_address` and `password`; or, where `sign_in.mail_code` is true, `request_token` and `code`, or \
                 `link_token`, by which only the browser or the app that asked is signed in. Always starts a new session and \
                 ends the session of the request's cookie. For a user with a second factor the reply is 401 \
                 `second_factor_required`, and `POST /v1/session/second_factor` starts the session.",
            )
            .returns::<SignedIn>(200, "Session started")
            .errors(&[
                INVALID_CREDENTIALS,
                INVALID_CODE,
                LINK_INVALID,
                SECOND_FACTOR_REQUIRED,
                SECOND_FACTOR_ENROLMENT_REQUIRED,
                EMAIL_UNCONFIRMED,
            ])
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    browser: AskingBrowser,
    Body(input): Body<SignInInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let by_mail = match context.settings.sign_in.mail_code {
        true => input.by_mail(&browser),
        false => None,
    };
    let signed_in = match by_mail {
        Some(form) => form.start_session(&context, &client).await?,
        None => {
            let (address, password) = (&input.email_address, input.password.expose());
            let form = PasswordSignIn::new(address, password, input.remember);
            form.start_session(&context, &client, |_, _, _| Ok(()))
                .await?
        }
    };
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        carrier,
        &signed_in.token,
        &signed_in.user,
        &signed_in.session,
    )
}

/// Address and password, or a mailed code, or a mailed link.
#[derive(Deserialize, ToSchema)]
struct SignInInput {
    #[schema(format = "email", required = false)]
    email_address: String,
    #[schema(value_type = String, format = Password, required = false)]
    password: SecretText,
    /// From the reply to the request for the mail; it belongs to `code`. With `link_token` an app sends it, a browser its
    /// cookie.
    #[schema(value_type = Option<String>, nullable = false)]
    request_token: Option<SecretText>,
    /// Eight digits from the mail.
    #[schema(value_type = Option<String>, nullable = false)]
    code: Option<SecretText>,
    /// From the link in the mail.
    #[schema(value_type = Option<String>, nullable = false)]
    link_token: Option<SecretText>,
    /// Requests the longer lifetime. By mail, that of the request for it counts.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

impl SignInInput {
    /// The sign-in by mail, if it is one. A password comes first.
    fn by_mail(&self, browser: &AskingBrowser) -> Option<MailSignIn> {
        let fields = [&self.request_token, &self.code, &self.link_token];
        let [request, code, link] = fields.map(|field| filled_in(field.as_ref()));
        if filled_in(Some(&self.password)).is_some() {
            return None;
        }
        let request = request.unwrap_or_default();
        match (link, code) {
            (Some(link), _) => Some(MailSignIn::by_link(link, browser.digest(), request)),
            (None, None) if request.is_empty() => None,
            (None, code) => Some(MailSignIn::Code(PresentedCode::new(
                request,
                code.unwrap_or_default(),
            ))),
        }
    }
}
