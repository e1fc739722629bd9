//! Resetting a forgotten password.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::config::Secret;
use cloakroom::crypto::{key_ring, signed_link};
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::domain::{Account, EmailAddress, JsonObject, Role, UserId};
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, assert_unusable_addresses_are_refused, count_in,
    delete, digest_of, disable, execute_sql, make_fail, make_succeed, reset_token, seen,
    session_is_valid, signed_in,
};
use crate::support::flows::{Flows, link_token};
use crate::support::process::TestServer;

const QUARTER: Duration = Duration::from_secs(15 * 60);
const MILLISECOND: Duration = Duration::from_millis(1);
const NEW: &str = "another password";

async fn show(app: &TestApp, token: &str) -> Reply {
    app.get(&format!("/v1/passwords/{token}")).send().await
}

#[track_caller]
fn assert_dead(reply: &Reply) {
    assert_refused(reply, 401, "link_invalid");
    assert_eq!(
        reply.json()["errors"],
        json!(["Password reset link is invalid or has expired."])
    );
    assert_eq!(
        reply.json()["error"],
        "Password reset link is invalid or has expired."
    );
}

/// That a link neither shows nor does anything.
async fn assert_void(app: &TestApp, token: &str) {
    assert_dead(&show(app, token).await);
    assert_dead(&app.reset_password(token, "a third password").await);
}

#[actix_web::test]
async fn a_reset_changes_the_password_and_ends_all_sessions() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (second, others) = (app.sign_in_as(&user).await, app.sign_in_as(&other).await);
    let link = reset_token(&app, ONE).await;

    let done = app.reset_password(&link, NEW).await;
    assert_eq!(
        (done.status, done.json()),
        (200, json!({ "message": "Password has been reset." }))
    );
    assert!(!session_is_valid(&app, &token).await && !session_is_valid(&app, &second).await);
    assert!(session_is_valid(&app, &others).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
    assert_eq!(app.sign_in("two@example.com", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_user_without_a_password_can_only_reset_it() {
    let (app, _, token) = signed_in().await;
    execute_sql(&app, "DELETE FROM passwords");
    let refused = app.sign_in(ONE, PASSWORD).await;
    assert_refused(&refused, 401, "invalid_credentials");
    let body = json!({ "password_challenge": PASSWORD, "password": NEW });
    let change = app.put("/v1/user/password").bearer(&token).json(&body);
    assert_eq!(change.send().await.status, 422);
    assert!(session_is_valid(&app, &token).await);

    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
    assert_void(&app, &link).await;
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
}

#[actix_web::test]
async fn a_reset_verifies_the_address_and_notifies() {
    let (app, ..) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM users WHERE email_confirmed_at IS NOT NULL"
        ),
        0
    );
    app.clock().advance(MILLISECOND);
    let body = json!({ "password": NEW, "password_confirmation": NEW });
    let call = app
        .put(&format!("/v1/passwords/{link}"))
        .header("User-Agent", "Browser/1.0");
    assert_eq!(call.json(&body).send().await.status, 200);
    let confirmed = format!(
        "SELECT count(*) FROM users WHERE email_confirmed_at = {0} AND updated_at = {0}",
        (START + MILLISECOND).as_millis()
    );
    assert_eq!(count_in(&app, &confirmed), 1);

    let mails = app.mails().await;
    let notice = mails.last().unwrap();
    assert_eq!((mails.len(), notice.to.as_str()), (2, ONE));
    assert_eq!(notice.subject, "Your password was changed");
    let facts =
        "When: 31 January 2026, 09:30 UTC\nIP address: 127.0.0.1\nBrowser or app: Browser/1.0\n";
    assert!(
        notice.text.contains(facts) && !notice.text.contains("://"),
        "{}",
        notice.text
    );
}

#[actix_web::test]
async fn a_disabled_reset_notice_is_not_sent() {
    let app =
        TestApp::with_settings(|settings| settings.notices.set(MailKind::PasswordChanged, false))
            .await;
    app.create_user(ONE, PASSWORD).await;
    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn patch_equals_put() {
    let (app, ..) = signed_in().await;
    let path = format!("/v1/passwords/{}", reset_token(&app, ONE).await);
    let fields = [("password", NEW), ("password_confirmation", NEW)];
    assert_eq!(app.patch(&path).form(&fields).send().await.status, 200);
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
    assert_dead(&app.patch(&path).form(&fields).send().await);
}

#[actix_web::test]
async fn an_absent_confirmation_is_not_checked() {
    let (app, ..) = signed_in().await;
    let path = format!("/v1/passwords/{}", reset_token(&app, ONE).await);
    assert_eq!(
        app.put(&path)
            .json(&json!({ "password": NEW }))
            .send()
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn a_link_shows_masked_address_and_expiry() {
    let (app, ..) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    let reply = show(&app, &link).await;
    let expected =
        json!({ "email_address": "o…@example.com", "expires_at": (START + QUARTER).to_string() });
    assert_eq!((reply.status, reply.json()), (200, expected));
    // Looking does not use it up: mail scanners look.
    assert_eq!(show(&app, &link).await.status, 200);
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
}

#[actix_web::test]
async fn known_and_unknown_addresses_get_the_same_reply() {
    let (app, ..) = signed_in().await;
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    let mut replies = Vec::new();
    for address in [ONE, "nobody@example.com", "disabled@example.com"] {
        replies.push(seen(&app.request_reset(address).await));
    }
    assert_eq!(
        (replies[0].0, &replies[0].1),
        (
            200,
            &json!({ "message": "Password reset instructions sent" })
        )
    );
    assert!(
        replies.iter().all(|reply| *reply == replies[0]),
        "{replies:?}"
    );
    // The same rows were written for who exists and who does not.
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 3);

    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        [ONE]
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 1);
}

#[actix_web::test]
async fn a_blank_or_malformed_address_is_refused() {
    let (app, ..) = signed_in().await;
    assert_unusable_addresses_are_refused(&app, "/v1/passwords").await;
    let query = app.post("/v1/passwords?email_address=one@example.com");
    assert_faults(&query.send().await, &[("email_address", "can't be blank")]);
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn an_address_is_normalised_before_it_is_looked_up() {
    let (app, ..) = signed_in().await;
    assert_eq!(app.request_reset("  ONE@Example.COM\n").await.status, 200);
    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, ONE));
    assert_eq!(mails[0].subject, "Reset your password");
    assert!(
        mails[0]
            .text
            .contains("This link will expire in 15 minutes."),
        "{}",
        mails[0].text
    );
}

#[actix_web::test]
async fn an_invalid_password_leaves_the_link_valid() {
    let (app, user, token) = signed_in().await;
    let before = digest_of(&app, &user);
    let link = reset_token(&app, ONE).await;
    let path = format!("/v1/passwords/{link}");
    let (long, too_long) = ("a".repeat(257), "is too long (maximum is 256 characters)");
    let cases: [(Value, &[(&str, &str)]); 8] = [
        (json!({}), &[("password", "can't be blank")]),
        (json!({ "password": "" }), &[("password", "can't be blank")]),
        (
            json!({ "password": null, "password_confirmation": null }),
            &[("password", "can't be blank")],
        ),
        (
            json!({ "password": "1234567" }),
            &[("password", "is too short (minimum is 8 characters)")],
        ),
        (json!({ "password": long }), &[("password", too_long)]),
        (
            json!({ "password": "pass\0word" }),
            &[("password", "is invalid")],
        ),
        (
            json!({ "password": NEW, "password_confirmation": "" }),
            &[("password_confirmation", "doesn't match Password")],
        ),
        (
            json!({ "password": NEW, "password_confirmation": PASSWORD }),
            &[("password_confirmation", "doesn't match Password")],
        ),
    ];
    for (body, faults) in cases {
        assert_faults(&app.put(&path).json(&body).send().await, faults);
    }
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(digest_of(&app, &user), before);
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
}

#[actix_web::test]
async fn a_link_works_once() {
    let (app, ..) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
    assert_void(&app, &link).await;
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
}

#[actix_web::test]
async fn using_one_link_revokes_the_others() {
    let (app, ..) = signed_in().await;
    let first = reset_token(&app, ONE).await;
    app.clock().advance(MILLISECOND);
    let second = reset_token(&app, ONE).await;
    assert_ne!(first, second);
    assert_eq!(app.reset_password(&second, PASSWORD).await.status, 200);
    assert_void(&app, &first).await;
    assert_void(&app, &second).await;
}

#[actix_web::test]
async fn a_link_expires_after_exactly_fifteen_minutes() {
    let (app, ..) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    app.clock().set(START + QUARTER);
    assert_void(&app, &link).await;
    app.clock().set(START + QUARTER - MILLISECOND);
    assert_eq!(show(&app, &link).await.status, 200);
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
}

#[actix_web::test]
async fn changed_credentials_revoke_the_link() {
    for sql in [
        "UPDATE passwords SET digest = '$2b$04$another'",
        "DELETE FROM passwords",
        "UPDATE users SET email_address = 'moved@example.com'",
        "UPDATE users SET disabled_at = 1",
        "DELETE FROM users",
    ] {
        let (app, ..) = signed_in().await;
        let link = reset_token(&app, ONE).await;
        execute_sql(&app, sql);
        assert_void(&app, &link).await;
    }
}

#[actix_web::test]
async fn links_of_a_deleted_user_reset_no_later_account() {
    let (app, user, _) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    delete(&app, &user).await;
    app.create_user(ONE, PASSWORD).await;
    assert_void(&app, &link).await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn queued_mails_never_reach_a_later_account() {
    let (app, user, _) = signed_in().await;
    assert_eq!(app.request_reset(ONE).await.status, 200);
    delete(&app, &user).await;
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn malformed_links_are_invalid() {
    let (app, _, session) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    let (payload, signature) = link.split_once('.').unwrap();
    for token in [
        "invalid".to_owned(),
        "undefined".to_owned(),
        "%00".to_owned(),
        "%F0%9F%94%91".to_owned(),
        ".".repeat(3) + "x",
        payload.to_owned(),
        format!("{payload}."),
        format!(".{signature}"),
        format!("{signature}.{payload}"),
        format!("{payload}.{payload}"),
        format!("{link}="),
        format!("{link}.{signature}"),
        format!("{payload}.{}", "A".repeat(43)),
        link[..link.len() - 1].to_owned(),
        session,
        "a".repeat(5000),
    ] {
        assert_void(&app, &token).await;
    }
    assert_eq!(show(&app, &link).await.status, 200);
}

#[actix_web::test]
async fn links_of_previous_but_not_dropped_keys_work() {
    let base = |letter: &str| Secret::from(letter.repeat(32));
    let first = Some(base("a"));
    let home = TestApp::with_settings(|settings| settings.secrets.key_base = first).await;
    let database = &home.context().settings.database;
    let start = async |current: &str, previous: &[&str]| {
        TestApp::with_settings(|settings| {
            settings.database = database.clone();
            settings.secrets.key_base = Some(base(current));
            settings.secrets.previous = previous.iter().map(|letter| base(letter)).collect();
        })
        .await
    };
    let before = start("a", &[]).await;
    before.create_user(ONE, PASSWORD).await;
    let link = reset_token(&before, ONE).await;
    let after = start("b", &["c", "a"]).await;
    assert_eq!(show(&after, &link).await.status, 200);
    assert_void(&start("b", &[]).await, &link).await;
    assert_eq!(after.reset_password(&link, NEW).await.status, 200);
}

#[actix_web::test]
async fn concurrent_uses_of_a_link_have_one_winner() {
    let (app, user, _) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    let replies = join_all((0..50).map(|number| {
        let (app, link) = (app.clone(), link.clone());
        async move {
            app.reset_password(&link, &format!("password {number}"))
                .await
        }
    }))
    .await;
    let winners: Vec<usize> = (0..50)
        .filter(|number| replies[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1);
    replies
        .iter()
        .filter(|reply| reply.status != 200)
        .for_each(assert_dead);
    assert_eq!(
        app.sign_in(ONE, &format!("password {}", winners[0]))
            .await
            .status,
        200
    );
    let left = format!(
        "SELECT count(*) FROM sessions WHERE user_id = {}",
        user.id.0
    );
    assert_eq!(count_in(&app, &left), 1);
}

#[test]
fn concurrent_uses_of_a_link_over_tcp_have_one_winner() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    assert_eq!(
        server
            .request("POST", "/v1/registrations", None, Some(&body))
            .0,
        201
    );
    let secret = std::fs::read_to_string(test_server.path().join("cloakroom.key_base")).unwrap();
    let keys = key_ring::KeyRing::new(Secret::from(secret), vec![]);
    let link = signed_link::sign_reset(
        &keys,
        &stored_account(&test_server),
        START + Duration::from_secs(100 * 365 * 86400),
    );
    let path = format!("/v1/passwords/{link}");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..16)
            .map(|number| {
                let (server, path) = (&server, &path);
                scope.spawn(move || {
                    let body = json!({ "password": format!("password {number}") });
                    server.request("PUT", path, None, Some(&body)).0
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let winners: Vec<usize> = (0..16).filter(|number| statuses[*number] == 200).collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 401].contains(status)),
        "{statuses:?}"
    );
    let body = json!({ "email_address": ONE, "password": format!("password {}", winners[0]) });
    assert_eq!(
        server.request("POST", "/v1/session", None, Some(&body)).0,
        200
    );
    let log = server.wait_for_log("signed_in");
    assert!(
        log.contains("reset_completed") && !log.contains(&link),
        "{log}"
    );
}

/// The only account.
fn stored_account(test_server: &TestServer) -> Account {
    let stored = |column: &str| {
        let sql = format!("SELECT {column} FROM users JOIN passwords ON user_id = id");
        test_server.store().text(&sql).unwrap()
    };
    let id = stored("id").parse().unwrap();
    account(id, &stored("email_address"), stored("digest"))
}

fn account(id: i64, address: &str, digest: String) -> Account {
    Account {
        user: cloakroom::domain::User {
            id: UserId(id),
            email_address: EmailAddress::parse(address).unwrap(),
            email_confirmed_at: None,
            disabled_at: None,
            created_at: START,
            updated_at: START,
            role: Role::User,
            second_factor_due_at: None,
            name: None,
            profile: JsonObject::default(),
            metadata: JsonObject::default(),
            locale: None,
        },
        password_digest: Some(cloakroom::domain::PasswordDigest::new(digest)),
        pending_email_address: None,
        credentials_version: 0,
        links_by_address: true,
    }
}

#[actix_web::test]
async fn reset_racing_a_sign_in_leaves_no_old_session() {
    let (app, user, _) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    let sign_ins = join_all((0..20).map(|_| app.sign_in(ONE, PASSWORD)));
    let (done, _) = futures_util::future::join(app.reset_password(&link, NEW), sign_ins).await;
    assert_eq!(done.status, 200);
    // Earlier sign-ins were ended by the reset, later ones were refused.
    let left = format!(
        "SELECT count(*) FROM sessions WHERE user_id = {}",
        user.id.0
    );
    assert_eq!(count_in(&app, &left), 0);
}

#[actix_web::test]
async fn password_and_sessions_change_atomically() {
    let (app, user, token) = signed_in().await;
    let (before, link) = (digest_of(&app, &user), reset_token(&app, ONE).await);
    make_fail(&app, "DELETE ON sessions");
    assert_refused(&app.reset_password(&link, NEW).await, 500, "internal_error");
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(digest_of(&app, &user), before);
    assert_eq!(
        app.mails().await.len(),
        1,
        "no notice of what did not happen"
    );
    make_succeed(&app);
    assert_eq!(app.reset_password(&link, NEW).await.status, 200);
    assert!(!session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn links_start_with_the_configured_front_end() {
    let app = TestApp::with_settings(|settings| {
        settings.server.frontend_url = "https://app.example.com/account/".parse().unwrap();
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    let mut call = app.post("/v1/passwords");
    for (name, value) in [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "host=evil.example"),
        ("X-Original-URL", "https://evil.example/"),
        ("Origin", "http://localhost:3001"),
        ("Referer", "https://evil.example/"),
    ] {
        call = call.header(name, value);
    }
    let body = json!({ "email_address": ONE, "frontend_url": "https://evil.example" });
    assert_eq!(call.json(&body).send().await.status, 200);
    let mail = app.mails().await.remove(0);
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
    assert!(
        mail.text
            .contains("https://app.example.com/account/passwords/edit#"),
        "{}",
        mail.text
    );
    assert_eq!(mail.text.matches("://").count(), 1, "{}", mail.text);
}

#[actix_web::test]
async fn a_queued_mail_is_not_duplicated() {
    let (app, ..) = signed_in().await;
    for _ in 0..5 {
        assert_eq!(app.request_reset(ONE).await.status, 200);
    }
    assert_eq!(app.mails().await.len(), 1);
    app.request_reset(ONE).await;
    assert_eq!(app.mails().await.len(), 2);
}

#[actix_web::test]
async fn late_mails_do_not_extend_the_link() {
    let (app, ..) = signed_in().await;
    app.request_reset(ONE).await;
    app.clock().set(START + QUARTER - Duration::from_secs(60));
    let mail = app.mails().await.remove(0);
    assert!(mail.text.contains("expire in 1 minute"), "{}", mail.text);
    let link = link_token(&mail.text, "/passwords/edit#");
    assert_eq!(
        show(&app, &link).await.json()["expires_at"],
        (START + QUARTER).to_string()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Of a signed link no bit can be turned.
    #[test]
    fn a_link_with_any_flipped_bit_is_invalid(id in 1_i64.., at in 0_usize..33 + 32, bit in 0_u8..8) {
        let keys = key_ring::KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        let account = account(id, ONE, "$2b$04$digest".to_owned());
        let link = signed_link::sign_reset(&keys, &account, START + QUARTER);
        let read = signed_link::verify_reset(&keys, &link, START).unwrap();
        prop_assert!(read.subject == UserId(id) && signed_link::reset_holds(&read, &account));

        let (payload, signature) = link.split_once('.').unwrap();
        let mut bytes = [payload, signature].map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
        let (part, offset) = if at < 33 { (0, at) } else { (1, at - 33) };
        bytes[part][offset] ^= 1 << bit;
        let turned = bytes.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert!(signed_link::verify_reset(&keys, &turned, START).is_none());
    }

    /// And no other text is one.
    #[test]
    fn arbitrary_text_is_never_a_valid_link(text in "[A-Za-z0-9_-]{0,60}\\.?[A-Za-z0-9_-]{0,60}|\\PC{0,50}") {
        let keys = key_ring::KeyRing::new(Secret::from("k".repeat(32)), vec![]);
        prop_assert!(signed_link::verify_reset(&keys, &text, START).is_none());
    }
}
