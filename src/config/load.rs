//! How settings are put together: `default.toml`, the environment's file, the operator's file, variables.
//!
//! `default.toml` holds every key, so it says which keys exist and of which kind their values are. A layer's
//! value is taken only when key and kind fit; serde then sees nothing but known keys of the right kind,
//! which also keeps its messages from quoting a secret that stands where a list should.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::error::{ConfigError, Problem};
use super::sources::{Sources, read_value, variable_key};
use super::{Environment, Settings, check};

const DEFAULT: &str = include_str!("../../config/default.toml");
const DEVELOPMENT: &str = include_str!("../../config/development.toml");
const TEST: &str = include_str!("../../config/test.toml");
const PRODUCTION: &str = include_str!("../../config/production.toml");

/// See [`Settings::load`].
pub(super) fn load(sources: &Sources) -> Result<Settings, ConfigError> {
    let mut layers = Layers::over(parse(DEFAULT, "default.toml")?);
    let (text, name) = match sources.env {
        Environment::Development => (DEVELOPMENT, "development.toml"),
        Environment::Test => (TEST, "test.toml"),
        Environment::Production => (PRODUCTION, "production.toml"),
    };
    layers.add_table(parse(text, name)?, None);
    if let Some(path) = &sources.file {
        layers.add_table(read(path)?, Some(&path.display().to_string()));
    }
    layers.add_variables(&sources.variables);
    layers.settle(sources.env)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|fault| ConfigError::single(&*name, format!("cannot be read: {fault}")))?;
    parse(&text, &name)
}

/// A document, or the line that is at fault; the line's text is not shown, since it may hold a secret.
fn parse(text: &str, name: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|fault| {
        let start = fault.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(start)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        ConfigError::single(
            name,
            format!("is not TOML: line {line}: {}", fault.message()),
        )
    })
}

/// Values by dotted key, and what was found wrong on the way.
struct Layers {
    /// `default.toml`: the keys that exist, and the kinds of their values.
    known: BTreeMap<String, Value>,
    values: BTreeMap<String, Value>,
    /// Which file or variable set a key last; compiled-in layers are not named.
    origins: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Layers {
    fn over(defaults: Table) -> Self {
        let known: BTreeMap<_, _> = flatten(defaults).into_iter().collect();
        Self {
            values: known.clone(),
            known,
            origins: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    fn add_table(&mut self, table: Table, origin: Option<&str>) {
        for (key, value) in flatten(table) {
            self.note_origin(&key, origin);
            self.set(key, value);
        }
    }

    fn add_variables(&mut self, variables: &[(String, String)]) {
        let mut set_by = BTreeMap::new();
        for (name, text) in variables {
            let Some((key, from_file)) = variable_key(name) else {
                let shape =
                    "must be named CLOAKROOM__SECTION__KEY, for example CLOAKROOM__SERVER__BIND";
                self.refuse(name, shape);
                continue;
            };
            if let Some(earlier) = set_by.insert(key.clone(), name) {
                let message = format!("is set by both {earlier} and {name}; keep one of them");
                self.problems.push(Problem::new(key, message));
                continue;
            }
            self.note_origin(&key, Some(name));
            let Some(default) = self.known.get(&key) else {
                self.refuse_unknown(&key);
                continue;
            };
            let value = if from_file {
                read_value(text).and_then(|text| coerce(&text, default))
            } else {
                coerce(text, default)
            };
            match value {
                Ok(value) => self.set(key, value),
                Err(message) => self.refuse(&key, &message),
            }
        }
    }

    /// The typed settings. A value that its type refuses is noted and replaced by its default, so that one
    /// start shows everything there is to repair.
    fn settle(mut self, env: Environment) -> Result<Settings, ConfigError> {
        let mut settings = loop {
            match serde_path_to_error::deserialize::<_, Settings>(nest(&self.values)) {
                Ok(settings) => break settings,
                Err(fault) => {
                    let key = fault.path().to_string();
                    let default = self.known.get(&key).cloned();
                    self.refuse(&key, &describe(fault.inner(), default.as_ref()));
                    let replaced = default
                        .clone()
                        .and_then(|value| self.values.insert(key, value));
                    if replaced == default {
                        return Err(ConfigError::new(self.problems));
                    }
                }
            }
        };
        settings.env = env;
        for Problem { key, message } in check::problems(&settings) {
            // A refused value stands replaced, and what is said of its replacement means nothing to anybody.
            if !self.problems.iter().any(|earlier| earlier.key == key) {
                self.refuse(&key, &message);
            }
        }
        if self.problems.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError::new(self.problems))
        }
    }

    fn set(&mut self, key: String, value: Value) {
        match self.known.get(&key) {
            Some(default) if kind(default) == kind(&value) => {
                self.values.insert(key, value);
            }
            Some(default) => {
                let message = format!("must be {}, not {}", kind(default), kind(&value));
                self.refuse(&key, &message);
            }
            // An empty `[section]` says nothing, and is no mistake.
            None if value.is_table() && self.is_section(&key) => {}
            None => self.refuse_unknown(&key),
        }
    }

    fn refuse_unknown(&mut self, key: &str) {
        let message = if self.is_section(key) {
            "is a section: set the keys in it".to_owned()
        } else {
            match nearest(key, self.known.keys()) {
                Some(near) => format!("is not a setting; is {near} meant?"),
                None => "is not a setting; `cloakroom config` lists them all".to_owned(),
            }
        };
        self.refuse(key, &message);
    }

    fn is_section(&self, key: &str) -> bool {
        self.known.keys().any(|known| {
            known
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    fn note_origin(&mut self, key: &str, origin: Option<&str>) {
        if let Some(origin) = origin {
            self.origins.insert(key.to_owned(), origin.to_owned());
        }
    }

    /// Notes a problem, with the file or variable to repair.
    fn refuse(&mut self, key: &str, message: &str) {
        let message = match self.origins.get(key) {
            Some(origin) => format!("{message} (set by {origin})"),
            None => message.to_owned(),
        };
        self.problems.push(Problem::new(key, message));
    }
}

/// A variable's text as the kind of value that the default is.
fn coerce(text: &str, default: &Value) -> Result<Value, String> {
    let refused = || format!("must be {}", kind(default));
    match default {
        Value::Integer(_) => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| refused()),
        Value::Boolean(_) => text
            .trim()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| refused()),
        Value::Array(_) if text.trim_start().starts_with('[') => {
            text.trim().parse().map_err(|_| refused())
        }
        Value::Array(_) => Ok(text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(Value::from)
            .collect::<Vec<_>>()
            .into()),
        _ => Ok(Value::from(text)),
    }
}

/// Texts as the file of a variable holds a list of them, on one line; nothing for none.
pub fn written_list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<Value> = items.into_iter().map(Value::from).collect();
    if items.is_empty() {
        String::new()
    } else {
        Value::from(items).to_string()
    }
}

/// The kind of a value, for comparison and for people. The lists that we have are all of strings.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(items) if items.iter().all(Value::is_str) => "a list of strings",
        Value::Array(_) => "a list of other things",
        Value::Float(_) => "a decimal number",
        Value::Datetime(_) => "a date",
        Value::Table(_) => "a section",
    }
}

/// Why a type refused a value of the right kind.
fn describe(fault: &toml::de::Error, default: Option<&Value>) -> String {
    match default {
        Some(Value::Integer(_)) => {
            "must be a whole number, not negative and not that large".to_owned()
        }
        _ => fault.message().to_owned(),
    }
}

/// Dotted keys and the values there; a table counts as a value only when it is empty.
fn flatten(table: Table) -> Vec<(String, Value)> {
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
fn nest(values: &BTreeMap<String, Value>) -> Table {
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
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a String> + Clone) -> Option<&'a String> {
    let name = |key: &str| key.rsplit('.').next().map(str::to_owned);
    known
        .clone()
        .map(|candidate| (distance(key, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            known
                .into_iter()
                .find(|candidate| name(candidate) == name(key))
        })
}

/// Levenshtein's distance in bytes.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
