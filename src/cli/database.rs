//! How commands open the database.

use std::future::Future;

use super::{CommandError, Outcome, explain};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::{Database, IfMissing, Inspection, SCHEMA_VERSION};

/// Commands run one query after another.
const WORKERS: usize = 1;

/// Opens an existing database. A missing one is not created: with a wrong path, a command would work on an empty
/// database. An older schema is not migrated: an older server may be running on it.
pub(super) fn open(settings: &Settings) -> Result<Database, CommandError> {
    let version = inspect(settings)?.schema_version()?;
    if version < SCHEMA_VERSION {
        return Err(format!(
            "{} has schema {version}, this program needs {SCHEMA_VERSION}: run `cloakroom migrate`",
            settings.database.path.display()
        )
        .into());
    }
    Ok(Database::open(
        &settings.database,
        WORKERS,
        IfMissing::Refuse,
        Clock::System,
    )?)
}

/// Opens an existing database to read it.
pub(super) fn inspect(settings: &Settings) -> Result<Inspection, CommandError> {
    let path = &settings.database.path;
    Inspection::open(path)
        .map_err(|error| format!("database.path {}: {}", path.display(), explain(&error)).into())
}

/// Runs a command's work to its end.
pub(super) fn wait_for(work: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
