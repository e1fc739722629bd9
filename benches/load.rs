//! `cargo bench`: the real binary under load, on a file of 100,000 users and as many sessions, measured as ratios
//! within one run: figures of a shared machine drift, their quotients hardly do.
//!
//! Needs `wrk` (Debian has it). Prints ratios, each with what it is made of and what it must reach, then memory,
//! start-up time and the binary's size; exits 1 when one is missed.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom::crypto::token::{PlainToken, TokenKind};
use rusqlite::Connection;

use bounds::Report;
use credentials::{KEY_BASE, add_keys, mint_access_tokens};
use process::{cores, resident_mb};
use support::{Server, add_password, agent, database, empty_database, median, now_ms};
use wrk::{API_KEY, BEARER, Load, write_script};

#[path = "support/bounds.rs"]
mod bounds;
#[path = "support/credentials.rs"]
mod credentials;
#[path = "support/process.rs"]
mod process;
mod support;
#[path = "support/wrk.rs"]
mod wrk;

const ROWS: usize = 100_000;
/// Few, since a service has a handful of callers, and each calls often.
const KEYS: usize = 10_000;
const ACCESS_TOKENS: usize = 1_000;
const PASSWORD: &str = "correct horse battery staple";
const COST: u32 = 12;
const CONNECTIONS: usize = 32;
const SIGN_IN_CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const LOOK_UP: Duration = Duration::from_secs(5);
const MACHINE_ROUNDS: usize = 5;
const MACHINE: Duration = Duration::from_secs(3);
const ENDING: Duration = Duration::from_secs(2);
const SIGN_IN_ROUNDS: usize = 5;
const SIGN_IN: Duration = Duration::from_secs(6);
/// Until as many sign-ins end as start.
const SIGN_IN_WARM_UP: Duration = Duration::from_secs(2);
const LONE_SIGN_INS: usize = 10;
/// Sign-ins at once a core that are compared with a lone one.
const CROWD: usize = 4;

fn main() -> ExitCode {
    if !wrk::is_installed() {
        eprintln!("this needs `wrk` on the PATH");
        return ExitCode::FAILURE;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!("seeding {ROWS} users and sessions, {KEYS} API keys");
    let bench = Bench::seed(folder.path());
    let server = bench.start();
    let mut report = Report::default();

    look_ups(&bench, &server, &mut report);
    machines(&bench, &server, &mut report);
    endings(&bench, &server, &mut report);
    sign_ins(&server, &mut report);
    sign_in_latency(&server, &mut report);
    sign_ins_by_load(&server);
    look_ups_beside_sign_ins(&bench, &server, &mut report);

    report.at_most(
        "resident memory after that, MB",
        resident_mb(server.child.id()),
        64.0,
    );
    report.at_most(
        "first answer after the start, ms",
        median(&bench.start_times),
        150.0,
    );
    let size = fs::metadata(env!("CARGO_BIN_EXE_cloakroom"))
        .expect("the binary")
        .len();
    report.at_most("release binary, MB", size as f64 / 1e6, 24.0);
    report.conclude()
}

/// `GET /v1/session` with random tokens against `GET /up` with the same ones, so that wrk works alike for both, in turn.
fn look_ups(bench: &Bench, server: &Server, report: &mut Report) {
    let (mut up, mut session) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        up.push(
            bench
                .wrk(server, "/up", &bench.look_up, CONNECTIONS, LOOK_UP)
                .per_second,
        );
        session.push(
            bench
                .wrk(server, "/v1/session", &bench.look_up, CONNECTIONS, LOOK_UP)
                .per_second,
        );
    }
    let ratios: Vec<f64> = session
        .iter()
        .zip(&up)
        .map(|(session, up)| session / up)
        .collect();
    println!(
        "GET /up {:.0}/s, GET /v1/session {:.0}/s",
        median(&up),
        median(&session)
    );
    report.at_least("look-ups against GET /up", median(&ratios), 0.6);
}

/// Each kind of credential at `/v1/verify` against `GET /up` with the same ones.
fn machines(bench: &Bench, server: &Server, report: &mut Report) {
    bench.present_each(server);
    let access = bench.against_up(server, "/v1/verify", &bench.access);
    let keys = bench.against_up(server, "/v1/verify", &bench.keys);
    // Printed only: look-ups have their bound already.
    bench.against_up(server, "/v1/verify", &bench.look_up);
    bench.against_up(server, "/v1/user", &bench.keys);
    report.at_least("access tokens at /v1/verify against GET /up", access, 0.85);
    report.at_least("API keys at /v1/verify against GET /up", keys, 0.6);
}

/// `DELETE /v1/session` on 32 connections against one.
fn endings(bench: &Bench, server: &Server, report: &mut Report) {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let alone = bench
            .wrk(
                server,
                "/v1/session",
                &bench.script_of_fresh_tokens(20_000),
                1,
                ENDING,
            )
            .per_second;
        let script = bench.script_of_fresh_tokens(80_000);
        let together = bench
            .wrk(server, "/v1/session", &script, CONNECTIONS, ENDING)
            .per_second;
        println!(
            "sessions ended: {alone:.0}/s by one connection, {together:.0}/s by {CONNECTIONS}"
        );
        ratios.push(together / alone);
    }
    report.at_least(
        "sessions ended on 32 connections against one",
        median(&ratios),
        8.0,
    );
}

/// `POST /v1/session` against the `bcrypt` crate on every core, in turn.
fn sign_ins(server: &Server, report: &mut Report) {
    let mut ratios = Vec::new();
    for _ in 0..SIGN_IN_ROUNDS {
        let bcrypt = bcrypt_per_second(SIGN_IN);
        let load = SignIns::start(server, SIGN_IN_CONNECTIONS);
        let sign_ins = load.per_second(SIGN_IN);
        load.stop();
        println!("bcrypt alone {bcrypt:.2}/s, sign-ins {sign_ins:.2}/s");
        ratios.push(sign_ins / bcrypt);
    }
    report.at_least("sign-ins against bcrypt alone", median(&ratios), 3.0);
}

/// How long a sign-in takes: a lone one against the `bcrypt` crate's check alone, and with four at once a core against a
/// lone one, in turn.
fn sign_in_latency(server: &Server, report: &mut Report) {
    let digest = bcrypt::hash(PASSWORD, COST).expect("a digest");
    let client = Client::new(server);
    let (mut against_bcrypt, mut against_lone) = (Vec::new(), Vec::new());
    for _ in 0..SIGN_IN_ROUNDS {
        let (mut alone, mut lone) = (Vec::new(), Vec::new());
        for user in 0..LONE_SIGN_INS {
            alone.push(timed(|| {
                assert!(bcrypt::verify(PASSWORD, &digest).expect("a verdict"));
            }));
            lone.push(timed(|| client.sign_in(user)));
        }
        let load = SignIns::start(server, CROWD * cores());
        load.per_second(SIGN_IN);
        let [alone, lone, crowded] = [alone, lone, load.stop()].map(|times| median(&times));
        println!(
            "bcrypt alone {alone:.0} ms, a lone sign-in {lone:.0} ms, {CROWD} at once a core {crowded:.0} ms"
        );
        against_bcrypt.push(lone / alone);
        against_lone.push(crowded / lone);
    }
    report.at_most(
        "a lone sign-in's time against bcrypt's",
        median(&against_bcrypt),
        1.05,
    );
    report.at_most(
        "a sign-in's time, four at once a core, against a lone one's",
        median(&against_lone),
        1.4,
    );
}

/// What to expect at which load, as docs/operations/sizing.md shows it.
fn sign_ins_by_load(server: &Server) {
    for a_core in [1, 2, 4, 5, 8, 16] {
        let load = SignIns::start(server, a_core * cores());
        let rate = load.per_second(SIGN_IN) / cores() as f64;
        println!(
            "{a_core} at once a core: {rate:.1} sign-ins a second and core, {:.0} ms each",
            median(&load.stop())
        );
    }
}

/// Look-ups while 16 connections sign in without pause, against look-ups alone.
fn look_ups_beside_sign_ins(bench: &Bench, server: &Server, report: &mut Report) {
    let (mut ratios, mut tails) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let quiet = bench.wrk(server, "/v1/session", &bench.look_up, CONNECTIONS, LOOK_UP);
        let load = SignIns::start(server, SIGN_IN_CONNECTIONS);
        let beside = bench.wrk(server, "/v1/session", &bench.look_up, CONNECTIONS, LOOK_UP);
        load.stop();
        println!(
            "look-ups {:.0}/s quiet, {:.0}/s beside sign-ins",
            quiet.per_second, beside.per_second
        );
        ratios.push(beside.per_second / quiet.per_second);
        tails.push(beside.p99_ms);
    }
    report.at_least(
        "look-ups beside sign-ins against quiet ones",
        median(&ratios),
        0.5,
    );
    report.at_most("p99 of look-ups beside sign-ins, ms", median(&tails), 50.0);
}

/// How many checks of a password a core does, times the cores, with nothing around them.
fn bcrypt_per_second(span: Duration) -> f64 {
    let digest = bcrypt::hash(PASSWORD, COST).expect("a digest");
    let rates: Vec<f64> = std::thread::scope(|scope| {
        let check = || {
            let (started, mut done) = (Instant::now(), 0.0);
            while started.elapsed() < span {
                assert!(bcrypt::verify(PASSWORD, &digest).expect("a verdict"));
                done += 1.0;
            }
            done / started.elapsed().as_secs_f64()
        };
        let handles: Vec<_> = (0..cores()).map(|_| scope.spawn(check)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("a rate"))
            .collect()
    });
    rates.iter().sum()
}

/// Connections that sign in without pause, until they are stopped.
struct SignIns {
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<Vec<f64>>>,
}

impl SignIns {
    fn start(server: &Server, connections: usize) -> Self {
        let (done, stop): (Arc<AtomicU64>, Arc<AtomicBool>) = Default::default();
        let threads = (0..connections)
            .map(|number| {
                let (client, done, stop) =
                    (Client::new(server), Arc::clone(&done), Arc::clone(&stop));
                std::thread::spawn(move || {
                    let mut times = Vec::new();
                    for user in (number..ROWS).step_by(connections) {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        times.push(timed(|| client.sign_in(user)));
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    times
                })
            })
            .collect();
        Self {
            done,
            stop,
            threads,
        }
    }

    /// How many are done in a second, once they are in step.
    fn per_second(&self, span: Duration) -> f64 {
        std::thread::sleep(SIGN_IN_WARM_UP);
        let (started, before) = (Instant::now(), self.done.load(Ordering::Relaxed));
        std::thread::sleep(span);
        (self.done.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64()
    }

    /// Gives the milliseconds that each took.
    fn stop(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a connection that signs in"))
            .collect()
    }
}

/// One connection.
struct Client {
    agent: ureq::Agent,
    url: String,
}

impl Client {
    fn new(server: &Server) -> Self {
        Self {
            agent: agent(),
            url: format!("http://{}/v1/session", server.address),
        }
    }

    fn sign_in(&self, user: usize) {
        let body =
            format!(r#"{{"email_address":"user{user}@example.com","password":"{PASSWORD}"}}"#);
        let request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json");
        assert_eq!(request.send(body).expect("a reply").status(), 200);
    }
}

/// The seeded file and what is sent to the server on it.
struct Bench {
    folder: PathBuf,
    /// Sessions' tokens.
    look_up: PathBuf,
    keys: PathBuf,
    access: PathBuf,
    access_tokens: Vec<String>,
    start_times: Vec<f64>,
}

impl Bench {
    fn seed(folder: &Path) -> Self {
        let digest = bcrypt::hash(PASSWORD, COST).expect("a digest");
        let mut connection = empty_database(folder);
        let transaction = connection.transaction().expect("a transaction");
        for number in 0..ROWS {
            transaction
                .execute(
                    "INSERT INTO users (id, email_address, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
                    (number as i64 + 1, format!("user{number}@example.com"), now_ms()),
                )
                .expect("a user");
            add_password(&transaction, number as i64 + 1, &digest);
        }
        transaction.commit().expect("the users");
        let tokens = add_sessions(&mut connection, ROWS);
        let script = |name, header, list: &[String]| {
            write_script(folder, name, "GET", header, list, "math.random(#tokens)")
        };
        let look_up = script("sessions", BEARER, &tokens);
        let keys = script("keys", API_KEY, &add_keys(&mut connection, KEYS));
        let access_tokens = mint_access_tokens(1..=ACCESS_TOKENS as i64);
        let access = script("access", BEARER, &access_tokens);
        let (folder, start_times) = (folder.to_owned(), Vec::new());
        let mut bench = Self {
            folder,
            look_up,
            keys,
            access,
            access_tokens,
            start_times,
        };
        bench.start_times = (0..5).map(|_| bench.time_a_start()).collect();
        bench
    }

    /// Sessions that no run has ended yet, each named once; what earlier runs left of theirs is gone, so that every run
    /// meets a table of the same size.
    fn script_of_fresh_tokens(&self, count: usize) -> PathBuf {
        let mut connection = Connection::open(database(&self.folder)).expect("the file");
        connection
            .busy_timeout(Duration::from_secs(60))
            .expect("a time-out");
        connection
            .execute("DELETE FROM sessions WHERE id > ?1", [ROWS as i64])
            .expect("a clean table");
        let tokens = add_sessions(&mut connection, count);
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .expect("a checkpoint");
        write_script(
            &self.folder,
            "ending",
            "DELETE",
            BEARER,
            &tokens,
            "next_one()",
        )
    }

    fn start(&self) -> Server {
        Server::start(
            &self.folder,
            &[
                ("CLOAKROOM__THROTTLE__SIGN_IN", "1000000 in 1h"),
                ("CLOAKROOM__SESSION__MAX_PER_USER", "100000"),
                ("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE),
            ],
        )
    }

    /// From the start of the process to its first answer, in milliseconds.
    fn time_a_start(&self) -> f64 {
        let started = Instant::now();
        let server = self.start();
        ureq::get(format!("http://{}/up", server.address))
            .call()
            .expect("an answer");
        started.elapsed().as_secs_f64() * 1e3
    }

    /// Presents each access token twice: the first time its signature is verified, the second time it is known.
    fn present_each(&self, server: &Server) {
        let (agent, url) = (agent(), format!("http://{}/v1/verify", server.address));
        let pass = || {
            let times = self.access_tokens.iter().map(|token| {
                let request = agent
                    .get(&url)
                    .header("Authorization", format!("Bearer {token}"));
                timed(|| assert_eq!(request.call().expect("a reply").status(), 200))
            });
            median(&times.collect::<Vec<_>>()) * 1e3
        };
        let (cold, warm) = (pass(), pass());
        println!(
            "an access token for the first time {cold:.0} µs, again {warm:.0} µs, on one connection"
        );
    }

    /// Requests a second, as the median of ratios of rounds in turn.
    fn against_up(&self, server: &Server, path: &str, script: &Path) -> f64 {
        let (mut up, mut asked) = (Vec::new(), Vec::new());
        for _ in 0..MACHINE_ROUNDS {
            up.push(
                self.wrk(server, "/up", script, CONNECTIONS, MACHINE)
                    .per_second,
            );
            asked.push(
                self.wrk(server, path, script, CONNECTIONS, MACHINE)
                    .per_second,
            );
        }
        let ratios: Vec<f64> = asked
            .iter()
            .zip(&up)
            .map(|(asked, up)| asked / up)
            .collect();
        let (what, up, asked) = (
            script.file_stem().unwrap_or_default().display(),
            median(&up),
            median(&asked),
        );
        println!(
            "{what}: GET /up {up:.0}/s, {path} {asked:.0}/s: {:.2}",
            median(&ratios)
        );
        median(&ratios)
    }

    fn wrk(
        &self,
        server: &Server,
        path: &str,
        script: &Path,
        connections: usize,
        span: Duration,
    ) -> Load {
        wrk::run(&server.address, path, script, connections, span)
    }
}

/// Adds sessions, spread over the users and unused for an hour; returns their tokens.
fn add_sessions(connection: &mut Connection, count: usize) -> Vec<String> {
    let now = now_ms();
    let transaction = connection.transaction().expect("a transaction");
    let tokens = (0..count)
        .map(|number| {
            let token = PlainToken::generate(TokenKind::Session).expect("randomness");
            transaction
                .prepare_cached(
                    "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
                     VALUES (?1, ?2, '127.0.0.1', ?3, ?3, ?4)",
                )
                .expect("a statement")
                .execute(((number % ROWS) as i64 + 1, token.digest().as_bytes(), now - 3_600_000, now + 86_400_000))
                .expect("a session");
            token.reveal().to_owned()
        })
        .collect();
    transaction.commit().expect("the sessions");
    tokens
}

/// In milliseconds.
fn timed(run: impl FnOnce()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_secs_f64() * 1e3
}
