//! The connection to the mail server: the right server, under TLS, or nothing is sent.

use cloakroom::config::SmtpTls;
use cloakroom::mail::Transport;

use super::{ADDRESS, CREDENTIALS, LINK, assert_transient, send, settings_for, with_password};
use crate::support::certificates::Certificate;
use crate::support::smtp::{At, Behaviour, Misbehaviour, SmtpServer, Tls};

#[actix_web::test]
async fn delivers_with_authentication_over_implicit_tls() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Implicit,
        credentials: CREDENTIALS,
        ..Behaviour::default()
    });
    let settings = with_password(
        settings_for(&server, SmtpTls::Required),
        "a password of ours",
    );
    send(&Transport::from_settings(&settings).unwrap())
        .await
        .unwrap();

    let [mail] = &server.wait_for(1).await[..] else {
        panic!()
    };
    assert!(mail.tls && mail.authenticated);
    assert_eq!(mail.from, "no-reply@service.example");
    assert_eq!(mail.to, [ADDRESS]);
    assert!(
        mail.data
            .contains(&format!("You can reset your password here: {LINK}\r\n"))
    );
    assert!(mail.data.contains("\r\n.a line that opens with a dot\r\n"));
    assert!(
        mail.data
            .contains("Message-ID: <row-1@service.example>\r\n")
    );
    assert_eq!(server.cleartext_commands(), [""; 0]);
}

#[actix_web::test]
async fn starttls_sends_only_ehlo_in_the_clear() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Starttls,
        credentials: CREDENTIALS,
        ..Behaviour::default()
    });
    let settings = with_password(
        settings_for(&server, SmtpTls::Starttls),
        "a password of ours",
    );
    send(&Transport::from_settings(&settings).unwrap())
        .await
        .unwrap();

    let [mail] = &server.wait_for(1).await[..] else {
        panic!()
    };
    assert!(mail.tls && mail.authenticated);
    assert_eq!(
        server.cleartext_commands(),
        ["EHLO service.example", "STARTTLS"]
    );
}

#[actix_web::test]
async fn an_invalid_certificate_stops_delivery() {
    for (certificate, why) in [
        (Certificate::WrongName, "not valid for name"),
        (Certificate::UnknownIssuer, "UnknownIssuer"),
        (Certificate::Expired, "expired"),
    ] {
        for (tls, asked) in [
            (Tls::Implicit, SmtpTls::Required),
            (Tls::Starttls, SmtpTls::Starttls),
        ] {
            let server = SmtpServer::start(Behaviour {
                tls,
                certificate,
                credentials: CREDENTIALS,
                ..Behaviour::default()
            });
            let settings = with_password(settings_for(&server, asked), "a password of ours");
            let transport = Transport::from_settings(&settings).unwrap();
            assert_transient(send(&transport).await, &["TLS failed", why]);
            assert_eq!(server.received(), []);
            assert!(
                !server
                    .cleartext_commands()
                    .iter()
                    .any(|command| command.starts_with("AUTH"))
            );

            let advice = transport.probe().await.unwrap_err();
            assert!(advice.contains("mail.smtp.ca_file"), "{advice}");
        }
    }
}

#[actix_web::test]
async fn without_the_ca_file_a_private_authority_is_not_trusted() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Implicit,
        ..Behaviour::default()
    });
    let mut settings = settings_for(&server, SmtpTls::Required);
    settings.smtp.ca_file = None;
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["TLS failed", "UnknownIssuer"]);
}

#[actix_web::test]
async fn a_stripped_starttls_sends_nothing() {
    let server = SmtpServer::start(Behaviour::default());
    let settings = with_password(
        settings_for(&server, SmtpTls::Starttls),
        "a password of ours",
    );
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["does not offer", "STARTTLS"]);
    assert_eq!(server.received(), []);
    assert_eq!(server.cleartext_commands(), ["EHLO service.example"]);
}

#[actix_web::test]
async fn replies_injected_before_tls_are_ignored() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Starttls,
        misbehaviour: Some(Misbehaviour::AnswersAheadOfTls),
        ..Behaviour::default()
    });
    server.refuse(At::Content, "550 5.6.0 not that", 1);
    let transport = Transport::from_settings(&settings_for(&server, SmtpTls::Starttls)).unwrap();
    assert_transient(send(&transport).await, &["no proper answer"]);
    assert_eq!(server.received(), []);
}

#[actix_web::test]
async fn tls_is_never_downgraded_to_cleartext() {
    let server = SmtpServer::start(Behaviour::default());
    let transport = Transport::from_settings(&settings_for(&server, SmtpTls::Required)).unwrap();
    assert_transient(send(&transport).await, &["TLS failed"]);
    assert_eq!(server.received(), []);
}

#[actix_web::test]
async fn a_ca_file_without_a_certificate_stops_the_start() {
    let server = SmtpServer::start(Behaviour::default());
    let mut settings = settings_for(&server, SmtpTls::Required);
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("empty.pem", Some("")), ("absent.pem", None)] {
        let path = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        settings.smtp.ca_file = Some(path);
        let fault = Transport::from_settings(&settings)
            .err()
            .unwrap()
            .to_string();
        assert!(
            fault.contains("mail.smtp.ca_file") && fault.contains(name),
            "{fault}"
        );
    }
}
