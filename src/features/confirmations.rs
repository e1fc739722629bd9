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

use super::sessions::{Survivors, credentials_changed};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{Input, Routes, Visit, audit, to_the_end};
use crate::links::{self, Confirms};
use crate::mail::{self, Kind, Notice};
use crate::model::EmailAddress;
use crate::signed::SignedMessage;
use crate::store::{Transaction, users};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/confirmations", create)
        .public(Method::PUT, "/v1/confirmations/{token}", update);
}

async fn create(context: web::Data<Context>, visit: Visit, input: Input) -> Result<HttpResponse> {
    let mut invalid = Invalid::default();
    let address = input
        .text("email_address", &mut invalid)
        .map(EmailAddress::parse);
    invalid.into_result()?;
    visit
        .admit(&context, vec![context.throttle.confirmation(visit.ip)])
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
        context.courier.wake();
    }
    audit::confirmation_asked(&visit);
    Ok(HttpResponse::Ok().json(json!({ "message": "Confirmation instructions sent" })))
}

async fn update(
    context: web::Data<Context>,
    visit: Visit,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let Some(link) = links::verify_confirmation(&context.keys, &token, now) else {
        return Err(refused(&visit));
    };
    let user_id = link.subject;
    let notice = visit.notice(&context, Kind::AddressChanged);
    to_the_end(async move {
        let confirmed = context
            .database
            .write(move |tx| confirm(tx, &link, notice.as_ref(), now))
            .await?;
        match confirmed.ok_or_else(|| refused(&visit))? {
            Confirms::Current => audit::address_confirmed(&visit, user_id),
            Confirms::Pending => {
                context.courier.wake();
                audit::address_changed(&visit, user_id);
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
) -> Result<Option<Confirms>> {
    let Some(account) = users::find(tx, link.subject)? else {
        return Ok(None);
    };
    let (id, address) = (account.user.id, &account.user.email_address);
    let which = links::what_it_confirms(link, &account);
    let done = match (which, &account.pending_email_address) {
        (Some(Confirms::Current), _) => users::confirm_address(tx, id, address, now)?,
        (Some(Confirms::Pending), Some(pending)) => {
            let changed = users::change_address(tx, id, address, pending, now)?;
            if changed {
                credentials_changed(tx, id, Survivors::All, now)?;
                mail::notify(tx, notice, &account.user, now)?;
            }
            changed
        }
        _ => false,
    };
    Ok(which.filter(|_| done))
}

fn refused(visit: &Visit) -> Error {
    audit::confirmation_refused(visit);
    Error::LinkInvalid("Confirmation link is invalid or has expired.")
}
