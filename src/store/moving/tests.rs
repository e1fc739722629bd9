//! Moves between both engines. Without a server (`.ci/postgres`) only those between files are tested.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use super::*;
use crate::config::{Environment, Settings};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::{EmailAddress, SessionId};
use crate::store::tables::users;
use crate::store::{Database, IfMissing, TestSchema, schema_version, upgrade};

/// Every column of every table has a value in some row. There are more rows than a page has, deleted ones with the last
/// numbers, and names in every order that a locale may have.
const ROWS: &str = "
    INSERT INTO users VALUES (3, 'one@example.com', 5, 6, 1, 2, 'two@example.com', 4, 'operator', 'Zoë 🔑', '{\"a\":1}',
        '{\"b\":\"\"}', 'de', 7, 0);
    INSERT INTO users (email_address, created_at, updated_at)
        WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400)
        SELECT 'user' || x || '@example.com', x, -x FROM n;
    INSERT INTO users (id, email_address, created_at, updated_at) VALUES (900, 'gone@example.com', 1, 2);
    DELETE FROM users WHERE id = 900;
    INSERT INTO passwords VALUES (3, '$2b$12$digest', 1, 2);
    INSERT INTO totp_factors VALUES (3, x'00ff', 'name', 1, 2, 3);
    INSERT INTO recovery_codes WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400)
        SELECT 3 + x % 3, CAST(char(x) AS BLOB), x FROM n;
    INSERT INTO pending_sign_ins VALUES (x'00ff', 3, 'pwd', 1, 1, 2, 9000000000000);
    INSERT INTO identities VALUES (5, 3, 'acme', 'https://id.example.com', 'Ä1', 'one@example.com', 1, 2);
    INSERT INTO identities VALUES (9, 3, 'acme', 'https://id.example.com', 'gone', NULL, 1, 2);
    DELETE FROM identities WHERE id = 9;
    INSERT INTO provider_sign_ins VALUES (x'00ff', 9000000000000, x'00fe', 3, 'acme', 'browser', '{}');
    INSERT INTO identity_link_requests VALUES (5, 3, 'acme', 'browser', '{}', 1, 9000000000000);
    INSERT INTO passkeys VALUES (5, 3, x'00ff', x'a5', 1, 1, 1, x'00', 'internal usb', 'Phone', 1, 2);
    INSERT INTO passkeys VALUES (9, 3, x'00fe', x'a5', 1, 1, 1, x'00', '', 'gone', 1, NULL);
    DELETE FROM passkeys WHERE id = 9;
    INSERT INTO passkey_handles VALUES (3, x'00ff');
    INSERT INTO used_webauthn_challenges VALUES (x'00ff', 9000000000000);
    INSERT INTO mail_codes VALUES (9, x'00fe', x'00fd', 3, 1, 1, 2, 9000000000000);
    INSERT INTO sessions VALUES (4, 3, x'00ff', '192.0.2.1', 'curl', 1, 2, 3, 4, 5, 'pwd', 6, 1, '00112233');
    INSERT INTO sessions (id, user_id, token_digest, ip_address, created_at, last_active_at, expires_at, access_until)
        VALUES (7, 3, x'', '', 1, 2, 3, 9000000000000);
    DELETE FROM sessions WHERE id = 7;
    INSERT INTO api_keys VALUES (7, 3, 'key', x'ba', 'aaaa', 'introspect', 11, 12, 13, 14);
    INSERT INTO api_keys VALUES (8, NULL, 'service', x'bb', 'bbbb', '', 11, NULL, NULL, NULL);
    INSERT INTO refresh_tokens VALUES (2, 4, x'ca', x'cb', 'read', 1, 2, 3, x'cc', x'cd', 4, 'https://api.example.com');
    INSERT INTO revoked_access_tokens VALUES (5, 4, 'jti', 9000000000000, 5);
    INSERT INTO known_devices WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400)
        SELECT 3 + x % 3, char(32 + x * 7), x FROM n;
    INSERT INTO projects VALUES (5, 3, 'First', 'Text', 1, 2);
    INSERT INTO outbox VALUES (6, 'password_reset', 'one@example.com', 1, 2, 1, 3, 4, 5, 'smtp_refused', 3, '192.0.2.1',
        'curl', 'notice', 8, 1, 'de');
    INSERT INTO throttles VALUES ('Z', 7, 8), ('a', 7, 8), ('ä', 7, 8), ('é', 7, 8), ('_', 7, 8), ('', 9, 9);
    INSERT INTO key_bases VALUES ('name', 1), ('other', NULL);
    INSERT INTO audit_events VALUES (5, 1, 'signed_in', 'success', 'user', 3, 3, 4, 7, '{}', 1, 'request', '192.0.2.1',
        'curl', x'00ff', x'00fe', x'00fd', 1, x'00', x'00fc');
    INSERT INTO audit_events VALUES (9, 1, 'gone', 'refused', NULL, NULL, NULL, NULL, NULL, '{}', 1, NULL, NULL, NULL,
        NULL, x'', x'', NULL, NULL, NULL);
    DELETE FROM audit_events WHERE id = 9;
    INSERT INTO audit_chain VALUES (1, 1, x'00', 2, x'00ff', 'name', x'00fe');
    INSERT INTO write_probe VALUES (1, 9);
";

struct Home {
    folder: TempDir,
}

impl Home {
    /// With a file of these rows.
    fn with(rows: &str) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        upgrade(&home.file("source.db")).unwrap();
        home.edit(rows);
        home
    }

    fn edit(&self, sql: &str) {
        let connection = Connection::open(self.path("source.db")).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> config::Database {
        let settings = Settings::for_env(Environment::Test).unwrap().database;
        config::Database {
            path: self.path(name),
            ..settings
        }
    }

    /// Moves the rows of the file.
    fn move_to(&self, target: &config::Database) -> Result<Vec<MovedTable>> {
        move_rows(&self.file("source.db"), target, &mut |_| ())
    }

    /// The names of all files of the folder.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn on_server(schema: &TestSchema) -> config::Database {
    let mut settings = Settings::for_env(Environment::Test).unwrap().database;
    schema.set_in(&mut settings);
    settings
}

/// The same for a move from there.
fn from_server(schema: &TestSchema) -> config::Database {
    config::Database {
        url: Some(schema.source_url()),
        ..on_server(schema)
    }
}

/// Everything in a file, read without the code under test: the rows of each table, also of SQLite's own with the last
/// numbers.
fn content(path: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let connection = Connection::open(path).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let content = names.map(|name| {
        let name = name.unwrap();
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2"))
            .unwrap();
        let width = rows.column_count();
        let rows = rows
            .query_map([], |row| (0..width).map(|at| row.get(at)).collect())
            .unwrap();
        (name, rows.map(|row| row.unwrap()).collect())
    });
    content.collect()
}

/// What a move keeps.
fn moved_content(path: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let mut content = content(path);
    for name in NOT_MOVED {
        content.remove(*name).unwrap();
    }
    content
}

fn refusal(outcome: Result<Vec<MovedTable>>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn the_rows_of_these_tests_have_every_column() {
    let home = Home::with(ROWS);
    for (table, rows) in content(&home.path("source.db")) {
        let width = rows.first().map(Vec::len);
        let width = width.unwrap_or_else(|| panic!("add a row of {table}"));
        for at in 0..width {
            let has_value = rows.iter().any(|row| row[at] != Value::Null);
            assert!(has_value, "add a value of column {at} of {table}");
        }
    }
}

#[test]
fn a_file_moves_to_postgresql_and_back_unchanged() {
    // With statements that are prepared, and for a pooler.
    for may_prepare in [true, false] {
        let Some(schema) = TestSchema::from_environment() else {
            return;
        };
        let home = Home::with(ROWS);
        let prepared = |server: config::Database| config::Database {
            prepare: may_prepare && server.prepare,
            ..server
        };
        let there = home.move_to(&prepared(on_server(&schema))).unwrap();
        let back = home.file("back.db");
        let back = move_rows(&prepared(from_server(&schema)), &back, &mut |_| ()).unwrap();
        assert_eq!(there, back);
        let (before, after) = (home.path("source.db"), home.path("back.db"));
        assert_eq!(moved_content(&before), moved_content(&after));
        let rows = there.iter().map(|table| (&*table.name, table.sum.rows));
        let rows: BTreeMap<_, _> = rows.collect();
        for (table, found) in moved_content(&before) {
            if !table.starts_with("sqlite_") {
                assert_eq!(rows[&*table], found.len() as u64, "{table}");
            }
        }
    }
}

#[test]
fn a_file_moves_to_another_file_unchanged() {
    let home = Home::with(ROWS);
    home.move_to(&home.file("new/target.db")).unwrap();
    let (before, after) = (home.path("source.db"), home.path("new/target.db"));
    assert_eq!(moved_content(&before), moved_content(&after));
    assert!(crate::store::integrity(&after).unwrap().is_empty());
    let current = schema_version(&home.file("new/target.db"));
    assert_eq!(current.unwrap(), crate::store::SCHEMA_VERSION);
}

#[test]
fn the_digest_of_a_table_depends_on_each_value() {
    let edits = [
        "",
        "UPDATE users SET name = 'Zoe' WHERE id = 3",
        "UPDATE users SET name = NULL, locale = NULL WHERE id = 3",
        "UPDATE users SET name = '', locale = NULL WHERE id = 3",
        "UPDATE users SET name = NULL, locale = '' WHERE id = 3",
        "UPDATE users SET name = 'de', locale = 'Zoë 🔑' WHERE id = 3",
        "DELETE FROM users WHERE id = 100",
    ];
    let mut digests = BTreeSet::new();
    for edit in edits {
        let home = Home::with(&format!("{ROWS}; {edit}"));
        for table in home.move_to(&home.file("target.db")).unwrap() {
            digests.insert((table.name, table.sum.sha256));
        }
    }
    let of = |name: &str| digests.iter().filter(|(table, _)| table == name).count();
    assert_eq!((of("users"), of("sessions")), (edits.len(), 1));
}

#[test]
fn no_id_is_assigned_again_after_a_move() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let (home, server) = (Home::with(ROWS), on_server(&schema));
    home.move_to(&server).unwrap();
    let database = Database::open(&server, 1, IfMissing::Refuse, Clock::System).unwrap();
    let address = EmailAddress::parse("new@example.com").unwrap();
    let now = Timestamp::from_millis(1);
    let added = run(database.write(move |tx| users::insert(tx, &address, None, now)));
    assert_eq!(added.unwrap().unwrap().id.0, 901);
}

#[test]
fn revoked_access_tokens_stay_revoked_after_a_move() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let (home, server) = (Home::with(ROWS), on_server(&schema));
    // The one node was started before the move, the other after it.
    let early = Database::open(&server, 1, IfMissing::Create, Clock::System).unwrap();
    home.move_to(&server).unwrap();
    let late = Database::open(&server, 1, IfMissing::Refuse, Clock::System).unwrap();
    let now = Timestamp::from_millis(1);
    for database in [early, late] {
        let is_revoked = |session, jti: &str| {
            let found = run(database.is_revoked(SessionId(session), jti, now, now));
            found.unwrap()
        };
        // The feed is some milliseconds behind.
        let soon = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            is_revoked(4, "jti")
        });
        assert!(soon && is_revoked(7, "any") && !is_revoked(4, "other"));
    }
}

#[test]
fn a_target_with_rows_is_refused_and_left_alone() {
    let home = Home::with(ROWS);
    upgrade(&home.file("target.db")).unwrap();
    let before = std::fs::read(home.path("target.db")).unwrap();
    let said = refusal(home.move_to(&home.file("target.db")));
    assert!(
        said.contains("target.db: this file exists already"),
        "{said}"
    );
    assert_eq!(std::fs::read(home.path("target.db")).unwrap(), before);
    let said = refusal(home.move_to(&home.file("source.db")));
    assert!(said.contains("this file exists already"), "{said}");

    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let server = on_server(&schema);
    upgrade(&server).unwrap();
    let sql = "INSERT INTO throttles VALUES ('mine', 1, 2); INSERT INTO write_probe VALUES (1, 2)";
    schema.execute(sql).unwrap();
    let said = refusal(home.move_to(&server));
    assert!(
        said.contains("not empty: table throttles has rows"),
        "{said}"
    );
    assert_eq!(
        schema.query("SELECT count(*) FROM users").unwrap(),
        [Some("0".to_owned())]
    );
    // A server may have been started there.
    schema.execute("DELETE FROM throttles").unwrap();
    home.move_to(&server).unwrap();
}

#[test]
fn a_text_with_nul_is_refused_by_table_and_row() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let home = Home::with(ROWS);
    home.edit("UPDATE users SET name = 'a' || char(0) || 'b' WHERE id = 300");
    let said = refusal(home.move_to(&on_server(&schema)));
    let expected = "source.db: table users, row 300: name has the character NUL";
    assert!(said.contains(expected), "{said}");
    assert!(tables_of(&schema).is_empty(), "nothing was created");
    home.move_to(&home.file("target.db")).unwrap();
}

#[test]
fn a_failed_move_leaves_nothing_behind() {
    let home = Home::with(ROWS);
    // As another program may leave it.
    home.edit("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id = 3");
    let files = home.files();
    let said = refusal(home.move_to(&home.file("target.db")));
    assert!(
        said.contains("target.db: table sessions: FOREIGN KEY"),
        "{said}"
    );
    assert_eq!(home.files(), files);
    if let Some(schema) = TestSchema::from_environment() {
        let said = refusal(home.move_to(&on_server(&schema)));
        assert!(
            said.starts_with("target ") && said.contains("table sessions: "),
            "{said}"
        );
        assert!(tables_of(&schema).is_empty());
    }
}

#[test]
fn a_source_cannot_be_written_during_a_move() {
    let home = Home::with(ROWS);
    let mut attempts = 0;
    let moved = move_rows(
        &home.file("source.db"),
        &home.file("target.db"),
        &mut |_| {
            let other = Connection::open(home.path("source.db")).unwrap();
            other.busy_timeout(Duration::ZERO).unwrap();
            let written = other.execute_batch("DELETE FROM sessions");
            assert!(written.unwrap_err().to_string().contains("locked"));
            attempts += 1;
        },
    );
    assert!(moved.is_ok() && attempts > 0);

    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    home.move_to(&on_server(&schema)).unwrap();
    let (source, target) = (from_server(&schema), home.file("back.db"));
    let mut attempts = 0;
    move_rows(&source, &target, &mut |_| {
        let written = schema.execute("SET lock_timeout = '1ms'; DELETE FROM sessions");
        assert!(written.unwrap_err().to_string().contains("lock timeout"));
        attempts += 1;
    })
    .unwrap();
    assert!(attempts > 0);
}

#[test]
fn a_database_that_a_node_uses_is_refused() {
    let schema = TestSchema::from_environment();
    let Some(schema) = schema.filter(|schema| !schema.is_pooled()) else {
        return;
    };
    let (home, server) = (Home::with(ROWS), on_server(&schema));
    let node = Database::open(&server, 1, IfMissing::Create, Clock::System).unwrap();
    let move_back = || move_rows(&server, &home.file("back.db"), &mut |_| ());
    let said = refusal(move_back());
    assert!(said.contains("stop all nodes first"), "{said}");
    assert!(!home.path("back.db").exists());
    drop(node);
    move_back().unwrap();
}

#[test]
fn a_source_of_an_older_schema_is_refused() {
    let home = Home::with("PRAGMA user_version = 3");
    let said = refusal(home.move_to(&home.file("target.db")));
    assert!(said.contains("run `cloakroom migrate`"), "{said}");
    assert!(!home.path("target.db").exists());
}

fn tables_of(schema: &TestSchema) -> Vec<Option<String>> {
    let sql = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
    schema.query(sql).unwrap()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(work)
}
