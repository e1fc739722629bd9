//! Signing in, and reauthenticating, with a code that is mailed.

use std::net::SocketAddr;
use std::time::Duration;

use cloakroom::config::UnverifiedReset;
use cloakroom::domain::User;
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, execute_sql, make_fail,
    make_succeed, new_token, seen, session_is_valid, text_in,
};
use crate::support::credentials::api_key;
use crate::support::flows::Flows;
use crate::support::mail_code::{
    Asked, Mailed, ask, ask_and_read, last_mailed, other_than, present_code, present_link,
    verify_addresses,
};
use crate::support::passkeys::{device_of, sign_in_with};
use crate::support::second_factor::{assert_second_factor_due, enrol, present};

const TWO: &str = "two@example.com";
const METHODS: &str = "SELECT auth_methods FROM sessions ORDER BY id DESC LIMIT 1";
const OPEN: &str = "SELECT count(*) FROM mail_codes";

/// An app whose user has a verified address.
async fn with_user() -> (TestApp, User) {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify_addresses(&app);
    (app, user)
}

/// The same with a code in the user's mailbox.
async fn with_code() -> (TestApp, User, Asked, Mailed) {
    let (app, user) = with_user().await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    (app, user, asked, mailed)
}

/// Status and body without what differs from reply to reply; whether a cookie is set.
fn shape(reply: &Reply) -> (u16, Vec<String>, Vec<String>) {
    let (status, body, headers) = seen(reply);
    let names = body.as_object().unwrap().keys().cloned().collect();
    let headers = headers
        .into_iter()
        .map(|line| line.split(": ").next().unwrap().to_owned());
    (status, names, headers.collect())
}

#[actix_web::test]
async fn a_mailed_code_starts_a_session() {
    let (app, user, asked, mailed) = with_code().await;
    assert_eq!(mailed.code.len(), 8);
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    let token = new_token(&reply);
    assert_eq!(reply.json()["user"]["id"], user.id.0);
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(text_in(&app, METHODS).as_deref(), Some("otp"));
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    let tokens = app.issue_tokens(&token, "").await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
}

#[actix_web::test]
async fn a_code_is_accepted_as_it_is_typed() {
    let (app, _, asked, mailed) = with_code().await;
    let typed = format!(" {} {} ", &mailed.code[..4], &mailed.code[4..]);
    new_token(&present_code(&app, &format!(" {} ", asked.token), &typed).await);
}

#[actix_web::test]
async fn every_address_gets_the_same_replies() {
    let (app, user) = with_user().await;
    let disabled = app.create_user(TWO, PASSWORD).await;
    disable(&app, &disabled).await;
    let mut shapes = Vec::new();
    for address in [ONE, TWO, "nobody@example.com", "no address", "a@b@c"] {
        let body = json!({ "email_address": address });
        let reply = app
            .post("/v1/session/code")
            .same_origin()
            .json(&body)
            .send()
            .await;
        let mut seen = vec![shape(&reply)];
        app.mails().await;
        let token = reply.json()["request_token"].as_str().unwrap().to_owned();
        for _ in 0..7 {
            seen.push(shape(&present_code(&app, &token, "00000000").await));
        }
        shapes.push(seen);
    }
    assert_eq!((shapes[0][0].0, shapes[0][1].0), (202, 401));
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    assert_eq!(app.mails().await.len(), 1);
    assert_eq!(count_in(&app, OPEN), 5);
    let tried = "SELECT count(*) FROM mail_codes WHERE tries = 5";
    assert_eq!(count_in(&app, tried), 5);
    let theirs = format!("{OPEN} WHERE user_id = {}", user.id.0);
    assert_eq!(count_in(&app, &theirs), 1);
}

#[actix_web::test]
async fn an_unknown_address_leaves_no_trace() {
    let (app, _) = with_user().await;
    ask(&app, "nobody@example.com").await;
    assert_eq!(app.mails().await.len(), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 0);
}

#[actix_web::test]
async fn a_blank_address_is_a_fault_of_the_form() {
    let (app, _) = with_user().await;
    for body in [json!({}), json!({ "email_address": " " })] {
        let reply = app.post("/v1/session/code").json(&body).send().await;
        assert_faults(&reply, &[("email_address", "can't be blank")]);
    }
}

#[actix_web::test]
async fn a_mailed_code_works_once() {
    let (app, _, asked, mailed) = with_code().await;
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
    let again = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&again, 401, "invalid_code");
}

#[actix_web::test]
async fn a_mailed_code_sent_twenty_times_at_once_works_once() {
    let (app, _, asked, mailed) = with_code().await;
    let requests = (0..20).map(|_| present_code(&app, &asked.token, &mailed.code));
    let statuses: Vec<u16> = join_all(requests)
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{statuses:?}");
}

#[actix_web::test]
async fn a_mailed_code_belongs_to_its_request() {
    let (app, _, first, code) = with_code().await;
    let (second, other) = ask_and_read(&app, ONE).await;
    assert_ne!(code, other);
    for (asked, mailed) in [(&first, &other), (&second, &code)] {
        let reply = present_code(&app, &asked.token, &mailed.code).await;
        assert_refused(&reply, 401, "invalid_code");
    }
    for (asked, mailed) in [(&first, &code), (&second, &other)] {
        new_token(&present_code(&app, &asked.token, &mailed.code).await);
    }
}

#[actix_web::test]
async fn five_wrong_codes_void_a_request() {
    let (app, _, asked, mailed) = with_code().await;
    let (second, other) = ask_and_read(&app, ONE).await;
    for code in [&*other_than(&mailed.code), "", "0", "letters!", "٠١٢٣٤٥٦٧"] {
        let reply = present_code(&app, &asked.token, code).await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&reply, 401, "invalid_code");
    new_token(&present_code(&app, &second.token, &other.code).await);
}

#[actix_web::test]
async fn the_fifth_code_may_be_right() {
    let (app, _, asked, mailed) = with_code().await;
    for _ in 0..4 {
        present_code(&app, &asked.token, &other_than(&mailed.code)).await;
    }
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

#[actix_web::test]
async fn a_mailed_code_is_valid_for_ten_minutes() {
    let (app, _, asked, mailed) = with_code().await;
    app.clock().advance(Duration::from_secs(10 * 60 - 1));
    let (second, other) = (&asked, &mailed);
    app.clock().advance(Duration::from_secs(1));
    let reply = present_code(&app, &second.token, &other.code).await;
    assert_refused(&reply, 401, "invalid_code");
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    app.clock().advance(Duration::from_millis(10 * 60_000 - 1));
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

#[actix_web::test]
async fn a_change_of_credentials_voids_open_requests() {
    let change = json!({ "password_challenge": PASSWORD, "password": "another password" });
    for (method, path, body) in [
        ("PUT", "/v1/user/password", change),
        ("DELETE", "/v1/sessions", json!({})),
        ("DELETE", "/v1/sessions?except=current", json!({})),
        (
            "DELETE",
            "/v1/user",
            json!({ "password_challenge": PASSWORD }),
        ),
    ] {
        let (app, user, asked, mailed) = with_code().await;
        let token = app.sign_in_as(&user).await;
        let call = app.call(method.parse().unwrap(), path).bearer(&token);
        assert_eq!(call.json(&body).send().await.status, 200, "{path}");
        let reply = present_code(&app, &asked.token, &mailed.code).await;
        assert_refused(&reply, 401, "invalid_code");
    }
}

#[actix_web::test]
async fn a_disabled_or_moved_account_accepts_no_open_code() {
    let (app, user, asked, mailed) = with_code().await;
    disable(&app, &user).await;
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&reply, 401, "invalid_code");

    // Without the deletion of the row the code is void all the same.
    let (app, _, asked, mailed) = with_code().await;
    let moved = "UPDATE users SET credentials_version = credentials_version + 1";
    execute_sql(&app, moved);
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&reply, 401, "invalid_code");
}

#[actix_web::test]
async fn a_mailed_code_is_no_second_factor() {
    let (app, user) = with_user().await;
    let token = app.sign_in_as(&user).await;
    let authenticator = enrol(&app, &token).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    assert_second_factor_due(&reply);
    let pending = reply.json()["pending_token"].as_str().unwrap().to_owned();
    let (_, second) = ask_and_read(&app, ONE).await;
    for field in ["totp_code", "recovery_code"] {
        let reply = present(&app, &pending, field, &second.code).await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let code = authenticator.next_code(&app);
    new_token(&present(&app, &pending, "totp_code", &code).await);
    assert_eq!(text_in(&app, METHODS).as_deref(), Some("otp mfa"));
    let again = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&again, 401, "invalid_code");
}

#[actix_web::test]
async fn the_longer_lifetime_is_asked_for_with_the_mail() {
    for remember in [false, true] {
        let (app, _) = with_user().await;
        let body = json!({ "email_address": ONE, "remember": remember });
        let reply = app.post("/v1/session/code").json(&body).send().await;
        let asked = reply.json()["request_token"].as_str().unwrap().to_owned();
        let mailed = last_mailed(&app, ONE).await;
        new_token(&present_code(&app, &asked, &mailed.code).await);
        let remembered = count_in(&app, "SELECT remembered FROM sessions");
        assert_eq!(remembered, i64::from(remember));
    }
}

#[actix_web::test]
async fn a_mail_that_is_sent_again_has_the_same_code() {
    let (app, _, asked, mailed) = with_code().await;
    execute_sql(
        &app,
        "UPDATE outbox SET sent_at = NULL, next_attempt_at = 0",
    );
    let again = last_mailed(&app, ONE).await;
    assert_eq!(app.mails().await.len(), 2);
    assert_eq!(again.code, mailed.code);
    new_token(&present_code(&app, &asked.token, &again.code).await);
    execute_sql(
        &app,
        "UPDATE outbox SET sent_at = NULL, next_attempt_at = 0",
    );
    assert_eq!(app.mails().await.len(), 2, "its request has ended");
}

#[actix_web::test]
async fn a_code_that_no_mail_has_is_refused() {
    let (app, _) = with_user().await;
    let asked = ask(&app, ONE).await;
    let token = cloakroom::crypto::token::PlainToken::parse(
        cloakroom::crypto::token::TokenKind::MailCode,
        &asked.token,
    );
    let request = token.unwrap().digest();
    let key_ring = &app.context().key_ring;
    let code = cloakroom::crypto::mail_code::MailCode::of_request(key_ring, &request);
    let reply = present_code(&app, &asked.token, code.reveal()).await;
    assert_refused(&reply, 401, "invalid_code");
    let mailed = last_mailed(&app, ONE).await;
    assert_eq!(mailed.code, code.reveal());
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

#[actix_web::test]
async fn a_failing_database_costs_no_try() {
    let (app, _, asked, mailed) = with_code().await;
    make_fail(&app, "INSERT ON sessions");
    for _ in 0..6 {
        let reply = present_code(&app, &asked.token, &mailed.code).await;
        assert!(reply.status >= 500, "{}", reply.text());
    }
    make_succeed(&app);
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

/// An account that another person made with the owner's address, with all that stays: a password, an app, a passkey, a
/// key.
async fn squatted(unverified: UnverifiedReset) -> (TestApp, User, [String; 2]) {
    let app = TestApp::with_settings(|settings| {
        settings.registration.confirm = cloakroom::config::Confirm::Remind;
        settings.registration.unverified_reset = unverified;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    enrol(&app, &session).await;
    device_of(&app, &user).await;
    let key = api_key(&app, Some(&user), "projects:read").await;
    (app, user, [session, key])
}

#[actix_web::test]
async fn the_first_proof_removes_what_another_person_set_up() {
    let (app, user, [session, key]) = squatted(UnverifiedReset::Keep).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    let owner = new_token(&reply);
    assert_eq!(reply.json()["user"]["id"], user.id.0);
    assert_eq!(reply.json()["user"]["email_confirmed"], true);
    assert!(!session_is_valid(&app, &session).await);
    let used = app
        .get("/v1/projects")
        .header("X-API-Key", &key)
        .send()
        .await;
    assert_refused(&used, 401, "invalid_api_key");
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_refused(&reply, 401, "invalid_credentials");
    for table in ["passwords", "totp_factors", "recovery_codes", "passkeys"] {
        let left = count_in(&app, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(left, 0, "{table}");
    }
    assert!(session_is_valid(&app, &owner).await);
    let mails = app.mails().await;
    for removed in [
        "The password of your account was removed",
        "The authenticator app of your account was removed",
        "A passkey of your account was removed",
    ] {
        let notices = mails.iter().filter(|mail| mail.subject == removed);
        let recipients: Vec<_> = notices.map(|mail| &*mail.to).collect();
        assert_eq!(recipients, [ONE], "{removed}");
    }
}

#[actix_web::test]
async fn a_first_proof_replaces_the_account_if_so_configured() {
    let (app, user, [session, _]) = squatted(UnverifiedReset::Replace).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let reply = present_code(&app, &asked.token, &mailed.code).await;
    assert!(session_is_valid(&app, &new_token(&reply)).await);
    assert_ne!(reply.json()["user"]["id"], user.id.0);
    assert!(!session_is_valid(&app, &session).await);
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_refused(&reply, 401, "invalid_credentials");
}

#[actix_web::test]
async fn a_wrong_code_proves_no_address() {
    let (app, _, [session, _]) = squatted(UnverifiedReset::Keep).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    present_code(&app, &asked.token, &other_than(&mailed.code)).await;
    assert!(session_is_valid(&app, &session).await);
    let verified = "SELECT count(*) FROM users WHERE email_confirmed_at IS NOT NULL";
    assert_eq!(count_in(&app, verified), 0);
}

#[actix_web::test]
async fn a_verified_account_keeps_all_it_has() {
    let (app, user) = with_user().await;
    let session = app.sign_in_as(&user).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
    assert!(session_is_valid(&app, &session).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn many_requests_leave_the_open_ones_alone() {
    let (app, user, asked, mailed) = with_code().await;
    for _ in 0..30 {
        ask(&app, ONE).await;
    }
    // Ten are open: the owner's and nine others.
    assert_eq!(app.mails().await.len(), 10);
    let bound = format!("{OPEN} WHERE user_id = {}", user.id.0);
    assert_eq!(count_in(&app, &bound), 10);
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

async fn ask_from(app: &TestApp, address: &str, network: u8) -> u16 {
    let peer: SocketAddr = format!("198.51.{network}.7:5000").parse().unwrap();
    let body = json!({ "email_address": address });
    let call = app.post("/v1/session/code").json(&body).from(peer);
    call.send().await.status
}

#[actix_web::test]
async fn a_network_that_asks_often_stops_no_other() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.mail_codes = "2 in 15m".parse().unwrap();
        settings.throttle.mail_code_mails = "4 in 15m".parse().unwrap();
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    for address in [ONE, "nobody@example.com"] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(ask_from(&app, address, 1).await);
        }
        assert_eq!(statuses, [202, 202, 429], "{address}");
    }
    assert_eq!(ask_from(&app, ONE, 2).await, 202);
    assert_eq!(app.mails().await.len(), 3);
    // All networks together: no further mail, and the same reply.
    for network in 3..6 {
        assert_eq!(ask_from(&app, ONE, network).await, 202);
    }
    assert_eq!(app.mails().await.len(), 4);
}

#[actix_web::test]
async fn requests_and_tries_are_limited_per_client() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.mail_code = "3 in 3m".parse().unwrap();
        settings.throttle.sign_in = "4 in 3m".parse().unwrap();
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    verify_addresses(&app);
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
    for address in ["a@example.com", "b@example.com"] {
        ask(&app, address).await;
    }
    let body = json!({ "email_address": "c@example.com" });
    let reply = app.post("/v1/session/code").json(&body).send().await;
    assert_refused(&reply, 429, "rate_limited");
    for _ in 0..4 {
        let reply = present_code(&app, "crm_", "00000000").await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let reply = present_code(&app, "crm_", "00000000").await;
    assert_refused(&reply, 429, "rate_limited");
}

#[actix_web::test]
async fn without_the_setting_no_code_is_mailed_or_accepted() {
    let app = TestApp::with_settings(|settings| settings.sign_in.mail_code = false).await;
    app.create_user(ONE, PASSWORD).await;
    for path in ["/v1/session/code", "/v1/session/code/check"] {
        let body = json!({ "email_address": ONE, "token": "x" });
        let reply = app.post(path).json(&body).send().await;
        assert_refused(&reply, 404, "not_found");
    }
    let reply = present_code(&app, "crm_", "00000000").await;
    assert_refused(&reply, 401, "invalid_credentials");
    let body = json!({ "link_token": "x" });
    let reply = app.post("/v1/session").json(&body).send().await;
    assert_refused(&reply, 401, "invalid_credentials");
    let token = app.sign_in(ONE, PASSWORD).await;
    let body = json!({ "mail_code": "00000000", "request_token": "crm_" });
    let reply = reauthenticate(&app, &new_token(&token), &body).await;
    assert_faults(&reply, &[("password", "can't be blank")]);
}

async fn reauthenticate(app: &TestApp, session: &str, body: &serde_json::Value) -> Reply {
    let call = app.post("/v1/session/reauthenticate").bearer(session);
    call.json(body).send().await
}

#[actix_web::test]
async fn a_user_without_another_proof_reauthenticates_by_mail() {
    let (app, _, asked, mailed) = with_code().await;
    execute_sql(&app, "DELETE FROM passwords");
    let session = new_token(&present_code(&app, &asked.token, &mailed.code).await);
    let password = json!({ "password": "a first password" });
    let set = |token: &str| {
        app.put("/v1/user/password")
            .bearer(token)
            .json(&password)
            .send()
    };
    assert_faults(
        &set(&session).await,
        &[("password_challenge", "can't be blank")],
    );

    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let wrong = json!({ "mail_code": other_than(&mailed.code), "request_token": asked.token });
    let reply = reauthenticate(&app, &session, &wrong).await;
    assert_faults(&reply, &[("mail_code", "is incorrect")]);
    let right = json!({ "mail_code": mailed.code, "request_token": asked.token });
    let renewed = new_token(&reauthenticate(&app, &session, &right).await);
    assert_eq!(text_in(&app, METHODS).as_deref(), Some("otp"));
    let reply = reauthenticate(&app, &renewed, &right).await;
    assert_faults(&reply, &[("mail_code", "is incorrect")]);
    assert_eq!(set(&renewed).await.status, 200);
    assert_eq!(app.sign_in(ONE, "a first password").await.status, 200);
}

#[actix_web::test]
async fn a_mailed_code_reauthenticates_no_user_with_a_password() {
    let (app, user, asked, mailed) = with_code().await;
    let session = app.sign_in_as(&user).await;
    let body = json!({ "mail_code": mailed.code, "request_token": asked.token });
    let reply = reauthenticate(&app, &session, &body).await;
    let message = "can't be used: present the password or a second factor";
    assert_faults(&reply, &[("mail_code", message)]);
    enrol(&app, &session).await;
    execute_sql(&app, "DELETE FROM passwords");
    let reply = reauthenticate(&app, &session, &body).await;
    assert_faults(&reply, &[("mail_code", message)]);
}

#[actix_web::test]
async fn a_mailed_code_reauthenticates_its_user_only() {
    let (app, _) = with_user().await;
    let other = app.create_user(TWO, PASSWORD).await;
    execute_sql(&app, "DELETE FROM passwords");
    let session = app.sign_in_as(&other).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let body = json!({ "mail_code": mailed.code, "request_token": asked.token });
    let reply = reauthenticate(&app, &session, &body).await;
    assert_faults(&reply, &[("mail_code", "is incorrect")]);
}

#[actix_web::test]
async fn a_code_from_before_a_change_reauthenticates_no_user() {
    let (app, user) = with_user().await;
    execute_sql(&app, "DELETE FROM passwords");
    let session = app.sign_in_as(&user).await;
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    // A mail that was on its way while the credentials changed.
    let version = "UPDATE users SET credentials_version = credentials_version +";
    let body = json!({ "mail_code": mailed.code, "request_token": asked.token });
    execute_sql(&app, &format!("{version} 1"));
    let reply = reauthenticate(&app, &session, &body).await;
    assert_faults(&reply, &[("mail_code", "is incorrect")]);
    execute_sql(&app, &format!("{version} -1"));
    new_token(&reauthenticate(&app, &session, &body).await);
}

#[actix_web::test]
async fn wrong_codes_of_a_day_are_limited_over_requests() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.mail_code_guesses = "7 in 1d".parse().unwrap();
        settings.throttle.sign_in = "1000 in 3m".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify_addresses(&app);
    for tries in [4, 3] {
        let (asked, mailed) = ask_and_read(&app, ONE).await;
        for _ in 0..tries {
            let reply = present_code(&app, &asked.token, &other_than(&mailed.code)).await;
            assert_refused(&reply, 401, "invalid_code");
        }
    }
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let refused = present_code(&app, &asked.token, &mailed.code).await;
    let unknown = present_code(&app, &ask(&app, TWO).await.token, "00000000").await;
    assert_eq!(seen(&refused), seen(&unknown));
    // Every other way in is open.
    let by_link = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    let session = new_token(&by_link);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    let (device, _) = device_of(&app, &user).await;
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
    // Neither does a code reauthenticate.
    execute_sql(&app, "DELETE FROM passwords");
    execute_sql(&app, "DELETE FROM passkeys");
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    let body = json!({ "mail_code": mailed.code, "request_token": asked.token });
    let reply = reauthenticate(&app, &session, &body).await;
    assert_faults(&reply, &[("mail_code", "is incorrect")]);

    app.clock().advance(Duration::from_secs(24 * 3600));
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

#[actix_web::test]
async fn a_wrong_code_is_counted_for_an_unknown_address_too() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    app.create_user(ONE, PASSWORD).await;
    let counted = "SELECT count(*) FROM throttles WHERE name LIKE 'mail_code_guesses%'";
    for (address, count) in [(ONE, 1), (TWO, 2)] {
        let asked = ask(&app, address).await;
        let reply = present_code(&app, &asked.token, "00000000").await;
        assert_refused(&reply, 401, "invalid_code");
        assert_eq!(count_in(&app, counted), count, "{address}");
    }
}

#[actix_web::test]
async fn right_codes_do_not_use_up_the_limit_of_a_day() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.mail_code_guesses = "1 in 1d".parse().unwrap();
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    verify_addresses(&app);
    for _ in 0..3 {
        let (asked, mailed) = ask_and_read(&app, ONE).await;
        new_token(&present_code(&app, &asked.token, &mailed.code).await);
    }
}

#[actix_web::test]
async fn a_password_in_the_form_comes_before_a_code() {
    let (app, _, asked, mailed) = with_code().await;
    let body = json!({
        "email_address": ONE, "password": "wrong", "request_token": asked.token, "code": mailed.code,
    });
    let reply = app.post("/v1/session").json(&body).send().await;
    assert_refused(&reply, 401, "invalid_credentials");
    let body = json!({ "email_address": ONE, "request_token": asked.token, "code": mailed.code });
    new_token(&app.post("/v1/session").json(&body).send().await);
}

#[actix_web::test]
async fn codes_are_accepted_from_a_form() {
    let (app, _, asked, mailed) = with_code().await;
    let fields = [
        ("email_address", ONE),
        ("password", ""),
        ("request_token", &asked.token),
        ("code", &mailed.code),
        ("link_token", ""),
    ];
    new_token(&app.post("/v1/session").form(&fields).send().await);
}
