//! `cargo bench --bench request_path`: what it costs to answer "who is this?", in processor time and in requests a second.
//!
//! In interleaved rounds, so that a drift of the machine meets all alike: a bare actix route with the reply and the headers
//! of `GET /up`, that route, and each kind of credential on the routes that verify it, on files of several sizes. Needs
//! `wrk`. Prints medians with their range, and the ratios that docs/operations/sizing.md bounds; exits 1 when one is missed.
//!
//! Options: `--sessions 10000,1000000` (sizes of the file; 10,000,000 takes minutes and 4 GB to make), `--rounds 5`,
//! `--seconds 2`, `--folder DIR` (keeps the files there and uses them again), `--json`, `--chart FILE` (an SVG),
//! `--instructions` (counts instructions by valgrind instead, which other work on the machine does not change),
//! `--activity` (times the recording of last uses instead).

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
use std::time::{Duration, Instant};

use seed::{Seeded, Variant};
use support::Server;

#[path = "request_path/activity.rs"]
mod activity;
#[path = "request_path/bare.rs"]
mod bare;
#[path = "request_path/chart.rs"]
mod chart;
#[path = "support/credentials.rs"]
mod credentials;
#[path = "request_path/instructions.rs"]
mod instructions;
#[path = "support/process.rs"]
mod process;
#[path = "request_path/report.rs"]
mod report;
#[path = "request_path/seed.rs"]
mod seed;
mod support;
#[path = "support/wrk.rs"]
mod wrk;

const CONNECTIONS: usize = 32;
/// Of Linux.
const TICKS_A_SECOND: f64 = 100.0;

struct Options {
    sessions: Vec<u64>,
    rounds: usize,
    span: Duration,
    folder: Option<PathBuf>,
    json: bool,
    chart: Option<PathBuf>,
    instructions: bool,
    activity: bool,
}

impl Options {
    fn parse(arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            sessions: vec![10_000, 100_000, 1_000_000],
            rounds: 5,
            span: Duration::from_secs(2),
            folder: None,
            json: false,
            chart: None,
            instructions: false,
            activity: false,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().expect("the option's value");
            match name.as_str() {
                "--sessions" => {
                    let sizes = value();
                    let sizes = sizes.split(',').map(|size| size.replace('_', ""));
                    options.sessions = sizes.map(|size| size.parse().expect("a size")).collect();
                }
                "--rounds" => options.rounds = value().parse().expect("a number"),
                "--seconds" => {
                    options.span = Duration::from_secs(value().parse().expect("seconds"));
                }
                "--folder" => options.folder = Some(value().into()),
                "--json" => options.json = true,
                "--chart" => options.chart = Some(value().into()),
                "--instructions" => options.instructions = true,
                "--activity" => options.activity = true,
                // cargo passes it.
                "--bench" => {}
                other => panic!("no such option: {other}"),
            }
        }
        options
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if std::env::args().nth(1).as_deref() == Some(bare::COMMAND) {
        return bare::serve(arguments.nth(1).expect("the reply"));
    }
    let options = Options::parse(arguments);
    if !wrk::is_installed() {
        eprintln!("this needs `wrk` on the PATH");
        return ExitCode::FAILURE;
    }
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let mut sizes = Vec::new();
    for sessions in &options.sessions {
        let folder = folder.join(sessions.to_string());
        eprintln!("{sessions} sessions: seeding, unless that is done");
        let seeded = Seeded::in_folder(&folder, *sessions);
        if options.instructions {
            instructions::count(&folder, &seeded);
        } else if options.activity {
            activity::measure(&folder, *sessions as i64);
        } else {
            sizes.push(measure(&folder, &seeded, *sessions, &options));
        }
    }
    if sizes.is_empty() {
        return ExitCode::SUCCESS;
    }
    if options.json {
        println!("{}", report::json(&sizes));
    }
    if let Some(file) = &options.chart {
        fs::write(file, chart::draw(&sizes)).expect("the chart");
    }
    report::conclude(&sizes)
}

/// What was measured on a file of one size.
struct Size {
    sessions: u64,
    file_mb: f64,
    resident_mb: f64,
    first_answer_ms: f64,
    cases: Vec<Case>,
}

/// What was measured of one route with one kind of credential, by round.
struct Case {
    name: &'static str,
    per_second: Vec<f64>,
    cpu_us: Vec<f64>,
}

fn measure(folder: &Path, seeded: &Seeded, sessions: u64, options: &Options) -> Size {
    let started = Instant::now();
    let server = start(folder);
    let reply = ureq::get(format!("http://{}/up", server.address))
        .call()
        .expect("an answer");
    let first_answer_ms = started.elapsed().as_secs_f64() * 1e3;
    let bare = bare::Bare::start(reply);
    let mut cases: Vec<Case> = Vec::new();
    // The first round fills caches.
    for round in 0..=options.rounds {
        for (at, variant) in seeded.variants.iter().enumerate() {
            let (address, process) = match variant.is_bare {
                true => (&bare.address, bare.process()),
                false => (&server.address, server.child.id()),
            };
            let (cpu, load) = run(address, process, variant, options.span);
            if round == 0 {
                cases.push(Case {
                    name: variant.name,
                    per_second: Vec::new(),
                    cpu_us: Vec::new(),
                });
                continue;
            }
            cases[at].per_second.push(load.per_second);
            cases[at].cpu_us.push(cpu * 1e6 / load.requests as f64);
        }
        let log = fs::OpenOptions::new()
            .write(true)
            .open(folder.join("server.log"));
        log.and_then(|log| log.set_len(0)).expect("an empty log");
    }
    let file = fs::metadata(support::database(folder)).expect("the file");
    Size {
        sessions,
        file_mb: file.len() as f64 / 1e6,
        resident_mb: process::resident_mb(server.child.id()),
        first_answer_ms,
        cases,
    }
}

/// The processor time of the server meanwhile, in seconds, and what wrk saw.
fn run(address: &str, process: u32, variant: &Variant, span: Duration) -> (f64, wrk::Load) {
    let before = cpu_seconds(process);
    let load = wrk::run(address, variant.path, &variant.script, CONNECTIONS, span);
    (cpu_seconds(process) - before, load)
}

/// What the threads of a process have used, in the kernel as well.
fn cpu_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    // After the name, which may contain anything: the fields from the third on.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().expect("ticks"))
        .sum::<f64>()
        / TICKS_A_SECOND
}

fn start(folder: &Path) -> Server {
    Server::start(
        folder,
        &[("CLOAKROOM__SECRETS__KEY_BASE", credentials::KEY_BASE)],
    )
}
