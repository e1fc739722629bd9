//! Resetting a forgotten password by a mailed link: `POST /v1/passwords` requests it, `POST /v1/passwords/check` shows
//! whether it is valid, `PUT` and `PATCH /v1/passwords` use it. The same with the token in the path, as Rails has it:
//! `GET`, `PUT` and `PATCH /v1/passwords/{token}`.
//!
//! The rules of requests are in [`accounts::mailed_link`](crate::accounts::mailed_link).
//!
//! # Threats
//! - a link used twice or concurrently: it is bound to the digest that it replaces, by one conditional update
//! - a link that outlives a change of password or address: it is bound to the address, and to a counter that each such
//!   change increments
//! - a flood of uses of one valid link, each costing a hash: limited by client
//! - sessions of a thief: every session ends in the same transaction
//! - what another person set up before the owner verified the address: the first reset removes second factors, passkeys
//!   and linked identities; a reset after a verification removes passkeys and identities that are older than it
//! - an account that another person prepared for the owner of the mailbox: replaced by a fresh one, if the settings say so
//! - a reset that the owner did not make: it is reported by mail
//! - links in logs: clients send the token in the body; of a path, only the route's pattern is logged

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::credentials_changed::{KeepSessions, credentials_changed};
use crate::accounts::mailed_link::{LinkRequest, open_link};
use crate::accounts::new_password::NewPasswords;
use crate::accounts::second_factor_rule::{self, Rule};
use crate::accounts::unverified_account::{
    RemovalNotices, prove_address, remove_older_ways, replace_account,
};
use crate::audit::Event;
use crate::config::UnverifiedReset;
use crate::context::{Change, Context};
use crate::crypto::password::Password;
use crate::crypto::signed_link;
use crate::crypto::signed_message::SignedMessage;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, PasswordDigest, User};
use crate::http::error_codes;
use crate::http::{
    Access, AddressInput, Body, Languages, LinkInput, Message, Route, SecretText, link_token,
};
use crate::mail::{self, Notice};
use crate::store::{passwords, users};
use crate::throttle::Limit;

const LINK_INVALID: Error = Error::LinkInvalid("Password reset link is invalid or has expired.");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/passwords", Access::Public, create)
            .operation("requestPasswordReset", "Request a password reset email")
            .returns::<Message>(200, "Same reply for every well-formed address")
            .rate_limited(),
        Route::put("/v1/passwords", Access::Public, update)
            .operation("resetPassword", "Reset the password")
            .description("The link is valid once. Ends all sessions of the user.")
            .returns::<Message>(200, "Password reset")
            .errors(&[error_codes::LINK_INVALID])
            .rate_limited(),
        Route::patch("/v1/passwords", Access::Public, update)
            .operation("patchPassword", "Reset the password")
            .description("Like `PUT`.")
            .returns::<Message>(200, "Password reset")
            .errors(&[error_codes::LINK_INVALID])
            .rate_limited(),
        Route::post("/v1/passwords/check", Access::Public, check)
            .operation("checkPasswordReset", "Check a password reset link")
            .description("Changes nothing.")
            .returns::<ResetLink>(200, "Link is valid")
            .errors(&[error_codes::LINK_INVALID]),
        Route::get("/v1/passwords/{token}", Access::Public, check_by_path)
            .operation("checkPasswordResetByPath", "Check a password reset link")
            .description("Proxies log paths: prefer `POST /v1/passwords/check`.")
            .returns::<ResetLink>(200, "Link is valid"),
        Route::put("/v1/passwords/{token}", Access::Public, update_by_path)
            .operation("resetPasswordByPath", "Reset the password")
            .description("Proxies log paths: prefer `PUT /v1/passwords`.")
            .returns::<Message>(200, "Password reset")
            .rate_limited(),
        Route::patch("/v1/passwords/{token}", Access::Public, update_by_path)
            .operation("patchPasswordByPath", "Reset the password")
            .description("Like `PUT`.")
            .returns::<Message>(200, "Password reset")
            .rate_limited(),
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
        kind: MailKind::PasswordReset,
        event: Event::PasswordResetRequested,
        by_client: context.throttle.reset(client.ip),
        by_address: context.throttle.reset_mails(&address),
        locale: context.locale(&languages.0),
    };
    request.enqueue(&context, &client, address).await?;
    Ok(HttpResponse::Ok().json(Message::new("Password reset instructions sent")))
}

async fn check(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<LinkInput>,
) -> Result<HttpResponse> {
    show(&context, &client, input.token()?).await
}

async fn check_by_path(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    show(&context, &client, &token).await
}

async fn show(context: &Context, client: &ClientInfo, token: &str) -> Result<HttpResponse> {
    let (link, account) = opened(context, client, token).await?;
    Ok(HttpResponse::Ok().json(ResetLink {
        email_address: account.user.email_address.masked(),
        expires_at: link.expires_at,
    }))
}

async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<ResetInput>,
) -> Result<HttpResponse> {
    let opened = opened(&context, &client, link_token(&input.token)?).await?;
    let confirmation = input.password_confirmation.as_ref();
    use_link(&context, &client, opened, (&input.password, confirmation)).await
}

async fn update_by_path(
    context: web::Data<Context>,
    client: ClientInfo,
    token: web::Path<String>,
    body: Result<Body<NewPasswordInput>>,
) -> Result<HttpResponse> {
    let opened = opened(&context, &client, &token).await?;
    // After the link: whether the body can be used is no news for a forged link.
    let Body(input) = body?;
    let confirmation = input.password_confirmation.as_ref();
    use_link(&context, &client, opened, (&input.password, confirmation)).await
}

async fn use_link(
    context: &Arc<Context>,
    client: &ClientInfo,
    (link, account): (SignedMessage, Account),
    (password, confirmation): (&SecretText, Option<&SecretText>),
) -> Result<HttpResponse> {
    let password = choose(context, password, confirmation)?;
    let limits = vec![context.throttle.new_password(client.ip)];
    let (slot, admission) = context.admit_hashing(client, limits).await?;

    let address = &account.user.email_address;
    let failures = context
        .throttle
        .address_failures(address.as_str(), client.ip);
    let reset = Reset {
        unverified: context.settings.registration.unverified_reset,
        rule: Rule::of(context),
        notice: context.notice(client, MailKind::PasswordChanged),
        removals: RemovalNotices::of(context, client),
    };
    let replaced = async {
        let passwords = NewPasswords::of(context, &slot);
        let digest = passwords.digest(password, address).await?;
        // Read after the hashing: a link that expired meanwhile is refused.
        let now = context.clock.now();
        let done = context.commit(client, move |change| {
            let done = reset.apply(change, &link, &digest, &failures, now)?;
            if !done {
                change.record(Event::PasswordResetRefused);
            }
            Ok(done)
        });
        done.await
    };
    if !context.counted(&admission, replaced).await? {
        return Err(LINK_INVALID);
    }
    Ok(HttpResponse::Ok().json(Message::new("Password has been reset.")))
}

/// The link and the account that it is for.
async fn opened(
    context: &Context,
    client: &ClientInfo,
    token: &str,
) -> Result<(SignedMessage, Account)> {
    let Some(link) = signed_link::verify_reset(&context.key_ring, token, context.clock.now())
    else {
        return Err(refused(context, client));
    };
    let opened = open_link(context, link, signed_link::reset_holds).await?;
    opened.ok_or_else(|| refused(context, client))
}

/// What a reset needs besides its link.
struct Reset {
    unverified: UnverifiedReset,
    rule: Rule,
    notice: Option<Notice>,
    removals: RemovalNotices,
}

impl Reset {
    /// `false` when the link no longer holds: of concurrent uses one wins.
    fn apply(
        &self,
        change: &Change<'_>,
        link: &SignedMessage,
        digest: &PasswordDigest,
        failures: &Limit,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(account) = users::find(change, link.subject)?
            .filter(|account| signed_link::reset_holds(link, account))
        else {
            return Ok(false);
        };
        if now >= link.expires_at {
            return Ok(false);
        }
        let is_verified = account.user.email_confirmed_at.is_some();
        let done = match self.unverified {
            UnverifiedReset::Replace if !is_verified => {
                replace_account(change, &account, Some(digest), now)?
            }
            UnverifiedReset::Replace | UnverifiedReset::Keep => {
                self.replace_password(change, account, digest, now)?
            }
        };
        let Some((user, sessions_ended)) = done else {
            return Ok(false);
        };
        failures.grant_bypass(change, now)?;
        mail::notify(change, self.notice.as_ref(), &user, now)?;
        change.record(Event::PasswordReset {
            user: user.id,
            sessions_ended,
        });
        Ok(true)
    }

    /// The user and how many sessions ended; `None` when the password is another by now.
    fn replace_password(
        &self,
        change: &Change<'_>,
        account: Account,
        digest: &PasswordDigest,
        now: Timestamp,
    ) -> Result<Option<(User, usize)>> {
        let (user, old) = (account.user, account.password_digest.as_ref());
        if !passwords::replace(change, user.id, old, digest, now)? {
            return Ok(None);
        }
        // The link was mailed to it.
        if !prove_address(change, &user, &self.removals, now)? {
            remove_older_ways(change, &self.rule, &user, &self.removals, now)?;
        }
        second_factor_rule::reopen(change, &user, now)?;
        let sessions_ended = credentials_changed(change, user.id, KeepSessions::None, now)?;
        let user = User {
            email_confirmed_at: user.email_confirmed_at.or(Some(now)),
            ..user
        };
        Ok(Some((user, sessions_ended)))
    }
}

fn refused(context: &Context, client: &ClientInfo) -> Error {
    context.refused(client, Event::PasswordResetRefused);
    LINK_INVALID
}

/// A reset link that is valid.
#[derive(Serialize, ToSchema)]
struct ResetLink {
    /// Masked: `o…@example.com`.
    email_address: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A new password, and the link that permits it.
#[derive(Deserialize, ToSchema)]
struct ResetInput {
    /// The token from the mailed link.
    #[schema(value_type = String)]
    token: SecretText,
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: SecretText,
    /// Not checked when absent.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password_confirmation: Option<SecretText>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
struct NewPasswordInput {
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: SecretText,
    /// Not checked when absent.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password_confirmation: Option<SecretText>,
}

fn choose(
    context: &Context,
    password: &SecretText,
    confirmation: Option<&SecretText>,
) -> Result<Password, ValidationErrors> {
    let rules = &context.settings.password;
    let confirmation = confirmation.map(SecretText::expose);
    Password::choose(rules, Some(password.expose()), confirmation)
}
