//! `just bench-engines`: both engines on one machine, in turn: SQLite with one node, PostgreSQL with one, two and three.
//!
//! Each has the same 100,000 users and sessions. Prints medians of rounds with the use of processors by the nodes and by
//! the database server, then ratios within one run with what they must reach; exits 1 when one is missed. `--json` prints
//! the medians as JSON, `--rounds N` runs another number of rounds, `--quick` one short round on few rows. Needs `wrk`.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom::config::{Environment, Secret, Settings};
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Clock;
use cloakroom::store::{Database, IfMissing};
use postgres::{Client, NoTls};
use rusqlite::Connection;
use serde_json::json;

use bounds::Report;
use support::{Server, empty_database, median, now_ms};
use wrk::{BEARER, Load, write_script, write_script_of};

#[path = "support/bounds.rs"]
mod bounds;
mod support;
#[path = "support/wrk.rs"]
mod wrk;

const KEY_BASE: &str = "a base of keys for a benchmark, long enough for one";
const PASSWORD: &str = "correct horse battery staple";
const COST: u32 = 12;
/// Of wrk: the same for each number of nodes, so that the client costs the same, and divisible by each.
const THREADS: usize = 6;
/// Divisible by the threads. Sign-ins fill the lanes of three nodes on two cores.
const CONNECTIONS: usize = 36;
/// Users who sign in.
const SIGN_IN_USERS: usize = 1_000;
const LABELS: [&str; 4] = [
    "SQLite, 1 node",
    "PostgreSQL, 1 node",
    "PostgreSQL, 2 nodes",
    "PostgreSQL, 3 nodes",
];
/// What is measured, with its unit.
const LOADS: [&str; 4] = ["look-ups", "introspections", "sign-ins", "endings"];
/// Of the kernel's times of processes, in a second.
const TICKS: f64 = 100.0;
/// Introspections a second and processor of Zitadel 4.19, by its vendor's benchmark.
const PUBLISHED: f64 = 96.0;

fn main() -> ExitCode {
    if !wrk::is_installed() {
        eprintln!("this needs `wrk` on the PATH");
        return ExitCode::FAILURE;
    }
    let Ok(url) = std::env::var("CLOAKROOM_TEST_DATABASE_URL") else {
        eprintln!("this needs a PostgreSQL: just bench-engines");
        return ExitCode::FAILURE;
    };
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let mut plan = if has("--quick") {
        Plan::QUICK
    } else {
        Plan::WHOLE
    };
    if let Some(rounds) = value_of("--rounds") {
        plan.rounds = rounds.parse().expect("a number of rounds");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut bench = Bench::seed(folder.path(), &url, plan);
    // By load, setup and round.
    let mut figures: [[Vec<Figures>; 4]; 4] = Default::default();
    for round in 1..=plan.rounds {
        for (setup, label) in LABELS.iter().enumerate() {
            for (load, of_load) in figures.iter_mut().enumerate() {
                of_load[setup].push(bench.measure(setup, load));
            }
            eprintln!("round {round}: {label}");
        }
    }
    if has("--json") {
        print_json(&figures);
    } else {
        print_table(&figures);
    }
    judge(&figures)
}

/// The argument after `name`.
fn value_of(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

/// How long and on how many rows.
#[derive(Clone, Copy)]
struct Plan {
    rows: usize,
    rounds: usize,
    /// Of each load.
    seconds: [u64; 4],
    /// Sessions for each measurement of endings.
    endings: usize,
}

impl Plan {
    const WHOLE: Self = Self {
        rows: 100_000,
        rounds: 5,
        seconds: [4, 4, 6, 2],
        endings: 80_000,
    };
    const QUICK: Self = Self {
        rows: 5_000,
        rounds: 1,
        seconds: [1, 1, 2, 1],
        endings: 40_000,
    };
}

/// One measurement.
#[derive(Clone, Copy)]
struct Figures {
    load: Load,
    /// Processors that the nodes used.
    nodes: f64,
    /// Processors that the database server used.
    server: f64,
    /// Transactions that were undone, such as those that run again, for each request.
    undone: f64,
}

impl Figures {
    /// Requests a second for each processor that nodes and database used.
    fn per_processor(&self) -> f64 {
        self.load.per_second / (self.nodes + self.server)
    }
}

/// Both databases, and the nodes on them.
struct Bench {
    folder: PathBuf,
    plan: Plan,
    file: Connection,
    client: Client,
    /// The process of the database server.
    server: u32,
    on_file: Server,
    /// With the settings of a node that has the machine for itself.
    alone: Server,
    /// With those of nodes that share it.
    sharing: [Server; 3],
    /// By load, but for endings.
    scripts: [PathBuf; 3],
}

impl Bench {
    fn seed(folder: &Path, url: &str, plan: Plan) -> Self {
        eprintln!("seeding {} users and sessions twice", plan.rows);
        let mut file = empty_database(folder);
        let mut client = empty_postgres(url);
        let digest = bcrypt::hash(PASSWORD, COST).expect("a digest");
        let now = now_ms();
        // Accounts of long standing.
        let long_ago = now - 30 * 24 * 3_600_000;
        let key = PlainToken::generate(TokenKind::ApiKey).expect("randomness");
        let mut users = String::new();
        for number in 1..=plan.rows {
            writeln!(
                users,
                "{number}\t{}\t{long_ago}\t{long_ago}",
                address(number)
            )
            .expect("a row");
        }
        add(
            &mut file,
            &mut client,
            "users (id, email_address, created_at, updated_at)",
            &users,
        );
        let mut passwords = String::new();
        for number in 1..=SIGN_IN_USERS {
            writeln!(passwords, "{number}\t{digest}\t{now}\t{now}").expect("a row");
        }
        add(
            &mut file,
            &mut client,
            "passwords (user_id, digest, created_at, updated_at)",
            &passwords,
        );
        let keys = format!(
            "A service\t{}\t{}\tintrospect\t{now}\t{now}\n",
            hex(&key),
            key.last_four()
        );
        add(
            &mut file,
            &mut client,
            "api_keys (name, token_digest, last_four, scopes, created_at, last_used_at)",
            &keys,
        );
        let tokens = add_sessions(&mut file, &mut client, plan.rows, plan.rows);
        let any = "math.random(#tokens)";
        let introspection = format!(
            r#"wrk.format("POST", nil, {{ ["X-API-Key"] = "{}", ["Content-Type"] = "application/x-www-form-urlencoded" }}, "token=" .. token)"#,
            key.reveal()
        );
        let addresses: Vec<String> = (1..=SIGN_IN_USERS).map(address).collect();
        let sign_in = format!(
            r#"wrk.format("POST", nil, {{ ["Content-Type"] = "application/json" }}, '{{"email_address":"' .. token .. '","password":"{PASSWORD}"}}')"#
        );
        let scripts = [
            write_script(folder, LOADS[0], "GET", BEARER, &tokens, any),
            write_script_of(folder, LOADS[1], &introspection, &tokens, any),
            write_script_of(folder, LOADS[2], &sign_in, &addresses, any),
        ];
        settle(&file, &mut client);
        let lock: String = client
            .query_one("SELECT pg_read_file('postmaster.pid')", &[])
            .expect("a superuser")
            .get(0);
        let server = lock.lines().next().expect("a line").parse();
        let variables = [
            ("CLOAKROOM__THROTTLE__SIGN_IN", "1000000 in 1h"),
            // Each sign-in is the first of its device: no mail about it.
            ("CLOAKROOM__NOTICES__NEW_DEVICE", "false"),
            // All clients are of one network, which may have half of the queue.
            ("CLOAKROOM__PASSWORD__QUEUE_LIMIT", "256"),
            ("CLOAKROOM__SESSION__MAX_PER_USER", "100000"),
            ("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE),
        ];
        let on_postgres = [("CLOAKROOM__DATABASE__URL", url)];
        let on_postgres = [&variables[..], &on_postgres].concat();
        // A share of two cores, or of three.
        let share = [
            ("CLOAKROOM__SERVER__WORKERS", "1"),
            ("CLOAKROOM__PASSWORD__THREADS", "1"),
        ];
        let sharing = [&on_postgres[..], &share].concat();
        Self {
            folder: folder.to_owned(),
            plan,
            file,
            client,
            server: server.expect("a process"),
            on_file: Server::start(folder, &variables),
            alone: Server::start(folder, &on_postgres),
            sharing: [(); 3].map(|()| Server::start(folder, &sharing)),
            scripts,
        }
    }

    fn measure(&mut self, setup: usize, load: usize) -> Figures {
        let ending = LOADS[load] == "endings";
        let script = match ending {
            true => self.script_of_fresh_tokens(),
            false => self.scripts[load].clone(),
        };
        let nodes: Vec<&Server> = match setup {
            0 => vec![&self.on_file],
            1 => vec![&self.alone],
            count => self.sharing[..count].iter().collect(),
        };
        let path = match LOADS[load] {
            "introspections" => "/v1/introspect",
            _ => "/v1/session",
        };
        let processes: Vec<u32> = nodes.iter().map(|node| node.child.id()).collect();
        let of_nodes = || {
            processes
                .iter()
                .map(|id| processor_seconds(*id))
                .sum::<f64>()
        };
        let undone_before = undone(&mut self.client);
        let before = (of_nodes(), processor_seconds(self.server));
        let started = Instant::now();
        let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
        let load = wrk::run_on(
            &addresses,
            THREADS,
            path,
            &script,
            CONNECTIONS,
            Duration::from_secs(self.plan.seconds[load]),
        );
        let span = started.elapsed().as_secs_f64();
        let after = (of_nodes(), processor_seconds(self.server));
        let undone = undone(&mut self.client) - undone_before;
        Figures {
            load,
            nodes: (after.0 - before.0) / span,
            server: match setup {
                0 => 0.0,
                _ => (after.1 - before.1) / span,
            },
            undone: undone / (load.per_second * span),
        }
    }

    /// Sessions that no measurement has ended yet, on tables of the same size.
    fn script_of_fresh_tokens(&mut self) -> PathBuf {
        let old = format!("DELETE FROM sessions WHERE id > {}", self.plan.rows);
        self.file.execute(&old, []).expect("a clean table");
        self.client.batch_execute(&old).expect("a clean table");
        let (count, users) = (self.plan.endings, self.plan.rows);
        let tokens = add_sessions(&mut self.file, &mut self.client, count, users);
        settle(&self.file, &mut self.client);
        let folder = &self.folder;
        write_script(folder, "endings", "DELETE", BEARER, &tokens, "next_one()")
    }
}

/// Of a user; those who sign in have addresses of one length.
fn address(number: usize) -> String {
    format!("user{number:06}@example.com")
}

/// A database with the schema and no rows.
fn empty_postgres(url: &str) -> Client {
    let mut settings = Settings::for_env(Environment::Test).expect("settings");
    settings.database.url = Some(Secret::from(url.to_owned()));
    drop(
        Database::open(&settings.database, 1, IfMissing::Create, Clock::System)
            .expect("a database"),
    );
    Client::connect(url, NoTls).expect("the server")
}

/// Adds rows, as `COPY` reads them, to a table of both.
fn add(file: &mut Connection, client: &mut Client, table: &str, rows: &str) {
    let mut copy = client
        .copy_in(&format!("COPY {table} FROM STDIN"))
        .expect("a table");
    copy.write_all(rows.as_bytes()).expect("rows");
    copy.finish().expect("rows");
    let (name, columns) = table.split_once(' ').expect("columns");
    let values: Vec<String> = columns
        .split(',')
        .enumerate()
        .map(|(at, column)| match column.trim_matches([' ', '(', ')']) {
            "token_digest" => format!("unhex(substr(?{}, 4))", at + 1),
            _ => format!("?{}", at + 1),
        })
        .collect();
    let sql = format!(
        "INSERT INTO {name} {columns} VALUES ({})",
        values.join(", ")
    );
    let transaction = file.transaction().expect("a transaction");
    for row in rows.lines() {
        let values = rusqlite::params_from_iter(row.split('\t'));
        let mut insert = transaction.prepare_cached(&sql).expect("a statement");
        insert.execute(values).expect("a row");
    }
    transaction.commit().expect("rows");
}

/// Adds sessions, unused for an hour, spread over so many users; returns their tokens.
fn add_sessions(
    file: &mut Connection,
    client: &mut Client,
    count: usize,
    users: usize,
) -> Vec<String> {
    let now = now_ms();
    let (used, end) = (now - 3_600_000, now + 86_400_000);
    let mut rows = String::new();
    let tokens = (0..count)
        .map(|number| {
            let token = PlainToken::generate(TokenKind::Session).expect("randomness");
            let (user, digest) = (number % users + 1, hex(&token));
            writeln!(rows, "{user}\t{digest}\t127.0.0.1\t{used}\t{used}\t{end}").expect("a row");
            token.reveal().to_owned()
        })
        .collect();
    let table =
        "sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)";
    add(file, client, table, &rows);
    tokens
}

/// As `COPY` reads bytes.
fn hex(token: &PlainToken) -> String {
    let mut text = String::from(r"\\x");
    for byte in token.digest().as_bytes() {
        write!(text, "{byte:02x}").expect("a digit");
    }
    text
}

/// What was written is where it stays, so that no measurement pays for it.
fn settle(file: &Connection, client: &mut Client) {
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("a checkpoint");
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        client.batch_execute(statement).expect("a superuser");
    }
}

/// How many transactions PostgreSQL has undone. Sessions report them within a second, or when they are idle.
fn undone(client: &mut Client) -> f64 {
    let row = client.query_one(
        "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()",
        &[],
    );
    row.expect("statistics").get::<_, i64>(0) as f64
}

/// What a process and its children have used, those that ended, too.
fn processor_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may contain anything: user, system, and the same of ended children.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let used = fields.split_whitespace().skip(11).take(4);
    let used: f64 = used.filter_map(|field| field.parse::<f64>().ok()).sum();
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .map(|id| id.parse().expect("a process"));
    used / TICKS + children.map(processor_seconds).sum::<f64>()
}

fn median_of(rounds: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    median(&rounds.iter().map(figure).collect::<Vec<_>>())
}

fn print_table(figures: &[[Vec<Figures>; 4]; 4]) {
    for (load, of_load) in LOADS.iter().zip(figures) {
        println!("\n{load}");
        println!(
            "{:<20} {:>9} {:>8} {:>8} {:>8} {:>7} {:>8} {:>13} {:>7}",
            "",
            "a second",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "nodes",
            "database",
            "per processor",
            "undone"
        );
        for (label, rounds) in LABELS.iter().zip(of_load) {
            let of = |figure: fn(&Figures) -> f64| median_of(rounds, figure);
            println!(
                "{label:<20} {:>9.0} {:>8.1} {:>8.1} {:>8.1} {:>7.2} {:>8.2} {:>13.0} {:>6.1}%",
                of(|figures| figures.load.per_second),
                of(|figures| figures.load.p50_ms),
                of(|figures| figures.load.p95_ms),
                of(|figures| figures.load.p99_ms),
                of(|figures| figures.nodes),
                of(|figures| figures.server),
                of(Figures::per_processor),
                of(|figures| figures.undone * 100.0),
            );
        }
    }
}

fn print_json(figures: &[[Vec<Figures>; 4]; 4]) {
    let mut rows = Vec::new();
    for (load, of_load) in LOADS.iter().zip(figures) {
        for (label, rounds) in LABELS.iter().zip(of_load) {
            let of = |figure: fn(&Figures) -> f64| median_of(rounds, figure);
            rows.push(json!({
                "load": load,
                "setup": label,
                "per_second": of(|figures| figures.load.per_second),
                "p50_ms": of(|figures| figures.load.p50_ms),
                "p95_ms": of(|figures| figures.load.p95_ms),
                "p99_ms": of(|figures| figures.load.p99_ms),
                "processors_of_nodes": of(|figures| figures.nodes),
                "processors_of_database": of(|figures| figures.server),
                "per_second_and_processor": of(Figures::per_processor),
                "undone_transactions_per_request": of(|figures| figures.undone),
            }));
        }
    }
    println!("{}", json!(rows));
}

fn judge(figures: &[[Vec<Figures>; 4]; 4]) -> ExitCode {
    let mut report = Report::default();
    let [look_ups, introspections, ..] = figures;
    let per_second = |figures: &Figures| figures.load.per_second;
    let ratio = |of: &[Figures], to: &[Figures]| {
        let ratios = of.iter().zip(to);
        let ratios = ratios.map(|(of, to)| per_second(of) / per_second(to));
        median(&ratios.collect::<Vec<_>>())
    };
    for (what, load) in [("look-ups", look_ups), ("introspections", introspections)] {
        report.at_least(
            &format!("{what} a second and processor on PostgreSQL"),
            median_of(&load[1], Figures::per_processor),
            10.0 * PUBLISHED,
        );
    }
    report.at_least(
        "look-ups on PostgreSQL against SQLite",
        ratio(&look_ups[1], &look_ups[0]),
        0.35,
    );
    report.at_most(
        "p99 of look-ups on PostgreSQL, ms",
        median_of(&look_ups[1], |figures| figures.load.p99_ms),
        50.0,
    );
    for (what, load) in LOADS.iter().zip(figures) {
        report.at_least(
            &format!("{what} of three nodes against one"),
            ratio(&load[3], &load[1]),
            0.95,
        );
    }
    report.conclude()
}
