//! Signing in with a second factor.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::accounts::administration::{self, FactorNotices};
use cloakroom::audit::Source;
use cloakroom::context::commit;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::User;
use cloakroom::http::Access;
use cloakroom::store::users;
use cloakroom::testing::TestApp;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::docs::blocks::blocks_in;
use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, confirmation_token, count_in, disable, new_token,
    reset_token, session_is_valid, signed_in, text_in,
};
use crate::support::callers::Fixture;
use crate::support::flows::Flows;
use crate::support::route_cases::cases;
use crate::support::second_factor::{
    Authenticator, assert_second_factor_due, enrol, pending_sign_in, present, reauthenticate,
};

/// An app whose user has an authenticator app that shows a new code.
async fn with_second_factor() -> (TestApp, Authenticator) {
    let (app, _, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    app.clock().advance(Duration::from_secs(30));
    (app, authenticator)
}

/// Verifies the address, so that a reset keeps the second factor.
async fn confirm(app: &TestApp) {
    let link = confirmation_token(app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
}

const FAILURES: &str =
    "SELECT coalesce(max(count), 0) FROM throttles WHERE name LIKE 'second_factor:%'";

#[actix_web::test]
async fn a_code_after_the_password_starts_a_session() {
    let (app, authenticator) = with_second_factor().await;
    let pending = pending_sign_in(&app, ONE).await;
    let reply = present(&app, &pending, "totp_code", &authenticator.code(&app)).await;
    assert!(session_is_valid(&app, &new_token(&reply)).await);
    assert_eq!(reply.json()["user"]["email_address"], ONE);
    let methods = "SELECT auth_methods FROM sessions ORDER BY id DESC LIMIT 1";
    assert_eq!(text_in(&app, methods).as_deref(), Some("pwd otp mfa"));
}

#[actix_web::test]
async fn a_password_alone_starts_no_session() {
    let (app, _) = with_second_factor().await;
    let before = count_in(&app, "SELECT count(*) FROM sessions");
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_second_factor_due(&reply);
    assert_eq!(reply.header("set-cookie"), None);
    let body = reply.json();
    assert!(body["pending_token"].as_str().unwrap().starts_with("crp_"));
    assert_eq!(body["methods"], json!(["totp_code", "recovery_code"]));
    assert!(body["expires_at"].is_string());
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), before);
}

#[actix_web::test]
async fn the_guide_shows_the_reply_to_the_first_step() {
    let (app, _) = with_second_factor().await;
    let [shown]: [String; 1] = blocks_in("docs/guides/second-factors.md", "json")
        .try_into()
        .unwrap();
    let mut shown: Value = serde_json::from_str(&shown).unwrap();
    let reply = app.sign_in(ONE, PASSWORD).await.json();
    for name in ["pending_token", "expires_at", "request_id"] {
        assert!(shown[name].is_string());
        shown[name] = reply[name].clone();
    }
    assert_eq!(shown, reply);
}

#[actix_web::test]
async fn a_password_alone_gets_no_tokens() {
    let (app, authenticator) = with_second_factor().await;
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let reply = app.post("/v1/tokens").json(&body).send().await;
    assert_second_factor_due(&reply);
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
    let pending = reply.json()["pending_token"].as_str().unwrap().to_owned();
    let reply = present(&app, &pending, "totp_code", &authenticator.code(&app)).await;
    let tokens = app.issue_tokens(&new_token(&reply), "").await;
    assert_eq!(tokens.status, 200, "{}", tokens.text());
}

#[actix_web::test]
async fn a_wrong_password_reveals_no_second_factor() {
    let (app, _) = with_second_factor().await;
    for (address, password) in [(ONE, "wrong"), ("nobody@example.com", PASSWORD)] {
        let reply = app.sign_in(address, password).await;
        assert_refused(&reply, 401, "invalid_credentials");
    }
}

#[actix_web::test]
async fn a_recovery_code_works_once_and_is_reported() {
    let (app, authenticator) = with_second_factor().await;
    let code = &authenticator.recovery_codes[0];
    let pending = pending_sign_in(&app, ONE).await;
    let reply = present(&app, &pending, "recovery_code", &code.replace('-', " ")).await;
    new_token(&reply);
    let mails = app.mails().await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.subject == "A recovery code was used for your account")
    );
    let pending = pending_sign_in(&app, ONE).await;
    let again = present(&app, &pending, "recovery_code", code).await;
    assert_refused(&again, 401, "invalid_code");
    let other = present(
        &app,
        &pending,
        "recovery_code",
        &authenticator.recovery_codes[1],
    )
    .await;
    new_token(&other);
}

#[actix_web::test]
async fn a_code_works_once() {
    let (app, authenticator) = with_second_factor().await;
    let code = authenticator.code(&app);
    let [first, second] = [
        pending_sign_in(&app, ONE).await,
        pending_sign_in(&app, ONE).await,
    ];
    new_token(&present(&app, &first, "totp_code", &code).await);
    let again = present(&app, &second, "totp_code", &code).await;
    assert_refused(&again, 401, "invalid_code");
    let next = authenticator.next_code(&app);
    new_token(&present(&app, &second, "totp_code", &next).await);
}

#[actix_web::test]
async fn a_code_sent_twenty_times_at_once_works_once() {
    let (app, authenticator) = with_second_factor().await;
    let code = authenticator.code(&app);
    let mut pending = Vec::new();
    for _ in 0..5 {
        pending.push(pending_sign_in(&app, ONE).await);
    }
    let requests = (0..20).map(|at| present(&app, &pending[at % 5], "totp_code", &code));
    let replies = join_all(requests).await;
    let accepted = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(accepted, 1);
    assert!(
        replies
            .iter()
            .all(|reply| [200, 401].contains(&reply.status))
    );
}

#[actix_web::test]
async fn codes_of_other_times_are_refused() {
    let (app, authenticator) = with_second_factor().await;
    app.clock().advance(Duration::from_secs(60));
    let (now, pending) = (app.clock().now(), pending_sign_in(&app, ONE).await);
    let step = Duration::from_secs(30);
    for time in [now - 2 * step, now + step, now + 2 * step] {
        let code = authenticator.secret.code_at(time);
        let reply = present(&app, &pending, "totp_code", &code).await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let code = authenticator.secret.code_at(now - step);
    new_token(&present(&app, &pending, "totp_code", &code).await);
}

#[actix_web::test]
async fn five_wrong_codes_end_a_pending_sign_in() {
    let (app, authenticator) = with_second_factor().await;
    let pending = pending_sign_in(&app, ONE).await;
    for _ in 0..5 {
        let reply = present(&app, &pending, "totp_code", "000000").await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let reply = present(&app, &pending, "totp_code", &authenticator.code(&app)).await;
    assert_refused(&reply, 401, "pending_sign_in_invalid");
}

#[actix_web::test]
async fn wrong_codes_are_limited_per_user() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.second_factor = "3 in 15m".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let authenticator = enrol(&app, &token).await;
    let code = authenticator.next_code(&app);
    for _ in 0..3 {
        let pending = pending_sign_in(&app, ONE).await;
        let reply = present(&app, &pending, "totp_code", "000000").await;
        assert_refused(&reply, 401, "invalid_code");
    }
    let pending = pending_sign_in(&app, ONE).await;
    let reply = present(&app, &pending, "totp_code", &code).await;
    assert_refused(&reply, 429, "rate_limited");
    assert!(session_is_valid(&app, &token).await);
    app.clock().advance(Duration::from_secs(15 * 60));
    let pending = pending_sign_in(&app, ONE).await;
    let code = authenticator.code(&app);
    new_token(&present(&app, &pending, "totp_code", &code).await);
    assert_eq!(count_in(&app, FAILURES), 0);
}

#[actix_web::test]
async fn a_recovery_code_works_beyond_the_limit_of_codes() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.second_factor = "1 in 15m".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let authenticator = enrol(&app, &app.sign_in_as(&user).await).await;
    let pending = pending_sign_in(&app, ONE).await;
    present(&app, &pending, "totp_code", "000000").await;
    let code = authenticator.next_code(&app);
    let limited = present(&app, &pending, "totp_code", &code).await;
    assert_refused(&limited, 429, "rate_limited");
    let code = &authenticator.recovery_codes[0];
    new_token(&present(&app, &pending, "recovery_code", code).await);
}

/// The rows of a limit that count.
fn counted(app: &TestApp, limit: &str) -> i64 {
    let sql = "SELECT coalesce(max(count), 0) FROM throttles WHERE name LIKE";
    count_in(app, &format!("{sql} '{limit}'"))
}

/// An app that admits four codes a month, in which the user's app is set up.
async fn with_four_codes() -> (TestApp, User, Authenticator) {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.second_factor_guesses = "4 in 30d".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let authenticator = enrol(&app, &app.sign_in_as(&user).await).await;
    (app, user, authenticator)
}

/// Presents wrong codes, over days.
async fn guess(app: &TestApp, times: u32) {
    for _ in 0..times {
        app.clock().advance(Duration::from_secs(24 * 3600));
        let pending = pending_sign_in(app, ONE).await;
        let reply = present(app, &pending, "totp_code", "000000").await;
        assert_refused(&reply, 401, "invalid_code");
    }
}

#[actix_web::test]
async fn codes_are_limited_over_a_month_too() {
    let (app, _, authenticator) = with_four_codes().await;
    let subject = "Codes for your account are refused for now";
    guess(&app, 3).await;
    assert!(app.mails().await.iter().all(|mail| mail.subject != subject));
    guess(&app, 1).await;
    let mails = app.mails().await;
    let told = mails.iter().filter(|mail| mail.subject == subject).count();
    assert_eq!(told, 1);
    app.clock().advance(Duration::from_secs(24 * 3600));
    let pending = pending_sign_in(&app, ONE).await;
    let code = authenticator.code(&app);
    let reply = present(&app, &pending, "totp_code", &code).await;
    assert_refused(&reply, 429, "rate_limited");
    let code = &authenticator.recovery_codes[0];
    new_token(&present(&app, &pending, "recovery_code", code).await);
    let pending = pending_sign_in(&app, ONE).await;
    let code = authenticator.next_code(&app);
    new_token(&present(&app, &pending, "totp_code", &code).await);
    assert_eq!(counted(&app, "second_factor_guesses:%"), 0);
}

#[actix_web::test]
async fn a_month_later_codes_are_admitted_again() {
    let (app, _, authenticator) = with_four_codes().await;
    guess(&app, 4).await;
    app.clock().advance(Duration::from_secs(30 * 24 * 3600));
    let pending = pending_sign_in(&app, ONE).await;
    let code = authenticator.code(&app);
    new_token(&present(&app, &pending, "totp_code", &code).await);
}

#[actix_web::test]
async fn without_the_password_no_code_is_counted() {
    let (app, user, authenticator) = with_four_codes().await;
    for _ in 0..5 {
        assert_refused(&app.sign_in(ONE, "wrong").await, 401, "invalid_credentials");
        let made_up = PlainToken::generate(TokenKind::PendingSignIn).unwrap();
        let reply = present(&app, made_up.reveal(), "totp_code", "000000").await;
        assert_refused(&reply, 401, "pending_sign_in_invalid");
    }
    // A thief of a session does not know the password either.
    let token = app.sign_in_as(&user).await;
    for status in [422, 422, 422, 422, 429] {
        let reply = reauthenticate(&app, &token, "totp_code", "000000").await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    let pending = pending_sign_in(&app, ONE).await;
    let code = authenticator.next_code(&app);
    new_token(&present(&app, &pending, "totp_code", &code).await);
}

#[actix_web::test]
async fn a_reset_of_the_factors_clears_their_limits() {
    let (app, user, _) = with_four_codes().await;
    guess(&app, 4).await;
    assert_eq!(counted(&app, "second_factor_guesses:%"), 4);
    let (id, now) = (user.id, app.clock().now());
    let reset = commit(
        &app.context().database,
        &app.context().recorder,
        Source::OPERATOR,
        move |change| {
            let account = users::find(change, id)?.unwrap();
            let notices = FactorNotices {
                totp: None,
                passkeys: None,
            };
            administration::reset_factors(change, &account, &notices, now)
        },
    );
    assert!(reset.await.unwrap().value.removed);
    assert_eq!(counted(&app, "second_factor%"), 0);
}

#[actix_web::test]
async fn an_attacker_cannot_end_the_owners_pending_sign_in() {
    let (app, authenticator) = with_second_factor().await;
    let owner = pending_sign_in(&app, ONE).await;
    for _ in 0..30 {
        pending_sign_in(&app, ONE).await;
    }
    let code = authenticator.code(&app);
    new_token(&present(&app, &owner, "totp_code", &code).await);
}

#[actix_web::test]
async fn three_wrong_codes_notify_the_owner_once() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    enrol(&app, &app.sign_in_as(&user).await).await;
    let pending = pending_sign_in(&app, ONE).await;
    let subject = "Sign-in to your account failed at the second step";
    for expected in [0, 0, 1, 1, 1] {
        present(&app, &pending, "totp_code", "000000").await;
        let mails = app.mails().await;
        let told = mails.iter().filter(|mail| mail.subject == subject).count();
        assert_eq!(told, expected);
    }
}

#[actix_web::test]
async fn a_right_password_is_no_failure_of_the_address() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    enrol(&app, &app.sign_in_as(&user).await).await;
    for _ in 0..3 {
        assert_refused(&app.sign_in(ONE, "wrong").await, 401, "invalid_credentials");
    }
    let counted =
        "SELECT coalesce(max(count), 0) FROM throttles WHERE name LIKE 'address_failures:%'";
    assert_eq!(count_in(&app, counted), 3);
    pending_sign_in(&app, ONE).await;
    assert_eq!(count_in(&app, counted), 0);
}

#[actix_web::test]
async fn a_pending_sign_in_ends_after_ten_minutes() {
    let (app, authenticator) = with_second_factor().await;
    let pending = pending_sign_in(&app, ONE).await;
    app.clock().advance(Duration::from_secs(600));
    let reply = present(&app, &pending, "totp_code", &authenticator.code(&app)).await;
    assert_refused(&reply, 401, "pending_sign_in_invalid");
}

#[actix_web::test]
async fn a_finished_sign_in_is_not_finished_again() {
    let (app, authenticator) = with_second_factor().await;
    let pending = pending_sign_in(&app, ONE).await;
    new_token(&present(&app, &pending, "totp_code", &authenticator.code(&app)).await);
    let code = authenticator.next_code(&app);
    let reply = present(&app, &pending, "totp_code", &code).await;
    assert_refused(&reply, 401, "pending_sign_in_invalid");
}

#[actix_web::test]
async fn a_reset_password_ends_pending_sign_ins() {
    let (app, authenticator) = with_second_factor().await;
    confirm(&app).await;
    let pending = pending_sign_in(&app, ONE).await;
    let link = reset_token(&app, ONE).await;
    let reset = app.reset_password(&link, "another password").await;
    assert_eq!(reset.status, 200, "{}", reset.text());
    for code in ["000000", &authenticator.code(&app)] {
        let reply = present(&app, &pending, "totp_code", code).await;
        assert_refused(&reply, 401, "pending_sign_in_invalid");
    }
    let reply = app.sign_in(ONE, "another password").await;
    assert_second_factor_due(&reply);
}

#[actix_web::test]
async fn the_end_of_all_sessions_ends_pending_sign_ins() {
    for path in ["/v1/sessions", "/v1/sessions?except=current"] {
        let (app, user, token) = signed_in().await;
        let authenticator = enrol(&app, &token).await;
        let session = app.sign_in_as(&user).await;
        let pending = pending_sign_in(&app, ONE).await;
        let ended = app.delete(path).bearer(&session).send().await;
        assert_eq!(ended.status, 200, "{}", ended.text());
        let code = authenticator.next_code(&app);
        let reply = present(&app, &pending, "totp_code", &code).await;
        assert_refused(&reply, 401, "pending_sign_in_invalid");
    }
}

#[actix_web::test]
async fn a_disabled_user_finishes_no_sign_in() {
    let (app, user, token) = signed_in().await;
    let authenticator = enrol(&app, &token).await;
    let pending = pending_sign_in(&app, ONE).await;
    disable(&app, &user).await;
    let code = authenticator.next_code(&app);
    let reply = present(&app, &pending, "totp_code", &code).await;
    assert_refused(&reply, 401, "pending_sign_in_invalid");
}

#[actix_web::test]
async fn a_pending_sign_in_keeps_the_longer_lifetime() {
    let (app, authenticator) = with_second_factor().await;
    let body = json!({ "email_address": ONE, "password": PASSWORD, "remember": true });
    let reply = app.post("/v1/session").json(&body).send().await;
    let pending = reply.json()["pending_token"].as_str().unwrap().to_owned();
    new_token(&present(&app, &pending, "totp_code", &authenticator.code(&app)).await);
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM sessions WHERE remembered = 1"),
        1
    );
}

#[actix_web::test]
async fn a_second_step_can_set_the_cookie() {
    let (app, authenticator) = with_second_factor().await;
    let body = json!({
        "pending_token": pending_sign_in(&app, ONE).await,
        "totp_code": authenticator.code(&app),
        "transport": "cookie",
    });
    let call = |origin: &str| {
        app.post("/v1/session/second_factor")
            .json(&body)
            .header("Sec-Fetch-Site", origin)
    };
    assert_refused(&call("cross-site").send().await, 403, "cross_origin");
    let reply = call("same-origin").send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json().get("token"), None);
    assert!(reply.header("set-cookie").is_some());
}

#[actix_web::test]
async fn one_factor_is_presented_at_a_time() {
    let (app, authenticator) = with_second_factor().await;
    let pending = pending_sign_in(&app, ONE).await;
    let neither = json!({ "pending_token": pending });
    let reply = app
        .post("/v1/session/second_factor")
        .json(&neither)
        .send()
        .await;
    assert_faults(&reply, &[("totp_code", "can't be blank")]);
    let empty = json!({ "pending_token": pending, "totp_code": "", "recovery_code": "" });
    let reply = app
        .post("/v1/session/second_factor")
        .json(&empty)
        .send()
        .await;
    assert_faults(&reply, &[("totp_code", "can't be blank")]);
    let both = json!({
        "pending_token": pending,
        "totp_code": authenticator.code(&app),
        "recovery_code": authenticator.recovery_codes[0],
    });
    let reply = app
        .post("/v1/session/second_factor")
        .json(&both)
        .send()
        .await;
    assert_faults(
        &reply,
        &[("recovery_code", "can't be sent with another factor")],
    );
}

#[actix_web::test]
async fn no_route_accepts_a_pending_sign_in_as_a_credential() {
    let fixture = Fixture::new().await;
    let app = &fixture.app;
    let pending = fixture.pending_token.clone();
    for case in cases()
        .iter()
        .filter(|case| case.access() != Access::Public)
    {
        for method in case.methods() {
            let call = || {
                app.call(method.clone(), &fixture.path(case.path))
                    .json(&fixture.body(case))
            };
            let place = format!("{method} {}", case.path);
            let reply = call().bearer(&pending).send().await;
            assert_eq!(
                (reply.status, &reply.json()["code"]),
                (401, &json!("token_invalid")),
                "{place}"
            );
            let reply = call().header("X-API-Key", &pending).send().await;
            assert_eq!(
                (reply.status, &reply.json()["code"]),
                (401, &json!("invalid_api_key")),
                "{place}"
            );
            if method != Method::OPTIONS {
                let reply = call()
                    .cookie(&pending)
                    .header("Sec-Fetch-Site", "same-origin")
                    .send()
                    .await;
                assert_eq!(reply.status, 401, "{place}");
            }
        }
    }
    assert_refused(&app.refresh(&pending).await, 400, "invalid_grant");
    let body = json!({ "token": pending });
    assert_eq!(
        app.post("/v1/tokens/revoke")
            .json(&body)
            .send()
            .await
            .status,
        200
    );
    let code = fixture.totp_code();
    new_token(&present(app, &pending, "totp_code", &code).await);
}

/// In each place where a public route reads something: as a credential, in the path and in each field of the body.
#[actix_web::test]
async fn no_public_route_uses_a_pending_sign_in() {
    const SECOND_STEP: &str = "/v1/session/second_factor";
    let fixture = Fixture::new().await;
    let app = &fixture.app;
    let pending = fixture.pending_token.clone();
    let sessions = || count_in(app, "SELECT count(*) FROM sessions");
    let before = sessions();
    let public = cases()
        .into_iter()
        .filter(|case| case.access() == Access::Public && case.path != SECOND_STEP);
    let mut tried = 0;
    for case in public {
        let path = case.path.replace("{token}", &pending);
        let path = fixture.path(&path);
        let mut body = fixture.body(&case);
        replace_texts(&mut body, &pending);
        for method in case.methods() {
            let place = format!("{method} {path}");
            for carrier in 0..3 {
                let call = app.call(method.clone(), &path).json(&body);
                let call = match carrier {
                    0 => call.bearer(&pending),
                    1 => call.header("X-API-Key", &pending),
                    _ => call
                        .cookie(&pending)
                        .header("Sec-Fetch-Site", "same-origin"),
                };
                let reply = call.send().await;
                let text = reply.text();
                assert!(
                    !text.contains("\"token\"") && !text.contains("access_token"),
                    "{place}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(sessions(), before);
    let tries = count_in(app, "SELECT max(tries) FROM pending_sign_ins");
    assert_eq!(tries, 0);
    let code = fixture.totp_code();
    new_token(&present(app, &pending, "totp_code", &code).await);
}

fn replace_texts(value: &mut Value, text: &str) {
    match value {
        Value::String(found) => text.clone_into(found),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_texts(item, text)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| replace_texts(member, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
