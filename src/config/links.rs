//! `[links]`: where the links in mails lead.
//!
//! # Threats
//! - tokens in the logs of servers and proxies: the defaults have them in the fragment, which a browser does not send;
//!   production warns of others
//! - links that a mail program runs: schemes such as `javascript:` are refused
//! - tokens in host names, which resolvers see: refused

use std::fmt;
use std::str::FromStr;

use url::{Position, Url};

use super::declare::section;
use super::problems::Problems;
use super::server::is_this_machine;
use super::values::written_as_text;
use super::{Environment, Server};
use crate::domain::mail_kind::LinkPurpose;

const TOKEN: &str = "{token}";
const FRONTEND_URL: &str = "{frontend_url}";
/// Stands for a token in checks; in lower case, as parsing writes a host.
const SAMPLE: &str = "sample-token";
/// What a browser or mail program acts on by itself.
pub(super) const UNSAFE_SCHEMES: [&str; 7] = [
    "javascript",
    "vbscript",
    "data",
    "blob",
    "file",
    "about",
    "mailto",
];

section! {
    /// Where the links in mails lead. `{token}` is the token of the link, `{frontend_url}` is `server.frontend_url`. An app
    /// link is possible: `myapp://passwords/edit#{token}`.
    Links {
        /// The page that sets a new password. The token is behind `#`, because a browser sends no server what follows it.
        password_reset: LinkTemplate = "{frontend_url}/passwords/edit#{token}",
        /// The page that verifies an email address.
        email_verification: LinkTemplate = "{frontend_url}/confirmations#{token}",
        /// The page that unlocks sign-in.
        unlock: LinkTemplate = "{frontend_url}/unlocks#{token}",
        /// The page that signs in by a mailed link, or shows the code of its mail.
        mail_code: LinkTemplate = "{frontend_url}/session/code#{token}",
        /// The page that links an account at another provider.
        identity_link: LinkTemplate = "{frontend_url}/sign-in/link#{token}",
    }
}

impl Links {
    /// The link for this purpose.
    pub(super) fn url(&self, purpose: LinkPurpose, server: &Server, token: &str) -> String {
        let template = match purpose {
            LinkPurpose::Reset => &self.password_reset,
            LinkPurpose::Confirmation | LinkPurpose::AddressChange => &self.email_verification,
            LinkPurpose::Unlock => &self.unlock,
            LinkPurpose::MailCode => &self.mail_code,
            LinkPurpose::IdentityLink => &self.identity_link,
        };
        template.fill(&server.frontend_url, token)
    }

    pub(super) fn check(&self, env: Environment, problems: &mut Problems) {
        for (key, template) in self.entries() {
            if let Some(refusal) = template.refusal(env) {
                problems.refuse(key, refusal);
            }
        }
    }

    /// The keys of the links whose token gets into the logs of web servers.
    pub(super) fn logged(&self) -> impl Iterator<Item = &'static str> {
        let logged = self.entries().map(|(key, template)| {
            let url = template.sample()?;
            let is_sent = url[..Position::AfterQuery].contains(SAMPLE);
            (is_web(&url) && is_sent).then_some(key)
        });
        logged.into_iter().flatten()
    }

    fn entries(&self) -> [(&'static str, &LinkTemplate); 5] {
        [
            ("links.password_reset", &self.password_reset),
            ("links.email_verification", &self.email_verification),
            ("links.unlock", &self.unlock),
            ("links.mail_code", &self.mail_code),
            ("links.identity_link", &self.identity_link),
        ]
    }
}

/// A URL with `{token}` once, which may start with `{frontend_url}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    fn fill(&self, frontend_url: &Url, token: &str) -> String {
        let base = frontend_url.as_str().trim_end_matches('/');
        self.0.replace(FRONTEND_URL, base).replace(TOKEN, token)
    }

    /// The link with [`SAMPLE`], and a base that is not the template's fault; `None` if it is no URL.
    fn sample(&self) -> Option<Url> {
        let base = Url::parse("https://frontend.example").ok()?;
        Url::parse(&self.fill(&base, SAMPLE)).ok()
    }

    /// What it must be, where the URL that it makes does not do.
    fn refusal(&self, env: Environment) -> Option<&'static str> {
        let Some(url) = self.sample() else {
            return Some(
                r#"must be a whole URL, such as "{frontend_url}/page#{token}" or "myapp://page#{token}""#,
            );
        };
        if UNSAFE_SCHEMES.contains(&url.scheme()) {
            Some("must begin with {frontend_url}, https:// or the scheme of an app")
        } else if url[..Position::BeforePath].contains(SAMPLE) {
            Some("must have {token} behind the host")
        } else if !url.username().is_empty() || url.password().is_some() {
            Some("must not contain a user name or password")
        } else if env == Environment::Production && url.scheme() == "http" && !is_this_machine(&url)
        {
            Some("must begin with https:// in production; http:// only does for localhost")
        } else {
            None
        }
    }
}

impl FromStr for LinkTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // In another script, or with a space, a mail program would end the link early.
        let is_in_links = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\');
        if !text.chars().all(is_in_links) {
            return Err("must be a URL in ASCII, without spaces".to_owned());
        }
        if text.matches(TOKEN).count() != 1 {
            return Err("must contain {token} once".to_owned());
        }
        let rest = text.strip_prefix(FRONTEND_URL).unwrap_or(text);
        if rest.replace(TOKEN, "").contains(['{', '}']) {
            return Err(
                "must contain no other placeholders than {token} and, at its start, {frontend_url}"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LinkTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

written_as_text!(LinkTemplate);

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}
