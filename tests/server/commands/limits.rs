//! `limits`: an operator sees and lifts limits beside a running server.

use serde_json::json;

use super::{PASSWORD, create, run};
use crate::support::app::ONE;
use crate::support::flows::Flows;
use crate::support::process::{Server, TestServer};

/// A server at which the test's client and the user's address have reached their limits.
fn exhausted() -> (TestServer, Server) {
    let mut test_server = TestServer::new();
    create(&test_server, ONE);
    test_server
        .set("CLOAKROOM__THROTTLE__ENABLED", "true")
        .set("CLOAKROOM__THROTTLE__SIGN_IN", "3 in 1h")
        .set("CLOAKROOM__THROTTLE__ADDRESS_FAILURES", "3 in 1h");
    let server = test_server.serve();
    for _ in 0..3 {
        assert_eq!(server.sign_in(ONE, "wrong").0, 401);
    }
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 429);
    (test_server, server)
}

#[test]
fn limits_are_lifted_by_client_and_address() {
    let (test_server, server) = exhausted();
    let listed = run(&test_server, &["limits", "list", "--json"]).json();
    let rows = listed["limits"].as_array().unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["limit"].as_str().unwrap(),
                row["count"].clone(),
                row["most"].clone(),
            )
        })
        .collect();
    let of = |limit, most| (limit, json!(3), json!(most));
    let expected = [
        of("address_failures", 3),
        of("sign_in", 48),
        of("sign_in", 3),
    ];
    assert_eq!(shown, expected);
    assert!(!listed.to_string().contains(ONE));

    let lift = |arguments: &[&str]| {
        let all = [&["limits", "lift", "--json"], arguments].concat();
        run(&test_server, &all).json()["counters"].clone()
    };
    assert_eq!(lift(&["--client", "127.0.0.1"]), 2);
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 429);
    assert_eq!(lift(&["--address", ONE]), 1);
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 200);
    assert_eq!(lift(&["--user", "1"]), 0);
    assert_eq!(lift(&["--session", "1"]), 0);
}

#[test]
fn all_limits_are_lifted_at_once() {
    let (test_server, server) = exhausted();
    assert_eq!(
        run(&test_server, &["limits", "lift", "--all"]).done(),
        "3 counters deleted\n"
    );
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 200);
}

#[test]
fn what_is_lifted_must_be_named_once() {
    let test_server = TestServer::new();
    for arguments in [
        &["limits", "lift"][..],
        &["limits", "lift", "--all", "--user", "1"],
    ] {
        assert!(!test_server.run(arguments).status.success());
    }
}
