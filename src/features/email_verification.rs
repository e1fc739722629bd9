//! Proving that an address is one's own, by a link in a mail to it: the address of an account, or the one that is to take
//! its place.
//!
//! Fears: telling who is registered or still unconfirmed (a request is an intention in the outbox, the same for
//! everybody, and the mail worker finds the account); a link that confirms another address than the one that it went to
//! (it is bound to that one, and the change asks for it once more); a link used twice or by two at once (each change is
//! one conditional update); an address that somebody else got meanwhile (the same update asks for that); an address that
//! changes without its owner (the old one is told, and every outstanding link dies); a flood of mails to one address
//! (limited, silently); the link in a log (the route's pattern is logged, not the path).

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::sessions::{KeepSessions, credentials_changed};
use crate::audit;
use crate::context::Context;
use crate::crypto::signed_link::{self, ConfirmedAddress};
use crate::crypto::signed_message::SignedMessage;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::model::EmailAddress;
use crate::http::{ClientInfo, Input, Routes, run_detached};
use crate::mail::{self, Kind, Notice};
use crate::store::{Transaction, users};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/confirmations", create)
        .public(Method::PUT, "/v1/confirmations/{token}", update);
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    input: Input,
) -> Result<HttpResponse> {
    let mut invalid = ValidationErrors::default();
    let address = input
        .text("email_address", &mut invalid)
        .map(EmailAddress::parse);
    invalid.into_result()?;
    client
        .admit(&context, vec![context.throttle.confirmation(client.ip)])
        .await?;

    // What is no address has no account, and says so no more than an unknown one does.
    if let Some(Ok(address)) = address {
        let now = context.clock.now();
        let by_address = context.throttle.confirmation_mails(address.as_str());
        let throttle = context.throttle.clone();
        context
            .database
            .write(move |tx| {
                mail::request_confirmation(tx, &address, now, || {
                    throttle.admits(tx, &by_address, now)
                })
            })
            .await?;
        context.mail_worker.wake();
    }
    audit::confirmation_asked(&client);
    Ok(HttpResponse::Ok().json(json!({ "message": "Confirmation instructions sent" })))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let Some(link) = signed_link::verify_confirmation(&context.key_ring, &token, now) else {
        return Err(refused(&client));
    };
    let user_id = link.subject;
    let notice = client.notice(&context, Kind::AddressChanged);
    run_detached(async move {
        let confirmed = context
            .database
            .write(move |tx| confirm(tx, &link, notice.as_ref(), now))
            .await?;
        match confirmed.ok_or_else(|| refused(&client))? {
            ConfirmedAddress::Current => audit::address_confirmed(&client, user_id),
            ConfirmedAddress::Pending => {
                context.mail_worker.wake();
                audit::address_changed(&client, user_id);
            }
        }
        Ok(())
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Email address has been confirmed." })))
}

/// Gives which address it was, or `None` when the link no longer holds: of many uses one wins.
fn confirm(
    tx: &Transaction<'_>,
    link: &SignedMessage,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Option<ConfirmedAddress>> {
    let Some(account) = users::find(tx, link.subject)? else {
        return Ok(None);
    };
    let (id, address) = (account.user.id, &account.user.email_address);
    let which = signed_link::confirmed_address(link, &account);
    let done = match (which, &account.pending_email_address) {
        (Some(ConfirmedAddress::Current), _) => users::confirm_address(tx, id, address, now)?,
        (Some(ConfirmedAddress::Pending), Some(pending)) => {
            let changed = users::change_address(tx, id, address, pending, now)?;
            if changed {
                credentials_changed(tx, id, KeepSessions::All, now)?;
                mail::notify(tx, notice, &account.user, now)?;
            }
            changed
        }
        _ => false,
    };
    Ok(which.filter(|_| done))
}

fn refused(client: &ClientInfo) -> Error {
    audit::confirmation_refused(client);
    Error::LinkInvalid("Confirmation link is invalid or has expired.")
}
