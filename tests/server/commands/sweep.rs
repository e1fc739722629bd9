//! `sweep`: what is over goes at the operator's word, beside a running server, and by itself.

use cloakroom::domain::clock::Clock;
use serde_json::{Value, json};

use super::{create, run, status_of, token};
use crate::support::process::{TestServer, eventually};

/// Puts a session of the first user, a counter, a mail, a device, an API key and an ended access token into the database
/// that have been over for long.
fn add_what_is_over(test_server: &TestServer) {
    let store = test_server.store();
    let random = store.random_blob();
    store.execute(&format!(
        "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
         VALUES (1, {random}, '127.0.0.1', 0, 0, 0);
         INSERT INTO throttles (name, count, expires_at) VALUES ('over', 1, 0);
         INSERT INTO outbox (kind, email_address, created_at, expires_at, next_attempt_at, sent_at)
         VALUES ('password_reset', 'one@example.com', 0, 0, 0, 0);
         INSERT INTO known_devices (user_id, fingerprint, seen_at) VALUES (1, 'over', 0);
         INSERT INTO api_keys (name, token_digest, last_four, scopes, created_at, revoked_at)
         VALUES ('over', {random}, 'aaaa', '', 0, 0);
         INSERT INTO revoked_access_tokens (session_id, until) VALUES (1, 0)"
    ));
}

fn counts([sessions, counters, mails, devices, api_keys, ended_access]: [u32; 6]) -> Value {
    json!({
        "sessions": sessions,
        "counters": counters,
        "mails": mails,
        "devices": devices,
        "api_keys": api_keys,
        "pending_sign_ins": 0,
        "mail_codes": 0,
        "provider_sign_ins": 0,
        "identity_link_requests": 0,
        "unproved_secrets": 0,
        "passkey_challenges": 0,
        "refresh_tokens": 0,
        "ended_access": ended_access,
        "audit_events": 0,
        "audit_clients": 0,
    })
}

#[test]
fn sweep_deletes_only_expired_rows() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let live = token(&server, "one@example.com");
    add_what_is_over(&test_server);

    let swept = run(&test_server, &["sweep", "--json"]).json();
    assert_eq!(swept, counts([1; 6]));
    assert_eq!(status_of(&server, &live), 200);
    let swept = run(&test_server, &["sweep", "--json"]).json();
    assert_eq!(swept, counts([0; 6]));

    add_what_is_over(&test_server);
    let table = run(&test_server, &["sweep"]).done();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).collect())
        .collect();
    let cells = |line: &[&str]| {
        line.iter()
            .copied()
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<_>>()
            .join("=")
    };
    assert_eq!(
        rows.iter().map(|line| cells(line)).collect::<Vec<_>>(),
        [
            "WHAT=DELETED",
            "sessions=1",
            "counters=1",
            "mails=1",
            "devices=1",
            "API keys=1",
            "pending sign-ins=0",
            "requests for mailed codes=0",
            "sign-ins by providers=0",
            "requests to link identities=0",
            "unproved secrets=0",
            "passkey challenges=0",
            "refresh tokens=0",
            "ended access=1",
            "audit events=0",
            "clients in audit events=0",
        ]
    );
}

#[test]
fn sweep_reads_retention_from_the_settings() {
    let mut test_server = TestServer::new();
    create(&test_server, "one@example.com");
    add_what_is_over(&test_server);
    let an_hour_ago = Clock::System.now().as_millis() - 3_600_000;
    test_server.store().execute(&format!(
        "UPDATE sessions SET last_active_at = {an_hour_ago}, expires_at = {an_hour_ago};
         UPDATE outbox SET sent_at = {an_hour_ago}"
    ));
    let swept = run(&test_server, &["sweep", "--json"]).json();
    assert_eq!(swept, counts([0, 1, 0, 1, 1, 1]));
    test_server
        .set("CLOAKROOM__SWEEP__KEEP_SESSIONS", "0s")
        .set("CLOAKROOM__SWEEP__KEEP_MAILS", "59m");
    let swept = run(&test_server, &["sweep", "--json"]).json();
    assert_eq!(swept, counts([1, 0, 1, 0, 0, 0]));
}

#[test]
fn a_server_sweeps_soon_after_its_start() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    add_what_is_over(&test_server);
    let _server = test_server.serve();
    for table in [
        "sessions",
        "throttles",
        "outbox",
        "known_devices",
        "api_keys",
        "revoked_access_tokens",
    ] {
        let left = format!("SELECT count(*) FROM {table}");
        eventually(|| (test_server.store().count(&left) == 0).then_some(()));
    }
}
