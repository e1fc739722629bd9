//! `cloakroom move`: moves all rows into an empty database, of either engine.

mod progress;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::output::{self, Format};
use super::{CommandError, Outcome};
use crate::config::{Database, Secret, Settings};
use crate::crypto::key_ring::KeyRing;
use crate::store::{self, MovedTable, move_rows};
use progress::Reporter;

/// What a URL starts with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: Format,
}

/// Where the target is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// A new SQLite file, or the URL of a PostgreSQL database
    #[arg(long, value_name = "TARGET")]
    to: Option<OsString>,
    /// A file with the URL: arguments show in `ps` and in the shell's history
    #[arg(long, value_name = "FILE")]
    to_url_file: Option<PathBuf>,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> Outcome {
    let target = target(settings, &arguments.place)?;
    let mut reporter = Reporter::default();
    let moved = move_rows(&settings.database, &target, &mut |progress| {
        reporter.report(progress);
    });
    drop(reporter);
    let (moved, name) = (moved?, store::describe(&target));
    arguments
        .format
        .print(&document(&name, &moved), || text(&name, &moved))?;
    advise(settings, &target);
    Ok(())
}

/// The settings of the target: those of the source, but for the place.
fn target(settings: &Settings, place: &Place) -> Result<Database, CommandError> {
    let named = match (&place.to, &place.to_url_file) {
        (Some(named), _) => named.clone(),
        (None, Some(file)) => {
            let text = fs::read_to_string(file);
            let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
            let url = text.trim_end();
            if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
                return Err(format!("{}: is no URL of PostgreSQL", file.display()).into());
            }
            url.into()
        }
        (None, None) => return Err("--to is missing".into()),
    };
    let database = settings.database.clone();
    let is_url = |text: &&str| SCHEMES.iter().any(|scheme| text.starts_with(scheme));
    Ok(match named.to_str().filter(is_url) {
        Some(url) => Database {
            url: Some(Secret::from(url.to_owned())),
            ..database
        },
        None => Database {
            url: None,
            path: named.into(),
            ..database
        },
    })
}

fn document(name: &str, moved: &[MovedTable]) -> serde_json::Value {
    let tables = moved.iter().map(
        |table| json!({ "name": table.name, "rows": table.sum.rows, "sha256": table.sum.sha256 }),
    );
    json!({ "to": name, "tables": tables.collect::<Vec<_>>() })
}

fn text(name: &str, moved: &[MovedTable]) -> String {
    let rows = moved.iter().map(|table| {
        let rows = table.sum.rows.to_string();
        [table.name.clone(), rows, table.sum.sha256.clone()]
    });
    let all: u64 = moved.iter().map(|table| table.sum.rows).sum();
    let table = output::table(["table", "rows", "sha256"], rows);
    format!("{table}moved {all} rows to {name}\n")
}

/// What is left to do.
fn advise(settings: &Settings, target: &Database) {
    let setting = match &target.url {
        Some(_) => "database.url",
        None => "database.path, without database.url",
    };
    output::note(&format!(
        "next: name the new database in {setting}, start the server, and delete the old one once all is well"
    ));
    // It stands beside `database.path`, and links and access tokens depend on it.
    let moved = Settings {
        database: target.clone(),
        ..settings.clone()
    };
    if let (Some(ours), Some(theirs)) = (KeyRing::file(settings), KeyRing::file(&moved))
        && ours != theirs
        && ours.exists()
    {
        let (ours, theirs) = (ours.display(), theirs.display());
        output::note(&format!(
            "before that: copy the key base, {ours}, to {theirs}"
        ));
    }
}
