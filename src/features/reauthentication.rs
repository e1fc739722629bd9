//! Proving again who one is: `POST /v1/session/reauthenticate`. For 15 minutes after, sensitive changes on the session
//! need no `password_challenge`. The rules are in [`accounts::reauthentication`](crate::accounts::reauthentication).

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::reauthentication::Reauthentication;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Account, ClientInfo};
use crate::http::session_reply::{SignedIn, respond_with_rotated};
use crate::http::{Access, Body, CurrentSession, CurrentUser, Route, SecretText};
use crate::store::sessions;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/reauthenticate", Access::Session, create)
            .operation("reauthenticate", "Reauthenticate")
            .description(
                "For 15 minutes, sensitive changes on this session need no `password_challenge`. Revokes the session's \
                 token and returns a new one, by the same transport. Also revokes the session's refresh tokens; access \
                 tokens stay valid until they expire.",
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
    let id = current.id;
    let record = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        sessions::set_reauthenticated(change, id, Some(now))?;
        change.record(Event::Reauthenticated {
            user: account.user.id,
            session: id,
        });
        Ok(())
    };
    let rotated =
        reauthenticated.commit_and_rotate(&context, &client, *current.presented(), record);
    let (token, ()) = rotated.await?;
    respond_with_rotated(&context, &current, &token, &user)
}

/// The current password.
#[derive(Deserialize, ToSchema)]
struct PasswordInput {
    #[schema(value_type = String, format = Password)]
    password: SecretText,
}
