//! Signing in by address and password: `POST /v1/session`. The flow itself has a second caller and lies in
//! [`accounts::password_sign_in`](crate::accounts::password_sign_in).
//!
//! # Threats
//! - a page that signs its visitors in as someone else: a cookie is set only for the application itself
//! - a session planted by cookie: the token is always new, and the session of the cookie in the request ends

use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use crate::accounts::password_sign_in::PasswordSignIn;
use crate::context::Context;
use crate::domain::error::{Result, ValidationErrors};
use crate::http::session_reply::{respond_with_session, transport};
use crate::http::{ClientInfo, Input, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes.public(Method::POST, "/v1/session", create);
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    input: Input,
) -> Result<HttpResponse> {
    let carrier = transport(&context, &client, &input)?;
    let mut invalid = ValidationErrors::default();
    let address = input.text("email_address", &mut invalid);
    let password = input.text("password", &mut invalid);
    let remember = input.flag("remember", &mut invalid);
    invalid.into_result()?;
    let form = PasswordSignIn::new(
        address.unwrap_or_default(),
        password.unwrap_or_default(),
        remember,
    );
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
