//! Limits and the hash queue over TCP, through a proxy that names the clients.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::app::{ONE, PASSWORD};
use crate::support::limits::UNKNOWN;
use crate::support::process::{Server, TestServer, agent, eventually};

/// A server that takes the client's address from the header of the test, which is its proxy.
fn behind_a_proxy() -> TestServer {
    let mut test_server = TestServer::new();
    test_server
        .set("CLOAKROOM__SERVER__TRUSTED_PROXIES", "127.0.0.1/32")
        .set("CLOAKROOM__THROTTLE__ENABLED", "true");
    test_server
}

fn sign_in_from(agent: &ureq::Agent, server: &Server, client: &str, email_address: &str) -> u16 {
    let password = if email_address == ONE {
        PASSWORD
    } else {
        "wrong"
    };
    let body = json!({ "email_address": email_address, "password": password });
    agent
        .post(server.url("/v1/session"))
        .header("Content-Type", "application/json")
        .header("X-Forwarded-For", client)
        .send(body.to_string())
        .unwrap()
        .status()
        .as_u16()
}

#[test]
fn one_ipv6_48_gets_sixteen_times_the_limit_of_a_client() {
    let mut test_server = behind_a_proxy();
    test_server.set("CLOAKROOM__THROTTLE__SIGN_IN", "2 in 1h");
    let server = test_server.serve();
    server.sign_up_token(ONE, PASSWORD);
    let agent = agent();
    let statuses: Vec<u16> = (0..40)
        .map(|site| {
            let client = format!("2001:db8:1:{site:x}00::1");
            let address = format!("unknown{site}@example.com");
            sign_in_from(&agent, &server, &client, &address)
        })
        .collect();
    assert_eq!(statuses[..32], [401; 32]);
    assert_eq!(statuses[32..], [429; 8]);
    assert_eq!(sign_in_from(&agent, &server, "2001:db8:1:ff::1", ONE), 429);
    assert_eq!(sign_in_from(&agent, &server, "2001:db8:2::1", ONE), 200);
}

#[test]
fn right_passwords_at_a_full_queue_close_no_address() {
    let mut test_server = behind_a_proxy();
    let server = test_server.serve();
    server.sign_up_token(ONE, PASSWORD);
    drop(server);
    // One hash at a time, which does not end, and one that waits.
    test_server
        .set("CLOAKROOM__PASSWORD__BCRYPT_COST", "20")
        .set("CLOAKROOM__PASSWORD__THREADS", "1")
        .set("CLOAKROOM__PASSWORD__LANES", "1")
        .set("CLOAKROOM__PASSWORD__QUEUE_LIMIT", "1");
    let mut server = test_server.serve();
    let agent = agent();
    let failures = || {
        let sql =
            "SELECT coalesce(sum(count), 0) FROM throttles WHERE name LIKE 'address_failures:%'";
        test_server.store().count(sql)
    };
    thread::scope(|scope| {
        for number in 1..=2 {
            let (agent, server) = (&agent, &server);
            scope.spawn(move || {
                let client = format!("2001:db8:{number}::1");
                let body = json!({ "email_address": UNKNOWN, "password": "wrong" }).to_string();
                // Again until it is in the queue: the hash before it may still wait for its thread. It ends when the
                // server is killed.
                while let Ok(reply) = agent
                    .post(server.url("/v1/session"))
                    .header("Content-Type", "application/json")
                    .header("X-Forwarded-For", &client)
                    .send(&body)
                    && reply.status() == 503
                {}
            });
            eventually(|| (failures() == number).then_some(()));
        }
        for _ in 0..25 {
            assert_eq!(sign_in_from(&agent, &server, "192.0.2.1", ONE), 503);
        }
        assert_eq!(failures(), 2);
        server.signal("KILL");
    });
    server.wait();
    test_server.set("CLOAKROOM__PASSWORD__BCRYPT_COST", "4");
    let server = test_server.serve();
    assert_eq!(sign_in_from(&agent, &server, "192.0.2.1", ONE), 200);
    assert!(test_server.mails().is_empty());
}

/// Signs in ten times from another network while a /48 sends as many sign-ins as it can, and returns how many succeeded
/// within two seconds.
fn timely_sign_ins_beside_a_storm(server: &Server) -> usize {
    let (done, stormed) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..40 {
            let (done, stormed) = (&done, &stormed);
            scope.spawn(move || {
                let agent = agent();
                while !done.load(Ordering::Relaxed) {
                    let subnet = stormed.fetch_add(1, Ordering::Relaxed) % 0xffff;
                    let client = format!("2001:db8:1:{subnet:x}::1");
                    let address = format!("unknown{number}@example.com");
                    sign_in_from(&agent, server, &client, &address);
                }
            });
        }
        // The storm has begun when each of its connections has sent twice.
        eventually(|| (stormed.load(Ordering::Relaxed) >= 80).then_some(()));
        let agent = agent();
        let timely = (0..10)
            .filter(|number| {
                let started = Instant::now();
                let client = format!("198.51.100.{number}");
                let status = sign_in_from(&agent, server, &client, ONE);
                status == 200 && started.elapsed() < Duration::from_secs(2)
            })
            .count();
        done.store(true, Ordering::Relaxed);
        timely
    })
}

#[test]
fn a_storm_from_one_48_leaves_sign_in_to_other_networks() {
    for limits in ["true", "false"] {
        let mut test_server = behind_a_proxy();
        // Without limits, the queue alone keeps places for others.
        test_server
            .set("CLOAKROOM__THROTTLE__ENABLED", limits)
            .set("CLOAKROOM__PASSWORD__BCRYPT_COST", "8")
            .set("CLOAKROOM__PASSWORD__QUEUE_LIMIT", "16");
        let server = test_server.serve();
        server.sign_up_token(ONE, PASSWORD);
        let timely = timely_sign_ins_beside_a_storm(&server);
        assert!(timely >= 9, "{timely} of 10 with limits {limits}");
    }
}
