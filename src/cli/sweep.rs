//! `cloakroom sweep`: deletes expired rows, as the server does regularly.

use super::database;
use super::output::{Format, table};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::server::sweep::{self, Swept};

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    database::wait_for(async {
        let database = database::open(settings)?;
        let swept = sweep::run(&database, settings, Clock::System.now()).await?;
        format.print(&swept, || {
            let Swept {
                sessions,
                counters,
                mails,
                devices,
                api_keys,
                pending_sign_ins,
                mail_codes,
                provider_sign_ins,
                identity_link_requests,
                unproved_secrets,
                passkey_challenges,
                refresh_tokens,
                revocations,
            } = swept;
            let rows = [
                ("sessions", sessions),
                ("counters", counters),
                ("mails", mails),
                ("devices", devices),
                ("API keys", api_keys),
                ("pending sign-ins", pending_sign_ins),
                ("requests for mailed codes", mail_codes),
                ("sign-ins by providers", provider_sign_ins),
                ("requests to link identities", identity_link_requests),
                ("unproved secrets", unproved_secrets),
                ("passkey challenges", passkey_challenges),
                ("refresh tokens", refresh_tokens),
                ("ended access", revocations),
            ];
            table(
                ["what", "deleted"],
                rows.map(|(what, deleted)| [what.to_owned(), deleted.to_string()]),
            )
        })
    })
}
