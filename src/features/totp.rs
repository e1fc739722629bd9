//! The authenticator app of a user: set up in two steps, and removed. Until a code proves that the app has the secret,
//! it is no factor.
//!
//! # Threats
//! - an attacker with a stolen session who sets up an app to stay, or removes the owner's: each step needs a
//!   reauthentication, and the owner is notified by mail
//! - a thief with the password and an older session: a session that has not used a second factor removes none
//! - a lost app: recovery codes are shown once when the app is set up
//! - a secret that leaks: it is in one reply, sealed in the database, and in no log
//! - secrets that are never proved: an hour later they are void, and swept

use actix_web::http::header::PRAGMA;
use actix_web::{HttpResponse, web};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::accounts::second_factor::{
    self, AuthenticatorApp, SETUP_LIFETIME, new_recovery_codes, require_second_factor,
};
use crate::accounts::second_factor_rule::{self, Rule};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::totp::TotpSecret;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, AuthMethod, ClientInfo};
use crate::http::error_codes::{
    INSUFFICIENT_AUTHENTICATION, NOT_FOUND, TOTP_ENROLLED, TOTP_NOT_STARTED,
};
use crate::http::password_challenge::{ChallengeInput, challenge_beside};
use crate::http::recovery_codes_reply::RecoveryCodes;
use crate::http::{Access, Body, CurrentSession, CurrentUser, Route, SecretText};
use crate::mail;
use crate::store::{recovery_codes, sessions, totp_factors};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/user/totp", Access::Session, create)
            .operation("startTotp", "Start to set up an authenticator app")
            .description(
                "The secret is shown once, as text, as URL and as QR code. `PUT /v1/user/totp` with a code of the app within \
                 an hour makes it a second factor.",
            )
            .returns::<TotpSetup>(200, "The new secret")
            .errors(&[TOTP_ENROLLED])
            .rate_limited(),
        Route::put("/v1/user/totp", Access::Session, update)
            .operation("enrolTotp", "Finish to set up an authenticator app")
            .description("From then on each sign-in needs a second factor. The recovery codes are shown once.")
            .returns::<RecoveryCodes>(200, "Authenticator app set up")
            .errors(&[TOTP_ENROLLED, TOTP_NOT_STARTED])
            .rate_limited(),
        Route::delete("/v1/user/totp", Access::Session, destroy)
            .operation("removeTotp", "Remove the authenticator app")
            .description(
                "Also removes the recovery codes. Sign-in then needs the password alone. The session must have used a second \
                 factor: at sign-in, or by `POST /v1/session/reauthenticate`.",
            )
            .returns_no_body(204, "Authenticator app removed")
            .errors(&[INSUFFICIENT_AUTHENTICATION, NOT_FOUND])
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    user: CurrentUser,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let secret = TotpSecret::generate()?;
    let (key_ring, stored) = (context.key_ring.clone(), secret.clone());
    let store = move |change: &Change<'_>, account: &Account, now| {
        second_factor::start_setup(change, &key_ring, account.user.id, &stored, now)
    };
    if !reauthenticated.commit(&context, &client, store).await? {
        return Err(TOTP_ENROLLED.refusal());
    }
    let issuer = &context.settings.mail.service_name;
    let url = secret.url(issuer, user.email_address.as_str())?;
    let mut reply = HttpResponse::Ok();
    reply.insert_header((PRAGMA, "no-cache"));
    Ok(reply.json(TotpSetup {
        secret: &secret.to_base32(),
        qr_svg: &qr_svg(&url)?,
        otpauth_url: &url,
    }))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<TotpInput>,
) -> Result<HttpResponse> {
    let challenge = input.password_challenge.as_ref();
    let code = Zeroizing::new(input.code.expose().to_owned());
    let code = match code.trim().is_empty() {
        true => Err(ValidationErrors::field("code", "can't be blank")),
        false => Ok(code),
    };
    let (challenge, code) = challenge_beside(code, &context, &session, challenge)?;
    let limit = context.throttle.second_factor(session.user_id);
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?
        .admit(&context, &client, vec![limit.clone()])
        .await?;
    let (codes, digests) = new_recovery_codes()?;
    let key_ring = context.key_ring.clone();
    let (session_id, session_methods) = (session.id, session.auth_methods.clone());
    let notice = context.notice(&client, MailKind::TotpEnrolled);
    let enrol = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        let user = &account.user;
        let app = match AuthenticatorApp::find(change, &key_ring, user.id)? {
            Some(app) if app.enrolled_at.is_some() => return Ok(Enrolment::Enrolled),
            Some(app) if now < app.created_at + SETUP_LIFETIME => app,
            _ => return Ok(Enrolment::NotStarted),
        };
        let Some(step) = app.secret.matching_step(&code, now)? else {
            return Ok(Enrolment::WrongCode);
        };
        if !totp_factors::enrol(change, user.id, step, now)? {
            return Ok(Enrolment::Enrolled);
        }
        // The code is the second factor of this session.
        let methods = session_methods
            .clone()
            .with_second_factor(AuthMethod::OneTimeCode);
        sessions::set_auth_methods(change, session_id, &methods)?;
        recovery_codes::replace(change, user.id, &digests, now)?;
        second_factor_rule::clear(change, user)?;
        limit.forgive(change, now)?;
        change.record(Event::TotpEnrolled { user: user.id });
        mail::notify(change, notice.as_ref(), user, now)?;
        Ok(Enrolment::Done)
    };
    match reauthenticated.commit(&context, &client, enrol).await? {
        Enrolment::Done => Ok(RecoveryCodes::reply(&codes)),
        Enrolment::Enrolled => Err(TOTP_ENROLLED.refusal()),
        Enrolment::NotStarted => Err(TOTP_NOT_STARTED.refusal()),
        Enrolment::WrongCode => Err(ValidationErrors::field("code", "is incorrect").into()),
    }
}

/// What came of a code that is to prove a secret.
enum Enrolment {
    Done,
    Enrolled,
    NotStarted,
    WrongCode,
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let notice = context.notice(&client, MailKind::TotpRemoved);
    let rule = Rule::of(&context);
    let remove = move |change: &Change<'_>, account: &Account, now| {
        let user = &account.user;
        let removed = second_factor::remove_totp(change, user.id)?;
        if removed {
            second_factor_rule::factor_removed(change, &rule, user, now)?;
            change.record(Event::TotpRemoved { user: user.id });
            mail::notify(change, notice.as_ref(), user, now)?;
        }
        Ok(removed)
    };
    match reauthenticated.commit(&context, &client, remove).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Error::NotFound),
    }
}

/// A QR code as an SVG image, with the quiet zone of four modules that readers need.
fn qr_svg(text: &str) -> Result<Zeroizing<String>> {
    const QUIET: i32 = 4;
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(Error::internal)?;
    let size = code.size() + 2 * QUIET;
    let mut svg = Zeroizing::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/><path fill=\"#000\" d=\""
    ));
    let modules = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    for (x, y) in modules.filter(|(x, y)| code.get_module(*x, *y)) {
        svg.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}

/// A code of the app that is being set up.
#[derive(Deserialize, ToSchema)]
struct TotpInput {
    /// Six digits that the app shows.
    #[schema(value_type = String)]
    code: SecretText,
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
}

/// The secret of an authenticator app, shown only in this reply.
#[derive(Serialize, ToSchema)]
struct TotpSetup<'a> {
    /// In base32, to be typed into an app.
    secret: &'a str,
    /// The same as a URL that authenticator apps open.
    otpauth_url: &'a str,
    /// The URL as a QR code: an SVG image.
    qr_svg: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_an_image_with_a_quiet_zone() {
        let svg = qr_svg("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ&issuer=a").unwrap();
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"));
        // The finder pattern begins behind the quiet zone.
        assert!(svg.contains("M4 4h1v1h-1zM5 4h1v1h-1z"), "{}", *svg);
        assert!(!svg.contains("M3 ") && !svg.contains(" 3h1"));
    }
}
