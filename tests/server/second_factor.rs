//! Second factors over processes: a code at two servers, after a restart, and after a rotation of the key base.

use std::fs;
use std::thread;

use cloakroom::crypto::totp::TotpSecret;
use cloakroom::domain::clock::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::support::flows::Flows;
use crate::support::mail_code::mailed_in;
use crate::support::process::{Server, TestServer, eventually};

const ONE: &str = "one@example.com";
const PASSWORD: &str = "password";

fn now() -> Timestamp {
    Clock::System.now()
}

/// Signs a user up and sets up an authenticator app. It is proved by the code before the current one, so that the current
/// one is not used.
fn enrolled(server: &Server) -> TotpSecret {
    let token = server.sign_up_token(ONE, PASSWORD);
    let challenge = json!({ "password_challenge": PASSWORD });
    let (status, shown) = server.request("POST", "/v1/user/totp", Some(&token), Some(&challenge));
    assert_eq!(status, 200, "{shown}");
    let secret = TotpSecret::from_base32(shown["secret"].as_str().unwrap()).unwrap();
    // At the end of a step the code before it is too old when it arrives.
    eventually(|| {
        let code = secret.code_at(now() - std::time::Duration::from_secs(30));
        let body = json!({ "code": code, "password_challenge": PASSWORD });
        let (status, _) = server.request("PUT", "/v1/user/totp", Some(&token), Some(&body));
        (status == 200).then_some(())
    });
    secret
}

fn pending(server: &Server) -> String {
    let (status, reply) = server.sign_in(ONE, PASSWORD);
    assert_eq!(
        (status, &reply["code"]),
        (401, &json!("second_factor_required")),
        "{reply}"
    );
    reply["pending_token"].as_str().unwrap().to_owned()
}

fn present(server: &Server, pending: &str, code: &str) -> (u16, Value) {
    let body = json!({ "pending_token": pending, "totp_code": code });
    server.request("POST", "/v1/session/second_factor", None, Some(&body))
}

/// Signs in with the code that the app shows now.
fn sign_in(server: &Server, secret: &TotpSecret) -> (u16, Value) {
    present(server, &pending(server), &secret.code_at(now()))
}

#[test]
fn every_event_of_second_factors_is_written() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let secret = enrolled(&server);
    let body = json!({ "pending_token": pending(&server), "totp_code": "000000" });
    let second_step =
        |body: &Value| server.request("POST", "/v1/session/second_factor", None, Some(body));
    assert_eq!(second_step(&body).0, 401);
    assert_eq!(
        second_step(&json!({ "pending_token": "crp_", "totp_code": "1" })).0,
        401
    );
    let (status, reply) = sign_in(&server, &secret);
    assert_eq!(status, 200, "{reply}");
    let token = reply["token"].as_str().unwrap();
    let challenge = json!({ "password_challenge": PASSWORD });
    let path = "/v1/user/recovery_codes";
    let (status, codes) = server.request("POST", path, Some(token), Some(&challenge));
    assert_eq!(status, 200, "{codes}");
    let code = &codes["recovery_codes"][0];
    let body = json!({ "pending_token": pending(&server), "recovery_code": code });
    assert_eq!(second_step(&body).0, 200);
    let removed = server.request("DELETE", "/v1/user/totp", Some(token), Some(&challenge));
    assert_eq!(removed.0, 204);
    let log = server.wait_for_log("totp_removed");
    for event in [
        "totp_enrolled",
        "second_factor_due",
        "second_factor_failed",
        "pending_sign_in_refused",
        "recovery_codes_replaced",
        "recovery_code_used",
        "totp_removed",
    ] {
        let forms = [format!("event={event:?}"), format!("\"event\":{event:?}")];
        assert!(
            forms.iter().any(|form| log.contains(form)),
            "{event} is not in:\n{log}"
        );
    }
    let shown = codes["recovery_codes"].as_array().unwrap();
    let secrets = shown.iter().map(|code| code.as_str().unwrap().to_owned());
    for secret in secrets.chain([secret.to_base32().to_string()]) {
        assert!(!log.contains(&secret), "a secret is in the log");
    }
}

#[test]
fn a_code_works_once_at_two_servers_and_after_a_restart() {
    let test_server = TestServer::new();
    let (a, b) = (test_server.serve(), test_server.serve());
    let secret = enrolled(&a);
    let code = secret.code_at(now());
    let tokens: Vec<String> = (0..5).map(|_| pending(&a)).collect();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|n| {
                let (server, token, code) = ([&a, &b][n % 2], &tokens[n % 5], &code);
                scope.spawn(move || present(server, token, code).0)
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
    let (status, reply) = present(&server, &pending(&server), &code);
    assert_eq!((status, &reply["code"]), (401, &json!("invalid_code")));
}

#[test]
fn a_code_works_after_a_rotation_of_the_key_base() {
    let test_server = TestServer::on_file();
    let secret = enrolled(&test_server.serve());
    assert!(test_server.run(&["secret", "rotate"]).status.success());
    let refused = test_server.run(&["secret", "forget", "--yes"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("still seals secrets of authenticator apps (1)"),
        "{said}"
    );
    let server = test_server.serve();
    eventually(|| {
        let forgotten = test_server.run(&["secret", "forget", "--yes"]);
        forgotten.status.success().then_some(())
    });
    drop(server);
    let (status, reply) = sign_in(&test_server.serve(), &secret);
    assert_eq!(status, 200, "{reply}");
}

/// Nodes on PostgreSQL do not start with a base that replaces another one unlisted.
fn adopt_key_base(test_server: &TestServer) {
    let adopted = test_server.run(&["secret", "adopt", "--yes"]);
    assert!(adopted.status.success(), "{adopted:?}");
}

#[test]
fn a_leaked_key_base_is_dropped_without_the_secrets() {
    let test_server = TestServer::on_file();
    let secret = enrolled(&test_server.serve());
    assert!(
        test_server
            .run(&["secret", "rotate", "--leaked"])
            .status
            .success()
    );
    let previous = test_server.path().join("cloakroom.key_base.previous");
    assert_eq!(fs::read_to_string(previous).unwrap(), "");
    adopt_key_base(&test_server);
    let (status, reply) = sign_in(&test_server.serve(), &secret);
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn no_app_is_set_up_between_a_leak_and_the_restart() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    enrolled(&server);
    let token = server.sign_up_token("two@example.com", PASSWORD);
    let challenge = json!({ "password_challenge": PASSWORD });
    let rotated = test_server.run(&["secret", "rotate", "--leaked"]);
    assert!(rotated.status.success(), "{rotated:?}");
    let start =
        |server: &Server| server.request("POST", "/v1/user/totp", Some(&token), Some(&challenge));
    let (status, reply) = start(&server);
    assert_eq!((status, &reply["code"]), (503, &json!("unavailable")));
    assert!(
        server
            .wait_for_log("key_base_retired")
            .contains("key_base_retired")
    );
    drop(server);
    let (status, reply) = start(&test_server.serve());
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn a_secret_of_a_lost_base_stops_no_rotation() {
    let test_server = TestServer::on_file();
    enrolled(&test_server.serve());
    let base = test_server.path().join("cloakroom.key_base");
    fs::write(&base, "k".repeat(64)).unwrap();
    for command in [
        &["secret", "rotate"][..],
        &["secret", "forget", "--yes"],
        &["secret", "rotate", "--leaked"],
    ] {
        let done = test_server.run(command);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    assert_ne!(fs::read_to_string(base).unwrap(), "k".repeat(64));
}

#[test]
fn doctor_names_users_whose_secret_no_key_base_opens() {
    let test_server = TestServer::on_file();
    enrolled(&test_server.serve());
    fs::write(
        test_server.path().join("cloakroom.key_base"),
        "k".repeat(64),
    )
    .unwrap();
    let report = test_server.run(&["doctor"]);
    let said = String::from_utf8_lossy(&report.stdout);
    assert!(said.contains("cannot use the authenticator app"), "{said}");
    adopt_key_base(&test_server);
    let server = test_server.serve();
    let (status, _) = present(&server, &pending(&server), "123456");
    assert_eq!(status, 503);
}

/// With the database file and without the key base: nothing in it is a secret or a code, and nothing that it gives another
/// server with a key base of its own is accepted.
#[test]
fn a_database_file_alone_gives_no_secret_and_no_code() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let challenge = json!({ "password_challenge": PASSWORD });
    let post = |path: &str, body: &Value| server.request("POST", path, Some(&token), Some(body));
    let (_, shown) = post("/v1/user/totp", &challenge);
    let secret = TotpSecret::from_base32(shown["secret"].as_str().unwrap()).unwrap();
    let codes = eventually(|| {
        let code = secret.code_at(now());
        let body = json!({ "code": code, "password_challenge": PASSWORD });
        let (status, codes) = server.request("PUT", "/v1/user/totp", Some(&token), Some(&body));
        (status == 200).then_some(codes)
    });
    let (_, asked) = post("/v1/session/code", &json!({ "email_address": ONE }));
    let mailed = eventually(|| {
        let mails = test_server.mails();
        let mail = mails.iter().find(|mail| mail.contains("/session/code#"))?;
        Some(mailed_in(mail))
    });
    let recovery_codes = codes["recovery_codes"].as_array().unwrap();
    let mut held: Vec<Vec<u8>> = vec![
        secret.as_bytes().to_vec(),
        secret.to_base32().as_bytes().to_vec(),
        hex(secret.as_bytes()),
        mailed.code.clone().into_bytes(),
        mailed.link.clone().into_bytes(),
    ];
    for code in recovery_codes.iter().map(|code| code.as_str().unwrap()) {
        held.extend([code, &code.replace('-', "")].map(|text| text.as_bytes().to_vec()));
    }
    let content = test_server.store().content();
    for secret in &held {
        assert!(!content.windows(secret.len()).any(|window| window == secret));
    }
    drop(server);

    let elsewhere = TestServer::on_file();
    for suffix in ["", "-wal"] {
        let file = |server: &TestServer| format!("{}{suffix}", server.database().display());
        if fs::exists(file(&test_server)).unwrap() {
            fs::copy(file(&test_server), file(&elsewhere)).unwrap();
        }
    }
    let adopted = elsewhere.run(&["secret", "adopt", "--yes"]);
    assert!(adopted.status.success(), "{adopted:?}");
    let server = elsewhere.serve();
    let right = secret.code_at(now());
    let (status, reply) = present(&server, &pending(&server), &right);
    assert_eq!((status, &reply["code"]), (503, &json!("unavailable")));
    let body = json!({ "request_token": asked["request_token"], "code": mailed.code });
    let (status, reply) = server.request("POST", "/v1/session", None, Some(&body));
    assert_eq!((status, &reply["code"]), (401, &json!("invalid_code")));
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

#[test]
fn an_operator_removes_lost_factors_and_the_user_is_mailed() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    enrolled(&server);
    let asked = test_server.run(&["users", "reset-factors", ONE]);
    assert!(!asked.status.success());
    let done = test_server.run(&["users", "reset-factors", ONE, "--yes", "--json"]);
    let removed: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(removed["removed"], true);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("second_factors_reset"), "{said}");
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 200);
    eventually(|| {
        let mails = test_server.mails();
        mails
            .iter()
            .any(|mail| mail.contains("By: an operator of Cloakroom"))
            .then_some(())
    });
    let done = test_server.run(&["users", "reset-factors", ONE, "--yes", "--json"]);
    let again: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(again["removed"], false);
}
