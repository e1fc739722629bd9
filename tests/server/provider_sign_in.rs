//! Sign-in by a provider over processes: `kill -9` between its steps, two servers on one database, and its events.

use std::thread;

use cloakroom::crypto::s256;
use cloakroom::domain::clock::Clock;
use serde_json::{Value, json};
use url::Url;

use crate::support::flows::link_token;
use crate::support::process::{Server, TestServer, eventually};
use crate::support::provider::{ACME, CLIENT_ID, CLIENT_SECRET, FakeProvider, LINK_PATH, VERIFIER};

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
    let body = exchange_body(fragment);
    server.request("POST", "/v1/session/exchange", None, Some(&body))
}

/// The same at a server that may be killed meanwhile.
fn try_exchange(server: &Server, fragment: &str) {
    let url = server.url("/v1/session/exchange");
    let request = ureq::post(url).header("Content-Type", "application/json");
    let _ = request.send(exchange_body(fragment).to_string());
}

fn exchange_body(fragment: &str) -> Value {
    let code = fragment.strip_prefix("exchange_code=");
    let code = code.unwrap_or_else(|| panic!("{fragment}"));
    json!({ "exchange_code": code, "code_verifier": VERIFIER })
}

fn verify_addresses(test_server: &TestServer) {
    let sql = "UPDATE users SET email_confirmed_at = 1";
    test_server.store().execute(sql);
}

/// A sign-in whose address has an account, to which a link is mailed.
fn refused_exchange(server: &Server, provider: &FakeProvider) {
    let fragment = open(server, &start(server, provider)).unwrap();
    let (status, reply) = exchange(server, &fragment);
    assert_eq!(
        (status, &reply["code"]),
        (409, &json!("account_exists")),
        "{reply}"
    );
}

/// The token of the only mailed link.
fn mailed_link(test_server: &TestServer) -> String {
    eventually(|| {
        let mails = test_server.mails();
        let mail = mails.iter().find(|mail| mail.contains(LINK_PATH))?;
        Some(link_token(mail, LINK_PATH))
    })
}

fn use_link(server: &Server, token: &str) -> (u16, Value) {
    let body = json!({ "token": token, "code_verifier": VERIFIER });
    server.request("POST", "/v1/session/identity_link", None, Some(&body))
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

/// Each exchange is one transaction: killed at any moment, it is done or not begun.
#[test]
fn kill_9_during_exchanges_leaves_nothing_half_done() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let mut server = test_server.serve();
    let mut known = 0;
    for round in 0..5 {
        let fragments: Vec<String> = (0..8)
            .map(|at| {
                let user = format!("user-{round}-{at}");
                let email = format!("{user}@example.com");
                provider.script().claims = json!({ "sub": user, "email": email });
                open(&server, &start(&server, &provider)).unwrap()
            })
            .collect();
        thread::scope(|scope| {
            let (exchanging, test_server) = (&server, &test_server);
            let begun: Vec<_> = fragments
                .iter()
                .map(|fragment| scope.spawn(move || try_exchange(exchanging, fragment)))
                .collect();
            eventually(|| (rows(test_server)[0] > known).then_some(()));
            server.signal("KILL");
            begun.into_iter().for_each(|it| it.join().unwrap());
        });
        server.kill();
        let [users, identities, sessions] = rows(&test_server);
        assert_eq!((users, identities), (sessions, sessions), "round {round}");
        server = test_server.serve();
        for fragment in &fragments {
            let (status, reply) = exchange(&server, fragment);
            assert!([200, 401].contains(&status), "{reply}");
        }
        known += 8;
        assert_eq!(rows(&test_server), [known; 3], "round {round}");
    }
}

#[test]
fn kill_9_before_the_mail_keeps_the_link_that_is_to_be_sent() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let mut server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    verify_addresses(&test_server);
    refused_exchange(&server, &provider);
    server.kill();
    // As if the lease of the killed worker had expired.
    let expire = "UPDATE outbox SET next_attempt_at = 0";
    test_server.store().execute(expire);
    let server = test_server.serve();
    let link = mailed_link(&test_server);
    assert_eq!(use_link(&server, &link).0, 200);
    assert_eq!(use_link(&server, &link).0, 401);
    assert_eq!(rows(&test_server), [1, 1, 2]);
}

#[test]
fn a_mailed_link_works_once_at_two_servers() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let servers = [test_server.serve(), test_server.serve()];
    servers[0].sign_up_token("one@example.com", "password");
    verify_addresses(&test_server);
    refused_exchange(&servers[1], &provider);
    let link = mailed_link(&test_server);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let use_it = |at: usize| {
            let (server, link) = (&servers[at % 2], &*link);
            scope.spawn(move || use_link(server, link).0)
        };
        let used: Vec<_> = (0..20).map(use_it).collect();
        used.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{statuses:?}");
    assert_eq!(rows(&test_server), [1, 1, 2]);
}

#[test]
fn mailed_links_are_in_the_log_without_their_tokens() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider);
    let server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    verify_addresses(&test_server);
    refused_exchange(&server, &provider);
    let link = mailed_link(&test_server);
    let body = json!({ "token": link });
    let path = "/v1/session/identity_link";
    assert_eq!(server.request("POST", path, None, Some(&body)).0, 401);
    assert_eq!(use_link(&server, &link).0, 200);
    let log = server.wait_for_log("identity_linked");
    for event in [
        "provider_sign_in_refused",
        "identity_link_requested",
        "identity_link_refused",
    ] {
        assert!(log.contains(event), "{event}: {log}");
    }
    let content = test_server.store().content();
    let is_held = content
        .windows(link.len())
        .any(|window| window == link.as_bytes());
    assert!(!is_held && !log.contains(&link));
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
    verify_addresses(&test_server);
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
