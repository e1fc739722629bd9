//! Migrates the schema of a file, one step per transaction, and refuses files of other programs and newer versions.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use super::statement::error;
use crate::domain::error::{Error, Result};
use crate::store::completeness;

/// A released step never changes.
const STEPS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_first.sql"),
    include_str!("../migrations/sqlite/0002_life.sql"),
    include_str!("../migrations/sqlite/0003_tokens.sql"),
    include_str!("../migrations/sqlite/0004_identity.sql"),
    include_str!("../migrations/sqlite/0005_mail_priority.sql"),
    include_str!("../migrations/sqlite/0006_remembered_sessions.sql"),
    include_str!("../migrations/sqlite/0007_session_nonce.sql"),
    include_str!("../migrations/sqlite/0008_outbox_by_user.sql"),
    include_str!("../migrations/sqlite/0009_retired_key_bases.sql"),
    include_str!("../migrations/sqlite/0010_audiences.sql"),
    include_str!("../migrations/sqlite/0011_revocation_cutoffs.sql"),
    include_str!("../migrations/sqlite/0012_locales.sql"),
    include_str!("../migrations/sqlite/0013_revocations_by_session.sql"),
    include_str!("../migrations/sqlite/0014_key_bases.sql"),
    include_str!("../migrations/sqlite/0015_second_factors.sql"),
    include_str!("../migrations/sqlite/0016_mail_codes.sql"),
    include_str!("../migrations/sqlite/0017_second_factor_due.sql"),
    include_str!("../migrations/sqlite/0018_identities.sql"),
    include_str!("../migrations/sqlite/0019_passkeys.sql"),
    include_str!("../migrations/sqlite/0020_identity_links.sql"),
    include_str!("../migrations/sqlite/0021_audit_trail.sql"),
];

/// The schema version of this program.
pub const SCHEMA_VERSION: usize = STEPS.len();

/// Marks the file as ours (`PRAGMA application_id`): "Clkr".
pub(super) const APPLICATION_ID: i64 = 0x436c_6b72;

/// Runs the missing steps; returns their number.
///
/// # Errors
/// The file is another program's or a newer Cloakroom's, or a step failed and was rolled back.
pub(super) fn migrate(connection: &mut Connection) -> Result<usize> {
    let before = version_of(connection)?;
    // No lock where no step is missing: the start does not wait for writers.
    if before < SCHEMA_VERSION {
        while run_next_step(connection)? {}
    }
    Ok(SCHEMA_VERSION - before)
}

/// The schema version of a file: 0 for an empty one.
///
/// # Errors
/// The file is another program's, or a newer Cloakroom's.
fn version_of(connection: &Connection) -> Result<usize> {
    // One statement reads one state: another process may be creating the schema.
    let (version, application, tables): (i64, i64, i64) = connection
        .query_row(
            "SELECT v.user_version, a.application_id, (SELECT count(*) FROM sqlite_schema)
             FROM pragma_user_version v, pragma_application_id a",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(error)?;
    let ours = application == APPLICATION_ID || (application == 0 && version == 0 && tables == 0);
    if !ours {
        return Err(anothers());
    }
    match usize::try_from(version) {
        Ok(version) if version <= SCHEMA_VERSION => Ok(version),
        _ => Err(Error::internal(format!(
            "this file was written by a newer Cloakroom (schema {version}, this one knows {SCHEMA_VERSION}); run that version"
        ))),
    }
}

/// The schema version of a file on disk, which is never empty: a new one is created with its schema.
///
/// # Errors
/// As [`version_of`]; the file has no tables.
pub(super) fn version_of_file(connection: &Connection) -> Result<usize> {
    match version_of(connection)? {
        0 => Err(Error::internal(
            "this file is a database without tables; restore a backup, or delete it if there is nothing to lose",
        )),
        version => Ok(version),
    }
}

/// # Errors
/// The schema is older than this program's, for a command that does not migrate it: an older server may be running on it.
pub fn check_is_current(version: usize) -> Result<()> {
    match version < SCHEMA_VERSION {
        false => Ok(()),
        true => Err(Error::internal(format!(
            "schema {version} is older than this program's, which is {SCHEMA_VERSION}: run `cloakroom migrate`"
        ))),
    }
}

/// The refusal of a file of another program.
pub(super) fn anothers() -> Error {
    Error::internal("this file is another program's database; choose another database.path")
}

/// Whether a file of the current version has all tables, columns, indexes and triggers of this program's schema.
///
/// # Errors
/// What is missing, or the file cannot be read.
pub(super) fn check_objects(connection: &Connection) -> Result<()> {
    let mut described = Connection::open_in_memory().map_err(error)?;
    migrate(&mut described)?;
    completeness::check("file", objects(&described)?, &objects(connection)?)
}

/// By name: what migrations leave of the text of a table depends on the version that created it.
fn objects(connection: &Connection) -> Result<BTreeSet<String>> {
    let mut statement = connection
        .prepare(
            "SELECT type || ' ' || name FROM sqlite_schema
             UNION ALL SELECT 'column ' || s.name || '.' || c.name
             FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table'",
        )
        .map_err(error)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(error)?;
    rows.collect::<rusqlite::Result<_>>().map_err(error)
}

fn run_next_step(connection: &mut Connection) -> Result<bool> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(error)?;
    // Read again under the lock: another process may have run the step.
    let version = version_of(&transaction)?;
    let Some(step) = STEPS.get(version) else {
        return Ok(false);
    };
    transaction.execute_batch(step).map_err(error)?;
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(error)?;
    transaction
        .pragma_update(None, "user_version", (version + 1) as i64)
        .map_err(error)?;
    transaction.commit().map_err(error)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    fn texts(connection: &Connection) -> Vec<(String, String)> {
        let mut statement = connection
            .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
            .unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .unwrap();
        rows.map(|row| row.map(|(name, sql)| (name, words(&sql))).unwrap())
            .collect()
    }

    /// Without comments, layout and the quotes of renamed tables: the words and their order.
    fn words(sql: &str) -> String {
        let code: Vec<&str> = sql
            .lines()
            .filter_map(|line| line.split("--").next())
            .collect();
        let spaced = code
            .join(" ")
            .replace('(', " ( ")
            .replace(')', " ) ")
            .replace(',', " , ")
            .replace('"', "");
        spaced.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn rows(connection: &Connection, table: &str) -> Vec<Vec<Value>> {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let width = statement.column_count();
        let rows = statement
            .query_map([], |row| (0..width).map(|at| row.get(at)).collect())
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn migrations_of_an_empty_file_produce_schema_sql() {
        let mut migrated = Connection::open_in_memory().unwrap();
        assert_eq!(migrate(&mut migrated).unwrap(), SCHEMA_VERSION);
        let described = Connection::open_in_memory().unwrap();
        described
            .execute_batch(include_str!("../../../schema.sql"))
            .unwrap();
        assert_eq!(texts(&migrated), texts(&described));
    }

    /// A file as the program of that version left it, with these rows.
    fn file_of(version: usize, insertions: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        STEPS[..version]
            .iter()
            .for_each(|step| connection.execute_batch(step).unwrap());
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        connection
            .pragma_update(None, "user_version", version as i64)
            .unwrap();
        connection.execute_batch(insertions).unwrap();
        connection
    }

    /// A migrated file has the rows of `before` as the current schema stores them: those of `after`.
    fn assert_migrates(version: usize, before: &str, after: &str) {
        let mut migrated = file_of(version, before);
        assert_eq!(migrate(&mut migrated).unwrap(), SCHEMA_VERSION - version);
        assert!(rows(&migrated, "pragma_foreign_key_check").is_empty());
        let expected = file_of(SCHEMA_VERSION, after);
        let tables = texts(&expected)
            .into_iter()
            .filter(|(_, sql)| sql.starts_with("CREATE TABLE"));
        for (table, _) in tables.chain([("sqlite_sequence".to_owned(), String::new())]) {
            let sorted = |connection| {
                let mut rows = rows(connection, &table);
                rows.sort_by_key(|row| format!("{row:?}"));
                rows
            };
            assert_eq!(sorted(&migrated), sorted(&expected), "{table}");
        }
    }

    #[test]
    fn a_file_of_the_first_version_keeps_its_rows() {
        assert_migrates(
            1,
            "INSERT INTO users VALUES (3, 'one@example.com', '$2b$12$digest', 5, NULL, 1, 2);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', 'curl', 1, 2, 3);
             INSERT INTO projects VALUES (5, 3, 'First', NULL, 1, 2);
             INSERT INTO outbox VALUES (6, 'password_reset', 'one@example.com', 1, 2, 1, 3, NULL, 4, 'smtp_refused');
             INSERT INTO throttles VALUES ('sign_in:192.0.2.1', 7, 8);
             INSERT INTO heartbeat VALUES (1, 9)",
            "INSERT INTO users VALUES (3, 'one@example.com', 5, NULL, 1, 2, NULL, 0, 'user', NULL, '{}', '{}', NULL, NULL, 1);
             INSERT INTO passwords VALUES (3, '$2b$12$digest', 1, 2);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', 'curl', 1, 2, 3, NULL, NULL, 'pwd', 1, 0, '');
             INSERT INTO projects VALUES (5, 3, 'First', NULL, 1, 2);
             INSERT INTO outbox VALUES (6, 'password_reset', 'one@example.com', 1, 2, 1, 3, NULL, 4, 'smtp_refused',
                 NULL, NULL, NULL, 'link', NULL, 0, NULL);
             INSERT INTO throttles VALUES ('sign_in:192.0.2.1', 7, 8);
             INSERT INTO write_probe VALUES (1, 9)",
        );
    }

    #[test]
    fn a_file_of_the_second_version_keeps_its_rows() {
        assert_migrates(
            2,
            "INSERT INTO users VALUES (3, 'one@example.com', '$2b$12$digest', 5, NULL, 1, 2, 'two@example.com', 4);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', 'curl', 1, 2, 3, 2);
             INSERT INTO devices VALUES (3, 'aa', 1);
             INSERT INTO outbox VALUES
                 (6, 'new_device', 'one@example.com', 1, 2, 1, 3, NULL, 4, NULL, 3, '192.0.2.1', 'curl')",
            "INSERT INTO users VALUES
                 (3, 'one@example.com', 5, NULL, 1, 2, 'two@example.com', 4, 'user', NULL, '{}', '{}', NULL, NULL, 1);
             INSERT INTO passwords VALUES (3, '$2b$12$digest', 1, 2);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', 'curl', 1, 2, 3, 2, NULL, 'pwd', 2, 0, '');
             INSERT INTO known_devices VALUES (3, 'aa', 1);
             INSERT INTO outbox VALUES (6, 'new_device', 'one@example.com', 1, 2, 1, 3, NULL, 4, NULL, 3, '192.0.2.1',
                 'curl', 'notice', NULL, 0, NULL)",
        );
    }

    #[test]
    fn a_file_of_the_third_version_keeps_its_rows() {
        assert_migrates(
            3,
            "INSERT INTO users VALUES (3, 'one@example.com', '$2b$12$digest', 5, 6, 1, 2, NULL, 4);
             INSERT INTO users VALUES (9, 'gone@example.com', '$2b$12$digest', 5, NULL, 1, 2, NULL, 4);
             DELETE FROM users WHERE id = 9;
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', NULL, 5, 6, 7, NULL, 8);
             INSERT INTO sessions VALUES (5, 3, x'ab', '192.0.2.1', NULL, 5, 6, 7, 6, NULL);
             INSERT INTO sessions VALUES (6, 3, x'ac', '192.0.2.1', NULL, 5, 6, 7, 4, NULL);
             INSERT INTO api_keys VALUES (7, 3, 'key', x'ba', 'aaaa', 'introspect', 11, NULL, NULL, NULL);
             INSERT INTO api_keys VALUES (8, 3, 'key', x'bb', 'bbbb', 'introspect', 12, NULL, NULL, NULL);
             INSERT INTO refresh_tokens VALUES (2, 4, x'ca', x'cb', 'read', 1, 2, 3, x'cc', x'cd', 4);
             INSERT INTO ended_access VALUES (1, 2, NULL, 3);
             INSERT INTO ended_access VALUES (2, 4, 'jti', 5);
             INSERT INTO outbox VALUES
                 (6, 'api_key_created', 'one@example.com', 12, 2, 1, 3, NULL, NULL, NULL, 3, '192.0.2.1', 'curl');
             INSERT INTO outbox VALUES
                 (7, 'api_key_created', 'one@example.com', 13, 2, 1, 3, NULL, NULL, NULL, 3, '192.0.2.1', NULL);
             INSERT INTO outbox VALUES
                 (8, 'address_change', 'new@example.com', 12, 2, 1, 3, NULL, NULL, NULL, 3, NULL, NULL);
             INSERT INTO outbox VALUES
                 (9, 'confirmation', 'one@example.com', 12, 2, 1, 3, NULL, NULL, NULL, NULL, NULL, NULL)",
            "INSERT INTO users VALUES (3, 'one@example.com', 5, 6, 1, 2, NULL, 4, 'user', NULL, '{}', '{}', NULL, NULL, 1);
             INSERT INTO users VALUES (9, 'gone@example.com', 5, 6, 1, 2, NULL, 4, 'user', NULL, '{}', '{}', NULL, NULL, 1);
             DELETE FROM users WHERE id = 9;
             INSERT INTO passwords VALUES (3, '$2b$12$digest', 1, 2);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', NULL, 5, 6, 7, NULL, 8, 'pwd', 5, 0, '');
             INSERT INTO sessions VALUES (5, 3, x'ab', '192.0.2.1', NULL, 5, 6, 7, 6, NULL, 'pwd', 6, 0, '');
             INSERT INTO sessions VALUES (6, 3, x'ac', '192.0.2.1', NULL, 5, 6, 7, 4, NULL, 'pwd', 5, 0, '');
             INSERT INTO api_keys VALUES (7, 3, 'key', x'ba', 'aaaa', 'introspect', 11, NULL, NULL, NULL);
             INSERT INTO api_keys VALUES (8, 3, 'key', x'bb', 'bbbb', 'introspect', 12, NULL, NULL, NULL);
             INSERT INTO refresh_tokens VALUES (2, 4, x'ca', x'cb', 'read', 1, 2, 3, x'cc', x'cd', 4, NULL);
             INSERT INTO revoked_access_tokens VALUES (1, 2, NULL, 3, NULL);
             INSERT INTO revoked_access_tokens VALUES (2, 4, 'jti', 5, 5);
             INSERT INTO outbox VALUES (6, 'api_key_created', 'one@example.com', 12, 2, 1, 3, NULL, NULL, NULL, 3,
                 '192.0.2.1', 'curl', 'notice', 8, 0, NULL);
             INSERT INTO outbox VALUES (7, 'api_key_created', 'one@example.com', 13, 2, 1, 3, NULL, NULL, NULL, 3,
                 '192.0.2.1', NULL, 'notice', NULL, 0, NULL);
             INSERT INTO outbox VALUES (8, 'address_change', 'new@example.com', 12, 2, 1, 3, NULL, NULL, NULL, 3,
                 NULL, NULL, 'link', NULL, 0, NULL);
             INSERT INTO outbox VALUES (9, 'confirmation', 'one@example.com', 12, 2, 1, 3, NULL, NULL, NULL, NULL,
                 NULL, NULL, 'link', NULL, 1, NULL)",
        );
    }

    #[test]
    fn a_file_of_version_13_keeps_its_retired_key_bases() {
        assert_migrates(
            13,
            "INSERT INTO retired_key_bases VALUES ('one', 5)",
            "INSERT INTO key_bases VALUES ('one', 5)",
        );
    }

    #[test]
    fn deleting_a_session_revokes_only_issued_access_tokens() {
        let mut connection = file_of(
            2,
            "INSERT INTO users VALUES (3, 'one@example.com', '$2b$12$digest', 5, NULL, 1, 2, NULL, 4);
             INSERT INTO sessions VALUES (4, 3, x'aa', '192.0.2.1', 'curl', 1, 2, 3, 2);
             INSERT INTO sessions VALUES (5, 3, x'ab', '192.0.2.1', 'curl', 1, 2, 3, 2)",
        );
        migrate(&mut connection).unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        connection
            .execute("UPDATE sessions SET access_until = 9 WHERE id = 5", [])
            .unwrap();
        // By the cascade, and the count that decides is of the rows asked for.
        assert_eq!(connection.execute("DELETE FROM users", []).unwrap(), 1);
        let ended = [
            Value::Integer(1),
            Value::Integer(5),
            Value::Null,
            Value::Integer(9),
            Value::Null,
        ];
        assert_eq!(rows(&connection, "revoked_access_tokens"), [ended]);
    }

    #[test]
    fn a_second_migration_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), 0);
    }

    #[test]
    fn a_newer_schema_is_rejected_by_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refusal = migrate(&mut connection).unwrap_err().to_string();
        assert!(refusal.contains("newer Cloakroom (schema 99"), "{refusal}");
    }

    #[test]
    fn another_programs_file_is_rejected() {
        for (theirs, objects_left) in [
            ("CREATE TABLE theirs (id INTEGER)", 1),
            ("PRAGMA application_id = 1", 0),
            ("PRAGMA user_version = 1", 0),
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(theirs).unwrap();
            let refusal = migrate(&mut connection).unwrap_err().to_string();
            assert!(refusal.contains("another program's"), "{refusal}");
            assert_eq!(texts(&connection).len(), objects_left, "{theirs}");
        }
    }

    #[test]
    fn a_current_file_is_opened_without_waiting_for_writers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.db");
        let mut connection = Connection::open(&path).unwrap();
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        migrate(&mut connection).unwrap();
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), 0);
    }

    #[test]
    fn each_missing_object_is_named() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        check_objects(&connection).unwrap();
        connection
            .execute_batch(
                "DROP TABLE projects; DROP INDEX outbox_waiting; DROP TRIGGER sessions_revoke_access_tokens;
                 ALTER TABLE users DROP COLUMN name; CREATE TABLE theirs (id INTEGER)",
            )
            .unwrap();
        let refusal = check_objects(&connection).unwrap_err().to_string();
        for name in [
            "table projects",
            "column projects.title",
            "index outbox_waiting",
            "trigger sessions_revoke_access_tokens",
            "column users.name",
        ] {
            assert!(refusal.contains(name), "{name}: {refusal}");
        }
        assert!(!refusal.contains("theirs"), "{refusal}");
    }
}
