//! Problems of settings, in sentences for the operator.

use std::fmt;

/// Everything that is wrong with the settings, found in one go.
///
/// `Display` gives one line a problem: the key, what is wrong, and what would do. No secret's value is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key (`server.bind`), or the name of the variable or file that cannot be read at all.
    pub key: String,
    /// What is wrong with it and what would do, a sentence without its beginning: `must be …`.
    pub message: String,
}

impl ConfigError {
    /// The problems, in the order in which they were found; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// A single problem.
    pub(super) fn single(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(vec![Problem::new(key, message)])
    }
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { key, message }) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{key}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
