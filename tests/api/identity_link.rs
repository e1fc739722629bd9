//! The mailed link that links an identity at a provider to the account that has its address.

use std::time::Duration;

use cloakroom::accounts::identities::MAX_IDENTITIES;
use cloakroom::config::{Confirm, Settings, UnverifiedReset};
use cloakroom::crypto::s256;
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, execute_sql, reset_token,
    session_is_valid, text_in,
};
use crate::support::flows::Flows;
use crate::support::provider::{
    ACME, Browser, FakeProvider, VERIFIER, authorization_url, identity_link, linked, mailed_links,
};
use crate::support::second_factor::{assert_second_factor_due, enrol};

/// As if another provider had confirmed the identities.
const OTHER_ISSUER: &str = "UPDATE identities SET issuer = 'https://other.example'";
const IDENTITIES: &str = "SELECT count(*) FROM identities";
const REQUESTS: &str = "SELECT count(*) FROM identity_link_requests";
const SESSIONS: &str = "SELECT count(*) FROM sessions";

fn verify(app: &TestApp) {
    execute_sql(app, "UPDATE users SET email_confirmed_at = 1");
}

fn own(settings: &mut Settings) {
    let acme = settings.providers.get_mut(ACME).unwrap();
    acme.authoritative_domains = vec!["example.com".to_owned()];
}

/// A browser that signed in at the provider with the address of an account.
async fn refused(app: &TestApp, provider: &FakeProvider) -> Browser {
    let mut browser = Browser::default();
    let reply = browser.sign_in(app, provider).await;
    assert_refused(&reply, 409, "account_exists");
    browser
}

async fn newest_link(app: &TestApp) -> String {
    mailed_links(app, ONE).await.pop().expect("a mail")
}

/// An account with a verified address, a browser, and the link that it waits for.
async fn with_link(provider: &FakeProvider) -> (TestApp, Browser, String) {
    let app = provider.app().await;
    app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let browser = refused(&app, provider).await;
    let link = newest_link(&app).await;
    (app, browser, link)
}

#[track_caller]
fn token_in(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_mailed_link_links_the_identity_and_signs_in() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    let opened = browser.check_link(&app, &link).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let shown = opened.json();
    assert_eq!(
        shown["provider"],
        json!({ "id": ACME, "name": "Acme", "kind": "oidc" })
    );
    assert_eq!(shown["identity"], json!({ "name": "One", "email": ONE }));
    assert_eq!(
        (&shown["email_address"], &shown["signs_in"]),
        (&json!(ONE), &json!(true))
    );
    assert_eq!(
        (count_in(&app, IDENTITIES), count_in(&app, REQUESTS)),
        (0, 1)
    );
    let reply = browser.use_link(&app, &link).await;
    assert!(session_is_valid(&app, &token_in(&reply)).await);
    assert_eq!(reply.json()["session"]["auth_methods"], json!(["fed"]));
    for again in [
        browser.use_link(&app, &link).await,
        browser.check_link(&app, &link).await,
    ] {
        assert_refused(&again, 401, "link_invalid");
    }
    let user = reply.json()["user"]["id"].clone();
    let signed_in = Browser::default().sign_in(&app, &provider).await;
    assert_eq!(signed_in.json()["user"]["id"], user);
    let mails = app.mails().await;
    let is_notice = |subject: &str| subject.contains("another provider");
    let notices = mails.iter().filter(|mail| is_notice(&mail.subject));
    assert_eq!(notices.map(|mail| &*mail.to).collect::<Vec<_>>(), [ONE]);
}

#[actix_web::test]
async fn the_mail_names_the_provider_and_nothing_that_it_states() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "name": "Visit evil.example" });
    let (app, _, _) = with_link(&provider).await;
    let mails = app.mails().await;
    let mail = mails.iter().find(|mail| mail.subject.contains("Acme"));
    let mail = mail.unwrap();
    assert_eq!(
        (&*mail.to, &*mail.subject),
        (ONE, "Link Acme to your account")
    );
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"));
}

#[actix_web::test]
async fn an_attacker_who_stated_the_address_gets_no_account() {
    let provider = FakeProvider::start();
    let (app, attacker, link) = with_link(&provider).await;
    // The owner of the mailbox opens the link, with a browser that signed in by the provider as well.
    let mut elsewhere = Browser::default();
    elsewhere.started(&app).await;
    for owner in [elsewhere, Browser::default()] {
        let opened = owner.check_link(&app, &link).await;
        assert_eq!(opened.json()["signs_in"], false);
        assert_eq!(opened.header("set-cookie"), None);
        let reply = owner.use_link(&app, &link).await;
        assert_refused(&reply, 401, "link_invalid");
    }
    assert_eq!(
        (count_in(&app, IDENTITIES), count_in(&app, SESSIONS)),
        (0, 0)
    );
    // Without the mail, the browser that asked gets no further either.
    let reply = attacker.use_link(&app, "made-up").await;
    assert_refused(&reply, 401, "link_invalid");
    token_in(&attacker.use_link(&app, &link).await);
}

#[actix_web::test]
async fn a_mail_scanner_links_nothing() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    // It opens the link, runs the page's scripts and presses each button.
    for body in [
        json!({ "token": link }),
        json!({ "token": link, "transport": "cookie" }),
        json!({ "token": link, "code_verifier": "" }),
        json!({ "token": link, "code_verifier": link }),
    ] {
        let call = app.post("/v1/session/identity_link").same_origin();
        let reply = call.json(&body).send().await;
        assert_refused(&reply, 401, "link_invalid");
        assert_eq!(reply.header("set-cookie"), None);
    }
    let reply = app.get("/v1/session/identity_link").send().await;
    assert_eq!(reply.status, 405);
    assert_eq!(count_in(&app, IDENTITIES), 0);
    token_in(&browser.use_link(&app, &link).await);
}

#[actix_web::test]
async fn an_app_uses_a_mailed_link_with_its_verifier() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let body = json!({ "code_challenge": s256(VERIFIER) });
    let start = app.post("/v1/session/identity/acme").json(&body);
    let callback = provider.consent(&authorization_url(&start.send().await));
    let fragment = Browser::default().open(&app, &callback).await.unwrap();
    let code = fragment.strip_prefix("exchange_code=").unwrap();
    let body = json!({ "exchange_code": code, "code_verifier": VERIFIER });
    let exchange = app.post("/v1/session/exchange").json(&body);
    assert_refused(&exchange.send().await, 409, "account_exists");
    let link = newest_link(&app).await;
    let use_link = |verifier: &str| {
        let body = json!({ "token": link, "code_verifier": verifier });
        app.post("/v1/session/identity_link").json(&body).send()
    };
    for wrong in [&VERIFIER[1..], &s256(VERIFIER)] {
        assert_refused(&use_link(wrong).await, 401, "link_invalid");
    }
    token_in(&use_link(VERIFIER).await);
}

#[actix_web::test]
async fn a_page_of_another_origin_cannot_use_a_mailed_link() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    let call = || browser.with_cookie(app.post("/v1/session/identity_link"));
    let body = json!({ "token": link });
    let unknown = call().json(&body).send().await;
    assert_refused(&unknown, 403, "cross_origin");
    let foreign = call()
        .header("Sec-Fetch-Site", "cross-site")
        .header("Origin", "https://evil.example");
    assert_refused(&foreign.json(&body).send().await, 403, "cross_origin");
    assert_eq!(count_in(&app, IDENTITIES), 0);
}

#[actix_web::test]
async fn the_session_of_a_mailed_link_can_go_into_the_cookie() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let mut browser = Browser::default();
    let fragment = browser.return_from(&app, &provider).await;
    let code = fragment.strip_prefix("exchange_code=").unwrap();
    let body = json!({ "exchange_code": code, "remember": true });
    let reply = browser.exchange_with(&app, &body).await;
    assert_refused(&reply, 409, "account_exists");
    let body = json!({ "token": newest_link(&app).await, "transport": "cookie" });
    let call = app.post("/v1/session/identity_link").same_origin();
    let reply = browser.with_cookie(call.json(&body)).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json().get("token").is_none());
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("cloakroom=crs_") && cookie.contains("Max-Age="),
        "{cookie}"
    );
}

#[actix_web::test]
async fn a_second_factor_is_due_after_a_mailed_link() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let session = app.sign_in_as(&user).await;
    enrol(&app, &session).await;
    let browser = refused(&app, &provider).await;
    let link = newest_link(&app).await;
    assert_second_factor_due(&browser.use_link(&app, &link).await);
    assert_eq!(
        (count_in(&app, IDENTITIES), count_in(&app, SESSIONS)),
        (1, 1)
    );
    assert!(session_is_valid(&app, &session).await);
}

#[actix_web::test]
async fn a_mailed_link_is_valid_for_fifteen_minutes() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    app.clock().advance(Duration::from_millis(15 * 60_000 - 1));
    assert_eq!(browser.check_link(&app, &link).await.status, 200);
    app.clock().advance(Duration::from_millis(1));
    for reply in [
        browser.check_link(&app, &link).await,
        browser.use_link(&app, &link).await,
    ] {
        assert_refused(&reply, 401, "link_invalid");
    }
}

#[actix_web::test]
async fn other_links_link_no_identity() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    let reset = reset_token(&app, ONE).await;
    for token in [&*reset, "x", &link[1..], &format!("{link}A")] {
        let reply = browser.use_link(&app, token).await;
        assert_refused(&reply, 401, "link_invalid");
    }
    let reply = app.reset_password(&link, "a new password").await;
    assert_refused(&reply, 401, "link_invalid");
    let blank = browser.use_link(&app, " ").await;
    assert_faults(&blank, &[("token", "can't be blank")]);
    token_in(&browser.use_link(&app, &link).await);
}

#[actix_web::test]
async fn a_change_of_credentials_voids_mailed_links_to_identities() {
    for change in [
        "reset", "sign out", "disable", "counter", "address", "unlink",
    ] {
        let provider = FakeProvider::start();
        let app = provider.app().await;
        let user = app.create_user(ONE, PASSWORD).await;
        verify(&app);
        let session = app.sign_in_as(&user).await;
        let identity = linked(&app, &user, "another").await;
        let browser = refused(&app, &provider).await;
        let link = newest_link(&app).await;
        match change {
            "reset" => {
                let reset = reset_token(&app, ONE).await;
                let reply = app.reset_password(&reset, "a new password").await;
                assert_eq!(reply.status, 200);
            }
            "sign out" => {
                let reply = app.delete("/v1/sessions").bearer(&session).send().await;
                assert_eq!(reply.status, 200);
            }
            "disable" => disable(&app, &user).await,
            "counter" => execute_sql(&app, "UPDATE users SET credentials_version = 99"),
            "address" => execute_sql(&app, "UPDATE users SET email_address = 'two@example.com'"),
            _ => {
                let path = format!("/v1/user/identities/{identity}");
                let body = json!({ "password_challenge": PASSWORD });
                let call = app.delete(&path).bearer(&session).json(&body);
                assert_eq!(call.send().await.status, 204);
            }
        }
        let reply = browser.use_link(&app, &link).await;
        assert_refused(&reply, 401, "link_invalid");
        let linked = "SELECT count(*) FROM identities WHERE subject = 'user-1'";
        assert_eq!(count_in(&app, linked), 0, "{change}");
    }
}

#[actix_web::test]
async fn a_mail_that_comes_too_late_is_not_sent() {
    for change in [
        "DELETE FROM identity_link_requests",
        "UPDATE users SET email_address = 'two@example.com'",
        "UPDATE users SET disabled_at = 1",
    ] {
        let provider = FakeProvider::start();
        let app = provider.app().await;
        app.create_user(ONE, PASSWORD).await;
        verify(&app);
        refused(&app, &provider).await;
        execute_sql(&app, change);
        assert!(mailed_links(&app, ONE).await.is_empty(), "{change}");
        let waiting = "SELECT count(*) FROM outbox WHERE kind = 'identity_link'";
        assert_eq!(count_in(&app, waiting), 0, "{change}");
    }
}

#[actix_web::test]
async fn twenty_uses_of_a_mailed_link_make_one_session() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    let used = join_all((0..20).map(|_| browser.use_link(&app, &link))).await;
    let count = |status| used.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19));
    assert_eq!(
        (count_in(&app, IDENTITIES), count_in(&app, SESSIONS)),
        (1, 1)
    );
}

#[actix_web::test]
async fn of_two_links_the_first_one_used_voids_the_other() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    provider.script().claims = json!({ "sub": "user-2" });
    let other = refused(&app, &provider).await;
    let second = newest_link(&app).await;
    token_in(&browser.use_link(&app, &link).await);
    let reply = other.use_link(&app, &second).await;
    assert_refused(&reply, 401, "link_invalid");
    assert_eq!(count_in(&app, IDENTITIES), 1);
}

#[actix_web::test]
async fn mails_with_links_to_identities_are_limited_by_mailbox() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.throttle.enabled = true;
        settings.throttle.reset_mails = "2 in 15m".parse().unwrap();
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    verify(&app);
    for subject in 0..4 {
        provider.script().claims = json!({ "sub": format!("user-{subject}") });
        refused(&app, &provider).await;
    }
    assert_eq!(mailed_links(&app, ONE).await.len(), 2);
    assert_eq!(count_in(&app, REQUESTS), 2);
    // Reset mails are counted apart.
    reset_token(&app, ONE).await;
}

#[actix_web::test]
async fn a_disabled_account_gets_no_link_and_the_same_reply() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let open = Browser::default().sign_in(&app, &provider).await;
    disable(&app, &user).await;
    let closed = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&closed, 409, "account_exists");
    assert_eq!(open.json()["error"], closed.json()["error"]);
    assert!(mailed_links(&app, ONE).await.is_empty());
    assert_eq!(count_in(&app, REQUESTS), 0);
}

#[actix_web::test]
async fn an_identity_of_another_user_is_not_taken_by_a_link() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    linked(&app, &other, "user-1").await;
    let reply = browser.use_link(&app, &link).await;
    assert_refused(&reply, 409, "identity_taken");
    execute_sql(&app, "DELETE FROM identities");
    token_in(&browser.use_link(&app, &link).await);
}

#[actix_web::test]
async fn a_link_to_a_provider_that_was_removed_is_void() {
    let provider = FakeProvider::start();
    let (app, browser, link) = with_link(&provider).await;
    execute_sql(
        &app,
        "UPDATE identity_link_requests SET provider = 'removed'",
    );
    for reply in [
        browser.check_link(&app, &link).await,
        browser.use_link(&app, &link).await,
    ] {
        assert_refused(&reply, 401, "link_invalid");
    }
    assert_eq!(count_in(&app, IDENTITIES), 0);
}

#[actix_web::test]
async fn a_squatter_loses_the_account_by_a_mailed_link() {
    for unverified in [UnverifiedReset::Keep, UnverifiedReset::Replace] {
        let provider = FakeProvider::start();
        let app = TestApp::with_settings(|settings| {
            provider.configure(settings);
            settings.registration.confirm = Confirm::Remind;
            settings.registration.unverified_reset = unverified;
        })
        .await;
        let squatter = app.create_user(ONE, PASSWORD).await;
        let session = app.sign_in_as(&squatter).await;
        linked(&app, &squatter, "the squatter").await;
        let browser = refused(&app, &provider).await;
        let link = newest_link(&app).await;
        let reply = browser.use_link(&app, &link).await;
        token_in(&reply);
        let user = reply.json()["user"].clone();
        assert_eq!(user["email_confirmed"], true);
        let is_kept = unverified == UnverifiedReset::Keep;
        assert_eq!(user["id"] == squatter.id.0, is_kept, "{user}");
        assert!(!session_is_valid(&app, &session).await);
        let reply = app.sign_in(ONE, PASSWORD).await;
        assert_refused(&reply, 401, "invalid_credentials");
        let subject = text_in(&app, "SELECT subject FROM identities");
        assert_eq!(subject.as_deref(), Some("user-1"));
        assert_eq!(count_in(&app, IDENTITIES), 1);
    }
}

#[actix_web::test]
async fn an_operator_is_kept_by_a_mailed_link() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        own(settings);
        settings.registration.confirm = Confirm::Remind;
        settings.registration.unverified_reset = UnverifiedReset::Replace;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    execute_sql(&app, "UPDATE users SET role = 'operator'");
    let browser = refused(&app, &provider).await;
    let link = newest_link(&app).await;
    let reply = browser.use_link(&app, &link).await;
    token_in(&reply);
    assert_eq!(reply.json()["user"]["id"], user.id.0);
    let role = text_in(&app, "SELECT role FROM users");
    assert_eq!(role.as_deref(), Some("operator"));
}

#[actix_web::test]
async fn an_unlinked_identity_comes_back_by_a_mailed_link_alone() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        own(settings);
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    verify(&app);
    let session = token_in(&Browser::default().sign_in(&app, &provider).await);
    let reply = app.get("/v1/user/identities").bearer(&session).send().await;
    let id = reply.json()["identities"][0]["id"].clone();
    let path = format!("/v1/user/identities/{id}");
    let body = json!({ "password_challenge": PASSWORD });
    let unlinked = app.delete(&path).bearer(&session).json(&body);
    assert_eq!(unlinked.send().await.status, 204);
    let browser = refused(&app, &provider).await;
    assert_eq!(count_in(&app, IDENTITIES), 0);
    let link = newest_link(&app).await;
    token_in(&browser.use_link(&app, &link).await);
    token_in(&Browser::default().sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn an_account_of_a_weaker_provider_is_not_linked_by_address() {
    for owns in [false, true] {
        let provider = FakeProvider::start();
        let app = TestApp::with_settings(|settings| {
            provider.configure(settings);
            let mut first = settings.providers[ACME].clone();
            if owns {
                first.authoritative_domains = vec!["example.com".to_owned()];
            }
            settings.providers.insert("first".to_owned(), first);
            own(settings);
        })
        .await;
        let mut browser = Browser::default();
        token_in(&browser.sign_in_by(&app, &provider, "first").await);
        execute_sql(&app, OTHER_ISSUER);
        let reply = Browser::default().sign_in(&app, &provider).await;
        match owns {
            true => assert_eq!(reply.status, 200, "{}", reply.text()),
            false => assert_refused(&reply, 409, "account_exists"),
        }
        assert_eq!(mailed_links(&app, ONE).await.is_empty(), owns);
    }
}

#[actix_web::test]
async fn a_user_has_twenty_identities_at_most() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        own(settings);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    verify(&app);
    for subject in 0..MAX_IDENTITIES {
        linked(&app, &user, &format!("other {subject}")).await;
    }
    execute_sql(&app, OTHER_ISSUER);
    let by_address = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&by_address, 422, "too_many_identities");
    let link = identity_link(&app, &user, "by mail").await;
    let body = json!({ "token": link, "code_verifier": VERIFIER });
    let by_mail = app.post("/v1/session/identity_link").json(&body);
    assert_refused(&by_mail.send().await, 422, "too_many_identities");
    let session = app.sign_in_as(&user).await;
    let mut browser = Browser::default();
    let challenge: Value = json!({ "password_challenge": PASSWORD });
    let started = browser.link(&app, &session, &challenge).await;
    let callback = provider.consent(&authorization_url(&started));
    let fragment = browser.open(&app, &callback).await.unwrap();
    let by_user = browser.finish(&app, &session, &fragment).await;
    assert_refused(&by_user, 422, "too_many_identities");
    assert_eq!(count_in(&app, IDENTITIES), i64::from(MAX_IDENTITIES));
}
