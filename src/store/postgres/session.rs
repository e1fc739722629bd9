//! One session of the server with its prepared statements, and what its failures mean.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client as Server, Error as ServerError, Statement};

use super::client::{Client, Fault};
use super::target::Target;
use crate::domain::error::{Error, Result, UnavailableReason as Reason};
use crate::store::engine::{Columns, Connection, Row};
use crate::store::value::Value;

/// The longest statement. Longer ones are those of a server in trouble.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// Then the server does not answer at all: it would have ended the statement.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(12);

/// A session. Only the thread that opened it uses it.
pub(super) struct Session {
    client: RefCell<Client>,
    /// By their text; `None` if statements are not prepared by name.
    statements: Option<RefCell<HashMap<Box<str>, Statement>>>,
    /// The first failure since [`Self::take_failure`]: the server then refuses the rest of the transaction.
    failure: Cell<Option<Failure>>,
    is_lost: Cell<bool>,
    /// How many sessions of the process were lost.
    losses: Arc<AtomicU64>,
    lock_timeout: Duration,
}

/// A failure of a statement, as the engine needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Transactions were in each other's way: it may succeed again.
    Conflict,
    /// A unique constraint was violated, perhaps by a transaction that this one did not see.
    Duplicate,
    /// The session is gone, or not to be used.
    Lost,
    /// Any other: again it would fail again.
    Other,
}

/// How a transaction sees others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Isolation {
    /// As if it were alone.
    Serializable,
    /// Each statement sees what was committed before it: for statements that decide by themselves.
    ReadCommitted,
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// The server cannot be reached or refuses the session.
    pub fn connect(
        target: &Target,
        prepare: bool,
        lock_timeout: Duration,
        losses: Arc<AtomicU64>,
    ) -> Result<Self, Fault> {
        let mut client = Client::connect(target, ANSWER_TIMEOUT)?;
        if prepare {
            // Without prepared statements, a pooler may give each transaction another session.
            let limits = limits("SET", lock_timeout);
            client.ask(async |server| server.batch_execute(&limits).await)?;
        }
        Ok(Self {
            client: RefCell::new(client),
            statements: prepare.then(RefCell::default),
            failure: Cell::new(None),
            is_lost: Cell::new(false),
            losses,
            lock_timeout,
        })
    }

    /// Whether the server still answers.
    pub fn is_alive(&self) -> bool {
        self.client.borrow_mut().is_alive()
    }

    /// Whether the session failed and cannot be used any more.
    pub fn is_lost(&self) -> bool {
        self.is_lost.get()
    }

    /// Begins a transaction.
    pub fn begin(&self, isolation: Isolation) -> Result<()> {
        let mut sql = String::from(match isolation {
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE;",
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;",
        });
        if self.statements.is_none() {
            sql.push_str(&limits("SET LOCAL", self.lock_timeout));
        }
        self.batch(&sql)
    }

    /// Commits. After an error other than [`Failure::Conflict`] the changes may be on disk all the same.
    pub fn commit(&self) -> Result<()> {
        self.batch("COMMIT")
    }

    /// For statements of the operator, which may take long: from now on nothing limits them.
    pub fn lift_limits(&self) -> Result<()> {
        self.client.borrow_mut().lift_limit();
        self.batch(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; SET LOCAL enable_seqscan = on",
        )
    }

    /// Undoes the transaction. A session that cannot is lost.
    pub fn roll_back(&self) {
        if !self.is_lost() && self.batch("ROLLBACK").is_err() {
            self.is_lost.set(true);
        }
    }

    /// Runs statements without parameters.
    pub fn batch(&self, sql: &str) -> Result<()> {
        let mut client = self.client.borrow_mut();
        let outcome = client.ask(async |server| server.batch_execute(sql).await);
        outcome.map_err(|failure| self.note(failure))
    }

    /// The first failure since the last call.
    pub fn take_failure(&self) -> Option<Failure> {
        self.failure.take()
    }

    /// Runs `run` with the statement of `sql`, which is prepared once.
    fn with_statement<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        prepared: impl AsyncFnOnce(
            &Server,
            &Statement,
            &[&(dyn ToSql + Sync)],
        ) -> Result<T, ServerError>,
        typed: impl AsyncFnOnce(&Server, &[(&(dyn ToSql + Sync), Type)]) -> Result<T, ServerError>,
    ) -> Result<T> {
        let mut client = self.client.borrow_mut();
        let outcome = match &self.statements {
            Some(known) => {
                let known_statement = known.borrow().get(sql).cloned();
                let statement = match known_statement {
                    Some(statement) => Ok(statement),
                    None => client
                        .ask(async |server| server.prepare(sql).await)
                        .inspect(|statement| {
                            known.borrow_mut().insert(sql.into(), statement.clone());
                        }),
                };
                let values: Vec<_> = values
                    .iter()
                    .map(|value| value as &(dyn ToSql + Sync))
                    .collect();
                statement.and_then(|statement| {
                    client.ask(async |server| prepared(server, &statement, &values).await)
                })
            }
            None => {
                let values: Vec<_> = values
                    .iter()
                    .map(|value| (value as &(dyn ToSql + Sync), type_of(value)))
                    .collect();
                client.ask(async |server| typed(server, &values).await)
            }
        };
        outcome.map_err(|failure| self.note(failure))
    }

    /// Remembers a failure and returns it as callers get it.
    fn note(&self, failure: Fault) -> Error {
        let kind = kind_of(&failure);
        if self.failure.get().is_none() {
            self.failure.set(Some(kind));
        }
        if kind == Failure::Lost && !self.is_lost.replace(true) {
            note_loss(&self.losses, &failure);
        }
        error(&failure)
    }
}

/// Counts and logs the loss of a session.
pub(super) fn note_loss(losses: &AtomicU64, failure: &Fault) {
    losses.fetch_add(1, Ordering::SeqCst);
    let reason = describe(failure);
    tracing::warn!(reason, "a session of the database ended");
}

/// The type of a parameter for a server that does not prepare the statement first.
pub(super) fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Integer(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Blob(_) => Type::BYTEA,
    }
}

/// The time limits of a session or of a transaction.
pub(super) fn limits(set: &str, lock_timeout: Duration) -> String {
    let statement = STATEMENT_TIMEOUT.as_millis();
    let lock = lock_timeout.as_millis();
    // An outer default of SERIALIZABLE would make look-ups fail. And a scan of a small table locks all of it for
    // serializable transactions, which are then in each other's way; all statements have an index.
    let of_sessions = match set {
        "SET" => "SET default_transaction_isolation = 'read committed'; SET enable_seqscan = off;",
        _ => "SET LOCAL enable_seqscan = off;",
    };
    format!(
        "{of_sessions} {set} statement_timeout = {statement}; {set} lock_timeout = {lock};
         {set} idle_in_transaction_session_timeout = {statement};"
    )
}

impl Connection for Session {
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let rows = self.with_statement(
            sql,
            values,
            async |server, statement, values| server.query(statement, values).await,
            async |server, values| server.query_typed(sql, values).await,
        )?;
        for row in &rows {
            if visit(&Row::new(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        let changed = self.with_statement(
            sql,
            values,
            async |server, statement, values| server.execute(statement, values).await,
            async |server, values| server.execute_typed(sql, values).await,
        )?;
        usize::try_from(changed).map_err(Error::internal)
    }

    fn locks_rows(&self) -> bool {
        true
    }
}

impl Columns for tokio_postgres::Row {
    fn column(&self, index: usize) -> Result<Value<'_>> {
        // A column that does not exist is an error, too.
        let stored: Stored<'_> = self.try_get(index).map_err(Error::internal)?;
        Ok(stored.0)
    }
}

/// A value as it is stored.
struct Stored<'v>(Value<'v>);

impl<'v> FromSql<'v> for Stored<'v> {
    fn from_sql(
        of: &Type,
        raw: &'v [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *of {
            Type::INT8 => Value::Integer(i64::from_sql(of, raw)?),
            Type::INT4 => Value::Integer(i64::from(i32::from_sql(of, raw)?)),
            Type::BYTEA => Value::Blob(raw),
            _ => Value::Text(<&str>::from_sql(of, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT8 | Type::INT4 | Type::BYTEA | Type::TEXT)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (*self, of) {
            (Value::Null, _) => Ok(IsNull::Yes),
            // A literal beside the parameter can make it one of four bytes.
            (Value::Integer(value), &Type::INT4) => i32::try_from(value)?.to_sql(of, out),
            (Value::Integer(value), _) => value.to_sql(of, out),
            (Value::Text(value), _) => value.to_sql(of, out),
            (Value::Blob(value), _) => value.to_sql(of, out),
        }
    }

    /// The server checks the types; the parameter of a NULL has any.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(super) fn kind_of(failure: &Fault) -> Failure {
    let Some(code) = failure.code() else {
        // Parameters that do not fit are faults of ours, and leave the session as it is. The library has no code for them.
        let text = failure.to_string();
        let is_ours = ["error serializing", "error encoding", "expected "]
            .iter()
            .any(|start| text.starts_with(start));
        return match is_ours {
            true => Failure::Other,
            false => Failure::Lost,
        };
    };
    if is_unreachable(code) || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Failure::Lost;
    }
    match *code {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Failure::Conflict,
        SqlState::UNIQUE_VIOLATION => Failure::Duplicate,
        // Prepared statements of before a migration, or of another session behind a pooler.
        SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::DUPLICATE_PSTATEMENT
        | SqlState::FEATURE_NOT_SUPPORTED => Failure::Lost,
        _ => Failure::Other,
    }
}

/// Whether the server ends sessions or takes none.
fn is_unreachable(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || *code == SqlState::TOO_MANY_CONNECTIONS
}

/// Whether a server that cannot be reached may be in a moment, as opposed to one that refuses this user or certificate.
pub(super) fn may_pass(failure: &Fault) -> bool {
    match failure.code() {
        Some(code) => is_unreachable(code),
        None if matches!(failure, Fault::Silence) => true,
        None => {
            let text = failure.to_string();
            [
                "error connecting",
                "error communicating",
                "connection closed",
            ]
            .iter()
            .any(|start| text.starts_with(start))
        }
    }
}

/// What the server says, without values: details may contain addresses.
pub(super) fn describe(failure: &Fault) -> String {
    match failure.refusal() {
        Some(refusal) => {
            let (message, code) = (refusal.message(), refusal.code());
            let advice = match *code {
                SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT => {
                    ": behind a pooler, set database.prepare = false"
                }
                _ => "",
            };
            format!("{message} ({}){advice}", code.code())
        }
        None => match std::error::Error::source(failure) {
            Some(cause) => format!("{failure}: {cause}"),
            None => failure.to_string(),
        },
    }
}

/// The error that callers get: unavailable where a retry may succeed, else internal.
pub(super) fn error(failure: &Fault) -> Error {
    let (reason, seconds) = match failure.code() {
        None if kind_of(failure) == Failure::Lost => (Reason::DatabaseUnreachable, 1),
        None => return Error::internal(describe(failure)),
        Some(code) if is_unreachable(code) => (Reason::DatabaseUnreachable, 1),
        Some(code) => match *code {
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::QUERY_CANCELED
            | SqlState::OUT_OF_MEMORY => (Reason::DatabaseBusy, 1),
            SqlState::DISK_FULL => (Reason::DiskFull, 30),
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => (Reason::DatabaseDamaged, 60),
            SqlState::READ_ONLY_SQL_TRANSACTION => (Reason::DatabaseReadOnly, 5),
            SqlState::IO_ERROR => (Reason::DatabaseIoFailure, 30),
            _ => return Error::internal(describe(failure)),
        },
    };
    Error::unavailable(reason, Duration::from_secs(seconds))
}
