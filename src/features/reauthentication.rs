//! Proving again who one is: `POST /v1/session/reauthenticate`. For 15 minutes after, sensitive changes on the session
//! need no `password_challenge`. The rules are in [`accounts::reauthentication`](crate::accounts::reauthentication).
//!
//! # Threats
//! - a copied token that waits for its owner's proof: the same transaction replaces the token, so the copy is revoked

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::reauthentication::Reauthentication;
use crate::accounts::rotate_session::rotate_session;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{Account, ClientInfo, Session};
use crate::http::session_reply::{SignedIn, respond_with_session};
use crate::http::{Access, Body, CurrentSession, CurrentUser, Route, SecretText};
use crate::store::sessions;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/reauthenticate", Access::Session, create)
            .operation("reauthenticate", "Reauthenticate")
            .description(
                "For 15 minutes, sensitive changes on this session need no `password_challenge`. Revokes the session's \
                 token and returns a new one, by the same transport.",
            )
            .returns::<SignedIn>(200, "Session with its new token")
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    current: CurrentSession,
    Body(input): Body<PasswordInput>,
) -> Result<HttpResponse> {
    let reauthenticated = Reauthentication::now("password", Some(input.password.expose()))?
        .verify(&context, &client, current.standing(), vec![])
        .await?;
    let token = PlainToken::generate(TokenKind::Session)?;
    let (id, presented, new) = (current.id, *current.presented(), token.digest());
    let rotate = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        let rotated = rotate_session(change, id, &presented, &new)?;
        if rotated {
            sessions::set_reauthenticated(change, id, Some(now))?;
            change.record(Event::Reauthenticated {
                user: account.user.id,
                session: id,
            });
        }
        Ok(rotated)
    };
    if !reauthenticated.commit(&context, &client, rotate).await? {
        // The session has another token by now.
        return Err(Error::TokenInvalid);
    }
    let session = Session {
        last_active_at: context.activity.last_of(&current),
        ..Session::clone(&current)
    };
    respond_with_session(
        HttpResponse::Ok(),
        &context,
        current.carrier(),
        &token,
        &user,
        &session,
    )
}

/// The current password.
#[derive(Deserialize, ToSchema)]
struct PasswordInput {
    #[schema(value_type = String, format = Password)]
    password: SecretText,
}
