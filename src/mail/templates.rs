//! The texts of mails. Each kind has a `.txt`, which starts with its `Subject:` line and a blank line, and an `.html`;
//! both are compiled in, in English, and a file of the same name in the `mail.templates` folder replaces either. A
//! folder in it that is named by a language tag (`pt-BR`) has the texts of that language.
//!
//! Every template is checked and rendered when it is loaded, so a broken one stops the start and not the first mail.
//! `docs/reference/mails.md`, which is generated, lists the kinds and their variables.
//!
//! # Threats
//! - text of an attacker in another person's mailbox: `name` is set only for the account's own, verified address

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::domain::Locale;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::mail_kind::MailKind;

/// What templates may name.
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

/// `link`, `expires_in_minutes`, `expires_in_hours` and, where the kind has them, `code` and `provider`.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    /// The URL.
    pub url: &'a str,
    /// How long it is valid.
    pub expires_in: Duration,
    /// The code that does the same.
    pub code: Option<&'a str>,
    /// The name of the provider.
    pub provider: Option<&'a str>,
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
    /// Those of the folder, besides English.
    languages: Vec<Locale>,
}

impl Templates {
    /// Loads each template from `folder`, or the built-in one where the folder has none, and the languages of the folder.
    /// Renders all of them.
    ///
    /// # Errors
    /// A template cannot be read or rendered, a language lacks one, or a file or folder in `folder` has another name.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });

        let mut templates = Self {
            environment,
            languages: match folder {
                Some(folder) => languages_in(folder)?,
                None => Vec::new(),
            },
        };
        templates.add_all(None, folder)?;
        for language in &templates.languages.clone() {
            templates.add_all(Some(language), folder)?;
        }
        Ok(templates)
    }

    /// The languages besides English.
    pub fn languages(&self) -> &[Locale] {
        &self.languages
    }

    /// The texts of one mail, in this language if there are texts in it.
    pub fn render(
        &self,
        kind: MailKind,
        locale: Option<&Locale>,
        variables: &Variables<'_>,
    ) -> Result<Rendered> {
        let language = locale.and_then(|locale| locale.lookup(&self.languages));
        let values = Value::from(values(kind, variables));
        let Names {
            subject,
            text,
            html,
        } = Names::of(kind, language);
        let text_name = &text;
        let subject = self.fill(&subject, &values)?.trim().to_owned();
        if subject.is_empty() || subject.contains(char::is_control) {
            let reason = "the subject must be one line of text";
            return Err(unusable(text_name, Some(1), reason));
        }
        Ok(Rendered {
            subject,
            text: self.fill(&text, &values)?,
            html: self.fill(&html, &values)?,
        })
    }

    /// The templates of a language; `None` is English, which the built-in ones complete.
    fn add_all(&mut self, language: Option<&Locale>, folder: Option<&Path>) -> Result<()> {
        for &kind in MailKind::ALL {
            self.add(kind, language, folder)?;
            self.render(kind, language, &sample(kind))?;
            self.render(kind, language, &sparse_sample(kind))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        kind: MailKind,
        language: Option<&Locale>,
        folder: Option<&Path>,
    ) -> Result<()> {
        let names = Names::of(kind, language);
        let (text, html) = kind.sources();
        let built_in = |source| language.is_none().then_some(source);
        let text = read(folder, &names.text, built_in(text))?;
        let html = read(folder, &names.html, built_in(html))?;
        let (subject, text) = split_subject(&text).ok_or_else(|| {
            let reason = "it must open with `Subject: …` and a blank line";
            unusable(&names.text, Some(1), reason)
        })?;
        self.parse(kind, &names.subject, subject)?;
        self.parse(kind, &names.text, text)?;
        self.parse(kind, &names.html, &html)
    }

    /// Rendering would find an unknown variable only where a sample leads to it.
    fn parse(&mut self, kind: MailKind, name: &str, source: &str) -> Result<()> {
        self.environment
            .add_template_owned(name.to_owned(), source.to_owned())
            .map_err(|error| fault_in(name, &error))?;
        let template = self.environment.get_template(name);
        let mut named: Vec<String> = template
            .map_err(|error| fault_in(name, &error))?
            .undeclared_variables(false)
            .into_iter()
            .collect();
        named.sort();
        let known = values(kind, &sample(kind));
        let is_known = |name: &str| {
            known.contains_key(name) || self.environment.globals().any(|(global, _)| global == name)
        };
        match named.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(unknown) => {
                let line = line_with(source, unknown).map(|line| line + lines_before(name));
                let known: Vec<&str> = known.into_keys().collect();
                let known = known.join(", ");
                let reason = format!("there is no variable `{unknown}` (variables: {known})");
                Err(unusable(name, line, reason))
            }
        }
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|error| fault_in(name, &error))
    }
}

/// All that the kind has; a template that names another variable cannot be loaded.
fn values(kind: MailKind, variables: &Variables<'_>) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::from([
        ("service_name", Value::from(variables.service_name)),
        ("name", Value::from(variables.name.unwrap_or_default())),
    ]);
    if let Some(Link {
        url,
        expires_in,
        code,
        provider,
    }) = variables.link
    {
        let minutes = expires_in.as_secs().div_ceil(60);
        values.insert("link", url.into());
        if kind.names_provider() {
            values.insert("provider", provider.unwrap_or_default().into());
        }
        if kind.has_code() {
            values.insert("code", code.unwrap_or_default().into());
        }
        values.insert("expires_in_minutes", minutes.into());
        values.insert("expires_in_hours", ((minutes + 30) / 60).into());
    }
    if let Some(Event {
        at,
        ip_address,
        user_agent,
        api_key,
    }) = variables.event
    {
        values.insert("at", date_and_time(at).into());
        values.insert("date", date(at).into());
        values.insert("time", at.to_utc().format("%H:%M").to_string().into());
        values.insert("ip_address", ip_address.unwrap_or_default().into());
        values.insert("user_agent", user_agent.unwrap_or_default().into());
        if kind.names_api_key() {
            let last_four = api_key.map_or("", |key| key.last_four);
            let expires_at = api_key.and_then(|key| key.expires_at);
            values.insert("last_four", last_four.into());
            values.insert(
                "expires_at",
                expires_at.map(date_and_time).unwrap_or_default().into(),
            );
            values.insert(
                "expires_on",
                expires_at.map(date).unwrap_or_default().into(),
            );
        }
    }
    values
}

/// `31 January 2026, 09:30 UTC`: the server does not know where the reader is.
fn date_and_time(at: Timestamp) -> String {
    let at = at.to_utc();
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// `2026-01-31`, in UTC, which every language reads.
fn date(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d").to_string()
}

fn sample(kind: MailKind) -> Variables<'static> {
    let link = Link {
        url: "https://service.example/passwords/edit#sample",
        expires_in: Duration::from_secs(900),
        code: kind.has_code().then_some("01234567"),
        provider: kind.names_provider().then_some("Acme"),
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
        name: Some("Ada"),
        link: (!kind.is_notice()).then_some(link),
        event: kind.is_notice().then_some(event),
    }
}

/// What may be missing is missing, and what is a number is 1.
fn sparse_sample(kind: MailKind) -> Variables<'static> {
    let Variables { link, event, .. } = sample(kind);
    Variables {
        service_name: "Cloakroom",
        name: None,
        link: link.map(|link| Link {
            expires_in: Duration::from_secs(60),
            ..link
        }),
        event: event.map(|event| Event {
            ip_address: None,
            user_agent: None,
            api_key: None,
            ..event
        }),
    }
}

/// The names of a kind's templates: the paths of their files in the folder.
struct Names {
    subject: String,
    text: String,
    html: String,
}

impl Names {
    fn of(kind: MailKind, language: Option<&Locale>) -> Self {
        let folder = language.map_or_else(String::new, |language| format!("{language}/"));
        let kind = kind.as_str();
        Self {
            subject: format!("{folder}{kind}.txt, subject"),
            text: format!("{folder}{kind}.txt"),
            html: format!("{folder}{kind}.html"),
        }
    }
}

/// The languages that have a folder here.
fn languages_in(folder: &Path) -> Result<Vec<Locale>> {
    let mut languages = Vec::new();
    for (name, is_folder) in entries(folder, None)? {
        if is_folder && !name.starts_with('.') {
            let language = Locale::parse(&name).filter(|locale| locale.as_str() == name);
            let reason = "a folder must be named by a language, such as `de` or `pt-BR`";
            languages.push(language.ok_or_else(|| unusable(&name, None, reason))?);
        }
    }
    for language in &languages {
        entries(&folder.join(language.as_str()), Some(language))?;
    }
    Ok(languages)
}

/// The names in a folder, and whether each is a folder. A misspelt file name would silently leave another text in place.
fn entries(folder: &Path, language: Option<&Locale>) -> Result<Vec<(String, bool)>> {
    let unreadable = |error| unusable(&folder.display().to_string(), None, error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.path().is_dir();
        let is_known = |&kind: &MailKind| {
            let names = Names::of(kind, None);
            name == names.text || name == names.html
        };
        let is_template = !is_folder && (name.ends_with(".txt") || name.ends_with(".html"));
        if is_template && !MailKind::ALL.iter().any(is_known) {
            let place = language.map_or_else(String::new, |language| format!("{language}/"));
            let reason = "no kind of mail has this name";
            return Err(unusable(&format!("{place}{name}"), None, reason));
        }
        entries.push((name, is_folder));
    }
    Ok(entries)
}

/// A file of the folder, or what replaces a missing one.
fn read(folder: Option<&Path>, name: &str, built_in: Option<&str>) -> Result<String> {
    let found = folder.map(|folder| fs::read_to_string(folder.join(name)));
    let source = match (found, built_in) {
        (None, built_in) => built_in.unwrap_or_default().to_owned(),
        (Some(Ok(source)), _) => source,
        (Some(Err(error)), Some(built_in)) if error.kind() == io::ErrorKind::NotFound => {
            built_in.to_owned()
        }
        (Some(Err(error)), None) if error.kind() == io::ErrorKind::NotFound => {
            let reason = "the file is missing, and a language needs every kind of mail";
            return Err(unusable(name, None, reason));
        }
        (Some(Err(error)), _) => return Err(unusable(name, None, error)),
    };
    Ok(source.replace("\r\n", "\n"))
}

fn split_subject(source: &str) -> Option<(&str, &str)> {
    let (first, rest) = source.split_once('\n')?;
    Some((first.strip_prefix("Subject: ")?, rest.strip_prefix('\n')?))
}

/// The lines of the file before the template: the text stands below the subject and a blank line.
fn lines_before(name: &str) -> usize {
    if name.ends_with(".txt") { 2 } else { 0 }
}

/// The first line that has this word, from 1.
fn line_with(source: &str, word: &str) -> Option<usize> {
    let is_separator = |c: char| !c.is_alphanumeric() && c != '_';
    let has_word = |line: &str| line.split(is_separator).any(|part| part == word);
    source.lines().position(has_word).map(|line| line + 1)
}

fn fault_in(name: &str, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| line + lines_before(name));
    let kind = error.kind();
    match error.detail() {
        Some(detail) => unusable(name, line, format!("{kind}: {detail}")),
        None => unusable(name, line, kind),
    }
}

/// `line` counts from 1, in the file.
fn unusable(name: &str, line: Option<usize>, reason: impl fmt::Display) -> Error {
    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
    Error::internal(format!(
        "the mail template {name}{line} cannot be used: {reason}"
    ))
}

#[cfg(test)]
mod reference;
