//! How many files a server opens, and may open.

use rustix::process::{Resource, getrlimit};

use crate::config::Settings;

/// Those that a start opens beside those of its threads, and a few for connections and mails.
const START_FILES: u64 = 32;
/// Of a thread that handles requests, and of a connection to the database.
const WORKER_FILES: u64 = 4;
const READER_FILES: u64 = 2;
/// Beside those of as many connections as there may be: the database, logs, listeners.
const OTHER_FILES: u64 = 64;

/// The fewest open files that a server with these settings works with.
pub(super) fn needed(settings: &Settings) -> u64 {
    let workers = settings.server.worker_threads();
    let database = &settings.database;
    let readers = match database.url {
        None => database.reader_count(workers),
        Some(_) => database.connection_count(workers),
    };
    START_FILES + WORKER_FILES * workers as u64 + READER_FILES * u64::from(readers)
}

/// The open files of a server with as many connections as these settings permit.
pub(super) fn wanted(settings: &Settings) -> u64 {
    needed(settings).max(settings.server.max_connections as u64 + OTHER_FILES)
}

/// The most files that this process may open; `None` without a limit.
pub(super) fn allowed() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}
