//! `cloakroom users reset-factors`: an operator removes the second factors and passkeys of a user who has lost
//! them.
//!
//! # Threats
//! - an attacker who talks an operator into it: the command asks, the user is notified by mail, and the event is recorded

use serde_json::json;

use super::{UserArg, View, find, name};
use crate::accounts::administration::{self, FactorNotices, FactorsReset};
use crate::cli::database;
use crate::cli::output::confirm;
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::domain::mail_kind::MailKind;
use crate::mail::Notice;
use crate::store::users;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
    yes: bool,
) -> crate::cli::Outcome {
    let database = database::open(settings)?;
    let found = find(&database, user.clone()).await?.user;
    if !yes {
        confirm(&format!(
            "Remove the second factors and passkeys of {}? Then the password alone signs in.",
            name(&found)
        ))?;
    }
    let (id, now) = (found.id, Clock::System.now());
    let notice = |kind| Notice::of_operator(&settings.notices, kind);
    let notices = FactorNotices {
        totp: notice(MailKind::TotpRemoved),
        passkeys: notice(MailKind::PasskeyRemoved),
    };
    // By the id: the address may be another account's by now.
    let changed = database.commit(move |change| match users::find(change, id)? {
        Some(account) => administration::reset_factors(change, &account, &notices, now).map(Some),
        None => Ok(None),
    });
    let reset = user.require(changed.await?.value)?;
    let FactorsReset {
        removed,
        grace_restarted,
    } = reset;
    let document = json!({
        "user": View::of(&found), "removed": removed, "grace_restarted": grace_restarted,
    });
    format.print(&document, || {
        let name = name(&found);
        match (removed, grace_restarted) {
            (true, _) => format!("removed the second factors and passkeys of {name}"),
            (false, true) => {
                format!("{name} has no second factors and no passkeys; the grace to set one up starts again")
            }
            (false, false) => format!("{name} has no second factors and no passkeys"),
        }
    })
}
