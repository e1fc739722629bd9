//! Requesting a code to sign in by mail: `POST /v1/session/code`, and what the page of the mailed link shows:
//! `POST /v1/session/code/check`. `POST /v1/session` takes code and link. Only where `sign_in.mail_code` is true.
//!
//! # Threats
//! - enumeration: known, unknown, disabled and malformed addresses get the same reply; each request has a row, and the mail
//!   worker finds the account
//! - a flood of mails to one address: limited without a change of the reply; from one network, refused
//! - an attacker who asks often, to keep the owner from signing in: limits are by address and network, and an open request
//!   is never given up for a new one
//! - a link that is opened by another program than the one that asked: it is shown the code, and changes nothing

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::mail_code::open_mail_link;
use crate::audit::Event;
use crate::context::Context;
use crate::crypto::mail_code::MailCode;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MAIL_CODE_LIFETIME;
use crate::domain::{ClientInfo, EmailAddress, Network};
use crate::http::auth::asking_browser;
use crate::http::{Access, AskingBrowser, Body, Languages, LinkInput, Route, error_codes};
use crate::mail;
use crate::store::mail_codes::{self, NewMailCode};

const LINK_INVALID: Error = Error::LinkInvalid("Sign-in link is invalid or has expired.");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/code", Access::Public, create)
            .operation("requestMailCode", "Request a code to sign in by mail")
            .description(
                "If an account has the address, mails it a code and a link, which `POST /v1/session` takes for ten minutes. A \
                 browser of the application also gets a cookie, by which the link signs it in.",
            )
            .returns::<Requested>(202, "Same reply for every address")
            .rate_limited(),
        Route::post("/v1/session/code/check", Access::Public, check)
            .operation("checkMailLink", "Open the link of a mailed code")
            .description("Returns the code of the mail. Signs in no one and changes nothing.")
            .returns::<OpenedLink>(200, "Link is valid")
            .errors(&[error_codes::LINK_INVALID]),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    languages: Languages,
    browser: AskingBrowser,
    Body(input): Body<MailCodeInput>,
) -> Result<HttpResponse> {
    if input.email_address.trim().is_empty() {
        return Err(ValidationErrors::field("email_address", "can't be blank").into());
    }
    let address = EmailAddress::parse(&input.email_address).ok();
    let throttle = context.throttle.clone();
    let mut limits = vec![throttle.mail_code(client.ip)];
    if let Some(address) = &address {
        let network = Network::of_client(client.ip).to_string();
        limits.push(throttle.mail_codes(address).of_kind(&network));
    }
    let admission = context.admit(&client, limits).await?;
    let (token, now) = (
        PlainToken::generate(TokenKind::MailCode)?,
        context.clock.now(),
    );
    // A browser whose origin is unknown could be made to ask by another page.
    let browser = match client.same_origin {
        true => Some(browser.or_new()?),
        false => None,
    };
    let new = NewMailCode {
        token: token.digest(),
        browser: browser.as_ref().map(PlainToken::digest),
        remembered: input.remember,
        expires_at: now + MAIL_CODE_LIFETIME,
    };
    let (expires_at, locale) = (new.expires_at, context.locale(&languages.0));
    let requested = context.commit(&client, move |change| {
        change.record(Event::MailCodeRequested);
        let request = mail_codes::insert(change, &new)?;
        match &address {
            Some(address)
                if throttle.admits(change, &throttle.mail_code_mails(address), now)? =>
            {
                mail::enqueue_mail_code(change, request, address, locale.as_ref(), now)
            }
            _ => Ok(()),
        }
    });
    context.counted(&admission, requested).await?;
    let mut reply = HttpResponse::Accepted();
    if let Some(browser) = &browser {
        reply.insert_header((SET_COOKIE, asking_browser::set(&context.settings, browser)?));
    }
    Ok(reply.json(Requested {
        request_token: token.reveal(),
        expires_at,
    }))
}

async fn check(
    context: web::Data<Context>,
    client: ClientInfo,
    browser: AskingBrowser,
    Body(input): Body<LinkInput>,
) -> Result<HttpResponse> {
    let Some(request) = open_mail_link(&context, input.token()?).await? else {
        context.refused(&client, Event::MailLinkRefused);
        return Err(LINK_INVALID);
    };
    let code = MailCode::of_request(&context.key_ring, &request.token);
    let signs_in =
        client.same_origin && request.browser.is_some() && request.browser == browser.digest();
    Ok(HttpResponse::Ok().json(OpenedLink {
        code: code.reveal(),
        signs_in,
        expires_at: request.expires_at,
    }))
}

/// The address that the mail goes to.
#[derive(Deserialize, ToSchema)]
struct MailCodeInput {
    #[schema(format = "email")]
    email_address: String,
    /// Requests the longer lifetime of the session.
    #[schema(value_type = Option<bool>, nullable = false)]
    remember: bool,
}

/// A request for a mailed code.
#[derive(Serialize, ToSchema)]
#[schema(as = MailCodeRequest)]
struct Requested<'a> {
    /// Belongs to the code that is mailed. It is no credential.
    request_token: &'a str,
    /// When code and link expire.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A mailed link that is valid.
#[derive(Serialize, ToSchema)]
struct OpenedLink<'a> {
    /// The eight digits of the mail, to be typed in where the mail was asked for.
    code: &'a str,
    /// Whether this browser asked: `POST /v1/session` signs it in by the link.
    signs_in: bool,
    /// When code and link expire.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}
