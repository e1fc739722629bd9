//! The operator's settings file: a TOML document of sections, and beside them `env`, which names the environment.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::error::ConfigError;

/// The key that names the environment.
pub(super) const ENV: &str = "env";
/// What a key ends in when its value is the path of a file that contains the value.
const FROM_FILE: &str = "__file";

/// The key whose value a file contains, where `key` names that file: `secrets.key_base__file`.
pub(super) fn key_from_file(key: &str) -> Option<&str> {
    key.strip_suffix(FROM_FILE)
}

/// The value at a dotted key.
pub(super) fn value_at<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let sections = section.split('.').filter(|part| !part.is_empty());
    let table = sections
        .into_iter()
        .try_fold(table, |table, part| table.get(part)?.as_table());
    table?.get(name)
}

/// The path that `key__file` names.
pub(super) fn file_at<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    value_at(table, &format!("{key}{FROM_FILE}"))?.as_str()
}

/// The document in a file.
pub(super) fn read(path: &Path) -> Result<Table, ConfigError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| ConfigError::single(&*name, format!("cannot be read: {error}")))?;
    parse(&text, &name)
}

/// The document, or the line of the error; the line's text is not shown, since it may contain a secret.
pub(super) fn parse(text: &str, name: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(start)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        ConfigError::single(
            name,
            format!("is not TOML: line {line}: {}", error.message()),
        )
    })
}
