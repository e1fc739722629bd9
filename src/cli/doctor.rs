//! `cloakroom doctor`: checks what a server needs and suggests fixes.
//!
//! It only reads: a missing, damaged or newer database file is reported, never created, migrated or written.

mod file;
mod server;

use std::time::Duration;

use url::Url;

use super::output::Format;
use super::report::Report;
use super::{database, open_files};
use crate::breached_passwords::BreachedPasswords;
use crate::config::{ConfigError, Confirm, Environment, MailTransport, Settings, Sources};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::{Clock, Timestamp};
use crate::mail::{Templates, Transport};
use crate::outbound::Outbound;
use crate::providers::Providers;
use crate::store::ForeignRows;
pub(super) use file::is_open_to_others;

/// From 2025 to 2100: a clock outside this range was never set.
const SANE: std::ops::Range<Timestamp> =
    Timestamp::from_millis(1_735_689_600_000)..Timestamp::from_millis(4_102_444_800_000);

const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// The most ids of one finding.
const SHOWN_IDS: usize = 5;

pub(super) fn run(sources: Result<Sources, ConfigError>, format: &Format) -> super::Outcome {
    let mut report = Report::default();
    let loaded =
        sources.and_then(|sources| Ok((super::quietly(|| Settings::load(&sources))?, sources)));
    match loaded {
        Ok((settings, sources)) => examine(&settings, &sources, &mut report)?,
        // Without settings nothing else can be found.
        Err(refused) => {
            for problem in refused.problems() {
                let what = format!("{}: {}", problem.key, problem.message);
                report.fail("settings", what, "fix it; `cloakroom config` checks again");
            }
        }
    }
    report.print(format)
}

fn examine(settings: &Settings, sources: &Sources, report: &mut Report) -> super::Outcome {
    report.ok("settings", format!("valid, for {}", sources.describe()));
    for warning in sources.warnings().iter().chain(&settings.warnings()) {
        let what = format!("{}: {}", warning.key, warning.message);
        report.warn(
            "settings",
            what,
            "change it; `cloakroom config` shows what is in effect",
        );
    }
    open_files(settings, report);
    let outbound = Outbound::new(&settings.outbound);
    if let Err(error) = BreachedPasswords::open(settings, &outbound) {
        report.fail(
            "passwords",
            error.to_string(),
            "the server does not start with it: correct it",
        );
    }
    if let Err(error) = Providers::open(settings, &outbound, &Clock::System) {
        report.fail(
            "providers",
            error.to_string(),
            "the server does not start with it: correct it",
        );
    }
    cookies(settings, report);
    file::private_files(settings, sources, report);
    let content = match &settings.database.url {
        None => file::examine(settings, report),
        Some(url) => server::examine(settings, url, report),
    };
    if let Some(directory) = &settings.backup.directory {
        file::backups(directory, &settings.backup, report);
    }
    let key_ring = KeyRing::find(settings).ok().flatten();
    let names = key_ring.map(|key_ring| key_ring.names());
    if let Some(rows) = content
        .as_ref()
        .and_then(|content| content.foreign_rows(names.as_ref()).ok())
    {
        foreign_rows(&rows, report);
    }
    let now = Clock::System.now();
    // Unreadable rows are reported by the integrity check.
    clock(
        now,
        content
            .as_ref()
            .and_then(|content| content.newest_row().ok().flatten()),
        report,
    );
    if let Some(Ok(count)) = content.map(|content| content.mails_given_up(now - WEEK)) {
        given_up(count, report);
    }
    database::wait_for(async {
        mail(settings, report).await;
        Ok(())
    })
}

/// By the limit of this process, which is the server's if both are started alike.
fn open_files(settings: &Settings, report: &mut Report) {
    let (needed, wanted) = (open_files::needed(settings), open_files::wanted(settings));
    match open_files::allowed() {
        Some(allowed) if allowed < wanted => {
            let what = format!(
                "{allowed} open files are allowed here: the server needs {needed} to start, and {wanted} with \
                 server.max_connections"
            );
            report.warn("limits", what, "raise the limit: ulimit -n, LimitNOFILE");
        }
        _ => report.ok(
            "limits",
            format!("enough open files for the {wanted} that it may use"),
        ),
    }
}

/// Whether the pages of the front end may call, and whether browsers treat each origin that may use the cookie as same-site
/// with the server: the scheme counts.
fn cookies(settings: &Settings, report: &mut Report) {
    front_end(settings, report);
    if !settings.cors.credentials {
        return;
    }
    let ours = settings.server.public_url.scheme();
    let is_strange = |origin: &&String| Url::parse(origin).is_ok_and(|url| url.scheme() != ours);
    for origin in settings.cors.origins.iter().filter(is_strange) {
        let what =
            format!("{origin} may send cookies, but browsers treat it as cross-site to {ours}://");
        report.warn(
            "cors",
            what,
            "serve both over https, or remove it from cors.origins",
        );
    }
}

fn front_end(settings: &Settings, report: &mut Report) {
    let (server, cors) = (&settings.server, &settings.cors);
    let pages = server.frontend_url.origin();
    let origin = pages.ascii_serialization();
    let is_listed = cors
        .origins
        .iter()
        .any(|listed| *listed == origin || listed == "*");
    if pages == server.public_url.origin() || (is_listed && cors.credentials) {
        return;
    }
    let (what, advice) = match is_listed {
        false => ("cannot call the server", "add it to cors.origins"),
        true => (
            "cannot use the session cookie",
            "set cors.credentials to true for Cloakroom's own front end; one with bearer tokens does not need it",
        ),
    };
    report.warn(
        "cors",
        format!("pages at {origin} (server.frontend_url) {what}"),
        advice,
    );
}

fn foreign_rows(rows: &ForeignRows, report: &mut Report) {
    let mut name = |ids: &[i64], what: &str, advice: &str| {
        let Some(first) = ids.first() else {
            return;
        };
        let shown: Vec<String> = ids.iter().take(SHOWN_IDS).map(i64::to_string).collect();
        let more = if ids.len() > SHOWN_IDS { ", …" } else { "" };
        let users = if ids.len() == 1 { "user" } else { "users" };
        let what = format!(
            "{} {users} {what}: id {}{more}",
            ids.len(),
            shown.join(", ")
        );
        report.fail("users", what, advice.replace("ID", &first.to_string()));
    };
    name(
        &rows.addresses,
        "cannot be found by address, because it is not in lower case or malformed",
        "correct the row's email_address, or `cloakroom users delete ID`",
    );
    name(
        &rows.digests,
        "cannot sign in, because the password digest is not bcrypt's",
        "`cloakroom users reset-password ID` prints a link to set a new password",
    );
    name(
        &rows.secrets,
        "cannot use the authenticator app, because no listed key base opens its secret",
        "list the base in secrets.previous, or `cloakroom users reset-factors ID`",
    );
}

fn clock(now: Timestamp, newest: Option<Timestamp>, report: &mut Report) {
    let advice = "set the clock: sessions and links expire by it";
    match newest {
        _ if !SANE.contains(&now) => {
            report.fail("clock", format!("{now} is not plausible"), advice);
        }
        Some(newest) if newest > now => {
            let what = format!("{now} is before the newest row of the database ({newest})");
            report.fail("clock", what, advice);
        }
        _ => report.ok("clock", now.to_string()),
    }
}

fn given_up(count: i64, report: &mut Report) {
    let advice = "`cloakroom mail list` shows why, `cloakroom mail retry` sends one again";
    match count {
        0 => report.ok("mail", "no failed mails in the last week"),
        1 => report.warn("mail", "1 failed mail in the last week", advice),
        many => report.warn(
            "mail",
            format!("{many} failed mails in the last week"),
            advice,
        ),
    }
}

async fn mail(settings: &Settings, report: &mut Report) {
    if let Err(error) = Templates::load(settings.mail.templates.as_deref()) {
        report.fail("mail", error.to_string(), "fix the files in mail.templates");
    }
    let transport = match Transport::from_settings(&settings.mail) {
        Ok(transport) => transport,
        Err(error) => return report.fail("mail", error.to_string(), "fix [mail.smtp]"),
    };
    match (transport.probe().await, settings.mail.transport) {
        (Err(reason), _) => {
            // The message ends with its own advice.
            let (what, advice) = reason.split_once("): ").unwrap_or((&reason, "fix [mail]"));
            report.fail("mail", format!("{what})"), advice);
        }
        (Ok(()), MailTransport::Smtp) => {
            let smtp = &settings.mail.smtp;
            report.ok(
                "mail",
                format!("{}:{} accepts mail", smtp.host, smtp.port()),
            );
        }
        (Ok(()), MailTransport::File) if settings.env == Environment::Production => {
            let what = format!("written to {}, not sent", settings.mail.directory.display());
            report.warn("mail", what, "set mail.transport to \"smtp\"");
            confirmation(settings.registration.confirm, report);
        }
        (Ok(()), MailTransport::File) => {
            report.ok(
                "mail",
                format!("written to {}", settings.mail.directory.display()),
            );
        }
    }
}

/// What `registration.confirm` means while no mail is sent.
fn confirmation(confirm: Confirm, report: &mut Report) {
    let what = match confirm {
        Confirm::Off => return,
        Confirm::Remind => "new users cannot verify their address",
        Confirm::Required => "new users cannot sign in: their address is never verified",
    };
    report.warn(
        "mail",
        what,
        "set mail.transport to \"smtp\", or registration.confirm to \"off\"",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_of_clock(now: i64, newest: Option<i64>) -> String {
        let mut report = Report::default();
        let newest = newest.map(Timestamp::from_millis);
        clock(Timestamp::from_millis(now), newest, &mut report);
        report.states()[0].to_string()
    }

    #[test]
    fn unset_and_rewound_clocks_are_detected() {
        let now = 1_800_000_000_000;
        assert_eq!(state_of_clock(now, None), "ok");
        assert_eq!(state_of_clock(now, Some(now)), "ok");
        assert_eq!(state_of_clock(now, Some(now + 1)), "fail");
        assert_eq!(state_of_clock(0, None), "fail");
        assert_eq!(state_of_clock(5_000_000_000_000, None), "fail");
    }
}
