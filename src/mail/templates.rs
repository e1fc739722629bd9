//! What mails say. Each kind has a `.txt`, which opens with its `Subject:` line and a blank one, and an
//! `.html`; both are compiled in, and a file of the same name in the `mail.templates` folder replaces either.
//!
//! Every template is rendered once when it is loaded, so a bad one stops the start and not the first mail.

use std::fmt;
use std::fs;
use std::path::Path;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use crate::error::{Error, Result};

/// Declares the kinds of mail: a variant, and the name that its two files and its outbox rows bear.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal,)+) => {
        /// The kinds of mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])+ $kind,)+ }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$kind),+];

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
}

impl Kind {
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What templates may name.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    /// The link that the mail is about.
    pub link: &'a str,
    /// How long the link is good.
    pub expires_in_minutes: u64,
    /// What the service is called.
    pub service_name: &'a str,
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
            templates.render(kind, &SAMPLE)?;
        }
        Ok(templates)
    }

    /// The words of one mail.
    pub fn render(&self, kind: Kind, variables: &Variables<'_>) -> Result<Rendered> {
        let values = context! {
            link => variables.link,
            expires_in_minutes => variables.expires_in_minutes,
            service_name => variables.service_name,
        };
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
        let (subject, text) = split_subject(&text)
            .ok_or_else(|| unusable(&text_name(kind), "it must open with `Subject: …` and a blank line"))?;
        self.parse(subject_name(kind), subject.to_owned())?;
        self.parse(text_name(kind), text.to_owned())?;
        self.parse(html_name(kind), html)
    }

    fn parse(&mut self, name: String, source: String) -> Result<()> {
        self.environment.add_template_owned(name.clone(), source).map_err(|fault| unusable(&name, fault))
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|fault| unusable(name, fault))
    }
}

const SAMPLE: Variables<'static> = Variables {
    link: "https://service.example/passwords/sample/edit",
    expires_in_minutes: 15,
    service_name: "Cloakroom",
};

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
            return Err(unusable(&name, "no mail is called so"));
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
