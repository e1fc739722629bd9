//! `cloakroom users metadata`: an operator replaces what is recorded about a user.

use serde_json::{Map, Value, json};

use super::{UserArg, View, change_account, name};
use crate::accounts::administration;
use crate::config::Settings;
use crate::domain::JsonObject;
use crate::domain::clock::Clock;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
    object: &Map<String, Value>,
) -> crate::cli::Outcome {
    let metadata = JsonObject::parse("metadata", object).map_err(crate::Error::from)?;
    let (claims, now) = (settings.tokens.claims.clone(), Clock::System.now());
    let changed = change_account(settings, &user, move |change, account| {
        administration::set_metadata(change, account, &metadata, &claims, now)
    });
    let user = user.require(changed.await?)?;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("changed the metadata of {}", name(&user))
    })
}

/// A JSON object as an argument.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|_| r#"not a JSON object such as {"plan":"pro"}"#.to_owned())
}
