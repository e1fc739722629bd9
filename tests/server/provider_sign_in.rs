//! Sign-in by a provider over processes: `kill -9` between its steps, two servers on one database, and its events.

use std::thread;

use cloakroom::crypto::s256;
use cloakroom::domain::clock::Clock;
use serde_json::{Value, json};
use url::Url;

use crate::support::process::{Server, TestServer, eventually};
use crate::support::provider::{ACME, CLIENT_ID, CLIENT_SECRET, FakeProvider, VERIFIER};

/// A server that users sign in to by the provider.
fn test_server(provider: &FakeProvider) -> TestServer {
    provider.script().now = Clock::System.now().as_millis() / 1000;
    let mut test_server = TestServer::new();
    for (name, value) in [
        ("PROVIDERS__ACME__ISSUER", &*provider.url),
        ("PROVIDERS__ACME__CLIENT_ID", CLIENT_ID),
        ("PROVIDERS__ACME__CLIENT_SECRET", CLIENT_SECRET),
        ("OUTBOUND__PRIVATE_NETWORKS", "127.0.0.0/8"),
    ] {
        test_server.set(&format!("CLOAKROOM__{name}"), value);
    }
    test_server
}

/// Starts a sign-in, as an app does: the path and query to which the provider sends the browser back.
fn start(server: &Server, provider: &FakeProvider) -> String {
    let body = json!({ "code_challenge": s256(VERIFIER) });
    let path = format!("/v1/session/identity/{ACME}");
    let (status, reply) = server.request("POST", &path, None, Some(&body));
    assert_eq!(status, 200, "{reply}");
    let url = Url::parse(reply["authorization_url"].as_str().unwrap()).unwrap();
    provider.consent(&url)
}

/// Opens the callback: the fragment of the page that it redirects to.
fn open(server: &Server, callback: &str) -> Result<String, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into();
    let reply = agent.get(server.url(callback)).call()?;
    assert_eq!(reply.status(), 303);
    let location = reply.headers()["location"].to_str().unwrap();
    Ok(location.split_once('#').unwrap().1.to_owned())
}

fn exchange(server: &Server, fragment: &str) -> (u16, Value) {
    let code = fragment.strip_prefix("exchange_code=");
    let code = code.unwrap_or_else(|| panic!("{fragment}"));
    let body = json!({ "exchange_code": code, "code_verifier": VERIFIER });
    server.request("POST", "/v1/session/exchange", None, Some(&body))
}

fn rows(test_server: &TestServer) -> [i64; 3] {
    let store = test_server.store();
    ["users", "identities", "sessions"]
        .map(|table| store.count(&format!("SELECT count(*) FROM {table}")))
}

#[test]
fn kill_9_before_the_exchange_leaves_nothing_half_done() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let mut server = test_server.serve();
    let fragment = open(&server, &start(&server, &provider)).unwrap();
    server.kill();
    assert_eq!(rows(&test_server), [0, 0, 0]);
    let server = test_server.serve();
    assert_eq!(exchange(&server, &fragment).0, 200);
    assert_eq!(rows(&test_server), [1, 1, 1]);
    assert_eq!(exchange(&server, &fragment).0, 401);
}

#[test]
fn kill_9_while_the_provider_is_asked_costs_one_sign_in() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let mut server = test_server.serve();
    let callback = start(&server, &provider);
    provider.script().hangs = vec!["/token"];
    thread::scope(|scope| {
        let (opened, path) = (&server, &*callback);
        let waiting = scope.spawn(move || open(opened, path));
        eventually(|| (provider.count("/token") == 1).then_some(()));
        server.signal("KILL");
        assert!(waiting.join().unwrap().is_err());
    });
    server.kill();
    provider.script().hangs.clear();
    let server = test_server.serve();
    assert_eq!(open(&server, &callback).unwrap(), "error=state_used");
    let fragment = open(&server, &start(&server, &provider)).unwrap();
    assert_eq!(exchange(&server, &fragment).0, 200);
    assert_eq!(rows(&test_server), [1, 1, 1]);
}

#[test]
fn two_servers_share_states_and_codes() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let servers = [test_server.serve(), test_server.serve()];
    let callback = start(&servers[0], &provider);
    let fragments: Vec<String> = thread::scope(|scope| {
        let open = |at: usize| {
            let (server, callback) = (&servers[at % 2], &*callback);
            scope.spawn(move || open(server, callback).unwrap())
        };
        let opened: Vec<_> = (0..20).map(open).collect();
        opened.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let code = fragments
        .iter()
        .filter(|it| it.starts_with("exchange_code="));
    let code: Vec<_> = code.collect();
    assert_eq!(code.len(), 1, "{fragments:?}");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let exchange = |at: usize| {
            let (server, code) = (&servers[at % 2], code[0]);
            scope.spawn(move || exchange(server, code).0)
        };
        let exchanged: Vec<_> = (0..20).map(exchange).collect();
        exchanged.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(rows(&test_server), [1, 1, 1]);
}

#[test]
fn sign_ins_by_providers_are_written_to_the_log() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let server = test_server.serve();
    let callback = start(&server, &provider);
    let fragment = open(&server, &callback).unwrap();
    assert_eq!(exchange(&server, &fragment).0, 200);
    assert_eq!(open(&server, &callback).unwrap(), "error=state_used");
    let log = server.wait_for_log("state_used");
    for event in ["identity_linked", "signed_up", "provider_sign_in_refused"] {
        assert!(log.contains(event), "{event}: {log}");
    }
    let session = server.sign_up_token("two@example.com", "password");
    let call = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&session), Some(&body)).1
    };
    let body = json!({ "code_challenge": s256(VERIFIER), "password_challenge": "password" });
    provider.script().claims = json!({ "sub": "user-2" });
    let started = call("POST", "/v1/user/identities/acme", body);
    let url = Url::parse(started["authorization_url"].as_str().unwrap()).unwrap();
    let fragment = open(&server, &provider.consent(&url)).unwrap();
    let code = fragment.strip_prefix("exchange_code=").unwrap();
    let body = json!({ "exchange_code": code, "code_verifier": VERIFIER });
    let linked = call("POST", "/v1/user/identities", body);
    let path = format!("/v1/user/identities/{}", linked["identity"]["id"]);
    call("DELETE", &path, json!({ "password_challenge": "password" }));
    let log = server.wait_for_log("identity_unlinked");
    for secret in [CLIENT_SECRET, "access-token", "one@example.com", &fragment] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
