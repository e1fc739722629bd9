//! What all benchmarks stand on: a file to seed, the real binary on it, and how to count.

#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use cloakroom::config::{Environment, Settings};
use cloakroom::domain::clock::Clock;
use cloakroom::store::{Database, IfMissing};
use rusqlite::Connection;

/// Where the rows are.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("cloakroom.db")
}

/// A file with the schema and no rows, opened to be seeded.
pub fn empty_database(folder: &Path) -> Connection {
    let mut settings = Settings::for_env(Environment::Test).expect("settings");
    settings.database.path = database(folder);
    drop(
        Database::open(&settings.database, 1, IfMissing::Create, Clock::System)
            .expect("a database"),
    );
    Connection::open(database(folder)).expect("the file")
}

/// Gives a user a password.
pub fn add_password(file: &Connection, user: i64, digest: &str) {
    file.prepare_cached(
        "INSERT INTO passwords (user_id, digest, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
    )
    .and_then(|mut insert| insert.execute((user, digest, now_ms())))
    .expect("a password");
}

/// A running server, killed when dropped.
pub struct Server {
    pub address: String,
    pub child: Child,
}

impl Server {
    /// Starts the server on the file in this folder, with these environment variables as well.
    pub fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let binary = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        Self::start_by(binary, folder, variables)
    }

    /// The same by a command that runs the server.
    pub fn start_by(mut command: Command, folder: &Path, variables: &[(&str, &str)]) -> Self {
        let log = File::create(folder.join("server.log")).expect("a log");
        let mut child = command
            .env("CLOAKROOM__SERVER__BIND", "127.0.0.1:0")
            .env("CLOAKROOM__DATABASE__PATH", database(folder))
            .env("CLOAKROOM__MAIL__DIRECTORY", folder.join("mail"))
            .env("CLOAKROOM__LOG__FORMAT", "json")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .expect("an address")
            .to_owned();
        Self { address, child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that takes every status as an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark seeds rows as of now"
)]
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}
