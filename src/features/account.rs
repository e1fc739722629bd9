//! One's own account: the user as they see themselves, a new password, a new address, the end of it all.
//!
//! Fears: a stolen session (each change asks for the password besides, see `Challenge`); a change that the owner did not
//! ask for (told by mail, of an address to the old one); an address that is somebody else's or mistyped (kept aside until
//! a link mailed to it is used; asking for one that is taken is answered alike, and no link goes out); mails to
//! strangers (limited by user and by address); changes that race (each is proved again inside its transaction, so that of
//! two one wins); half a change (the change, what dies with it and the notice are one transaction).

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::sessions::{Challenge, KeepSessions, clear_cookie, credentials_changed};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::password::Password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, EmailAddress, PasswordDigest, SessionId};
use crate::http::{Caller, ClientInfo, CurrentSession, CurrentUser, Input, Routes};
use crate::mail::{self, Notice};
use crate::store::users;
use crate::store::{Transaction, outbox};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .any_credential(Method::GET, "/v1/user", show)
        .protected(Method::PUT, "/v1/user/password", change_password)
        .protected(Method::PUT, "/v1/user/email_address", change_address)
        .protected(Method::DELETE, "/v1/user", destroy);
}

async fn show(context: web::Data<Context>, caller: Caller) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(json!({ "user": caller.user(&context).await? })))
}

async fn change_password(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let mut invalid = ValidationErrors::default();
    let password = input.text("password", &mut invalid);
    let confirmation = input.text("password_confirmation", &mut invalid);
    invalid.into_result()?;
    let chosen = Password::choose(&context.settings.password, password, confirmation);
    let (challenge, password) =
        Challenge::read_beside(chosen, &input, &session, context.clock.now())?;
    // A try costs up to two hashes; a wrong challenge costs no second one.
    let limits = vec![context.throttle.new_password(client.ip)];
    let proven = challenge.prove(&context, &client, &session, limits).await?;
    let words = context
        .settings
        .guessable_words(user.email_address.as_str());
    let digest = context.passwords.hash_choice(password, &words).await?;
    let (kept, notice) = (
        session.id,
        context.notice(&client, MailKind::PasswordChanged),
    );
    let replace = move |change: &Change<'_>, account: &Account, now| {
        replace_password(change, account, &digest, kept, notice.as_ref(), now)
    };
    proven
        .commit(&context, &client, &user, &session, replace)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Password has been changed." })))
}

async fn change_address(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let mut invalid = ValidationErrors::default();
    let address = input.text("email_address", &mut invalid);
    invalid.into_result()?;
    let wanted = EmailAddress::parse(address.unwrap_or_default());
    let (challenge, wanted) =
        Challenge::read_beside(wanted, &input, &session, context.clock.now())?;
    let proven = challenge.prove(&context, &client, &session, vec![]).await?;
    // One's own address withdraws a change, which mails nobody.
    let withdraws = wanted == user.email_address;
    if !withdraws {
        // Counted only once the password is proved: a thief who does not know it could else use the owner's tries up.
        let limits = vec![context.throttle.address_changes(user.id)];
        context.admit(&client, limits).await?;
    }
    let notice = context.notice(&client, MailKind::AddressChangeAsked);
    let (throttle, mails) = (
        context.throttle.clone(),
        context.throttle.address_change_mails(wanted.as_str()),
    );
    let request = move |change: &Change<'_>, account: &Account, now| {
        change.record(Event::AddressChangeRequested {
            user: account.user.id,
        });
        request_address(change, account, &wanted, notice.as_ref(), now, || {
            throttle.admits(change, &mails, now)
        })
    };
    proven
        .commit(&context, &client, &user, &session, request)
        .await?;
    let message = if withdraws {
        "Address change withdrawn"
    } else {
        "Confirmation instructions sent"
    };
    Ok(HttpResponse::Ok().json(json!({ "message": message })))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let (challenge, ()) = Challenge::read_beside(Ok(()), &input, &session, context.clock.now())?;
    let proven = challenge.prove(&context, &client, &session, vec![]).await?;
    let notice = context.notice(&client, MailKind::AccountDeleted);
    let delete = move |change: &Change<'_>, account: &Account, now| {
        erase(change, account)?;
        mail::notify(change, notice.as_ref(), &account.user, now)?;
        change.record(Event::AccountDeleted {
            user: account.user.id,
        });
        Ok(())
    };
    proven
        .commit(&context, &client, &user, &session, delete)
        .await?;
    let mut reply = clear_cookie(HttpResponse::Ok(), &context, session.carrier())?;
    Ok(reply.json(json!({ "message": "Account has been deleted." })))
}

/// Deletes an account with all that is theirs, the mails about them and to them included but for warnings that still
/// wait.
pub(crate) fn erase(tx: &Transaction<'_>, account: &Account) -> Result<()> {
    outbox::delete_all_for(tx, account.user.id, &account.user.email_address)?;
    users::delete(tx, account.user.id).map(drop)
}

fn replace_password(
    change: &Change<'_>,
    account: &Account,
    digest: &PasswordDigest,
    kept: SessionId,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<()> {
    let user = &account.user;
    // It is still this digest: the challenge was proved against it, a moment ago, in this transaction.
    users::replace_digest(change, user.id, &account.password_digest, digest, now)?;
    mail::notify(change, notice, user, now)?;
    let sessions_ended = credentials_changed(change, user.id, KeepSessions::Only(kept), now)?;
    change.record(Event::PasswordChanged {
        user: user.id,
        sessions_ended,
    });
    Ok(())
}

/// Keeps the address aside and mails a link to it, if `admit` says so; one's own withdraws what was asked for before.
fn request_address(
    tx: &Transaction<'_>,
    account: &Account,
    wanted: &EmailAddress,
    notice: Option<&Notice>,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let user = &account.user;
    if *wanted == user.email_address {
        return users::set_pending_address(tx, user.id, None).map(drop);
    }
    users::set_pending_address(tx, user.id, Some(wanted))?;
    mail::enqueue_address_change(tx, user.id, wanted, now, admit)?;
    mail::notify(tx, notice, user, now)
}
