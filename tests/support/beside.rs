//! The database beside the program that uses it: a file, or a schema of a PostgreSQL server.

use std::path::{Path, PathBuf};

use cloakroom::store::TestSchema;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Where a program has its rows.
pub enum Beside<'s> {
    File(PathBuf),
    Schema(&'s TestSchema),
}

impl Beside<'_> {
    /// Whether it has tables.
    pub fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Schema(_) => {
                let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
                self.count(tables) > 0
            }
        }
    }

    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        match self {
            Self::File(path) => open(path).execute_batch(sql).unwrap(),
            Self::Schema(schema) => schema.execute(sql).unwrap(),
        }
    }

    /// The first column of each row, as text.
    pub fn column(&self, sql: &str) -> Vec<Option<String>> {
        let path = match self {
            Self::File(path) => path,
            Self::Schema(schema) => return schema.query(sql).unwrap(),
        };
        let file = open(path);
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                other => Some(other.as_str()?.to_owned()),
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// One text.
    pub fn text(&self, sql: &str) -> Option<String> {
        self.column(sql).into_iter().next().expect("a row")
    }

    /// One number.
    pub fn count(&self, sql: &str) -> i64 {
        self.text(sql).expect("a number").parse().unwrap()
    }

    /// Bytes for a statement.
    pub fn blob(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::File(_) => format!("x'{hex}'"),
            Self::Schema(_) => format!("'\\x{hex}'"),
        }
    }

    /// All that is stored, with the bytes of secrets as they are.
    pub fn content(&self) -> Vec<u8> {
        let schema = match self {
            Self::File(path) => return files_of(path),
            Self::Schema(schema) => schema,
        };
        schema.execute("SET bytea_output = 'escape'").unwrap();
        let tables =
            self.column("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()");
        let rows = tables.into_iter().flatten().flat_map(|table| {
            self.column(&format!(
                "SELECT CAST(stored AS text) FROM {table} AS stored"
            ))
        });
        let content: String = rows.flatten().collect();
        schema.execute("RESET bytea_output").unwrap();
        content.into_bytes()
    }

    /// Lets the program read, and lets all its writes wait, until this is dropped.
    pub fn hold_writes(&self) -> HeldWrites<'_> {
        match self {
            Self::File(path) => {
                let file = open(path);
                file.execute_batch("BEGIN IMMEDIATE").unwrap();
                HeldWrites::File(file)
            }
            Self::Schema(schema) => {
                let all = "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = current_schema()";
                let tables = self.text(all).unwrap();
                let lock = format!("BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE");
                schema.execute(&lock).unwrap();
                HeldWrites::Schema(schema)
            }
        }
    }

    /// 32 random bytes in each row of a statement.
    pub fn random_blob(&self) -> &'static str {
        match self {
            Self::File(_) => "randomblob(32)",
            Self::Schema(_) => "sha256(CAST(CAST(gen_random_uuid() AS text) AS bytea))",
        }
    }
}

/// See [`Beside::hold_writes`].
pub enum HeldWrites<'s> {
    File(Connection),
    Schema(&'s TestSchema),
}

impl Drop for HeldWrites<'_> {
    fn drop(&mut self) {
        match self {
            Self::File(file) => file.execute_batch("ROLLBACK").unwrap(),
            Self::Schema(schema) => schema.execute("ROLLBACK").unwrap(),
        }
    }
}

/// The bytes of a file and those beside it with longer names.
fn files_of(path: &Path) -> Vec<u8> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with(name) {
            bytes.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    bytes
}

fn open(path: &Path) -> Connection {
    let file = Connection::open(path).unwrap();
    file.busy_timeout(super::process::TIMEOUT).unwrap();
    file
}
