//! How a mail is written: its headers, its parts, and what cannot get into them.

use cloakroom::config::{Sender, SmtpTls};
use cloakroom::mail::Transport;
use cloakroom::mail::message::{Email, compose};
use cloakroom::mail::templates::Rendered;

use cloakroom::testing::TestApp;
use serde_json::json;

use super::{ADDRESS, AT, LINK, letter_to, settings, settings_for, words, worker};
use crate::support::app::PASSWORD;
use crate::support::smtp::{Behaviour, SmtpServer};

/// The mail as a server takes it in.
async fn delivered(letter: &Email) -> String {
    let server = SmtpServer::start(Behaviour::default());
    let mut settings = settings();
    settings.smtp.port = server.addr.port();
    settings.smtp.tls = SmtpTls::None;
    let transport = Transport::from_settings(&settings).unwrap();
    transport.send("password_reset-1", letter).await.unwrap();
    server.wait_for(1).await.remove(0).data
}

#[actix_web::test]
async fn a_mail_has_the_headers_it_was_given() {
    let mail = delivered(&letter_to(ADDRESS)).await;
    let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: Cloakroom <no-reply@service.example>",
        "To: one@example.com",
        "Subject: Reset your password",
        "Date: Sat, 31 Jan 2026 09:30:00 +0000",
        "Message-ID: <row-1@service.example>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(
            headers.lines().any(|line| line == header),
            "{header}\n{headers}"
        );
    }
    assert!(headers.contains("Content-Type: multipart/alternative;"));
}

#[actix_web::test]
async fn a_sender_in_another_script_has_ascii_labels() {
    let server = SmtpServer::start(Behaviour::default());
    let app = TestApp::new().await;
    let worker = worker(&app, &server, |mail| {
        mail.from = "Bücher Co. <no-reply@bücher.example>".parse().unwrap();
    });
    app.create_user(ADDRESS, PASSWORD).await;
    app.post("/v1/passwords")
        .json(&json!({ "email_address": ADDRESS }))
        .send()
        .await;
    worker.deliver_due().await.unwrap();

    let mail = server.wait_for(1).await.remove(0);
    assert_eq!(mail.from, "no-reply@xn--bcher-kva.example");
    assert_eq!(server.cleartext_commands()[0], "EHLO xn--bcher-kva.example");
    let (headers, _) = mail.data.split_once("\r\n\r\n").unwrap();
    assert!(headers.is_ascii());
    let headers = headers.replace("\r\n ", " ");
    let header = |name: &str| {
        let line = headers.lines().find(|line| line.starts_with(name));
        line.unwrap().to_owned()
    };
    assert!(header("From: ").ends_with(" <no-reply@xn--bcher-kva.example>"));
    assert!(header("Message-ID: ").ends_with("@xn--bcher-kva.example>"));
}

#[actix_web::test]
async fn each_accepted_sender_can_send() {
    let server = SmtpServer::start(Behaviour::default());
    for (at, text) in [
        "a@example.com",
        "o'neil+tag@localhost",
        "\"Ex, \\\"Ample\\\"\" <a@example.com>",
        &format!("{0}@{1}.{1}.{1}.example", "a".repeat(64), "b".repeat(55)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut settings = settings_for(&server, SmtpTls::None);
        settings.from = text.parse().unwrap();
        let mail = compose(&settings.from, ADDRESS, "<1@a.example>", AT, &words()).unwrap();
        let transport = Transport::from_settings(&settings).unwrap();
        transport.send("password_reset-1", &mail).await.unwrap();
        assert_eq!(server.received()[at].from, settings.from.address);
    }
}

#[actix_web::test]
async fn ascii_mails_are_sent_unencoded_with_unbroken_links() {
    let mail = delivered(&letter_to(ADDRESS)).await;
    assert_eq!(mail.matches("Content-Transfer-Encoding: 7bit").count(), 2);
    assert!(
        mail.lines()
            .any(|line| line == format!("You can reset your password here: {LINK}"))
    );
    let (text, html) = (
        mail.find("text/plain").unwrap(),
        mail.find("text/html").unwrap(),
    );
    assert!(text < html, "the last alternative is the preferred one");
}

#[actix_web::test]
async fn non_ascii_and_long_lines_are_quoted_printable() {
    let mut words = words();
    words.subject = "Passwort zurücksetzen".to_owned();
    words.text = format!("Grüße\n{LINK}\n");
    words.html = "x".repeat(2000);
    let letter = compose(&settings().from, ADDRESS, "<1@service.example>", AT, &words).unwrap();
    let mail = delivered(&letter).await;
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 998));
    assert_eq!(
        mail.matches("Content-Transfer-Encoding: quoted-printable")
            .count(),
        2
    );
    assert!(mail.contains("Gr=C3=BC=C3=9Fe\r\n"));
    assert!(mail.replace("=\r\n", "").contains(LINK));
    assert!(mail.contains("Subject: Passwort =?utf-8?b?"));
}

#[test]
fn recipients_cannot_be_injected_by_an_address() {
    for address in [
        "one@example.com\r\nRCPT TO:<two@example.com>",
        "one@example.com\r\nBcc: two@example.com",
        "\"one\r\nBcc: two@example.com\r\n\"@example.com",
        "one@example.com\n",
        "one\0@example.com",
        "one@example.com, two@example.com",
        "öne@example.com",
        "one@bücher.example",
        "one@example.com> <two@example.com",
        "One <one@example.com>",
        "",
    ] {
        let fault = compose(
            &settings().from,
            address,
            "<1@service.example>",
            AT,
            &words(),
        )
        .unwrap_err();
        assert!(!fault.to_string().contains("example.com"), "{fault}");
    }
}

#[test]
fn no_text_can_add_a_header() {
    let compose_with = |name: &str, subject: &str, id: &str| {
        let from = Sender {
            name: Some(name.to_owned()),
            address: "no-reply@service.example".to_owned(),
        };
        let rendered = Rendered {
            subject: subject.to_owned(),
            ..words()
        };
        compose(&from, ADDRESS, id, AT, &rendered)
    };
    compose_with("Cloakroom", "Hello", "<1@service.example>").unwrap();
    compose_with(
        "Cloakroom\r\nBcc: two@example.com",
        "Hello",
        "<1@service.example>",
    )
    .unwrap_err();
    compose_with(
        "Cloakroom",
        "Hello\nBcc: two@example.com",
        "<1@service.example>",
    )
    .unwrap_err();
    for id in [
        "<1@service.example>\r\nBcc: two@example.com",
        "<1@a> <2@b>",
        "1@service.example",
        "<1>",
        "<@ >",
    ] {
        compose_with("Cloakroom", "Hello", id).unwrap_err();
    }
}

#[test]
fn debug_of_an_email_hides_address_and_link() {
    let printed = format!("{:?} {:?}", letter_to(ADDRESS), words());
    assert!(!printed.contains("example"), "{printed}");
}
