//! The primary of two PostgreSQL servers is killed or hangs while users change their accounts at three nodes behind
//! HAProxy: nothing that was acknowledged is lost, no valid session is refused, and the service is back when the standby
//! is.

#![expect(clippy::disallowed_methods, reason = "measures an outage")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::acknowledged::{
    Answer, Dice, Scope, assert_all_were_under_way, verify_all, work_beside, workers,
};
use crate::support::cluster::Cluster;
use crate::support::postgresql::Nodes;
use crate::support::process::{agent, eventually, request};
use crate::support::program::{Program, free_address};

const NODES: usize = 3;
const WORKERS: usize = 4;
/// Patroni's `ttl` of 20 seconds, an election, and a start on a busy machine.
const LONGEST_OUTAGE: Duration = Duration::from_secs(45);

#[test]
#[ignore = "needs Patroni, etcd and HAProxy: just failover"]
fn a_fail_over_loses_nothing_acknowledged() {
    let rounds = std::env::var("FAILOVER_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let mut dice = Dice::from_environment();
    let mut cluster = Cluster::start();
    let nodes = Nodes::start(NODES, &cluster.url());
    let balancer = balancer(&nodes);
    let agent = agent();
    let call = |method: &str, path: &str, token: Option<&str>, body: Option<&Value>| -> Answer {
        let url = format!("http://{}{path}", balancer.address);
        let (status, reply) = request(&agent, &url, method, token, body).ok()?;
        assert!(status < 500 || status == 503, "{status} {reply}");
        (status != 503).then_some((status, reply))
    };
    let writes = |number: u64| {
        let address = format!("probe{number}@example.com");
        let body = json!({ "email_address": address, "password": "correct horse" });
        call("POST", "/v1/registrations", None, Some(&body)).map(drop)
    };
    eventually(|| call("GET", "/ready", None, None));
    let mut workers = workers(WORKERS, &mut dice);
    for round in 0..rounds {
        work_beside(&mut workers, &call, None, |progress| {
            progress.wait_for(50 + usize::try_from(dice.roll() % 50).unwrap());
            match round % 2 {
                0 => cluster.kill_primary(),
                _ => cluster.hang_primary(),
            }
            let started = Instant::now();
            eventually(|| writes(dice.roll()));
            let outage = started.elapsed();
            println!("round {round}: no write for {outage:?}");
            assert!(outage < LONGEST_OUTAGE, "{outage:?}");
            progress.wait_for(50);
        });
        nodes.wait_until_ready();
        eventually(|| call("GET", "/ready", None, None));
        verify_all(&mut workers, &call, Scope::Latest);
        cluster.repair();
    }
    verify_all(&mut workers, &call, Scope::All);
    assert_all_were_under_way(&workers, &["resets"]);
}

/// HAProxy before the nodes that are ready.
fn balancer(nodes: &Nodes) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let servers = nodes.addresses().into_iter().enumerate();
    let servers: String = servers
        .map(|(number, address)| format!("    server node{number} {address} check inter 200ms\n"))
        .collect();
    let settings = format!(
        "defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend all
    bind {address}
    default_backend nodes
backend nodes
    option httpchk GET /ready
    default-server rise 1 fall 1
{servers}"
    );
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, settings).unwrap();
    let mut haproxy = Command::new("haproxy");
    haproxy.arg("-db").arg("-f").arg(&file);
    Program::start(&mut haproxy, address, folder.path())
}
