//! Verifying an address by a mailed link: the address of an account, or the one that is to replace it.
//! `POST /v1/confirmations` requests the link, `PUT /v1/confirmations` uses it, or `PUT /v1/confirmations/{token}` with
//! the token in the path.
//!
//! The rules of requests are in [`accounts::mailed_link`](crate::accounts::mailed_link).
//!
//! # Threats
//! - a link that verifies another address than it was mailed to: it is bound to that address, which the update compares
//! - a link used twice or concurrently: each change is one conditional update. A second use gets the same reply as the
//!   first and changes nothing, until the address or the password changes
//! - an address that another user took meanwhile: the same update requires that it is free
//! - an address that changes without its owner: the old one is notified, and every outstanding link is void
//! - links in logs: clients send the token in the body; of a path, only the route's pattern is logged

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use crate::accounts::credentials_changed::{KeepSessions, credentials_changed};
use crate::accounts::mailed_link::LinkRequest;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::signed_link::{self, ConfirmedAddress};
use crate::crypto::signed_message::SignedMessage;
use crate::domain::ClientInfo;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::http::error_codes;
use crate::http::{Access, AddressInput, Body, Languages, LinkInput, Message, Route};
use crate::mail::{self, Notice};
use crate::store::users;

const LINK_INVALID: Error = Error::LinkInvalid("Confirmation link is invalid or has expired.");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/confirmations", Access::Public, create)
            .operation("requestConfirmation", "Request a verification email")
            .returns::<Message>(200, "Same reply for every well-formed address")
            .rate_limited(),
        Route::put("/v1/confirmations", Access::Public, update)
            .operation("confirmAddress", "Verify an email address")
            .returns::<Message>(200, "Email address verified")
            .errors(&[error_codes::LINK_INVALID]),
        Route::put("/v1/confirmations/{token}", Access::Public, update_by_path)
            .operation("confirmAddressByPath", "Verify an email address")
            .description("Proxies log paths: prefer `PUT /v1/confirmations`.")
            .returns::<Message>(200, "Email address verified"),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    languages: Languages,
    Body(input): Body<AddressInput>,
) -> Result<HttpResponse> {
    let address = input.parse()?;
    let request = LinkRequest {
        kind: MailKind::Confirmation,
        event: Event::VerificationRequested,
        by_client: context.throttle.confirmation(client.ip),
        by_address: context.throttle.confirmation_mails(&address),
        locale: context.locale(&languages.0),
    };
    request.enqueue(&context, &client, address).await?;
    Ok(HttpResponse::Ok().json(Message::new("Confirmation instructions sent")))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<LinkInput>,
) -> Result<HttpResponse> {
    use_link(&context, &client, input.token()?).await
}

async fn update_by_path(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    use_link(&context, &client, &token).await
}

async fn use_link(
    context: &Arc<Context>,
    client: &ClientInfo,
    token: &str,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let Some(link) = signed_link::verify_confirmation(&context.key_ring, token, now) else {
        return Err(refused(context, client));
    };
    let notice = context.notice(client, MailKind::AddressChanged);
    let verified = context.commit(client, move |change| {
        let verified = verify(change, &link, notice.as_ref(), now)?;
        if !verified {
            change.record(Event::VerificationRefused);
        }
        Ok(verified)
    });
    if !verified.await? {
        return Err(LINK_INVALID);
    }
    Ok(HttpResponse::Ok().json(Message::new("Email address has been confirmed.")))
}

/// `false` when the link no longer holds. Of concurrent uses one changes the account.
fn verify(
    change: &Change<'_>,
    link: &SignedMessage,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<bool> {
    let Some(account) = users::find(change, link.subject)? else {
        return Ok(false);
    };
    let (user, address) = (account.user.id, &account.user.email_address);
    let which = signed_link::confirmed_address(link, &account);
    match (which, &account.pending_email_address) {
        (Some(ConfirmedAddress::Current), _) => {
            let verified = users::confirm_address(change, user, address, now)?;
            if verified {
                change.record(Event::AddressVerified { user });
            }
            Ok(verified)
        }
        // Mail programs and impatient users open a link twice; the second use changes nothing.
        (Some(ConfirmedAddress::Verified), _) => Ok(true),
        (Some(ConfirmedAddress::Pending), Some(pending)) => {
            let changed = users::change_address(change, user, address, pending, now)?;
            if changed {
                credentials_changed(change, user, KeepSessions::All, now)?;
                // The owner of the new address may have pressed the button in a mail that they did not ask for.
                users::stop_linking_by_address(change, user)?;
                mail::notify(change, notice, &account.user, now)?;
                change.record(Event::AddressChanged { user });
            }
            Ok(changed)
        }
        _ => Ok(false),
    }
}

fn refused(context: &Context, client: &ClientInfo) -> Error {
    context.refused(client, Event::VerificationRefused);
    LINK_INVALID
}
