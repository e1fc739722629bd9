//! `doctor`: what it finds, and that it changes nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};

use rusqlite::Connection;
use serde_json::Value;

use super::{create, run};
use crate::support::process::{TestServer, with_open_files};

const KEY_BASE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// The findings, and whether all is well.
fn examine(test_server: &TestServer) -> (bool, Vec<Value>) {
    let ran = run(test_server, &["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let well = report["ok"].as_bool().unwrap();
    assert_eq!(ran.code, if well { 0 } else { 1 });
    (well, report["findings"].as_array().unwrap().clone())
}

/// The texts of what failed under a topic. Each comes with an advice.
fn failures(test_server: &TestServer, topic: &str) -> Vec<String> {
    let (well, findings) = examine(test_server);
    let failed: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["state"] == "fail")
        .collect();
    assert_eq!(failed.is_empty(), well);
    assert!(failed.iter().all(|finding| finding["advice"].is_string()));
    let of_topic = failed
        .into_iter()
        .filter(|finding| finding["topic"] == topic);
    of_topic
        .map(|finding| finding["what"].as_str().unwrap().to_owned())
        .collect()
}

/// The texts of what is well but for a warning under a topic. Each comes with an advice.
fn warnings(test_server: &TestServer, topic: &str) -> Vec<String> {
    let (well, findings) = examine(test_server);
    assert!(well, "{findings:?}");
    let warned: Vec<&Value> = findings
        .iter()
        .filter(|finding| finding["state"] == "warn")
        .collect();
    assert!(warned.iter().all(|finding| finding["advice"].is_string()));
    let of_topic = warned
        .into_iter()
        .filter(|finding| finding["topic"] == topic);
    of_topic
        .map(|finding| finding["what"].as_str().unwrap().to_owned())
        .collect()
}

fn sound_house() -> TestServer {
    let mut test_server = TestServer::on_file();
    test_server
        .set("CLOAKROOM__CORS__CREDENTIALS", "true")
        // No more than any machine allows open files for.
        .set("CLOAKROOM__SERVER__MAX_CONNECTIONS", "500")
        .set("CLOAKROOM__SERVER__WORKERS", "2");
    create(&test_server, "one@example.com");
    test_server
}

#[test]
fn a_sound_installation_passes_alone_and_beside_its_server() {
    let test_server = sound_house();
    assert!(examine(&test_server).0);
    let server = test_server.serve();
    let (well, findings) = examine(&test_server);
    assert!(well, "{findings:?}");
    let topics: Vec<&str> = findings
        .iter()
        .map(|finding| finding["topic"].as_str().unwrap())
        .collect();
    for topic in [
        "settings",
        "limits",
        "keys",
        "disk",
        "file",
        "schema",
        "integrity",
        "clock",
        "mail",
    ] {
        assert!(topics.contains(&topic), "{topic}");
    }
    assert_eq!(server.request("GET", "/ready", None, None).0, 200);

    let text = run(&test_server, &["doctor"]).done();
    assert!(text.lines().all(|line| line.starts_with("ok  ")), "{text}");
}

#[test]
fn too_few_descriptors_for_all_connections_are_reported() {
    let test_server = sound_house();
    let doctor = |limit| {
        let output = with_open_files(&test_server.command(&["doctor"]), limit).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let reported = doctor(563);
    assert!(
        reported.contains("warn  limits") && reported.contains("564"),
        "{reported}"
    );
    assert!(!doctor(564).contains("warn"));
}

#[test]
fn a_damaged_page_is_reported_with_advice() {
    let test_server = sound_house();
    let root: u32 = {
        let connection = Connection::open(test_server.database()).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'users'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let mut bytes = fs::read(test_server.database()).unwrap();
    let page = (root as usize - 1) * 4096;
    bytes[page..page + 64]
        .iter_mut()
        .for_each(|byte| *byte ^= 0xff);
    fs::write(test_server.database(), &bytes).unwrap();

    let found = failures(&test_server, "integrity");
    assert!(
        found
            .iter()
            .any(|finding| finding.contains(&format!("page {root}"))),
        "{found:?}"
    );
    let ran = run(&test_server, &["doctor"]);
    assert_eq!(ran.code, 1);
    let line = ran
        .out
        .lines()
        .find(|line| line.starts_with("fail  integrity"))
        .unwrap();
    assert!(line.contains(" -> stop the server"), "{line}");
    assert_eq!(fs::read(test_server.database()).unwrap(), bytes);
}

#[test]
fn a_file_that_is_not_a_database_is_reported() {
    let test_server = TestServer::on_file();
    fs::write(test_server.database(), "x".repeat(5000)).unwrap();
    assert!(failures(&test_server, "schema")[0].contains("no SQLite database"));
    let refusal = run(&test_server, &["users", "list"]).refused();
    assert!(refusal.contains("no SQLite database"), "{refusal}");
}

#[test]
fn a_newer_schema_is_reported_and_unchanged() {
    let test_server = sound_house();
    let version = |set: Option<i64>| -> i64 {
        let connection = Connection::open(test_server.database()).unwrap();
        if let Some(version) = set {
            connection
                .pragma_update(None, "user_version", version)
                .unwrap();
        }
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    };
    version(Some(99));
    let found = failures(&test_server, "schema");
    assert!(
        found.len() == 1 && found[0].contains("newer Cloakroom (schema 99"),
        "{found:?}"
    );
    let refusal = run(&test_server, &["users", "list"]).refused();
    assert!(refusal.contains("newer Cloakroom"), "{refusal}");
    run(&test_server, &["migrate"]).refused();
    assert_eq!(version(None), 99);
}

#[test]
fn an_older_schema_is_a_warning_and_is_not_migrated() {
    let test_server = TestServer::on_file();
    let before = test_server.copy_database_of_schema_3();
    let (well, findings) = examine(&test_server);
    let schema = findings
        .iter()
        .find(|finding| finding["topic"] == "schema")
        .unwrap();
    assert!(well && schema["state"] == "warn", "{schema}");
    assert!(fs::read(test_server.database()).unwrap() == before);
}

#[test]
fn a_missing_database_is_reported_and_not_created() {
    let test_server = TestServer::on_file();
    let found = failures(&test_server, "file");
    assert!(
        found.len() == 1 && found[0].contains("cloakroom.db"),
        "{found:?}"
    );
    assert!(!test_server.database().exists());
}

#[test]
fn files_readable_by_others_are_reported() {
    let test_server = sound_house();
    run(&test_server, &["users", "reset-password", "1"]).done();
    let key_base = test_server.path().join("cloakroom.key_base");
    for (path, topic) in [(test_server.database(), "file"), (key_base, "keys")] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let found = failures(&test_server, topic);
        assert!(
            found.len() == 1 && found[0].contains("mode 0644"),
            "{found:?}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    // SQLite creates the files beside a database with its mode.
    for suffix in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(test_server.database().with_extension(suffix));
    }
    assert!(examine(&test_server).0);
}

#[test]
fn key_files_named_by_variables_must_be_private() {
    let mut test_server = sound_house();
    for (name, text) in [("KEY_BASE", "a".repeat(40)), ("PREVIOUS", String::new())] {
        let path = test_server.path().join(name);
        fs::write(&path, text).unwrap();
        test_server.set(
            &format!("CLOAKROOM__SECRETS__{name}__FILE"),
            path.to_str().unwrap(),
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let found = failures(&test_server, "secrets");
        assert!(
            found.len() == 1 && found[0].contains(name) && found[0].contains("mode 0644"),
            "{found:?}"
        );
        // A group may be how the server reads it.
        for mode in [0o640, 0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(failures(&test_server, "secrets"), [""; 0], "{mode:o}");
        }
    }
}

#[test]
fn an_unreachable_mail_server_is_reported() {
    let mut test_server = sound_house();
    // Bound for a moment, so that no server listens there.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    test_server
        .set("CLOAKROOM__MAIL__TRANSPORT", "smtp")
        .set("CLOAKROOM__MAIL__SMTP__HOST", "127.0.0.1")
        .set("CLOAKROOM__MAIL__SMTP__PORT", port.to_string())
        .set("CLOAKROOM__MAIL__SMTP__TLS", "none");
    let found = failures(&test_server, "mail");
    assert!(
        found.len() == 1 && found[0].contains(&format!("127.0.0.1:{port}")),
        "{found:?}"
    );
    let text = run(&test_server, &["doctor"]).out;
    assert!(text.contains(" -> check mail.smtp.host"), "{text}");
}

#[test]
fn verification_without_real_mail_is_a_warning() {
    let mut test_server = sound_house();
    test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", "required");
    assert!(warnings(&test_server, "mail").is_empty());
    test_server
        .set("CLOAKROOM_ENV", "production")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set("CLOAKROOM__SERVER__TRUSTED_PROXIES", "127.0.0.1/32")
        .set("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE);
    for (confirm, words) in [
        ("required", "cannot sign in"),
        ("remind", "cannot verify their address"),
    ] {
        test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", confirm);
        let found = warnings(&test_server, "mail");
        assert!(
            found.len() == 2 && found[1].contains(words),
            "{confirm}: {found:?}"
        );
    }
    test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", "off");
    let found = warnings(&test_server, "mail");
    assert!(
        found.len() == 1 && found[0].contains("not sent"),
        "{found:?}"
    );
}

#[test]
fn a_front_end_that_cannot_use_the_cookie_is_a_warning() {
    let mut test_server = sound_house();
    test_server
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set(
            "CLOAKROOM__SERVER__FRONTEND_URL",
            "https://app.example.com/x",
        )
        .set("CLOAKROOM__CORS__ORIGINS", "https://other.example.com")
        .set("CLOAKROOM__CORS__CREDENTIALS", "false");
    let found = warnings(&test_server, "cors");
    assert!(
        found.len() == 1 && found[0].contains("cannot call the server"),
        "{found:?}"
    );
    test_server.set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com");
    let found = warnings(&test_server, "cors");
    assert!(
        found.len() == 1 && found[0].contains("cannot use the session cookie"),
        "{found:?}"
    );
    test_server.set("CLOAKROOM__CORS__CREDENTIALS", "true");
    assert!(warnings(&test_server, "cors").is_empty());
    test_server
        .set(
            "CLOAKROOM__SERVER__FRONTEND_URL",
            "https://auth.example.com",
        )
        .set("CLOAKROOM__CORS__CREDENTIALS", "false");
    assert!(warnings(&test_server, "cors").is_empty());
}

#[test]
fn cross_site_origins_are_a_warning() {
    let mut test_server = sound_house();
    test_server
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set(
            "CLOAKROOM__CORS__ORIGINS",
            "https://app.example.com,http://old.example.com",
        );
    test_server.set("CLOAKROOM__CORS__CREDENTIALS", "true");
    let found = warnings(&test_server, "cors");
    assert!(
        found.len() == 1 && found[0].starts_with("http://old.example.com "),
        "{found:?}"
    );
    test_server.set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com");
    assert!(warnings(&test_server, "cors").is_empty());
}

#[test]
fn recently_failed_mails_are_a_warning_with_count() {
    let test_server = sound_house();
    let give_up = |days: u32| {
        // A minute later than that, for the time that this takes.
        let at = format!("CAST(unixepoch('subsec') * 1000 AS INTEGER) - {days} * 86400000 + 60000");
        let sql = format!(
            "INSERT INTO outbox (kind, email_address, created_at, expires_at, next_attempt_at, dead_at)
             VALUES ('password_reset', 'one@example.com', 0, 0, 0, {at})"
        );
        test_server.open_database().execute(&sql, []).unwrap();
    };
    give_up(8);
    assert!(warnings(&test_server, "mail").is_empty());
    give_up(7);
    assert_eq!(
        warnings(&test_server, "mail"),
        ["1 failed mail in the last week"]
    );
    give_up(1);
    assert_eq!(
        warnings(&test_server, "mail"),
        ["2 failed mails in the last week"]
    );
    let text = run(&test_server, &["doctor"]).done();
    assert!(
        text.contains(" -> `cloakroom mail list` shows why"),
        "{text}"
    );
    run(&test_server, &["mail", "retry", "3"]).done();
    assert_eq!(
        warnings(&test_server, "mail"),
        ["1 failed mail in the last week"]
    );
}

#[test]
fn a_rewound_clock_is_reported() {
    let test_server = sound_house();
    Connection::open(test_server.database())
        .unwrap()
        .execute("UPDATE users SET created_at = 4000000000000", [])
        .unwrap();
    let found = failures(&test_server, "clock");
    assert!(
        found.len() == 1 && found[0].contains("2096-10-02"),
        "{found:?}"
    );
}

#[test]
fn a_bad_production_installation_is_named_by_part() {
    let mut test_server = sound_house();
    let (toml, smtp_password) = (
        test_server.path().join("cloakroom.toml"),
        test_server.path().join("smtp_password"),
    );
    fs::write(
        &toml,
        format!(
            "env = \"production\"\n[server]\npublic_url = \"https://auth.example.com\"\n\
             frontend_url = \"https://app.example.com\"\n[cors]\norigins = []\n\
             [throttle]\nenabled = false\n[password]\nreject_common = false\n\
             [secrets]\nkey_base = \"{KEY_BASE}\"\n\
             [mail]\ntransport = \"smtp\"\nfrom = \"no-reply@example.com\"\n\
             [mail.smtp]\nhost = \"192.0.2.1\"\ntls = \"none\"\ntimeout = \"1s\"\n",
        ),
    )
    .unwrap();
    fs::write(&smtp_password, "secret").unwrap();
    let server = test_server.serve();
    test_server
        .set("CLOAKROOM_ENV", "")
        .set("CLOAKROOM_CONFIG", toml.to_str().unwrap());
    for file in [
        "cloakroom.db",
        "cloakroom.db-wal",
        "cloakroom.db-shm",
        "cloakroom.toml",
    ] {
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(test_server.path().join(file), mode).unwrap();
    }
    let named = |test_server: &TestServer, words: &[&str]| {
        let (well, findings) = examine(test_server);
        assert!(!well);
        for words in words {
            let is_named = |finding: &Value| {
                finding["state"] != "ok"
                    && finding["advice"].is_string()
                    && finding["what"].as_str().unwrap().contains(words)
            };
            assert!(findings.iter().any(is_named), "{words}: {findings:#?}");
        }
    };
    named(
        &test_server,
        &[
            "throttle.enabled: should be true",
            "mail.smtp.tls: should be",
            "password: should have reject_common",
            "server.trusted_proxies: should name the proxy",
            "cloakroom.db is accessible to other users",
            "cloakroom.db-wal is accessible to other users",
            "cloakroom.db-shm is accessible to other users",
            "cloakroom.toml is accessible to other users",
        ],
    );

    // What has no honest use is refused.
    test_server
        .set("CLOAKROOM__SECRETS__KEY_BASE", "k".repeat(32))
        .set("CLOAKROOM__SERVER__TRUSTED_PROXIES", "0.0.0.0/1");
    named(
        &test_server,
        &[
            "secrets.key_base: must be random",
            "server.trusted_proxies: must not contain 0.0.0.0/1",
        ],
    );

    // The mails of a folder, and the password of a mail server.
    fs::create_dir(test_server.mail_folder()).unwrap();
    for (file, mode) in [(&test_server.mail_folder(), 0o755), (&smtp_password, 0o644)] {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }
    test_server
        .set("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE)
        .set("CLOAKROOM__SERVER__TRUSTED_PROXIES", "")
        .set("CLOAKROOM__MAIL__TRANSPORT", "file")
        .set("CLOAKROOM__MAIL__SMTP__USERNAME", "mailer")
        .set("CLOAKROOM__MAIL__SMTP__TLS", "required")
        .set(
            "CLOAKROOM__MAIL__SMTP__PASSWORD__FILE",
            smtp_password.to_str().unwrap(),
        );
    let named = |words: &str| {
        let (_, findings) = examine(&test_server);
        let found = findings.iter().find(|finding| {
            finding["state"] == "fail" && finding["what"].as_str().unwrap().contains(words)
        });
        assert!(found.is_some(), "{words}: {findings:#?}");
    };
    named("mail is accessible to other users of this machine (mode 0755)");
    named("smtp_password is accessible to other users of this machine (mode 0644)");

    // Development and test settings for real users.
    fs::remove_file(&toml).unwrap();
    test_server
        .set("CLOAKROOM_CONFIG", "")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__BIND", "0.0.0.0:0");
    for env in ["development", "test"] {
        test_server.set("CLOAKROOM_ENV", env);
        let (_, findings) = examine(&test_server);
        let warned = findings.iter().filter(|finding| {
            finding["state"] == "warn"
                && finding["what"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("CLOAKROOM_ENV: is {env}"))
        });
        assert_eq!(warned.count(), 2, "{findings:#?}");
    }
    drop(server);
}

#[test]
fn rows_of_other_programs_are_named_by_id() {
    let test_server = sound_house();
    create(&test_server, "two@example.com");
    create(&test_server, "three@example.com");
    test_server
        .open_database()
        .execute_batch(
            "UPDATE users SET email_address = 'One@example.com' WHERE id = 1;
             UPDATE users SET email_address = ' two' WHERE id = 2;
             UPDATE passwords SET digest = '$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA' WHERE user_id = 3",
        )
        .unwrap();
    let found = failures(&test_server, "users");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("2 users cannot be found by address") && found[0].ends_with("id 1, 2")
    );
    assert!(
        found[1].starts_with("1 user cannot sign in") && found[1].ends_with("id 3"),
        "{found:?}"
    );
    let impossible = "UPDATE passwords SET digest = substr(digest, 1, 4) || '35' || substr(digest, 7) WHERE user_id = 1";
    test_server
        .open_database()
        .execute_batch(impossible)
        .unwrap();
    let found = failures(&test_server, "users");
    assert!(found[1].ends_with("id 1, 3"), "{found:?}");
}

#[test]
fn a_log_that_a_reader_keeps_growing_is_a_warning() {
    let test_server = sound_house();
    let log = |found: Vec<String>| found.iter().any(|what| what.contains("write-ahead log"));
    assert!(!log(warnings(&test_server, "file")));
    let reader = test_server.open_database();
    let users = "SELECT count(*) FROM users";
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(
        reader.query_row(users, [], |row| row.get::<_, i64>(0)),
        Ok(1)
    );
    let filler = "CREATE TABLE filler (bytes); INSERT INTO filler VALUES (zeroblob(70000000)); DROP TABLE filler";
    test_server.open_database().execute_batch(filler).unwrap();
    assert!(log(warnings(&test_server, "file")));
    drop(reader);
}

#[test]
fn a_missing_table_is_reported() {
    let test_server = sound_house();
    test_server
        .open_database()
        .execute_batch("DROP TABLE projects")
        .unwrap();
    let found = failures(&test_server, "schema");
    assert!(
        found.len() == 1 && found[0].contains("lacks column projects"),
        "{found:?}"
    );
}

/// Only root can give files away.
#[test]
fn files_of_another_user_than_the_folder_are_reported() {
    let test_server = sound_house();
    if chown(test_server.path(), Some(65534), Some(65534)).is_err() {
        return;
    }
    let found = failures(&test_server, "file");
    assert!(
        found.len() == 1 && found[0].contains("its folder to user 65534"),
        "{found:?}"
    );
    for file in fs::read_dir(test_server.path()).unwrap() {
        chown(file.unwrap().path(), Some(65534), Some(65534)).unwrap();
    }
    assert_eq!(failures(&test_server, "file"), [""; 0]);
}

#[test]
fn wrong_settings_are_findings() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__SERVER__BINND", "127.0.0.1:0");
    let found = failures(&test_server, "settings");
    assert!(
        found.len() == 1 && found[0].contains("server.binnd: is not a setting"),
        "{found:?}"
    );
}
