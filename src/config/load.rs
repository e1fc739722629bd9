//! Loads settings from their layers: defaults, the environment's file, the operator's file, variables.
//!
//! The declarations say which keys exist and of which kind their values are. A layer's value is taken only when key and
//! kind fit; serde then sees only known keys of the right kind, which also keeps its messages from quoting a secret that
//! stands where a list should.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::declare::{ANY_NAME, Declared, Section};
use super::error::{ConfigError, Problem};
use super::file::{self, key_from_file, parse};
use super::keys::{fits, flatten, is_pattern, key_under, matches, nearest, nest};
use super::sources::{Sources, read_value, variable_key};
use super::{Environment, Settings};

const DEVELOPMENT: &str = include_str!("../../config/development.toml");
const TEST: &str = include_str!("../../config/test.toml");
const PRODUCTION: &str = include_str!("../../config/production.toml");

/// See [`Settings::load`].
pub(super) fn load(sources: &Sources) -> Result<Settings, ConfigError> {
    let mut layers = Layers::over_defaults_of::<Settings>();
    let (text, name) = match sources.env {
        Environment::Development => (DEVELOPMENT, "development.toml"),
        Environment::Test => (TEST, "test.toml"),
        Environment::Production => (PRODUCTION, "production.toml"),
    };
    layers.add_table(parse(text, name)?, None);
    if let Some(path) = &sources.file {
        let mut table = file::read(path)?;
        table.remove(file::ENV);
        let variables = sources.variables.iter();
        layers.overridden = variables
            .filter_map(|(name, _)| Some(variable_key(name)?.0))
            .collect();
        layers.add_table(table, Some(&path.display().to_string()));
    }
    layers.add_variables(&sources.variables);
    let mut settings: Settings = layers.deserialize()?;
    settings.env = sources.env;
    layers.report(settings.problems());
    layers.finish(settings)
}

/// The dotted keys that one variable can set.
pub(super) fn known_keys() -> Vec<String> {
    let known = Layers::over_defaults_of::<Settings>().known.into_keys();
    known.filter(|key| !is_pattern(key)).collect()
}

/// Values by dotted key, and the problems found on the way.
struct Layers {
    /// The keys that exist, with their defaults. A key of a map of sections has `*` for the name.
    known: BTreeMap<String, Value>,
    values: BTreeMap<String, Value>,
    /// The names given in maps of sections, by path: `providers.google`.
    named: BTreeSet<String>,
    /// The file or variable that set a key last; compiled-in layers are not named.
    origins: BTreeMap<String, String>,
    problems: Vec<Problem>,
    /// The keys that variables set.
    overridden: BTreeSet<String>,
}

impl Layers {
    fn over_defaults_of<T: Section>() -> Self {
        let mut declared = Declared::default();
        T::declare("", &mut declared);
        let known = declared
            .settings
            .into_iter()
            .map(|setting| (setting.key, setting.default));
        let known: BTreeMap<_, _> = known.collect();
        let fixed = known.iter().filter(|(key, _)| !is_pattern(key));
        Self {
            values: fixed
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            known,
            named: BTreeSet::new(),
            origins: BTreeMap::new(),
            problems: Vec::new(),
            overridden: BTreeSet::new(),
        }
    }

    fn add_table(&mut self, table: Table, origin: Option<&str>) {
        for (key, value) in flatten(table) {
            let from_file = key_from_file(&key).and_then(|key| Some((key, self.default_of(key)?)));
            if let (Some((named, default)), Value::String(path)) = (from_file, &value) {
                let (named, default) = (named.to_owned(), default.clone());
                // Not read: the server may not be able to, where a supervisor passes it the secret.
                if self.overridden.contains(&named) {
                    continue;
                }
                self.note_origin(&named, origin);
                match read_value(path).and_then(|text| coerce(&text, &default)) {
                    Ok(value) => self.set(named, value),
                    Err(message) => self.refuse(&named, &message),
                }
                continue;
            }
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
            let Some(default) = self.default_of(&key).cloned() else {
                self.refuse_unknown(&key);
                continue;
            };
            let value = if from_file {
                read_value(text).and_then(|text| coerce(&text, &default))
            } else {
                coerce(text, &default)
            };
            match value {
                Ok(value) => self.set(key, value),
                Err(message) => self.refuse(&key, &message),
            }
        }
    }

    /// The typed settings. A value that its type refuses is noted and replaced by its default, so that one start
    /// reports every problem.
    fn deserialize<T: DeserializeOwned>(&mut self) -> Result<T, ConfigError> {
        self.complete_named();
        loop {
            let error = match serde_path_to_error::deserialize(nest(&self.values)) {
                Ok(settings) => return Ok(settings),
                Err(error) => error,
            };
            let key = error.path().to_string();
            let default = self.default_of(&key).cloned();
            self.refuse(&key, &describe(error.inner(), default.as_ref()));
            let replaced = default
                .clone()
                .and_then(|value| self.values.insert(key, value));
            if replaced == default {
                return Err(ConfigError::new(std::mem::take(&mut self.problems)));
            }
        }
    }

    /// Adds what checks found, except about a value that was replaced by its default.
    fn report(&mut self, found: Vec<Problem>) {
        for Problem { key, message } in found {
            if !self.problems.iter().any(|earlier| earlier.key == key) {
                self.refuse(&key, &message);
            }
        }
    }

    fn finish<T>(self, settings: T) -> Result<T, ConfigError> {
        match self.problems.is_empty() {
            true => Ok(settings),
            false => Err(ConfigError::new(self.problems)),
        }
    }

    /// Gives each named section of a map the defaults of the keys that it does not set.
    fn complete_named(&mut self) {
        for path in &self.named {
            for (pattern, default) in self.known.iter().filter(|(key, _)| is_pattern(key)) {
                if let Some(key) = key_under(path, pattern) {
                    self.values.entry(key).or_insert_with(|| default.clone());
                }
            }
        }
    }

    fn default_of(&self, key: &str) -> Option<&Value> {
        let by_pattern = || self.known.iter().find(|(known, _)| matches(known, key));
        self.known
            .get(key)
            .or_else(|| by_pattern().map(|(_, default)| default))
    }

    fn set(&mut self, key: String, value: Value) {
        match self.default_of(&key) {
            Some(default) if kind(default) == kind(&value) => {
                self.note_name(&key);
                self.values.insert(key, value);
            }
            Some(default) => {
                let message = format!("must be {}, not {}", kind(default), kind(&value));
                self.refuse(&key, &message);
            }
            // An empty `[section]` sets nothing, but it names a section of a map.
            None if value.is_table() && self.is_section(&key) => self.note_name(&key),
            None => self.refuse_unknown(&key),
        }
    }

    /// Notes the section of a map that `key` names or lies in.
    fn note_name(&mut self, key: &str) {
        let parts: Vec<&str> = key.split('.').collect();
        let patterns = self.known.keys().filter(|known| is_pattern(known));
        let depths = patterns.filter_map(|pattern| {
            let depth = pattern.split('.').position(|part| part == ANY_NAME)? + 1;
            let mut pairs = pattern.split('.').zip(&parts).take(depth);
            let lies_in = parts.len() >= depth && pairs.all(|(known, part)| fits(known, part));
            lies_in.then_some(depth)
        });
        if let Some(depth) = depths.max() {
            self.named.insert(parts[..depth].join("."));
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
        let length = key.split('.').count();
        self.known.keys().any(|known| {
            known.split('.').count() > length
                && known
                    .split('.')
                    .zip(key.split('.'))
                    .all(|(known, part)| fits(known, part))
        })
    }

    fn note_origin(&mut self, key: &str, origin: Option<&str>) {
        if let Some(origin) = origin {
            self.origins.insert(key.to_owned(), origin.to_owned());
        }
    }

    /// Notes a problem, with the file or variable to correct.
    fn refuse(&mut self, key: &str, message: &str) {
        let message = match self.origins.get(key) {
            Some(origin) => format!("{message} (set by {origin})"),
            None => message.to_owned(),
        };
        self.problems.push(Problem::new(key, message));
    }
}

/// A variable's text as a value of the default's kind.
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

/// A list of texts as a variable's file contains it, on one line; empty for an empty list.
pub fn written_list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<Value> = items.into_iter().map(Value::from).collect();
    if items.is_empty() {
        String::new()
    } else {
        Value::from(items).to_string()
    }
}

/// The kind of a value, to compare and to report. All lists are of strings.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(items) if items.iter().all(Value::is_str) => "a list of strings",
        Value::Array(_) => "a list of other values",
        Value::Float(_) => "a decimal number",
        Value::Datetime(_) => "a date",
        Value::Table(_) => "a section",
    }
}

/// Why a type refused a value of the right kind.
fn describe(error: &toml::de::Error, default: Option<&Value>) -> String {
    match default {
        Some(Value::Integer(_)) => {
            "must be a whole number, not negative and not that large".to_owned()
        }
        _ => error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests;
