//! A bar on standard error that shows how far a command is, on a terminal only.

use std::io::{self, IsTerminal, Write};

/// The cells of the bar.
const WIDTH: u64 = 30;

/// The bar. It is removed when the command ends.
pub(super) struct Bar {
    is_terminal: bool,
    /// What the terminal shows.
    shown: String,
}

impl Default for Bar {
    fn default() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            shown: String::new(),
        }
    }
}

impl Bar {
    /// Whether it is seen.
    pub fn is_shown(&self) -> bool {
        self.is_terminal
    }

    pub fn show(&mut self, label: &str, done: u64, of: u64) {
        if !self.is_terminal {
            return;
        }
        let bar = bar(label, done, of);
        if bar != self.shown {
            overwrite(&bar);
            self.shown = bar;
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if !self.shown.is_empty() {
            overwrite("");
        }
    }
}

/// Overwrites the line. Failures are ignored: the result is on standard output.
fn overwrite(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush());
}

/// Of whole percents, so that it is seldom written.
fn bar(label: &str, done: u64, all: u64) -> String {
    let share = |of: u64| (done * of).checked_div(all).unwrap_or(of);
    let cells = |letter: char, of: u64| (0..of).map(|_| letter).collect::<String>();
    let full = share(WIDTH).min(WIDTH);
    let (full, rest) = (cells('#', full), cells('.', WIDTH - full));
    format!("{label:<31} [{full}{rest}] {:>3} %", share(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_the_part_that_is_done() {
        let at = |done, of| bar("copied users", done, of);
        assert_eq!(
            at(1, 3),
            "copied users                    [##########....................]  33 %"
        );
        assert!(at(3, 3).ends_with("[##############################] 100 %"));
        assert!(at(0, 0).ends_with("100 %"));
    }
}
