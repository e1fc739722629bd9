//! Moves all rows from one database into an empty one, of either engine.
//!
//! The tables and columns are those of the schema, so that a new one is moved as well. Ids stay, and so does the last number
//! of each table: no id is assigned twice. The source is only read. The rows of the target are committed together, after
//! they were read again and compared.
//!
//! # Threats
//! - a change during the move, such as a revocation, that the target would lack: a source that a server uses is refused, and
//!   no process can write it until the move ends
//! - a move that is killed: a server undoes its transaction; a file has another name until it is complete and on disk
//! - rows of two databases mixed: a target with any row is refused, and its tables are locked while they are filled
//! - the target's password in arguments: `--to-url-file` reads the URL from a file, and no message contains one

pub(in crate::store) mod end;
mod rows;
#[cfg(test)]
mod tests;

use super::{postgres, sqlite};
use crate::config;
use crate::domain::error::{Error, Result};
use end::{End, Table, Target};
pub use rows::Sum;
use rows::{Pages, Summing};

/// Tables about the machine, which are left out: when `/ready` last wrote, on a target perhaps before the move.
const NOT_MOVED: &[&str] = &["write_probe"];

/// A table that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: String,
    /// The sum of its rows, the same at both ends.
    pub sum: Sum,
}

/// What a move does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was written.
    Copied,
    /// It was read again.
    Checked,
}

/// How far a move is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// The table.
    pub table: &'p str,
    /// What was done with its rows.
    pub step: Step,
    /// How many of its rows are done.
    pub done: u64,
    /// How many it has.
    pub of: u64,
}

/// Moves all rows. It waits on the calling thread.
///
/// # Errors
/// For the operator: an end cannot be used, is in use or is not empty, or a row cannot be stored. The target is then as it
/// was before.
pub fn move_rows(
    from: &config::Database,
    to: &config::Database,
    report: &mut dyn FnMut(&Progress<'_>),
) -> Result<Vec<MovedTable>> {
    let tables = tables()?;
    let source = match &from.url {
        None => sqlite::open_source(from)?,
        Some(url) => postgres::open_source(from, url, &tables)?,
    };
    let target = match &to.url {
        None => sqlite::open_target(&to.path)?,
        Some(url) => postgres::open_target(to, url, &tables)?,
    };
    let moved = fill(&*source, &*target, &tables, report)?;
    target.commit()?;
    Ok(moved)
}

/// The tables to move, each after those that it refers to.
fn tables() -> Result<Vec<Table>> {
    let mut rest = sqlite::tables()?;
    rest.retain(|table| !NOT_MOVED.contains(&&*table.name));
    let mut sorted: Vec<Table> = Vec::new();
    while !rest.is_empty() {
        let is_next = |table: &Table| {
            let is_there = |parent: &String| sorted.iter().any(|table| table.name == *parent);
            table.parents.iter().all(is_there)
        };
        let next = rest.iter().position(is_next);
        let next = next.ok_or_else(|| Error::internal("tables refer to each other in a circle"))?;
        sorted.push(rest.remove(next));
    }
    Ok(sorted)
}

fn fill(
    source: &dyn End,
    target: &dyn Target,
    tables: &[Table],
    report: &mut dyn FnMut(&Progress<'_>),
) -> Result<Vec<MovedTable>> {
    for table in tables {
        let has_rows = table.has_rows(target.connection());
        if has_rows.map_err(|failure| target.named(failure))? {
            return Err(target.named(Error::internal(format!(
                "this database is not empty: table {} has rows; a move needs an empty one",
                table.name
            ))));
        }
    }
    let mut moved = Vec::new();
    for table in tables {
        moved.push(copy(source, target, table, report)?);
    }
    for (table, copied) in tables.iter().zip(&moved) {
        check(target, table, copied, report)?;
    }
    let moved = moved.into_iter().zip(tables);
    let named = moved.map(|(copied, table)| MovedTable {
        name: table.name.clone(),
        sum: copied.sum,
    });
    Ok(named.collect())
}

/// What was copied of a table.
struct Copied {
    sum: Sum,
    /// The last number, if rows have numbers.
    last: Option<i64>,
}

fn copy(
    source: &dyn End,
    target: &dyn Target,
    table: &Table,
    report: &mut dyn FnMut(&Progress<'_>),
) -> Result<Copied> {
    let of_source = |failure| source.named(failure);
    let of = table.count(source.connection()).map_err(of_source)?;
    let (mut sum, mut largest) = (Summing::default(), None);
    let mut pages = Pages::of(table, source.connection());
    while let Some(page) = pages.next().map_err(of_source)? {
        if !target.stores_nul() {
            page.refuse_nul().map_err(of_source)?;
        }
        let written = page.insert(target.connection());
        written.map_err(|failure| target.named(failure))?;
        sum.add(&page);
        largest = page.last_number();
        report(&Progress {
            table: &table.name,
            step: Step::Copied,
            done: sum.rows(),
            of,
        });
    }
    // Rows may have been added with numbers that the database has not assigned.
    let last = source.last_number(table).map_err(of_source)?;
    let last = last.map(|last| largest.map_or(last, |largest| last.max(largest)));
    if let Some(last) = last {
        let set = target.set_last_number(table, last);
        set.map_err(|failure| target.named(table.at(failure)))?;
    }
    let sum = sum.finish();
    Ok(Copied { sum, last })
}

/// Reads the rows of the target, and its last number.
fn check(
    target: &dyn Target,
    table: &Table,
    copied: &Copied,
    report: &mut dyn FnMut(&Progress<'_>),
) -> Result<()> {
    let mut sum = Summing::default();
    let mut pages = Pages::of(table, target.connection());
    while let Some(page) = pages.next().map_err(|failure| target.named(failure))? {
        sum.add(&page);
        report(&Progress {
            table: &table.name,
            step: Step::Checked,
            done: sum.rows(),
            of: copied.sum.rows,
        });
    }
    let last = target.last_number(table);
    let last = last.map_err(|failure| target.named(table.at(failure)))?;
    let sum = sum.finish();
    if sum != copied.sum || last != copied.last {
        let (read, written) = ((sum, last), (&copied.sum, copied.last));
        return Err(target.named(Error::internal(format!(
            "table {} has other rows than were written: {read:?}, not {written:?}",
            table.name
        ))));
    }
    Ok(())
}
