//! `cloakroom secret adopt`: makes the key base of the settings that of the database.
//!
//! Nodes on PostgreSQL refuse to start with a key base that is not the database's. This is for a base that cannot be listed
//! as a previous one: it is lost, or was leaked.

use serde_json::json;

use crate::audit::{self, Event, Keys};
use crate::cli::output::{Format, confirm, note};
use crate::cli::{CommandError, Outcome, database, quietly};
use crate::config::{Settings, Sources};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::key_bases;

pub(super) fn run(sources: &Sources, yes: bool, format: &Format) -> Outcome {
    let settings = quietly(|| Settings::load(sources))?;
    let key_ring = KeyRing::open(&settings)?;
    let (names, keys) = (key_ring.names(), Keys::new(&key_ring));
    let database = database::open(&settings)?;
    if !yes {
        note(
            "What other key bases signed becomes invalid, unless they are listed in secrets.previous: mailed links and \
             access tokens. The secrets of authenticator apps that they sealed cannot be opened: their users sign in \
             after `cloakroom users reset-factors`. The audit trail is signed \
             anew without a check: run `cloakroom audit verify` with the old key base before, if you have it. \
             Nodes with another key base do not start any more.",
        );
        confirm("Make the key base of these settings that of the database?")?;
    }
    database::wait_for(async {
        let adopt = database.commit(move |change| {
            let now = Clock::System.now();
            let retired = key_bases::retire_foreign(change, &names, now)?;
            key_bases::record(change, &names, now)?;
            audit::adopt(change, &keys)?;
            change.record(Event::KeyBaseAdopted);
            Ok(retired)
        });
        let retired = adopt.await.map_err(CommandError::from)?.value;
        format.print(&json!({ "retired": retired }), || match retired {
            0 => "the database has no other key base".to_owned(),
            1 => "1 other key base retired; restart the nodes that have it".to_owned(),
            many => format!("{many} other key bases retired; restart the nodes that have them"),
        })
    })
}
