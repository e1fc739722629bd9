//! `sessions`: seen and ended beside a running server.

use serde_json::json;

use super::{create, is_rfc3339, run, status_of, token};
use crate::support::process::{TestServer, eventually};

#[test]
fn a_session_is_listed_and_ended_by_command() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let (older, newer) = (
        token(&server, "one@example.com"),
        token(&server, "one@example.com"),
    );

    let listed = run(
        &test_server,
        &["sessions", "list", "one@example.com", "--json"],
    )
    .json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        (&sessions[0]["user_id"], &sessions[0]["ip_address"]),
        (&json!(1), &json!("127.0.0.1"))
    );
    for moment in ["created_at", "last_active_at", "expires_at"] {
        assert!(is_rfc3339(&sessions[0][moment]), "{moment}");
    }
    let text = listed.to_string();
    assert!(!text.contains("digest") && !text.contains(&newer));
    let table = run(&test_server, &["sessions", "list", "1"]).done();
    assert!(
        table.starts_with("ID ") && table.lines().count() == 3,
        "{table}"
    );

    let newest = sessions[0]["id"].to_string();
    let ended = run(&test_server, &["sessions", "revoke", &newest, "--json"]).json();
    assert_eq!(ended, json!({ "sessions_ended": 1 }));
    assert_eq!(
        (status_of(&server, &newer), status_of(&server, &older)),
        (401, 200)
    );
    let refusal = run(&test_server, &["sessions", "revoke", &newest]).refused();
    assert_eq!(refusal, format!("no session with id {newest}"));
}

#[test]
fn ending_a_users_sessions_leaves_those_of_others() {
    let test_server = TestServer::new();
    for name in ["one", "two"] {
        create(&test_server, &format!("{name}@example.com"));
    }
    let server = test_server.serve();
    let ones = [(); 2].map(|()| token(&server, "one@example.com"));
    let twos = token(&server, "two@example.com");
    let ended = run(
        &test_server,
        &["sessions", "revoke", "--user", "one@example.com"],
    )
    .done();
    assert_eq!(ended, "revoked 2 sessions\n");
    assert!(ones.iter().all(|token| status_of(&server, token) == 401));
    assert_eq!(status_of(&server, &twos), 200);
    let again = run(
        &test_server,
        &["sessions", "revoke", "--user", "1", "--json"],
    )
    .json();
    assert_eq!(again["sessions_ended"], 0);
}

#[test]
fn ending_all_sessions_asks_for_confirmation() {
    let test_server = TestServer::new();
    for name in ["one", "two"] {
        create(&test_server, &format!("{name}@example.com"));
    }
    let server = test_server.serve();
    let tokens = ["one@example.com", "two@example.com"].map(|address| token(&server, address));
    let refusal = run(&test_server, &["sessions", "revoke", "--all"]).refused();
    assert_eq!(refusal, "not a terminal: pass --yes");
    assert!(tokens.iter().all(|token| status_of(&server, token) == 200));
    run(
        &test_server,
        &["sessions", "revoke", "--all", "--user", "1", "--yes"],
    )
    .misused();
    run(&test_server, &["sessions", "revoke", "1", "--yes"]).misused();

    // More than are ended at once.
    let store = test_server.store();
    store.execute(&format!(
        "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         SELECT 1, {}, '127.0.0.1', 0, 0, 0 FROM n",
        store.random_blob()
    ));
    let ended = run(
        &test_server,
        &["sessions", "revoke", "--all", "--yes", "--json"],
    )
    .json();
    assert_eq!(ended, json!({ "sessions_ended": 1002 }));
    assert!(tokens.iter().all(|token| status_of(&server, token) == 401));
    assert_eq!(status_of(&server, &token(&server, "one@example.com")), 200);
}

#[test]
fn ending_sessions_ends_open_sign_ins() {
    for which in [&["--all", "--yes"][..], &["--user", "one@example.com"]] {
        let test_server = TestServer::new();
        create(&test_server, "one@example.com");
        let server = test_server.serve();
        let asked = json!({ "email_address": "one@example.com" });
        let path = "/v1/session/code";
        assert_eq!(server.request("POST", path, None, Some(&asked)).0, 202);
        let store = test_server.store();
        let addressed = "SELECT count(*) FROM mail_codes WHERE user_id = 1";
        eventually(|| (store.count(addressed) == 1).then_some(()));
        store.execute(&format!(
            "INSERT INTO pending_sign_ins (token_digest, user_id, auth_methods, credentials_version, remembered, tries,
             expires_at) VALUES ({}, 1, 'pwd', 1, 0, 0, 9999999999999)",
            store.random_blob()
        ));
        let revoked = [&["sessions", "revoke"], which].concat();
        assert_eq!(run(&test_server, &revoked).done(), "revoked 0 sessions\n");
        for table in ["mail_codes", "pending_sign_ins"] {
            let left = store.count(&format!("SELECT count(*) FROM {table}"));
            assert_eq!(left, 0, "{which:?}: {table}");
        }
    }
}

#[test]
fn ending_all_sessions_ends_sign_ins_by_providers() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let store = test_server.store();
    let digests = (store.random_blob(), store.random_blob());
    store.execute(&format!(
        "INSERT INTO provider_sign_ins (state_digest, expires_at, code_digest, provider, bound_to, identity,
         code_expires_at) VALUES ({}, 9999999999999, {}, 'acme', 'browser', '{{}}', 9999999999999)",
        digests.0, digests.1
    ));
    store.execute(
        "INSERT INTO identity_link_requests (user_id, provider, bound_to, identity, remembered, expires_at)
         VALUES (1, 'acme', 'browser', '{}', 0, 9999999999999)",
    );
    run(&test_server, &["sessions", "revoke", "--all", "--yes"]).done();
    assert_eq!(
        store.count("SELECT count(*) FROM identity_link_requests"),
        0
    );
    let used =
        "SELECT count(*) FROM provider_sign_ins WHERE code_digest IS NULL AND identity IS NULL";
    assert_eq!(store.count(used), 1);
}

#[test]
fn sessions_of_an_unknown_user_are_an_error() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    assert_eq!(
        run(&test_server, &["sessions", "list", "7"]).refused(),
        "no user with id 7"
    );
    let refusal = run(
        &test_server,
        &["sessions", "revoke", "--user", "two@example.com"],
    )
    .refused();
    assert_eq!(refusal, "no user with address two@example.com");
}
