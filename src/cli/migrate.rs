//! `cloakroom migrate`: migrates the schema, or reports pending migrations.

use serde_json::json;

use super::output::Format;
use crate::config::Settings;
use crate::store::{self, SCHEMA_VERSION};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Change nothing; fail when migrations are pending
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> super::Outcome {
    if arguments.check {
        check(settings, &arguments.format)
    } else {
        let before = store::upgrade(&settings.database)?;
        report(before, &arguments.format, "migrated schema")
    }
}

fn check(settings: &Settings, format: &Format) -> super::Outcome {
    let before = store::schema_version(&settings.database)?;
    report(before, format, "pending: schema")?;
    if before == SCHEMA_VERSION {
        Ok(())
    } else {
        Err("migrations are pending: run `cloakroom migrate`, or start the server".into())
    }
}

fn report(before: usize, format: &Format, verb: &str) -> super::Outcome {
    let document = json!({ "from": before, "to": SCHEMA_VERSION });
    format.print(&document, || {
        if before == SCHEMA_VERSION {
            format!("schema {SCHEMA_VERSION} is current")
        } else {
            format!("{verb} from {before} to {SCHEMA_VERSION}")
        }
    })
}
