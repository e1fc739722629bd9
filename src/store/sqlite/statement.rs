//! Statements on a SQLite connection, and what their failures mean.

use std::ops::ControlFlow;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql};

use crate::domain::error::{Error, Result, UnavailableReason};
use crate::store::engine::{self, Columns, Row};
use crate::store::value::Value;

impl engine::Connection for Connection {
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut statement = prepare(self, sql)?;
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            if visit(&Row::new(row))?.is_break() {
                break;
            }
        }
        // A statement with RETURNING is complete only after its last step.
        while rows.next().map_err(error)?.is_some() {}
        Ok(())
    }

    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize> {
        prepare(self, sql)?
            .execute(rusqlite::params_from_iter(values))
            .map_err(error)
    }
}

fn prepare<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>> {
    let statement = connection.prepare_cached(sql).map_err(error)?;
    debug_assert!(placeholders_are_in_order(&statement), "{sql}");
    Ok(statement)
}

/// SQLite numbers `$1`, `$2`, … by their first occurrence, PostgreSQL by their name: they must agree.
fn placeholders_are_in_order(statement: &rusqlite::Statement<'_>) -> bool {
    (1..=statement.parameter_count())
        .all(|at| statement.parameter_name(at) == Some(&format!("${at}")))
}

impl Columns for rusqlite::Row<'_> {
    fn column(&self, index: usize) -> Result<Value<'_>> {
        Ok(match self.get_ref(index).map_err(error)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Text(bytes) => {
                Value::Text(std::str::from_utf8(bytes).map_err(Error::internal)?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes),
            ValueRef::Real(_) => return Err(Error::internal("the column holds a float")),
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

/// The error that callers get for an error of SQLite: unavailable where a retry may succeed, else internal.
pub(super) fn error(error: rusqlite::Error) -> Error {
    use UnavailableReason as Reason;
    let (reason, seconds) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (Reason::DatabaseBusy, 1),
        Some(ErrorCode::DiskFull) => (Reason::DiskFull, 30),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (Reason::DatabaseDamaged, 60),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (Reason::DatabaseReadOnly, 60),
        Some(ErrorCode::CannotOpen) => (Reason::DatabaseUnopenable, 60),
        Some(ErrorCode::SystemIoFailure) => (Reason::DatabaseIoFailure, 30),
        _ => return Error::internal(error),
    };
    Error::unavailable(reason, Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use crate::domain::clock::Timestamp;
    use crate::domain::error::{Error, UnavailableReason as Reason};
    use crate::store::engine::Transaction;
    use crate::store::sqlite::in_memory;
    use crate::store::tables::{api_keys, outbox, revocations};
    use crate::store::value::Value;

    /// How SQLite finds the rows of a statement.
    fn plan(sql: &str, values: &[Value<'_>]) -> Vec<String> {
        let connection = in_memory();
        let tx = Transaction::new(&connection);
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        tx.all(&sql, values, |row| row.get(3)).unwrap()
    }

    #[test]
    fn expired_rows_are_found_by_index() {
        let now = Timestamp::from_millis(0);
        for sql in [api_keys::DELETE_INVALID, revocations::DELETE_EXPIRED] {
            let steps = plan(sql, &[now.into(), 500_u32.into()]);
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN")),
                "{steps:?}"
            );
        }
    }

    #[test]
    fn the_mails_of_an_account_are_found_by_index() {
        let address = "one@example.com";
        let steps = plan(outbox::DELETE_ALL_FOR, &[1_i64.into(), address.into()]);
        for index in [
            "outbox_by_user (user_id=?)",
            "outbox_by_address (email_address=?)",
        ] {
            assert!(
                steps.iter().any(|step| step.ends_with(index)),
                "{index}: {steps:?}"
            );
        }
    }

    #[test]
    fn finished_mails_are_not_read_for_a_waiting_one() {
        let now = Timestamp::from_millis(0);
        let values = [now.into(), "one@example.com".into(), "unlock".into()];
        let steps = plan(outbox::RENEW, &values);
        let by_all = "outbox_by_address (email_address=? AND kind=? AND sent_at=? AND dead_at=?)";
        assert!(steps.iter().any(|step| step.ends_with(by_all)), "{steps:?}");
    }

    #[test]
    fn a_failure_of_sqlite_is_reported_by_its_cause() {
        for (code, reason) in [
            (ffi::SQLITE_BUSY, Reason::DatabaseBusy),
            (ffi::SQLITE_LOCKED, Reason::DatabaseBusy),
            (ffi::SQLITE_FULL, Reason::DiskFull),
            (ffi::SQLITE_CORRUPT, Reason::DatabaseDamaged),
            (ffi::SQLITE_NOTADB, Reason::DatabaseDamaged),
            (ffi::SQLITE_READONLY, Reason::DatabaseReadOnly),
            (ffi::SQLITE_PERM, Reason::DatabaseReadOnly),
            (ffi::SQLITE_CANTOPEN, Reason::DatabaseUnopenable),
            (ffi::SQLITE_IOERR, Reason::DatabaseIoFailure),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            match super::error(failure) {
                Error::Unavailable { reason: found, .. } => assert_eq!(found, reason, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
        }
        let constraint =
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT), None);
        assert!(matches!(super::error(constraint), Error::Internal(_)));
    }

    #[test]
    fn placeholders_are_numbered_in_their_order() {
        let connection = in_memory();
        for (sql, expected) in [
            ("SELECT $1, $2, $1", true),
            ("SELECT $2, $1", false),
            ("SELECT $1, ?", false),
        ] {
            let statement = connection.prepare(sql).unwrap();
            assert_eq!(
                super::placeholders_are_in_order(&statement),
                expected,
                "{sql}"
            );
        }
    }
}
