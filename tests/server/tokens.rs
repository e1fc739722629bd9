//! A life of tokens over TCP: a user, a service that verifies by itself, a proxy that asks, an operator at the command
//! line, and a server that is killed, restarted and given new keys meanwhile.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::credentials::{claims, pair_in};
use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::{Answer, RawConnection};

const ADDRESS: &str = "one@example.com";
const PASSWORD: &str = "password";

#[test]
fn tokens_live_from_issue_to_revocation() {
    let test_server = TestServer::new();
    let mut server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    let by_password = json!({ "email_address": ADDRESS, "password": PASSWORD });
    let (access, refresh) = pair_in(&post(&server, "/v1/tokens", &by_password, 200));
    let service = command(
        &test_server,
        &[
            "api-keys",
            "create",
            "--name",
            "reports",
            "--scope",
            "introspect",
            "--json",
        ],
    );
    let service = service["key"].as_str().unwrap();
    let made = server.request("POST", "/v1/api_keys", Some(&session), Some(&a_key()));
    assert_eq!(made.0, 201);
    let key = made.1["key"].as_str().unwrap();

    // Everybody believes them, each in their own way.
    let elsewhere = Elsewhere::knowing(&server);
    assert!(elsewhere.believes(&access));
    assert_eq!(asks(&server, &access), 200);
    assert_eq!(
        by_key(&server, "GET", "/v1/verify?scope=projects:read", key).header("X-Credential"),
        Some("api_key")
    );
    assert_eq!(
        introspect(&server, service, &access)["sid"],
        claims(&access)["sid"]
    );
    assert_eq!(
        introspect(&server, service, &refresh)["credential"],
        "refresh_token"
    );

    // Killed between a refresh and its reply, the server returns the same pair to the next request.
    let (_, next) = pair_in(&refreshed(&server, &refresh));
    server.kill();
    let server = test_server.serve();
    let (access, again) = pair_in(&refreshed(&server, &refresh));
    assert_eq!(again, next);
    assert_eq!(asks(&server, &access), 200);

    // A new key base: what was signed before goes on, what is signed from now on has another key.
    let server = restarted(&test_server, server, &["secret", "rotate", "--json"]);
    assert_eq!(asks(&server, &access), 200);
    let (newer, next) = pair_in(&refreshed(&server, &next));
    assert_eq!(asks(&server, &newer), 200);
    assert!(!elsewhere.believes(&newer), "its key was not there before");
    let elsewhere = Elsewhere::knowing(&server);
    assert!(elsewhere.believes(&newer) && elsewhere.believes(&access));

    // A leaked one: nothing that it signed is believed, and what is not signed goes on.
    command(&test_server, &["secret", "rotate", "--leaked", "--json"]);
    let adopt = ["secret", "adopt", "--yes", "--json"];
    let server = restarted(&test_server, server, &adopt);
    assert_eq!((asks(&server, &access), asks(&server, &newer)), (401, 401));
    assert!(!Elsewhere::knowing(&server).believes(&newer));
    assert_eq!(server.session_status(&session), 200);
    assert_eq!(by_key(&server, "GET", "/v1/projects", key).status, 200);
    let (access, next) = pair_in(&refreshed(&server, &next));
    assert_eq!(asks(&server, &access), 200);

    // Signed out: refused here at once; a service that verifies locally does not notice.
    let (narrow, _) = pair_in(&request(
        &server,
        "/v1/tokens",
        &session,
        &json!({ "scope": "projects:read" }),
    ));
    assert_eq!(
        server
            .request("DELETE", "/v1/session", Some(&session), None)
            .0,
        200
    );
    assert_eq!((asks(&server, &narrow), asks(&server, &access)), (401, 200));
    assert_eq!(
        introspect(&server, service, &narrow),
        json!({ "active": false })
    );
    assert!(Elsewhere::knowing(&server).believes(&narrow));

    // An operator disables the account: its credentials are revoked, and stay so when it is enabled again.
    command(&test_server, &["users", "disable", ADDRESS, "--json"]);
    assert_eq!(by_key(&server, "GET", "/v1/projects", key).status, 401);
    wait_for_refusal(&server, &access);
    post(
        &server,
        "/v1/tokens/refresh",
        &json!({ "refresh_token": next }),
        400,
    );
    command(&test_server, &["users", "enable", ADDRESS, "--json"]);
    assert_eq!(by_key(&server, "GET", "/v1/projects", key).status, 401);
    post(
        &server,
        "/v1/tokens/refresh",
        &json!({ "refresh_token": next }),
        400,
    );
    for token in [&access, &next, &session, key] {
        assert_eq!(
            introspect(&server, service, token),
            json!({ "active": false })
        );
    }

    // The account is deleted with all its credentials; the service's key belongs to no user and stays.
    let (access, next) = pair_in(&post(&server, "/v1/tokens", &by_password, 200));
    command(
        &test_server,
        &["users", "delete", ADDRESS, "--yes", "--json"],
    );
    wait_for_refusal(&server, &access);
    post(
        &server,
        "/v1/tokens/refresh",
        &json!({ "refresh_token": next }),
        400,
    );
    assert_eq!(
        introspect(&server, service, &access),
        json!({ "active": false })
    );
    let count = |sql: &str| test_server.store().count(sql);
    assert_eq!(count("SELECT count(*) FROM refresh_tokens"), 0);
    assert_eq!(count("SELECT count(*) FROM api_keys"), 1);
    command(&test_server, &["api-keys", "revoke", "1", "--json"]);
    assert_eq!(by_key(&server, "GET", "/v1/verify", service).status, 401);
}

/// A service that fetched the public keys once and verifies locally.
struct Elsewhere {
    keys: Value,
}

impl Elsewhere {
    fn knowing(server: &Server) -> Self {
        let (status, keys) = server.request("GET", "/.well-known/jwks.json", None, None);
        assert_eq!(status, 200);
        Self { keys }
    }

    fn believes(&self, token: &str) -> bool {
        let read = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let header: Value =
            serde_json::from_slice(&read(message.split('.').next().unwrap())).unwrap();
        let mut keys = self.keys["keys"].as_array().unwrap().iter();
        let Some(key) = keys.find(|key| key["kid"] == header["kid"]) else {
            return false;
        };
        let public = UnparsedPublicKey::new(&ED25519, read(key["x"].as_str().unwrap()));
        public.verify(message.as_bytes(), &read(signature)).is_ok()
    }
}

fn a_key() -> Value {
    json!({ "name": "nightly", "scopes": ["projects:read"], "password_challenge": PASSWORD })
}

/// The reply of a route to an access token.
fn asks(server: &Server, access: &str) -> u16 {
    let projects = server.request("GET", "/v1/projects", Some(access), None).0;
    assert_eq!(
        server.request("GET", "/v1/verify", Some(access), None).0,
        projects
    );
    projects
}

/// Another process ended it, which this one sees within 0.2 seconds.
fn wait_for_refusal(server: &Server, access: &str) {
    eventually(|| {
        (server.request("GET", "/v1/projects", Some(access), None).0 == 401).then_some(())
    });
    assert_eq!(asks(server, access), 401);
}

fn by_key(server: &Server, method: &str, path: &str, key: &str) -> Answer {
    let mut connection = RawConnection::to(server);
    connection.ask(method, path, &format!("X-API-Key: {key}\r\n"), "");
    connection.receive()
}

fn introspect(server: &Server, key: &str, token: &str) -> Value {
    request(server, "/v1/introspect", key, &json!({ "token": token }))
}

fn refreshed(server: &Server, token: &str) -> Value {
    post(
        server,
        "/v1/tokens/refresh",
        &json!({ "refresh_token": token }),
        200,
    )
}

fn request(server: &Server, path: &str, credential: &str, body: &Value) -> Value {
    let (status, reply) = server.request("POST", path, Some(credential), Some(body));
    assert_eq!(status, 200, "{reply}");
    reply
}

fn post(server: &Server, path: &str, body: &Value, expected: u16) -> Value {
    let (status, reply) = server.request("POST", path, None, Some(body));
    assert_eq!(status, expected, "{reply}");
    reply
}

/// Stops the server, does something and starts it again.
fn between(test_server: &TestServer, mut server: Server, work: impl FnOnce()) -> Server {
    server.signal("TERM");
    assert!(server.wait().success());
    work();
    test_server.serve()
}

#[test]
fn a_restored_backup_opens_no_account_to_others() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token(ADDRESS, PASSWORD);
    let (database, backup) = (test_server.database(), test_server.path().join("backup.db"));
    let server = between(&test_server, server, || {
        std::fs::copy(&database, &backup).unwrap();
    });
    let session = server.sign_up_token("lost@example.com", PASSWORD);
    let (lost, refresh) = pair_in(&request(&server, "/v1/tokens", &session, &json!({})));
    assert_eq!(asks(&server, &lost), 200);

    let server = between(&test_server, server, || {
        std::fs::copy(&backup, &database).unwrap();
    });
    let new = server.sign_up_token("new@example.com", PASSWORD);
    let (new, _) = pair_in(&request(&server, "/v1/tokens", &new, &json!({})));
    assert_eq!(claims(&lost)["sub"], claims(&new)["sub"], "ids come back");
    assert_eq!((asks(&server, &lost), asks(&server, &new)), (401, 200));
    for token in [&lost, &session] {
        for path in ["/v1/user", "/v1/session", "/v1/verify"] {
            let (status, _) = server.request("GET", path, Some(token), None);
            assert_eq!(status, 401, "{path}");
        }
    }
    let body = json!({ "refresh_token": refresh });
    let (status, reply) = server.request("POST", "/v1/tokens/refresh", None, Some(&body));
    assert_eq!((status, &reply["code"]), (400, &json!("invalid_grant")));
}

/// Stops the server, runs a command and starts it again.
fn restarted(test_server: &TestServer, server: Server, arguments: &[&str]) -> Server {
    command(test_server, arguments);
    between(test_server, server, || {})
}

fn command(test_server: &TestServer, arguments: &[&str]) -> Value {
    let output = test_server.run(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_log_names_acting_credentials_and_rejections() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__LOG__FORMAT", "json");
    let server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    let (status, made) = server.request("POST", "/v1/api_keys", Some(&session), Some(&a_key()));
    assert_eq!(status, 201, "{made}");
    let (key, id) = (made["key"].as_str().unwrap(), &made["api_key"]["id"]);
    let (access, refresh) = pair_in(&request(&server, "/v1/tokens", &session, &json!({})));
    let sid = claims(&access)["sid"].clone();
    let sid = sid.as_str().unwrap().split('.').next().unwrap().to_owned();
    assert_eq!(by_key(&server, "GET", "/v1/projects", key).status, 200);
    assert_eq!(asks(&server, &access), 200);
    let last = |target: &str, name: &str, value: &Value| {
        let log = server.log();
        let mut lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.rfind(|line| line["target"] == target && line[name] == *value)
    };
    let last = |target: &str, name: &str, value: Value| eventually(|| last(target, name, &value));
    let by_a_key = last("cloakroom::request", "credential", json!("api_key"));
    assert_eq!((&by_a_key["key"], &by_a_key["session"]), (id, &Value::Null));
    let by_access = last("cloakroom::request", "credential", json!("access_token"));
    assert_eq!(
        (by_access["session"].to_string(), &by_access["key"]),
        (sid.clone(), &Value::Null)
    );

    // The same token again at once: its reply was lost, or there are two of it.
    refreshed(&server, &refresh);
    refreshed(&server, &refresh);
    let repeated = last("cloakroom::security", "event", json!("refresh_repeated"));
    assert_eq!(
        (&repeated["user"], repeated["session"].to_string()),
        (&json!(1), sid)
    );

    let forged = format!("{}AAAA", &access[..access.len() - 4]);
    assert_eq!(asks(&server, &forged), 401);
    last("cloakroom::security", "credential", json!("access_token"));
    for (refused, what) in [
        ("crk_1111", "malformed"),
        (&*revoked(&server, &session), "revoked"),
    ] {
        let before = server.log().matches("credential_refused").count();
        assert_eq!(
            by_key(&server, "GET", "/v1/projects", refused).status,
            401,
            "{what}"
        );
        eventually(|| {
            (server.log().matches("credential_refused").count() == before + 1).then_some(())
        });
    }
    let refused = last("cloakroom::security", "event", json!("credential_refused"));
    assert_eq!(refused["credential"], "api_key");
    assert_eq!(refused["client"], "127.0.0.1");
}

/// An API key that was good and is no more.
fn revoked(server: &Server, session: &str) -> String {
    let (_, made) = server.request("POST", "/v1/api_keys", Some(session), Some(&a_key()));
    let path = format!("/v1/api_keys/{}", made["api_key"]["id"]);
    assert_eq!(server.request("DELETE", &path, Some(session), None).0, 204);
    made["key"].as_str().unwrap().to_owned()
}
