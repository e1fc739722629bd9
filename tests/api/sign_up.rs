//! Signing up.

use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, beside, count_in, make_fail, make_succeed,
    reset_token, session_is_valid, signed_in,
};
use crate::support::flows::Flows;

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";
const TOO_SHORT: &str = "is too short (minimum is 8 characters)";
const TOO_LONG: &str = "is too long (maximum is 256 characters)";
const ADDRESS_TOO_LONG: &str = "is too long (maximum is 254 characters)";
const MISMATCH: &str = "doesn't match Password";

async fn sign_up(app: &TestApp, body: &Value) -> Reply {
    app.post("/v1/registrations").json(body).send().await
}

fn applicant(address: &str, password: &str) -> Value {
    json!({ "email_address": address, "password": password, "password_confirmation": password })
}

fn users(app: &TestApp) -> i64 {
    count_in(app, "SELECT count(*) FROM users")
}

#[actix_web::test]
async fn locations_lie_below_the_public_urls_path() {
    let app = TestApp::with_settings(|settings| {
        settings.server.public_url = "https://example.com/auth/".parse().unwrap();
    });
    let reply = app.await.sign_up(ONE, PASSWORD).await;
    assert_eq!(reply.header("location"), Some("/auth/v1/user"));
}

#[actix_web::test]
async fn a_new_user_is_shown_and_signed_in_at_once() {
    let app = TestApp::new().await;
    let call = app
        .post("/v1/registrations")
        .header("User-Agent", "a browser");
    let reply = call.json(&applicant(ONE, PASSWORD)).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("location"), Some("/v1/user"));
    let body = reply.json();
    let token = body["token"].as_str().unwrap();
    let now = "2026-01-31T09:30:00.000Z";
    assert_eq!(
        body,
        json!({
            "token": token,
            "expires_at": "2026-03-02T09:30:00.000Z",
            "user": {
                "id": 1, "email_address": ONE, "email_confirmed": false, "created_at": now, "updated_at": now,
                "name": null, "profile": {}, "metadata": {},
            },
            "session": {
                "id": 1, "ip_address": "127.0.0.1", "user_agent": "a browser", "created_at": now,
                "last_active_at": now, "expires_at": "2026-03-02T09:30:00.000Z", "current": true,
                "auth_methods": ["pwd"], "authenticated_at": now,
            },
        })
    );
    assert!(session_is_valid(&app, token).await);
}

#[actix_web::test]
async fn only_digests_of_password_and_token_are_kept() {
    let app = TestApp::new().await;
    let reply = sign_up(&app, &applicant(ONE, "a password to look for")).await;
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let secret =
        "SELECT count(*) FROM passwords WHERE digest LIKE '$2b$04$%' AND length(digest) = 60";
    assert_eq!(count_in(&app, secret), 1);
    let stored = beside(&app).content();
    for needle in ["a password to look for", &token] {
        let is_found = |window: &[u8]| window == needle.as_bytes();
        assert!(!stored.windows(needle.len()).any(is_found));
    }
}

#[actix_web::test]
async fn forms_and_json_are_accepted() {
    let app = TestApp::new().await;
    let fields = [
        ("email_address", " One+Tag@Example.com\t"),
        ("password", "pass word&=é"),
    ];
    let reply = app.post("/v1/registrations").form(&fields).send().await;
    assert_eq!(reply.json()["user"]["email_address"], "one+tag@example.com");
    assert_eq!(
        app.sign_in("one+tag@example.com", "pass word&=é")
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn every_invalid_field_is_named() {
    let app = TestApp::new().await;
    let long_address = format!("one@{}example.com", "a.".repeat(130));
    let cases: Vec<(Value, Vec<(&str, &str)>)> = vec![
        (
            json!({}),
            vec![("email_address", BLANK), ("password", BLANK)],
        ),
        (
            json!({ "email_address": null, "password": null, "password_confirmation": null }),
            vec![("email_address", BLANK), ("password", BLANK)],
        ),
        (
            applicant(" ", ""),
            vec![("email_address", BLANK), ("password", BLANK)],
        ),
        (
            applicant(&long_address, PASSWORD),
            vec![("email_address", ADDRESS_TOO_LONG)],
        ),
        (applicant(ONE, "1234567"), vec![("password", TOO_SHORT)]),
        (
            applicant(ONE, "🔑🔑🔑🔑🔑🔑🔑"),
            vec![("password", TOO_SHORT)],
        ),
        (
            applicant(ONE, &"a".repeat(257)),
            vec![("password", TOO_LONG)],
        ),
        (
            applicant(ONE, &"é".repeat(257)),
            vec![("password", TOO_LONG)],
        ),
        (applicant(ONE, "pass\0word"), vec![("password", INVALID)]),
        (
            json!({ "email_address": ONE, "password": PASSWORD, "password_confirmation": "passwore" }),
            vec![("password_confirmation", MISMATCH)],
        ),
        (
            json!({ "email_address": ONE, "password": PASSWORD, "password_confirmation": "" }),
            vec![("password_confirmation", MISMATCH)],
        ),
        (
            json!({ "email_address": "one", "password": "short", "password_confirmation": "" }),
            vec![
                ("email_address", INVALID),
                ("password", TOO_SHORT),
                ("password_confirmation", MISMATCH),
            ],
        ),
    ];
    for (body, faults) in cases {
        assert_faults(&sign_up(&app, &body).await, &faults);
    }
    assert_eq!(users(&app), 0);
}

#[actix_web::test]
async fn the_longest_body_is_read() {
    let app = TestApp::new().await;
    let mut body = applicant(ONE, PASSWORD);
    body["padding"] = json!("");
    let short = body.to_string().len();
    body["padding"] = json!("a".repeat(64 * 1024 - short));
    assert_eq!(body.to_string().len(), 64 * 1024);
    assert_eq!(sign_up(&app, &body).await.status, 201);
}

#[actix_web::test]
async fn an_absent_or_null_confirmation_is_not_checked() {
    let app = TestApp::new().await;
    let absent = json!({ "email_address": ONE, "password": PASSWORD });
    assert_eq!(sign_up(&app, &absent).await.status, 201);
    let null = json!({ "email_address": "two@example.com", "password": PASSWORD, "password_confirmation": null });
    assert_eq!(sign_up(&app, &null).await.status, 201);
}

#[actix_web::test]
async fn credentials_in_the_query_are_ignored() {
    let app = TestApp::new().await;
    let path = "/v1/registrations?email_address=one@example.com&password=password";
    let reply = app.post(path).json(&json!({})).send().await;
    assert_faults(&reply, &[("email_address", BLANK), ("password", BLANK)]);
}

#[actix_web::test]
async fn a_taken_address_is_rejected_in_any_spelling() {
    let (app, ..) = signed_in().await;
    for address in [
        ONE,
        "ONE@EXAMPLE.COM",
        " one@example.com\n",
        "\u{a0}One@Example.Com\u{3000}",
    ] {
        let reply = sign_up(&app, &applicant(address, "another password")).await;
        assert_refused(&reply, 422, "account_not_created");
        let sentence = "There was a problem creating your account";
        assert_eq!(reply.json()["error"], sentence);
        assert_eq!(reply.json()["errors"], json!([sentence]));
    }
    assert_eq!(
        (users(&app), count_in(&app, "SELECT count(*) FROM sessions")),
        (1, 1)
    );
}

#[actix_web::test]
async fn look_alike_addresses_are_rejected() {
    let app = TestApp::new().await;
    for address in [
        "one＠example.com",
        "one@example。com",
        "оne@example.com",
        "one\u{200b}@example.com",
        "one\u{202e}@example.com",
        "one@example.com\0",
        "o\rne@example.com",
        "one@example.com\r\nBcc: two@example.com",
        "one@two@example.com",
        "one@@example.com",
        "Kelvin@example.com".replace('K', "\u{212a}").as_str(),
    ] {
        let reply = sign_up(&app, &applicant(address, PASSWORD)).await;
        assert_faults(&reply, &[("email_address", INVALID)]);
    }
    assert_eq!(users(&app), 0);
}

#[actix_web::test]
async fn a_password_counts_to_its_last_byte() {
    let app = TestApp::new().await;
    for (number, length) in [8, 71, 72, 73, 255, 256].into_iter().enumerate() {
        let (address, password) = (format!("user{number}@example.com"), "a".repeat(length));
        assert_eq!(
            sign_up(&app, &applicant(&address, &password)).await.status,
            201,
            "{length}"
        );
        assert_eq!(
            app.sign_in(&address, &password).await.status,
            200,
            "{length}"
        );
        for wrong in [
            "a".repeat(length + 1),
            "a".repeat(length - 1),
            format!("{password}\0"),
        ] {
            assert_refused(
                &app.sign_in(&address, &wrong).await,
                401,
                "invalid_credentials",
            );
        }
    }
}

#[actix_web::test]
async fn composed_and_decomposed_spellings_are_equal() {
    let app = TestApp::new().await;
    let mut body = applicant(ONE, "caf\u{e9} ol\u{e9}");
    body["password_confirmation"] = json!("cafe\u{301} ole\u{301}");
    assert_eq!(sign_up(&app, &body).await.status, 201);
    assert_eq!(app.sign_in(ONE, "cafe\u{301} ole\u{301}").await.status, 200);
}

#[actix_web::test]
async fn passwords_are_not_stripped() {
    let app = TestApp::new().await;
    assert_eq!(sign_up(&app, &applicant(ONE, "        ")).await.status, 201);
    assert_eq!(app.sign_in(ONE, "         ").await.status, 401);
    assert_eq!(app.sign_in(ONE, "        ").await.status, 200);
}

#[actix_web::test]
async fn common_passwords_are_rejected_when_configured() {
    let app = TestApp::with_settings(|settings| settings.password.reject_common = true).await;
    let made_of = "must not be made of your address, the service's name or a forbidden word";
    for (password, reason) in [
        ("password", "needs another word or two"),
        (
            "qwertyuiop[]",
            "follows the keyboard: add words that do not",
        ),
        ("wintermute9", made_of),
        ("cloakroom", made_of),
    ] {
        let reply = sign_up(&app, &applicant("wintermute9@example.com", password)).await;
        assert_faults(
            &reply,
            &[("password", "is too common"), ("password", reason)],
        );
    }
    let reply = sign_up(&app, &applicant(ONE, "correct horse battery staple")).await;
    assert_eq!(reply.status, 201);
}

#[actix_web::test]
async fn a_common_new_password_leaves_the_link_valid() {
    let app = TestApp::with_settings(|settings| settings.password.reject_common = true).await;
    app.create_user(ONE, PASSWORD).await;
    let link = reset_token(&app, ONE).await;
    let reply = app.reset_password(&link, "aaaaaaaaaa").await;
    assert_faults(
        &reply,
        &[
            ("password", "is too common"),
            ("password", "repeats itself: add other words"),
        ],
    );
    assert_eq!(
        app.reset_password(&link, "correct horse battery staple")
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn closed_registration_rejects_sign_ups() {
    let app = TestApp::with_settings(|settings| settings.registration.open = false).await;
    assert_refused(
        &sign_up(&app, &applicant(ONE, PASSWORD)).await,
        403,
        "forbidden",
    );
    assert_eq!(users(&app), 0);
}

#[actix_web::test]
async fn concurrent_sign_ups_with_an_address_have_one_winner() {
    for racers in [2, 50] {
        let app = TestApp::new().await;
        let replies = join_all((0..racers).map(|number| {
            let app = app.clone();
            async move { sign_up(&app, &applicant(ONE, &format!("password {number}"))).await }
        }))
        .await;
        let winners: Vec<usize> = (0..racers)
            .filter(|number| replies[*number].status == 201)
            .collect();
        assert_eq!(winners.len(), 1);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_refused(reply, 422, "account_not_created");
        }
        assert_eq!(
            (users(&app), count_in(&app, "SELECT count(*) FROM sessions")),
            (1, 1)
        );
        assert_eq!(
            app.sign_in(ONE, &format!("password {}", winners[0]))
                .await
                .status,
            200
        );
    }
}

#[actix_web::test]
async fn account_and_session_are_created_atomically() {
    let app = TestApp::new().await;
    make_fail(&app, "INSERT ON sessions");
    assert_refused(
        &sign_up(&app, &applicant(ONE, PASSWORD)).await,
        500,
        "internal_error",
    );
    assert_eq!(users(&app), 0);
    make_succeed(&app);
    assert_eq!(sign_up(&app, &applicant(ONE, PASSWORD)).await.status, 201);
}

#[actix_web::test]
async fn user_ids_are_never_reused() {
    let (app, user, token) = signed_in().await;
    crate::support::app::delete(&app, &user).await;
    let reply = sign_up(&app, &applicant(ONE, PASSWORD)).await.json();
    assert_eq!(
        (&reply["user"]["id"], &reply["session"]["id"]),
        (&json!(2), &json!(2))
    );
    assert!(!session_is_valid(&app, &token).await);
}
