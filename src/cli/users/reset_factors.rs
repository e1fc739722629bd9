//! `cloakroom users reset-factors`: an operator removes the second factors of a user who has lost them.
//!
//! # Threats
//! - someone who talks an operator into it: the command asks, the user is notified by mail, and the event is recorded

use serde_json::json;

use super::{UserArg, View, change_account, find, name};
use crate::accounts::administration;
use crate::cli::database;
use crate::cli::output::confirm;
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::domain::mail_kind::MailKind;
use crate::mail::Notice;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
    yes: bool,
) -> crate::cli::Outcome {
    if !yes {
        let account = find(&database::open(settings)?, user.clone()).await?;
        confirm(&format!(
            "Remove the second factors of {}? Then the password alone signs in.",
            name(&account.user)
        ))?;
    }
    let now = Clock::System.now();
    let notice = Notice::of_operator(&settings.notices, MailKind::TotpRemoved);
    let changed = change_account(settings, &user, move |change, account| {
        let removed = administration::reset_factors(change, account, notice.as_ref(), now)?;
        Ok(Some((account.user.clone(), removed)))
    });
    let (found, removed) = user.require(changed.await?)?;
    let document = json!({ "user": View::of(&found), "removed": removed });
    format.print(&document, || match removed {
        true => format!("removed the second factors of {}", name(&found)),
        false => format!("{} has no second factors", name(&found)),
    })
}
