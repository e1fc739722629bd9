//! Whether a database of the current version has all that its schema names.

use std::collections::BTreeSet;

use crate::domain::error::{Error, Result};

/// Compares objects, such as `table users` and `column users.name`.
///
/// # Errors
/// What is missing: another program has changed the schema.
pub(super) fn check(
    database: &str,
    expected: impl IntoIterator<Item = String>,
    found: &BTreeSet<String>,
) -> Result<()> {
    let expected = expected.into_iter();
    let missing: Vec<String> = expected.filter(|name| !found.contains(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::internal(format!(
        "this {database} lacks {}; restore a backup",
        missing.join(", ")
    )))
}
