//! `cloakroom backup verify`: what a backup is good for. It changes nothing.

use std::fs;
use std::path::Path;

use crate::cli::output::Format;
use crate::cli::report::Report;
use crate::cli::{Outcome, explain};
use crate::config::Settings;
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::Result;
use crate::store::{Content, Inspection, SCHEMA_VERSION};

const ANOTHER: &str = "use another backup";

pub(super) fn run(settings: &Settings, path: &Path, format: &Format) -> Outcome {
    let mut report = Report::default();
    match Inspection::open_backup(path) {
        Ok(file) => {
            if let Err(failure) = examine(settings, path, file, &mut report) {
                report.fail("file", explain(&failure), ANOTHER);
            }
        }
        Err(failure) => {
            let what = format!("{}: {}", path.display(), explain(&failure));
            report.fail("file", what, ANOTHER);
        }
    }
    report.print(format)
}

fn examine(settings: &Settings, path: &Path, file: Inspection, report: &mut Report) -> Result<()> {
    let version = file.schema_version()?;
    if let Ok(found) = fs::metadata(path) {
        report.ok(
            "file",
            format!("{}, {}", path.display(), super::bytes(found.len())),
        );
    }
    let findings = file.integrity()?;
    for finding in &findings {
        report.fail("integrity", finding, ANOTHER);
    }
    if !findings.is_empty() {
        return Ok(());
    }
    report.ok("integrity", "sound");
    if version < SCHEMA_VERSION {
        let what = format!("version {version}, and this program's is {SCHEMA_VERSION}");
        report.warn("schema", what, "nothing to do: a restore migrates it");
        return Ok(());
    }
    file.check_schema()?;
    report.ok("schema", format!("version {version}"));
    contents(settings, &file.content(), report)
}

fn contents(settings: &Settings, content: &Content, report: &mut Report) -> Result<()> {
    let now = Clock::System.now();
    let held = content.holdings(now)?;
    report.ok(
        "content",
        format!(
            "{} users, {} sessions, {} API keys",
            held.users, held.sessions, held.api_keys
        ),
    );
    match content.newest_row()? {
        Some(newest) => report.ok("age", age(newest, now)),
        None => report.ok("age", "no rows"),
    }
    key_base(settings, content, report)
}

/// How long ago the newest row was created.
fn age(newest: Timestamp, now: Timestamp) -> String {
    let minutes = now.since(newest).as_secs() / 60;
    let since = match (minutes / 1440, minutes / 60, minutes) {
        (0, 0, minutes) => format!("{minutes} minutes"),
        (0, hours, _) => format!("{hours} hours"),
        (days, ..) => format!("{days} days"),
    };
    format!("newest row of {newest}, {since} ago")
}

/// Whether links and access tokens go on, and authenticator apps.
fn key_base(settings: &Settings, content: &Content, report: &mut Report) -> Result<()> {
    let names = match KeyRing::find(settings) {
        Ok(key_ring) => key_ring.map(|key_ring| key_ring.names()),
        Err(failure) => {
            report.fail("keys", failure.to_string(), "correct secrets.key_base");
            return Ok(());
        }
    };
    let signing = content.signing_bases()?;
    let shown = signing.join(", ");
    match &names {
        None => report.warn(
            "keys",
            format!("this machine has no key base; the backup's is {shown}"),
            "restore the key base beside it: authenticator apps need it",
        ),
        Some(names) if signing.is_empty() => {
            report.ok(
                "keys",
                format!("no server signed yet; here it is {}", names.current),
            );
        }
        Some(names) if signing.contains(&names.current) => {
            report.ok("keys", format!("the key base of the settings, {shown}"));
        }
        Some(names) if signing.iter().any(|name| names.contains(name)) => {
            report.ok(
                "keys",
                format!("a previous key base of the settings, {shown}"),
            );
        }
        Some(names) => report.warn(
            "keys",
            format!(
                "of another key base: {shown}, and that of the settings is {}",
                names.current
            ),
            "set secrets.key_base, or list it in secrets.previous",
        ),
    }
    let unopened = content.foreign_rows(names.as_ref())?.secrets.len();
    if unopened > 0 {
        report.warn(
            "keys",
            format!(
                "{unopened} authenticator apps cannot be opened by the key bases of the settings"
            ),
            "list their base in secrets.previous",
        );
    }
    Ok(())
}
