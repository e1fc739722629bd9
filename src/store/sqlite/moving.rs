//! A file as one end of a move.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::inspect::Inspection;
use super::migrate::{self, check_is_current};
use super::open::{IfMissing, in_words, named, open_current};
use super::place::{self, Found, NewFile};
use super::statement::error;
use crate::config;
use crate::domain::error::{Error, Result};
use crate::store::engine::{self, Reader, Transaction};
use crate::store::moving::end::{End, Table, Target};

/// In KiB: the pages of the unique indexes, whose digests come in no order.
const CACHE: u32 = 128 * 1024;

/// The tables of the current schema.
pub(in crate::store) fn tables() -> Result<Vec<Table>> {
    let mut described = Connection::open_in_memory().map_err(error)?;
    migrate::migrate(&mut described)?;
    let reader = Reader::new(&described);
    let names = reader.all(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        &[],
        |row| row.next::<String>(),
    )?;
    let table = |name: String| {
        let columns = reader.all(
            "SELECT name, pk FROM pragma_table_info($1) ORDER BY cid",
            &[(&name).into()],
            |row| Ok((row.next::<String>()?, row.next::<i64>()?)),
        )?;
        let parents = reader.all(
            "SELECT \"table\" FROM pragma_foreign_key_list($1)",
            &[(&name).into()],
            |row| row.next(),
        )?;
        // `pk` is 0, or the place in the key from 1 on.
        let mut key: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].1 > 0).collect();
        key.sort_by_key(|at| columns[*at].1);
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        Ok(Table {
            name,
            columns,
            key,
            parents,
        })
    };
    names.into_iter().map(table).collect()
}

/// Opens a file of the current schema that no other process has open, and keeps others from writing it.
///
/// # Errors
/// For the operator, naming the file.
pub(in crate::store) fn open_source(settings: &config::Database) -> Result<Box<dyn End>> {
    let open = || {
        // Before this process opens it: closing what is opened here would end its locks.
        let path = place::resolve(&settings.path)?;
        if let Some(user) = place::user_of(&path)? {
            return Err(Error::internal(format!(
                "{user} has this file open: stop the server first, so that the move misses no change"
            )));
        }
        check_is_current(Inspection::open(&path)?.schema_version()?)?;
        Ok(())
    };
    open().map_err(|failure| named(&settings.path, &failure))?;
    let (connection, _) = open_current(settings, IfMissing::Refuse)?;
    let source = Source {
        path: settings.path.clone(),
        connection,
    };
    // Others may read; a writer waits for the end.
    let begun = source.connection.execute_batch("BEGIN IMMEDIATE");
    begun.map_err(|failure| source.named(error(failure)))?;
    Ok(Box::new(source))
}

/// Creates a file of the current schema, which has another name until it is complete.
///
/// # Errors
/// For the operator, naming the file: there is one already, or none can be written.
pub(in crate::store) fn open_target(path: &Path) -> Result<Box<dyn Target>> {
    let open = || {
        let present = || Error::internal("this file exists already; name a new one");
        if place::examine(path)? != Found::Nothing {
            return Err(present());
        }
        let file = NewFile::start(path)?.ok_or_else(present)?;
        let begin = format!("PRAGMA cache_size = -{CACHE}; BEGIN");
        file.connection().execute_batch(&begin).map_err(error)?;
        Ok(file)
    };
    let file = open().map_err(|failure| of_target(path, failure))?;
    let path = path.to_owned();
    Ok(Box::new(Filled { path, file }))
}

struct Source {
    path: PathBuf,
    connection: Connection,
}

impl End for Source {
    fn connection(&self) -> &dyn engine::Connection {
        &self.connection
    }

    fn last_number(&self, table: &Table) -> Result<Option<i64>> {
        last_number(&self.connection, table)
    }

    fn named(&self, failure: Error) -> Error {
        named(&self.path, &failure)
    }
}

struct Filled {
    path: PathBuf,
    file: NewFile,
}

impl End for Filled {
    fn connection(&self) -> &dyn engine::Connection {
        self.file.connection()
    }

    fn last_number(&self, table: &Table) -> Result<Option<i64>> {
        last_number(self.file.connection(), table)
    }

    fn named(&self, failure: Error) -> Error {
        of_target(&self.path, failure)
    }
}

impl Target for Filled {
    fn stores_nul(&self) -> bool {
        true
    }

    fn set_last_number(&self, table: &Table, last: i64) -> Result<()> {
        let tx = Transaction::new(self.file.connection());
        // SQLite has a row for each table with a number, once it has assigned one.
        let delete = "DELETE FROM sqlite_sequence WHERE name = $1";
        tx.execute(delete, &[(&table.name).into()])?;
        let insert = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
        tx.execute(insert, &[(&table.name).into(), last.into()])
            .map(drop)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let Self { path, file } = *self;
        let committed = file.connection().execute_batch("COMMIT").map_err(error);
        let complete = committed.and_then(|()| file.finish());
        complete.map_err(|failure| of_target(&path, failure))
    }
}

fn last_number(connection: &Connection, table: &Table) -> Result<Option<i64>> {
    Reader::new(connection).one(
        "SELECT seq FROM sqlite_sequence WHERE name = $1",
        &[(&table.name).into()],
        |row| row.next(),
    )
}

fn of_target(path: &Path, failure: Error) -> Error {
    Error::internal(format!("target {}: {}", path.display(), in_words(&failure)))
}
