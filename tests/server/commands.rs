//! The operator's commands: by themselves, and beside a running server.

mod api_keys;
mod backup;
mod doctor;
mod events;
mod health;
mod limits;
mod moving;
mod passwords;
mod providers;
mod restore;
mod secret;
mod sessions;
mod settings;
mod sweep;
mod users;

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::flows::Flows;
use crate::support::process::{Server, TestServer};

const PASSWORD: &str = "correct horse battery";

/// What a command came to.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        serde_json::from_str(&self.out).unwrap()
    }

    fn done(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// The one sentence that it failed with.
    fn refused(self) -> String {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        self.err
            .trim_end()
            .strip_prefix("cloakroom: ")
            .unwrap()
            .to_owned()
    }

    /// It was not a command at all.
    fn misused(self) -> String {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        self.err
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run(test_server: &TestServer, arguments: &[&str]) -> Ran {
    test_server.command(arguments).output().unwrap().into()
}

fn run_with_input(test_server: &TestServer, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = test_server
        .command(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended before it read anything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

/// A user with [`PASSWORD`], made by the command, in a database that is made first if there is none.
fn create(test_server: &TestServer, address: &str) -> Value {
    if !test_server.store().exists() {
        run(test_server, &["migrate"]).done();
    }
    let ran = run_with_input(
        test_server,
        &["users", "create", address, "--json"],
        PASSWORD.as_bytes(),
    );
    ran.json()["user"].clone()
}

/// The token of a new session.
fn token(server: &Server, address: &str) -> String {
    let (status, body) = server.sign_in(address, PASSWORD);
    assert_eq!(status, 200, "{body}");
    body["token"].as_str().unwrap().to_owned()
}

/// The status of asking who one is.
fn status_of(server: &Server, token: &str) -> u16 {
    server.request("GET", "/v1/session", Some(token), None).0
}

fn is_rfc3339(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.len() == 24 && text.ends_with('Z') && text.contains('T'))
}

/// The mails of `mail list`.
fn mails(test_server: &TestServer) -> Vec<Value> {
    let listed = run(test_server, &["mail", "list", "--json"]).json();
    listed["mails"].as_array().unwrap().clone()
}

#[test]
fn the_routes_command_shows_access() {
    let test_server = TestServer::new();
    let listed = run(&test_server, &["routes", "--json"]).json();
    let routes = listed["routes"].as_array().unwrap();
    let sign_out = json!({ "method": "DELETE", "path": "/v1/session", "access": "session" });
    assert!(
        routes.contains(&sign_out)
            && routes.contains(&json!({ "method": "GET", "path": "/up", "access": "public" }))
    );

    let table = run(&test_server, &["routes"]).done();
    assert_eq!(table.lines().count(), routes.len() + 1);
    let columns = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        columns(table.lines().next().unwrap()),
        ["METHOD", "PATH", "ACCESS"]
    );
    assert!(
        table
            .lines()
            .any(|line| columns(line) == ["DELETE", "/v1/session", "session"])
    );
}

#[test]
fn the_routes_command_omits_a_sample_that_is_off() {
    let mut test_server = TestServer::new();
    for (enabled, expected) in [("true", true), ("false", false)] {
        test_server.set("CLOAKROOM__SAMPLES__ENABLED", enabled);
        let table = run(&test_server, &["routes"]).done();
        assert_eq!(table.contains("/v1/projects"), expected, "{enabled}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let test_server = TestServer::new();
    let mut child = test_server.command(&["routes"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let test_server = TestServer::new();
    run(&test_server, &["user", "list"]).misused();
    run(&test_server, &["users", "list", "--limit", "0"]).misused();
    run(&test_server, &["sessions", "revoke"]).misused();
    run(&test_server, &["sessions", "revoke", "1", "--user", "1"]).misused();
    run(&test_server, &["mail", "retry", "first"]).misused();
}

#[test]
fn a_failed_mail_is_retried_by_command() {
    let mut test_server = TestServer::new();
    create(&test_server, "one@example.com");
    // Nothing can be written there.
    test_server.set("CLOAKROOM__MAIL__DIRECTORY", "/dev/null/mail");
    let mut server = test_server.serve();
    let body = json!({ "email_address": "one@example.com" });
    server.request("POST", "/v1/passwords", None, Some(&body));
    server.wait_for_log("a mail could not be sent");
    server.signal("TERM");
    server.wait();

    let waiting = mails(&test_server);
    assert_eq!(waiting.len(), 1);
    let id = waiting[0]["id"].to_string();
    assert_eq!(waiting[0]["kind"], "password_reset");
    assert_eq!(waiting[0]["email_address"], "one@example.com");
    assert_eq!(waiting[0]["attempts"], 1);
    assert!(is_rfc3339(&waiting[0]["created_at"]) && waiting[0]["sent_at"].is_null());
    let table = run(&test_server, &["mail", "list", "--limit", "1"]).done();
    assert!(
        table.contains("waiting until") && table.contains("writing into"),
        "{table}"
    );

    // Given up, it does not leave by itself.
    test_server
        .store()
        .execute("UPDATE outbox SET dead_at = created_at");
    assert!(
        run(&test_server, &["mail", "list"])
            .done()
            .contains("failed 2")
    );
    assert!(
        run(&test_server, &["mail", "retry", &id])
            .done()
            .contains("retrying")
    );
    assert_eq!(mails(&test_server)[0]["attempts"], 0);
    test_server.set(
        "CLOAKROOM__MAIL__DIRECTORY",
        test_server.mail_folder().to_str().unwrap(),
    );
    let server = test_server.serve();
    server.wait_for_log("a mail was sent");
    assert!(is_rfc3339(&mails(&test_server)[0]["sent_at"]));
    let refusal = run(&test_server, &["mail", "retry", &id]).refused();
    assert_eq!(refusal, format!("no unsent mail with id {id}"));
    assert_eq!(
        std::fs::read_dir(test_server.mail_folder())
            .unwrap()
            .count(),
        1
    );
}
