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

/// A house whose server has run, and ended well, with somebody in it.
fn lived_in() -> TestServer {
    let test_server = TestServer::new();
    let mut server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    end(&mut server);
    // The check at the start may still have held the file when the process ended: then its log would be left, and hide
    // what is done to the file itself.
    test_server
        .open_database()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    test_server
}

fn end(server: &mut Server) {
    server.signal("TERM");
    assert!(server.wait().success(), "{}", server.log());
}

#[test]
fn the_first_start_creates_private_files() {
    let mut test_server = TestServer::new();
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
    let test_server = TestServer::new();
    let mut server = test_server.serve();
    let token = server.sign_up_token("one@example.com", "password");
    server.request_reset_mail("one@example.com");
    let link = link_token(&test_server.wait_for_mails(1)[0], "/passwords/");
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
        let test_server = TestServer::new();
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
    let test_server = TestServer::new();
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
    use crate::support::process::{Server, TestServer, eventually};
    use crate::support::raw_connection::RawConnection;

    #[test]
    fn an_unwritable_folder_is_reported() {
        let mut test_server = TestServer::new();
        // Nobody may make files there, root as little as others.
        for path in ["/sys/cloakroom.db", "/sys/cloakroom/cloakroom.db"] {
            test_server.set("CLOAKROOM__DATABASE__PATH", path);
            let complaint = refusal(&test_server);
            assert!(complaint.contains(path), "{complaint}");
        }
    }

    #[test]
    fn a_full_disk_rejects_writes_and_loses_nothing() {
        let test_server = TestServer::new();
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
            // A body that nobody reads would end the connection.
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
