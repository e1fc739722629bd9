//! Signing in by another provider: the flow as browsers and apps go through it, and the accounts that come of it.

use std::time::Duration;

use cloakroom::Hooks;
use cloakroom::config::{Confirm, Environment, Settings, Sources};
use cloakroom::crypto::s256;
use cloakroom::domain::error::ValidationErrors;
use cloakroom::domain::{User, UserId};
use cloakroom::server::sweep;
use cloakroom::store::users;
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::{join_all, select};
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, execute_sql, restored, text_in,
};
use crate::support::flows::Flows;
use crate::support::provider::{
    ACME, Browser, CLIENT_ID, FakeProvider, VERIFIER, authorization_url, whole,
};
use crate::support::second_factor::{assert_second_factor_due, enrolled, present};

#[track_caller]
fn assert_signed_in(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn only_user(app: &TestApp) -> User {
    let found = app
        .context()
        .database
        .read(|reader| users::list(reader, UserId(0), 2));
    let [user] = <[User; 1]>::try_from(found.await.unwrap()).unwrap();
    user
}

async fn sweep(app: &TestApp) {
    let context = app.context();
    sweep::run(&context.database, &context.settings, context.clock.now())
        .await
        .unwrap();
}

fn count_users(app: &TestApp) -> i64 {
    count_in(app, "SELECT count(*) FROM users")
}

#[actix_web::test]
async fn a_first_sign_in_by_a_provider_creates_an_account() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let reply = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    assert_eq!(reply["user"]["email_address"], ONE);
    assert_eq!(reply["user"]["email_confirmed"], true);
    assert_eq!(reply["user"]["name"], "One");
    assert_eq!(reply["session"]["auth_methods"], json!(["fed"]));
    let token = reply["token"].as_str().unwrap();
    assert_eq!(app.get("/v1/user").bearer(token).send().await.status, 200);
    let sql = "SELECT issuer || ' ' || subject || ' ' || provider || ' ' || email FROM identities";
    let expected = format!("{} user-1 {ACME} {ONE}", provider.url);
    assert_eq!(text_in(&app, sql), Some(expected));
    assert_eq!(count_in(&app, "SELECT count(*) FROM passwords"), 0);
}

#[actix_web::test]
async fn a_known_identity_signs_in_whatever_its_address_is() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let first = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    for claims in [
        json!({ "email": "moved@example.com" }),
        json!({ "email_verified": false }),
        json!({ "email": null, "email_verified": null, "sub": "user-1" }),
    ] {
        provider.script().claims = claims;
        let again = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
        assert_eq!(again["user"]["id"], first["user"]["id"]);
        assert_eq!(again["user"]["email_address"], ONE);
    }
    assert_eq!(count_users(&app), 1);
}

#[actix_web::test]
async fn each_algorithm_of_the_contract_is_verified() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let provider = FakeProvider::start();
        provider.script().algorithm = algorithm;
        let app = provider.app().await;
        assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    }
}

#[actix_web::test]
async fn a_provider_is_asked_once_for_what_it_publishes() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    for _ in 0..3 {
        Browser::default().sign_in(&app, &provider).await;
    }
    let discovery = "/.well-known/openid-configuration";
    assert_eq!(
        [discovery, "/keys"].map(|path| provider.count(path)),
        [1, 1]
    );
    app.clock().advance(Duration::from_secs(3600));
    provider.script().now += 3600;
    Browser::default().sign_in(&app, &provider).await;
    assert_eq!(
        [discovery, "/keys"].map(|path| provider.count(path)),
        [2, 2]
    );
}

#[actix_web::test]
async fn new_keys_are_fetched_at_most_once_a_minute() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    provider.script().header = json!({ "kid": "new" });
    for _ in 0..5 {
        let fragment = Browser::default().return_from(&app, &provider).await;
        assert_eq!(fragment, "error=id_token_key");
    }
    assert_eq!(provider.count("/keys"), 1);
    app.clock().advance(Duration::from_secs(60));
    for _ in 0..5 {
        Browser::default().return_from(&app, &provider).await;
    }
    assert_eq!(provider.count("/keys"), 2);
}

#[actix_web::test]
async fn userinfo_adds_an_address_that_the_id_token_lacks() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "email": null, "email_verified": null });
    let app = provider.app().await;
    let reply = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    assert_eq!(reply["user"]["email_address"], "info@example.com");
}

#[actix_web::test]
async fn a_secret_goes_into_the_form_where_basic_is_not_supported() {
    let provider = FakeProvider::start();
    let methods = json!(["private_key_jwt", "client_secret_post"]);
    provider.script().discovery = json!({ "token_endpoint_auth_methods_supported": methods });
    let app = provider.app().await;
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn an_app_signs_in_by_its_own_challenge() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.identities.redirects = vec!["myapp://sign-in".to_owned()];
    })
    .await;
    let body = json!({ "code_challenge": s256(VERIFIER), "redirect_to": "myapp://sign-in" });
    // No page of the application, and no cookie.
    let start = app.post("/v1/session/identity/acme").json(&body);
    let reply = start.send().await;
    assert!(reply.header("set-cookie").is_none());
    let callback = provider.consent(&authorization_url(&reply));
    let returned = app.get(&callback).send().await;
    let location = returned.header("location").unwrap();
    let code = location
        .strip_prefix("myapp://sign-in#exchange_code=")
        .unwrap();
    let exchange = |verifier: &str| {
        let body = json!({ "exchange_code": code, "code_verifier": verifier });
        app.post("/v1/session/exchange").json(&body).send()
    };
    for wrong in ["", &VERIFIER[1..], &s256(VERIFIER)] {
        assert_refused(&exchange(wrong).await, 401, "exchange_code_invalid");
    }
    assert_signed_in(&exchange(VERIFIER).await);
    assert_refused(&exchange(VERIFIER).await, 401, "exchange_code_invalid");
}

#[actix_web::test]
async fn a_session_can_go_into_the_cookie() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let fragment = browser.return_from(&app, &provider).await;
    let code = fragment.strip_prefix("exchange_code=").unwrap();
    let body = json!({ "exchange_code": code, "transport": "cookie", "remember": true });
    let reply = browser.exchange_with(&app, &body).await;
    assert!(assert_signed_in(&reply).get("token").is_none());
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("cloakroom=crs_") && cookie.contains("Max-Age="),
        "{cookie}"
    );
}

#[actix_web::test]
async fn the_cookie_that_binds_a_sign_in_is_for_this_host_alone() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.server.public_url = "https://auth.example.com".parse().unwrap();
        settings.session.cookie_domain = Some("example.com".to_owned());
    })
    .await;
    let mut browser = Browser::default();
    let reply = browser.start(&app, &json!({})).await;
    let cookie = reply.header("set-cookie").unwrap();
    let (value, rest) = cookie.split_once(';').unwrap();
    assert!(value.starts_with("__Host-cloakroom-browser="), "{cookie}");
    assert_eq!(
        rest,
        " Path=/; Max-Age=1560; HttpOnly; SameSite=Lax; Secure"
    );
    let callback = authorization_url(&reply);
    let callback = callback
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri");
    let expected = "https://auth.example.com/v1/session/identity/acme/callback";
    assert_eq!(callback.unwrap().1, expected);
}

#[actix_web::test]
async fn two_tabs_of_a_browser_sign_in_apart() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let [first, second] = [browser.started(&app).await, browser.started(&app).await];
    for url in [second, first] {
        let fragment = browser.open(&app, &provider.consent(&url)).await.unwrap();
        assert_signed_in(&browser.exchange(&app, &fragment).await);
    }
    assert_eq!(count_users(&app), 1);
}

#[actix_web::test]
async fn a_second_factor_is_due_after_the_provider() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let reply = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    let user = reply["user"]["id"].clone();
    let secret = enrolled(&app, &only_user(&app).await).await;
    let mut browser = Browser::default();
    let reply = browser.sign_in(&app, &provider).await;
    assert_second_factor_due(&reply);
    let pending = reply.json()["pending_token"].as_str().unwrap().to_owned();
    let code = secret.code_at(app.clock().now());
    let reply = assert_signed_in(&present(&app, &pending, "totp_code", &code).await);
    assert_eq!(reply["user"]["id"], user);
    assert_eq!(
        reply["session"]["auth_methods"],
        json!(["fed", "otp", "mfa"])
    );
}

#[actix_web::test]
async fn an_account_with_the_address_is_not_signed_in_to() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let user = app.create_user(ONE, PASSWORD).await;
    for verified in [false, true] {
        if verified {
            let sql = format!(
                "UPDATE users SET email_confirmed_at = 1 WHERE id = {}",
                user.id.0
            );
            execute_sql(&app, &sql);
        }
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 409, "account_exists");
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM identities"), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn a_disabled_account_is_not_signed_in_to() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    Browser::default().sign_in(&app, &provider).await;
    disable(&app, &only_user(&app).await).await;
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 401, "exchange_code_invalid");
}

#[actix_web::test]
async fn an_unverified_address_creates_no_account() {
    for claims in [
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
    ] {
        let provider = FakeProvider::start();
        provider.script().claims = claims;
        let app = provider.app().await;
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 422, "address_unverified");
        assert_eq!(count_users(&app), 0);
    }
}

#[actix_web::test]
async fn an_address_that_is_not_trusted_creates_no_account() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.providers.get_mut(ACME).unwrap().trust_email = false;
    })
    .await;
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 422, "address_unverified");
}

#[actix_web::test]
async fn a_provider_without_sign_up_signs_known_users_in_alone() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.providers.get_mut(ACME).unwrap().sign_up = false;
    })
    .await;
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 403, "forbidden");
    let user = app.create_user("two@example.com", PASSWORD).await;
    execute_sql(
        &app,
        &format!(
            "INSERT INTO identities (user_id, provider, issuer, subject, created_at, last_used_at)
             VALUES ({}, 'acme', '{}', 'user-1', 0, 0)",
            user.id.0, provider.url
        ),
    );
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn only_allowed_domains_sign_in() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        let acme = settings.providers.get_mut(ACME).unwrap();
        acme.allowed_domains = vec!["example.com".to_owned()];
    })
    .await;
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    for claims in [
        json!({ "email": "one@evil.example" }),
        json!({ "email": "one@sub.example.com" }),
        json!({ "email": "one@example.com.evil.example" }),
        json!({ "email_verified": false }),
    ] {
        provider.script().claims = claims;
        let fragment = Browser::default().return_from(&app, &provider).await;
        assert_eq!(fragment, "error=domain_not_allowed");
    }
}

#[actix_web::test]
async fn an_unverified_account_must_verify_first_where_required() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.registration.confirm = Confirm::Required;
    })
    .await;
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    execute_sql(&app, "UPDATE users SET email_confirmed_at = NULL");
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_refused(&reply, 403, "email_unconfirmed");
}

#[actix_web::test]
async fn rules_of_the_app_about_sign_ups_hold_for_providers() {
    let provider = FakeProvider::start();
    let hooks = Hooks::new()
        .before_sign_up(|_, sign_up| match sign_up.email_address.domain() {
            "example.com" => Ok(()),
            _ => Err(ValidationErrors::field("email_address", "is not of ours").into()),
        })
        .on_sign_up(|change, _, user| {
            assert!(user.email_confirmed_at.is_some());
            let sql = "UPDATE users SET profile = '{\"made\":1}' WHERE id = $1";
            change.execute(sql, &[user.id.into()]).map(drop)
        });
    let app = TestApp::builder()
        .settings(|settings| provider.configure(settings))
        .hooks(hooks)
        .build()
        .await;
    provider.script().claims = json!({ "email": "one@other.example", "sub": "user-2" });
    let reply = Browser::default().sign_in(&app, &provider).await;
    assert_faults(&reply, &[("email_address", "is not of ours")]);
    provider.script().claims = json!({});
    let reply = assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
    assert_eq!(count_users(&app), 1);
    let token = reply["token"].as_str().unwrap();
    let user = app.get("/v1/user").bearer(token).send().await.json();
    assert_eq!(user["user"]["profile"], json!({ "made": 1 }));
}

#[actix_web::test]
async fn twenty_callbacks_with_one_state_make_one_session() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    let opened = join_all((0..20).map(|_| browser.open(&app, &callback))).await;
    let fragments: Vec<String> = opened.into_iter().map(Result::unwrap).collect();
    let codes: Vec<_> = fragments
        .iter()
        .filter(|it| it.starts_with("exchange_code="))
        .collect();
    assert_eq!(codes.len(), 1, "{fragments:?}");
    let refused = fragments.iter().filter(|it| *it == "error=state_used");
    assert_eq!(refused.count(), 19, "{fragments:?}");
    let exchanged = join_all((0..20).map(|_| browser.exchange(&app, codes[0]))).await;
    let started = exchanged.iter().filter(|reply| reply.status == 200);
    assert_eq!(started.count(), 1);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
    assert_eq!((count_users(&app), provider.count("/token")), (1, 1));
}

#[actix_web::test]
async fn concurrent_first_sign_ins_make_one_account() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browsers: Vec<Browser> = (0..10).map(|_| Browser::default()).collect();
    let signed_in = join_all(
        browsers
            .iter_mut()
            .map(|browser| browser.sign_in(&app, &provider)),
    );
    for reply in signed_in.await {
        assert_signed_in(&reply);
    }
    assert_eq!(count_users(&app), 1);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 10);
}

#[actix_web::test]
async fn a_code_is_valid_for_a_minute_in_its_browser() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let fragment = browser.return_from(&app, &provider).await;
    let mut other = Browser::default();
    other.started(&app).await;
    for browser in [&other, &Browser::default()] {
        let reply = browser.exchange(&app, &fragment).await;
        assert_refused(&reply, 401, "exchange_code_invalid");
    }
    app.clock().advance(Duration::from_millis(59_999));
    assert_signed_in(&browser.exchange(&app, &fragment).await);
    let fragment = browser.return_from(&app, &provider).await;
    app.clock().advance(Duration::from_secs(60));
    let reply = browser.exchange(&app, &fragment).await;
    assert_refused(&reply, 401, "exchange_code_invalid");
}

#[actix_web::test]
async fn an_exchange_code_is_no_credential() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let fragment = Browser::default().return_from(&app, &provider).await;
    let code = fragment.strip_prefix("exchange_code=").unwrap();
    let reply = app.get("/v1/user").bearer(code).send().await;
    assert_refused(&reply, 401, "token_invalid");
}

#[actix_web::test]
async fn a_page_of_another_application_starts_no_sign_in() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let start = || app.post("/v1/session/identity/acme").json(&json!({}));
    let foreign = start()
        .header("Sec-Fetch-Site", "cross-site")
        .header("Origin", "https://evil.example");
    assert_refused(&foreign.send().await, 403, "cross_origin");
    assert_refused(&start().send().await, 403, "cross_origin");
}

#[actix_web::test]
async fn only_listed_pages_are_returned_to() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings
            .identities
            .redirects
            .push("https://app.example.com/in/*".to_owned());
    })
    .await;
    let start = |page: &str, challenge: Option<String>| {
        let mut body = json!({ "redirect_to": page });
        if let Some(challenge) = challenge {
            body["code_challenge"] = challenge.into();
        }
        let call = app.post("/v1/session/identity/acme").json(&body);
        call.header("Sec-Fetch-Site", "same-origin").send()
    };
    for page in [
        "https://evil.example/",
        "//evil.example",
        "https://app.example.com/in/../out",
        "javascript:alert(1)",
    ] {
        for challenge in [None, Some(s256(VERIFIER))] {
            let reply = start(page, challenge).await;
            assert_faults(&reply, &[("redirect_to", "is not an allowed page")]);
        }
    }
    let below = "https://app.example.com/in/a?b=c";
    let of_app = start(below, Some(s256(VERIFIER))).await;
    assert_faults(&of_app, &[("redirect_to", "is not an allowed page")]);
    assert_eq!(start(below, None).await.status, 200);
    let body = json!({ "code_challenge": "short" });
    let reply = app
        .post("/v1/session/identity/acme")
        .json(&body)
        .send()
        .await;
    assert_faults(&reply, &[("code_challenge", "is invalid")]);
}

#[actix_web::test]
async fn providers_are_listed_without_secrets() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let reply = app.get("/v1/providers").send().await;
    let expected = json!({ "providers": [{ "id": ACME, "name": "Acme", "kind": "oidc" }] });
    assert_eq!(reply.json(), expected);
    let none = TestApp::new().await.get("/v1/providers").send().await;
    assert_eq!(none.json(), json!({ "providers": [] }));
}

#[actix_web::test]
async fn starting_and_returning_have_limits_of_their_own() {
    let provider = FakeProvider::start();
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.throttle.enabled = true;
        settings.throttle.provider_sign_in = "3 in 3m".parse().unwrap();
    })
    .await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    for expected in [
        "exchange_code=",
        "error=state_used",
        "error=state_used",
        "error=rate_limited",
    ] {
        let fragment = browser.open(&app, &callback).await.unwrap();
        assert!(fragment.starts_with(expected), "{fragment}");
    }
    browser.started(&app).await;
    browser.started(&app).await;
    assert_refused(&browser.start(&app, &json!({})).await, 429, "rate_limited");
}

#[actix_web::test]
async fn starting_a_sign_in_stores_nothing() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    for _ in 0..5 {
        Browser::default().started(&app).await;
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM provider_sign_ins"), 0);
}

#[actix_web::test]
async fn what_the_provider_stated_is_removed_by_the_exchange() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let fragment = browser.return_from(&app, &provider).await;
    let rows = "SELECT count(*) FROM provider_sign_ins WHERE identity IS NOT NULL";
    assert_eq!(count_in(&app, rows), 1);
    browser.exchange(&app, &fragment).await;
    assert_eq!(count_in(&app, rows), 0);
}

#[actix_web::test]
async fn passwords_sign_in_while_a_provider_hangs() {
    let provider = FakeProvider::start();
    provider.script().hangs = vec!["/.well-known/openid-configuration"];
    let app = provider.app().await;
    app.create_user(ONE, PASSWORD).await;
    let hanging = join_all((0..50).map(|_| {
        let body = json!({ "code_challenge": s256(VERIFIER) });
        app.post("/v1/session/identity/acme").json(&body).send()
    }));
    let sign_ins = async {
        for _ in 0..50 {
            assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
        }
    };
    // The sign-ins by password are done first.
    let hanging = std::pin::pin!(hanging);
    match select(hanging, std::pin::pin!(sign_ins)).await {
        futures_util::future::Either::Left(_) => panic!("the provider answered"),
        futures_util::future::Either::Right(((), hanging)) => {
            for reply in hanging.await {
                assert_refused(&reply, 503, "provider_unavailable");
                assert!(reply.header("retry-after").is_some());
            }
        }
    }
    assert_eq!(provider.count("/.well-known/openid-configuration"), 1);
}

#[actix_web::test]
async fn a_provider_that_does_not_answer_is_spared() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    assert_signed_in(&browser.sign_in(&app, &provider).await);
    let down = "no HTTP at all\r\n\r\n".to_owned();
    provider.script().raw.insert("/token", down);
    for _ in 0..20 {
        let fragment = browser.return_from(&app, &provider).await;
        assert_eq!(fragment, "error=provider_unavailable");
    }
    assert_eq!(provider.count("/token"), 6);
    provider.script().raw.clear();
    app.clock().advance(Duration::from_secs(30));
    provider.script().now += 30;
    assert_signed_in(&browser.sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn errors_that_a_client_provokes_stop_no_other_client() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let fault = whole("500 Internal Server Error", "text/plain", "");
    provider.script().raw.insert("/token", fault);
    for _ in 0..10 {
        let fragment = Browser::default().return_from(&app, &provider).await;
        assert_eq!(fragment, "error=provider_unavailable");
    }
    assert_eq!(provider.count("/token"), 10);
    provider.script().raw.clear();
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
}

#[actix_web::test]
async fn a_provider_that_hangs_is_spared_though_clients_hang_up() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    browser.started(&app).await;
    provider.script().hangs = vec!["/token"];
    for asked in 1..=5 {
        let callback = provider.consent(&browser.started(&app).await);
        let opened = Box::pin(browser.open(&app, &callback));
        let is_asked = Box::pin(async {
            while provider.count("/token") < asked {
                tokio::task::yield_now().await;
            }
        });
        // The client hangs up once the provider is asked.
        drop(select(opened, is_asked).await);
        provider.script().hang_up();
    }
    // The last of these failures is noted when the thread sees it.
    for _ in 0..2 {
        let before = provider.count("/token");
        let callback = provider.consent(&browser.started(&app).await);
        let opened = browser.open(&app, &callback).await.unwrap();
        assert_eq!(opened, "error=provider_unavailable");
        if provider.count("/token") == before {
            return;
        }
    }
    panic!("the provider is asked again and again");
}

#[actix_web::test]
async fn endpoints_elsewhere_in_a_private_network_are_refused() {
    for elsewhere in ["127.0.0.2", "localhost", "[::1]"] {
        for endpoint in ["token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            let provider = FakeProvider::start();
            let moved = provider.url.replace("127.0.0.1", elsewhere);
            provider.script().discovery = json!({ endpoint: format!("{moved}/moved") });
            let app = TestApp::with_settings(|settings| {
                provider.configure(settings);
                let more = "::1/128".parse().unwrap();
                settings.outbound.private_networks.push(more);
            })
            .await;
            let reply = Browser::default().start(&app, &json!({})).await;
            assert_refused(&reply, 503, "provider_unavailable");
            assert_eq!(provider.count("/moved"), 0);
        }
    }
}

#[actix_web::test]
async fn new_keys_without_ids_are_fetched() {
    let provider = FakeProvider::start();
    let old = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }] });
    provider.script().header = json!({ "kid": null });
    provider.script().keys = old;
    let app = provider.app().await;
    let mut browser = Browser::default();
    for _ in 0..3 {
        let fragment = browser.return_from(&app, &provider).await;
        assert_eq!(fragment, "error=id_token_signature");
    }
    provider.script().keys = serde_json::Value::Null;
    assert_eq!(provider.count("/keys"), 1);
    app.clock().advance(Duration::from_secs(60));
    provider.script().now += 60;
    assert_signed_in(&browser.sign_in(&app, &provider).await);
    assert_eq!(provider.count("/keys"), 2);
}

#[actix_web::test]
async fn a_code_of_the_last_moment_outlives_the_sweep() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    app.clock().advance(Duration::from_millis(599_999));
    provider.script().now += 599;
    let fragment = browser.open(&app, &callback).await.unwrap();
    app.clock().advance(Duration::from_millis(59_999));
    sweep(&app).await;
    assert_signed_in(&browser.exchange(&app, &fragment).await);
    app.clock().advance(Duration::from_secs(1));
    sweep(&app).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM provider_sign_ins"), 0);
}

#[actix_web::test]
async fn a_provider_learns_no_more_than_it_needs() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let url = browser.started(&app).await;
    let names: Vec<String> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "tenant",
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method"
        ]
    );
    assert!(url.as_str().len() < 2_000 && url.as_str().contains(&CLIENT_ID.replace('@', "%40")));
}

#[test]
fn the_guide_shows_settings_that_load() {
    let guide = include_str!("../../docs/guides/providers.md");
    let folder = tempfile::tempdir().unwrap();
    let here = format!("{}/", folder.path().display());
    let mut kinds = Vec::new();
    for block in guide.split("```toml\n").skip(1) {
        let (text, _) = block.split_once("```").unwrap();
        let (_, path) = text.split_once("/run/secrets/").unwrap();
        let (name, _) = path.split_once('"').unwrap();
        std::fs::write(folder.path().join(name), "a-secret\n").unwrap();
        let file = folder.path().join("cloakroom.toml");
        std::fs::write(&file, text.replace("/run/secrets/", &here)).unwrap();
        let settings = Settings::load(&Sources {
            env: Environment::Production,
            file: Some(file),
            variables: production(),
            ignored: vec![],
        })
        .unwrap();
        let [provider] = &settings.providers.values().collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        let secret = [&provider.client_secret, &provider.private_key];
        let secret = secret.into_iter().flatten().next().unwrap();
        assert_eq!(secret.expose(), "a-secret");
        kinds.push(provider.kind.as_str());
        let page = settings.identity_redirect(None, false).unwrap();
        assert_eq!(page.as_str(), "https://app.example.com/sign-in/provider");
    }
    let expected = [
        "oidc",
        "google",
        "microsoft",
        "github",
        "apple",
        "gitlab",
        "discord",
        "oidc",
    ];
    assert_eq!(kinds, expected);
}

/// What production demands besides.
fn production() -> Vec<(String, String)> {
    [
        ("SERVER__PUBLIC_URL", "https://auth.example.com"),
        ("SERVER__FRONTEND_URL", "https://app.example.com"),
        ("CORS__ORIGINS", "https://app.example.com"),
        ("MAIL__FROM", "no-reply@example.com"),
        ("SECRETS__KEY_BASE", "0123456789abcdefghijklmnopqrstuv"),
    ]
    .map(|(name, value)| (format!("CLOAKROOM__{name}"), value.to_owned()))
    .to_vec()
}

#[actix_web::test]
async fn a_state_of_before_a_restore_is_refused() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    restored(&app).await;
    let fragment = browser.open(&app, &callback).await.unwrap();
    assert_eq!(fragment, "error=state_used");
    app.clock().advance(Duration::from_secs(1));
    assert_signed_in(&Browser::default().sign_in(&app, &provider).await);
}
