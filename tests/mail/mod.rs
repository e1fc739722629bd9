//! Mail: texts, headers, and the ways out.

use std::time::Duration;

use cloakroom::config::{Mail, MailTransport, Secret, Smtp, SmtpTls};
use cloakroom::domain::clock::Timestamp;
use cloakroom::mail::message::{Email, compose};
use cloakroom::mail::send_error::SendError;
use cloakroom::mail::templates::Rendered;
use cloakroom::mail::{MailWorker, Transport};
use cloakroom::testing::TestApp;

use crate::support::smtp::SmtpServer;

mod files;
mod languages;
mod message;
mod order;
mod outbox;
mod protection;
mod replies;
mod templates;
mod transport;

/// 2026-01-31T09:30:00.123Z
const AT: Timestamp = Timestamp::from_millis(1_769_851_800_123);
const CREDENTIALS: Option<(&str, &str)> = Some(("cloakroom", "a password of ours"));
const ADDRESS: &str = "one@example.com";
const LINK: &str = "https://app.example/passwords/edit#eyJwIjoicmVzZXQiLCJ1IjoxLCJlIjoxNzY5ODUyNzAwfQ.q83v-Xz_0123456789abcdefghijklmnopqrstuvwxyzABCDE";

fn settings() -> Mail {
    Mail {
        transport: MailTransport::Smtp,
        directory: "unused".into(),
        from: "Cloakroom <no-reply@service.example>".parse().unwrap(),
        templates: None,
        service_name: "Cloakroom".to_owned(),
        max_per_hour: 0,
        smtp: Smtp {
            host: "localhost".to_owned(),
            port: 0,
            username: None,
            password: None,
            tls: SmtpTls::None,
            ca_file: None,
            timeout: Duration::from_secs(10),
        },
    }
}

fn words() -> Rendered {
    Rendered {
        subject: "Reset your password".to_owned(),
        text: format!(
            "You can reset your password here: {LINK}\n\n.a line that opens with a dot\n"
        ),
        html: format!("<p><a href=\"{LINK}\">this password reset page</a></p>\n"),
    }
}

fn letter_to(address: &str) -> Email {
    compose(
        &settings().from,
        address,
        "<row-1@service.example>",
        AT,
        &words(),
    )
    .unwrap()
}

fn settings_for(server: &SmtpServer, tls: SmtpTls) -> Mail {
    let mut settings = settings();
    settings.smtp.port = server.addr.port();
    settings.smtp.tls = tls;
    settings.smtp.ca_file = Some(server.ca_pem_path.clone());
    settings
}

/// A worker on the app's outbox that sends by this server.
fn worker(app: &TestApp, server: &SmtpServer, change: impl FnOnce(&mut Mail)) -> MailWorker {
    let context = app.context();
    let mut settings = context.settings.clone();
    settings.mail = settings_for(server, SmtpTls::None);
    change(&mut settings.mail);
    let transport = Transport::from_settings(&settings.mail).unwrap();
    let (database, key_ring) = (context.database.clone(), context.key_ring.clone());
    MailWorker::new(
        &settings,
        database,
        key_ring,
        context.clock.clone(),
        transport,
    )
    .unwrap()
}

fn with_password(mut settings: Mail, password: &str) -> Mail {
    settings.smtp.username = Some("cloakroom".to_owned());
    settings.smtp.password = Some(Secret::from(password.to_owned()));
    settings
}

async fn send(transport: &Transport) -> Result<(), SendError> {
    transport
        .send("password_reset-1", &letter_to(ADDRESS))
        .await
}

/// A failure that may pass, whose reason holds all of `words` and never the address.
fn assert_transient(outcome: Result<(), SendError>, words: &[&str]) {
    let Err(SendError::Transient(reason)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_reason(&reason, words);
}

fn assert_reason(reason: &str, words: &[&str]) {
    assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
    assert!(
        !reason.contains('@') && !reason.contains("example.com"),
        "{reason}"
    );
}
