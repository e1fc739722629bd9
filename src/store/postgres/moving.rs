//! A schema of a server as one end of a move.

use std::thread;
use std::time::Duration;

use super::session::{Isolation, Session};
use super::target::Target as Server;
use super::{migrate, named, objects, open_first, sessions_of};
use crate::config;
use crate::domain::error::{Error, Result};
use crate::store::engine::{Connection, Reader};
use crate::store::moving::end::{End, Table, Target};
use crate::store::sqlite::check_is_current;

/// How long sessions that have ended may be listed: a moment. One that is listed longer is in use.
const LOOKS: u32 = 20;
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// In a transaction: the other end of the move may take long.
const NO_IDLE_LIMIT: &str =
    "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s';";

/// Opens a schema that is current and that no node uses, and keeps others from writing it.
///
/// # Errors
/// For the operator, naming the server.
pub(in crate::store) fn open_source(
    settings: &config::Database,
    url: &config::Secret,
    tables: &[Table],
) -> Result<Box<dyn End>> {
    let schema = Schema::open("database.url", settings, url)?;
    let prepare = |session: &Session| {
        migrate::check_server(session, settings.allow_untested)?;
        check_is_current(migrate::version(session)?)?;
        refuse_if_used(session)?;
        objects::check(&Reader::new(session))?;
        // All that was committed before the locks, and nothing after them.
        session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        lock(session, tables, "SHARE")
    };
    prepare(&schema.session).map_err(|failure| schema.named(failure))?;
    Ok(Box::new(schema))
}

/// Opens a schema, creates its tables if they are missing, and keeps others from writing it.
///
/// # Errors
/// For the operator, naming the server.
pub(in crate::store) fn open_target(
    settings: &config::Database,
    url: &config::Secret,
    tables: &[Table],
) -> Result<Box<dyn Target>> {
    let schema = Schema::open("target", settings, url)?;
    let prepare = |session: &Session| {
        migrate::check_server(session, settings.allow_untested)?;
        session.begin(Isolation::ReadCommitted)?;
        migrate::run_steps(session)?;
        objects::check(&Reader::new(session))?;
        lock(session, tables, "EXCLUSIVE")
    };
    prepare(&schema.session).map_err(|failure| schema.named(failure))?;
    Ok(Box::new(schema))
}

/// Others may read until the end of the transaction; a writer waits.
fn lock(session: &Session, tables: &[Table], mode: &str) -> Result<()> {
    session.lift_limits()?;
    let names: Vec<&str> = tables.iter().map(|table| &*table.name).collect();
    let names = names.join(", ");
    session.batch(&format!(
        "{NO_IDLE_LIMIT} LOCK TABLE {names} IN {mode} MODE"
    ))
}

/// Nodes and commands are known by the name that they give their sessions.
fn refuse_if_used(session: &Session) -> Result<()> {
    let count = || {
        Reader::new(session).one(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
                 AND application_name = current_setting('application_name')",
            &[],
            |row| row.next::<i64>(),
        )
    };
    let mut others = count()?;
    for _ in 1..LOOKS {
        if others == Some(0) {
            return Ok(());
        }
        thread::sleep(LOOK_INTERVAL);
        others = count()?;
    }
    Err(Error::internal(format!(
        "{} other sessions are open: stop all nodes first, so that the move misses no change. If they are not of this \
         database, or a pooler's, add application_name=move to the URL",
        others.unwrap_or_default()
    )))
}

struct Schema {
    server: Server,
    session: Session,
}

impl Schema {
    fn open(
        setting: &'static str,
        settings: &config::Database,
        url: &config::Secret,
    ) -> Result<Self> {
        let sessions = sessions_of(Server::parse(setting, url.expose())?, settings);
        let session = open_first(&sessions, 0)?;
        Ok(Self {
            server: sessions.target,
            session,
        })
    }
}

impl End for Schema {
    fn connection(&self) -> &dyn Connection {
        &self.session
    }

    fn last_number(&self, table: &Table) -> Result<Option<i64>> {
        let last = Reader::new(&self.session).one(
            "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence($1, $2) AS regclass))",
            &[(&table.name).into(), table.number().into()],
            |row| row.next::<Option<i64>>(),
        );
        Ok(last?.flatten())
    }

    fn named(&self, failure: Error) -> Error {
        named(&self.server, &failure)
    }
}

impl Target for Schema {
    fn stores_nul(&self) -> bool {
        false
    }

    fn set_last_number(&self, table: &Table, last: i64) -> Result<()> {
        Reader::new(&self.session)
            .one(
                "SELECT setval(CAST(pg_get_serial_sequence($1, $2) AS regclass), $3)",
                &[(&table.name).into(), table.number().into(), last.into()],
                |_| Ok(()),
            )
            .map(drop)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.session.commit().map_err(|failure| self.named(failure))
    }
}
