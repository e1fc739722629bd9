//! What a command checked: each check with its state, and how to fix what is wrong.

use std::fmt;

use serde::Serialize;
use serde_json::json;

use super::CommandError;
use super::output::{Format, columns};

/// The checks, in order.
#[derive(Default)]
pub(super) struct Report {
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    state: State,
    topic: &'static str,
    what: String,
    /// How to fix it.
    advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warn,
    Fail,
}

impl Report {
    pub(super) fn ok(&mut self, topic: &'static str, what: impl Into<String>) {
        self.checks.push(Check {
            state: State::Ok,
            topic,
            what: what.into(),
            advice: None,
        });
    }

    pub(super) fn warn(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.checks.push(Check {
            state: State::Warn,
            topic,
            what: what.into(),
            advice: Some(advice.into()),
        });
    }

    pub(super) fn fail(
        &mut self,
        topic: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.checks.push(Check {
            state: State::Fail,
            topic,
            what: what.into(),
            advice: Some(advice.into()),
        });
    }

    /// The states, in order.
    #[cfg(test)]
    pub(super) fn states(&self) -> Vec<State> {
        self.checks.iter().map(|check| check.state).collect()
    }

    /// Prints it; an error when a check failed.
    pub(super) fn print(&self, format: &Format) -> super::Outcome {
        let failed = self
            .checks
            .iter()
            .filter(|check| check.state == State::Fail)
            .count();
        format.print(
            &json!({ "ok": failed == 0, "findings": self.checks }),
            || columns(self.checks.iter().map(row)),
        )?;
        match failed {
            0 => Ok(()),
            1 => Err(CommandError::from("1 check failed")),
            many => Err(CommandError::from(format!("{many} checks failed"))),
        }
    }
}

fn row(check: &Check) -> [String; 3] {
    let what = match &check.advice {
        Some(advice) => format!("{} -> {advice}", check.what),
        None => check.what.clone(),
    };
    [check.state.to_string(), check.topic.to_owned(), what]
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}
