//! `restore` and `after-restore`: what goes on, what ends, what is refused, and a restore that is killed.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::backup::{add_unusable_files, names};
use super::{PASSWORD, create, run};
use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer, eventually};

const ADDRESS: &str = "one@example.com";
const RESET: &str = "/passwords/edit#";

fn stop(mut server: Server) {
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}

fn pair(server: &Server, session: &str) -> (String, String) {
    let (status, pair) = server.issue_tokens(session, "projects:read");
    assert_eq!(status, 200, "{pair}");
    let text = |name: &str| pair[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn status_with(server: &Server, token: &str) -> u16 {
    server.request("GET", "/v1/projects", Some(token), None).0
}

fn link(test_server: &TestServer, number: usize) -> String {
    let mails = eventually(|| {
        let mut mails = test_server.mails();
        mails.retain(|mail| mail.contains(RESET));
        Some(mails).filter(|mails| mails.len() > number)
    });
    link_token(&mails[number], RESET)
}

fn execute(file: &Path, sql: &str) {
    let rows = Connection::open(file).unwrap();
    rows.execute_batch(sql).unwrap();
}

fn count(file: &Path, sql: &str) -> i64 {
    let rows = Connection::open(file).unwrap();
    rows.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_restore_ends_what_could_work_a_second_time() {
    let test_server = TestServer::on_file();
    let database = test_server.database();
    let server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    let ended_later = super::token(&server, ADDRESS);
    let (access, refresh) = pair(&server, &session);
    server.request_reset_mail(ADDRESS);
    let reset = link(&test_server, 0);
    let key = run(
        &test_server,
        &[
            "api-keys",
            "create",
            "--name",
            "A key",
            "--user",
            ADDRESS,
            "--scope",
            "projects:read",
            "--json",
        ],
    );
    let key = key.json()["key"].as_str().unwrap().to_owned();
    execute(
        &database,
        "INSERT INTO recovery_codes (user_id, code_digest, created_at) VALUES (1, x'01', 1), (1, x'02', 1);
         INSERT INTO totp_factors (user_id, sealed_secret, key_base, created_at, enrolled_at, last_step)
             VALUES (1, x'00', 'b', 1, 1, 5);
         INSERT INTO mail_codes (token_digest, remembered, tries, expires_at) VALUES (x'03', 0, 0, 9e15);
         INSERT INTO outbox (kind, class, email_address, created_at, expires_at, next_attempt_at)
             VALUES ('password_reset', 'link', 'x@example.com', 1, 9e15, 9e15),
                    ('new_device', 'notice', 'x@example.com', 1, 9e15, 9e15);",
    );
    run(&test_server, &["backup", "backup.db"]).done();

    // What the backup does not know.
    assert_eq!(
        server
            .request("DELETE", "/v1/session", Some(&ended_later), None)
            .0,
        200
    );
    let (status, refreshed) = server.refresh(&refresh);
    assert_eq!(status, 200, "{refreshed}");
    let body = json!({ "token": access });
    assert_eq!(
        server
            .request("POST", "/v1/tokens/revoke", None, Some(&body))
            .0,
        200
    );
    server.sign_up_token("two@example.com", PASSWORD);
    stop(server);

    let restored = run(
        &test_server,
        &["restore", "backup.db", "--replace", "--json"],
    );
    assert!(
        restored.err.contains("cloakroom sessions revoke --all"),
        "{}",
        restored.err
    );
    assert!(
        restored.err.contains("database_restored"),
        "{}",
        restored.err
    );
    let restored = restored.json();
    let expected = json!({
        "refresh_tokens": 1, "sign_ins": 1, "mails": 1, "recovery_codes": 2, "sessions": 0,
    });
    assert_eq!(restored["ended"], expected);
    assert_eq!(
        (
            &restored["users"],
            &restored["sessions"],
            &restored["api_keys"]
        ),
        (&json!(1), &json!(2), &json!(1))
    );
    let before = restored["database_before"].as_str().unwrap();
    assert_eq!(count(Path::new(before), "SELECT count(*) FROM users"), 2);
    assert!(count(&database, "SELECT last_step FROM totp_factors") > 50_000_000);
    assert_eq!(
        count(
            &database,
            "SELECT count(*) FROM outbox WHERE email_address = 'x@example.com'"
        ),
        1
    );

    let server = test_server.serve();
    assert_eq!(server.session_status(&session), 200);
    assert_eq!(
        server.session_status(&ended_later),
        200,
        "nothing knows of its end"
    );
    assert_eq!(status_with(&server, &key), 200);
    assert_eq!(status_with(&server, &access), 401);
    assert_eq!(server.refresh(&refresh).0, 400);
    let (_, introspected) = server.request(
        "POST",
        "/v1/tokens/introspect",
        Some(&key),
        Some(&json!({ "token": access })),
    );
    assert_ne!(introspected["active"], Value::Bool(true));
    let path = format!("/v1/passwords/{reset}");
    assert_ne!(server.request("GET", &path, None, None).0, 200);
    assert_eq!(server.sign_in("two@example.com", PASSWORD).0, 401);

    // The next ones work.
    eventually(|| {
        let (access, _) = pair(&server, &session);
        // Until the second of the restore is over.
        (status_with(&server, &access) == 200).then_some(())
    });
    server.request_reset_mail(ADDRESS);
    let path = format!("/v1/passwords/{}", link(&test_server, 1));
    assert_eq!(server.request("GET", &path, None, None).0, 200);
    assert!(run(&test_server, &["doctor"]).out.contains("sound"));
}

#[test]
fn a_restore_into_an_empty_folder_serves_each_session() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    let sessions: Vec<String> = (0..20)
        .map(|number| server.sign_up_token(&format!("{number}@example.com"), PASSWORD))
        .collect();
    run(&test_server, &["backup", "backup.db"]).done();
    drop(server);

    let mut other = TestServer::on_file();
    let path = other.path().join("new/cloakroom.db");
    other.set("CLOAKROOM__DATABASE__PATH", path.to_str().unwrap());
    let backup = test_server.path().join("backup.db");
    run(&other, &["restore", backup.to_str().unwrap()]).done();
    assert_eq!(names(&other.path().join("new"), ""), ["cloakroom.db"]);
    let server = other.serve();
    for session in sessions {
        assert_eq!(server.session_status(&session), 200);
    }
}

#[test]
fn the_operator_decides_on_sessions_and_recovery_codes() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    execute(
        &test_server.database(),
        "INSERT INTO recovery_codes (user_id, code_digest, created_at) VALUES (1, x'01', 1)",
    );
    let arguments = ["after-restore", "--end-sessions", "--keep-recovery-codes"];
    let refusal = run(&test_server, &arguments).refused();
    assert!(refusal.contains("not a terminal"), "{refusal}");
    assert_eq!(server.session_status(&session), 200);
    let ended = run(
        &test_server,
        &[&arguments[..], &["--yes", "--json"]].concat(),
    )
    .json();
    assert_eq!(ended["ended"]["sessions"], 1);
    assert_eq!(
        server.session_status(&session),
        401,
        "beside the server too"
    );
    let codes = "SELECT count(*) FROM recovery_codes";
    assert_eq!(count(&test_server.database(), codes), 1);
}

#[test]
fn a_backup_from_an_earlier_release_is_restored() {
    let test_server = TestServer::on_file();
    test_server.copy_database_of_schema_3();
    run(&test_server, &["backup", "backup.db"]).done();
    run(&test_server, &["restore", "backup.db", "--replace"]).done();
    assert!(
        run(&test_server, &["migrate", "--check"])
            .done()
            .contains("is current")
    );
}

#[test]
fn restores_that_cannot_be_made_change_nothing() {
    let mut test_server = TestServer::on_file();
    let server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    run(&test_server, &["backup", "backup.db"]).done();
    add_unusable_files(test_server.path());
    let at = |name: &str| test_server.path().join(name);
    fs::copy(at("backup.db"), at("newer.db")).unwrap();
    execute(&at("newer.db"), "PRAGMA user_version = 9999");

    let go = |name: &str| run(&test_server, &["restore", name, "--replace"]).refused();
    let refusal = go("backup.db");
    let holder = format!("process {} has this file open", server.id());
    assert!(refusal.contains(&holder), "{refusal}");
    stop(server);
    let refusal = run(&test_server, &["restore", "backup.db"]).refused();
    assert!(
        refusal.contains("there is a database already; --replace"),
        "{refusal}"
    );
    for (name, expected) in [
        ("missing.db", "backup missing.db: no such file"),
        ("short.db", "backup short.db: "),
        ("changed.db", "backup changed.db: "),
        ("text.db", "damaged or no SQLite database"),
        ("other.db", "another program's database"),
        ("newer.db", "written by a newer Cloakroom"),
    ] {
        let refusal = go(name);
        assert!(refusal.contains(expected), "{name}: {refusal}");
    }
    assert_eq!(names(test_server.path(), "cloakroom.db"), ["cloakroom.db"]);
    let server = test_server.serve();
    assert_eq!(server.session_status(&session), 200);
    drop(server);
    test_server.set(
        "CLOAKROOM__DATABASE__URL",
        "postgres://one:hunter2@127.0.0.1:1/name",
    );
    let refusal = run(&test_server, &["restore", "backup.db"]).refused();
    assert!(refusal.contains("cloakroom after-restore"), "{refusal}");
}

#[test]
fn a_killed_restore_leaves_the_database_as_it_was() {
    let test_server = TestServer::on_file();
    create(&test_server, ADDRESS);
    super::backup::fill(&test_server, 64);
    run(&test_server, &["backup", "backup.db"]).done();
    create(&test_server, "two@example.com");
    let arguments = ["restore", "backup.db", "--replace"];
    let mut child = test_server.command(&arguments).spawn().unwrap();
    let left = || names(test_server.path(), "cloakroom.db.");
    eventually(|| (!left().is_empty()).then_some(()));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    assert!(
        left()
            .iter()
            .all(|name| name.starts_with("cloakroom.db.restored.")),
        "{:?}",
        left()
    );
    let users = "SELECT count(*) FROM users";
    assert_eq!(count(&test_server.database(), users), 2);
    run(&test_server, &arguments).done();
    assert_eq!(count(&test_server.database(), users), 1);
    let left = left();
    assert!(
        left.len() == 1 && left[0].starts_with("cloakroom.db.before-restore-"),
        "{left:?}"
    );
}
