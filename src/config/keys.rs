//! Dotted keys: tables as flat lists of them, patterns of keys in maps of sections, and the nearest known key.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::declare::ANY_NAME;

/// Whether it stands for a key in each section of a map: `providers.*.client_id`.
pub(super) fn is_pattern(key: &str) -> bool {
    key.split('.').any(|part| part == ANY_NAME)
}

/// Whether a part of a key fits that of a known key. A variable cannot spell other names than these.
pub(super) fn fits(known: &str, part: &str) -> bool {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    known == part || (known == ANY_NAME && !part.is_empty() && part.chars().all(is_name))
}

/// Whether `key` is one of those that the known key stands for.
pub(super) fn matches(known: &str, key: &str) -> bool {
    known.split('.').count() == key.split('.').count()
        && known
            .split('.')
            .zip(key.split('.'))
            .all(|(known, part)| fits(known, part))
}

/// The key in the section `path` that a known key stands for.
pub(super) fn key_under(path: &str, known: &str) -> Option<String> {
    let path: Vec<&str> = path.split('.').collect();
    let known: Vec<&str> = known.split('.').collect();
    let lies_in =
        known.len() > path.len() && known.iter().zip(&path).all(|(k, part)| fits(k, part));
    lies_in.then(|| [&path[..], &known[path.len()..]].concat().join("."))
}

/// Values by dotted key; a table counts as a value only when it is empty.
pub(super) fn flatten(table: Table) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                let inner = flatten(inner).into_iter();
                leaves.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => leaves.push((key, value)),
        }
    }
    leaves
}

/// The reverse of [`flatten`].
pub(super) fn nest(values: &BTreeMap<String, Value>) -> Table {
    let mut root = Table::new();
    for (key, value) in values {
        insert(&mut root, key, value);
    }
    root
}

fn insert(table: &mut Table, key: &str, value: &Value) {
    let Some((section, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value.clone());
        return;
    };
    let section = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        insert(section, rest, value);
    }
}

/// The known key that was probably meant: a few letters away, or of the same name in another section.
pub(super) fn nearest<'a>(
    key: &str,
    known: impl Iterator<Item = &'a String> + Clone,
) -> Option<&'a String> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    known
        .clone()
        .map(|candidate| (strsim::levenshtein(key, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            known
                .into_iter()
                .find(|candidate| last(candidate) == last(key))
        })
}
