//! What was measured against what it must reach.

use std::process::ExitCode;

#[derive(Default)]
pub struct Report {
    lines: Vec<(bool, String)>,
}

impl Report {
    pub fn at_least(&mut self, what: &str, value: f64, bound: f64) {
        self.lines.push((
            value >= bound,
            format!("{what}: {value:.2} (at least {bound})"),
        ));
    }

    pub fn at_most(&mut self, what: &str, value: f64, bound: f64) {
        self.lines.push((
            value <= bound,
            format!("{what}: {value:.2} (at most {bound})"),
        ));
    }

    /// Prints it.
    pub fn conclude(self) -> ExitCode {
        println!();
        for (reached, line) in &self.lines {
            println!("{} {line}", if *reached { "ok  " } else { "MISS" });
        }
        if self.lines.iter().all(|(reached, _)| *reached) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
