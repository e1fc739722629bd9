//! The outbox end to end: what becomes of a mail when the mail server is slow, cross, away or forgetful.

use std::time::Duration;

use cloakroom::config::{MailTransport, SmtpTls};
use cloakroom::mail::{MailWorker, Transport};
use cloakroom::store::outbox::{self, OutboxEntry};
use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::process::{TestServer, eventually};
use crate::support::smtp::{At, Behaviour, Misbehaviour, Received, SmtpServer};

const ADDRESS: &str = "one@example.com";

/// An app with a requested reset mail that has not been sent yet.
async fn asked() -> TestApp {
    let app = TestApp::new().await;
    app.create_user(ADDRESS, "password").await;
    let reply = app
        .post("/v1/passwords")
        .json(&json!({ "email_address": ADDRESS }))
        .send()
        .await;
    assert_eq!(reply.status, 200);
    app
}

/// A worker on the app's outbox that sends by this server.
fn mail_worker(app: &TestApp, server: &SmtpServer) -> MailWorker {
    let context = app.context();
    let mut settings = context.settings.clone();
    settings.mail.transport = MailTransport::Smtp;
    settings.mail.smtp.host = server.addr.ip().to_string();
    settings.mail.smtp.port = server.addr.port();
    settings.mail.smtp.tls = SmtpTls::None;
    settings.mail.smtp.timeout = Duration::from_millis(500);
    let transport = Transport::from_settings(&settings.mail).unwrap();
    let (database, keys) = (context.database.clone(), context.key_ring.clone());
    MailWorker::new(&settings, database, keys, context.clock.clone(), transport).unwrap()
}

async fn the_row(app: &TestApp) -> OutboxEntry {
    let rows = app
        .context()
        .database
        .read(|reader| outbox::list(reader, 10))
        .await
        .unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    row.clone()
}

fn message_id(mail: &Received) -> &str {
    mail.data
        .lines()
        .find(|line| line.starts_with("Message-ID: <"))
        .unwrap()
}

#[actix_web::test]
async fn a_busy_mail_server_gets_the_mail_once() {
    let server = SmtpServer::start(Behaviour::default());
    server.refuse(At::Hello, "421 4.3.2 busy", 2);
    let app = asked().await;
    let mail_worker = mail_worker(&app, &server);
    for attempt in 1..=2 {
        assert_eq!(mail_worker.deliver_due().await.unwrap(), 1);
        let row = the_row(&app).await;
        assert_eq!((row.attempts, row.sent_at), (attempt, None));
        assert_eq!(row.last_error.as_deref(), Some("421 4.3.2 at connecting"));
        // Before its time it is left alone.
        assert_eq!(mail_worker.deliver_due().await.unwrap(), 0);
        app.clock().set(row.next_attempt_at);
    }
    assert_eq!(mail_worker.deliver_due().await.unwrap(), 1);
    let row = the_row(&app).await;
    assert_eq!((row.attempts, row.last_error.clone()), (3, None));
    assert!(row.sent_at.is_some() && row.dead_at.is_none());

    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(mail_worker.deliver_due().await.unwrap(), 0);
    assert_eq!(server.received().len(), 1);
}

#[actix_web::test]
async fn a_lost_reply_resends_with_the_same_message_id() {
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::SilentAfterData),
        ..Behaviour::default()
    });
    let app = asked().await;
    let mail_worker = mail_worker(&app, &server);
    mail_worker.deliver_due().await.unwrap();
    let row = the_row(&app).await;
    assert_eq!(row.last_error.as_deref(), Some("timed out at the message"));

    server.behave(|behaviour| behaviour.misbehaviour = None);
    app.clock().set(row.next_attempt_at);
    mail_worker.deliver_due().await.unwrap();
    let copies = server.wait_for(2).await;
    assert_eq!(message_id(&copies[0]), message_id(&copies[1]));
    assert!(the_row(&app).await.sent_at.is_some());
}

#[actix_web::test]
async fn mail_is_sent_once_the_mail_server_is_back() {
    let away = SmtpServer::start(Behaviour::default());
    let app = asked().await;
    let to_nobody = mail_worker(&app, &away);
    drop(away);
    to_nobody.deliver_due().await.unwrap();
    let row = the_row(&app).await;
    let reason = row.last_error.unwrap();
    assert!(
        reason.starts_with("connection failed at connecting"),
        "{reason}"
    );
    assert_eq!((row.attempts, row.dead_at), (1, None));

    let back = SmtpServer::start(Behaviour::default());
    app.clock().set(row.next_attempt_at);
    mail_worker(&app, &back).deliver_due().await.unwrap();
    assert_eq!(back.received().len(), 1);
}

#[actix_web::test]
async fn a_mail_fails_when_its_link_expires_before_the_retry() {
    let away = SmtpServer::start(Behaviour::default());
    let app = asked().await;
    let mail_worker = mail_worker(&app, &away);
    drop(away);
    let expiry = the_row(&app).await.expires_at;
    let row = loop {
        mail_worker.deliver_due().await.unwrap();
        let row = the_row(&app).await;
        if row.dead_at.is_some() {
            break row;
        }
        assert!(row.next_attempt_at < expiry);
        app.clock().set(row.next_attempt_at);
    };
    assert!((5..10).contains(&row.attempts), "{row:?}");
    let reason = row.last_error.unwrap();
    assert!(
        reason.contains("its link would have expired; last: connection failed"),
        "{reason}"
    );
    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(mail_worker.deliver_due().await.unwrap(), 0);
}

#[actix_web::test]
async fn a_mail_with_an_expired_link_is_not_sent() {
    let server = SmtpServer::start(Behaviour::default());
    let app = asked().await;
    app.clock().set(the_row(&app).await.expires_at);
    mail_worker(&app, &server).deliver_due().await.unwrap();
    let row = the_row(&app).await;
    assert_eq!(row.last_error.as_deref(), Some("its link has expired"));
    assert!(row.dead_at.is_some());
    assert_eq!(server.connections(), 0);
}

#[actix_web::test]
async fn the_tenth_attempt_is_the_last() {
    let server = SmtpServer::start(Behaviour::default());
    server.refuse(At::Content, "451 not now", 1);
    let app = asked().await;
    let nine_tries =
        |tx: &cloakroom::store::Transaction<'_>| tx.execute("UPDATE outbox SET attempts = 9", &[]);
    app.context().database.write(nine_tries).await.unwrap();
    mail_worker(&app, &server).deliver_due().await.unwrap();
    let row = the_row(&app).await;
    assert_eq!(
        (row.attempts, row.last_error.as_deref()),
        (10, Some("451 at the message"))
    );
    assert!(row.dead_at.is_some());
}

#[actix_web::test]
async fn a_link_requested_twice_is_mailed_once_while_queued() {
    let server = SmtpServer::start(Behaviour::default());
    let app = asked().await;
    app.post("/v1/passwords")
        .json(&json!({ "email_address": ADDRESS }))
        .send()
        .await;
    mail_worker(&app, &server).deliver_due().await.unwrap();
    assert_eq!(server.received().len(), 1);
}

/// The moments that a row of the outbox has come to.
fn outcome(test_server: &TestServer) -> [Option<String>; 3] {
    ["sent_at", "dead_at", "last_error"].map(|column| {
        test_server
            .store()
            .text(&format!("SELECT {column} FROM outbox"))
    })
}

#[test]
fn a_rejected_recipient_is_kept_as_a_failed_mail() {
    let mail = SmtpServer::start(Behaviour::default());
    mail.refuse(
        At::Recipient,
        "550 5.1.1 <one@example.com>: no such user",
        1,
    );
    let mut test_server = TestServer::new();
    let server = test_server.send_by(&mail).serve();
    server.sign_up_token(ADDRESS, "password");
    server.request_reset_mail(ADDRESS);
    server.wait_for_log("a mail was given up");
    let [sent, _, reason] =
        eventually(|| Some(outcome(&test_server)).filter(|[_, dead, _]| dead.is_some()));
    assert_eq!(
        (sent, reason.as_deref()),
        (None, Some("550 5.1.1 at RCPT TO"))
    );
    assert_eq!(mail.received(), []);
}

#[test]
fn a_killed_worker_resends_with_the_same_message_id() {
    let mail = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::SilentAfterData),
        ..Behaviour::default()
    });
    let mut test_server = TestServer::new();
    let mut server = test_server.send_by(&mail).serve();
    server.sign_up_token(ADDRESS, "password");
    server.request_reset_mail(ADDRESS);
    eventually(|| (mail.received().len() == 1).then_some(()));
    server.kill();
    assert_eq!(outcome(&test_server), [None, None, None]);

    mail.behave(|behaviour| behaviour.misbehaviour = None);
    // As if the lease of the killed worker had expired.
    test_server
        .store()
        .execute("UPDATE outbox SET next_attempt_at = 0");
    let _server = test_server.serve();
    let copies = eventually(|| Some(mail.received()).filter(|received| received.len() == 2));
    assert_eq!(message_id(&copies[0]), message_id(&copies[1]));
    eventually(|| outcome(&test_server)[0].clone());
}
