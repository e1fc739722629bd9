//! `backup` and `backup verify`: beside a server that is written to, when killed, on a full disk, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use serde_json::json;

use super::{PASSWORD, create, run};
use crate::support::process::{TestServer, eventually};

/// The names in a folder that start like this.
pub(super) fn names(folder: &Path, start: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// Adds rows of some megabytes, so that a copy takes a while.
pub(super) fn fill(test_server: &TestServer, megabytes: u32) {
    let rows = test_server.open_database();
    rows.execute_batch(&format!(
        "INSERT INTO projects (user_id, title, description, created_at, updated_at)
             WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {})
             SELECT 1, x, hex(randomblob(4096)), 1, 1 FROM n",
        megabytes * 128
    ))
    .unwrap();
}

/// Adds files that are no backup: `backup.db` cut off and changed, a text, and the database of another program.
pub(super) fn add_unusable_files(folder: &Path) {
    let at = |name: &str| folder.join(name);
    let mut bytes = fs::read(at("backup.db")).unwrap();
    fs::write(at("short.db"), &bytes[..bytes.len() / 2]).unwrap();
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0xff);
    fs::write(at("changed.db"), &bytes).unwrap();
    fs::write(at("text.db"), "no database\n".repeat(100)).unwrap();
    let other = Connection::open(at("other.db")).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
}

fn addresses(file: &Path) -> Vec<String> {
    let backup = Connection::open(file).unwrap();
    let mut statement = backup
        .prepare("SELECT email_address FROM users ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_backup_has_all_that_was_acknowledged_before() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    fill(&test_server, 16);
    let file = test_server.path().join("backup.db");
    let acknowledged = Mutex::new(Vec::new());
    let has_ended = AtomicBool::new(false);
    let count = || acknowledged.lock().unwrap().len();
    let before = thread::scope(|threads| {
        threads.spawn(|| {
            for number in 0.. {
                let address = format!("{number}@example.com");
                server.sign_up_token(&address, PASSWORD);
                acknowledged.lock().unwrap().push(address);
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        eventually(|| (count() >= 3).then_some(()));
        let before = count();
        let made = run(&test_server, &["backup", "backup.db", "--json"]).json();
        assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
        assert!(made["seconds"].as_f64().is_some());
        // Writers went on.
        eventually(|| (count() > before + 1).then_some(()));
        has_ended.store(true, Ordering::Relaxed);
        before
    });
    let kept = addresses(&file);
    for address in &acknowledged.lock().unwrap()[..before] {
        assert!(kept.contains(address), "{address}");
    }
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(names(test_server.path(), "backup.db"), ["backup.db"]);
}

#[test]
fn verify_shows_what_a_backup_holds() {
    let mut test_server = TestServer::on_file();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", PASSWORD);
    drop(server);
    run(&test_server, &["backup", "backup.db"]).done();
    let shown = run(&test_server, &["backup", "verify", "backup.db"]).done();
    for expected in [
        "ok  integrity  sound",
        "ok  content    1 users, 1 sessions, 0 API keys",
        "0 minutes ago",
        "the key base of the settings, ",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert_eq!(names(test_server.path(), "backup.db"), ["backup.db"]);

    test_server.set("CLOAKROOM__SECRETS__KEY_BASE", "k".repeat(64));
    let shown = run(&test_server, &["backup", "verify", "backup.db"]).done();
    assert!(
        shown.contains("warn  keys       of another key base: "),
        "{shown}"
    );
}

#[test]
fn verify_names_what_is_wrong_with_a_file() {
    let test_server = TestServer::on_file();
    create(&test_server, "one@example.com");
    run(&test_server, &["backup", "backup.db"]).done();
    add_unusable_files(test_server.path());
    let at = |name: &str| test_server.path().join(name);
    fs::copy(at("backup.db"), at("live.db")).unwrap();
    fs::write(at("live.db-wal"), "x").unwrap();
    for (name, expected) in [
        ("missing.db", "no such file"),
        ("short.db", "this file is damaged"),
        ("changed.db", "fail  integrity"),
        ("text.db", "damaged or no SQLite database"),
        ("other.db", "another program's database"),
        ("live.db", "this file is in use"),
    ] {
        let ran = run(&test_server, &["backup", "verify", name]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        assert!(ran.out.contains(expected), "{name}: {}", ran.out);
    }
}

#[test]
fn a_backup_from_an_earlier_release_is_verified() {
    let test_server = TestServer::on_file();
    test_server.copy_database_of_schema_3();
    run(&test_server, &["backup", "backup.db"]).done();
    let shown = run(&test_server, &["backup", "verify", "backup.db"]).done();
    assert!(shown.contains("warn  schema     version 3, "), "{shown}");
}

#[test]
fn a_killed_backup_leaves_nothing_that_looks_like_one() {
    let test_server = TestServer::on_file();
    create(&test_server, "one@example.com");
    fill(&test_server, 64);
    let mut child = test_server
        .command(&["backup", "backup.db"])
        .spawn()
        .unwrap();
    eventually(|| {
        let left = names(test_server.path(), "backup.db");
        let size = |name: &String| fs::metadata(test_server.path().join(name)).unwrap().len();
        left.first().filter(|name| size(name) > 0).cloned()
    });
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "it was killed");
    let left = names(test_server.path(), "backup.db");
    let is_partial = |name: &String| name.starts_with("backup.db.partial.");
    assert!(!left.is_empty() && left.iter().all(is_partial), "{left:?}");
    run(&test_server, &["backup", "backup.db"]).done();
    assert_eq!(names(test_server.path(), "backup.db"), ["backup.db"]);
}

#[test]
fn a_backup_that_finds_no_space_leaves_nothing() {
    let test_server = TestServer::on_file();
    create(&test_server, "one@example.com");
    fill(&test_server, 4);
    let command = test_server.command(&["backup", "backup.db"]);
    let mut limited = Command::new("sh");
    limited
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 2048; exec \"$0\" backup backup.db",
        ])
        .arg(command.get_program())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(test_server.path())
        .stdin(Stdio::null());
    let refused = super::Ran::from(limited.output().unwrap()).refused();
    assert!(refused.starts_with("backup backup.db: "), "{refused}");
    assert!(names(test_server.path(), "backup.db").is_empty());
}

#[test]
fn a_server_makes_backups_by_itself() {
    let mut test_server = TestServer::on_file();
    let directory = test_server.path().join("backups");
    test_server.set("CLOAKROOM__BACKUP__DIRECTORY", directory.to_str().unwrap());
    create(&test_server, "one@example.com");
    let doctor = |test_server: &TestServer| run(test_server, &["doctor"]).out;
    assert!(doctor(&test_server).contains("no backup in "));
    let mut server = test_server.serve();
    server.wait_for_log("backup made");
    let made = names(&directory, "cloakroom-");
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(addresses(&directory.join(&made[0])), ["one@example.com"]);
    assert!(doctor(&test_server).contains("1 in "));
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());

    // The next start finds that none is due; an old one shows.
    let server = test_server.serve();
    assert_eq!(server.request("GET", "/ready", None, None).0, 200);
    assert_eq!(names(&directory, "cloakroom-"), made);
    drop(server);
    let old = "cloakroom-20260101T000000Z.db";
    fs::rename(directory.join(&made[0]), directory.join(old)).unwrap();
    assert!(doctor(&test_server).contains("fail  backup"));

    let file = test_server.path().join("file");
    fs::write(&file, "").unwrap();
    test_server.set("CLOAKROOM__BACKUP__DIRECTORY", file.to_str().unwrap());
    let server = test_server.serve();
    let log = server.wait_for_log("a scheduled backup failed");
    assert!(log.contains("failures=1"), "{log}");
    assert_eq!(server.request("GET", "/ready", None, None).0, 200);
}

#[test]
fn backups_that_cannot_be_made_are_refused() {
    let mut test_server = TestServer::on_file();
    let go = |test_server: &TestServer, file: &str| run(test_server, &["backup", file]).refused();
    let refusal = go(&test_server, "backup.db");
    assert!(refusal.contains("no database here"), "{refusal}");
    create(&test_server, "one@example.com");
    run(&test_server, &["backup"]).misused();
    fs::write(test_server.path().join("present.db"), "mine").unwrap();
    for (file, expected) in [
        ("present.db", "backup present.db: this file exists already"),
        (
            "cloakroom.db",
            "backup cloakroom.db: this file exists already",
        ),
        ("none/backup.db", "No such file or directory"),
        ("/dev/null/backup.db", "Not a directory"),
    ] {
        let refusal = go(&test_server, file);
        assert!(refusal.contains(expected), "{file}: {refusal}");
    }
    assert_eq!(
        fs::read_to_string(test_server.path().join("present.db")).unwrap(),
        "mine"
    );
    test_server.set(
        "CLOAKROOM__DATABASE__URL",
        "postgres://one:hunter2@127.0.0.1:1/name",
    );
    let refusal = go(&test_server, "backup.db");
    assert!(refusal.contains("pg_dump"), "{refusal}");
    assert_eq!(json!(names(test_server.path(), "backup")), json!([]));
}
