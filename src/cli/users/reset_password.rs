//! `cloakroom users reset-password`: the link that a mail would hold, for whoever cannot get the mail.

use serde_json::json;

use super::{One, View, house, name};
use crate::cli::output::remark;
use crate::clock::Clock;
use crate::config::Settings;
use crate::keys::Keys;
use crate::links;

pub(super) async fn run(settings: &Settings, One { user, format }: One) -> crate::cli::Outcome {
    let asked = user.clone();
    let account = house::open(settings)?
        .read(move |reader| asked.find(reader))
        .await?;
    let account = user.require(account)?;
    let user = &account.user;
    if user.disabled_at.is_some() {
        return Err(format!("{} is disabled: no link would work", name(user)).into());
    }
    let expires_at = Clock::System.now() + links::RESET_LIFETIME;
    let token = links::sign_reset(&Keys::open(settings)?, &account, expires_at);
    let link = links::reset_url(settings, &token);
    format.print(
        &json!({ "user": View::of(user), "link": link, "expires_at": expires_at }),
        || link.clone(),
    )?;
    remark(&format!(
        "whoever opens this link chooses the password of {}; it works once, for 15 minutes, until {expires_at}",
        name(user)
    ));
    Ok(())
}
