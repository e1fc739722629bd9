//! What was measured, as a table, as JSON, and against its bounds.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::support::median;
use crate::{Case, Size};

impl Size {
    pub fn case(&self, name: &str) -> &Case {
        let case = self.cases.iter().find(|case| case.name == name);
        case.expect("a case")
    }

    /// The median of the ratios of two cases, each within one round.
    fn ratio(&self, of: &str, to: &str, values: impl Fn(&Case) -> &Vec<f64>) -> f64 {
        let (of, to) = (values(self.case(of)), values(self.case(to)));
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
        median(&ratios)
    }

    fn cpu(&self, of: &str, to: &str) -> f64 {
        self.ratio(of, to, |case| &case.cpu_us)
    }
}

fn range(values: &[f64]) -> (f64, f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    (median(values), least, most)
}

pub fn json(sizes: &[Size]) -> Value {
    let spread = |values: &[f64]| {
        let (median, least, most) = range(values);
        json!({ "median": median, "min": least, "max": most })
    };
    let case = |case: &Case| {
        json!({
            "name": case.name,
            "requests_per_second": spread(&case.per_second),
            "cpu_us_per_request": spread(&case.cpu_us),
        })
    };
    let size = |size: &Size| {
        json!({
            "sessions": size.sessions,
            "file_mb": size.file_mb,
            "resident_mb": size.resident_mb,
            "first_answer_ms": size.first_answer_ms,
            "cases": size.cases.iter().map(case).collect::<Vec<_>>(),
        })
    };
    sizes.iter().map(size).collect()
}

fn print(size: &Size) {
    eprintln!(
        "\n{} sessions, {:.0} MB: {:.1} MB resident, first answer after {:.0} ms",
        size.sessions, size.file_mb, size.resident_mb, size.first_answer_ms
    );
    eprintln!(
        "{:<24} {:>24} {:>24} {:>8}",
        "", "CPU a request, µs", "requests a second", "to /up"
    );
    for case in &size.cases {
        let ((cpu, least, most), (rate, slowest, fastest)) =
            (range(&case.cpu_us), range(&case.per_second));
        eprintln!(
            "{:<24} {cpu:>8.1} ({least:>5.1} – {most:>5.1}) {rate:>8.0} ({slowest:>5.0} – {fastest:>5.0}) {:>8.2}",
            case.name,
            size.cpu(case.name, "up")
        );
    }
}

/// Prints everything; a failure when a bound is missed.
pub fn conclude(sizes: &[Size]) -> ExitCode {
    let mut is_reached = true;
    let mut at_most = |what: String, value: f64, bound: f64| {
        is_reached &= value <= bound;
        let mark = if value <= bound { "ok  " } else { "MISS" };
        eprintln!("{mark} {what}: {value:.2} (at most {bound})");
    };
    for size in sizes {
        print(size);
        at_most(
            "CPU of /up to the bare route's".into(),
            size.cpu("up", "bare"),
            1.6,
        );
        let look_up = if size.sessions > 1_000_000 { 2.0 } else { 1.6 };
        at_most(
            "CPU of a look-up to that of /up".into(),
            size.cpu("session", "up"),
            look_up,
        );
        let slower = size.ratio("up", "session", |case| &case.per_second);
        at_most(
            "requests of /up to look-ups a second".into(),
            slower,
            1.0 / 0.75,
        );
        at_most(
            "CPU of a page of projects to that of /up".into(),
            size.cpu("projects", "up"),
            2.5,
        );
        let memory = if size.sessions > 1_000_000 {
            128.0
        } else {
            64.0
        };
        at_most("resident memory, MB".into(), size.resident_mb, memory);
        at_most("first answer, ms".into(), size.first_answer_ms, 100.0);
    }
    match is_reached {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
