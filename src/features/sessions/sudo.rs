//! Giving the password again, so that for a while changes of credentials on this session ask for it no more.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::challenge::Challenge;
use crate::audit;
use crate::context::Context;
use crate::domain::error::{Result, ValidationErrors};
use crate::http::{ClientInfo, CurrentSession, CurrentUser, Input};
use crate::store::users::Account;
use crate::store::{Transaction, sessions as rows};

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
    let give =
        move |tx: &Transaction<'_>, _: &Account, now| rows::set_sudo(tx, id, Some(now)).map(drop);
    let told = move |client: &ClientInfo, user, ()| audit::sudo_given(client, user, id);
    proven
        .write(&context, &client, &user, &session, give, told)
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "message": "Password confirmed" })))
}
