//! `cloakroom audit`: the end of the chain of the audit trail, and whether the trail is as it was written.

use clap::Subcommand;
use serde_json::json;

use super::CommandError;
use super::database;
use super::output::Format;
use super::report::Report;
use crate::audit::{Anchor, Keys, head, verify};
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::key_bases::{self, State};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the end of the chain, to be kept elsewhere as an anchor for `verify`
    Head(Format),
    /// Verify the audit trail: name each row that was changed, moved, added, copied or is missing
    ///
    /// It changes nothing, and exits with 1 if there is a fault.
    Verify {
        /// What `cloakroom audit head` printed earlier: the trail must have it
        #[arg(long)]
        anchor: Option<Anchor>,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        let database = database::open(settings)?;
        let (keys, now) = (keys(settings, &database).await?, Clock::System.now());
        match command {
            Command::Head(format) => {
                let head = head(&database, &keys, now).await?;
                let head = head.ok_or("nothing was sealed yet: a server does it within seconds")?;
                let document = json!({ "position": head.position, "hash": head.hash });
                format.print(&document, || head.to_string())
            }
            Command::Verify { anchor, format } => {
                let found = verify(&database, &keys, anchor.as_ref(), now).await?;
                let mut report = Report::default();
                let rows = format!(
                    "{} rows, {} of them not sealed yet; rows up to place {} were deleted as old",
                    found.rows, found.unsealed, found.start
                );
                report.ok("rows", rows);
                for fault in &found.faults {
                    report.fail("audit", fault.to_string(), ADVICE);
                }
                report.print(&format)
            }
        }
    })
}

const ADVICE: &str = "compare with a backup and with the log";

/// Of the key ring. It knows since when previous bases sign nothing.
async fn keys(settings: &Settings, database: &database::Opened<'_>) -> Result<Keys, CommandError> {
    let mut key_ring = KeyRing::open(settings)?;
    for name in key_ring.names().previous {
        let asked = name.clone();
        let state = database.read(move |reader| key_bases::state(reader, &asked));
        if let State::Retired(at) = state.await? {
            key_ring.note_retirement(&name, at);
        }
    }
    Ok(Keys::new(&key_ring))
}
