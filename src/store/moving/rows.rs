//! Reads and writes the rows of any table in pages, in the order of the primary key. Each statement is written once, for
//! both engines.

use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::end::Table;
use crate::crypto::hex;
use crate::domain::error::{Error, Result};
use crate::store::engine::{Connection, Reader, Transaction};
use crate::store::value::{Column, Value};

/// The rows of a statement. SQLite takes at most 32,766 parameters; a table of 18 columns has 3,600.
const PAGE: usize = 200;

/// A value that outlives its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owned {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Column for Owned {
    fn from_value(value: Value<'_>) -> Result<Self> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Integer(value) => Self::Integer(value),
            Value::Text(value) => Self::Text(value.to_owned()),
            Value::Blob(value) => Self::Blob(value.to_owned()),
        })
    }
}

impl Owned {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Text(value) => Value::Text(value),
            Self::Blob(value) => Value::Blob(value),
        }
    }
}

/// The number of rows and their SHA-256, which is the same on both engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// How many rows.
    pub rows: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// Computes a [`Sum`].
#[derive(Default)]
pub(super) struct Summing {
    rows: u64,
    hash: Sha256,
}

impl Summing {
    /// Adds the values of whole rows. Each value has its type and length before it, so that no two tables look alike.
    pub fn add(&mut self, page: &Page<'_>) {
        self.rows += page.len() as u64;
        for value in &page.values {
            let (kind, bytes): (u8, &[u8]) = match value {
                Owned::Null => (0, &[]),
                Owned::Integer(value) => (1, &value.to_le_bytes()),
                Owned::Text(text) => (2, text.as_bytes()),
                Owned::Blob(bytes) => (3, bytes),
            };
            self.hash.update([kind]);
            self.hash.update((bytes.len() as u64).to_le_bytes());
            self.hash.update(bytes);
        }
    }

    /// The number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn finish(self) -> Sum {
        Sum {
            rows: self.rows,
            sha256: hex(&self.hash.finalize()),
        }
    }
}

/// Some rows of a table.
pub(super) struct Page<'t> {
    table: &'t Table,
    /// Row after row.
    values: Vec<Owned>,
}

impl Page<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.table.columns.len()
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, Owned> {
        self.values.chunks_exact(self.table.columns.len())
    }

    /// The number of the last row, if rows have numbers: the largest so far.
    pub fn last_number(&self) -> Option<i64> {
        match self.rows().next_back()?[*self.table.key.first()?] {
            Owned::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// # Errors
    /// A text has the character NUL; the message names its row.
    pub fn refuse_nul(&self) -> Result<()> {
        for row in self.rows() {
            let has_nul = |value: &Owned| matches!(value, Owned::Text(text) if text.contains('\0'));
            if let Some(at) = row.iter().position(has_nul) {
                return Err(Error::internal(format!(
                    "table {}, row {}: {} has the character NUL, which PostgreSQL does not store; correct it first",
                    self.table.name,
                    self.table.key_of(row),
                    self.table.columns[at]
                )));
            }
        }
        Ok(())
    }

    /// Writes the rows.
    ///
    /// # Errors
    /// Those of the statement, naming the table.
    pub fn insert(&self, connection: &dyn Connection) -> Result<()> {
        let values: Vec<Value<'_>> = self.values.iter().map(Owned::as_value).collect();
        let written = Transaction::new(connection).execute(&self.table.insert(self.len()), &values);
        match written {
            Ok(rows) if rows == self.len() => Ok(()),
            Ok(rows) => Err(Error::internal(format!(
                "table {}: {rows} of {} rows were written",
                self.table.name,
                self.len()
            ))),
            Err(failure) => Err(self.table.at(failure)),
        }
    }
}

/// The rows of a table, page after page.
pub(super) struct Pages<'t> {
    table: &'t Table,
    connection: &'t dyn Connection,
    /// The key of the last row.
    after: Option<Vec<Owned>>,
    is_last: bool,
}

impl<'t> Pages<'t> {
    pub fn of(table: &'t Table, connection: &'t dyn Connection) -> Self {
        Self {
            table,
            connection,
            after: None,
            is_last: false,
        }
    }

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// Those of reading, naming the table.
    pub fn next(&mut self) -> Result<Option<Page<'t>>> {
        if self.is_last {
            return Ok(None);
        }
        let table = self.table;
        let bounds: Vec<Value<'_>> = self.after.iter().flatten().map(Owned::as_value).collect();
        let mut values = Vec::new();
        let sql = table.select(!bounds.is_empty());
        let read = self.connection.query(&sql, &bounds, &mut |row| {
            for _ in &table.columns {
                values.push(row.next()?);
            }
            Ok(ControlFlow::Continue(()))
        });
        read.map_err(|failure| table.at(failure))?;
        let page = Page { table, values };
        self.is_last = page.len() < PAGE;
        self.after = page.rows().next_back().map(|row| {
            let key = table.key.iter().map(|at| row[*at].clone());
            key.collect()
        });
        Ok(Some(page).filter(|page| page.len() > 0))
    }
}

impl Table {
    /// The number of rows.
    pub(super) fn count(&self, connection: &dyn Connection) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", self.name);
        let count = Reader::new(connection).one(&sql, &[], |row| row.next::<i64>());
        let count = count.map_err(|failure| self.at(failure))?;
        u64::try_from(count.unwrap_or_default()).map_err(Error::internal)
    }

    /// Whether there is a row.
    pub(super) fn has_rows(&self, connection: &dyn Connection) -> Result<bool> {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", self.name);
        Reader::new(connection).exists(&sql, &[])
    }

    fn select(&self, is_continued: bool) -> String {
        let (name, columns) = (&self.name, self.columns.join(", "));
        let key: Vec<&str> = self.key.iter().map(|at| &*self.columns[*at]).collect();
        let key = key.join(", ");
        let bound = match is_continued {
            true => format!("WHERE ({key}) > ({})", placeholders(1, self.key.len())),
            false => String::new(),
        };
        format!("SELECT {columns} FROM {name} {bound} ORDER BY {key} LIMIT {PAGE}")
    }

    fn insert(&self, rows: usize) -> String {
        let width = self.columns.len();
        let rows = (0..rows).map(|row| format!("({})", placeholders(row * width + 1, width)));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let (name, columns) = (&self.name, self.columns.join(", "));
        format!("INSERT INTO {name} ({columns}) VALUES {rows}")
    }

    /// The primary key of a row in words. It is an id, a name or a digest, never an address.
    fn key_of(&self, row: &[Owned]) -> String {
        let key = self.key.iter().map(|at| match &row[*at] {
            Owned::Integer(number) => number.to_string(),
            Owned::Text(text) => text.replace('\0', "\u{fffd}"),
            Owned::Blob(bytes) => hex(bytes),
            Owned::Null => String::new(),
        });
        key.collect::<Vec<_>>().join(", ")
    }

    /// A failure with the name of the table.
    pub(super) fn at(&self, failure: Error) -> Error {
        match failure {
            Error::Internal(cause) => Error::internal(format!("table {}: {cause}", self.name)),
            other => other,
        }
    }
}

fn placeholders(first: usize, count: usize) -> String {
    let all = (first..first + count).map(|number| format!("${number}"));
    all.collect::<Vec<_>>().join(", ")
}
