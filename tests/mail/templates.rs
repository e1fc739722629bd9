//! What mails say, and who may say it otherwise.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cloakroom::domain::mail_kind::MailKind;
use cloakroom::mail::Templates;
use cloakroom::mail::templates::{Event, KeyFacts, Link, Rendered, Variables};

use super::{AT, LINK};

fn with_link(service_name: &str, expires_in: Duration) -> Variables<'_> {
    Variables {
        service_name,
        name: None,
        link: Some(Link {
            url: LINK,
            expires_in,
            code: Some("01234567"),
            provider: Some("Acme"),
        }),
        event: None,
    }
}

fn with_event(user_agent: Option<&str>) -> Variables<'_> {
    let event = Event {
        at: AT,
        ip_address: Some("192.0.2.1"),
        user_agent,
        api_key: Some(KeyFacts {
            last_four: "Zz09",
            expires_at: None,
        }),
    };
    Variables {
        service_name: "Cloakroom",
        name: None,
        link: None,
        event: Some(event),
    }
}

fn render(folder: Option<&Path>, service_name: &str, minutes: u64) -> Rendered {
    let variables = with_link(service_name, Duration::from_secs(60 * minutes));
    Templates::load(folder)
        .unwrap()
        .render(MailKind::PasswordReset, None, &variables)
        .unwrap()
}

/// Every kind, with a name that needs care in HTML.
fn render_all() -> Vec<(MailKind, Rendered)> {
    let templates = Templates::load(None).unwrap();
    let variables = |kind: MailKind| match kind.is_notice() {
        true => with_event(Some("<b>Browser")),
        false => with_link("Cloakroom", Duration::from_secs(900)),
    };
    MailKind::ALL
        .iter()
        .map(|&kind| {
            (
                kind,
                templates.render(kind, None, &variables(kind)).unwrap(),
            )
        })
        .collect()
}

/// The result of loading a folder with this one file.
fn fault_of(name: &str, content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    Templates::load(Some(folder.path()))
        .err()
        .map(|fault| fault.to_string())
        .unwrap_or_default()
}

#[test]
fn a_template_may_name_the_recipient() {
    let folder = tempfile::tempdir().unwrap();
    let source =
        "Subject: Hi\n\n{% if name %}Dear {{ name }}{% else %}Hello{% endif %}, {{ link }}\n";
    fs::write(folder.path().join("password_reset.txt"), source).unwrap();
    let templates = Templates::load(Some(folder.path())).unwrap();
    let text = |name| {
        let variables = Variables {
            name,
            ..with_link("Cloakroom", Duration::from_secs(60))
        };
        templates
            .render(MailKind::PasswordReset, None, &variables)
            .unwrap()
            .text
    };
    assert!(text(Some("Ada <b>")).starts_with("Dear Ada <b>, "));
    assert!(text(None).starts_with("Hello, "));
    let fault = fault_of(
        "password_reset.txt",
        "Subject: Hi\n\n{% if name %}{{ at }}{% endif %}\n",
    );
    assert!(fault.contains("password_reset.txt"), "{fault}");
    assert!(
        fault.contains("expires_in_hours, expires_in_minutes, link, name, service_name"),
        "{fault}"
    );
}

#[test]
fn the_reset_mail_explains_what_to_do() {
    let Rendered {
        subject,
        text,
        html,
    } = render(None, "Cloakroom", 15);
    assert_eq!(subject, "Reset your password");
    assert!(text.starts_with(&format!("You can reset your password here: {LINK}\n")));
    for said in [
        "This link will expire in 15 minutes.",
        "If you did not ask for this, ignore this mail: nothing changes.",
    ] {
        assert!(text.contains(said) && html.contains(said), "{said}");
    }
    assert!(html.contains("lang=\"en\"") && html.contains("<a href="));
    assert!(!html.contains("<img") && !html.contains("src="));
}

#[test]
fn one_minute_is_one_minute() {
    assert!(
        render(None, "Cloakroom", 1)
            .text
            .contains("expire in 1 minute.\n")
    );
}

#[test]
fn every_kind_renders_and_is_signed_with_the_services_name() {
    let rendered = render_all();
    assert_eq!(rendered.len(), 26);
    for (
        kind,
        Rendered {
            subject,
            text,
            html,
        },
    ) in rendered
    {
        assert!(
            html.contains(&format!("<h1 style=\"font-size: 20px\">{subject}</h1>")),
            "{kind:?}: {html}"
        );
        assert!(
            text.trim_end().ends_with("\n\nCloakroom") && html.contains(">Cloakroom</p>"),
            "{kind:?}"
        );
        assert!(!text.contains("{{") && !html.contains("{{"), "{kind:?}");
    }
}

#[test]
fn a_notice_describes_the_event_without_a_link() {
    for (kind, Rendered { text, html, .. }) in render_all() {
        assert_eq!(text.contains("://"), !kind.is_notice(), "{kind:?}: {text}");
        assert_eq!(html.contains("href"), !kind.is_notice(), "{kind:?}: {html}");
        if kind.is_notice() {
            let facts = "When: 31 January 2026, 09:30 UTC\nIP address: 192.0.2.1\nBrowser or app: <b>Browser\n";
            assert!(text.contains(facts), "{kind:?}: {text}");
            assert!(
                html.contains("Browser or app: &lt;b&gt;Browser</p>"),
                "{kind:?}: {html}"
            );
        }
    }
    let templates = Templates::load(None).unwrap();
    let nameless = templates
        .render(MailKind::NewDevice, None, &with_event(None))
        .unwrap();
    assert!(
        nameless
            .text
            .contains("Browser or app: an unknown program\n"),
        "{}",
        nameless.text
    );
}

#[test]
fn a_lifetime_of_a_day_is_written_in_hours() {
    let templates = Templates::load(None).unwrap();
    for (seconds, words) in [
        (86_400, "24 hours"),
        (86_395, "24 hours"),
        (7_200, "2 hours"),
        (3_600, "1 hour"),
        (3_540, "59 minutes"),
        (1, "1 minute"),
    ] {
        for kind in [MailKind::Confirmation, MailKind::AddressChange] {
            let variables = with_link("Cloakroom", Duration::from_secs(seconds));
            let Rendered { text, html, .. } = templates.render(kind, None, &variables).unwrap();
            let said = format!("This link will expire in {words}.");
            assert!(
                text.contains(&said) && html.contains(&said),
                "{said}: {text}"
            );
        }
    }
}

#[test]
fn templates_use_only_variables_of_their_kind() {
    for (name, variable) in [
        ("password_reset.txt", "expires_in"),
        ("password_reset.html", "ip_address"),
        ("confirmation.txt", "at"),
        ("password_changed.txt", "link"),
        ("account_deleted.html", "expires_in"),
    ] {
        let opening = if name.ends_with(".txt") {
            "Subject: Hello\n\n"
        } else {
            ""
        };
        let fault = fault_of(name, &format!("{opening}{{{{ {variable} }}}}"));
        assert!(fault.contains(name), "{variable}: {fault}");
    }
}

#[test]
fn the_service_name_is_escaped_only_in_html() {
    let rendered = render(None, "<b onload=x>Tom & Jerry's", 15);
    assert!(rendered.text.contains("<b onload=x>Tom & Jerry's"));
    assert!(!rendered.html.contains("<b onload"));
    assert!(
        rendered
            .html
            .contains("&lt;b onload=x&gt;Tom &amp; Jerry&#x27;s"),
        "{}",
        rendered.html
    );
}

#[test]
fn an_override_replaces_only_its_template() {
    let folder = tempfile::tempdir().unwrap();
    let template = "Subject: Neues Passwort für {{ service_name }}\r\n\r\nHier: {{ link }}\r\n";
    fs::write(folder.path().join("password_reset.txt"), template).unwrap();
    fs::write(folder.path().join("README.md"), "ours").unwrap();

    let rendered = render(Some(folder.path()), "Garderobe", 15);
    assert_eq!(rendered.subject, "Neues Passwort für Garderobe");
    assert_eq!(rendered.text, format!("Hier: {LINK}"));
    assert_eq!(rendered.html, render(None, "Garderobe", 15).html);
}

#[test]
fn an_invalid_override_stops_the_start_by_name() {
    let good = "Subject: Hello\n\n";
    for (name, content) in [
        ("password_reset.txt", format!("{good}{{{{ lnk }}}}")),
        ("password_reset.txt", format!("{good}{{% if link %}}")),
        ("password_reset.txt", "Hello\n\n{{ link }}".to_owned()),
        (
            "password_reset.txt",
            "Subject: Hello\n{{ link }}".to_owned(),
        ),
        (
            "password_reset.txt",
            "Subject: {{ subject }}\n\n{{ link }}".to_owned(),
        ),
        (
            "password_reset.txt",
            "Subject: {{ \"a\\nBcc: b\" }}\n\n{{ link }}".to_owned(),
        ),
        (
            "password_reset.txt",
            "Subject: {{ \"\" }}\n\n{{ link }}".to_owned(),
        ),
        ("password_reset.html", "<p>{{ lnk }}</p>".to_owned()),
        ("pasword_reset.html", "<p>{{ link }}</p>".to_owned()),
    ] {
        let fault = fault_of(name, &content);
        assert!(fault.contains(name), "{content}: {fault}");
    }
}

#[test]
fn an_unknown_variable_is_reported_with_its_line() {
    // Also where no sample leads to it.
    let hidden = "{% if name == \"no user has this name\" %}\n{{ lnik }}\n{% endif %}\n";
    for (name, content, place) in [
        (
            "unlock.txt",
            format!("Subject: Hello\n\nHello\n{hidden}"),
            "unlock.txt, line 5 ",
        ),
        (
            "unlock.txt",
            "Subject: {{ lnik }}\n\nHello\n".to_owned(),
            "unlock.txt, subject, line 1 ",
        ),
        (
            "unlock.html",
            format!("<p>\n{hidden}</p>"),
            "unlock.html, line 3 ",
        ),
    ] {
        let fault = fault_of(name, &content);
        assert!(
            fault.contains(place) && fault.contains("no variable `lnik`"),
            "{fault}"
        );
    }
    let fault = fault_of("unlock.txt", "Subject: Hello\n\nHello\n{% if link %}\n");
    assert!(fault.contains("unlock.txt, line "), "{fault}");
    let fault = fault_of(
        "unlock.txt",
        "Subject: Hello\n\n{% for n in range(2) %}{{ n }}{% endfor %}",
    );
    assert_eq!(fault, "");
}

#[test]
fn a_missing_folder_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Templates::load(Some(&folder.path().join("mails")))
        .err()
        .unwrap()
        .to_string();
    assert!(fault.contains("mails"), "{fault}");
}

#[test]
fn a_service_name_of_two_lines_cannot_add_to_the_subject() {
    let folder = tempfile::tempdir().unwrap();
    let template = "Subject: Welcome to {{ service_name }}\n\n{{ link }}\n";
    fs::write(folder.path().join("password_reset.txt"), template).unwrap();
    let variables = with_link("us\r\nBcc: two@example.com", Duration::from_secs(900));
    let templates = Templates::load(Some(folder.path())).unwrap();
    templates
        .render(MailKind::PasswordReset, None, &variables)
        .unwrap_err();
}

#[test]
fn kinds_are_found_by_name() {
    assert_eq!(
        MailKind::parse(MailKind::PasswordReset.as_str()),
        Some(MailKind::PasswordReset)
    );
    assert_eq!(MailKind::parse("postcard"), None);
}
