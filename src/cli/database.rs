//! How commands open the database.

use std::future::Future;

use super::{CommandError, Outcome};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::{Database, Inspection, SCHEMA_VERSION};

/// Commands run one query after another.
const WORKERS: usize = 1;

/// Opens the database, and creates it when it is missing.
pub(super) fn open_or_create(settings: &Settings) -> Result<Database, CommandError> {
    Ok(Database::open(&settings.database, WORKERS, Clock::System)?)
}

/// Opens an existing database. A missing one is not created: with a wrong path, a command would work on an empty
/// database. An older schema is not migrated: an older server may be running on it.
pub(super) fn open(settings: &Settings) -> Result<Database, CommandError> {
    let path = &settings.database.path;
    if !path.exists() {
        return Err(missing(settings).into());
    }
    let version = Inspection::open(path)?.schema_version()?;
    if version < SCHEMA_VERSION {
        return Err(format!(
            "{} has schema {version}, this program needs {SCHEMA_VERSION}: run `cloakroom migrate`",
            path.display()
        )
        .into());
    }
    open_or_create(settings)
}

/// The message for a missing database.
pub(super) fn missing(settings: &Settings) -> String {
    format!(
        "no database at {} (database.path): `cloakroom migrate` creates one",
        settings.database.path.display()
    )
}

/// Runs a command's work to its end.
pub(super) fn wait_for(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
