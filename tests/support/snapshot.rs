//! What a database or a reply holds, without what differs from run to run: tokens, digests and ids of requests.

use std::collections::BTreeSet;

use cloakroom::testing::TestApp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

/// Every row of every table as `table: column=value …`.
pub fn snapshot(app: &TestApp) -> BTreeSet<String> {
    let path = app.context().database.path();
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = BTreeSet::new();
    for table in tables(&file) {
        let mut statement = file.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let fields = columns.iter().enumerate().map(|(index, column)| {
                let value = match row.get_ref(index).unwrap() {
                    ValueRef::Blob(bytes) => format!("<{} bytes>", bytes.len()),
                    ValueRef::Text(text) => masked_text(column, std::str::from_utf8(text).unwrap()),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Null => "NULL".to_owned(),
                };
                format!(" {column}={value}")
            });
            rows.insert(format!("{table}:{}", fields.collect::<String>()));
        }
    }
    rows
}

fn tables(file: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut statement = file.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// A reply's JSON with its random texts masked.
pub fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name.clone(), json!(masked_text(name, text))),
                other => (name.clone(), masked(other)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

/// Tokens, digests and pseudonyms are long words of Base64 letters; the last four characters of a key are random too.
fn masked_text(name: &str, text: &str) -> String {
    if matches!(name, "last_four" | "request_id") {
        return "<random>".to_owned();
    }
    let is_random =
        |character: char| character.is_ascii_alphanumeric() || "_-./$".contains(character);
    let words = text.split(':').map(
        |word| match word.len() >= 20 && word.chars().all(is_random) {
            true => "<random>",
            false => word,
        },
    );
    words.collect::<Vec<_>>().join(":")
}
