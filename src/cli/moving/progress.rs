//! The progress of a move on standard error: a bar on a terminal, else a line for each table.

use crate::cli::output;
use crate::cli::progress::Bar;
use crate::store::{Progress, Step};

/// Writes how far a move is.
#[derive(Default)]
pub(super) struct Reporter(Bar);

impl Reporter {
    pub fn report(&mut self, progress: &Progress<'_>) {
        let Progress {
            table,
            step,
            done,
            of,
        } = progress;
        let step = match step {
            Step::Copied => "copied",
            Step::Checked => "checked",
        };
        if self.0.is_shown() {
            self.0.show(&format!("{step} {table}"), *done, *of);
        } else if done >= of {
            output::note(&format!("{step} {table}: {done} rows"));
        }
    }
}
