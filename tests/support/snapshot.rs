//! What a database or a reply holds, without what differs from run to run: tokens, digests and ids of requests.

use std::collections::BTreeSet;

use cloakroom::testing::TestApp;
use serde_json::{Map, Value, json};

use super::app::{beside, column_in};
use super::beside::Beside;

/// Every row of every table as `table: column=value …`.
pub fn snapshot(app: &TestApp) -> BTreeSet<String> {
    let (tables, row) = match beside(app) {
        Beside::File(_) => (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            None,
        ),
        Beside::Schema(_) => (
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
            Some("to_jsonb(row)"),
        ),
    };
    let mut rows = BTreeSet::new();
    for table in column_in(app, tables).into_iter().map(Option::unwrap) {
        let row = row.map_or_else(|| json_of_row(app, &table), str::to_owned);
        for fields in column_in(app, &format!("SELECT {row} FROM {table} AS row")) {
            let fields: Map<String, Value> = serde_json::from_str(&fields.unwrap()).unwrap();
            let shown = fields.iter().map(|(name, value)| match value {
                // The transaction, which PostgreSQL alone stores.
                Value::String(_) if name == "written_by" => String::new(),
                Value::String(text) if text.starts_with("\\x") => format!(" {name}=<bytes>"),
                Value::String(text) => format!(" {name}={}", masked_text(name, text)),
                other => format!(" {name}={other}"),
            });
            rows.insert(format!("{table}:{}", shown.collect::<String>()));
        }
    }
    rows
}

/// A row of a table in a file as JSON; what is no text or number, by its length.
fn json_of_row(app: &TestApp, table: &str) -> String {
    let columns = format!("SELECT name FROM pragma_table_info('{table}')");
    let columns = column_in(app, &columns).into_iter().map(Option::unwrap);
    let fields = columns.map(|name| {
        format!("'{name}', CASE typeof({name}) WHEN 'blob' THEN length({name}) || ' bytes' ELSE {name} END")
    });
    format!("json_object({})", fields.collect::<Vec<_>>().join(", "))
}

/// A reply's JSON with its random texts masked.
pub fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name.clone(), json!(masked_text(name, text))),
                Value::Array(codes) if name == "recovery_codes" => {
                    (name.clone(), json!(codes.len()))
                }
                other => (name.clone(), masked(other)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

/// Tokens, digests and pseudonyms are long words of Base64 letters; other texts that have random parts are named.
fn masked_text(name: &str, text: &str) -> String {
    if matches!(name, "last_four" | "request_id" | "otpauth_url" | "qr_svg") {
        return "<random>".to_owned();
    }
    // Of a mail, beside the codes of errors.
    if name == "code" && text.bytes().all(|byte| byte.is_ascii_digit()) {
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
