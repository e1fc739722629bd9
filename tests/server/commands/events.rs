//! Each kind of event is written, by the server or by a command.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{PASSWORD, create, run, run_with_input, token};
use crate::support::app::ONE;
use crate::support::flows::Flows;
use crate::support::process::{TestServer, eventually};

const EVENTS: &str = include_str!("../../../docs/reference/events.md");

#[track_caller]
fn assert_written(log: &str, events: &[&str]) {
    for event in events {
        let forms = [format!("event={event:?}"), format!("\"event\":{event:?}")];
        let is_written = forms.iter().any(|form| log.contains(form));
        assert!(is_written, "{event} is not in:\n{log}");
    }
}

#[test]
fn the_server_writes_what_users_do() {
    let test_server = TestServer::new();
    create(&test_server, ONE);
    let server = test_server.serve();
    let (first, mut session) = (token(&server, ONE), token(&server, ONE));
    server.request_reset_mail(ONE);
    let send = |method: &str, path: &str, session: &str, body| {
        let (status, reply) = server.request(method, path, Some(session), Some(&body));
        assert_eq!(status, 200, "{path}: {reply}");
        reply
    };
    let address = json!({ "email_address": ONE });
    send("POST", "/v1/confirmations", "", address);
    send("PATCH", "/v1/user", &session, json!({ "name": "One" }));
    let proof = json!({ "password": PASSWORD });
    let reply = send("POST", "/v1/session/reauthenticate", &session, proof);
    session = reply["token"].as_str().unwrap().to_owned();
    let address = json!({ "email_address": "new@example.com" });
    let reply = send("PUT", "/v1/user/email_address", &session, address);
    if let Some(token) = reply["token"].as_str() {
        session = token.to_owned();
    }
    send("DELETE", "/v1/session", &first, json!({}));
    let body = json!({ "password": "another horse battery" });
    send("PUT", "/v1/user/password", &session, body);
    assert_written(
        &server.wait_for_log("password_changed"),
        &[
            "reset_requested",
            "verification_requested",
            "user_updated",
            "reauthenticated",
            "address_change_requested",
            "session_ended",
            "password_changed",
        ],
    );
}

#[test]
fn an_unverified_sign_in_is_written() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", "required");
    create(&test_server, ONE);
    let server = test_server.serve();
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 403);
    let event = "sign_in_unverified";
    assert_written(&server.wait_for_log(event), &[event]);
}

#[test]
fn a_command_writes_what_it_does() {
    let test_server = TestServer::new();
    run(&test_server, &["migrate"]).done();
    let arguments = ["users", "create", ONE];
    let created = run_with_input(&test_server, &arguments, PASSWORD.as_bytes());
    assert_written(&created.err, &["user_created"]);
    let uid = format!("uid={}", rustix::process::getuid().as_raw());
    for who in [r#"actor="operator""#, &uid, "host="] {
        assert!(created.err.contains(who), "{who}: {}", created.err);
    }
    for (arguments, event) in [
        (["users", "reset-password", ONE], "reset_link_printed"),
        (["users", "disable", ONE], "user_disabled"),
        (["users", "enable", ONE], "user_enabled"),
        (["limits", "lift", "--all"], "limits_lifted"),
    ] {
        let ran = run(&test_server, &arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_written(&ran.err, &[event]);
    }
    let ran = run(
        &test_server,
        &["users", "metadata", ONE, r#"{"plan":"pro"}"#],
    );
    assert_written(&ran.err, &["metadata_changed"]);
}

#[test]
fn every_kind_of_event_is_asserted_by_a_test() {
    let rows = EVENTS.lines().filter_map(|line| line.strip_prefix("| `"));
    let names: Vec<&str> = rows
        .filter_map(|row| row.split_once("` | "))
        .filter(|(_, rest)| rest.starts_with("info |") || rest.starts_with("warn |"))
        .map(|(name, _)| name)
        .collect();
    assert!(names.len() > 30, "{names:?}");
    let mut files = Vec::new();
    rust_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
        &mut files,
    );
    let sources: Vec<String> = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let is_asserted = |name: &str| {
        let quoted = format!("\"{name}\"");
        sources.iter().any(|source| source.contains(&quoted))
    };
    let missing: Vec<_> = names.iter().filter(|name| !is_asserted(name)).collect();
    assert!(missing.is_empty(), "asserted by no test: {missing:?}");
}

#[test]
fn access_beyond_a_credential_is_written() {
    let test_server = TestServer::new();
    create(&test_server, ONE);
    let server = test_server.serve();
    let session = token(&server, ONE);
    let body = json!({ "scope": "projects:read" });
    let (_, pair) = server.request("POST", "/v1/tokens", Some(&session), Some(&body));
    let access = pair["access_token"].as_str().unwrap().to_owned();
    for (method, path, allowed) in [
        ("GET", "/v1/projects", true),
        ("GET", "/v1/sessions", false),
        ("POST", "/v1/projects", false),
        ("GET", "/v1/verify?scope=projects:write", false),
        ("POST", "/v1/tokens", false),
    ] {
        let before = server.log().matches("access_refused").count();
        let body = (method == "POST").then(|| json!({ "title": "A title" }));
        let (status, _) = server.request(method, path, Some(&access), body.as_ref());
        assert_eq!(status, if allowed { 200 } else { 403 }, "{path}");
        if !allowed {
            let count = || server.log().matches("access_refused").count();
            eventually(|| (count() == before + 1).then_some(()));
        }
    }
    let log = server.log();
    assert_written(&log, &["access_refused"]);
    let line = log
        .lines()
        .find(|line| line.contains("access_refused"))
        .unwrap();
    for field in ["credential", "access_token", "user", "session"] {
        assert!(line.contains(field), "{line}");
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
