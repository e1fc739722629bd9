//! `cloakroom users confirm`: an operator who knows whose an address is vouches for it.

use serde_json::json;

use super::{One, View, database, name};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::users;

pub(super) async fn run(settings: &Settings, One { user, format }: One) -> crate::cli::Outcome {
    let (asked, now) = (user.clone(), Clock::System.now());
    let confirmed = database::open(settings)?
        .write(move |tx| {
            let Some(account) = asked.find(tx)? else {
                return Ok(None);
            };
            // A second time changes nothing.
            users::confirm_address(tx, account.user.id, &account.user.email_address, now)?;
            users::find(tx, account.user.id)
        })
        .await?;
    let user = user.require(confirmed)?.user;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("the address of {} is confirmed", name(&user))
    })
}
