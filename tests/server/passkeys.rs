//! Passkeys over processes: an answer at two servers and after a restart, removals at two servers, and what the log has of
//! them.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD};
use crate::support::passkeys::Device;
use crate::support::process::{Server, TestServer};

/// A reply of this status, as JSON.
fn send(
    server: &Server,
    (method, path): (&str, &str),
    token: Option<&str>,
    body: &Value,
    status: u16,
) -> Value {
    let reply = server.request(method, path, token, Some(body));
    assert_eq!(reply.0, status, "{method} {path}: {}", reply.1);
    reply.1
}

#[test]
fn the_use_of_passkeys_is_logged_without_their_secrets() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let session = Some(token.as_str());
    let mut device = Device::new();
    device.sign_count = 7;

    let challenge = json!({ "password_challenge": PASSWORD });
    let passkeys = "/v1/user/passkeys";
    let options = ("POST", "/v1/user/passkeys/options");
    let options = send(&server, options, session, &challenge, 200);
    let created = device.create(&options);
    let new = json!({ "credential": created, "name": "Phone", "password_challenge": PASSWORD });
    let added = send(&server, ("POST", passkeys), session, &new, 201);
    let path = format!("{passkeys}/{}", added["passkey"]["id"]);
    let name = json!({ "name": "Key", "password_challenge": PASSWORD });
    send(&server, ("PATCH", &path), session, &name, 200);

    device.sign_count = 3;
    let options = ("POST", "/v1/session/passkey/options");
    let options = send(&server, options, None, &json!({}), 200);
    let used = json!({ "credential": device.get(&options) });
    let sign_in = ("POST", "/v1/session/passkey");
    send(&server, sign_in, None, &used, 200);
    send(&server, sign_in, None, &used, 401);
    send(&server, ("DELETE", &path), session, &challenge, 204);

    let log = server.wait_for_log("passkey_removed");
    for event in [
        "passkey_added",
        "passkey_renamed",
        "passkey_counter_behind",
        "passkey_refused",
        "passkey_removed",
    ] {
        let forms = [format!("event={event:?}"), format!("\"event\":{event:?}")];
        assert!(forms.iter().any(|form| log.contains(form)), "{event}");
    }
    let response = &used["credential"]["response"];
    for secret in [
        &options["challenge"],
        &response["signature"],
        &response["clientDataJSON"],
    ] {
        assert!(!log.contains(secret.as_str().unwrap()), "{secret}");
    }
}

/// Adds a passkey to the user of a session that was reauthenticated, or has the password.
fn add(server: &Server, token: &str, challenge: &Value) -> (Device, Value) {
    let mut device = Device::new();
    let session = Some(token);
    let options = ("POST", "/v1/user/passkeys/options");
    let options = send(server, options, session, challenge, 200);
    let mut body = challenge.clone();
    body["credential"] = device.create(&options);
    let added = send(server, ("POST", "/v1/user/passkeys"), session, &body, 201);
    (device, added["passkey"]["id"].clone())
}

/// Answers new options for the use of a passkey.
fn assertion(server: &Server, device: &Device) -> Value {
    let options = ("POST", "/v1/session/passkey/options");
    device.get(&send(server, options, None, &json!({}), 200))
}

fn sign_in(server: &Server, answer: &Value) -> u16 {
    let body = json!({ "credential": answer });
    let path = "/v1/session/passkey";
    server.request("POST", path, None, Some(&body)).0
}

#[test]
fn an_answer_works_once_at_two_servers_and_after_a_restart() {
    let test_server = TestServer::new();
    let (a, b) = (test_server.serve(), test_server.serve());
    let token = a.sign_up_token(ONE, PASSWORD);
    let (device, _) = add(&a, &token, &json!({ "password_challenge": PASSWORD }));
    let answer = assertion(&a, &device);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|n| {
                let (server, answer) = ([&a, &b][n % 2], &answer);
                scope.spawn(move || sign_in(server, answer))
            })
            .collect();
        tries
            .into_iter()
            .map(|tried| tried.join().unwrap())
            .collect()
    });
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{statuses:?}");
    drop((a, b));
    let server = test_server.serve();
    assert_eq!(sign_in(&server, &answer), 401);
    assert_eq!(sign_in(&server, &assertion(&server, &device)), 200);
}

/// Two passkeys of a user without a password, or one and an identity; each is removed by another server at the same time.
#[test]
fn of_removals_at_two_servers_the_last_way_in_stays() {
    let mut test_server = TestServer::new();
    for (key, value) in [
        ("ISSUER", "https://id.example.com"),
        ("CLIENT_ID", "cloakroom"),
        ("CLIENT_SECRET", "a-secret"),
    ] {
        test_server.set(&format!("CLOAKROOM__PROVIDERS__ACME__{key}"), value);
    }
    let (a, b) = (test_server.serve(), test_server.serve());
    for round in 0..6 {
        let address = format!("user{round}@example.com");
        let token = a.sign_up_token(&address, PASSWORD);
        let challenge = json!({ "password_challenge": PASSWORD });
        let (device, first) = add(&a, &token, &challenge);
        let second = match round % 2 {
            0 => format!("/v1/user/passkeys/{}", add(&a, &token, &challenge).1),
            _ => {
                let store = test_server.store();
                store.execute(&format!(
                    "INSERT INTO identities (user_id, provider, issuer, subject, created_at, last_used_at)
                     SELECT id, 'acme', 'https://id.example.com', 'subject {round}', 0, 0 FROM users
                     WHERE email_address = '{address}'"
                ));
                let id = store.text("SELECT CAST(max(id) AS text) FROM identities");
                format!("/v1/user/identities/{}", id.unwrap())
            }
        };
        let first = format!("/v1/user/passkeys/{first}");
        let password = ("DELETE", "/v1/user/password");
        let reply = send(&a, password, Some(&token), &challenge, 200);
        let token = reply["token"].as_str().unwrap().to_owned();
        let proof = json!({ "passkey": assertion(&a, &device) });
        let reauthenticate = ("POST", "/v1/session/reauthenticate");
        let reply = send(&a, reauthenticate, Some(&token), &proof, 200);
        let token = reply["token"].as_str().unwrap().to_owned();
        let start = Barrier::new(2);
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let removals = [(&a, &first), (&b, &second)].map(|(server, path)| {
                let (token, start) = (&token, &start);
                scope.spawn(move || {
                    start.wait();
                    let body = json!({});
                    server.request("DELETE", path, Some(token), Some(&body)).0
                })
            });
            removals.map(|removal| removal.join().unwrap()).into()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409], "round {round}");
    }
    let left = "SELECT (SELECT count(*) FROM passkeys) + (SELECT count(*) FROM identities)";
    assert_eq!(test_server.store().count(left), 6);
}

#[test]
fn the_removal_of_a_password_is_logged() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let challenge = json!({ "password_challenge": PASSWORD });
    add(&server, &token, &challenge);
    let password = ("DELETE", "/v1/user/password");
    send(&server, password, Some(&token), &challenge, 200);
    server.wait_for_log("password_removed");
}
