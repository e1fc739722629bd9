//! `cloakroom users set-role`: an operator gives a user a role.

use serde_json::json;

use super::{UserArg, View, change_account, name};
use crate::accounts::administration;
use crate::config::Settings;
use crate::domain::Role;
use crate::domain::clock::Clock;

/// Parses the argument.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::from_stored(text).ok_or_else(|| "must be user or operator".to_owned())
}

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
    role: Role,
) -> crate::cli::Outcome {
    let now = Clock::System.now();
    let changed = change_account(settings, &user, move |change, account| {
        administration::set_role(change, account, role, now)
    });
    let user = user.require(changed.await?)?;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("{} has the role {}", name(&user), role.as_str())
    })
}
