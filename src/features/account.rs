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

use super::sessions::{Challenge, Survivors, credentials_changed, take_back};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{CurrentSession, CurrentUser, Input, Routes, Visit, audit};
use crate::mail::{self, Kind, Notice};
use crate::model::{EmailAddress, PasswordDigest, SessionId};
use crate::password::Password;
use crate::store::users::{self, Account};
use crate::store::{Transaction, outbox};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .protected(Method::GET, "/v1/user", show)
        .protected(Method::PUT, "/v1/user/password", change_password)
        .protected(Method::PUT, "/v1/user/email_address", change_address)
        .protected(Method::DELETE, "/v1/user", destroy);
}

async fn show(user: CurrentUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "user": *user }))
}

async fn change_password(
    context: web::Data<Context>,
    visit: Visit,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let PasswordChange { challenge, password } = PasswordChange::read(&context, &session, &input)?;
    // A try costs up to two hashes; a wrong challenge costs no second one.
    let limits = vec![context.throttle.new_password(visit.ip)];
    let proven = challenge.prove(&context, &visit, &session, limits).await?;
    let words = context.settings.guessable_words(user.email_address.as_str());
    let digest = context.passwords.hash_choice(password, &words).await?;
    let notice = visit.notice(&context, Kind::PasswordChanged);
    audit::see_through(async move {
        let kept = session.id;
        let changed = proven.write(&context, &visit, &user, &session, move |tx, account, now| {
            replace_password(tx, account, &digest, kept, notice.as_ref(), now)
        });
        let sessions_ended = changed.await?;
        context.courier.wake();
        audit::password_changed(&visit, user.id, sessions_ended);
        Ok(())
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Password has been changed." })))
}

async fn change_address(
    context: web::Data<Context>,
    visit: Visit,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let AddressChange { challenge, email_address } = AddressChange::read(&context, &session, &input)?;
    let proven = challenge.prove(&context, &visit, &session, vec![]).await?;
    // Counted for who knows the password: else a thief's tries would stop the owner.
    visit.admit(&context, vec![context.throttle.address_changes(user.id)]).await?;
    let notice = visit.notice(&context, Kind::AddressChangeAsked);
    audit::see_through(async move {
        let by_address = context.throttle.address_change_mails(email_address.as_str());
        let asked = web::Data::clone(&context);
        let changed = proven.write(&context, &visit, &user, &session, move |tx, account, now| {
            ask_for_address(tx, account, &email_address, notice.as_ref(), now, || {
                asked.throttle.admits(tx, &by_address, now)
            })
        });
        changed.await?;
        context.courier.wake();
        audit::address_change_asked(&visit, user.id);
        Ok(())
    })
    .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Confirmation instructions sent" })))
}

async fn destroy(
    context: web::Data<Context>,
    visit: Visit,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let mut invalid = Invalid::default();
    let challenge = Challenge::read(&input, &session, context.clock.now(), &mut invalid);
    invalid.into_result()?;
    let proven = challenge.prove(&context, &visit, &session, vec![]).await?;
    let notice = visit.notice(&context, Kind::AccountDeleted);
    let (shared, ticket) = (context.clone(), session.ticket());
    audit::see_through(async move {
        let deleted = proven.write(&shared, &visit, &user, &session, move |tx, account, now| {
            let deleted = erase(tx, account)?;
            mail::notify(tx, notice.as_ref(), &account.user, now)?;
            Ok(deleted)
        });
        if !deleted.await? {
            return Err(Error::TokenInvalid);
        }
        shared.courier.wake();
        audit::account_deleted(&visit, user.id);
        Ok(())
    })
    .await?;
    let mut reply = take_back(HttpResponse::Ok(), &context, ticket)?;
    Ok(reply.json(json!({ "message": "Account has been deleted." })))
}

/// Deletes an account with all that is theirs, the mails about them and to them included but for warnings that still
/// wait; `false` when it was gone.
pub(crate) fn erase(tx: &Transaction<'_>, account: &Account) -> Result<bool> {
    outbox::delete_all_for(tx, account.user.id, &account.user.email_address)?;
    users::delete(tx, account.user.id)
}

/// What a new password needs, checked.
struct PasswordChange {
    challenge: Challenge,
    password: Password,
}

impl PasswordChange {
    /// Refuses wrong types of a password first, then everything else at once.
    fn read(context: &Context, session: &CurrentSession, input: &Input) -> Result<Self> {
        let mut invalid = Invalid::default();
        let password = input.text("password", &mut invalid);
        let confirmation = input.text("password_confirmation", &mut invalid);
        invalid.clone().into_result()?;

        let challenge = Challenge::read(input, session, context.clock.now(), &mut invalid);
        let chosen = invalid.keep(Password::choose(&context.settings.password, password, confirmation));
        match (chosen, invalid.faults.is_empty()) {
            (Some(password), true) => Ok(Self { challenge, password }),
            _ => Err(invalid.into()),
        }
    }
}

/// What a new address needs, checked.
struct AddressChange {
    challenge: Challenge,
    email_address: EmailAddress,
}

impl AddressChange {
    fn read(context: &Context, session: &CurrentSession, input: &Input) -> Result<Self> {
        let mut invalid = Invalid::default();
        let address = input.text("email_address", &mut invalid);
        invalid.clone().into_result()?;

        let challenge = Challenge::read(input, session, context.clock.now(), &mut invalid);
        let parsed = invalid.keep(EmailAddress::parse(address.unwrap_or_default()));
        match (parsed, invalid.faults.is_empty()) {
            (Some(email_address), true) => Ok(Self { challenge, email_address }),
            _ => Err(invalid.into()),
        }
    }
}

/// Gives how many other sessions ended.
fn replace_password(
    tx: &Transaction<'_>,
    account: &Account,
    digest: &PasswordDigest,
    kept: SessionId,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<usize> {
    let user = &account.user;
    users::replace_digest(tx, user.id, &account.password_digest, digest, now)?;
    mail::notify(tx, notice, user, now)?;
    credentials_changed(tx, user.id, Survivors::One(kept))
}

/// Keeps the address aside and mails a link to it, if `admit` says so; one's own withdraws what was asked for before.
fn ask_for_address(
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
    mail::request_address_change(tx, user.id, wanted, now, admit)?;
    mail::notify(tx, notice, user, now)
}
