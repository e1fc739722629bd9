//! The account of a user: what it shows, name and profile, a new password, a new address, its deletion.
//!
//! # Threats
//! - a stolen session: each change but of name and profile needs a reauthentication besides, see
//!   [`accounts::reauthentication`](crate::accounts::reauthentication)
//! - a change of credentials that the owner did not make: it is reported by mail, a change of address to the old one
//! - an address that is another's or mistyped: it is kept aside until a link mailed to it is used; a taken one gets the same
//!   answer and no link
//! - mails to strangers: limited by user and by address
//! - concurrent changes: each is verified again inside its transaction, so of two one wins
//! - half a change: the change, what ends with it and its notice are one transaction

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::accounts::administration::erase;
use crate::accounts::credentials_changed::{KeepSessions, credentials_changed};
use crate::accounts::new_password::NewPasswords;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::password::Password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::one_line;
use crate::domain::scope::USER_READ;
use crate::domain::{Account, ClientInfo, EmailAddress, JsonObject, PasswordDigest, User};
use crate::http::password_challenge::{ChallengeInput, challenge_beside};
use crate::http::session_reply::{CredentialsChanged, clear_cookie, respond_with_change};
use crate::http::{
    Access, Body, Caller, CurrentSession, CurrentUser, Message, Patch, Route, SecretText,
};
use crate::mail::{self, Notice};
use crate::store::users::DetailChanges;
use crate::store::{passwords, users};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/user", Access::Scope(USER_READ), show)
            .operation("showUser", "Get the user")
            .returns::<ShownUser>(200, "The user"),
        Route::patch("/v1/user", Access::Session, update)
            .operation("updateUser", "Update the user")
            .returns::<ShownUser>(200, "The updated user"),
        Route::put("/v1/user/password", Access::Session, change_password)
            .operation("changePassword", "Change the password")
            .description(
                "Ends all other sessions and revokes the API keys, unless `keep_api_keys` is true. Revokes the session's \
                 token and returns a new one, by the same transport.",
            )
            .returns::<CredentialsChanged>(200, "Password changed; session with its new token")
            .rate_limited(),
        Route::put("/v1/user/email_address", Access::Session, change_address)
            .operation("changeAddress", "Request a change of email address")
            .description(
                "Mails a link to the new address; nothing changes before it is used. The user's own address withdraws an \
                 earlier request. Revokes the session's token and returns a new one, by the same transport.",
            )
            .returns::<CredentialsChanged>(
                200,
                "Same reply for a taken address; session with its new token",
            )
            .rate_limited(),
        Route::delete("/v1/user", Access::Session, destroy)
            .operation("deleteAccount", "Delete the account")
            .returns::<Message>(200, "Account and all its data deleted")
            .rate_limited(),
    ]
}

async fn show(context: web::Data<Context>, caller: Caller) -> Result<HttpResponse> {
    let user = caller.user(&context).await?;
    Ok(HttpResponse::Ok().json(ShownUser { user: &user }))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    Body(input): Body<UserChangesInput>,
) -> Result<HttpResponse> {
    let (id, now) = (user.id, context.clock.now());
    let (name, profile) = input.checked()?;
    if name.is_none() && profile.is_none() {
        return Ok(HttpResponse::Ok().json(ShownUser { user: &user }));
    }
    let updated = user.commit(&context, &client, move |change| {
        let details = DetailChanges {
            name: name.as_ref().map(Option::as_deref),
            profile: profile.as_ref(),
        };
        let updated = users::update_details(change, id, &details, now)?;
        if updated.is_some() {
            change.record(Event::UserUpdated { user: id });
        }
        Ok(updated)
    });
    let user = updated.await?.ok_or(Error::TokenInvalid)?;
    Ok(HttpResponse::Ok().json(ShownUser { user: &user }))
}

async fn change_password(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    Body(input): Body<ChangePasswordInput>,
) -> Result<HttpResponse> {
    let chosen = Password::choose(
        &context.settings.password,
        Some(input.password.expose()),
        input.password_confirmation.as_ref().map(SecretText::expose),
    );
    let challenge = input.password_challenge.as_ref();
    let (challenge, password) = challenge_beside(chosen, &context, &session, challenge)?;
    // A request costs up to two hashes; a wrong challenge does not cost the second.
    let limits = vec![context.throttle.new_password(client.ip)];
    let (reauthenticated, slot) = challenge
        .verify_before_hash(&context, &client, session.standing(), limits)
        .await?;
    let passwords = NewPasswords::of(&context, &slot);
    let digest = passwords.digest(password, &user.email_address);
    let digest = reauthenticated.counted(&context, digest).await?;
    let notice = context.notice(&client, MailKind::PasswordChanged);
    let (kept, keep_api_keys) = (session.id, input.keep_api_keys.unwrap_or(false));
    let replace = move |change: &Change<'_>, account: &Account, now| {
        let keep = KeepSessions::Only {
            kept,
            keep_api_keys,
        };
        replace_password(change, account, &digest, keep, notice.as_ref(), now)
    };
    let presented = *session.presented();
    let replaced = reauthenticated.commit_and_rotate(&context, &client, presented, replace);
    let (token, user) = replaced.await?;
    respond_with_change(
        "Password has been changed.",
        &context,
        &session,
        &token,
        &user,
    )
}

fn replace_password(
    change: &Change<'_>,
    account: &Account,
    digest: &PasswordDigest,
    keep: KeepSessions,
    notice: Option<&Notice>,
    now: Timestamp,
) -> Result<User> {
    let user = &account.user;
    // The account was read in this transaction, so the digest is still this one.
    passwords::replace(
        change,
        user.id,
        account.password_digest.as_ref(),
        digest,
        now,
    )?;
    mail::notify(change, notice, user, now)?;
    let sessions_ended = credentials_changed(change, user.id, keep, now)?;
    change.record(Event::PasswordChanged {
        user: user.id,
        sessions_ended,
    });
    Ok(User {
        updated_at: now,
        ..user.clone()
    })
}

async fn change_address(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    Body(input): Body<ChangeAddressInput>,
) -> Result<HttpResponse> {
    let wanted = EmailAddress::parse(&input.email_address);
    let challenge = input.password_challenge.as_ref();
    let (challenge, wanted) = challenge_beside(wanted, &context, &session, challenge)?;
    // The user's own address withdraws a change and mails nothing.
    let withdraws = wanted == user.email_address;
    let limits = match withdraws {
        true => vec![],
        false => vec![context.throttle.address_changes(user.id)],
    };
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?
        .admit(&context, &client, limits)
        .await?;
    let notice = context.notice(&client, MailKind::AddressChangeAsked);
    let throttle = context.throttle.clone();
    let mails = throttle.address_change_mails(&wanted);
    let request = move |change: &Change<'_>, account: &Account, now| {
        request_address(change, account, &wanted, notice.as_ref(), now, || {
            throttle.admits(change, &mails, now)
        })
    };
    let presented = *session.presented();
    let requested = reauthenticated.commit_and_rotate(&context, &client, presented, request);
    let (token, ()) = requested.await?;
    let message = match withdraws {
        true => "Address change withdrawn",
        false => "Confirmation instructions sent",
    };
    respond_with_change(message, &context, &session, &token, &user)
}

/// Keeps the address aside and mails a link to it, if `admit` allows; the user's own withdraws an earlier request.
fn request_address(
    change: &Change<'_>,
    account: &Account,
    wanted: &EmailAddress,
    notice: Option<&Notice>,
    now: Timestamp,
    admit: impl FnOnce() -> Result<bool>,
) -> Result<()> {
    let user = &account.user;
    change.record(Event::AddressChangeRequested { user: user.id });
    if *wanted == user.email_address {
        return users::set_pending_address(change, user.id, None).map(drop);
    }
    users::set_pending_address(change, user.id, Some(wanted))?;
    mail::enqueue_address_change(change, user.id, wanted, now, admit)?;
    mail::notify(change, notice, user, now)
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let notice = context.notice(&client, MailKind::AccountDeleted);
    let delete = move |change: &Change<'_>, account: &Account, now| {
        erase(change, account)?;
        mail::notify(change, notice.as_ref(), &account.user, now)
    };
    reauthenticated.commit(&context, &client, delete).await?;
    let mut reply = clear_cookie(HttpResponse::Ok(), &context, session.carrier())?;
    Ok(reply.json(Message::new("Account has been deleted.")))
}

/// The user's account.
#[derive(Serialize, ToSchema)]
struct ShownUser<'a> {
    user: &'a User,
}

/// Changes to the user; absent fields stay as they are.
#[derive(Deserialize, ToSchema)]
struct UserChangesInput {
    /// One line of at most 255 characters; `null` or blank removes it.
    #[schema(value_type = Option<String>, max_length = 255)]
    name: Patch<String>,
    /// An object of at most 4 KiB; `null` empties it.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    profile: Patch<Map<String, Value>>,
}

impl UserChangesInput {
    /// The new name, if it changes, and the new profile, if it changes.
    fn checked(self) -> Result<(Option<Option<String>>, Option<JsonObject>), ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let name = match self.name {
            Patch::Absent => None,
            Patch::Null => Some(None),
            Patch::Value(text) => invalid.keep(check_name(&text)),
        };
        let profile = match self.profile {
            Patch::Absent => None,
            Patch::Null => Some(JsonObject::default()),
            Patch::Value(object) => invalid.keep(JsonObject::parse("profile", &object)),
        };
        invalid.into_result()?;
        Ok((name, profile))
    }
}

/// A name without white space around it; `None` when it is blank.
fn check_name(text: &str) -> Result<Option<String>, ValidationErrors> {
    let name = one_line::parse("name", text)?;
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// A new password, and the current one.
#[derive(Deserialize, ToSchema)]
struct ChangePasswordInput {
    /// The current password. Needed unless it was given on this session within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: SecretText,
    /// Not checked when absent.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password_confirmation: Option<SecretText>,
    /// Whether the user's API keys stay valid; they are revoked by default.
    #[schema(nullable = false)]
    keep_api_keys: Option<bool>,
}

/// A new address, and the current password.
#[derive(Deserialize, ToSchema)]
struct ChangeAddressInput {
    /// The current password. Needed unless it was given on this session within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
    #[schema(format = "email", max_length = 254)]
    email_address: String,
}
