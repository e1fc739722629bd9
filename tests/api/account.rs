//! The life of an account: the user as they see themselves, a new password, a new address, its end.

use std::time::Duration;

use actix_web::http::Method;
use bcrypt::Version;
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::testing::SentEmail;
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, create_user_with_digest, digest_of,
    execute_sql, last_confirmation, make_fail, make_succeed, new_token, reset_token,
    session_is_valid, signed_in, text_in,
};
use crate::support::flows::Flows;

const MILLISECOND: Duration = Duration::from_millis(1);
const NEW: &str = "another password";
const TWO: &str = "two@example.com";
const MOVED: &str = "moved@example.com";

async fn change_password(app: &TestApp, token: &str, challenge: &str, password: &str) -> Reply {
    let body = json!({
        "password_challenge": challenge, "password": password, "password_confirmation": password
    });
    app.put("/v1/user/password")
        .bearer(token)
        .json(&body)
        .send()
        .await
}

async fn change_address(app: &TestApp, token: &str, address: &str) -> Reply {
    let body = json!({ "password_challenge": PASSWORD, "email_address": address });
    app.put("/v1/user/email_address")
        .bearer(token)
        .json(&body)
        .send()
        .await
}

async fn delete_account(app: &TestApp, token: &str, challenge: &str) -> Reply {
    app.delete("/v1/user")
        .bearer(token)
        .json(&json!({ "password_challenge": challenge }))
        .send()
        .await
}

/// Reauthenticates a session, so that changes need no challenge; returns its new token.
async fn reauthenticate(app: &TestApp, token: &str) -> String {
    let body = json!({ "password": PASSWORD });
    let reply = app
        .post("/v1/session/reauthenticate")
        .bearer(token)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// Every change that requires a challenge, with all other fields that it needs.
fn changes() -> [(Method, &'static str, Value); 3] {
    [
        (Method::PUT, "/v1/user/password", json!({ "password": NEW })),
        (
            Method::PUT,
            "/v1/user/email_address",
            json!({ "email_address": MOVED }),
        ),
        (Method::DELETE, "/v1/user", json!({})),
    ]
}

fn pending(app: &TestApp) -> Option<String> {
    let sql = "SELECT pending_email_address FROM users WHERE email_address = 'one@example.com'";
    text_in(app, sql)
}

fn links(mails: &[SentEmail]) -> Vec<&str> {
    let with_link = mails
        .iter()
        .filter(|mail| mail.text.contains("/confirmations#"));
    with_link.map(|mail| mail.to.as_str()).collect()
}

#[actix_web::test]
async fn a_user_sees_their_account() {
    let (app, user, token) = signed_in().await;
    let token = new_token(&change_address(&app, &token, MOVED).await);
    let shown = app.get("/v1/user").bearer(&token).send().await;
    assert_eq!((shown.status, shown.json()), (200, json!({ "user": user })));
    let members: Vec<String> = shown.json()["user"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        members,
        [
            "created_at",
            "email_address",
            "email_confirmed",
            "id",
            "metadata",
            "name",
            "profile",
            "updated_at"
        ]
    );
}

#[actix_web::test]
async fn a_new_password_ends_all_other_sessions() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user(TWO, PASSWORD).await;
    let (second, others) = (app.sign_in_as(&user).await, app.sign_in_as(&other).await);

    app.clock().advance(MILLISECOND);
    let changed = change_password(&app, &token, PASSWORD, NEW).await;
    assert_eq!(changed.json()["message"], "Password has been changed.");
    let token = new_token(&changed);
    assert!(session_is_valid(&app, &token).await && session_is_valid(&app, &others).await);
    assert!(!session_is_valid(&app, &second).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
    assert_eq!(app.sign_in(TWO, PASSWORD).await.status, 200);
    let updated = format!(
        "SELECT count(*) FROM users WHERE updated_at = {}",
        (START + MILLISECOND).as_millis()
    );
    assert_eq!(count_in(&app, &updated), 1);
}

#[actix_web::test]
async fn changes_of_credentials_replace_the_sessions_token() {
    for lately in [false, true] {
        let (app, _, mut token) = signed_in().await;
        if lately {
            token = reauthenticate(&app, &token).await;
        }
        let challenge = (!lately).then_some(PASSWORD);
        for (path, field, value) in [
            ("/v1/user/email_address", "email_address", MOVED),
            ("/v1/user/password", "password", NEW),
        ] {
            let mut body = json!({ "password_challenge": challenge });
            body[field] = json!(value);
            if lately {
                body.as_object_mut().unwrap().remove("password_challenge");
                token = reauthenticate(&app, &token).await;
            }
            let reply = app.put(path).bearer(&token).json(&body).send().await;
            let copied = std::mem::replace(&mut token, new_token(&reply));
            assert_refused(
                &app.get("/v1/session").bearer(&copied).send().await,
                401,
                "token_invalid",
            );
            assert!(session_is_valid(&app, &token).await);
        }
        assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
    }
}

#[actix_web::test]
async fn a_change_in_cookie_mode_replaces_the_cookie() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "password_challenge": PASSWORD, "password": NEW });
    let reply = app
        .put("/v1/user/password")
        .cookie(&token)
        .same_origin()
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json().get("token"), None);
    let cookie = reply.headers.get("set-cookie").unwrap().to_str().unwrap();
    let new = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(new.starts_with("crs_") && new != token, "{cookie}");
    assert!(session_is_valid(&app, new).await && !session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn notices_to_one_address_are_limited() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.notices.count = 2;
    })
    .await;
    let mut token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    for told in [1, 2, 2] {
        token = new_token(&change_password(&app, &token, PASSWORD, PASSWORD).await);
        assert_eq!(app.mails().await.len(), told);
    }
}

#[actix_web::test]
async fn a_new_password_is_notified_by_mail() {
    let (app, _, token) = signed_in().await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = 1");
    let body = json!({ "password_challenge": PASSWORD, "password": NEW });
    let call = app
        .put("/v1/user/password")
        .bearer(&token)
        .header("User-Agent", "Browser/1.0");
    assert_eq!(call.json(&body).send().await.status, 200);
    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, ONE));
    assert_eq!(mails[0].subject, "Your password was changed");
    let facts =
        "When: 31 January 2026, 09:30 UTC\nIP address: 127.0.0.1\nBrowser or app: Browser/1.0\n";
    assert!(mails[0].text.contains(facts), "{}", mails[0].text);
}

#[actix_web::test]
async fn a_new_password_revokes_links_and_pending_address() {
    let (app, _, token) = signed_in().await;
    let link = reset_token(&app, ONE).await;
    let token = new_token(&change_address(&app, &token, MOVED).await);
    assert_eq!(pending(&app).as_deref(), Some(MOVED));
    // The same password again: what voids the link is the change, not another digest.
    assert_eq!(
        change_password(&app, &token, PASSWORD, PASSWORD)
            .await
            .status,
        200
    );
    assert_eq!(pending(&app), None);
    assert_refused(&app.reset_password(&link, NEW).await, 401, "link_invalid");
    assert_eq!(count_in(&app, "SELECT credentials_version FROM users"), 1);
    // And a link that waits for its mail is not sent any more.
    assert!(links(&app.mails().await).is_empty());
}

#[actix_web::test]
async fn a_wrong_password_challenge_changes_nothing() {
    let (app, user, mut token) = signed_in().await;
    let before = digest_of(&app, &user);
    for lately in [false, true] {
        if lately {
            token = reauthenticate(&app, &token).await;
        }
        for challenge in ["wrong", " ", NEW, "pass\0word", &"a".repeat(300)] {
            for (method, path, mut body) in changes() {
                body["password_challenge"] = json!(challenge);
                let reply = app
                    .call(method, path)
                    .bearer(&token)
                    .json(&body)
                    .send()
                    .await;
                assert_faults(&reply, &[("password_challenge", "is incorrect")]);
            }
        }
    }
    assert_eq!((digest_of(&app, &user), pending(&app)), (before, None));
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn without_a_challenge_reauthentication_is_required() {
    for (method, path, absent) in changes() {
        let with = |challenge: Value| {
            let mut body = absent.clone();
            body["password_challenge"] = challenge;
            body
        };
        // Deleting is one of the changes: each has an app of its own.
        for body in [absent.clone(), with(Value::Null), with(json!(""))] {
            let (app, _, token) = signed_in().await;
            let send = |token: &str| {
                app.call(method.clone(), path)
                    .bearer(token)
                    .json(&body)
                    .send()
            };
            let blank = [("password_challenge", "can't be blank")];
            assert_faults(&send(&token).await, &blank);
            let token = reauthenticate(&app, &token).await;
            assert_eq!(send(&token).await.status, 200, "{path}: {body}");
        }
    }
}

#[actix_web::test]
async fn every_fault_of_a_new_password_is_named() {
    let (app, _, token) = signed_in().await;
    let blank = ("password_challenge", "can't be blank");
    let cases: [(Value, &[(&str, &str)]); 5] = [
        (json!({}), &[blank, ("password", "can't be blank")]),
        (
            json!({ "password": "1234567", "password_confirmation": "" }),
            &[
                blank,
                ("password", "is too short (minimum is 8 characters)"),
                ("password_confirmation", "doesn't match Password"),
            ],
        ),
        // Faults of the new password are reported before the challenge is verified.
        (
            json!({ "password_challenge": "wrong", "password": "a".repeat(257) }),
            &[("password", "is too long (maximum is 256 characters)")],
        ),
        // Wrong types are reported before values are checked.
        (
            json!({ "password_challenge": 1, "password": "" }),
            &[("password_challenge", "is invalid")],
        ),
        (
            json!({ "password_challenge": PASSWORD, "password": 1 }),
            &[("password", "is invalid")],
        ),
    ];
    for (body, faults) in cases {
        assert_faults(
            &app.put("/v1/user/password")
                .bearer(&token)
                .json(&body)
                .send()
                .await,
            faults,
        );
    }
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn a_common_password_is_rejected_after_the_challenge() {
    let app = TestApp::with_settings(|settings| settings.password.reject_common = true).await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let wrong = change_password(&app, &token, "wrong", "password1").await;
    assert_faults(&wrong, &[("password_challenge", "is incorrect")]);
    let common = change_password(&app, &token, PASSWORD, "password1").await;
    assert_refused(&common, 422, "validation_failed");
    assert_eq!(common.json()["fields"]["password"][0], "is too common");
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn every_fault_of_a_new_address_is_named() {
    let (app, _, token) = signed_in().await;
    let blank = ("password_challenge", "can't be blank");
    for (body, faults) in [
        (
            json!({}),
            [Some(blank), Some(("email_address", "can't be blank"))],
        ),
        (
            json!({ "email_address": "one@@example.com" }),
            [Some(blank), Some(("email_address", "is invalid"))],
        ),
        (
            json!({ "password_challenge": PASSWORD }),
            [None, Some(("email_address", "can't be blank"))],
        ),
        (
            json!({ "email_address": [MOVED] }),
            [None, Some(("email_address", "is invalid"))],
        ),
    ] {
        let faults: Vec<(&str, &str)> = faults.into_iter().flatten().collect();
        assert_faults(
            &app.put("/v1/user/email_address")
                .bearer(&token)
                .json(&body)
                .send()
                .await,
            &faults,
        );
    }
    assert_eq!(pending(&app), None);
}

#[actix_web::test]
async fn concurrent_password_changes_have_one_winner() {
    let (app, user, token) = signed_in().await;
    let replies =
        join_all(
            (0..50).map(|number| {
                let (app, token) = (app.clone(), token.clone());
                async move {
                    change_password(&app, &token, PASSWORD, &format!("password {number}")).await
                }
            }),
        )
        .await;
    let winners: Vec<usize> = (0..50)
        .filter(|number| replies[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        // The token was replaced, or the password was before it was verified.
        assert!([401, 422].contains(&reply.status), "{}", reply.text());
    }
    assert_eq!(
        app.sign_in(ONE, &format!("password {}", winners[0]))
            .await
            .status,
        200
    );
    assert!(session_is_valid(&app, &new_token(&replies[winners[0]])).await);
    assert_eq!(app.mails().await.len(), 1);
    assert_eq!(
        count_in(
            &app,
            &format!(
                "SELECT credentials_version FROM users WHERE id = {}",
                user.id.0
            )
        ),
        1
    );
}

#[actix_web::test]
async fn concurrent_reauthenticated_changes_have_one_winner() {
    let (app, _, token) = signed_in().await;
    let token = reauthenticate(&app, &token).await;
    let replies = join_all((0..50).map(|number| {
        let body = json!({ "password": format!("password {number}") });
        app.put("/v1/user/password")
            .bearer(&token)
            .json(&body)
            .send()
    }))
    .await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn concurrent_changes_by_all_sessions_leave_one() {
    let (app, user, _) = signed_in().await;
    let tokens = join_all((0..50).map(|_| app.sign_in_as(&user))).await;
    let replies = join_all(
        tokens
            .iter()
            .map(|token| change_password(&app, token, PASSWORD, NEW)),
    )
    .await;
    let winners: Vec<usize> = (0..50)
        .filter(|number| replies[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert!([401, 422].contains(&reply.status), "{}", reply.text());
    }
    assert!(session_is_valid(&app, &new_token(&replies[winners[0]])).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
}

#[actix_web::test]
async fn a_concurrent_rehash_fails_no_challenge() {
    let app = TestApp::new().await;
    let old = bcrypt::hash_with_result(PASSWORD, 7)
        .unwrap()
        .format_for_version(Version::TwoA);
    let user = create_user_with_digest(&app, ONE, &old).await;
    let token = app.sign_in_as(&user).await;
    // They come first, and are done before the new password is hashed.
    let sign_ins = join_all((0..5).map(|_| app.sign_in(ONE, PASSWORD)));
    let (_, changed) = join(sign_ins, change_password(&app, &token, PASSWORD, NEW)).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(digest_of(&app, &user).contains("$04$"));
    assert_eq!(app.sign_in(ONE, NEW).await.status, 200);
}

#[actix_web::test]
async fn password_and_sessions_change_atomically() {
    let (app, user, token) = signed_in().await;
    let (before, second) = (digest_of(&app, &user), app.sign_in_as(&user).await);
    make_fail(&app, "DELETE ON sessions");
    assert_refused(
        &change_password(&app, &token, PASSWORD, NEW).await,
        500,
        "internal_error",
    );
    assert!(session_is_valid(&app, &token).await && session_is_valid(&app, &second).await);
    assert_eq!(digest_of(&app, &user), before);
    assert!(
        app.mails().await.is_empty(),
        "no notice of what did not happen"
    );
    make_succeed(&app);
    assert_eq!(
        change_password(&app, &token, PASSWORD, NEW).await.status,
        200
    );
    assert!(!session_is_valid(&app, &second).await);
}

#[actix_web::test]
async fn a_new_address_is_pending_and_the_old_one_notified() {
    let (app, user, token) = signed_in().await;
    let second = app.sign_in_as(&user).await;
    let body = json!({ "password_challenge": PASSWORD, "email_address": " MOVED@example.com\n" });
    let call = app
        .put("/v1/user/email_address")
        .bearer(&token)
        .header("User-Agent", "Browser/1.0");
    let asked = call.json(&body).send().await;
    assert_eq!(asked.json()["message"], "Confirmation instructions sent");
    let token = new_token(&asked);

    assert_eq!(pending(&app).as_deref(), Some(MOVED));
    assert_eq!(
        app.get("/v1/user").bearer(&token).send().await.json()["user"],
        json!(user)
    );
    assert!(session_is_valid(&app, &second).await);
    assert_eq!(app.sign_in(MOVED, PASSWORD).await.status, 401);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);

    let mut mails = app.mails().await;
    mails.sort_by(|one, other| one.to.cmp(&other.to));
    let [link, notice] = &mails[..] else {
        panic!("{mails:?}")
    };
    assert_eq!(
        (link.to.as_str(), link.subject.as_str()),
        (MOVED, "Confirm your new email address")
    );
    assert!(
        link.text.contains("http://localhost:3001/confirmations#"),
        "{}",
        link.text
    );
    assert!(
        !link.text.contains("Browser") && !link.text.contains(ONE),
        "{}",
        link.text
    );
    assert_eq!(
        (notice.to.as_str(), notice.subject.as_str()),
        (ONE, "A new email address for your account")
    );
    // This address is not verified, so the mail contains no text of a client.
    let facts = "When: 31 January 2026, 09:30 UTC\nIP address: 127.0.0.1\nBrowser or app: an unknown program\n";
    assert!(notice.text.contains(facts), "{}", notice.text);
    assert!(
        !notice.text.contains("://") && !notice.text.contains(MOVED),
        "{}",
        notice.text
    );
}

#[actix_web::test]
async fn a_taken_address_gets_the_same_reply_without_a_link() {
    let (app, _, token) = signed_in().await;
    app.create_user(TWO, PASSWORD).await;
    let free = change_address(&app, &token, MOVED).await;
    let taken = change_address(&app, &new_token(&free), TWO).await;
    // The tokens apart, which are random.
    let told = |reply: &Reply| {
        let mut body = reply.json();
        body.as_object_mut().unwrap().remove("token").unwrap();
        body
    };
    assert_eq!((taken.status, told(&taken)), (free.status, told(&free)));
    assert_eq!(pending(&app).as_deref(), Some(TWO));
    // The link to the free one is no longer wanted either.
    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        [ONE, ONE]
    );
}

#[actix_web::test]
async fn requesting_the_current_address_withdraws_a_change() {
    let (app, _, token) = signed_in().await;
    let asked = change_address(&app, &token, MOVED).await;
    let withdrawn = change_address(&app, &new_token(&asked), "One@Example.com").await;
    assert_eq!(withdrawn.status, 200);
    assert_eq!(withdrawn.json()["message"], "Address change withdrawn");
    assert_eq!(pending(&app), None);
    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        [ONE],
        "of the change alone"
    );
}

#[actix_web::test]
async fn a_throttled_user_can_still_withdraw_a_change() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let mut token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    for number in 0..5 {
        let wanted = format!("new{number}@example.com");
        token = new_token(&change_address(&app, &token, &wanted).await);
    }
    assert_refused(
        &change_address(&app, &token, MOVED).await,
        429,
        "rate_limited",
    );
    assert_eq!(change_address(&app, &token, ONE).await.status, 200);
    assert_eq!(pending(&app), None);
}

#[actix_web::test]
async fn concurrent_address_changes_leave_one_pending() {
    let (app, user, _) = signed_in().await;
    let tokens = join_all((0..50).map(|_| app.sign_in_as(&user))).await;
    let replies = join_all(tokens.iter().enumerate().map(|(number, token)| {
        let (app, wanted) = (app.clone(), format!("new{number}@example.com"));
        async move { change_address(&app, token, &wanted).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let waiting = pending(&app).unwrap();
    // The worker mails only the one that is still wanted.
    assert_eq!(links(&app.mails().await), [waiting.as_str()]);
    let link = last_confirmation(&app, &waiting).await;
    assert_eq!(
        app.put(&format!("/v1/confirmations/{link}"))
            .send()
            .await
            .status,
        200
    );
    assert_eq!(app.sign_in(&waiting, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn mails_to_a_new_address_are_limited_silently() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.confirmation_mails.count = 1;
    })
    .await;
    let one = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let two = app.sign_in_as(&app.create_user(TWO, PASSWORD).await).await;
    let first = change_address(&app, &one, MOVED).await;
    assert_eq!(links(&app.mails().await), [MOVED]);
    let second = change_address(&app, &two, MOVED).await;
    assert_eq!(
        (second.status, &second.json()["message"]),
        (first.status, &first.json()["message"])
    );
    assert_eq!(links(&app.mails().await), [MOVED]);
}

#[actix_web::test]
async fn address_changes_are_limited_by_user() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let (mut token, other) = (app.sign_in_as(&user).await, app.sign_in_as(&user).await);
    let wrong = json!({ "password_challenge": "wrong", "email_address": MOVED });
    for _ in 0..10 {
        let reply = app
            .put("/v1/user/email_address")
            .bearer(&other)
            .json(&wrong)
            .send()
            .await;
        assert_faults(&reply, &[("password_challenge", "is incorrect")]);
    }
    for number in 0..5 {
        let wanted = format!("new{number}@example.com");
        token = new_token(&change_address(&app, &token, &wanted).await);
    }
    for token in [&token, &other] {
        assert_refused(
            &change_address(&app, token, MOVED).await,
            429,
            "rate_limited",
        );
    }
    assert_eq!(pending(&app).as_deref(), Some("new4@example.com"));
    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(change_address(&app, &token, MOVED).await.status, 200);
}

#[actix_web::test]
async fn deleting_an_account_deletes_its_records() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user(TWO, PASSWORD).await;
    let (second, others) = (app.sign_in_as(&user).await, app.sign_in_as(&other).await);
    for token in [&token, &others] {
        let body = json!({ "title": "A title" });
        assert_eq!(
            app.post("/v1/projects")
                .bearer(token)
                .json(&body)
                .send()
                .await
                .status,
            201
        );
    }
    execute_sql(
        &app,
        "INSERT INTO known_devices (user_id, fingerprint, seen_at) SELECT id, 'one', 1 FROM users",
    );
    let link = reset_token(&app, ONE).await;
    let token = new_token(&change_address(&app, &token, MOVED).await);

    let deleted = delete_account(&app, &token, PASSWORD).await;
    assert_eq!(
        (deleted.status, deleted.json()),
        (200, json!({ "message": "Account has been deleted." }))
    );
    assert!(!session_is_valid(&app, &token).await && !session_is_valid(&app, &second).await);
    assert!(session_is_valid(&app, &others).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert_refused(&app.reset_password(&link, NEW).await, 401, "link_invalid");
    for table in ["users", "sessions", "projects", "known_devices"] {
        assert_eq!(
            count_in(&app, &format!("SELECT count(*) FROM {table}")),
            1,
            "{table}"
        );
    }
    // Of the mails that waited only the warning is sent, and of the last ones nothing is kept.
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 2);
    let before = app.context().mail_worker.transport().sent().len();
    let mails = app.mails().await;
    let mut new: Vec<_> = mails[before..]
        .iter()
        .map(|mail| (mail.to.as_str(), mail.subject.as_str()))
        .collect();
    new.sort_unstable();
    let asked = (ONE, "A new email address for your account");
    assert_eq!(new, [asked, (ONE, "Your account was deleted")]);
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 0);
    // The address is free again.
    let newcomer = json!({ "email_address": ONE, "password": NEW });
    assert_eq!(
        app.post("/v1/registrations")
            .json(&newcomer)
            .send()
            .await
            .status,
        201
    );
}

#[actix_web::test]
async fn concurrent_deletions_have_one_winner() {
    let (app, _, token) = signed_in().await;
    let replies = join_all((0..50).map(|_| delete_account(&app, &token, PASSWORD))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn deletion_racing_a_sign_in_leaves_no_session() {
    let (app, _, token) = signed_in().await;
    let sign_ins = join_all((0..20).map(|_| app.sign_in(ONE, PASSWORD)));
    let (deleted, sign_ins) = join(delete_account(&app, &token, PASSWORD), sign_ins).await;
    assert_eq!(deleted.status, 200);
    assert!(
        sign_ins
            .iter()
            .all(|reply| [200, 401].contains(&reply.status))
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn a_broken_deletion_deletes_nothing() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "title": "A title" });
    assert_eq!(
        app.post("/v1/projects")
            .bearer(&token)
            .json(&body)
            .send()
            .await
            .status,
        201
    );
    let token = new_token(&change_address(&app, &token, MOVED).await);
    make_fail(&app, "INSERT ON outbox WHEN NEW.kind = 'account_deleted'");
    assert_refused(
        &delete_account(&app, &token, PASSWORD).await,
        500,
        "internal_error",
    );
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(pending(&app).as_deref(), Some(MOVED));
    assert_eq!(count_in(&app, "SELECT count(*) FROM projects"), 1);
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 2);
    make_succeed(&app);
    assert_eq!(delete_account(&app, &token, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn disabled_notices_are_not_sent() {
    let app = TestApp::with_settings(|settings| {
        settings.notices.set(MailKind::PasswordChanged, false);
        settings.notices.set(MailKind::AddressChangeAsked, false);
        settings.notices.set(MailKind::AccountDeleted, false);
    })
    .await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let token = new_token(&change_password(&app, &token, PASSWORD, PASSWORD).await);
    let token = new_token(&change_address(&app, &token, MOVED).await);
    assert_eq!(links(&app.mails().await), [MOVED]);
    assert_eq!(delete_account(&app, &token, PASSWORD).await.status, 200);
    assert_eq!(app.mails().await.len(), 1);
}
