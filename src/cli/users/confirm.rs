//! `cloakroom users confirm`: an operator marks an address as verified.

use serde_json::json;

use super::{UserArg, View, database, name};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::users;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
) -> crate::cli::Outcome {
    let (asked, now) = (user.clone(), Clock::System.now());
    let confirmed = database::open(settings)?
        .write(move |tx| {
            let Some(account) = asked.find(tx)? else {
                return Ok(None);
            };
            users::confirm_address(tx, account.user.id, &account.user.email_address, now)?;
            users::find(tx, account.user.id)
        })
        .await?;
    let user = user.require(confirmed)?.user;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("verified the address of {}", name(&user))
    })
}
