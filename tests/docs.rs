//! What README.md and `docs/` show is true: the tours run, the tables agree with the program, the examples are those in
//! `examples/`, every block is covered by a test, and every link leads to a file.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

pub mod blocks;
mod data;
mod operators;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::ResponseError;
use actix_web::body::MessageBody;
use actix_web::http::Method;
use cloakroom::config::{Environment, Settings, Sources};
use cloakroom::domain::SecondFactorDue;
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::error::{Error, UnavailableReason, ValidationErrors};
use cloakroom::domain::scope::Scopes;
use cloakroom::http::error_codes::{self, ErrorCode};
use cloakroom::testing::{Call, TestApp};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::blocks::blocks_in;
use crate::support::generated_file::assert_up_to_date;
use crate::support::process::{TIMEOUT, TestServer};

/// The page with the table of errors.
const ERRORS: &str = "docs/reference/errors.md";

/// Stands before the output of each step when the tour runs.
const STEP: &str = "@@step";

#[test]
fn the_first_request_runs_as_shown() {
    run_tour("README.md");
}

#[test]
fn the_tour_runs_as_shown() {
    run_tour("docs/getting-started/tour.md");
}

#[test]
fn the_example_of_reauthentication_runs_as_shown() {
    run_tour("docs/concepts/sessions-and-accounts.md");
}

#[test]
fn the_example_of_cookie_mode_runs_as_shown() {
    run_tour("docs/guides/cookie-mode.md");
}

/// Runs a line of a page with the settings of a server, in place of those of the machine that the page is about.
fn run_command(test_server: &TestServer, line: &str) -> String {
    let line = line.replace(" --config /etc/cloakroom/cloakroom.toml", "");
    let program = test_server.command(&[]);
    let folder = Path::new(program.get_program()).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("sh");
    for (name, value) in program.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let output = shell
        .args(["-c", &line])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("no_proxy", "*")
        .current_dir(test_server.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}\n{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn run_tour(page: &str) {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM_ENV", "development");
    test_server.set("CLOAKROOM__SERVER__BIND", "127.0.0.1:0");
    let server = test_server.serve();
    let steps = tour(page);
    assert!(steps.len() > 3, "the tour was not found");
    run_steps(&steps, test_server.path(), |command| {
        command
            .replace("http://localhost:3000", &server.url(""))
            .replace("storage/mail", test_server.mail_folder().to_str().unwrap())
    });
}

/// Runs the commands in one shell, with what has another name here, and compares what each prints.
pub fn run_steps(steps: &[Step], folder: &Path, here: impl Fn(&str) -> String) {
    let mut script = String::from("set -eu\n");
    for step in steps {
        writeln!(script, "echo '{STEP}'\n{}", here(&step.command)).unwrap();
    }
    let (status, shown, errors) = run(&script, folder);
    assert!(status.success(), "{shown}\n{errors}");

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

/// `UPDATE=1 cargo test docs` writes the table.
#[test]
fn the_error_table_is_up_to_date() {
    let mut table = String::from("| status | code | when |\n|---|---|---|\n");
    for code in error_codes::ALL {
        let ErrorCode {
            status, name, when, ..
        } = code;
        writeln!(table, "| {status} | `{name}` | {when} |").unwrap();
    }
    let page = text(ERRORS);
    let (before, rest) = page.split_once("<!-- errors -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /errors -->").unwrap();
    let generated = format!("{before}<!-- errors -->\n{table}<!-- /errors -->{after}");
    assert_up_to_date(ERRORS, &generated);
}

#[test]
fn the_error_table_lists_every_status_and_code() {
    let given: BTreeSet<(u16, String)> = every_error().iter().map(status_and_code).collect();
    assert_eq!(codes(), given);
}

#[test]
fn examples_are_shown_as_they_are_run() {
    for (page, shown) in [
        (
            "docs/guides/forward-auth.md",
            &[
                "nginx/protected.conf",
                "caddy/Caddyfile",
                "traefik/protected.yml",
                "traefik/traefik.yml",
            ][..],
        ),
        (
            "docs/guides/forward-auth-for-browsers.md",
            &["caddy/one_host.Caddyfile", "caddy/siblings.Caddyfile"],
        ),
        (
            "docs/guides/verifying-tokens.md",
            &["express/server.mjs", "fastapi/app.py", "behind_verify.rs"],
        ),
        (
            "docs/guides/react-router-and-next.md",
            &[
                "react-router/app/session.server.js",
                "react-router/app/root.jsx",
                "react-router/app/routes/home.jsx",
                "react-router/app/routes/sign-in.jsx",
                "next/app/session.js",
                "next/app/providers.jsx",
                "next/app/layout.jsx",
                "next/app/page.jsx",
                "next/app/sign-out.jsx",
                "next/app/sign-in/page.jsx",
            ],
        ),
        ("docs/getting-started/embedding.md", &["embed.rs"]),
    ] {
        let blocks = blocks_from(&text(page));
        let names: Vec<&str> = blocks.iter().map(|(name, _)| &**name).collect();
        let expected: Vec<_> = shown
            .iter()
            .map(|name| format!("examples/{name}"))
            .collect();
        assert_eq!(names, expected, "{page}");
        for (name, block) in blocks {
            assert_eq!(block, text(&name), "{page}: {name}");
        }
    }
}

#[test]
fn the_page_about_production_shows_the_packaged_files() {
    let blocks = blocks_from(&text("docs/operations/production.md"));
    let names: Vec<&str> = blocks.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        ["packaging/cloakroom.toml", "packaging/cloakroom.service"]
    );
    for (name, block) in blocks {
        assert_eq!(block, text(&name), "{name}");
    }
}

#[test]
fn the_readme_shows_excerpts_of_what_is_run() {
    let blocks = blocks_from(&text("README.md"));
    assert_eq!(blocks.len(), 2);
    for (name, block) in blocks {
        assert!(text(&name).contains(&block), "{name}");
    }
}

/// The blocks behind a comment that names a file: the name and the block.
fn blocks_from(page: &str) -> Vec<(String, String)> {
    let marked = page.split("<!-- ").skip(1);
    let blocks = marked.filter_map(|rest| {
        let (name, rest) = rest.split_once(" -->\n```")?;
        let (_, rest) = rest.split_once('\n')?;
        Some((name.to_owned(), rest.split("```\n").next()?.to_owned()))
    });
    blocks.collect()
}

#[test]
fn the_benchmark_table_matches_the_benchmarks() {
    let load = text("benches/load.rs");
    let page = text("docs/operations/sizing.md");
    let rows = rows(page.split_once("## Benchmarks\n").unwrap().1);
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
            .unwrap_or_else(|| panic!("no benchmark reports {what}"));
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

/// Loads the settings file on the page about production, with the files that it names.
fn production_settings() -> Settings {
    let page = text("docs/operations/production.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let folder = secret_files();
    let here = format!("{}/", folder.path().display());
    let settings = rest.split("```\n").next().unwrap();
    let file = folder.path().join("cloakroom.toml");
    fs::write(&file, settings.replace("/etc/cloakroom/", &here)).unwrap();
    let sources = Sources {
        env: Environment::Production,
        file: Some(file),
        variables: Vec::new(),
        ignored: Vec::new(),
    };
    Settings::load(&sources).unwrap()
}

/// A folder with the secret files that the pages name.
fn secret_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("key_base", "0123456789abcdefghijklmnopqrstuv"),
        ("previous_key_bases", ""),
        ("smtp_password", "secret"),
    ] {
        fs::write(folder.path().join(name), value).unwrap();
    }
    folder
}

/// Loads the first block of variables on a page.
fn settings_of_variables(page: &str) -> Settings {
    let folder = secret_files();
    let here = format!("={}/", folder.path().display());
    let page = text(page);
    let (_, rest) = page
        .split_once("```sh\nCLOAKROOM_ENV=production\n")
        .unwrap();
    let variables = rest.split("```").next().unwrap().lines().map(|line| {
        let line = line.replace("=/etc/cloakroom/", &here);
        let line = line.replace("=/run/secrets/", &here);
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    let sources = Sources {
        env: Environment::Production,
        file: None,
        variables: variables.collect(),
        ignored: Vec::new(),
    };
    Settings::load(&sources).unwrap()
}

#[test]
fn variables_set_mail_and_origins_as_the_settings_file_does() {
    let sections = |settings: &Settings| -> Vec<String> {
        // Without the name: a value with a space needs quotes in a shell, and none in a container.
        let all = settings
            .to_toml()
            .unwrap()
            .replace("Example <no-reply@example.com>", "no-reply@example.com");
        let sections = all.split("\n\n");
        let compared =
            sections.filter(|section| section.starts_with("[mail") || section.starts_with("[cors"));
        compared.map(|section| section.trim().to_owned()).collect()
    };
    let expected = sections(&production_settings());
    assert!(expected.len() >= 3, "{expected:?}");
    for page in [
        "docs/operations/production.md",
        "docs/operations/containers.md",
    ] {
        assert_eq!(sections(&settings_of_variables(page)), expected, "{page}");
    }
}

#[actix_web::test]
async fn the_front_end_works_with_the_production_settings() {
    let production = production_settings();
    let page = production
        .server
        .frontend_url
        .origin()
        .ascii_serialization();
    let app = TestApp::with_settings(move |settings| {
        settings.server = production.server;
        settings.cors = production.cors;
        settings.session = production.session;
    });
    let app = app.await;
    let by_page = |call: Call| {
        let call = call.header("Origin", &page);
        call.header("Sec-Fetch-Site", "same-site")
    };
    let preflight = by_page(app.call(Method::OPTIONS, "/v1/session"));
    let preflight = preflight.header("Access-Control-Request-Method", "POST");
    let preflight = preflight.header("Access-Control-Request-Headers", "content-type");
    let body = json!({ "email_address": "one@example.com", "password": "correct horse battery", "transport": "cookie" });
    let sign_up = by_page(app.post("/v1/registrations")).json(&body);
    let (preflight, sign_up) = (preflight.send().await, sign_up.send().await);
    for reply in [&preflight, &sign_up] {
        assert!(matches!(reply.status, 200 | 201 | 204), "{}", reply.text());
        assert_eq!(reply.header("access-control-allow-origin"), Some(&*page));
        assert_eq!(
            reply.header("access-control-allow-credentials"),
            Some("true")
        );
    }
    let cookie = sign_up.header("set-cookie").unwrap();
    let pair = cookie.split(';').next().unwrap();
    let sign_out = by_page(app.delete("/v1/session")).header("Cookie", pair);
    assert_eq!(sign_out.send().await.status, 200);
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let documents = documents();
    assert!(documents.len() >= 50, "{documents:?}");
    for document in &documents {
        let page = text(document);
        let folder = root().join(document).parent().unwrap().to_owned();
        for (path, anchor) in links(&page) {
            let target = folder.join(path);
            let leads = path.is_empty() || target.exists();
            assert!(leads, "{document}: {path}");
            let linked = match path {
                "" => page.clone(),
                _ => fs::read_to_string(target).unwrap_or_default(),
            };
            let found = anchor.is_empty() || headings(&linked).any(|heading| heading == anchor);
            assert!(found, "{document}: {path}#{anchor}");
        }
    }
}

/// A book has only what is in its folder.
#[test]
fn pages_of_the_book_link_only_to_each_other() {
    for document in documents().iter().filter(|name| name.starts_with("docs/")) {
        let depth = document.matches('/').count() - 1;
        for (path, _) in links(&text(document)) {
            let up = path.split('/').filter(|part| *part == "..").count();
            assert!(up <= depth, "{document}: {path}");
        }
    }
}

#[test]
fn every_page_is_in_the_index_and_the_book() {
    let (index, summary) = (text("docs/README.md"), text("docs/SUMMARY.md"));
    for document in documents() {
        let Some(page) = document.strip_prefix("docs/") else {
            continue;
        };
        let listed = |list: &str| list.contains(&format!("]({page})"));
        let is_decision = page.starts_with("decisions/0");
        assert!(
            page == "SUMMARY.md" || page == "README.md" || listed(&summary),
            "{page}"
        );
        assert!(
            is_decision || page == "SUMMARY.md" || page == "README.md" || listed(&index),
            "{page}"
        );
    }
}

#[test]
fn the_readme_is_short() {
    assert!(text("README.md").len() <= 8 * 1024);
}

/// The Markdown files of the root and of `docs`, from the root.
fn documents() -> Vec<String> {
    let (mut folders, mut found) = (vec![root().join("docs")], Vec::new());
    let mut take = |folder: &Path, deeper: bool, folders: &mut Vec<PathBuf>| {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && deeper {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(root()).unwrap();
                found.push(name.to_str().unwrap().to_owned());
            }
        }
    };
    take(root(), false, &mut folders);
    while let Some(folder) = folders.pop() {
        take(&folder, true, &mut folders);
    }
    found.sort();
    found
}

/// Path and anchor of each link that stays in the repository; code is left out.
fn links(page: &str) -> Vec<(&str, &str)> {
    let prose = page.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .map(|target| target.split_once('#').unwrap_or((target, "")))
        .collect()
}

/// Every status and code of the table of errors.
pub fn codes() -> BTreeSet<(u16, String)> {
    let page = text(ERRORS);
    rows(between(&page, "<!-- errors -->", "<!-- /errors -->"))
        .iter()
        .map(|cells| {
            (
                cells[0].parse().unwrap(),
                cells[1].trim_matches('`').to_owned(),
            )
        })
        .collect()
}

/// A command, and a pattern for each line that it prints.
pub struct Step {
    pub command: String,
    expected: Vec<String>,
}

fn tour(page: &str) -> Vec<Step> {
    steps(&blocks_in(page, "sh tour").concat())
}

/// The commands of a text; a line with `#=> ` is what the one before prints.
pub fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix("#=> ") {
            Some(pattern) => steps.last_mut().unwrap().expected.push(pattern.to_owned()),
            None => steps.push(Step {
                command: line.to_owned(),
                expected: Vec::new(),
            }),
        }
    }
    steps
}

/// Runs a script in a folder; returns its status and what it wrote to standard output and error.
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
        Error::InvalidTarget,
        Error::InvalidCredentials,
        Error::LastAttempt,
        Error::SecondFactorRequired(Box::new(SecondFactorDue {
            pending_token: Default::default(),
            methods: vec![],
            expires_at: Timestamp::from_millis(0),
        })),
        Error::PendingSignInInvalid,
        Error::InvalidCode,
        Error::ExchangeCodeInvalid,
        Error::StateInvalid,
        Error::AccountExists,
        Error::IdentityTaken,
        Error::ProviderUnavailable(wait),
        Error::Validation(ValidationErrors::summary("address_unverified", "")),
        Error::PasskeyInvalid,
        Error::PasskeyUnknown,
        Error::LastSignInMethod,
        Error::Validation(ValidationErrors::summary("too_many_passkeys", "")),
        Error::Validation(ValidationErrors::summary("too_many_identities", "")),
        Error::Validation(ValidationErrors::summary("totp_enrolled", "")),
        Error::Validation(ValidationErrors::summary("totp_not_started", "")),
        Error::Validation(ValidationErrors::summary("no_second_factor", "")),
        Error::LinkInvalid(""),
        Error::Forbidden(""),
        Error::InsufficientScope(Scopes::default()),
        Error::InsufficientAuthentication {
            two_factors: true,
            max_age: None,
        },
        Error::Unconfirmed,
        Error::SecondFactorOverdue,
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
            | Error::UnsupportedEncoding
            | Error::ExchangeCodeInvalid
            | Error::StateInvalid
            | Error::AccountExists
            | Error::IdentityTaken
            | Error::ProviderUnavailable(_)
            | Error::TooLarge
            | Error::TooSlow
            | Error::MethodNotAllowed(_)
            | Error::Unauthorized
            | Error::TokenInvalid
            | Error::TokenExpired
            | Error::InvalidApiKey
            | Error::InvalidGrant
            | Error::InvalidScope
            | Error::InvalidTarget
            | Error::InvalidCredentials
            | Error::LastAttempt
            | Error::SecondFactorRequired(_)
            | Error::PendingSignInInvalid
            | Error::InvalidCode
            | Error::PasskeyInvalid
            | Error::PasskeyUnknown
            | Error::LastSignInMethod
            | Error::LinkInvalid(_)
            | Error::Forbidden(_)
            | Error::InsufficientScope(_)
            | Error::InsufficientAuthentication { .. }
            | Error::Unconfirmed
            | Error::SecondFactorOverdue
            | Error::CrossOrigin
            | Error::NotFound
            | Error::RateLimited(_)
            | Error::Unavailable { .. }
            | Error::Internal(_) => {}
            // Only `/ready` returns it, with the reason as its code.
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
        .unwrap_or_else(|| panic!("no {start}"));
    behind.split_once(end).unwrap().0
}

pub fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
