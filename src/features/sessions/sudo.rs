//! Giving the password again, so that for a while changes of credentials on this session ask for it no more.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::challenge::Challenge;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::domain::Account;
use crate::domain::error::{Result, ValidationErrors};
use crate::http::{ClientInfo, CurrentSession, CurrentUser, Input};
use crate::store::sessions as rows;

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    session: CurrentSession,
    input: Input,
) -> Result<HttpResponse> {
    let mut invalid = ValidationErrors::default();
    let password = input.text("password", &mut invalid).unwrap_or_default();
    if password.is_empty() && invalid.faults.is_empty() {
        invalid.add("password", "can't be blank");
    }
    invalid.into_result()?;
    let proven = Challenge::with("password", password)
        .prove(&context, &client, &session, vec![])
        .await?;
    let id = session.id;
    let grant = move |change: &Change<'_>, account: &Account, now| {
        rows::set_sudo(change, id, Some(now))?;
        change.record(Event::Reauthenticated {
            user: account.user.id,
            session: id,
        });
        Ok(())
    };
    proven
        .commit(&context, &client, &user, &session, grant)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Password confirmed" })))
}
