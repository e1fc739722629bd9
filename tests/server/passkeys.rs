//! Passkeys of a server as a process: what its log has of them.

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
