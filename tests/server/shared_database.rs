//! Two servers on one file: a change at one applies at both at once.

use std::collections::HashSet;
use std::thread;

use serde_json::json;

use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer, agent, request};

fn pair() -> (TestServer, Server, Server) {
    let test_server = TestServer::on_file();
    let (a, b) = (test_server.serve(), test_server.serve());
    (test_server, a, b)
}

#[test]
fn concurrent_first_starts_share_one_file_and_key() {
    // The two must meet at the same moment, which takes some tries.
    for _ in 0..30 {
        start_two_at_once();
    }
}

fn start_two_at_once() {
    let test_server = TestServer::on_file();
    let (a, b) = thread::scope(|scope| {
        let (a, b) = (
            scope.spawn(|| test_server.serve()),
            scope.spawn(|| test_server.serve()),
        );
        (a.join().unwrap(), b.join().unwrap())
    });
    a.sign_up_token("one@example.com", "password");
    a.request_reset_mail("one@example.com");
    let link = link_token(&test_server.wait_for_mails(1)[0], "/passwords/edit#");
    for server in [&a, &b] {
        let (status, reply) = server.request("GET", &format!("/v1/passwords/{link}"), None, None);
        assert_eq!(status, 200, "{reply}");
    }
}

#[test]
fn sessions_are_shared_between_servers_at_once() {
    let (_house, a, b) = pair();
    let token = a.sign_up_token("one@example.com", "password");
    for _ in 0..10 {
        assert_eq!(b.session_status(&token), 200);
    }
    assert_eq!(
        b.request("DELETE", "/v1/session", Some(&token), None).0,
        200
    );
    assert_eq!(a.session_status(&token), 401);

    let (status, reply) = b.sign_in("one@example.com", "password");
    assert_eq!(status, 200);
    let token = reply["token"].as_str().unwrap();
    assert_eq!(a.session_status(token), 200);
}

#[test]
fn limits_are_shared_between_servers() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__THROTTLE__ENABLED", "true");
    let (a, b) = (test_server.serve(), test_server.serve());
    let statuses: Vec<u16> = (0..12)
        .map(|n| [&a, &b][n % 2].sign_in("nobody@example.com", "password").0)
        .collect();
    assert_eq!(statuses, [vec![401; 10], vec![429; 2]].concat());
}

#[test]
fn a_mail_is_sent_once_by_either_server() {
    let (test_server, a, b) = pair();
    for n in 0..20 {
        let address = format!("u{n}@example.com");
        a.sign_up_token(&address, "password");
        [&a, &b][n % 2].request_reset_mail(&address);
    }
    let letters = test_server.wait_for_mails(20);
    let ids: HashSet<&str> = letters
        .iter()
        .map(|letter| {
            letter
                .lines()
                .find(|line| line.starts_with("Message-ID:"))
                .unwrap()
        })
        .collect();
    assert_eq!((letters.len(), ids.len()), (20, 20));
    let database = test_server.open_database();
    let count = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM outbox WHERE attempts <> 1"), 0);
}

#[test]
fn concurrent_writes_of_two_servers_all_succeed() {
    let (test_server, a, b) = pair();
    thread::scope(|scope| {
        for worker in 0..8 {
            let server = [&a, &b][worker % 2];
            scope.spawn(move || {
                let agent = agent();
                let call = |method: &str, path: &str, token: Option<&str>, body| {
                    request(&agent, &server.url(path), method, token, Some(&body)).unwrap()
                };
                for n in 0..12 {
                    let address = format!("w{worker}n{n}@example.com");
                    let credentials = json!({ "email_address": address, "password": "password" });
                    let (status, reply) = call("POST", "/v1/registrations", None, credentials);
                    assert_eq!(status, 201, "{reply}");
                    let token = reply["token"].as_str().unwrap();
                    for _ in 0..3 {
                        let (status, reply) = call(
                            "POST",
                            "/v1/projects",
                            Some(token),
                            json!({ "title": "Ours" }),
                        );
                        assert_eq!(status, 201, "{reply}");
                    }
                    let (status, reply) = call("DELETE", "/v1/session", Some(token), json!({}));
                    assert_eq!(status, 200, "{reply}");
                }
            });
        }
    });
    let database = test_server.open_database();
    let count = |sql: &str| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM users"), 96);
    assert_eq!(count("SELECT count(*) FROM projects"), 288);
    assert_eq!(count("SELECT count(*) FROM sessions"), 0);
}
