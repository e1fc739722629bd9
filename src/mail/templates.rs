//! The texts of mails. Each kind has a `.txt`, which starts with its `Subject:` line and a blank line, and an `.html`;
//! both are compiled in, and a file of the same name in the `mail.templates` folder replaces either.
//!
//! Every template is rendered when it is loaded, with and without a name, so a broken one stops the start and not the
//! first mail. `docs/guides/mail.md` lists the variables.
//!
//! # Threats
//! - text of an attacker in another person's mailbox: `name` is set only for the account's own, verified address

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;

/// What templates may name. A template that names a value which is `None` fails, and failed at the start.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// The name of the service.
    pub service_name: &'a str,
    /// `name`: the recipient's; the empty string where it is not known.
    pub name: Option<&'a str>,
    /// The link that the mail is about.
    pub link: Option<Link<'a>>,
    /// What the mail reports.
    pub event: Option<Event<'a>>,
}

/// `link`, and `expires_in_minutes` or, where it lives longer, `expires_in` with its unit: "24 hours".
#[derive(Clone, Copy)]
pub struct Link<'a> {
    /// The URL.
    pub url: &'a str,
    /// How long it is valid.
    pub expires_in: Duration,
}

/// `at`, `ip_address`, `user_agent` and, where the kind is about an API key, those of [`KeyFacts`].
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// When it happened.
    pub at: Timestamp,
    /// The client's address; `None` if an operator made the change.
    pub ip_address: Option<&'a str>,
    /// The client's `User-Agent`, if there is one.
    pub user_agent: Option<&'a str>,
    /// The API key that it is about, unless the key was deleted meanwhile.
    pub api_key: Option<KeyFacts<'a>>,
}

/// `last_four` and `expires_at` of an API key.
#[derive(Clone, Copy)]
pub struct KeyFacts<'a> {
    /// Its last characters.
    pub last_four: &'a str,
    /// When it expires; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// The texts of one mail. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").finish_non_exhaustive()
    }
}

/// The templates of all kinds, each rendered once as a check.
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Loads each template from `folder`, or the built-in one where the folder has none, and renders all of them.
    ///
    /// # Errors
    /// A template cannot be read or rendered, or a file in the folder is named like no template.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            refuse_unknown_files(folder)?;
        }

        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });

        let mut templates = Self { environment };
        for &kind in MailKind::ALL {
            templates.add(kind, folder)?;
            for name in [Some("Ada"), None] {
                let sample = Variables {
                    name,
                    ..sample(kind)
                };
                templates.render(kind, &sample).map_err(|error| {
                    Error::internal(format!("{error} (variables: {})", variable_names(kind)))
                })?;
            }
        }
        Ok(templates)
    }

    /// The texts of one mail.
    pub fn render(&self, kind: MailKind, variables: &Variables<'_>) -> Result<Rendered> {
        let values = Value::from(values(kind, variables));
        let text_name = text_name(kind);
        let subject = self.fill(&subject_name(kind), &values)?.trim().to_owned();
        if subject.is_empty() || subject.contains(char::is_control) {
            return Err(unusable(&text_name, "the subject must be one line of text"));
        }
        Ok(Rendered {
            subject,
            text: self.fill(&text_name, &values)?,
            html: self.fill(&html_name(kind), &values)?,
        })
    }

    fn add(&mut self, kind: MailKind, folder: Option<&Path>) -> Result<()> {
        let (text, html) = kind.sources();
        let text = override_or(folder, &text_name(kind), text)?;
        let html = override_or(folder, &html_name(kind), html)?;
        let (subject, text) = split_subject(&text).ok_or_else(|| {
            unusable(
                &text_name(kind),
                "it must open with `Subject: …` and a blank line",
            )
        })?;
        self.parse(&subject_name(kind), subject.to_owned())?;
        self.parse(&text_name(kind), text.to_owned())?;
        self.parse(&html_name(kind), html)
    }

    fn parse(&mut self, name: &str, source: String) -> Result<()> {
        self.environment
            .add_template_owned(name.to_owned(), source)
            .map_err(|error| unusable(name, error))
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|error| unusable(name, error))
    }
}

/// The variables that the templates of a kind may name, separated by commas.
pub fn variable_names(kind: MailKind) -> String {
    let names: Vec<&str> = values(kind, &sample(kind)).into_keys().collect();
    names.join(", ")
}

/// Only the values that exist: the environment is strict, so a template that names another one fails.
fn values(kind: MailKind, variables: &Variables<'_>) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::from([
        ("service_name", Value::from(variables.service_name)),
        ("name", Value::from(variables.name.unwrap_or_default())),
    ]);
    if let Some(Link { url, expires_in }) = variables.link {
        let minutes = expires_in.as_secs().div_ceil(60);
        values.insert("link", url.into());
        match lasts_for_hours(kind) {
            true => values.insert("expires_in", in_words(minutes).into()),
            false => values.insert("expires_in_minutes", minutes.into()),
        };
    }
    if let Some(Event {
        at,
        ip_address,
        user_agent,
        api_key,
    }) = variables.event
    {
        values.insert("at", date_and_time(at).into());
        values.insert("ip_address", ip_address.unwrap_or_default().into());
        values.insert(
            "user_agent",
            user_agent.unwrap_or("an unknown program").into(),
        );
        if kind.names_api_key() {
            let last_four = api_key.map_or("", |key| key.last_four);
            let expires_at = api_key.and_then(|key| key.expires_at);
            values.insert("last_four", last_four.into());
            values.insert(
                "expires_at",
                expires_at.map(date_and_time).unwrap_or_default().into(),
            );
        }
    }
    values
}

/// Whether the link's lifetime is counted in hours, not in minutes.
fn lasts_for_hours(kind: MailKind) -> bool {
    kind.lifetime()
        .is_some_and(|lifetime| lifetime >= Duration::from_secs(3600))
}

/// `24 hours`, to the nearest; below an hour in minutes.
fn in_words(minutes: u64) -> String {
    let (count, unit) = match minutes {
        ..60 => (minutes, "minute"),
        _ => ((minutes + 30) / 60, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `31 January 2026, 09:30 UTC`: the server does not know where the reader is.
fn date_and_time(at: Timestamp) -> String {
    let at = at.to_utc();
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

fn sample(kind: MailKind) -> Variables<'static> {
    let link = Link {
        url: "https://service.example/passwords/edit#sample",
        expires_in: Duration::from_secs(900),
    };
    let event = Event {
        at: Timestamp::from_millis(0),
        ip_address: Some("192.0.2.1"),
        user_agent: Some("Browser/1.0"),
        api_key: kind.names_api_key().then_some(KeyFacts {
            last_four: "Zz09",
            expires_at: Some(Timestamp::from_millis(0)),
        }),
    };
    Variables {
        service_name: "Cloakroom",
        name: None,
        link: (!kind.is_notice()).then_some(link),
        event: kind.is_notice().then_some(event),
    }
}

fn text_name(kind: MailKind) -> String {
    format!("{}.txt", kind.as_str())
}

fn html_name(kind: MailKind) -> String {
    format!("{}.html", kind.as_str())
}

fn subject_name(kind: MailKind) -> String {
    format!("{}.txt, subject", kind.as_str())
}

/// A misspelt file name would silently leave the built-in text in place.
fn refuse_unknown_files(folder: &Path) -> Result<()> {
    let unreadable = |error| unusable(&folder.display().to_string(), error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        let known = |&kind: &MailKind| name == text_name(kind) || name == html_name(kind);
        if (name.ends_with(".txt") || name.ends_with(".html")) && !MailKind::ALL.iter().any(known) {
            return Err(unusable(&name, "no kind of mail has this name"));
        }
    }
    Ok(())
}

fn override_or(folder: Option<&Path>, name: &str, built_in: &str) -> Result<String> {
    let source = match folder.map(|folder| fs::read_to_string(folder.join(name))) {
        None => built_in.to_owned(),
        Some(Ok(source)) => source,
        Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => built_in.to_owned(),
        Some(Err(error)) => return Err(unusable(name, error)),
    };
    Ok(source.replace("\r\n", "\n"))
}

fn split_subject(source: &str) -> Option<(&str, &str)> {
    let (first, rest) = source.split_once('\n')?;
    Some((first.strip_prefix("Subject: ")?, rest.strip_prefix('\n')?))
}

fn unusable(name: &str, error: impl fmt::Display) -> Error {
    Error::internal(format!("the mail template {name} cannot be used: {error}"))
}
