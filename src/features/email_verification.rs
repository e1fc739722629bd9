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

use crate::accounts::credentials_changed::{KeepSessions, credentials_changed};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::signed_link::{self, ConfirmedAddress};
use crate::crypto::signed_message::SignedMessage;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::http::{AddressInput, Body, ClientInfo, Message, Routes};
use crate::mail::{self, Notice};
use crate::store::users;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/confirmations", create)
        .public(Method::PUT, "/v1/confirmations/{token}", update);
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<AddressInput>,
) -> Result<HttpResponse> {
    let address = input.parse()?;
    let limits = vec![context.throttle.confirmation(client.ip)];
    context.admit(&client, limits).await?;

    let now = context.clock.now();
    let by_address = context.throttle.confirmation_mails(address.as_str());
    let throttle = context.throttle.clone();
    let requested = context.commit(&client, move |change| {
        change.record(Event::VerificationRequested);
        mail::enqueue_link(change, MailKind::Confirmation, &address, now, || {
            throttle.admits(change, &by_address, now)
        })
    });
    requested.await?;
    Ok(HttpResponse::Ok().json(Message::new("Confirmation instructions sent")))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let now = context.clock.now();
    let Some(link) = signed_link::verify_confirmation(&context.key_ring, &token, now) else {
        return Err(refused(&context, &client));
    };
    let notice = context.notice(&client, MailKind::AddressChanged);
    let verified = context.commit(&client, move |change| {
        verify(change, &link, notice.as_ref(), now)
    });
    if !verified.await? {
        return Err(refused(&context, &client));
    }
    Ok(HttpResponse::Ok().json(Message::new("Email address has been confirmed.")))
}

/// `false` when the link no longer holds: of many uses one wins.
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
        (Some(ConfirmedAddress::Pending), Some(pending)) => {
            let changed = users::change_address(change, user, address, pending, now)?;
            if changed {
                credentials_changed(change, user, KeepSessions::All, now)?;
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
    Error::LinkInvalid("Confirmation link is invalid or has expired.")
}
