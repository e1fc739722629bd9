//! Creates and migrates the tables in the first schema of the search path, and refuses servers and schemas that are not
//! for this program.

use super::session::{Isolation, Session};
use crate::domain::error::{Error, Result};
use crate::store::engine::{Reader, Transaction};
use crate::store::sqlite::{IfMissing, SCHEMA_VERSION};

/// The steps by the version that they lead to, which is that of SQLite. A released step never changes.
const STEPS: &[(usize, &str)] = &[
    (13, include_str!("../migrations/postgres/0013_first.sql")),
    (
        14,
        include_str!("../migrations/postgres/0014_key_bases.sql"),
    ),
    (
        15,
        include_str!("../migrations/postgres/0015_second_factors.sql"),
    ),
    (
        16,
        include_str!("../migrations/postgres/0016_mail_codes.sql"),
    ),
    (
        17,
        include_str!("../migrations/postgres/0017_second_factor_due.sql"),
    ),
    (
        18,
        include_str!("../migrations/postgres/0018_identities.sql"),
    ),
    (19, include_str!("../migrations/postgres/0019_passkeys.sql")),
    (
        20,
        include_str!("../migrations/postgres/0020_identity_links.sql"),
    ),
    (
        21,
        include_str!("../migrations/postgres/0021_audit_trail.sql"),
    ),
];

/// The oldest version of the server: 14.
const OLDEST: i64 = 140_000;
/// What others that speak the protocol name in `version()`.
const OTHERS: &[&str] = &[
    "CockroachDB",
    "-YB-",
    "Redshift",
    "Materialize",
    "EnterpriseDB",
];
/// Under this key of an advisory lock, one node at a time migrates.
const LOCK: i64 = 0x436c_6b72;
/// Tables by whose names another program's schema is known.
const OURS: &str =
    "('users', 'passwords', 'sessions', 'api_keys', 'refresh_tokens', 'outbox', 'throttles')";

/// Refuses servers that this program is not made for; returns the name of the server's program.
///
/// # Errors
/// For the operator.
pub(super) fn check_server(session: &Session, allows_untested: bool) -> Result<String> {
    let reader = Reader::new(session);
    let found = reader.one(
        "SELECT version(), CAST(current_setting('server_version_num') AS bigint),
                current_setting('server_encoding')",
        &[],
        |row| {
            Ok((
                row.next::<String>()?,
                row.next::<i64>()?,
                row.next::<String>()?,
            ))
        },
    )?;
    let (name, number, encoding) = found.ok_or_else(|| Error::internal("no version"))?;
    if encoding != "UTF8" {
        return Err(Error::internal(format!(
            "this database has the encoding {encoding}; create one with UTF8"
        )));
    }
    let is_tested =
        name.starts_with("PostgreSQL ") && !OTHERS.iter().any(|other| name.contains(other));
    if !is_tested && !allows_untested {
        return Err(Error::internal(format!(
            "this server is {name}, on which Cloakroom is not tested; database.allow_untested = true tries it"
        )));
    }
    if is_tested && number < OLDEST {
        return Err(Error::internal(format!(
            "this server is {name}; use PostgreSQL 14 or newer"
        )));
    }
    Ok(name)
}

/// Settings with which a crash of the server loses changes that were acknowledged, such as revocations.
pub(super) fn risks(session: &Session) -> Result<Vec<String>> {
    Reader::new(session).all(
        "SELECT name || ' = ' || setting FROM pg_settings
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name",
        &[],
        |row| row.next(),
    )
}

/// Runs the missing steps, while other nodes wait; returns the version of before, 0 for an empty schema.
///
/// # Errors
/// The schema is another program's, a newer Cloakroom's, or empty and not to be filled.
pub(super) fn migrate(session: &Session, if_missing: IfMissing) -> Result<usize> {
    let before = version(session)?;
    if before == 0 && if_missing == IfMissing::Refuse {
        return Err(Error::internal(
            "no tables here: `cloakroom migrate` creates them",
        ));
    }
    // No lock where no step is missing.
    if before < SCHEMA_VERSION {
        session.begin(Isolation::ReadCommitted)?;
        if let Err(failure) = run_steps(session) {
            session.roll_back();
            return Err(failure);
        }
        session.commit()?;
    }
    Ok(before)
}

/// In a transaction.
pub(super) fn run_steps(session: &Session) -> Result<()> {
    session.lift_limits()?;
    let tx = Transaction::new(session);
    tx.one(
        "SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) AS lock",
        &[LOCK.into()],
        |_| Ok(()),
    )?;
    // Read again under the lock: another node may have run the steps.
    let version = version(session)?;
    if version == 0 {
        session.batch(
            "CREATE TABLE cloakroom_schema (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL);
             INSERT INTO cloakroom_schema (id, version) VALUES (1, 0)",
        )?;
    }
    for (_, step) in STEPS.iter().filter(|(to, _)| *to > version) {
        session.batch(step)?;
    }
    let to = i64::try_from(SCHEMA_VERSION).map_err(Error::internal)?;
    tx.execute("UPDATE cloakroom_schema SET version = $1", &[to.into()])?;
    Ok(())
}

/// The version of the schema, 0 for an empty one.
///
/// # Errors
/// It is another program's, or a newer Cloakroom's.
pub(super) fn version(session: &Session) -> Result<usize> {
    let reader = Reader::new(session);
    let sql = format!(
        "SELECT CAST(current_schema() AS text),
             (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'cloakroom_schema'),
             (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN {OURS})"
    );
    let found = reader.one(&sql, &[], |row| {
        Ok((
            row.next::<Option<String>>()?,
            row.next::<i64>()?,
            row.next::<i64>()?,
        ))
    })?;
    match found {
        None | Some((None, _, _)) => Err(Error::internal(
            "the search path of this user names no schema that exists; create one, or set it: \
             ALTER ROLE … SET search_path = …",
        )),
        Some((Some(_), 0, 0)) => Ok(0),
        Some((Some(schema), 0, _)) => Err(Error::internal(format!(
            "the schema {schema} has tables of another program; choose another database or schema"
        ))),
        Some(_) => {
            let version = reader.one("SELECT version FROM cloakroom_schema", &[], |row| {
                row.next::<i64>()
            })?;
            match usize::try_from(version.unwrap_or(0)) {
                Ok(version) if version <= SCHEMA_VERSION => Ok(version),
                _ => Err(Error::internal(format!(
                    "this schema was written by a newer Cloakroom (schema {}, this one knows {SCHEMA_VERSION}); run that \
                     version",
                    version.unwrap_or(0)
                ))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_leads_to_a_version_of_sqlite() {
        assert!(STEPS.is_sorted_by(|one, next| one.0 < next.0));
        assert_eq!(
            STEPS.last().map(|(version, _)| *version),
            Some(SCHEMA_VERSION)
        );
    }
}
