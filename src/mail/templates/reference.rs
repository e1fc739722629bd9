//! `docs/reference/mails.md`: generated from the kinds, their variables and the built-in texts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{sample, values};
use crate::config::generated_file::assert_up_to_date;
use crate::domain::mail_kind::{LinkPurpose, MailKind};

const PAGE: &str = "docs/reference/mails.md";

const HEAD: &str = "\
# Mails

Every kind of mail with its variables and its built-in text. This page is generated from `src/domain/mail_kind.rs` and
`src/mail/templates`. [Mails](../guides/mails.md) shows how to change the texts.

A kind has two templates: `KIND.txt`, which starts with its `Subject: …` line and a blank line, and `KIND.html`. A folder in
`mail.templates` that is named by a language tag (`de`, `pt-BR`) has both of every kind.

## Variables

Every template has `name` and `service_name`; each kind below lists the others. Templates that name another variable stop the
start.

| variable | meaning |
|---|---|
";

const VARIABLES: &[(&str, &str)] = &[
    (
        "at",
        "when it happened, in English: \"31 January 2026, 09:30 UTC\"",
    ),
    (
        "code",
        "the digits that the user types in; they are valid as long as the link",
    ),
    ("date", "the same day, for other languages: \"2026-01-31\""),
    (
        "expires_at",
        "when the API key expires, written like `at`; empty if it does not expire or was deleted meanwhile",
    ),
    (
        "expires_in_hours",
        "how long the link is valid, a number, rounded",
    ),
    ("expires_in_minutes", "the same in minutes"),
    ("expires_on", "the same day: \"2027-01-31\""),
    (
        "ip_address",
        "of the client; empty if an operator made the change",
    ),
    (
        "last_four",
        "the last characters of the API key; empty if it was deleted meanwhile",
    ),
    ("link", "the URL, from the setting in `links`"),
    (
        "name",
        "the recipient's name; empty if the user has none, or if the mail does not go to the account's own, verified address",
    ),
    (
        "provider",
        "the name of the other provider, from its settings",
    ),
    ("service_name", "`mail.service_name`"),
    ("time", "the time in UTC: \"09:30\""),
    (
        "user_agent",
        "of the client, at most 120 ASCII characters; empty if it is unknown or the address is not verified",
    ),
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (name, meaning) in VARIABLES {
        writeln!(page, "| `{name}` | {meaning} |").unwrap();
    }
    for &kind in MailKind::ALL {
        let about: Vec<_> = kind.doc().iter().map(|line| line.trim()).collect();
        let own: Vec<String> = names(kind)
            .filter(|name| !["name", "service_name"].contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        let setting = match kind.link() {
            Some(LinkPurpose::Reset) => "Link: `links.password_reset`.".to_owned(),
            Some(LinkPurpose::Confirmation | LinkPurpose::AddressChange) => {
                "Link: `links.email_verification`.".to_owned()
            }
            Some(LinkPurpose::Unlock) => "Link: `links.unlock`.".to_owned(),
            Some(LinkPurpose::MailCode) => "Link: `links.mail_code`.".to_owned(),
            Some(LinkPurpose::IdentityLink) => "Link: `links.identity_link`.".to_owned(),
            None => format!("A notice: `notices.{}` disables it.", kind.as_str()),
        };
        write!(
            page,
            "\n## `{}`\n\n{} {setting}\n\nVariables: {}.\n\n```jinja\n{}```\n",
            kind.as_str(),
            about.join(" "),
            own.join(", "),
            kind.sources().0
        )
        .unwrap();
    }
    page
}

fn names(kind: MailKind) -> impl Iterator<Item = &'static str> {
    values(kind, &sample(kind)).into_keys()
}

/// `UPDATE=1 cargo test --lib mail` writes the page.
#[test]
fn the_reference_of_mails_is_up_to_date() {
    assert_up_to_date(PAGE, &page());
}

#[test]
fn the_reference_explains_every_variable() {
    let explained: BTreeSet<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    let used: BTreeSet<&str> = MailKind::ALL.iter().copied().flat_map(names).collect();
    assert_eq!(explained, used);
}
