//! The seam between the store functions and a database engine.
//!
//! Store functions see [`Reader`], [`Transaction`] and [`Row`]. An engine implements [`Connection`] and [`Columns`]
//! for the types of its own library, and calls its [`AfterCommit`] subscriber. The dynamic calls cost a few
//! nanoseconds in a look-up of microseconds.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::{ControlFlow, Deref};

use super::value::{Column, Value};
use crate::domain::error::Result;
use crate::domain::{SessionId, TokenDigest};

/// A connection of an engine, which prepares each SQL text once.
pub(super) trait Connection {
    /// Runs a statement to its end and passes its rows to `visit` until that breaks.
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()>;

    /// Runs a statement without result rows; returns the number of rows that it changed.
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize>;

    /// Whether transactions run at the same time, so that `FOR UPDATE SKIP LOCKED` is needed, and understood.
    fn locks_rows(&self) -> bool {
        false
    }
}

/// A row of an engine.
pub(super) trait Columns {
    /// The value of a column, numbered from 0.
    fn column(&self, index: usize) -> Result<Value<'_>>;
}

/// What an engine notifies of its commits.
pub(super) trait AfterCommit: fmt::Debug + Send + Sync {
    /// Called after each commit, before its callers are answered.
    fn committed(&self, reader: &Reader<'_>);

    /// Called when a commit failed: its changes may be on disk all the same.
    fn commit_failed(&self);
}

/// What functions that read take.
pub struct Reader<'c> {
    connection: &'c dyn Connection,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c dyn Connection) -> Self {
        Self { connection }
    }

    /// The first row, if there is one.
    pub fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut first = None;
        self.connection.query(sql, values, &mut |row| {
            first = Some(read(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// The answer to a look-up.
    pub fn look_up<T>(&self, asked: &LookUp<T>) -> Result<Option<T>> {
        self.one(asked.sql, &[asked.key.value()], asked.read)
    }

    /// All rows.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.connection.query(sql, values, &mut |row| {
            rows.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Whether there is a row.
    pub fn exists(&self, sql: &str, values: &[Value<'_>]) -> Result<bool> {
        self.one(sql, values, |_| Ok(())).map(|row| row.is_some())
    }
}

/// A question that one statement answers, by one key and its first row: many are asked at the same time.
#[derive(Debug)]
pub struct LookUp<T> {
    pub(super) sql: &'static str,
    pub(super) key: Key,
    pub(super) read: fn(&Row<'_>) -> Result<T>,
}

/// What a [`LookUp`] asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Digest(TokenDigest),
    Session(SessionId),
}

impl Key {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Digest(digest) => digest.into(),
            Self::Session(id) => (*id).into(),
        }
    }
}

/// What functions that write take. It reads as well, and sees its own changes.
pub struct Transaction<'c> {
    reader: Reader<'c>,
    mails_enqueued: Cell<u64>,
    counts: RefCell<Vec<Count>>,
}

/// A change of counters that follows a transaction.
pub(super) type Count = Box<dyn FnOnce(&Transaction<'_>) -> Result<()>>;

impl<'c> Transaction<'c> {
    pub(super) fn new(connection: &'c dyn Connection) -> Self {
        Self {
            reader: Reader::new(connection),
            mails_enqueued: Cell::new(0),
            counts: RefCell::default(),
        }
    }

    /// How many mails were added to the outbox. Writes of one batch may share a transaction: compare before and after.
    pub fn mails_enqueued(&self) -> u64 {
        self.mails_enqueued.get()
    }

    pub(super) fn note_enqueued_mail(&self) {
        self.mails_enqueued.set(self.mails_enqueued.get() + 1);
    }

    /// Changes counters with this transaction or, where others run at the same time, after its commit: a row that all of
    /// them change would put them in each other's way. Callers are answered afterwards. A crash in between, or a failure,
    /// leaves the counters as they are.
    ///
    /// # Errors
    /// Those of `count`, where it runs at once.
    pub fn count_after(
        &self,
        count: impl FnOnce(&Transaction<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        if !self.locks_rows() {
            return count(self);
        }
        self.counts.borrow_mut().push(Box::new(count));
        Ok(())
    }

    /// What is to be counted after the commit.
    pub(super) fn into_counts(self) -> Vec<Count> {
        self.counts.into_inner()
    }

    /// Whether a statement that takes rows must lock them and skip those of others.
    pub(super) fn locks_rows(&self) -> bool {
        self.reader.connection.locks_rows()
    }

    /// Runs a statement; returns the number of rows that it changed.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        self.reader.connection.execute(sql, values)
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Self::Target {
        &self.reader
    }
}

/// A row of a result.
pub struct Row<'r> {
    columns: &'r dyn Columns,
    next: Cell<usize>,
}

impl<'r> Row<'r> {
    pub(super) fn new(columns: &'r dyn Columns) -> Self {
        Self {
            columns,
            next: Cell::new(0),
        }
    }

    /// The value of the next column, from the first on: the order of reads is the order of the columns.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn next<T: Column>(&self) -> Result<T> {
        self.get(self.next.replace(self.next.get() + 1))
    }

    /// The value of a column, numbered from 0.
    ///
    /// # Errors
    /// The column is of another type: the schema and the statement disagree.
    pub fn get<T: Column>(&self, index: usize) -> Result<T> {
        T::from_value(self.columns.column(index)?)
    }
}
