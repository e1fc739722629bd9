//! `cloakroom users reset-password`: prints the link that the reset mail would contain, for users who cannot get mail.

use serde_json::json;

use super::{UserArg, View, database, name};
use crate::audit::Event;
use crate::cli::output::note;
use crate::config::{Settings, UnverifiedReset};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::signed_link;
use crate::domain::clock::Clock;
use crate::domain::mail_kind::LinkPurpose;

pub(super) async fn run(
    settings: &Settings,
    UserArg { user, format }: UserArg,
) -> crate::cli::Outcome {
    let asked = user.clone();
    let database = database::open(settings)?;
    let key_ring = KeyRing::open(settings)?;
    let now = Clock::System.now();
    database.check_key_bases(&key_ring.names(), now).await?;
    let account = database.read(move |reader| asked.find(reader)).await?;
    let account = user.require(account)?;
    let user = &account.user;
    if user.disabled_at.is_some() {
        return Err(format!("{} is disabled: the link would not work", name(user)).into());
    }
    let event = Event::ResetLinkPrinted { user: user.id };
    let record = database.commit(move |change| {
        change.record(event.clone());
        Ok(())
    });
    record.await?;
    let expires_at = now + signed_link::RESET_LIFETIME;
    let token = signed_link::sign_reset(&key_ring, &account, expires_at);
    let link = settings.mailed_link(LinkPurpose::Reset, &token);
    format.print(
        &json!({ "user": View::of(user), "link": link, "expires_at": expires_at }),
        || link.clone(),
    )?;
    let replaces = settings.registration.unverified_reset == UnverifiedReset::Replace;
    if replaces && user.email_confirmed_at.is_none() {
        note(&format!(
            "the address of {0} was never verified: the link deletes the account and creates a fresh one \
             (registration.unverified_reset); `cloakroom users confirm {1}` first keeps it",
            name(user),
            user.id.0
        ));
    }
    note(&format!(
        "anyone with this link can set the password of {}; single use, valid until {expires_at}",
        name(user)
    ));
    Ok(())
}
