//! What mails say. Each kind has a `.txt`, which opens with its `Subject:` line and a blank one, and an
//! `.html`; both are compiled in, and a file of the same name in the `mail.templates` folder replaces either.
//!
//! Every template is rendered once when it is loaded, so a bad one stops the start and not the first mail.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// Declares the kinds of mail: a variant, and the name that its two files and its outbox rows bear.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal,)+) => {
        /// The kinds of mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])+ $kind,)+ }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in the outbox and of the templates.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// The compiled-in `.txt` and `.html`.
            fn sources(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$kind => (
                        include_str!(concat!("templates/", $name, ".txt")),
                        include_str!(concat!("templates/", $name, ".html")),
                    )),+
                }
            }
        }
    };
}

kinds! {
    /// The link with which a forgotten password is replaced.
    PasswordReset = "password_reset",
    /// The link that proves a new account's address.
    Confirmation = "confirmation",
    /// To whom signs up again: the way back in, which is a reset link.
    AlreadyRegistered = "already_registered",
    /// To an address that a user asked for: the link that makes it theirs.
    AddressChange = "address_change",
    /// The link that opens sign-in again after too many failures.
    Unlock = "unlock",
    /// A sign-in from a device that the account has not seen.
    NewDevice = "new_device",
    /// The password was changed or reset.
    PasswordChanged = "password_changed",
    /// To the old address: another one was asked for.
    AddressChangeAsked = "address_change_asked",
    /// To the old address: another one has taken its place.
    AddressChanged = "address_changed",
    /// The account is gone.
    AccountDeleted = "account_deleted",
    /// A refresh token was used twice, which ended its session.
    RefreshReused = "refresh_reused",
    /// An API key was made.
    ApiKeyCreated = "api_key_created",
}

impl Kind {
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether it tells of something that was done, and holds no link.
    pub fn is_notice(self) -> bool {
        match self {
            Self::PasswordReset
            | Self::Confirmation
            | Self::AlreadyRegistered
            | Self::AddressChange
            | Self::Unlock => false,
            Self::NewDevice
            | Self::PasswordChanged
            | Self::AddressChangeAsked
            | Self::AddressChanged
            | Self::AccountDeleted
            | Self::RefreshReused
            | Self::ApiKeyCreated => true,
        }
    }

    /// Whether its link lives for hours, and not for minutes.
    fn lasts_for_hours(self) -> bool {
        matches!(self, Self::Confirmation | Self::AddressChange)
    }
}

/// What templates may name. What is `None` they may not: then the mail fails, and has failed at the start.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// What the service is called.
    pub service_name: &'a str,
    /// The link that the mail is about.
    pub link: Option<Link<'a>>,
    /// What the mail tells of.
    pub event: Option<Event<'a>>,
}

/// `link`, and `expires_in_minutes` or, where it lives longer, `expires_in` with its unit: "24 hours".
#[derive(Clone, Copy)]
pub struct Link<'a> {
    /// Where it leads.
    pub url: &'a str,
    /// How long it is good.
    pub expires_in: Duration,
}

/// `at`, `ip_address`, `user_agent` and, of a new API key, `last_four`.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// When it was done.
    pub at: Timestamp,
    /// From where.
    pub ip_address: &'a str,
    /// With which program, if it said so.
    pub user_agent: Option<&'a str>,
    /// The last characters of the key that it is about, or nothing where that is gone by now.
    pub last_four: Option<&'a str>,
}

/// A mail's words. Its `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For readers of plain text.
    pub text: String,
    /// For the others.
    pub html: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").finish_non_exhaustive()
    }
}

/// The templates of all kinds, known to render.
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Takes each template from `folder` if it is there, else the compiled-in one, and tries them all.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            refuse_strangers(folder)?;
        }

        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });

        let mut templates = Self { environment };
        for &kind in Kind::ALL {
            templates.add(kind, folder)?;
            templates.render(kind, &sample(kind))?;
        }
        Ok(templates)
    }

    /// The words of one mail.
    pub fn render(&self, kind: Kind, variables: &Variables<'_>) -> Result<Rendered> {
        let values = values(kind, variables);
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

    fn add(&mut self, kind: Kind, folder: Option<&Path>) -> Result<()> {
        let (text, html) = kind.sources();
        let text = override_or(folder, &text_name(kind), text)?;
        let html = override_or(folder, &html_name(kind), html)?;
        let (subject, text) = split_subject(&text).ok_or_else(|| {
            unusable(
                &text_name(kind),
                "it must open with `Subject: …` and a blank line",
            )
        })?;
        self.parse(subject_name(kind), subject.to_owned())?;
        self.parse(text_name(kind), text.to_owned())?;
        self.parse(html_name(kind), html)
    }

    fn parse(&mut self, name: String, source: String) -> Result<()> {
        self.environment
            .add_template_owned(name.clone(), source)
            .map_err(|fault| unusable(&name, fault))
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|fault| unusable(name, fault))
    }
}

/// Only what is there: with a strict environment a template that names anything else cannot be rendered.
fn values(kind: Kind, variables: &Variables<'_>) -> Value {
    let mut values = BTreeMap::from([("service_name", Value::from(variables.service_name))]);
    if let Some(Link { url, expires_in }) = variables.link {
        let minutes = expires_in.as_secs().div_ceil(60);
        values.insert("link", url.into());
        match kind.lasts_for_hours() {
            true => values.insert("expires_in", in_words(minutes).into()),
            false => values.insert("expires_in_minutes", minutes.into()),
        };
    }
    if let Some(Event {
        at,
        ip_address,
        user_agent,
        last_four,
    }) = variables.event
    {
        values.insert("at", date_and_time(at).into());
        values.insert("ip_address", ip_address.into());
        values.insert(
            "user_agent",
            user_agent.unwrap_or("an unknown program").into(),
        );
        if let Some(last_four) = last_four {
            values.insert("last_four", last_four.into());
        }
    }
    Value::from(values)
}

/// `24 hours`, to the nearest; the last hour in minutes.
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

fn sample(kind: Kind) -> Variables<'static> {
    let link = Link {
        url: "https://service.example/passwords/sample/edit",
        expires_in: Duration::from_secs(900),
    };
    let event = Event {
        at: Timestamp::from_millis(0),
        ip_address: "192.0.2.1",
        user_agent: Some("Browser/1.0"),
        last_four: (kind == Kind::ApiKeyCreated).then_some("Zz09"),
    };
    Variables {
        service_name: "Cloakroom",
        link: (!kind.is_notice()).then_some(link),
        event: kind.is_notice().then_some(event),
    }
}

fn text_name(kind: Kind) -> String {
    format!("{}.txt", kind.as_str())
}

fn html_name(kind: Kind) -> String {
    format!("{}.html", kind.as_str())
}

fn subject_name(kind: Kind) -> String {
    format!("{}.txt, subject", kind.as_str())
}

/// A misspelt override would silently leave the compiled-in text in place.
fn refuse_strangers(folder: &Path) -> Result<()> {
    let unreadable = |fault| unusable(&folder.display().to_string(), fault);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        let known = |&kind: &Kind| name == text_name(kind) || name == html_name(kind);
        if (name.ends_with(".txt") || name.ends_with(".html")) && !Kind::ALL.iter().any(known) {
            return Err(unusable(&name, "no mail has this name"));
        }
    }
    Ok(())
}

fn override_or(folder: Option<&Path>, name: &str, built_in: &str) -> Result<String> {
    let source = match folder.map(|folder| fs::read_to_string(folder.join(name))) {
        None => built_in.to_owned(),
        Some(Ok(source)) => source,
        Some(Err(fault)) if fault.kind() == std::io::ErrorKind::NotFound => built_in.to_owned(),
        Some(Err(fault)) => return Err(unusable(name, fault)),
    };
    Ok(source.replace("\r\n", "\n"))
}

fn split_subject(source: &str) -> Option<(&str, &str)> {
    let (first, rest) = source.split_once('\n')?;
    Some((first.strip_prefix("Subject: ")?, rest.strip_prefix('\n')?))
}

fn unusable(name: &str, fault: impl fmt::Display) -> Error {
    Error::internal(format!("the mail template {name} cannot be used: {fault}"))
}
