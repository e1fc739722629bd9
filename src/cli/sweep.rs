//! `cloakroom sweep`: deletes expired rows, as the server does regularly.

use serde::Serialize;

use super::database;
use super::output::{Format, table};
use crate::audit::{Keys, Trimmed, trim};
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::server::sweep::{self, Swept};

/// What was deleted.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    swept: Swept,
    #[serde(flatten)]
    trimmed: Trimmed,
}

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    database::wait_for(async {
        let database = database::open(settings)?;
        let swept = sweep::run(&database, settings, Clock::System.now()).await?;
        let keys = Keys::new(&KeyRing::open(settings)?);
        let trimmed = trim(&database, &keys, &settings.audit, Clock::System.now()).await?;
        let done = Done { swept, trimmed };
        format.print(&done, || {
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
            let Trimmed {
                audit_events,
                audit_clients,
            } = trimmed;
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
                ("audit events", audit_events),
                ("clients in audit events", audit_clients),
            ];
            table(
                ["what", "deleted"],
                rows.map(|(what, deleted)| [what.to_owned(), deleted.to_string()]),
            )
        })
    })
}
