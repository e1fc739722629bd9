//! Handing mail to a server: what is delivered, and what each refusal and misbehaviour comes to.

use std::time::Duration;

use cloakroom::config::SmtpTls;
use cloakroom::mail::Transport;
use cloakroom::mail::send_error::SendError;

use super::{
    ADDRESS, CREDENTIALS, LINK, assert_reason, assert_transient, send, settings_for, with_password,
};
use crate::support::smtp::{At, Behaviour, Misbehaviour, SmtpServer, Tls};

fn clear(server: &SmtpServer) -> Transport {
    Transport::from_settings(&settings_for(server, SmtpTls::None)).unwrap()
}

fn assert_permanent(outcome: Result<(), SendError>, words: &[&str]) {
    let Err(SendError::Permanent(reason)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_reason(&reason, words);
}

#[actix_web::test]
async fn a_wrong_smtp_password_is_transient() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Implicit,
        credentials: CREDENTIALS,
        ..Behaviour::default()
    });
    let settings = with_password(settings_for(&server, SmtpTls::Required), "not it");
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["535", "AUTH"]);
    let advice = transport.probe().await.unwrap_err();
    assert!(advice.contains("mail.smtp.password"), "{advice}");
}

#[actix_web::test]
async fn transient_replies_are_retried() {
    let server = SmtpServer::start(Behaviour::default());
    let transport = clear(&server);
    server.refuse(At::Hello, "421 4.3.2 busy", 2);
    assert_transient(send(&transport).await, &["421 4.3.2 at connecting"]);
    assert_transient(send(&transport).await, &["421 4.3.2 at connecting"]);
    send(&transport).await.unwrap();

    server.refuse(At::Recipient, "451 4.7.1 <one@example.com>: greylisted", 1);
    assert_transient(send(&transport).await, &["451 4.7.1 at RCPT TO"]);
    server.refuse(At::Content, "452 no room for one@example.com", 1);
    assert_transient(send(&transport).await, &["452 at the message"]);
    send(&transport).await.unwrap();
    assert_eq!(server.received().len(), 2);
}

#[actix_web::test]
async fn permanent_rejections_are_permanent_failures() {
    let server = SmtpServer::start(Behaviour::default());
    let transport = clear(&server);
    server.refuse(
        At::Recipient,
        "550 5.1.1 <one@example.com>: no such user",
        1,
    );
    assert_permanent(send(&transport).await, &["550 5.1.1 at RCPT TO"]);
    server.refuse(At::Recipient, "550 one@example.com is not here", 1);
    assert_permanent(send(&transport).await, &["550 at RCPT TO"]);
    server.refuse(At::Data, "554 5.6.0 not that", 1);
    assert_permanent(send(&transport).await, &["554 5.6.0 at DATA"]);
    server.refuse(At::Content, "554 5.7.1 spam", 1);
    assert_permanent(send(&transport).await, &["554 5.7.1 at the message"]);
}

#[actix_web::test]
async fn rejections_of_the_sender_are_transient() {
    let server = SmtpServer::start(Behaviour::default());
    let transport = clear(&server);
    for (at, answer) in [
        (At::Hello, "550 5.7.1 not with you"),
        (At::Sender, "553 5.1.8 that sender has no domain"),
        (At::Recipient, "530 5.7.0 authenticate first"),
        (At::Recipient, "554 5.7.1 relay access denied"),
        (At::Recipient, "503 5.5.1 not now"),
    ] {
        server.refuse(at, answer, 1);
        assert_transient(send(&transport).await, &[&answer[..3]]);
    }
}

#[actix_web::test]
async fn a_refused_connection_is_transient() {
    let server = SmtpServer::start(Behaviour::default());
    let transport = clear(&server);
    drop(server);
    assert_transient(send(&transport).await, &["connection failed at connecting"]);
    let advice = transport.probe().await.unwrap_err();
    assert!(advice.contains("mail.smtp.port"), "{advice}");
}

#[actix_web::test]
async fn a_silent_server_times_out() {
    for tls in [SmtpTls::None, SmtpTls::Required, SmtpTls::Starttls] {
        let server = SmtpServer::start(Behaviour {
            misbehaviour: Some(Misbehaviour::Silent),
            ..Behaviour::default()
        });
        let mut settings = settings_for(&server, tls);
        settings.smtp.timeout = Duration::from_millis(20);
        let transport = Transport::from_settings(&settings).unwrap();
        assert_transient(send(&transport).await, &["timed out at connecting"]);
    }
}

#[actix_web::test]
async fn an_endless_greeting_is_cut_off() {
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::GreetsEndlessly),
        ..Behaviour::default()
    });
    let mut settings = settings_for(&server, SmtpTls::None);
    settings.smtp.timeout = Duration::from_millis(20);
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["at connecting"]);
}

#[actix_web::test]
async fn an_unanswered_command_times_out() {
    let silent = Some(Misbehaviour::SilentAtRecipient);
    let server = SmtpServer::start(Behaviour {
        misbehaviour: silent,
        ..Behaviour::default()
    });
    let mut settings = settings_for(&server, SmtpTls::None);
    settings.smtp.timeout = Duration::from_millis(500);
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["timed out at RCPT TO"]);
}

#[actix_web::test]
async fn slow_replies_cannot_hold_a_mail() {
    // Five answers of 150 ms, each within its 200 ms; the whole has 600 ms.
    let delayed = Misbehaviour::Delays(Duration::from_millis(150));
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(delayed),
        ..Behaviour::default()
    });
    let mut settings = settings_for(&server, SmtpTls::None);
    settings.smtp.timeout = Duration::from_millis(200);
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["timed out"]);
}

#[actix_web::test]
async fn a_connection_closed_in_a_mail_is_retried() {
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::ClosesInData),
        ..Behaviour::default()
    });
    let transport = clear(&server);
    assert_transient(send(&transport).await, &["at the message"]);
    assert_eq!(server.received(), []);

    server.behave(|behaviour| behaviour.misbehaviour = None);
    send(&transport).await.unwrap();
    assert_eq!(server.received().len(), 1);
}

#[actix_web::test]
async fn consecutive_mails_share_a_connection() {
    let server = SmtpServer::start(Behaviour {
        credentials: CREDENTIALS,
        tls: Tls::Implicit,
        ..Behaviour::default()
    });
    let settings = with_password(
        settings_for(&server, SmtpTls::Required),
        "a password of ours",
    );
    let transport = Transport::from_settings(&settings).unwrap();
    send(&transport).await.unwrap();
    send(&transport.clone()).await.unwrap();
    assert_eq!((server.received().len(), server.connections()), (2, 1));

    transport.close_idle().await;
    send(&transport).await.unwrap();
    assert_eq!((server.received().len(), server.connections()), (3, 2));
}

#[actix_web::test]
async fn a_closed_connection_is_replaced() {
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::ClosesAfterData),
        ..Behaviour::default()
    });
    let transport = clear(&server);
    send(&transport).await.unwrap();
    send(&transport).await.unwrap();
    assert_eq!((server.received().len(), server.connections()), (2, 2));
}

#[actix_web::test]
async fn a_probe_sends_nothing() {
    let server = SmtpServer::start(Behaviour {
        tls: Tls::Implicit,
        credentials: CREDENTIALS,
        ..Behaviour::default()
    });
    let settings = with_password(
        settings_for(&server, SmtpTls::Required),
        "a password of ours",
    );
    Transport::from_settings(&settings)
        .unwrap()
        .probe()
        .await
        .unwrap();
    assert_eq!((server.received().len(), server.connections()), (0, 1));
}

#[actix_web::test]
async fn a_memory_transport_keeps_what_its_clones_send() {
    let transport = Transport::memory();
    send(&transport.clone()).await.unwrap();
    let [sent] = &transport.sent()[..] else {
        panic!()
    };
    assert_eq!(
        (sent.to.as_str(), sent.subject.as_str()),
        (ADDRESS, "Reset your password")
    );
    assert_eq!(sent.message_id, "<row-1@service.example>");
    assert!(sent.text.contains(LINK) && sent.html.contains(LINK));
}
