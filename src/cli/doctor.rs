//! `cloakroom doctor`: looks at everything that a server needs and says what to do about what is wrong.
//!
//! It works on whatever it finds: a file that is missing, damaged or a newer version's is reported, and neither made
//! nor migrated nor written.

mod file;

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use url::Url;

use super::output::{Format, columns};
use super::{Fault, database};
use crate::config::{ConfigError, Confirm, Environment, MailTransport, Settings, Sources};
use crate::domain::clock::{Clock, Timestamp};
use crate::mail::{Templates, Transport};

/// 2025 and 2100: a clock outside of these was never set.
const SANE: std::ops::Range<Timestamp> =
    Timestamp::from_millis(1_735_689_600_000)..Timestamp::from_millis(4_102_444_800_000);

const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(super) fn run(sources: Result<Sources, ConfigError>, format: &Format) -> super::Outcome {
    let mut report = Report::default();
    let loaded =
        sources.and_then(|sources| Ok((super::quietly(|| Settings::load(&sources))?, sources)));
    match loaded {
        Ok((settings, sources)) => examine(&settings, &sources, &mut report)?,
        // Nothing else can be looked at without knowing where.
        Err(refused) => {
            for problem in refused.problems() {
                let what = format!("{}: {}", problem.key, problem.message);
                report.fail(
                    "settings",
                    what,
                    "correct it; `cloakroom config` checks again",
                );
            }
        }
    }
    report.print(format)
}

fn examine(settings: &Settings, sources: &Sources, report: &mut Report) -> super::Outcome {
    report.ok("settings", format!("valid, for {}", settings.env));
    cookies(settings, report);
    let file = file::examine(settings, sources, report);
    let now = Clock::System.now();
    // Where rows cannot be read, the file's integrity is the finding.
    clock(
        now,
        file.as_ref()
            .and_then(|file| file.newest_row().ok().flatten()),
        report,
    );
    if let Some(Ok(count)) = file.map(|file| file.mails_given_up(now - WEEK)) {
        given_up(count, report);
    }
    database::wait_for(async {
        mail(settings, report).await;
        Ok(())
    })
}

/// Whether browsers take each origin that may use the cookie for the same site as us: the scheme is part of it.
fn cookies(settings: &Settings, report: &mut Report) {
    if !settings.cors.credentials {
        return;
    }
    let ours = settings.server.public_url.scheme();
    let is_strange = |origin: &&String| Url::parse(origin).is_ok_and(|url| url.scheme() != ours);
    for origin in settings.cors.origins.iter().filter(is_strange) {
        let what =
            format!("{origin} may send cookies, but to browsers it is another site than {ours}://");
        report.warn(
            "cors",
            what,
            "serve both by https, or take it from cors.origins",
        );
    }
}

fn clock(now: Timestamp, newest: Option<Timestamp>, report: &mut Report) {
    let advice = "set the clock: sessions and links expire by it";
    match newest {
        _ if !SANE.contains(&now) => {
            report.fail("clock", format!("{now} is not plausible"), advice)
        }
        Some(newest) if newest > now => {
            let what = format!("{now} is before the newest row of the database, made at {newest}");
            report.fail("clock", what, advice);
        }
        _ => report.ok("clock", now.to_string()),
    }
}

fn given_up(count: i64, report: &mut Report) {
    let advice = "`cloakroom mail list` says why, `cloakroom mail retry` sends one again";
    match count {
        0 => report.ok("mail", "none given up within the last week"),
        1 => report.warn("mail", "1 was given up within the last week", advice),
        many => report.warn(
            "mail",
            format!("{many} were given up within the last week"),
            advice,
        ),
    }
}

async fn mail(settings: &Settings, report: &mut Report) {
    if let Err(fault) = Templates::load(settings.mail.templates.as_deref()) {
        report.fail(
            "mail",
            fault.to_string(),
            "correct what mail.templates holds",
        );
    }
    let transport = match Transport::from_settings(&settings.mail) {
        Ok(transport) => transport,
        Err(fault) => return report.fail("mail", fault.to_string(), "correct [mail.smtp]"),
    };
    match (transport.probe().await, settings.mail.transport) {
        (Err(reason), _) => {
            // The sentence ends in its own advice.
            let (what, advice) = reason
                .split_once("): ")
                .unwrap_or((&reason, "correct [mail]"));
            report.fail("mail", format!("{what})"), advice);
        }
        (Ok(()), MailTransport::Smtp) => {
            let smtp = &settings.mail.smtp;
            report.ok("mail", format!("{}:{} takes mail", smtp.host, smtp.port()));
        }
        (Ok(()), MailTransport::File) if settings.env == Environment::Production => {
            let what = format!(
                "written into {}, it reaches nobody",
                settings.mail.directory.display()
            );
            report.warn("mail", what, "set mail.transport to \"smtp\"");
            confirmation(settings.registration.confirm, report);
        }
        (Ok(()), MailTransport::File) => {
            report.ok(
                "mail",
                format!("written into {}", settings.mail.directory.display()),
            );
        }
    }
}

/// What the setting comes to while no link reaches anybody.
fn confirmation(confirm: Confirm, report: &mut Report) {
    let what = match confirm {
        Confirm::Off => return,
        Confirm::Remind => "nobody who signs up can confirm their address",
        Confirm::Required => "nobody who signs up can sign in: their address is never confirmed",
    };
    report.warn(
        "mail",
        what,
        "set mail.transport to \"smtp\", or registration.confirm to \"off\"",
    );
}

/// What was found, in the order of looking.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    state: State,
    topic: &'static str,
    what: String,
    /// What to do about it.
    advice: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

impl Report {
    fn ok(&mut self, topic: &'static str, what: impl Into<String>) {
        self.findings.push(Finding {
            state: State::Ok,
            topic,
            what: what.into(),
            advice: None,
        });
    }

    fn warn(&mut self, topic: &'static str, what: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding {
            state: State::Warn,
            topic,
            what: what.into(),
            advice: Some(advice.into()),
        });
    }

    fn fail(&mut self, topic: &'static str, what: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding {
            state: State::Fail,
            topic,
            what: what.into(),
            advice: Some(advice.into()),
        });
    }

    /// Prints it; fails when anything failed.
    fn print(&self, format: &Format) -> super::Outcome {
        let failed = self
            .findings
            .iter()
            .filter(|finding| finding.state == State::Fail)
            .count();
        format.print(
            &json!({ "ok": failed == 0, "findings": self.findings }),
            || columns(self.findings.iter().map(row)),
        )?;
        match failed {
            0 => Ok(()),
            1 => Err(Fault::from("1 finding needs to be repaired")),
            many => Err(Fault::from(format!("{many} findings need to be repaired"))),
        }
    }
}

fn row(finding: &Finding) -> [String; 3] {
    let what = match &finding.advice {
        Some(advice) => format!("{} -> {advice}", finding.what),
        None => finding.what.clone(),
    };
    [finding.state.to_string(), finding.topic.to_owned(), what]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn state_of_clock(now: i64, newest: Option<i64>) -> String {
        let mut report = Report::default();
        let newest = newest.map(Timestamp::from_millis);
        clock(Timestamp::from_millis(now), newest, &mut report);
        report.findings[0].state.to_string()
    }

    #[test]
    fn a_clock_that_was_never_set_or_was_set_back_is_found() {
        let now = 1_800_000_000_000;
        assert_eq!(state_of_clock(now, None), "ok");
        assert_eq!(state_of_clock(now, Some(now)), "ok");
        assert_eq!(state_of_clock(now, Some(now + 1)), "fail");
        assert_eq!(state_of_clock(0, None), "fail");
        assert_eq!(state_of_clock(5_000_000_000_000, None), "fail");
    }
}
