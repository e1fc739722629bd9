//! An account without a password: `DELETE /v1/user/password`. `PUT /v1/user/password` and a reset by mail set one again.
//!
//! # Threats
//! - a stolen session: it needs a reauthentication, and the owner is notified by mail
//! - an account without a way in: a passkey must remain, also when the last one is removed at once
//! - sessions that another person started with the password: they end with it, see
//!   [`accounts::credentials_changed`](crate::accounts::credentials_changed)

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::credentials_changed::{KeepSessions, credentials_changed};
use crate::accounts::rotate_session::rotate_session;
use crate::accounts::second_factor::require_second_factor;
use crate::accounts::sign_in_methods::SignInMethods;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo, User};
use crate::http::error_codes::{INSUFFICIENT_AUTHENTICATION, LAST_SIGN_IN_METHOD, NOT_FOUND};
use crate::http::password_challenge::challenge_beside;
use crate::http::session_reply::{CredentialsChanged, respond_with_change};
use crate::http::{Access, Body, CurrentSession, Route, SecretText};
use crate::mail;
use crate::store::passwords;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::delete("/v1/user/password", Access::Session, destroy)
            .operation("removePassword", "Remove the password")
            .description(
                "Only for a user with a passkey. Ends all other sessions and revokes the API keys, unless `keep_api_keys` is \
                 true. Revokes the session's token and returns a new one, by the same transport. For a user with a second \
                 factor the session must have used it.",
            )
            .returns::<CredentialsChanged<'_>>(200, "Password removed; session with its new token")
            .errors(&[NOT_FOUND, INSUFFICIENT_AUTHENTICATION, LAST_SIGN_IN_METHOD])
            .rate_limited(),
    ]
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<RemovePasswordInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let challenge = input.password_challenge.as_ref();
    let (challenge, ()) = challenge_beside(Ok(()), &context, &session, challenge)?;
    let reauthenticated = challenge
        .verify(&context, &client, session.standing())
        .await?;
    let notice = context.notice(&client, MailKind::PasswordRemoved);
    let (kept, keep_api_keys) = (session.id, input.keep_api_keys.unwrap_or(false));
    let methods = SignInMethods::of(&context);
    let token = PlainToken::generate(TokenKind::Session)?;
    let (presented, new) = (*session.presented(), token.digest());
    let remove = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        let user = &account.user;
        if account.password_digest.is_none() {
            return Ok(Err(Error::NotFound));
        }
        if !methods.has_passkey(change, user.id)? || !passwords::remove(change, user.id, now)? {
            return Ok(Err(Error::LastSignInMethod));
        }
        // Here, since a refusal must leave the client its token.
        rotate_session(change, kept, &presented, &new)?;
        mail::notify(change, notice.as_ref(), user, now)?;
        let keep = KeepSessions::Only {
            kept,
            keep_api_keys,
        };
        let sessions_ended = credentials_changed(change, user.id, keep, now)?;
        change.record(Event::PasswordRemoved {
            user: user.id,
            sessions_ended,
        });
        Ok(Ok(User {
            updated_at: now,
            ..user.clone()
        }))
    };
    let user = reauthenticated.commit(&context, &client, remove).await??;
    respond_with_change(
        "Password has been removed.",
        &context,
        &session,
        &token,
        &user,
    )
}

/// The current password, before it is removed.
#[derive(Deserialize, ToSchema)]
struct RemovePasswordInput {
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password_challenge: Option<SecretText>,
    /// Whether the user's API keys stay valid; they are revoked by default.
    #[schema(nullable = false)]
    keep_api_keys: Option<bool>,
}
