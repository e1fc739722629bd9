//! Sign-in by GitHub, which has no ID token: by a stub of its routes, honest and hostile.

use cloakroom::config::ProviderKind;
use cloakroom::testing::TestApp;
use serde_json::{Value, json};

use crate::support::app::{assert_refused, column_in, count_in};
use crate::support::provider::{Browser, FakeProvider, Script, whole};

const USER: &str = "/api/v3/user";
const EMAILS: &str = "/api/v3/user/emails?per_page=100";
const TOKEN: &str = "/login/oauth/access_token";

async fn app(provider: &FakeProvider) -> TestApp {
    let url = provider.url.clone();
    provider
        .app_as(ProviderKind::Github, |github| {
            github.issuer.clear();
            github.base_url = url;
        })
        .await
}

/// Why a sign-in by GitHub with this script is refused.
async fn refusal(change: impl FnOnce(&mut Script)) -> String {
    let provider = FakeProvider::start();
    change(&mut provider.script());
    let app = app(&provider).await;
    let fragment = Browser::default().return_from(&app, &provider).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 0);
    let error = fragment.strip_prefix("error=");
    error.unwrap_or_else(|| panic!("{fragment}")).to_owned()
}

#[actix_web::test]
async fn a_user_of_github_is_known_by_the_numeric_id() {
    let provider = FakeProvider::start();
    let app = app(&provider).await;
    let mut browser = Browser::default();
    let url = browser.started(&app).await;
    assert_eq!(url.path(), "/login/oauth/authorize");
    let scope = url.query_pairs().find(|(name, _)| name == "scope");
    assert_eq!(scope.unwrap().1, "read:user user:email");
    let reply = browser.sign_in(&app, &provider).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["user"]["email_address"], "mona@example.com");
    assert_eq!(reply.json()["user"]["name"], "Mona");
    let known = column_in(&app, "SELECT issuer || ' ' || subject FROM identities");
    assert_eq!(known, [Some(format!("{} 583231", provider.url))]);
    // The name there and the address change.
    provider.script().github_user = json!({ "id": 583231, "login": "renamed", "name": null });
    provider.script().github_emails = json!([]);
    assert_eq!(browser.sign_in(&app, &provider).await.status, 200);
    // Another user takes the name.
    provider.script().github_user = json!({ "id": 1, "login": "octocat", "name": null });
    let reply = browser.sign_in(&app, &provider).await;
    assert_refused(&reply, 422, "address_unverified");
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
}

#[actix_web::test]
async fn only_a_primary_and_verified_address_counts() {
    let address = |email: &str, primary: bool, verified: bool| json!({ "email": email, "primary": primary, "verified": verified, "visibility": null });
    for emails in [
        json!([]),
        json!([address("mona@example.com", true, false)]),
        json!([address("mona@example.com", false, true)]),
        json!([
            address("mona@example.com", true, false),
            address("other@example.com", false, true)
        ]),
        json!([address("mönä@example.com", true, true)]),
        json!([address("", true, true)]),
    ] {
        let provider = FakeProvider::start();
        provider.script().github_emails = emails.clone();
        let app = app(&provider).await;
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 422, "address_unverified");
        assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 0, "{emails}");
    }
}

#[actix_web::test]
async fn a_user_who_withholds_the_addresses_has_none() {
    for status in ["403 Forbidden", "404 Not Found"] {
        let provider = FakeProvider::start();
        let reply = whole(status, "application/json", "{}");
        provider.script().raw.insert(EMAILS, reply);
        let app = app(&provider).await;
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 422, "address_unverified");
    }
}

#[actix_web::test]
async fn wrong_types_of_github_are_refused() {
    let user = |changes: Value| {
        move |script: &mut Script| {
            for (name, value) in changes.as_object().unwrap() {
                script.github_user[name] = value.clone();
            }
        }
    };
    let emails = |emails: Value| move |script: &mut Script| script.github_emails = emails;
    let invalid = "provider_reply_invalid";
    assert_eq!(refusal(user(json!({ "id": "583231" }))).await, invalid);
    assert_eq!(refusal(user(json!({ "id": -1 }))).await, invalid);
    assert_eq!(refusal(user(json!({ "id": 1.5 }))).await, invalid);
    assert_eq!(refusal(user(json!({ "id": null }))).await, invalid);
    assert_eq!(refusal(user(json!({ "login": null }))).await, invalid);
    assert_eq!(refusal(user(json!({ "name": ["Mona"] }))).await, invalid);
    let mona = "mona@example.com";
    for wrong in [
        json!({ "email": mona, "primary": true, "verified": true }),
        json!([mona]),
        json!([{ "email": mona, "primary": true, "verified": "true" }]),
        json!([{ "email": mona, "primary": 1, "verified": true }]),
        json!([{ "email": [mona], "primary": true, "verified": true }]),
        json!([{ "email": mona, "verified": true }]),
    ] {
        assert_eq!(refusal(emails(wrong.clone())).await, invalid, "{wrong}");
    }
    let one = json!({ "email": mona, "primary": true, "verified": true });
    let two = json!({ "email": "evil@example.com", "primary": true, "verified": true });
    assert_eq!(refusal(emails(json!([one, two]))).await, "claims_invalid");
}

#[actix_web::test]
async fn replies_of_github_that_cannot_be_used_are_refused() {
    let json = "application/json";
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let megabyte = format!("{{\"id\":1,\"login\":\"{}\"}}", "a".repeat(1 << 20));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for path in [TOKEN, USER, EMAILS] {
        for (reply, code) in [
            (redirect.to_owned(), "provider_reply_invalid"),
            (
                whole("200 OK", "text/html", "<html>"),
                "provider_reply_invalid",
            ),
            (whole("200 OK", json, "<html>"), "provider_reply_invalid"),
            (whole("200 OK", json, &deep), "provider_reply_invalid"),
            (whole("200 OK", json, &megabyte), "provider_unavailable"),
            (whole("503 Busy", json, "{}"), "provider_unavailable"),
            (
                whole("429 Too Many Requests", json, "{}"),
                "provider_unavailable",
            ),
        ] {
            let found = refusal(|script| {
                script.raw.insert(path, reply.clone());
            });
            let cut: String = reply.chars().take(120).collect();
            assert_eq!(found.await, code, "{path}: {cut}");
        }
    }
    let unauthorized = whole("401 Unauthorized", json, "{}");
    let found = refusal(|script| {
        script.raw.insert(USER, unauthorized.clone());
    });
    assert_eq!(found.await, "provider_reply_invalid");
}

#[actix_web::test]
async fn each_refusal_of_github_has_its_code() {
    for (token, code) in [
        (json!({ "error": "bad_verification_code" }), "code_refused"),
        (
            json!({ "error": "incorrect_client_credentials" }),
            "provider_client_refused",
        ),
        (
            json!({ "error": "redirect_uri_mismatch" }),
            "provider_client_refused",
        ),
        // An error counts even beside a token.
        (
            json!({ "error": "bad_verification_code", "access_token": "a" }),
            "code_refused",
        ),
        (json!({ "access_token": null }), "provider_reply_invalid"),
        (json!({ "token_type": "mac" }), "provider_reply_invalid"),
        (json!({ "access_token": ["a"] }), "provider_reply_invalid"),
    ] {
        let found = refusal(|script| script.token = token.clone()).await;
        assert_eq!(found, code, "{token}");
    }
    let unknown = whole(
        "404 Not Found",
        "application/json",
        r#"{"error":"Not Found"}"#,
    );
    let found = refusal(|script| {
        script.raw.insert(TOKEN, unknown);
    });
    assert_eq!(found.await, "provider_client_refused");
    for (callback, code) in [
        (
            json!({ "code": null, "error": "access_denied" }),
            "access_denied",
        ),
        (
            json!({ "code": null, "error": "application_suspended" }),
            "provider_error",
        ),
        (json!({ "code": null }), "code_missing"),
        (json!({ "code": "made up" }), "code_refused"),
    ] {
        let found = refusal(|script| script.callback = callback.clone()).await;
        assert_eq!(found, code, "{callback}");
    }
}

#[actix_web::test]
async fn a_code_of_github_is_bound_to_its_sign_in() {
    let provider = FakeProvider::start();
    let app = app(&provider).await;
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let stolen = provider.consent(&victim.started(&app).await);
    let own = provider.consent(&attacker.started(&app).await);
    let code_of = |path: &str| path.split_once("code=").unwrap().1[.."code-0".len()].to_owned();
    let injected = own.replace(&code_of(&own), &code_of(&stolen));
    let fragment = attacker.open(&app, &injected).await.unwrap();
    assert_eq!(fragment, "error=code_refused");
    let fragment = attacker.open(&app, &stolen).await.unwrap();
    assert_eq!(fragment, "error=browser_mismatch");
}
