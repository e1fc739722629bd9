//! The audit trail of servers as processes: sealed beside requests, by several at once, and read by commands.

use serde_json::Value;

use crate::support::process::{TestServer, eventually};

const PASSWORD: &str = "correct horse battery";

fn json(test_server: &TestServer, arguments: &[&str]) -> Value {
    let output = test_server.run(&[arguments, &["--json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {output:?}"))
}

fn wait_until_sealed(test_server: &TestServer) {
    let unsealed = "SELECT count(*) FROM audit_events WHERE position IS NULL";
    eventually(|| (test_server.store().count(unsealed) == 0).then_some(()));
}

#[test]
fn the_list_says_who_signed_in_from_where_and_how() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    let body = serde_json::json!({ "email_address": "one@example.com", "password": PASSWORD });
    assert_eq!(
        server.request("POST", "/v1/session", None, Some(&body)).0,
        200
    );
    let filters = [
        "events",
        "--user",
        "one@example.com",
        "--kind",
        "signed_in",
        "--since",
        "7d",
    ];
    let listed = json(&test_server, &filters);
    let events = listed["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{listed}");
    assert_eq!(events[0]["email_address"], "one@example.com");
    assert_eq!(events[0]["ip_address"], "127.0.0.1");
    assert_eq!(events[0]["details"]["methods"], serde_json::json!(["pwd"]));
    let later = ["events", "--until", "7d"];
    assert_eq!(json(&test_server, &later)["events"], serde_json::json!([]));
    let text = test_server.run(&["events", "--limit", "1"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("signed_in") && text.contains("methods=pwd"),
        "{text}"
    );
    assert!(
        !test_server
            .run(&["events", "--kind", "no_such_kind"])
            .status
            .success()
    );
}

#[test]
fn operators_are_in_the_trail() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    assert!(
        test_server
            .run(&["users", "disable", "one@example.com"])
            .status
            .success()
    );
    let listed = json(&test_server, &["events", "--limit", "1"]);
    let event = &listed["events"][0];
    assert_eq!(
        (&event["event"], &event["actor"]),
        (&"user_disabled".into(), &"operator".into())
    );
    assert!(event["details"]["uid"].is_number(), "{event}");
}

#[test]
fn servers_on_one_database_seal_one_chain() {
    let test_server = TestServer::new();
    let servers = [test_server.serve(), test_server.serve()];
    for number in 0..20 {
        let address = format!("user{number}@example.com");
        servers[number % 2].sign_up_token(&address, PASSWORD);
    }
    wait_until_sealed(&test_server);
    let verified = json(&test_server, &["audit", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    let head = test_server.run(&["audit", "head"]);
    let head = String::from_utf8(head.stdout).unwrap();
    assert!(
        test_server
            .run(&["audit", "verify", "--anchor", head.trim()])
            .status
            .success()
    );
    test_server
        .store()
        .execute("DELETE FROM audit_events WHERE position = 7");
    let output = test_server.run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the row at place 7 is missing"), "{text}");
}

#[test]
fn a_leaked_key_base_is_replaced_and_the_trail_verifies() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    wait_until_sealed(&test_server);
    drop(server);
    assert!(
        test_server
            .run(&["secret", "rotate", "--leaked"])
            .status
            .success()
    );
    let verified = json(&test_server, &["audit", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    let server = test_server.serve();
    server.sign_up_token("two@example.com", PASSWORD);
    wait_until_sealed(&test_server);
    assert_eq!(json(&test_server, &["audit", "verify"])["ok"], true);
}
