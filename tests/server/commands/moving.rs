//! `move`: between a file and PostgreSQL, and what is refused. Without a server (`.ci/postgres`) only moves between files
//! are tested.

use std::fs;
use std::io::{BufRead, BufReader};

use cloakroom::store::TestSchema;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{PASSWORD, create, mails, run};
use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer, eventually};

/// What a user holds.
struct Held {
    session: String,
    signed_out: String,
    api_key: String,
    access: String,
    revoked_access: String,
    refresh: String,
    link: String,
}

impl Held {
    fn of(test_server: &TestServer, server: &Server) -> Self {
        let session = server.sign_up_token("one@example.com", PASSWORD);
        let signed_out = super::token(server, "one@example.com");
        let (status, _) = server.request("DELETE", "/v1/session", Some(&signed_out), None);
        assert_eq!(status, 200);
        let pair = || {
            let (status, pair) = server.issue_tokens(&session, "projects:read");
            assert_eq!(status, 200, "{pair}");
            let text = |name: &str| pair[name].as_str().unwrap().to_owned();
            (text("access_token"), text("refresh_token"))
        };
        let ((access, refresh), (revoked_access, _)) = (pair(), pair());
        let body = json!({ "token": revoked_access });
        let (status, _) = server.request("POST", "/v1/tokens/revoke", None, Some(&body));
        assert_eq!(status, 200);
        let key = run(
            test_server,
            &[
                "api-keys",
                "create",
                "--name",
                "A key",
                "--user",
                "one@example.com",
                "--scope",
                "projects:read",
                "--json",
            ],
        );
        server.request_reset_mail("one@example.com");
        Self {
            session,
            signed_out,
            api_key: key.json()["key"].as_str().unwrap().to_owned(),
            access,
            revoked_access,
            refresh,
            link: reset_link(test_server),
        }
    }

    fn assert_valid(&mut self, server: &Server) {
        assert_eq!(server.session_status(&self.session), 200);
        assert_eq!(server.session_status(&self.signed_out), 401);
        let opens = |token: &str| server.request("GET", "/v1/projects", Some(token), None).0;
        assert_eq!((opens(&self.api_key), opens(&self.access)), (200, 200));
        assert_eq!(opens(&self.revoked_access), 401);
        let (status, pair) = server.refresh(&self.refresh);
        assert_eq!(status, 200, "{pair}");
        self.refresh = pair["refresh_token"].as_str().unwrap().to_owned();
        let link = format!("/v1/passwords/{}", self.link);
        assert_eq!(server.request("GET", &link, None, None).0, 200);
    }
}

/// The token of the first link in a mail that resets a password.
fn reset_link(test_server: &TestServer) -> String {
    const LINK: &str = "/passwords/edit#";
    let find = || {
        let mails = test_server.mails();
        let mail = mails.iter().find(|mail| mail.contains(LINK))?;
        Some(link_token(mail, LINK))
    };
    eventually(find)
}

fn stop(mut server: Server) {
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}

/// A folder with the same key base as `other`.
fn beside(other: &TestServer) -> TestServer {
    let test_server = TestServer::on_file();
    let base = |test_server: &TestServer| test_server.database().with_extension("key_base");
    fs::copy(base(other), base(&test_server)).unwrap();
    test_server
}

#[test]
fn credentials_stay_valid_in_a_moved_database() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let mut file = TestServer::on_file();
    file.set(
        "CLOAKROOM__DATABASE__PREPARE",
        schema.prepares().to_string(),
    );
    let server = file.serve();
    let mut held = Held::of(&file, &server);
    stop(server);
    // A mail that waits.
    file.set("CLOAKROOM__MAIL__DIRECTORY", "/dev/null/mail");
    let server = file.serve();
    server.request_reset_mail("one@example.com");
    server.wait_for_log("a mail could not be sent");
    stop(server);

    let url = file.path().join("url");
    fs::write(&url, format!("{}\n", schema.url().expose())).unwrap();
    let moved = run(&file, &["move", "--to-url-file", url.to_str().unwrap()]);
    assert!(moved.err.contains("copied users: 1 rows"), "{}", moved.err);
    assert!(moved.err.contains("database.url"), "{}", moved.err);
    assert!(!moved.err.contains("postgres://"), "{}", moved.err);
    let table = moved.done();
    assert!(table.starts_with("TABLE "), "{table}");
    assert!(table.contains("\nmoved "), "{table}");

    let mut node = beside(&file);
    node.set("CLOAKROOM__DATABASE__URL", schema.url().expose());
    node.set(
        "CLOAKROOM__DATABASE__PREPARE",
        schema.prepares().to_string(),
    );
    let waiting = mails(&node);
    let is_ours = |mail: &&Value| mail["kind"] == "password_reset" && mail["sent_at"].is_null();
    let id = waiting.iter().find(is_ours).unwrap()["id"].to_string();
    run(&node, &["mail", "retry", &id]).done();
    let server = node.serve();
    held.assert_valid(&server);
    let link = format!("/v1/passwords/{}", reset_link(&node));
    assert_eq!(server.request("GET", &link, None, None).0, 200);
    server.sign_up_token("two@example.com", PASSWORD);
    stop(server);

    node.set("CLOAKROOM__DATABASE__URL", schema.source_url().expose());
    let back = beside(&node);
    let target = back.database();
    let moved = run(&node, &["move", "--json", "--to", target.to_str().unwrap()]).json();
    assert_eq!(moved["to"], target.to_str().unwrap());
    let table = |name: &str| {
        let tables = moved["tables"].as_array().unwrap();
        tables.iter().find(|table| table["name"] == name).cloned()
    };
    let users = table("users").unwrap();
    assert_eq!(
        (&users["rows"], users["sha256"].as_str().unwrap().len()),
        (&json!(2), 64)
    );
    assert_eq!(table("write_probe"), None);
    let server = back.serve();
    held.assert_valid(&server);
    assert_eq!(server.sign_in("two@example.com", PASSWORD).0, 200);
    assert!(run(&back, &["doctor"]).out.contains("sound"));
}

#[test]
fn a_file_that_a_server_uses_is_not_moved() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    let go = || run(&test_server, &["move", "--to", "target.db"]);
    let refusal = go().refused();
    let holder = format!("process {} has this file open", server.id());
    assert!(refusal.contains(&holder), "{refusal}");
    assert!(!test_server.path().join("target.db").exists());
    stop(server);
    let moved = go();
    // Links and access tokens would otherwise end.
    assert!(moved.err.contains("copy the key base"), "{}", moved.err);
    moved.done();
}

#[test]
fn a_killed_move_leaves_an_empty_target() {
    let mut test_server = TestServer::on_file();
    // Poolers need it.
    test_server.set("CLOAKROOM__DATABASE__PREPARE", "false");
    create(&test_server, "one@example.com");
    let rows = Connection::open(test_server.database()).unwrap();
    rows.execute_batch(
        "BEGIN;
         INSERT INTO users (email_address, created_at, updated_at)
             WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)
             SELECT x || '@example.com', x, x FROM n;
         INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
             SELECT id, randomblob(32), '192.0.2.1', 1, 2, 3 FROM users;
         COMMIT",
    )
    .unwrap();
    drop(rows);
    let kill = |target: &str| {
        let mut child = test_server
            .command(&["move", "--to", target])
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("copied users")));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    };
    let complete = |target: &str| {
        let moved = run(&test_server, &["move", "--json", "--to", target]).json();
        let users = &moved["tables"].as_array().unwrap()[0];
        assert_eq!(
            (&users["name"], &users["rows"]),
            (&json!("users"), &json!(20001))
        );
    };
    let drafts = || {
        let entries = fs::read_dir(test_server.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("target.db"))
            .collect::<Vec<_>>()
    };
    kill("target.db");
    let left = drafts();
    assert!(
        left.len() == 1 && left[0].len() > "target.db".len(),
        "{left:?}"
    );
    complete("target.db");
    assert_eq!(drafts(), ["target.db"]);

    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    kill(schema.url().expose());
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(schema.query(tables).unwrap(), []);
    complete(schema.url().expose());
}

#[test]
fn a_target_that_cannot_be_used_is_refused() {
    let test_server = TestServer::on_file();
    create(&test_server, "one@example.com");
    run(&test_server, &["move"]).misused();
    run(
        &test_server,
        &["move", "--to", "a.db", "--to-url-file", "b"],
    )
    .misused();
    let go = |arguments: &[&str]| run(&test_server, &[&["move"], arguments].concat()).refused();
    fs::write(
        test_server.path().join("url"),
        "mysql://one:hunter2@host/name",
    )
    .unwrap();
    for (arguments, expected) in [
        (
            &["--to-url-file", "url"][..],
            "url: is no URL of PostgreSQL",
        ),
        (&["--to-url-file", "missing"], "missing: No such file"),
        (&["--to", "cloakroom.db"], "exists already"),
        (
            &["--to", "/dev/null/target.db"],
            "target /dev/null/target.db: ",
        ),
        (
            &["--to", "postgres://one:hunter2@127.0.0.1:1/name"],
            "target 127.0.0.1:1/name: error connecting",
        ),
        (
            &["--to", "postgres://one:hunter2@host/name?sslmode=prefer"],
            "target: sslmode must be",
        ),
    ] {
        let refusal = go(arguments);
        assert!(refusal.contains(expected), "{arguments:?}: {refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
