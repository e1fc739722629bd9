//! `just bench-backup`: what a backup costs the writers of a running server.
//!
//! A file of a gigabyte is written to by several clients, each of which changes a row again and again, in turn without and
//! beside `cloakroom backup`. Prints the latencies of the acknowledged writes of both, the longest pause between two of
//! them, the duration of the backups and the size of the write-ahead log. `--quick` uses a small file.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cloakroom::crypto::token::{PlainToken, TokenKind};
use rusqlite::Connection;

use support::{Server, database, empty_database, now_ms};

mod support;

const CLIENTS: usize = 8;
const ROUNDS: usize = 3;
/// Of a quiet phase.
const QUIET: Duration = Duration::from_secs(20);
/// Of a row's text.
const TEXT: u64 = 4096;

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let bytes: u64 = if is_quick { 16 << 20 } else { 1 << 30 };
    let folder = tempfile::tempdir().unwrap();
    let tokens = seed(folder.path(), bytes / TEXT);
    let size = fs::metadata(database(folder.path())).unwrap().len();
    println!("{} MiB, {CLIENTS} clients, {ROUNDS} rounds", size >> 20);
    let server = Server::start(folder.path(), &[("CLOAKROOM__THROTTLE__ENABLED", "false")]);
    let (mut quiet, mut beside) = (Writes::default(), Writes::default());
    for round in 0..ROUNDS {
        quiet.add(write_while(&server.address, &tokens, || {
            thread::sleep(QUIET);
        }));
        let target = folder.path().join(format!("backup-{round}.db"));
        let mut log = 0;
        beside.add(write_while(&server.address, &tokens, || {
            let started = Instant::now();
            back_up(folder.path(), &target);
            log = wal(folder.path());
            println!(
                "backup: {:.1} s; write-ahead log: {} MiB",
                started.elapsed().as_secs_f64(),
                log >> 20
            );
            // The checkpoint of the log is part of the cost.
            thread::sleep(Duration::from_secs(3));
        }));
        fs::remove_file(target).unwrap();
    }
    quiet.print("quiet");
    beside.print("beside a backup");
}

/// Users with a session and a project each, and projects that fill the file. Returns the tokens.
fn seed(folder: &Path, rows: u64) -> Vec<String> {
    let file = empty_database(folder);
    let now = now_ms();
    let tokens: Vec<PlainToken> = (0..CLIENTS)
        .map(|_| PlainToken::generate(TokenKind::Session).unwrap())
        .collect();
    for (number, token) in (1_i64..).zip(&tokens) {
        file.execute(
            "INSERT INTO users (id, email_address, created_at, updated_at) VALUES (?1, ?1 || '@example.com', ?2, ?2)",
            (number, now),
        )
        .unwrap();
        file.execute(
            "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at, nonce)
             VALUES (?1, ?2, '192.0.2.1', ?3, ?3, ?3 + 86400000, 'n')",
            (number, token.digest().as_bytes(), now),
        )
        .unwrap();
        file.execute(
            "INSERT INTO projects (id, user_id, title, created_at, updated_at) VALUES (?1, ?1, 'x', ?2, ?2)",
            (number, now),
        )
        .unwrap();
    }
    file.execute(
        "INSERT INTO projects (user_id, title, description, created_at, updated_at)
         WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?1)
         SELECT 1, x, hex(randomblob(?2)), 1, 1 FROM n",
        (
            i64::try_from(rows).unwrap(),
            i64::try_from(TEXT / 2).unwrap(),
        ),
    )
    .unwrap();
    drop(file);
    tokens
        .iter()
        .map(|token| token.reveal().to_owned())
        .collect()
}

fn back_up(folder: &Path, target: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
        .env("CLOAKROOM_ENV", "test")
        .env("CLOAKROOM__DATABASE__PATH", database(folder))
        .arg("backup")
        .arg(target)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let backup = Connection::open(target).unwrap();
    let users: i64 = backup
        .query_row("SELECT count(*) FROM users", [], |row| row.get(0))
        .unwrap();
    assert_eq!(usize::try_from(users).unwrap(), CLIENTS);
}

fn wal(folder: &Path) -> u64 {
    fs::metadata(folder.join("cloakroom.db-wal")).map_or(0, |found| found.len())
}

/// Lets the clients write while `run` does.
fn write_while(address: &str, tokens: &[String], run: impl FnOnce()) -> Vec<(Instant, Duration)> {
    let (has_ended, all) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|threads| {
        for (number, token) in (1..).zip(tokens) {
            let (has_ended, all) = (&has_ended, &all);
            threads.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                let url = format!("http://{address}/v1/projects/{number}");
                let mut own = Vec::new();
                for count in 0_u64.. {
                    let started = Instant::now();
                    let reply = agent
                        .put(&url)
                        .header("Authorization", format!("Bearer {token}"))
                        .header("Content-Type", "application/json")
                        .send(format!("{{\"title\":\"{count}\"}}"));
                    assert_eq!(reply.unwrap().status(), 200);
                    own.push((Instant::now(), started.elapsed()));
                    if has_ended.load(Ordering::Relaxed) {
                        break;
                    }
                }
                all.lock().unwrap().extend(own);
            });
        }
        run();
        has_ended.store(true, Ordering::Relaxed);
    });
    all.into_inner().unwrap()
}

/// The acknowledged writes of some phases.
#[derive(Default)]
struct Writes {
    latencies: Vec<Duration>,
    longest_pause: Duration,
}

impl Writes {
    fn add(&mut self, mut writes: Vec<(Instant, Duration)>) {
        writes.sort();
        let pauses = writes.windows(2).map(|pair| pair[1].0 - pair[0].0);
        self.longest_pause = self.longest_pause.max(pauses.max().unwrap_or_default());
        self.latencies
            .extend(writes.into_iter().map(|(_, latency)| latency));
    }

    fn print(&mut self, label: &str) {
        self.latencies.sort();
        let at = |share: usize| {
            let index = (self.latencies.len() - 1) * share / 1000;
            self.latencies[index].as_secs_f64() * 1000.0
        };
        println!(
            "{label}: {} writes; p50 {:.1} ms, p99 {:.1} ms, max {:.0} ms; longest time without a commit {:.0} ms",
            self.latencies.len(),
            at(500),
            at(990),
            at(1000),
            self.longest_pause.as_secs_f64() * 1000.0
        );
    }
}
