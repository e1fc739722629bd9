//! Resetting a forgotten password, by a link in a mail.
//!
//! Fears: telling who is registered (a request is an intention in the outbox, the same for everybody, and the mail
//! worker finds the account); a link used twice or by two at once (it is bound to the digest that it replaces, and the
//! replacing is one conditional update); a link that outlives a change of password or address (it is bound to the
//! address, too, and to a counter that each such change raises); a flood of mails to one address (limited, silently); a
//! flood of tries with one good link, each costing a bcrypt (limited by client); somebody's sessions surviving the reset
//! (ended in the same transaction); a reset that the owner did not ask for (a mail tells them); the link in a log (the
//! route's pattern is logged, not the path).

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::sessions::{Survivors, credentials_changed};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{Input, Routes, Visit, audit, to_the_end};
use crate::links;
use crate::mail::{self, Kind, Notice};
use crate::model::{EmailAddress, PasswordDigest, User};
use crate::password::Password;
use crate::signed::SignedMessage;
use crate::store::Transaction;
use crate::store::users::{self, Account};
use crate::throttle::Rule;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .public(Method::POST, "/v1/passwords", create)
        .public(Method::GET, "/v1/passwords/{token}", show)
        .public(Method::PUT, "/v1/passwords/{token}", update)
        .public(Method::PATCH, "/v1/passwords/{token}", update);
}

async fn create(context: web::Data<Context>, visit: Visit, input: Input) -> Result<HttpResponse> {
    let mut invalid = Invalid::default();
    let address = input
        .text("email_address", &mut invalid)
        .map(EmailAddress::parse);
    invalid.into_result()?;
    visit
        .admit(&context, vec![context.throttle.reset(visit.ip)])
        .await?;

    // What is no address has no account, and says so no more than an unknown one does.
    if let Some(Ok(address)) = address {
        let now = context.clock.now();
        let by_address = context.throttle.reset_mails(address.as_str());
        let throttle = context.throttle.clone();
        context
            .database
            .write(move |tx| {
                mail::request_reset(tx, &address, now, || throttle.admits(tx, &by_address, now))
            })
            .await?;
        context.courier.wake();
    }
    audit::reset_asked(&visit);
    Ok(HttpResponse::Ok().json(json!({ "message": "Password reset instructions sent" })))
}

async fn show(
    context: web::Data<Context>,
    visit: Visit,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let (link, account) = open_link(&context, &visit, &token).await?;
    Ok(HttpResponse::Ok().json(json!({
        "email_address": account.user.email_address.masked(),
        "expires_at": link.expires_at,
    })))
}

async fn update(
    context: web::Data<Context>,
    visit: Visit,
    token: web::Path<String>,
    input: Input,
) -> Result<HttpResponse> {
    let (link, account) = open_link(&context, &visit, &token).await?;
    let password = choose_password(&context, &input)?;
    visit
        .admit(&context, vec![context.throttle.new_password(visit.ip)])
        .await?;

    let address = account.user.email_address.as_str();
    let words = context.settings.guessable_words(address);
    let digest = context.passwords.hash_choice(password, &words).await?;
    let failures = context.throttle.address_failures(address, visit.ip);
    let user_id = account.user.id;
    let notice = visit.notice(&context, Kind::PasswordChanged);
    // Asked after the hashing: a link that ran out meanwhile is out.
    let now = context.clock.now();
    to_the_end(async move {
        let reset = context
            .database
            .write(move |tx| reset(tx, &link, &digest, &failures, notice.as_ref(), now));
        let sessions_ended = reset.await?.ok_or_else(|| refused(&visit))?;
        context.courier.wake();
        audit::reset_done(&visit, user_id, sessions_ended);
        Ok(())
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Password has been reset." })))
}

/// The link and the account that it is for.
async fn open_link(
    context: &Context,
    visit: &Visit,
    token: &str,
) -> Result<(SignedMessage, Account)> {
    let Some(link) = links::verify_reset(&context.keys, token, context.clock.now()) else {
        return Err(refused(visit));
    };
    let subject = link.subject;
    let account = context
        .database
        .read(move |reader| users::find(reader, subject))
        .await?;
    match account.filter(|account| links::reset_holds(&link, account)) {
        Some(account) => Ok((link, account)),
        None => Err(refused(visit)),
    }
}

fn choose_password(context: &Context, input: &Input) -> Result<Password> {
    let mut invalid = Invalid::default();
    let password = input.text("password", &mut invalid);
    let confirmation = input.text("password_confirmation", &mut invalid);
    invalid.into_result()?;
    Ok(Password::choose(
        &context.settings.password,
        password,
        confirmation,
    )?)
}

/// Gives how many sessions ended, or `None` when the link no longer holds: of many uses one wins.
fn reset(
    tx: &Transaction<'_>,
    link: &SignedMessage,
    digest: &PasswordDigest,
    failures: &Rule,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<Option<usize>> {
    let Some(account) =
        users::find(tx, link.subject)?.filter(|account| links::reset_holds(link, account))
    else {
        return Ok(None);
    };
    if now >= link.expires_at
        || !users::replace_digest(tx, link.subject, &account.password_digest, digest, now)?
    {
        return Ok(None);
    }
    // The link was mailed to it.
    let user = User {
        email_confirmed_at: account.user.email_confirmed_at.or(Some(now)),
        ..account.user
    };
    users::confirm_address(tx, user.id, &user.email_address, now)?;
    failures.open_way(tx, now)?;
    mail::notify(tx, notice, &user, now)?;
    credentials_changed(tx, link.subject, Survivors::None, now).map(Some)
}

fn refused(visit: &Visit) -> Error {
    audit::reset_refused(visit);
    Error::LinkInvalid("Password reset link is invalid or has expired.")
}
