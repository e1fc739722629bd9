//! `kill -9` of nodes and of their database, again and again: what was acknowledged is still true afterwards. Without
//! PostgreSQL (`.ci/postgres`) these tests do nothing; `CRASH_ROUNDS=30` is the whole of them.

#![expect(clippy::disallowed_methods, reason = "waits for a random moment")]

use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::acknowledged::{
    Answer, Dice, Scope, Worker, assert_all_were_under_way, verify_all, work_beside, workers,
};
use crate::support::postgresql::{Nodes, Postgres, signal};
use crate::support::process::eventually;

const NODES: usize = 3;
const WORKERS: usize = 6;

fn rounds() -> usize {
    std::env::var("CRASH_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap())
}

/// Works, does this at a random moment, and works on for another.
fn work_around(workers: &mut [Worker], nodes: &Nodes, dice: &mut Dice, accident: impl FnOnce()) {
    let mut moment = || 10 + usize::try_from(dice.roll() % 50).unwrap();
    work_beside(workers, &ask(nodes), None, |progress| {
        progress.wait_for(moment());
        accident();
        progress.wait_for(moment());
    });
}

fn ask(nodes: &Nodes) -> impl Fn(&str, &str, Option<&str>, Option<&Value>) -> Answer + Sync {
    |method, path, token, body| nodes.ask(method, path, token, body)
}

#[test]
fn acknowledged_writes_survive_killed_nodes() {
    let Some(database) = Postgres::from_environment() else {
        return;
    };
    let mut dice = Dice::from_environment();
    let nodes = Nodes::start(NODES, &database.url());
    let mut workers = workers(WORKERS, &mut dice);
    for round in 0..rounds() {
        let killed = round % NODES;
        work_around(&mut workers, &nodes, &mut dice, || nodes.kill(killed));
        nodes.restart(killed);
        verify_all(&mut workers, &ask(&nodes), Scope::Latest);
    }
    verify_all(&mut workers, &ask(&nodes), Scope::All);
    assert_all_were_under_way(&workers, &["resets"]);
}

#[test]
fn acknowledged_writes_survive_killed_databases() {
    let Some(mut database) = Postgres::from_environment() else {
        return;
    };
    let mut dice = Dice::from_environment();
    let nodes = Nodes::start(NODES, &database.url());
    let mut workers = workers(WORKERS, &mut dice);
    for round in 0..rounds() {
        work_around(&mut workers, &nodes, &mut dice, || match round % 3 {
            // One session, at which the server ends all and recovers by itself.
            2 => {
                let sessions = &database.processes()[1..];
                signal(Signal::KILL, &sessions[sessions.len() / 2..][..1]);
            }
            _ => {
                database.kill();
                database.start();
            }
        });
        nodes.wait_until_ready();
        verify_all(&mut workers, &ask(&nodes), Scope::Latest);
    }
    verify_all(&mut workers, &ask(&nodes), Scope::All);
    assert_all_were_under_way(&workers, &["resets"]);
}

#[test]
fn a_commit_that_no_standby_has_is_not_acknowledged() {
    let Some(database) = Postgres::from_environment() else {
        return;
    };
    let nodes = Nodes::start(1, &database.url());
    let mut client = Client::connect(&database.url(), NoTls).unwrap();
    let standby = "ALTER SYSTEM SET synchronous_standby_names = 'absent'";
    client.batch_execute(standby).unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    let mut shown = || client.query_one("SHOW synchronous_standby_names", &[]);
    eventually(|| (shown().unwrap().get::<_, String>(0) == "absent").then_some(()));
    let body = json!({ "email_address": "one@example.com", "password": "correct horse" });
    let answer = nodes.ask("POST", "/v1/registrations", None, Some(&body));
    assert!(answer.is_none(), "{answer:?}");
}

/// Its machine answers, it does not: a disk that hangs, as opposed to a server that is gone.
#[test]
fn a_database_that_hangs_is_503_and_passes() {
    let Some(database) = Postgres::from_environment() else {
        return;
    };
    let nodes = Nodes::start(1, &database.url());
    let is_ready = || nodes.ask("GET", "/ready", None, None).is_some();
    assert!(is_ready());
    signal(Signal::STOP, &database.processes());
    // A statement has twelve seconds. Then no request waits.
    eventually(|| {
        let started = Instant::now();
        (!is_ready() && started.elapsed() < Duration::from_millis(500)).then_some(())
    });
    signal(Signal::CONT, &database.processes());
    nodes.wait_until_ready();
}
