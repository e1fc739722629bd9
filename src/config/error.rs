//! Problems of settings, in sentences for the operator.

use std::fmt;

/// Everything that is wrong with the settings, found in one go.
///
/// `Display` writes one line for each problem: the key and what the value must be. It quotes no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key (`server.bind`), or the name of the variable or file that cannot be read at all.
    pub key: String,
    /// What the value must be, as the rest of a sentence that begins with the key: `must be …`.
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
