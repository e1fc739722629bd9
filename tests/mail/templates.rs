//! What mails say, and who may say it otherwise.

use std::fs;
use std::path::Path;

use cloakroom::mail::{Kind, Rendered, Templates, Variables};

use super::LINK;

fn render(folder: Option<&Path>, service_name: &str, minutes: u64) -> Rendered {
    let variables = Variables { link: LINK, expires_in_minutes: minutes, service_name };
    Templates::load(folder).unwrap().render(Kind::PasswordReset, &variables).unwrap()
}

/// What loading says about a folder with this one file.
fn fault_of(name: &str, content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    Templates::load(Some(folder.path())).err().unwrap().to_string()
}

#[test]
fn the_reset_mail_says_what_to_do_and_what_happens_if_not() {
    let Rendered { subject, text, html } = render(None, "Cloakroom", 15);
    assert_eq!(subject, "Reset your password");
    assert!(text.starts_with(&format!("You can reset your password on {LINK}\n")));
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
    assert!(render(None, "Cloakroom", 1).text.contains("expire in 1 minute.\n"));
}

#[test]
fn a_service_name_is_text_in_html_and_itself_in_plain_text() {
    let rendered = render(None, "<b onload=x>Tom & Jerry's", 15);
    assert!(rendered.text.contains("<b onload=x>Tom & Jerry's"));
    assert!(!rendered.html.contains("<b onload"));
    assert!(rendered.html.contains("&lt;b onload=x&gt;Tom &amp; Jerry&#x27;s"), "{}", rendered.html);
}

#[test]
fn a_file_in_the_folder_replaces_its_template_and_only_that() {
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
fn a_bad_override_stops_the_start_with_its_name() {
    let good = "Subject: Hello\n\n";
    for (name, content) in [
        ("password_reset.txt", format!("{good}{{{{ lnk }}}}")),
        ("password_reset.txt", format!("{good}{{% if link %}}")),
        ("password_reset.txt", "Hello\n\n{{ link }}".to_owned()),
        ("password_reset.txt", "Subject: Hello\n{{ link }}".to_owned()),
        ("password_reset.txt", "Subject: {{ subject }}\n\n{{ link }}".to_owned()),
        ("password_reset.txt", "Subject: {{ \"a\\nBcc: b\" }}\n\n{{ link }}".to_owned()),
        ("password_reset.txt", "Subject: {{ \"\" }}\n\n{{ link }}".to_owned()),
        ("password_reset.html", "<p>{{ lnk }}</p>".to_owned()),
        ("pasword_reset.html", "<p>{{ link }}</p>".to_owned()),
    ] {
        let fault = fault_of(name, &content);
        assert!(fault.contains(name), "{content}: {fault}");
    }
}

#[test]
fn a_folder_that_is_not_there_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Templates::load(Some(&folder.path().join("mails"))).err().unwrap().to_string();
    assert!(fault.contains("mails"), "{fault}");
}

#[test]
fn a_service_name_of_two_lines_cannot_add_to_the_subject() {
    let folder = tempfile::tempdir().unwrap();
    let template = "Subject: Welcome to {{ service_name }}\n\n{{ link }}\n";
    fs::write(folder.path().join("password_reset.txt"), template).unwrap();
    let variables =
        Variables { link: LINK, expires_in_minutes: 15, service_name: "us\r\nBcc: two@example.com" };
    let templates = Templates::load(Some(folder.path())).unwrap();
    templates.render(Kind::PasswordReset, &variables).unwrap_err();
}

#[test]
fn a_kind_is_found_by_its_name() {
    assert_eq!(Kind::parse(Kind::PasswordReset.as_str()), Some(Kind::PasswordReset));
    assert_eq!(Kind::parse("postcard"), None);
}
