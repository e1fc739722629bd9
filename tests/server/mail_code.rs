//! Signing in by mail over processes: a code at two servers, around a restart and a rotation of the key base, and what log
//! and database hold of it.

use std::thread;

use serde_json::{Value, json};

use crate::support::mail_code::{Mailed, mailed_in, other_than};
use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::RawConnection;

const ONE: &str = "one@example.com";
const PASSWORD: &str = "password";

fn post(server: &Server, path: &str, body: Value) -> (u16, Value) {
    server.request("POST", path, None, Some(&body))
}

fn ask(server: &Server) -> String {
    let (status, reply) = post(server, "/v1/session/code", json!({ "email_address": ONE }));
    assert_eq!(status, 202, "{reply}");
    reply["request_token"].as_str().unwrap().to_owned()
}

/// What the only mail with a code holds.
fn mailed(test_server: &TestServer) -> Mailed {
    eventually(|| {
        let mails = test_server.mails();
        let mail = mails.iter().find(|mail| mail.contains("/session/code#"))?;
        Some(mailed_in(mail))
    })
}

fn present(server: &Server, request_token: &str, code: &str) -> (u16, Value) {
    let body = json!({ "request_token": request_token, "code": code });
    post(server, "/v1/session", body)
}

#[test]
fn a_mailed_code_works_once_at_two_servers() {
    let test_server = TestServer::new();
    let (a, b) = (test_server.serve(), test_server.serve());
    a.sign_up_token(ONE, PASSWORD);
    let token = ask(&a);
    let code = mailed(&test_server).code;
    let statuses: Vec<u16> = thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|n| {
                let (server, token, code) = ([&a, &b][n % 2], &token, &code);
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
    let (status, reply) = present(&test_server.serve(), &token, &code);
    assert_eq!((status, &reply["code"]), (401, &json!("invalid_code")));
}

#[test]
fn wrong_codes_at_two_servers_are_counted_together() {
    let test_server = TestServer::new();
    let (a, b) = (test_server.serve(), test_server.serve());
    a.sign_up_token(ONE, PASSWORD);
    let token = ask(&a);
    let code = mailed(&test_server).code;
    let wrong = other_than(&code);
    thread::scope(|scope| {
        for n in 0..5 {
            let (server, token, wrong) = ([&a, &b][n % 2], &token, &wrong);
            scope.spawn(move || assert_eq!(present(server, token, wrong).0, 401));
        }
    });
    let tries = test_server
        .store()
        .count("SELECT max(tries) FROM mail_codes");
    assert_eq!(tries, 5);
    assert_eq!(present(&b, &token, &code).0, 401);
}

#[test]
fn a_code_is_mailed_although_the_server_is_killed() {
    let test_server = TestServer::new();
    let mut server = test_server.serve();
    server.sign_up_token(ONE, PASSWORD);
    let token = ask(&server);
    server.kill();
    // A mail that it was sending is leased for a while.
    let due = "UPDATE outbox SET next_attempt_at = 0 WHERE sent_at IS NULL";
    test_server.store().execute(due);
    let server = test_server.serve();
    let code = mailed(&test_server).code;
    let (status, reply) = present(&server, &token, &code);
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn a_mailed_code_works_after_a_rotation_of_the_key_base() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token(ONE, PASSWORD);
    let tokens = [ask(&server), ask(&server)];
    let mails = eventually(|| {
        let mails = test_server.mails();
        let codes: Vec<_> = mails
            .iter()
            .filter(|mail| mail.contains("/session/code#"))
            .map(|mail| mailed_in(mail))
            .collect();
        (codes.len() == 2).then_some(codes)
    });
    drop(server);
    assert!(test_server.run(&["secret", "rotate"]).status.success());
    let server = test_server.serve();
    // Folders list in any order.
    let works = |token: &str| {
        mails
            .iter()
            .any(|mailed| present(&server, token, &mailed.code).0 == 200)
    };
    assert!(works(&tokens[0]));
    drop(server);
    assert!(
        test_server
            .run(&["secret", "rotate", "--leaked"])
            .status
            .success()
    );
    let server = test_server.serve();
    assert!(
        mails
            .iter()
            .all(|mailed| present(&server, &tokens[1], &mailed.code).0 == 401)
    );
}

#[test]
fn log_and_database_hold_no_mailed_code() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__LOG__LEVEL", "trace");
    let server = test_server.serve();
    server.sign_up_token(ONE, PASSWORD);
    let mut connection = RawConnection::to(&server);
    let body = json!({ "email_address": ONE, "remember": true }).to_string();
    let ours = "Sec-Fetch-Site: same-origin\r\n";
    connection.ask("POST", "/v1/session/code", ours, &body);
    let asked = connection.receive();
    assert_eq!(asked.status, 202, "{}", asked.body);
    let reply: Value = serde_json::from_str(&asked.body).unwrap();
    let token = reply["request_token"].as_str().unwrap().to_owned();
    let line = asked.header("Set-Cookie").unwrap().to_owned();
    let cookie = line.split(['=', ';']).nth(1).unwrap().to_owned();
    let mail = mailed(&test_server);
    let secrets = [&token, &cookie, &mail.code, &mail.link];
    let assert_clean = |log: &str| {
        let content = test_server.store().content();
        for secret in secrets {
            let is_held = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_held && !log.contains(secret.as_str()), "{secret}");
        }
    };
    assert_clean(&server.log());

    assert_eq!(present(&server, &token, &other_than(&mail.code)).0, 401);
    assert_eq!(present(&server, "crm_canary", &mail.code).0, 401);
    let opened = post(
        &server,
        "/v1/session/code/check",
        json!({ "token": mail.link }),
    );
    assert_eq!((opened.0, &opened.1["code"]), (200, &json!(mail.code)));
    let link = json!({ "link_token": mail.link });
    assert_eq!(post(&server, "/v1/session", link).0, 401);
    assert_clean(&server.log());
    assert_eq!(present(&server, &token, &mail.code).0, 200);
    let log = server.wait_for_log("unverified_password_removed");
    for event in [
        "mail_code_requested",
        "mail_code_refused",
        "mail_link_refused",
        "unverified_password_removed",
        "address_verified",
    ] {
        let forms = [format!("event={event:?}"), format!("\"event\":{event:?}")];
        assert!(forms.iter().any(|form| log.contains(form)), "{event}");
    }
    assert_clean(&log);
}
