//! The link of a mailed code: it signs in the browser or the app that asked, and shows all others the code.

use std::time::Duration;

use cloakroom::testing::TestApp;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_refused, count_in, new_token, reset_token, session_is_valid,
};
use crate::support::mail_code::{
    Asked, Mailed, ask, ask_and_read, ask_in, last_mailed, open_link, present_code, present_link,
    verify_addresses,
};

const SESSIONS: &str = "SELECT count(*) FROM sessions";

async fn with_link() -> (TestApp, Asked, Mailed) {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    verify_addresses(&app);
    let (asked, mailed) = ask_and_read(&app, ONE).await;
    (app, asked, mailed)
}

#[actix_web::test]
async fn a_link_signs_in_the_browser_that_asked() {
    let (app, asked, mailed) = with_link().await;
    let opened = open_link(&app, &mailed.link, Some(&asked.cookie)).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(opened.json()["signs_in"], true);
    let reply = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    assert!(session_is_valid(&app, &new_token(&reply)).await);
    let again = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    assert_refused(&again, 401, "link_invalid");
    let again = present_code(&app, &asked.token, &mailed.code).await;
    assert_refused(&again, 401, "invalid_code");
}

#[actix_web::test]
async fn another_browser_is_shown_the_code_to_type() {
    let (app, asked, mailed) = with_link().await;
    let elsewhere = ask(&app, "another@example.com").await;
    for cookie in [None, Some(&*elsewhere.cookie), Some("cloakroom_code=x")] {
        let opened = open_link(&app, &mailed.link, cookie).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
        let shown = opened.json();
        assert_eq!(
            (&shown["code"], &shown["signs_in"]),
            (&json!(mailed.code), &json!(false))
        );
        assert_eq!(opened.header("set-cookie"), None);
        let reply = present_link(&app, &mailed.link, cookie).await;
        assert_refused(&reply, 401, "link_invalid");
    }
    assert_eq!(count_in(&app, SESSIONS), 0);
    new_token(&present_code(&app, &asked.token, &mailed.code).await);
}

#[actix_web::test]
async fn a_mail_scanner_gets_no_session() {
    let (app, asked, mailed) = with_link().await;
    // It opens the link, runs the page's scripts, which post the token, presses each button, and tries what it was shown.
    for _ in 0..10 {
        let code = open_link(&app, &mailed.link, None).await.json()["code"].clone();
        for body in [
            json!({ "link_token": mailed.link }),
            json!({ "link_token": mailed.link, "code": code }),
            json!({ "link_token": mailed.link, "transport": "cookie" }),
            json!({ "code": code }),
            json!({ "email_address": ONE, "code": code }),
            json!({ "request_token": mailed.link, "code": code }),
        ] {
            let call = app.post("/v1/session").same_origin().json(&body);
            let reply = call.send().await;
            assert_eq!(reply.status, 401, "{}", reply.text());
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
    assert_eq!(count_in(&app, SESSIONS), 0);
    let reply = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    new_token(&reply);
}

#[actix_web::test]
async fn an_app_signs_in_by_link_with_its_request() {
    let (app, asked, mailed) = with_link().await;
    let other = ask(&app, "another@example.com").await;
    let body = |token: &str| json!({ "link_token": mailed.link, "request_token": token });
    let sign_in = async |token: &str| app.post("/v1/session").json(&body(token)).send().await;
    assert_refused(&sign_in(&other.token).await, 401, "link_invalid");
    new_token(&sign_in(&asked.token).await);
}

#[actix_web::test]
async fn a_page_of_another_origin_cannot_use_the_cookie() {
    let (app, asked, mailed) = with_link().await;
    let body = json!({ "link_token": mailed.link });
    let call = app.post("/v1/session").header("Cookie", &asked.cookie);
    let unknown = call.json(&body).send().await;
    assert_refused(&unknown, 403, "cross_origin");
    let call = app.post("/v1/session").header("Cookie", &asked.cookie);
    let call = call.header("Sec-Fetch-Site", "cross-site");
    let foreign = call.header("Origin", "https://evil.example").json(&body);
    assert_refused(&foreign.send().await, 403, "cross_origin");
    assert_eq!(count_in(&app, SESSIONS), 0);
}

#[actix_web::test]
async fn only_the_application_gets_the_cookie() {
    let app = TestApp::new().await;
    let body = json!({ "email_address": ONE });
    let reply = app.post("/v1/session/code").json(&body).send().await;
    assert_eq!((reply.status, reply.header("set-cookie")), (202, None));
    let call = app.post("/v1/session/code").same_origin();
    let reply = call.json(&body).send().await;
    let line = reply.header("set-cookie").unwrap();
    let (value, attributes) = line.split_once("; ").unwrap();
    assert!(value.starts_with("cloakroom_code=crb_"), "{value}");
    assert_eq!(attributes, "Path=/; Max-Age=600; HttpOnly; SameSite=Lax");
}

#[actix_web::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::with_settings(|settings| {
        settings.server.public_url = "https://auth.example.com".parse().unwrap();
        settings.server.frontend_url = "https://example.com".parse().unwrap();
        settings.session.cookie_domain = Some("example.com".to_owned());
    })
    .await;
    let body = json!({ "email_address": ONE });
    let call = app.post("/v1/session/code").same_origin();
    let reply = call.json(&body).send().await;
    let line = reply.header("set-cookie").unwrap();
    assert!(line.starts_with("__Host-cloakroom_code=crb_"), "{line}");
    assert!(
        line.ends_with("; SameSite=Lax; Secure") && !line.contains("Domain"),
        "{line}"
    );
}

#[actix_web::test]
async fn links_of_earlier_mails_sign_the_browser_in() {
    let (app, first, earlier) = with_link().await;
    let second = ask_in(&app, ONE, Some(&first.cookie)).await;
    assert_eq!(second.cookie, first.cookie);
    let later = last_mailed(&app, ONE).await;
    for mailed in [earlier, later] {
        new_token(&present_link(&app, &mailed.link, Some(&second.cookie)).await);
    }
}

#[actix_web::test]
async fn two_cookies_of_the_name_are_none() {
    let (app, asked, mailed) = with_link().await;
    let planted = format!("{}; cloakroom_code=crb_planted", asked.cookie);
    let reply = present_link(&app, &mailed.link, Some(&planted)).await;
    assert_refused(&reply, 401, "link_invalid");
    let again = ask_in(&app, ONE, Some(&planted)).await;
    assert_ne!(again.cookie, asked.cookie);
}

#[actix_web::test]
async fn links_that_are_no_valid_ones_are_refused() {
    let (app, asked, mailed) = with_link().await;
    let reset = reset_token(&app, ONE).await;
    let mut changed = mailed.link.clone();
    changed.replace_range(..1, if changed.starts_with('A') { "B" } else { "A" });
    for link in ["x", "a.b", &reset, &changed] {
        let reply = open_link(&app, link, Some(&asked.cookie)).await;
        assert_refused(&reply, 401, "link_invalid");
        let reply = present_link(&app, link, Some(&asked.cookie)).await;
        assert_refused(&reply, 401, "link_invalid");
    }
    let body = json!({ "token": mailed.link, "password": "another password" });
    let reply = app.put("/v1/passwords").json(&body).send().await;
    assert_refused(&reply, 401, "link_invalid");
    app.clock().advance(Duration::from_secs(10 * 60));
    let reply = open_link(&app, &mailed.link, None).await;
    assert_refused(&reply, 401, "link_invalid");
    let reply = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    assert_refused(&reply, 401, "link_invalid");
}

#[actix_web::test]
async fn five_wrong_codes_void_the_link_too() {
    let (app, asked, mailed) = with_link().await;
    for _ in 0..5 {
        present_code(&app, &asked.token, "").await;
    }
    let reply = open_link(&app, &mailed.link, None).await;
    assert_refused(&reply, 401, "link_invalid");
    let reply = present_link(&app, &mailed.link, Some(&asked.cookie)).await;
    assert_refused(&reply, 401, "link_invalid");
}

#[actix_web::test]
async fn a_link_can_start_a_session_in_the_cookie() {
    let (app, asked, mailed) = with_link().await;
    let body = json!({ "link_token": mailed.link, "transport": "cookie" });
    let call = app.post("/v1/session").header("Cookie", &asked.cookie);
    let reply = call.same_origin().json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply
            .header("set-cookie")
            .unwrap()
            .starts_with("cloakroom=crs_")
    );
}
