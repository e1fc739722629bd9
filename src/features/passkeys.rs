//! The passkeys of a user: added in two steps, listed, renamed and removed.
//!
//! # Threats
//! - an attacker with a stolen session who adds a passkey to stay, or removes the owner's: each change needs a
//!   reauthentication, and the owner is notified by mail
//! - a thief with the password and an older session of a user with a second factor: a passkey counts as two factors, so
//!   the session must have used the second factor before it adds or removes one
//! - a response for another user or session: the challenge is bound to both
//! - a passkey of another user that is added again: credential ids are unique over all users
//! - an account without a way in: the last one is removed by no request, also by two at once
//! - another user's passkey: every query names the owner, and theirs is not found
//! - passkeys by the thousand: at most twenty

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::passkeys::{Added, MAX_PASSKEYS, refused_field, verify_registration};
use crate::accounts::second_factor::require_second_factor;
use crate::accounts::second_factor_rule::{self, Rule};
use crate::accounts::sign_in_methods::SignInMethods;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::passkey_challenge::{Ceremony, Challenge, new_handle};
use crate::crypto::webauthn::RegistrationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, Passkey, PasskeyId, one_line};
use crate::http::error_codes::{
    INSUFFICIENT_AUTHENTICATION, LAST_SIGN_IN_METHOD, TOO_MANY_PASSKEYS,
};
use crate::http::passkey_options::{
    CreationOptions, NewUser, PasskeyView, base64url, relying_party,
};
use crate::http::password_challenge::{ChallengeInput, challenge_beside};
use crate::http::{Access, Body, CurrentSession, CurrentUser, PathId, Route, SecretText, location};
use crate::mail;
use crate::store::passkeys::{self, Removed};
use crate::store::users;

/// The field of a new passkey.
const CREDENTIAL: &str = "credential";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/user/passkeys/options", Access::Session, start)
            .operation("startPasskey", "Start to add a passkey")
            .description(
                "Returns the options for `navigator.credentials.create`. `POST /v1/user/passkeys` takes what the browser \
                 returns, on the same session within five minutes.",
            )
            .returns::<CreationOptions<'_>>(200, "Options for the browser")
            .errors(&[INSUFFICIENT_AUTHENTICATION, TOO_MANY_PASSKEYS])
            .rate_limited(),
        Route::post("/v1/user/passkeys", Access::Session, create)
            .operation("addPasskey", "Add a passkey")
            .description(
                "For a user with a second factor the session must have used it: at sign-in, or by \
                 `POST /v1/session/reauthenticate`.",
            )
            .returns::<ShownPasskey<'_>>(201, "The new passkey")
            .errors(&[INSUFFICIENT_AUTHENTICATION, TOO_MANY_PASSKEYS])
            .rate_limited(),
        Route::get("/v1/user/passkeys", Access::Session, index)
            .operation("listPasskeys", "List passkeys")
            .returns::<PasskeyList<'_>>(200, "The passkeys"),
        Route::patch("/v1/user/passkeys/{id}", Access::Session, update)
            .operation("renamePasskey", "Rename a passkey")
            .returns::<ShownPasskey<'_>>(200, "The renamed passkey")
            .rate_limited(),
        Route::delete("/v1/user/passkeys/{id}", Access::Session, destroy)
            .operation("removePasskey", "Remove a passkey")
            .description(
                "Sessions that it started stay: `DELETE /v1/sessions` ends them. The last way to sign in cannot be removed. \
                 For a user with a second factor the session must have used it.",
            )
            .returns_no_body(204, "Passkey removed")
            .errors(&[INSUFFICIENT_AUTHENTICATION, LAST_SIGN_IN_METHOD])
            .rate_limited(),
    ]
}

async fn start(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    user: CurrentUser,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let now = context.clock.now();
    let ceremony = Ceremony::Registration(session.user_id, session.id);
    let challenge = Challenge::issue(&context.key_ring, ceremony, now)?;
    let new_handle = new_handle()?;
    let prepare = move |change: &Change<'_>, account: &Account, _| {
        let id = account.user.id;
        let handle = passkeys::handle_or(change, id, &new_handle)?;
        Ok((handle, passkeys::list_for_user(change, id)?))
    };
    let (handle, found) = reauthenticated.commit(&context, &client, prepare).await?;
    if found.len() >= MAX_PASSKEYS as usize {
        return Err(TOO_MANY_PASSKEYS.refusal());
    }
    let new_user = NewUser {
        handle,
        email_address: user.email_address.as_str(),
        name: user.name.as_deref(),
        passkeys: &found,
    };
    let options = CreationOptions::new(&context, &challenge, &new_user)?;
    Ok(HttpResponse::Ok().json(options))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<PasskeyInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let ceremony = Ceremony::Registration(session.user_id, session.id);
    let name = input.name.as_deref();
    let verified = match &input.credential {
        Some(response) => {
            verify_registration(&context, &client, ceremony, CREDENTIAL, (response, name))
        }
        None => Err(ValidationErrors::field(CREDENTIAL, "can't be blank")),
    };
    let challenge = input.password_challenge.as_ref();
    let (challenge, verified) = challenge_beside(verified, &context, &session, challenge)?;
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?;
    let notice = context.notice(&client, MailKind::PasskeyAdded);
    let throttle = context.throttle.clone();
    let add = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        let added = verified.add_to(change, &throttle, &account.user, notice.as_ref(), now)?;
        if let Added::Done(_) = added {
            // From now on the password alone starts no session of a user who must have a second factor.
            second_factor_rule::clear(change, &account.user)?;
        }
        Ok(added)
    };
    match reauthenticated.commit(&context, &client, add).await? {
        Added::Done(passkey) => {
            let mut reply = HttpResponse::Created();
            let path = format!("/v1/user/passkeys/{}", passkey.id.0);
            reply.insert_header(location(&context.settings, &path));
            Ok(reply.json(ShownPasskey::of(&passkey)))
        }
        Added::Refused => Err(refused_field(CREDENTIAL).into()),
        Added::TooMany => Err(TOO_MANY_PASSKEYS.refusal()),
    }
}

async fn index(context: web::Data<Context>, user: CurrentUser) -> Result<HttpResponse> {
    let id = user.id;
    let found = context.database.read(move |reader| {
        let handle = passkeys::handle(reader, id)?;
        let account = users::find(reader, id)?;
        let has_password = account.is_some_and(|account| account.password_digest.is_some());
        Ok((handle, passkeys::list_for_user(reader, id)?, has_password))
    });
    let (handle, found, has_password) = found.await?;
    Ok(HttpResponse::Ok().json(PasskeyList {
        has_password,
        passkeys: found.iter().map(PasskeyView::of).collect(),
        rp_id: relying_party(&context)?.id(),
        user_handle: handle.map(|handle| base64url(handle.as_bytes())),
    }))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    id: PathId,
    Body(input): Body<PasskeyChangesInput>,
) -> Result<HttpResponse> {
    let name = one_line::parse_required("name", &input.name).map(str::to_owned);
    let challenge = input.password_challenge.as_ref();
    let (challenge, name) = challenge_beside(name, &context, &session, challenge)?;
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?;
    let passkey = PasskeyId(id.0);
    let rename = move |change: &Change<'_>, account: &Account, _| {
        let user = account.user.id;
        let renamed = passkeys::rename(change, user, passkey, &name)?;
        if renamed.is_some() {
            change.record(Event::PasskeyRenamed { user, passkey });
        }
        Ok(renamed)
    };
    let renamed = reauthenticated.commit(&context, &client, rename).await?;
    let renamed = renamed.ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().json(ShownPasskey::of(&renamed)))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    id: PathId,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let notice = context.notice(&client, MailKind::PasskeyRemoved);
    let (passkey, rule) = (PasskeyId(id.0), Rule::of(&context));
    let methods = SignInMethods::of(&context);
    let remove = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        let user = &account.user;
        let has_identity = methods.has_identity(change, user.id, None)?;
        let removed = passkeys::remove(change, user.id, passkey, has_identity, now)?;
        if removed == Removed::Done {
            second_factor_rule::factor_removed(change, &rule, user, now)?;
            change.record(Event::PasskeyRemoved {
                user: user.id,
                passkey: Some(passkey),
            });
            mail::notify(change, notice.as_ref(), user, now)?;
        }
        Ok(removed)
    };
    match reauthenticated.commit(&context, &client, remove).await? {
        Removed::Done => Ok(HttpResponse::NoContent().finish()),
        Removed::Unknown => Err(Error::NotFound),
        Removed::Last => Err(Error::LastSignInMethod),
    }
}

/// A new passkey.
#[derive(Deserialize, ToSchema)]
struct PasskeyInput {
    /// What the browser returned for the options of `POST /v1/user/passkeys/options`.
    #[schema(value_type = RegistrationResponse)]
    credential: Option<RegistrationResponse>,
    /// "Passkey" when absent or blank.
    #[schema(max_length = 255, nullable = false)]
    name: Option<String>,
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
}

/// Changes to a passkey.
#[derive(Deserialize, ToSchema)]
struct PasskeyChangesInput {
    #[schema(max_length = 255)]
    name: String,
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
}

/// One passkey.
#[derive(Serialize, ToSchema)]
struct ShownPasskey<'a> {
    passkey: PasskeyView<'a>,
}

impl<'a> ShownPasskey<'a> {
    fn of(passkey: &'a Passkey) -> Self {
        Self {
            passkey: PasskeyView::of(passkey),
        }
    }
}

/// The user's passkeys, and what a page tells the browser's password manager about them
/// (`PublicKeyCredential.signalAllAcceptedCredentials`).
#[derive(Serialize, ToSchema)]
struct PasskeyList<'a> {
    /// The newest first.
    passkeys: Vec<PasskeyView<'a>>,
    /// The domain that they are for.
    rp_id: &'a str,
    /// What authenticators know the user by, in base64url; `null` before the first passkey.
    #[schema(required)]
    user_handle: Option<String>,
    /// Whether the user has a password as well.
    has_password: bool,
}
