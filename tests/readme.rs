//! What README.md shows is true: its tours run, its tables agree with the program, its examples are those in
//! `examples/`, and no document of this folder links to a file that is not there.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::ResponseError;
use actix_web::body::MessageBody;
use cloakroom::domain::error::{Error, UnavailableReason, ValidationErrors};
use cloakroom::domain::scope::Scopes;
use serde_json::Value;

use crate::support::process::{TIMEOUT, TestServer};

/// Stands before the output of each step when the tour runs.
const STEP: &str = "@@step";

#[test]
fn the_tours_run_as_shown() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM_ENV", "development");
    test_server.set("CLOAKROOM__SERVER__BIND", "127.0.0.1:0");
    let server = test_server.serve();
    let steps = tour();
    assert!(steps.len() > 10, "the tour was not found");

    let mut script = String::from("set -eu\n");
    for step in &steps {
        let command = step
            .command
            .replace("http://localhost:3000", &server.url(""))
            .replace("storage/mail", test_server.mail_folder().to_str().unwrap());
        writeln!(script, "echo '{STEP}'\n{command}").unwrap();
    }
    let (status, shown, errors) = run(&script, test_server.path());
    assert!(status.success(), "{shown}\n{errors}\n{}", server.log());

    let outputs: Vec<&str> = shown.split(&format!("{STEP}\n")).skip(1).collect();
    assert_eq!(outputs.len(), steps.len(), "{shown}");
    for (step, output) in steps.iter().zip(outputs) {
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(
            lines.len(),
            step.expected.len(),
            "{}\n{output}",
            step.command
        );
        for (line, pattern) in lines.iter().zip(&step.expected) {
            assert!(
                matches(line, pattern),
                "{}\n{line}\n{pattern}",
                step.command
            );
        }
    }
}

#[test]
fn the_settings_tables_are_complete() {
    for name in ["config/default.toml", "config/production.toml"] {
        let mut values = BTreeMap::new();
        flatten("", &text(name).parse().unwrap(), &mut values);
        let rows = rows(between(
            &readme(),
            &format!("<!-- settings: {name} -->"),
            "<!-- /settings -->",
        ));
        let shown: Vec<(String, toml::Value)> = rows
            .iter()
            .map(|cells| (cells[0].trim_matches('`').to_owned(), value(&cells[1])))
            .collect();
        assert_eq!(
            shown.len(),
            values.len(),
            "{name}: as many rows as keys, each once"
        );
        assert_eq!(
            shown.into_iter().collect::<BTreeMap<_, _>>(),
            values,
            "{name}"
        );
    }
}

#[test]
fn the_error_table_lists_every_status_and_code() {
    let given: BTreeSet<(u16, String)> = every_error().iter().map(status_and_code).collect();
    assert_eq!(codes(), given);
}

#[test]
fn examples_are_shown_as_they_are_run() {
    let readme = readme();
    let mut shown = Vec::new();
    for block in readme.split("<!-- examples/").skip(1) {
        let (name, block) = block.split_once(" -->\n```").unwrap();
        let (_, block) = block.split_once('\n').unwrap();
        assert_eq!(
            block.split("```\n").next().unwrap(),
            text(&format!("examples/{name}")),
            "{name}"
        );
        shown.push(name);
    }
    assert_eq!(
        shown,
        [
            "nginx/protected.conf",
            "caddy/Caddyfile",
            "express/server.mjs",
            "embed.rs"
        ]
    );
}

#[test]
fn the_benchmark_table_matches_the_benchmarks() {
    let load = text("benches/load.rs");
    let rows = rows(between(&readme(), "## Benchmarks\n", "\n## "));
    assert_eq!(
        rows.len(),
        load.matches("report.at_").count(),
        "as many rows as reports"
    );
    for cells in rows {
        let [what, measured, reach] = &cells[..] else {
            panic!("{cells:?}");
        };
        assert!(!measured.is_empty(), "{what}");
        let (before, behind) = load
            .split_once(&format!("\"{what}"))
            .unwrap_or_else(|| panic!("nobody reports {what}"));
        let (arguments, _) = behind.split_once(");").unwrap();
        let side = before
            .trim_end()
            .trim_end_matches('(')
            .rsplit("report.")
            .next();
        let bound = arguments
            .trim_end()
            .trim_end_matches(',')
            .rsplit(' ')
            .next();
        let bound: f64 = bound.unwrap().parse().unwrap();
        let mut words = reach.splitn(4, ' ');
        assert_eq!(words.next(), Some("at"), "{what}");
        assert_eq!(
            side,
            words.next().map(|word| format!("at_{word}")).as_deref(),
            "{what}"
        );
        assert_eq!(words.next().unwrap().parse(), Ok(bound), "{what}");
    }
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let documents = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let documents: Vec<PathBuf> = documents
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    assert!(documents.len() >= 4, "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            if path.contains("://") {
                continue;
            }
            assert!(
                path.is_empty() || root().join(path).exists(),
                "{}: {target}",
                document.display()
            );
            let linked = match path {
                "" => text.clone(),
                other => fs::read_to_string(root().join(other)).unwrap_or_default(),
            };
            assert!(
                anchor.is_empty() || headings(&linked).any(|heading| heading == anchor),
                "{}: {target}",
                document.display()
            );
        }
    }
}

/// Every status and code of the table of errors.
pub fn codes() -> BTreeSet<(u16, String)> {
    let table = readme();
    rows(between(&table, "<!-- errors -->", "<!-- /errors -->"))
        .iter()
        .map(|cells| {
            (
                cells[0].parse().unwrap(),
                cells[1].trim_matches('`').to_owned(),
            )
        })
        .collect()
}

/// A command of the tour, and a pattern for each line that it prints.
struct Step {
    command: String,
    expected: Vec<String>,
}

fn tour() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let readme = readme();
    for block in readme.split("```sh tour\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            match line.strip_prefix("#=> ") {
                Some(pattern) => steps.last_mut().unwrap().expected.push(pattern.to_owned()),
                None => steps.push(Step {
                    command: line.to_owned(),
                    expected: Vec::new(),
                }),
            }
        }
    }
    steps
}

/// Runs a script in a folder; gives its status and what it wrote to standard output and error.
fn run(script: &str, folder: &Path) -> (ExitStatus, String, String) {
    let (output, errors) = (folder.join("tour.out"), folder.join("tour.err"));
    let mut shell = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .stdout(fs::File::create(&output).unwrap())
        .stderr(fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + TIMEOUT;
    let status = loop {
        match shell.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => shell.kill().unwrap(),
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    (status, read(&output), read(&errors))
}

/// Whether a line is what a pattern shows, where `…` stands for anything.
fn matches(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// One of each kind; the compiler asks for a new one's row here.
fn every_error() -> Vec<Error> {
    let wait = Duration::from_secs(1);
    let errors = vec![
        Error::Validation(ValidationErrors::field("password", "can't be blank")),
        Error::Validation(ValidationErrors::summary("account_not_created", "")),
        Error::Validation(ValidationErrors::summary("too_many_projects", "")),
        Error::Validation(ValidationErrors::summary("too_many_api_keys", "")),
        Error::Malformed(""),
        Error::UnsupportedMediaType,
        Error::TooLarge,
        Error::TooSlow,
        Error::MethodNotAllowed(vec![]),
        Error::Unauthorized,
        Error::TokenInvalid,
        Error::TokenExpired,
        Error::InvalidApiKey,
        Error::InvalidGrant,
        Error::InvalidScope,
        Error::InvalidCredentials,
        Error::LastAttempt,
        Error::LinkInvalid(""),
        Error::Forbidden(""),
        Error::InsufficientScope(Scopes::default()),
        Error::Unconfirmed,
        Error::CrossOrigin,
        Error::NotFound,
        Error::RateLimited(wait),
        Error::unavailable(UnavailableReason::DatabaseBusy, wait),
        Error::internal(""),
    ];
    for error in &errors {
        match error {
            Error::Validation(_)
            | Error::Malformed(_)
            | Error::UnsupportedMediaType
            | Error::TooLarge
            | Error::TooSlow
            | Error::MethodNotAllowed(_)
            | Error::Unauthorized
            | Error::TokenInvalid
            | Error::TokenExpired
            | Error::InvalidApiKey
            | Error::InvalidGrant
            | Error::InvalidScope
            | Error::InvalidCredentials
            | Error::LastAttempt
            | Error::LinkInvalid(_)
            | Error::Forbidden(_)
            | Error::InsufficientScope(_)
            | Error::Unconfirmed
            | Error::CrossOrigin
            | Error::NotFound
            | Error::RateLimited(_)
            | Error::Unavailable { .. }
            | Error::Internal(_) => {}
            // Only `/ready` gives it, with the reason for its code.
            Error::NotReady { .. } => {}
        }
    }
    errors
}

fn status_and_code(error: &Error) -> (u16, String) {
    let response = error.error_response();
    let status = response.status().as_u16();
    let body = response.into_body().try_into_bytes().unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    (status, body["code"].as_str().unwrap().to_owned())
}

/// Dotted keys and their values.
fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<String, toml::Value>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => flatten(&format!("{prefix}{key}."), inner, values),
            value => {
                values.insert(format!("{prefix}{key}"), value.clone());
            }
        }
    }
}

/// A TOML value between backquotes.
fn value(cell: &str) -> toml::Value {
    format!("value = {}", cell.trim_matches('`'))
        .parse::<toml::Table>()
        .unwrap_or_else(|fault| panic!("{cell}: {fault}"))
        .remove("value")
        .unwrap()
}

/// The cells of a table's rows, behind its head and rule.
fn rows(table: &str) -> Vec<Vec<String>> {
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            line.trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The anchors of a document's headings, as code hosts make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, behind) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("README.md has no {start}"));
    behind.split_once(end).unwrap().0
}

fn readme() -> String {
    text("README.md")
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
