//! What commands open of the database, and how they wait for it.

use std::future::Future;

use super::{Fault, Outcome};
use crate::config::Settings;
use crate::store::{Database, Inspection, SCHEMA_VERSION};

/// A command asks one thing after another.
const WORKERS: usize = 1;

/// The database, made when it is missing.
pub(super) fn open_or_make(settings: &Settings) -> Result<Database, Fault> {
    Ok(Database::open(&settings.database, WORKERS)?)
}

/// The database. A missing one is not made: with a wrong path, a command would find an empty house. An older one is not
/// brought up to date: an older server may be running on it.
pub(super) fn open(settings: &Settings) -> Result<Database, Fault> {
    let path = &settings.database.path;
    if !path.exists() {
        return Err(missing(settings).into());
    }
    let version = Inspection::open(path)?.schema_version()?;
    if version < SCHEMA_VERSION {
        return Err(format!(
            "{} has schema {version}, and this program works with {SCHEMA_VERSION}; `cloakroom migrate` brings it up to date",
            path.display()
        )
        .into());
    }
    open_or_make(settings)
}

/// What is wrong and what to do where there is no database.
pub(super) fn missing(settings: &Settings) -> String {
    format!(
        "there is no database at {} (database.path); `cloakroom migrate` makes one",
        settings.database.path.display()
    )
}

/// Waits for a command's work.
pub(super) fn wait_for(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
