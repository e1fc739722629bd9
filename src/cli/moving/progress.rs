//! The progress of a move on standard error: a bar on a terminal, else a line for each table.

use std::io::{self, IsTerminal, Write};

use crate::cli::output;
use crate::store::{Progress, Step};

/// The cells of the bar.
const WIDTH: u64 = 30;

/// Writes how far a move is.
pub(super) struct Reporter {
    is_terminal: bool,
    /// The bar that a terminal shows.
    shown: String,
}

impl Default for Reporter {
    fn default() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            shown: String::new(),
        }
    }
}

impl Reporter {
    pub fn report(&mut self, progress: &Progress<'_>) {
        let is_complete = progress.done >= progress.of;
        if self.is_terminal {
            let bar = bar(progress);
            if bar != self.shown {
                show(&bar);
                self.shown = bar;
            }
        } else if is_complete {
            let Progress { table, done, .. } = progress;
            output::note(&format!("{} {table}: {done} rows", word(progress.step)));
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if !self.shown.is_empty() {
            show("");
        }
    }
}

/// Overwrites the line. Failures are ignored: the result is on standard output.
fn show(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush());
}

/// Of whole percents, so that it is seldom written.
fn bar(progress: &Progress<'_>) -> String {
    let share = |of: u64| (progress.done * of).checked_div(progress.of).unwrap_or(of);
    let cells = |letter: char, of: u64| (0..of).map(|_| letter).collect::<String>();
    let full = share(WIDTH).min(WIDTH);
    let (full, rest) = (cells('#', full), cells('.', WIDTH - full));
    format!(
        "{} {:<24} [{full}{rest}] {:>3} %",
        word(progress.step),
        progress.table,
        share(100)
    )
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Copied => "copied",
        Step::Checked => "checked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_the_part_of_a_table_that_is_done() {
        let at = |done, of| {
            bar(&Progress {
                table: "users",
                step: Step::Copied,
                done,
                of,
            })
        };
        assert_eq!(
            at(1, 3),
            "copied users                    [##########....................]  33 %"
        );
        assert!(at(3, 3).ends_with("[##############################] 100 %"));
        assert!(at(0, 0).ends_with("100 %"));
    }
}
