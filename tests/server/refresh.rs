//! Refreshes over TCP: many at once, at two servers on one file, and around a crash.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::support::flows::Flows;
use crate::support::process::{Server, TestServer};

const ROUNDS: usize = 10;

/// The access and the refresh token of a reply.
fn pair_of((status, reply): (u16, Value)) -> (String, String) {
    assert_eq!(status, 200, "{reply}");
    let text = |name: &str| reply[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Signs a user up and returns a pair of theirs.
fn first_pair(server: &Server) -> (String, String) {
    server.sign_up_token("one@example.com", "password");
    let body = json!({ "email_address": "one@example.com", "password": "password" });
    pair_of(server.request("POST", "/v1/tokens", None, Some(&body)))
}

#[test]
fn concurrent_refreshes_at_two_servers_agree() {
    let test_server = TestServer::new();
    let servers = [test_server.serve(), test_server.serve()];
    let (_, mut token) = first_pair(&servers[0]);
    for round in 1..=ROUNDS {
        let start = Barrier::new(20);
        let pairs: HashSet<(String, String)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|number| {
                    let (server, token, start) = (&servers[number % 2], &token, &start);
                    scope.spawn(move || {
                        start.wait();
                        pair_of(server.refresh(token))
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(pairs.len(), 1, "round {round}");
        let (access, next) = pairs.into_iter().next().unwrap();
        for server in &servers {
            assert_eq!(
                server.request("GET", "/v1/projects", Some(&access), None).0,
                200
            );
        }
        token = next;
        let unspent = "SELECT count(*) FROM refresh_tokens WHERE spent_at IS NULL";
        assert_eq!(test_server.store().count(unspent), 1);
    }
    assert_eq!(
        test_server.store().count("SELECT count(*) FROM sessions"),
        2
    );
}

#[test]
fn a_restarted_server_returns_the_same_successor() {
    let test_server = TestServer::new();
    let mut server = test_server.serve();
    let (_, first) = first_pair(&server);
    let second = pair_of(server.refresh(&first));
    server.kill();
    let server = test_server.serve();
    assert_eq!(pair_of(server.refresh(&first)), second);
    pair_of(server.refresh(&second.1));
}

#[test]
fn token_reuse_at_one_server_ends_the_session_at_both() {
    let test_server = TestServer::new();
    let [one, other] = [test_server.serve(), test_server.serve()];
    let (_, first) = first_pair(&one);
    let (access, second) = pair_of(one.refresh(&first));
    // Ten seconds ago, and no need to wait for them.
    test_server
        .store()
        .execute("UPDATE refresh_tokens SET spent_at = spent_at - 10000");
    let (status, reply) = other.refresh(&first);
    assert_eq!((status, &reply["code"]), (400, &json!("invalid_grant")));
    for server in [&one, &other] {
        assert_eq!(server.refresh(&second).0, 400);
    }
    assert_eq!(
        other.request("GET", "/v1/projects", Some(&access), None).0,
        401
    );
    let mut log = other.wait_for_log("refresh_reused");
    log.push_str(&one.wait_for_log("refresh_refused"));
    let signature = access.rsplit_once('.').unwrap().1;
    for secret in [first.as_str(), &second, signature] {
        assert!(!log.contains(secret));
    }
    assert!(test_server.wait_for_mails(1)[0].contains("A session of yours was ended"));
}
