//! Which mails are sent first, and which are not sent.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::domain::mail_kind::MailKind;
use cloakroom::mail;
use cloakroom::store::outbox::{self, OutboxEntry};
use cloakroom::testing::TestApp;
use tokio::time::timeout;

use super::{ADDRESS, worker};
use crate::support::app::{PASSWORD, address, write};
use crate::support::smtp::{Behaviour, Misbehaviour, SmtpServer};

const HOUR: Duration = Duration::from_secs(3600);

async fn enqueue(app: &TestApp, kind: MailKind, to: &str) {
    let (to, now) = (address(to), app.clock().now());
    write(app, move |tx| {
        mail::enqueue_link(tx, kind, &to, None, now, || Ok(true))
    })
    .await;
}

async fn rows(app: &TestApp) -> Vec<OutboxEntry> {
    let database = &app.context().database;
    database
        .read(|reader| outbox::list(reader, 100))
        .await
        .unwrap()
}

fn recipients(server: &SmtpServer) -> BTreeSet<String> {
    let received = server.received();
    received.into_iter().flat_map(|mail| mail.to).collect()
}

#[actix_web::test]
async fn hanging_recipients_do_not_delay_others() {
    let hanging = (0..8).map(|n| format!("{n}@hangs{n}.example"));
    let others: Vec<String> = (0..20).map(|n| format!("{n}@example.com")).collect();
    let server = SmtpServer::start(Behaviour {
        misbehaviour: Some(Misbehaviour::SilentAtRecipientsOf("@hangs")),
        ..Behaviour::default()
    });
    let app = TestApp::new().await;
    for to in hanging.chain(others.iter().cloned()) {
        app.create_user(&to, PASSWORD).await;
        enqueue(&app, MailKind::PasswordReset, &to).await;
    }
    let worker = worker(&app, &server, |mail| {
        mail.smtp.timeout = Duration::from_secs(20);
    });
    let all_sent = server.wait_for(others.len());
    tokio::select! {
        () = worker.run() => panic!("the worker ended"),
        sent = timeout(Duration::from_secs(3), all_sent) => drop(sent.expect("sent within 3 s")),
    }
    assert_eq!(recipients(&server), others.into_iter().collect());
}

#[actix_web::test]
async fn reset_mails_overtake_sign_up_mails() {
    let server = SmtpServer::start(Behaviour::default());
    let app = TestApp::new().await;
    for n in 0..20 {
        let to = format!("{n}@example.com");
        app.create_user(&to, PASSWORD).await;
        let kind = match n % 2 {
            0 => MailKind::Confirmation,
            _ => MailKind::AlreadyRegistered,
        };
        enqueue(&app, kind, &to).await;
    }
    app.clock().advance(Duration::from_secs(1));
    app.create_user(ADDRESS, PASSWORD).await;
    enqueue(&app, MailKind::PasswordReset, ADDRESS).await;
    let worker = worker(&app, &server, |_| {});
    worker.deliver_due().await.unwrap();
    assert!(recipients(&server).contains(ADDRESS));
    while worker.deliver_due().await.unwrap() > 0 {}
    assert_eq!(server.received().len(), 21);
}

#[actix_web::test]
async fn mails_beyond_the_hours_ceiling_wait() {
    let server = SmtpServer::start(Behaviour::default());
    let app = TestApp::new().await;
    for (kind, domain) in [
        (MailKind::Confirmation, "low.example"),
        (MailKind::PasswordReset, "high.example"),
    ] {
        for n in 0..4 {
            let to = format!("{n}@{domain}");
            app.create_user(&to, PASSWORD).await;
            if kind == MailKind::Confirmation {
                enqueue(&app, kind, &to).await;
            }
        }
    }
    // Requests for unknown addresses use nothing up.
    enqueue(&app, MailKind::PasswordReset, "unknown@example.com").await;
    let worker = worker(&app, &server, |mail| mail.max_per_hour = 4);
    let sent_to = |domain: &str| {
        let all = recipients(&server);
        all.iter().filter(|to| to.ends_with(domain)).count()
    };
    while worker.deliver_due().await.unwrap() > 0 {}
    assert_eq!(sent_to("low.example"), 3, "a quarter is kept for others");

    for n in 0..2 {
        enqueue(&app, MailKind::PasswordReset, &format!("{n}@high.example")).await;
    }
    while worker.deliver_due().await.unwrap() > 0 {}
    assert_eq!(sent_to("high.example"), 1);
    let waiting: Vec<OutboxEntry> = rows(&app)
        .await
        .into_iter()
        .filter(|row| row.sent_at.is_none())
        .collect();
    assert_eq!(waiting.len(), 2);
    assert!(
        waiting
            .iter()
            .all(|row| row.attempts == 0 && row.dead_at.is_none())
    );

    app.clock().advance(HOUR);
    while worker.deliver_due().await.unwrap() > 0 {}
    assert_eq!(sent_to("low.example"), 4);
    let late = rows(&app)
        .await
        .into_iter()
        .find(|row| row.dead_at.is_some());
    assert_eq!(
        late.unwrap().last_error.as_deref(),
        Some("its link has expired")
    );
}

#[actix_web::test]
async fn no_mail_goes_to_machines_or_intranets() {
    let server = SmtpServer::start(Behaviour::default());
    let app = TestApp::new().await;
    for to in [
        "one@localhost",
        "one@intranet",
        "one@127.0.0.1",
        "one@0x7f.0x1",
    ] {
        app.create_user(to, PASSWORD).await;
        enqueue(&app, MailKind::PasswordReset, to).await;
    }
    worker(&app, &server, |_| {}).deliver_due().await.unwrap();
    let rows = rows(&app).await;
    assert_eq!((rows.len(), server.connections()), (4, 0));
    for row in rows {
        assert!(row.dead_at.is_some() && row.last_error.unwrap().contains("domain"));
    }
}
