//! The files it keeps: made for their owner alone, kept over a restart, refused when they are not ours or damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer};
use crate::support::raw_connection::RawConnection;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What happens to a start that cannot succeed: its one line on standard error.
fn refusal(test_server: &TestServer) -> String {
    let output = test_server.run(&["serve"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{complaint}");
    assert_eq!(output.stdout, b"");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

/// Starts on the file as it is, which must be refused by these words and left to the byte.
fn assert_refused_untouched(test_server: &TestServer, words: &str) {
    let before = fs::read(test_server.database()).unwrap();
    for _ in 0..2 {
        let complaint = refusal(test_server);
        assert!(
            complaint.contains(test_server.database().to_str().unwrap()),
            "{complaint}"
        );
        assert!(complaint.contains(words), "{complaint}");
        assert!(
            fs::read(test_server.database()).unwrap() == before,
            "{words}: the file was changed"
        );
    }
}

/// A folder whose server has run and stopped, with one user.
fn lived_in() -> TestServer {
    let test_server = TestServer::on_file();
    let mut server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    end(&mut server);
    test_server
}

fn end(server: &mut Server) {
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}

#[test]
fn the_first_start_creates_private_files() {
    let mut test_server = TestServer::on_file();
    let folder = test_server.path().join("made/for/us");
    let database = folder.join("cloakroom.db");
    test_server.set("CLOAKROOM__DATABASE__PATH", database.to_str().unwrap());
    let server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    server.request_reset_mail("one@example.com");
    test_server.wait_for_mails(1);

    assert_eq!(mode(&folder), 0o700);
    for name in [
        "cloakroom.db",
        "cloakroom.db-wal",
        "cloakroom.db-shm",
        "cloakroom.key_base",
    ] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
    assert_eq!(mode(&test_server.mail_folder()), 0o700);
    for letter in fs::read_dir(test_server.mail_folder()).unwrap() {
        assert_eq!(mode(&letter.unwrap().path()), 0o600);
    }
}

#[test]
fn a_restart_keeps_sessions_and_links() {
    let test_server = TestServer::on_file();
    let mut server = test_server.serve();
    let token = server.sign_up_token("one@example.com", "password");
    server.request_reset_mail("one@example.com");
    let link = link_token(&test_server.wait_for_mails(1)[0], "/passwords/edit#");
    end(&mut server);

    let server = test_server.serve();
    assert_eq!(server.session_status(&token), 200);
    let body = json!({ "password": "another one", "password_confirmation": "another one" });
    let (status, reply) =
        server.request("PUT", &format!("/v1/passwords/{link}"), None, Some(&body));
    assert_eq!(status, 200, "{reply}");
    assert_eq!(server.session_status(&token), 401);
    assert_eq!(server.sign_in("one@example.com", "another one").0, 200);
}

#[test]
fn a_newer_schema_is_rejected_and_unchanged() {
    let test_server = lived_in();
    test_server
        .open_database()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert_refused_untouched(&test_server, "newer Cloakroom (schema 99");
}

#[test]
fn another_programs_database_is_rejected_and_unchanged() {
    for journal in ["delete", "wal"] {
        let test_server = TestServer::on_file();
        let theirs = test_server.open_database();
        theirs.pragma_update(None, "journal_mode", journal).unwrap();
        theirs
            .execute_batch("CREATE TABLE theirs (id INTEGER)")
            .unwrap();
        drop(theirs);
        assert_refused_untouched(&test_server, "another program's database");
    }
}

#[test]
fn a_file_that_is_not_a_database_is_rejected() {
    let test_server = TestServer::on_file();
    fs::write(
        test_server.database(),
        "This is a shopping list.\n".repeat(400),
    )
    .unwrap();
    assert_refused_untouched(&test_server, "no SQLite database");
}

#[test]
fn a_truncated_file_is_rejected_and_unchanged() {
    let test_server = lived_in();
    let whole = fs::read(test_server.database()).unwrap();
    for length in [whole.len() / 2, 1000, 60] {
        fs::write(test_server.database(), &whole[..length]).unwrap();
        assert_refused_untouched(&test_server, "damaged");
    }
}

#[test]
fn an_empty_file_is_rejected_with_what_is_beside_it() {
    let test_server = lived_in();
    let wal = test_server.database().with_extension("db-wal");
    for bytes in ["", "S"] {
        fs::write(test_server.database(), bytes).unwrap();
        let _ = fs::remove_file(&wal);
        assert_refused_untouched(
            &test_server,
            &format!(
                "damaged: it has {} bytes, fewer than any database;",
                bytes.len()
            ),
        );
        fs::write(&wal, "frames").unwrap();
        assert_refused_untouched(&test_server, wal.to_str().unwrap());
        assert_eq!(fs::read_to_string(&wal).unwrap(), "frames");
    }
}

#[test]
fn a_missing_file_with_a_log_is_not_replaced() {
    let test_server = TestServer::on_file();
    let mut server = test_server.serve();
    let token = server.sign_up_token("one@example.com", "password");
    server.kill();
    let aside = test_server.path().join("aside");
    fs::rename(test_server.database(), &aside).unwrap();
    let complaint = refusal(&test_server);
    assert!(
        complaint.contains("cloakroom.db-wal") && complaint.contains("restore both"),
        "{complaint}"
    );
    assert!(!test_server.database().exists());
    let complaint = test_server.run(&["migrate"]);
    assert!(!complaint.status.success());

    fs::rename(&aside, test_server.database()).unwrap();
    assert_eq!(test_server.serve().session_status(&token), 200);
}

#[test]
fn in_production_only_migrate_creates_a_database() {
    let mut test_server = TestServer::on_file();
    test_server
        .set("CLOAKROOM_ENV", "production")
        .set("CLOAKROOM__SERVER__BIND", "127.0.0.1:0")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com")
        .set("CLOAKROOM__MAIL__FROM", "no-reply@example.com");
    let key_base = test_server.run(&["secret"]).stdout;
    test_server.set(
        "CLOAKROOM__SECRETS__KEY_BASE",
        String::from_utf8(key_base).unwrap().trim(),
    );
    let output = test_server.run(&["serve"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && log.contains("no database here: `cloakroom migrate`"),
        "{log}"
    );
    assert!(!test_server.database().exists());
    assert!(test_server.run(&["migrate"]).status.success());
    test_server.serve();
}

#[test]
fn a_file_without_a_table_of_ours_is_rejected() {
    for (change, words) in [
        ("DROP TABLE projects", "lacks column projects.created_at"),
        (
            "DROP INDEX sessions_by_user",
            "lacks index sessions_by_user",
        ),
        (
            "DROP TRIGGER sessions_revoke_access_tokens",
            "lacks trigger sessions_revoke_access_tokens",
        ),
    ] {
        let test_server = lived_in();
        let database = test_server.open_database();
        database.execute_batch(change).unwrap();
        database
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        drop(database);
        assert_refused_untouched(&test_server, words);
    }
}

#[test]
fn an_interrupted_change_is_undone_by_the_start() {
    let source = tempfile::tempdir().unwrap();
    // As after a restored backup or before the first migration: a file that is not in WAL mode yet.
    for before in [backup(), TestServer::on_file()] {
        if !before.database().exists() {
            before.copy_database_of_schema_3();
        }
        let path = source.path().join("writing.db");
        fs::copy(before.database(), &path).unwrap();
        let writing = rusqlite::Connection::open(&path).unwrap();
        writing
            .execute_batch(
                "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; CREATE TABLE filler (text TEXT);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO filler SELECT hex(randomblob(100)) FROM n; UPDATE users SET updated_at = 0",
            )
            .unwrap();
        // The copy is what a kill leaves: changed pages, and the journal that undoes them.
        let test_server = TestServer::on_file();
        fs::copy(&path, test_server.database()).unwrap();
        fs::copy(
            source.path().join("writing.db-journal"),
            test_server.database().with_extension("db-journal"),
        )
        .unwrap();
        drop(writing);

        let server = test_server.serve();
        assert_eq!(server.request("GET", "/ready", None, None).0, 200);
        let changed: i64 = test_server
            .open_database()
            .query_row(
                "SELECT (SELECT count(*) FROM users WHERE updated_at = 0)
                 + (SELECT count(*) FROM sqlite_schema WHERE name = 'filler')",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(changed, 0);
    }
}

/// A folder with a backup in the place of its database.
fn backup() -> TestServer {
    let (running, restored) = (lived_in(), TestServer::on_file());
    running
        .open_database()
        .execute("VACUUM INTO ?1", [restored.database().to_str().unwrap()])
        .unwrap();
    restored
}

#[test]
fn an_abandoned_draft_of_a_database_is_removed() {
    let test_server = TestServer::on_file();
    let draft = test_server.path().join("cloakroom.db.0123456789abcdef");
    fs::write(&draft, "half of a database").unwrap();
    test_server.serve();
    assert!(!draft.exists() && test_server.database().exists());
}

#[test]
fn a_start_removes_the_access_of_other_users() {
    let test_server = lived_in();
    fs::set_permissions(test_server.database(), fs::Permissions::from_mode(0o644)).unwrap();
    let server = test_server.serve();
    server.wait_for_log("other users of this machine had access");
    assert!(server.log().contains("0644"), "{}", server.log());
    for name in ["cloakroom.db", "cloakroom.db-wal", "cloakroom.db-shm"] {
        assert_eq!(mode(&test_server.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_replaced_file_stops_writes_within_a_second() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    let token = server.sign_up_token("one@example.com", "password");
    assert_eq!(server.request("GET", "/ready", None, None).0, 200);
    for file in [
        test_server.database(),
        test_server.database().with_extension("db-wal"),
    ] {
        let aside = test_server.path().join("aside");
        fs::rename(&file, &aside).unwrap();
        // Without any request.
        server.wait_for_log("removed or replaced");
        let (status, body) = server.request("GET", "/ready", None, None);
        assert_eq!(
            (status, body["code"].as_str()),
            (503, Some("database_replaced"))
        );
        assert_eq!(server.sign_up("two@example.com", "password").0, 503);
        assert_eq!(server.session_status(&token), 200);

        fs::copy(&aside, &file).unwrap();
        assert_eq!(server.request("GET", "/ready", None, None).0, 503);
        fs::rename(&aside, &file).unwrap();
        assert_eq!(server.request("GET", "/ready", None, None).0, 200);
    }
    assert_eq!(server.sign_up("two@example.com", "password").0, 201);
}

#[test]
fn a_linked_database_is_checked_where_it_is() {
    let test_server = lived_in();
    let elsewhere = test_server.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let target = elsewhere.join("data.db");
    fs::rename(test_server.database(), &target).unwrap();
    for companion in ["-wal", "-shm"] {
        let _ = fs::remove_file(test_server.path().join(format!("cloakroom.db{companion}")));
    }
    std::os::unix::fs::symlink(&target, test_server.database()).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();

    let doctor = test_server.run(&["doctor"]);
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert!(found.contains("elsewhere/data.db"), "{found}");
    let server = test_server.serve();
    assert_eq!(mode(&target), 0o600);
    assert_eq!(server.sign_in("one@example.com", "password").0, 200);
    fs::rename(
        elsewhere.join("data.db-wal"),
        test_server.path().join("aside"),
    )
    .unwrap();
    server.wait_for_log("put it back, or restart the server");
    assert_eq!(server.request("GET", "/ready", None, None).0, 503);
    drop(server);

    fs::remove_dir_all(&elsewhere).unwrap();
    let complaint = refusal(&test_server);
    let words = format!("a symbolic link to {}", target.display());
    assert!(complaint.contains(&words), "{complaint}");
}

#[test]
fn deleted_text_is_not_left_in_the_file() {
    let test_server = TestServer::on_file();
    let mut server = test_server.serve();
    let token = server.sign_up_token("traceless@example.com", "password");
    let body = json!({ "title": "A traceless title", "description": "x".repeat(4000) });
    assert_eq!(
        server
            .request("POST", "/v1/projects", Some(&token), Some(&body))
            .0,
        201
    );
    let body = json!({ "password_challenge": "password" });
    assert_eq!(
        server
            .request("DELETE", "/v1/user", Some(&token), Some(&body))
            .0,
        200
    );
    end(&mut server);
    test_server
        .open_database()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let bytes = fs::read(test_server.database()).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!holds(b"A traceless title") && !holds(b"xxxxxxxxxxxx"));
}

#[test]
fn a_damaged_first_page_is_rejected_and_unchanged() {
    let test_server = lived_in();
    let mut bytes = fs::read(test_server.database()).unwrap();
    bytes[100..4000].fill(0xff);
    fs::write(test_server.database(), bytes).unwrap();
    assert_refused_untouched(&test_server, "damaged");
}

#[test]
fn a_damaged_page_makes_the_server_unready() {
    let test_server = lived_in();
    let page: u32 = test_server
        .open_database()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'projects_by_user'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let page = page as usize;
    let mut bytes = fs::read(test_server.database()).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    fs::write(test_server.database(), bytes).unwrap();

    let server = test_server.serve();
    let log = server.wait_for_log("damaged");
    assert!(log.contains("ERROR"), "{log}");
    let mut connection = RawConnection::to(&server);
    connection.ask("GET", "/ready", "", "");
    let unready = connection.receive();
    assert_eq!(
        (unready.status, unready.json()["code"].as_str()),
        (503, Some("database_damaged"))
    );
    assert_eq!(unready.header("Retry-After"), Some("60"));
    server.wait_for_log("database_damaged");
    assert_eq!(server.request("GET", "/up", None, None).0, 200);
    assert_eq!(server.sign_in("one@example.com", "password").0, 200);
}

#[test]
fn a_truncated_key_base_is_reported_and_not_replaced() {
    let test_server = lived_in();
    let path = test_server.database().with_extension("key_base");
    fs::write(&path, "short").unwrap();
    let complaint = refusal(&test_server);
    assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "short");
}

/// What takes Linux: a file system without files of ours, and a limit that is set from outside.
#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::process::{Command, Stdio};

    use rusqlite::Connection;
    use serde_json::json;

    use super::refusal;
    use crate::support::flows::Flows;
    use crate::support::process::{Server, TestServer, eventually, with_open_files};
    use crate::support::raw_connection::RawConnection;

    #[test]
    fn an_unwritable_folder_is_reported() {
        let mut test_server = TestServer::on_file();
        // No user may make files there, root included.
        for path in ["/sys/cloakroom.db", "/sys/cloakroom/cloakroom.db"] {
            test_server.set("CLOAKROOM__DATABASE__PATH", path);
            let complaint = refusal(&test_server);
            assert!(complaint.contains(path), "{complaint}");
        }
    }

    #[test]
    fn too_few_descriptors_are_refused_with_the_number_needed() {
        let test_server = TestServer::on_file();
        let limited = |limit: u64| {
            let mut command = with_open_files(&test_server.command(&["serve"]), limit);
            command
                .env("CLOAKROOM__SERVER__WORKERS", "2")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command
        };
        let output = limited(31).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{complaint}"
        );
        let needed = complaint
            .split_once("the server needs ")
            .and_then(|(_, rest)| rest.split_once(':'))
            .unwrap_or_else(|| panic!("{complaint}"));
        let needed: u64 = needed.0.parse().unwrap();
        assert!(!limited(needed - 1).output().unwrap().status.success());

        // With that many it does all that a server does.
        let server = test_server.serve_as(limited(needed));
        let token = server.sign_up_token("one@example.com", "password");
        server.request_reset_mail("one@example.com");
        test_server.wait_for_mails(1);
        assert_eq!(server.session_status(&token), 200);
        assert_eq!(server.request("GET", "/ready", None, None).0, 200);
    }

    #[test]
    fn a_full_disk_rejects_writes_and_loses_nothing() {
        let test_server = TestServer::on_file();
        let mut command = shell_that_survives_full_files(&test_server);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let server = test_server.serve_as(command);
        let token = server.sign_up_token("one@example.com", "password");

        let written = fs::metadata(test_server.database().with_extension("db-wal"))
            .unwrap()
            .len();
        limit_file_size(&server, &written.to_string());
        let mut connection = RawConnection::to(&server);
        let body =
            json!({ "email_address": "two@example.com", "password": "password" }).to_string();
        for (method, path, code) in [
            ("POST", "/v1/registrations", "unavailable"),
            ("GET", "/ready", "database_io_failure"),
            ("POST", "/v1/passwords", "unavailable"),
        ] {
            // An unread body would end the connection.
            connection.ask(method, path, "", if method == "GET" { "" } else { &body });
            let refused = connection.receive();
            assert_eq!(
                (refused.status, refused.json()["code"].as_str()),
                (503, Some(code)),
                "{path}"
            );
            let wait: u32 = refused.header("Retry-After").unwrap().parse().unwrap();
            assert!(wait > 0);
        }
        assert_eq!(server.session_status(&token), 200);
        assert_eq!(
            server
                .request("DELETE", "/v1/session", Some(&token), None)
                .0,
            503
        );
        assert_eq!(server.session_status(&token), 200);
        assert_eq!(server.request("GET", "/up", None, None).0, 200);
        assert!(
            server.log().contains("database_io_failure"),
            "{}",
            server.log()
        );

        limit_file_size(&server, "unlimited");
        eventually(|| (server.request("GET", "/ready", None, None).0 == 200).then_some(()));
        server.sign_up_token("two@example.com", "password");
        assert_eq!(
            server
                .request("DELETE", "/v1/session", Some(&token), None)
                .0,
            200
        );
        assert_eq!(server.sign_in("one@example.com", "password").0, 200);
        assert_eq!(integrity(&test_server.open_database()), "ok");
    }

    /// Going over the limit on a file's size is a signal that kills, unless it is ignored: then it is an error.
    fn shell_that_survives_full_files(test_server: &TestServer) -> Command {
        let serve = test_server.command(&["serve"]);
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve"])
            .arg(serve.get_program())
            .env_clear()
            .envs(
                serve
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(test_server.path());
        shell
    }

    fn limit_file_size(server: &Server, limit: &str) {
        let status = Command::new("prlimit")
            .args([
                "--pid",
                &server.id().to_string(),
                &format!("--fsize={limit}:"),
            ])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn integrity(database: &Connection) -> String {
        database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap()
    }
}
