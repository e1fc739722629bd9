//! `cloakroom users confirm`: an operator marks an address as verified.

use serde_json::json;

use super::{UserArg, View, change_account, name};
use crate::accounts::administration;
use crate::config::Settings;
use crate::domain::clock::Clock;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
) -> crate::cli::Outcome {
    let now = Clock::System.now();
    let verified = change_account(settings, &user, move |change, account| {
        administration::verify_address(change, account, now)
    });
    let user = user.require(verified.await?)?;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("verified the address of {}", name(&user))
    })
}
