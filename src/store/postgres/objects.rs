//! The tables, columns, indexes, constraints and triggers of this program's schema.

use std::collections::BTreeSet;

use crate::domain::error::Result;
use crate::store::completeness;
use crate::store::engine::Reader;

/// Those of the current version, one a line.
const EXPECTED: &str = include_str!("../migrations/postgres/objects.txt");

/// Those that work, in the first schema of the search path. Version 18 lists NOT NULL as constraints, too.
const WORKING: &str = "WITH ours AS (
         SELECT c.oid, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = current_schema()
     )
     SELECT 'table ' || relname FROM ours WHERE relkind = 'r'
     UNION ALL SELECT 'column ' || relname || '.' || attname FROM ours JOIN pg_attribute ON attrelid = ours.oid
         WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
     UNION ALL SELECT 'index ' || relname FROM ours JOIN pg_index ON indexrelid = ours.oid WHERE indisvalid
     UNION ALL SELECT 'constraint ' || relname || '.' || conname FROM ours JOIN pg_constraint ON conrelid = ours.oid
         WHERE contype <> 'n'
     UNION ALL SELECT 'trigger ' || tgname FROM ours JOIN pg_trigger ON tgrelid = ours.oid
         WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')";

/// Whether a schema of the current version has all of them.
///
/// # Errors
/// What is missing.
pub(super) fn check(reader: &Reader<'_>) -> Result<()> {
    let expected = EXPECTED.lines().map(str::to_owned);
    completeness::check("schema", expected, &working(reader)?)
}

fn working(reader: &Reader<'_>) -> Result<BTreeSet<String>> {
    let rows = reader.all(WORKING, &[], |row| row.next())?;
    Ok(rows.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::store::postgres::tests::Home;

    #[test]
    fn the_list_of_objects_is_that_of_a_new_schema() {
        let Some(home) = Home::new() else { return };
        home.open();
        let found = home.read(working);
        let list: String = found.iter().map(|name| format!("{name}\n")).collect();
        if std::env::var_os("UPDATE").is_some() {
            let path = "src/store/migrations/postgres/objects.txt";
            fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &list).unwrap();
            return;
        }
        let command = "UPDATE=1 .ci/postgres cargo test --lib objects";
        assert_eq!(EXPECTED, list, "run `{command}`");
    }

    #[test]
    fn each_missing_or_disabled_object_is_named() {
        let Some(home) = Home::new() else { return };
        home.open();
        home.read(check);
        home.schema
            .execute(
                "DROP TABLE projects; DROP INDEX outbox_waiting; ALTER TABLE users DROP COLUMN name;
                 ALTER TABLE passwords DROP CONSTRAINT passwords_user_id_fkey;
                 ALTER TABLE sessions DISABLE TRIGGER sessions_revoke_access_tokens;
                 CREATE TABLE theirs (id INTEGER)",
            )
            .unwrap();
        for refusal in [
            home.try_open(super::super::IfMissing::Create).unwrap_err(),
            super::super::examine(&home.settings, &home.schema.url())
                .unwrap()
                .completeness
                .unwrap_err(),
        ] {
            let refusal = refusal.to_string();
            for name in [
                "table projects",
                "column projects.title",
                "index outbox_waiting",
                "column users.name",
                "constraint passwords.passwords_user_id_fkey",
                "trigger sessions_revoke_access_tokens",
            ] {
                assert!(refusal.contains(name), "{name}: {refusal}");
            }
            assert!(!refusal.contains("theirs"), "{refusal}");
            assert!(refusal.ends_with("; restore a backup"), "{refusal}");
        }
    }
}
