//! Who gets which mail, and who gets none.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::config::Notices;
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::domain::{JsonObject, Role, User, UserId};
use cloakroom::mail::{self, Notice};
use cloakroom::store::{outbox, users};
use cloakroom::testing::SentEmail;
use cloakroom::testing::{START, TestApp};

use super::{ADDRESS, worker};
use crate::support::app::{PASSWORD, address, disable, write};
use crate::support::smtp::{Behaviour, SmtpServer};

const DAY: Duration = Duration::from_secs(24 * 3600);
const OTHER: &str = "two@example.com";

async fn request(app: &TestApp, kind: MailKind, to: &str) {
    let (to, now) = (address(to), app.clock().now());
    write(app, move |tx| match kind {
        MailKind::PasswordReset => {
            mail::enqueue_link(tx, MailKind::PasswordReset, &to, None, now, || Ok(true))
        }
        MailKind::Confirmation => {
            mail::enqueue_link(tx, MailKind::Confirmation, &to, None, now, || Ok(true))
        }
        MailKind::AlreadyRegistered => {
            mail::enqueue_link(tx, MailKind::AlreadyRegistered, &to, None, now, || Ok(true))
        }
        MailKind::Unlock => mail::enqueue_unlock(tx, &to, now + Duration::from_secs(1200), now),
        other => panic!("no test requests {other:?}"),
    })
    .await;
}

async fn request_change(app: &TestApp, user: &User, to: &str) {
    let (id, to, now) = (user.id, address(to), app.clock().now());
    write(app, move |tx| {
        mail::enqueue_address_change(tx, id, &to, now, || Ok(true))
    })
    .await;
}

async fn set_pending(app: &TestApp, user: &User, to: Option<&str>) {
    let (id, to) = (user.id, to.map(address));
    assert!(
        write(app, move |tx| users::set_pending_address(
            tx,
            id,
            to.as_ref()
        ))
        .await
    );
}

fn notice(kind: MailKind, user_agent: Option<&str>) -> Option<Notice> {
    let all = Notices::default();
    Notice::new(
        &all,
        kind,
        "192.0.2.1".to_owned(),
        user_agent,
        Arc::new(|_: &_, _: &_, _| Ok(true)),
    )
}

async fn notify(app: &TestApp, notice: Option<Notice>, to: &str) {
    let now = app.clock().now();
    let user = User {
        id: UserId(1),
        email_address: address(to),
        email_confirmed_at: Some(now),
        disabled_at: None,
        created_at: now,
        updated_at: now,
        role: Role::User,
        second_factor_due_at: None,
        name: None,
        profile: JsonObject::default(),
        metadata: JsonObject::default(),
        locale: None,
    };
    write(app, move |tx| mail::notify(tx, notice.as_ref(), &user, now)).await;
}

/// That nothing was sent, and the row is gone as if it had been.
async fn assert_dropped(app: &TestApp, why: &str) {
    assert_eq!(app.mails().await, [], "{why}");
    let rows = app
        .context()
        .database
        .read(|reader| outbox::list(reader, 10))
        .await
        .unwrap();
    assert!(rows.is_empty(), "{why}: {rows:?}");
}

fn the_only(mut mails: Vec<SentEmail>) -> SentEmail {
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.remove(0)
}

#[actix_web::test]
async fn a_link_is_mailed_to_the_owner_of_the_address() {
    for (kind, path, life) in [
        (MailKind::PasswordReset, "/passwords/edit#", "15 minutes"),
        (
            MailKind::AlreadyRegistered,
            "/passwords/edit#",
            "15 minutes",
        ),
        (MailKind::Confirmation, "/confirmations#", "24 hours"),
        (MailKind::Unlock, "/unlocks#", "20 minutes"),
    ] {
        let app = TestApp::new().await;
        app.create_user(ADDRESS, PASSWORD).await;
        request(&app, kind, ADDRESS).await;
        let mail = the_only(app.mails().await);
        assert_eq!(mail.to, ADDRESS);
        assert!(
            mail.text.contains(&format!("http://localhost:3001{path}")),
            "{kind:?}: {}",
            mail.text
        );
        assert!(
            mail.text.contains(&format!("will expire in {life}.")),
            "{kind:?}: {}",
            mail.text
        );
    }
}

#[actix_web::test]
async fn requests_for_unknown_or_disabled_users_are_dropped() {
    for kind in [
        MailKind::PasswordReset,
        MailKind::AlreadyRegistered,
        MailKind::Confirmation,
        MailKind::Unlock,
    ] {
        let app = TestApp::new().await;
        request(&app, kind, "nobody@example.com").await;
        assert_dropped(&app, "nobody").await;
        let user = app.create_user(ADDRESS, PASSWORD).await;
        disable(&app, &user).await;
        request(&app, kind, ADDRESS).await;
        assert_dropped(&app, "disabled").await;
    }
}

#[actix_web::test]
async fn a_verified_address_gets_no_verification_mail() {
    let app = TestApp::new().await;
    let user = app.create_user(ADDRESS, PASSWORD).await;
    let (id, confirmed) = (user.id, user.email_address.clone());
    assert!(
        write(&app, move |tx| users::confirm_address(
            tx, id, &confirmed, START
        ))
        .await
    );
    request(&app, MailKind::Confirmation, ADDRESS).await;
    assert_dropped(&app, "confirmed").await;
}

#[actix_web::test]
async fn new_addresses_are_mailed_only_while_pending_and_free() {
    let app = TestApp::new().await;
    let user = app.create_user(ADDRESS, PASSWORD).await;
    request_change(&app, &user, OTHER).await;
    assert_dropped(&app, "never asked for").await;
    set_pending(&app, &user, Some("three@example.com")).await;
    request_change(&app, &user, OTHER).await;
    assert_dropped(&app, "another one is pending").await;

    set_pending(&app, &user, Some(OTHER)).await;
    request_change(&app, &user, OTHER).await;
    disable(&app, &user).await;
    // An operator's command withdraws it, too; here it is the account that must stop the mail.
    set_pending(&app, &user, Some(OTHER)).await;
    assert_dropped(&app, "disabled").await;
    let id = user.id;
    write(&app, move |tx| users::set_disabled(tx, id, None, START)).await;
    request_change(&app, &user, OTHER).await;
    let mail = the_only(app.mails().await);
    assert_eq!(mail.to, OTHER);
    assert!(mail.text.contains("/confirmations#"), "{}", mail.text);

    request_change(&app, &user, OTHER).await;
    app.create_user(OTHER, PASSWORD).await;
    assert_eq!(app.mails().await.len(), 1, "another user has it by now");
}

#[actix_web::test]
async fn two_users_wanting_one_address_get_their_own_links() {
    let app = TestApp::new().await;
    for name in [ADDRESS, OTHER] {
        let user = app.create_user(name, PASSWORD).await;
        set_pending(&app, &user, Some("three@example.com")).await;
        request_change(&app, &user, "three@example.com").await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2);
    assert_ne!(mails[0].text, mails[1].text);
}

#[actix_web::test]
async fn a_queued_request_serves_the_next_of_its_kind() {
    let app = TestApp::new().await;
    app.create_user(ADDRESS, PASSWORD).await;
    for kind in [
        MailKind::PasswordReset,
        MailKind::Confirmation,
        MailKind::Confirmation,
        MailKind::PasswordReset,
    ] {
        request(&app, kind, ADDRESS).await;
    }
    assert_eq!(app.mails().await.len(), 2);
}

#[actix_web::test]
async fn a_throttled_request_is_not_written() {
    let app = TestApp::new().await;
    let user = app.create_user(ADDRESS, PASSWORD).await;
    let (id, to) = (user.id, user.email_address);
    write(&app, move |tx| {
        mail::enqueue_link(tx, MailKind::Confirmation, &to, None, START, || Ok(false))?;
        mail::enqueue_link(tx, MailKind::AlreadyRegistered, &to, None, START, || {
            Ok(false)
        })?;
        mail::enqueue_address_change(tx, id, &to, START, || Ok(false))
    })
    .await;
    assert_dropped(&app, "not admitted").await;
}

#[actix_web::test]
async fn notices_go_to_the_recorded_address() {
    let app = TestApp::new().await;
    let kinds = [
        MailKind::NewDevice,
        MailKind::PasswordChanged,
        MailKind::AddressChangeAsked,
        MailKind::AddressChanged,
        MailKind::RefreshReused,
        MailKind::ApiKeyCreated,
    ];
    for kind in kinds {
        notify(
            &app,
            notice(kind, Some("Browser/1.0")),
            "nobody@example.com",
        )
        .await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), kinds.len());
    for mail in mails {
        assert_eq!(mail.to, "nobody@example.com");
        let facts = "When: 31 January 2026, 09:30 UTC\nIP address: 192.0.2.1\nBrowser or app: Browser/1.0\n";
        assert!(mail.text.contains(facts), "{}", mail.text);
    }
}

#[actix_web::test]
async fn the_deletion_notice_leaves_no_trace() {
    let app = TestApp::new().await;
    notify(&app, notice(MailKind::AccountDeleted, None), ADDRESS).await;
    let mail = the_only(app.mails().await);
    assert!(
        mail.text.contains("Browser or app: an unknown program"),
        "{}",
        mail.text
    );
    let rows = app
        .context()
        .database
        .read(|reader| outbox::list(reader, 10))
        .await
        .unwrap();
    assert!(rows.is_empty(), "{rows:?}");
}

#[actix_web::test]
async fn user_agents_are_reduced_to_plain_text() {
    let app = TestApp::new().await;
    notify(
        &app,
        notice(MailKind::NewDevice, Some(&"é\u{202e}x".repeat(200))),
        ADDRESS,
    )
    .await;
    notify(&app, notice(MailKind::NewDevice, Some(" ")), ADDRESS).await;
    let mails = app.mails().await;
    for shown in [&"x".repeat(120), "an unknown program"] {
        let line = format!("Browser or app: {shown}\n");
        let is_shown = mails.iter().any(|mail| mail.text.contains(&line));
        assert!(is_shown, "{shown}");
    }
}

#[test]
fn kinds_with_a_link_are_not_notices() {
    for &kind in MailKind::ALL {
        assert_eq!(notice(kind, None).is_some(), kind.is_notice(), "{kind:?}");
    }
}

#[actix_web::test]
async fn notices_are_attempted_for_three_days() {
    let app = TestApp::new().await;
    for (wait, told) in [(3 * DAY - Duration::from_millis(1), 1), (3 * DAY, 1)] {
        notify(&app, notice(MailKind::PasswordChanged, None), ADDRESS).await;
        app.clock().advance(wait);
        assert_eq!(app.mails().await.len(), told);
    }
    let rows = app
        .context()
        .database
        .read(|reader| outbox::list(reader, 1))
        .await
        .unwrap();
    assert_eq!(
        rows[0].last_error.as_deref(),
        Some("the notice has expired")
    );
}

#[actix_web::test]
async fn retried_mails_restart_their_lifetime_except_unlocks() {
    let app = TestApp::new().await;
    for kind in [
        MailKind::PasswordReset,
        MailKind::AlreadyRegistered,
        MailKind::Confirmation,
        MailKind::Unlock,
    ] {
        request(&app, kind, ADDRESS).await;
    }
    notify(&app, notice(MailKind::NewDevice, None), ADDRESS).await;
    let hour = Duration::from_secs(3600);
    app.clock().advance(hour);
    let now = app.clock().now();
    let quarter = Duration::from_secs(900);
    let expected = [
        now + quarter,
        now + quarter,
        now + DAY,
        START + Duration::from_secs(1200),
        now + 3 * DAY,
    ];
    for (id, expected) in (1..).zip(expected) {
        assert!(write(&app, move |tx| mail::retry(tx, id, now)).await);
        let found = app
            .context()
            .database
            .read(move |reader| outbox::find(reader, id))
            .await
            .unwrap();
        assert_eq!(found.unwrap().expires_at, expected, "{id}");
    }
    assert!(!write(&app, move |tx| mail::retry(tx, 99, now)).await);
}

#[actix_web::test]
async fn a_queued_warning_outlives_the_account() {
    let app = TestApp::new().await;
    let user = app.create_user(ADDRESS, PASSWORD).await;
    notify(&app, notice(MailKind::AddressChanged, None), OTHER).await;
    request(&app, MailKind::PasswordReset, ADDRESS).await;
    let (id, to) = (user.id, user.email_address);
    assert_eq!(
        write(&app, move |tx| outbox::delete_all_for(tx, id, &to)).await,
        1
    );
    assert_eq!(the_only(app.mails().await).to, OTHER);
}

#[actix_web::test]
async fn entries_about_or_to_a_user_are_deleted_together() {
    let app = TestApp::new().await;
    let user = app.create_user(ADDRESS, PASSWORD).await;
    let other = app.create_user(OTHER, PASSWORD).await;
    request(&app, MailKind::PasswordReset, ADDRESS).await;
    request_change(&app, &user, "three@example.com").await;
    request_change(&app, &other, "four@example.com").await;
    request(&app, MailKind::PasswordReset, OTHER).await;
    let (id, to) = (user.id, user.email_address);
    assert_eq!(
        write(&app, move |tx| outbox::delete_all_for(tx, id, &to)).await,
        2
    );
    let rows = app
        .context()
        .database
        .read(|reader| outbox::list(reader, 10))
        .await
        .unwrap();
    let left: Vec<&str> = rows.iter().map(|row| row.email_address.as_str()).collect();
    assert_eq!(left, [OTHER, "four@example.com"]);
}

#[actix_web::test]
async fn only_a_verified_address_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["password_reset", "new_device", "address_change"] {
        let source = "Subject: Hi\n\nName: {{ name }}.\n";
        std::fs::write(folder.path().join(format!("{kind}.txt")), source).unwrap();
    }
    for verified in [true, false] {
        let server = SmtpServer::start(Behaviour::default());
        let app = TestApp::new().await;
        let user = app.create_user(ADDRESS, PASSWORD).await;
        let id = user.id;
        write(&app, move |tx| {
            let confirmed = if verified { "1" } else { "NULL" };
            tx.execute(
                &format!(
                    "UPDATE users SET name = 'Ada', email_confirmed_at = {confirmed} WHERE id = $1"
                ),
                &[id.into()],
            )
        })
        .await;
        request(&app, MailKind::PasswordReset, ADDRESS).await;
        notify(&app, notice(MailKind::NewDevice, None), ADDRESS).await;
        set_pending(&app, &user, Some(OTHER)).await;
        request_change(&app, &user, OTHER).await;
        let worker = worker(&app, &server, |mail| {
            mail.templates = Some(folder.path().to_owned());
        });
        worker.deliver_due().await.unwrap();
        let received = server.wait_for(3).await;
        for mail in received {
            let named = mail.data.contains("Name: Ada.");
            assert_eq!(named, verified && mail.to == [ADDRESS], "{}", mail.data);
        }
    }
}
