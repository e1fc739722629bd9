//! `[log]`: checked here, so that a wrong level is reported with all else; the command line builds the filter.

use serde::{Deserialize, Serialize};

use super::declare::section;
use super::problems::Problems;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

section! {
    /// The log of the process.
    Log {
        /// "pretty" for people, "json" for programs; logs go to standard error either way.
        format: LogFormat = "pretty",
        /// A level (off, error, warn, info, debug, trace), or directives by module: "info,cloakroom=debug".
        level: String = "info",
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For programs: one JSON object per line.
    Json,
}

impl Log {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !self.level.split(',').map(str::trim).all(is_directive) {
            problems.refuse(
                "log.level",
                r#"must be off, error, warn, info, debug or trace, or directives such as "info,cloakroom=debug""#,
            );
        }
    }
}

/// `info`, `cloakroom::mail` or `cloakroom::mail=trace`. A lone word that is no level would name a module, so that a
/// misspelt level silenced the log: only a path with `::` or `_` counts as a module.
fn is_directive(text: &str) -> bool {
    match text.split_once('=') {
        Some((module, level)) => is_module(module) && is_level(level),
        None => is_level(text) || (is_module(text) && !text.chars().all(char::is_alphabetic)),
    }
}

fn is_level(text: &str) -> bool {
    LEVELS.iter().any(|level| text.eq_ignore_ascii_case(level))
}

fn is_module(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
}
