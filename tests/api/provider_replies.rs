//! A hostile provider, and hostile browsers: each reply that breaks a rule is refused with its code, and no account comes of
//! it.

use std::time::Duration;

use actix_web::rt::time::timeout;
use cloakroom::testing::TestApp;
use serde_json::{Value, json};
use url::Url;

use crate::support::app::{assert_refused, count_in};
use crate::support::provider::{ACME, Browser, FakeProvider, Script, ok, whole};

/// Why a sign-in by a provider with this script is refused.
async fn refusal(change: impl FnOnce(&mut Script)) -> String {
    let provider = FakeProvider::start();
    change(&mut provider.script());
    let app = provider.app().await;
    let fragment = Browser::default().return_from(&app, &provider).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 0);
    let rows = "SELECT count(*) FROM provider_sign_ins WHERE code_digest IS NOT NULL";
    assert_eq!(count_in(&app, rows), 0);
    let error = fragment.strip_prefix("error=");
    error.unwrap_or_else(|| panic!("{fragment}")).to_owned()
}

#[actix_web::test]
async fn each_wrong_claim_is_refused_with_its_code() {
    for (claims, code) in [
        (json!({ "iss": "https://evil.example" }), "id_token_issuer"),
        (json!({ "iss": null }), "id_token_malformed"),
        (json!({ "iss": ["a"] }), "id_token_malformed"),
        (json!({ "aud": "another-client" }), "id_token_audience"),
        (json!({ "aud": [] }), "id_token_audience"),
        (
            json!({ "aud": ["another-client"], "azp": "cloakroom@acme" }),
            "id_token_audience",
        ),
        (
            json!({ "aud": ["cloakroom@acme", "another-client"] }),
            "id_token_audience",
        ),
        (json!({ "aud": null }), "id_token_malformed"),
        (json!({ "azp": "another-client" }), "id_token_party"),
        (
            json!({ "aud": ["cloakroom@acme", "other"], "azp": "other" }),
            "id_token_party",
        ),
        (json!({ "nonce": null }), "id_token_nonce"),
        (json!({ "nonce": "" }), "id_token_nonce"),
        (json!({ "nonce": "of another sign-in" }), "id_token_nonce"),
        (json!({ "exp": 1_769_851_740 }), "id_token_expired"),
        (json!({ "exp": null }), "id_token_malformed"),
        (json!({ "exp": "1769852100" }), "id_token_malformed"),
        (json!({ "iat": 1_769_851_861 }), "id_token_future"),
        (json!({ "iat": null }), "id_token_malformed"),
        (json!({ "nbf": 1_769_851_861 }), "id_token_future"),
        (json!({ "sub": null }), "id_token_malformed"),
        (json!({ "sub": "" }), "id_token_malformed"),
        (json!({ "sub": 1 }), "id_token_malformed"),
        (json!({ "sub": "a\u{0}b" }), "id_token_malformed"),
        (json!({ "sub": "a".repeat(256) }), "id_token_malformed"),
        (
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
            "access_token_mismatch",
        ),
        (json!({ "email_verified": "true" }), "claims_invalid"),
        (json!({ "email_verified": 1 }), "claims_invalid"),
        (
            json!({ "email": ["one@example.com", "evil@example.com"] }),
            "claims_invalid",
        ),
        (
            json!({ "email": { "value": "one@example.com" } }),
            "claims_invalid",
        ),
        (json!({ "name": ["One"] }), "claims_invalid"),
        (
            json!({ "padding": "a".repeat(20_000) }),
            "id_token_malformed",
        ),
    ] {
        let found = refusal(|script| script.claims = claims.clone()).await;
        assert_eq!(found, code, "{claims}");
    }
}

#[actix_web::test]
async fn an_address_that_cannot_be_used_here_is_none() {
    for email in [
        // A Cyrillic letter, a full-width sign, and two addresses in one.
        "оne@example.com",
        "one＠example.com",
        "one@example.com,evil@example.com",
        "evil@example.com\u{0}@example.com",
        "",
    ] {
        let provider = FakeProvider::start();
        let app = provider.app().await;
        let mut browser = Browser::default();
        provider.script().claims = json!({ "email": email, "sub": "user-2" });
        let reply = browser.sign_in(&app, &provider).await;
        assert_refused(&reply, 422, "address_unverified");
        assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 0);
        // A user who is known signs in.
        provider.script().claims = json!({});
        assert_eq!(browser.sign_in(&app, &provider).await.status, 200);
        provider.script().claims = json!({ "email": email });
        assert_eq!(browser.sign_in(&app, &provider).await.status, 200);
    }
}

#[actix_web::test]
async fn each_wrong_header_is_refused_with_its_code() {
    for (header, code) in [
        (json!({ "kid": "unknown" }), "id_token_key"),
        (json!({ "kid": "secret" }), "id_token_key"),
        // The key of another algorithm.
        (json!({ "kid": "rsa" }), "id_token_key"),
        (json!({ "alg": "RS256" }), "id_token_key"),
        (
            json!({ "alg": "RS256", "kid": "rsa" }),
            "id_token_signature",
        ),
        (
            json!({ "alg": "PS256", "kid": "rsa" }),
            "id_token_signature",
        ),
        (
            json!({ "alg": "ES256", "kid": "p256" }),
            "id_token_signature",
        ),
        (json!({ "alg": "RS512" }), "id_token_algorithm"),
        (json!({ "alg": null }), "id_token_malformed"),
        (json!({ "typ": "at+jwt" }), "id_token_malformed"),
        (
            json!({ "crit": ["b64"], "b64": true }),
            "id_token_malformed",
        ),
    ] {
        let found = refusal(|script| script.header = header.clone()).await;
        assert_eq!(found, code, "{header}");
    }
    for (algorithm, code) in [
        ("none", "id_token_algorithm"),
        // Signed with the client secret, or with a public key as a secret.
        ("HS256", "id_token_algorithm"),
    ] {
        let found = refusal(|script| script.algorithm = algorithm).await;
        assert_eq!(found, code, "{algorithm}");
    }
}

#[actix_web::test]
async fn an_id_token_changed_after_signing_is_refused() {
    type Change = fn(String) -> String;
    let changes: [(Change, &str); 6] = [
        (
            |token| {
                let (head, signature) = token.rsplit_once('.').unwrap();
                format!("{head}A.{signature}")
            },
            "id_token_signature",
        ),
        (
            |token| format!("{}.", token.rsplit_once('.').unwrap().0),
            "id_token_signature",
        ),
        (|token| format!("{token}.{token}"), "id_token_malformed"),
        (|token| token.replace('.', ""), "id_token_malformed"),
        (|token| format!("{token}="), "id_token_malformed"),
        (|_| String::new(), "id_token_malformed"),
    ];
    for (change, code) in changes {
        assert_eq!(refusal(|script| script.after_signing = change).await, code);
    }
}

#[actix_web::test]
async fn a_key_set_of_another_is_refused() {
    let another = json!({ "keys": [{
        "kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }] });
    for (keys, code) in [
        (another, "id_token_signature"),
        (json!({ "keys": [] }), "id_token_key"),
        (
            json!({ "keys": [{ "kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "x": "" }] }),
            "id_token_signature",
        ),
        (json!({ "keys": "none" }), "provider_reply_invalid"),
        (json!([]), "provider_reply_invalid"),
    ] {
        let found = refusal(|script| script.keys = keys.clone()).await;
        assert_eq!(found, code, "{keys}");
    }
}

#[actix_web::test]
async fn each_wrong_token_reply_is_refused_with_its_code() {
    for (token, code) in [
        (json!({ "id_token": null }), "id_token_missing"),
        (json!({ "id_token": ["a"] }), "provider_reply_invalid"),
        (json!({ "access_token": null }), "provider_reply_invalid"),
        (json!({ "token_type": "mac" }), "provider_reply_invalid"),
    ] {
        let found = refusal(|script| script.token = token.clone()).await;
        assert_eq!(found, code, "{token}");
    }
}

#[actix_web::test]
async fn replies_that_are_no_json_are_refused() {
    let redirect = |to: &str| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let json = "application/json";
    let megabyte = format!("{{\"a\":\"{}\"}}", "a".repeat(1 << 20));
    for (path, reply, code) in [
        (
            "/token",
            redirect("http://169.254.169.254/"),
            "provider_reply_invalid",
        ),
        ("/token", redirect("/token"), "provider_reply_invalid"),
        (
            "/keys",
            redirect("http://127.0.0.1/"),
            "provider_reply_invalid",
        ),
        (
            "/token",
            whole("200 OK", "text/html", "<html>"),
            "provider_reply_invalid",
        ),
        (
            "/token",
            whole("200 OK", json, "<html>"),
            "provider_reply_invalid",
        ),
        (
            "/keys",
            whole("200 OK", "text/html", r#"{"keys":[]}"#),
            "provider_reply_invalid",
        ),
        (
            "/token",
            whole("200 OK", json, &megabyte),
            "provider_unavailable",
        ),
        (
            "/keys",
            whole("200 OK", json, &megabyte),
            "provider_unavailable",
        ),
        (
            "/token",
            "no HTTP at all\r\n\r\n".to_owned(),
            "provider_unavailable",
        ),
        (
            "/token",
            whole("503 Busy", json, "{}"),
            "provider_unavailable",
        ),
        (
            "/token",
            whole("429 Too Many Requests", json, "{}"),
            "provider_unavailable",
        ),
        (
            "/token",
            whole("400 Bad Request", json, r#"{"error":"invalid_grant"}"#),
            "code_refused",
        ),
        (
            "/token",
            whole("401 No", json, r#"{"error":"invalid_client"}"#),
            "provider_client_refused",
        ),
        (
            "/token",
            whole("400 Bad Request", "text/html", "<html>"),
            "provider_client_refused",
        ),
        (
            "/token",
            whole("204 None", json, ""),
            "provider_reply_invalid",
        ),
    ] {
        let found = refusal(|script| {
            script.raw.insert(path, reply.clone());
        });
        let cut: String = reply.chars().take(200).collect();
        assert_eq!(found.await, code, "{path}: {cut}");
    }
}

#[actix_web::test]
async fn repeated_members_are_refused() {
    let raw = |body: &str| whole("200 OK", "application/json", body);
    for body in [
        r#"{"access_token":"a","token_type":"Bearer","id_token":"a.b.c","id_token":"a.b.c"}"#,
        r#"{"access_token":"a","access_token":"b","token_type":"Bearer","id_token":"a.b.c"}"#,
    ] {
        let found = refusal(|script| {
            script.raw.insert("/token", raw(body));
        });
        assert_eq!(found.await, "provider_reply_invalid", "{body}");
    }
}

#[actix_web::test]
async fn userinfo_of_another_user_is_refused() {
    let lacks_email = |script: &mut Script| script.claims = json!({ "email": null });
    for (userinfo, code) in [
        (json!({ "sub": "user-2" }), "userinfo_subject"),
        (json!({ "sub": "USER-1" }), "userinfo_subject"),
        (json!({ "sub": null }), "provider_reply_invalid"),
        (json!({ "email_verified": "true" }), "claims_invalid"),
        (json!({ "email": ["info@example.com"] }), "claims_invalid"),
    ] {
        let found = refusal(|script| {
            lacks_email(script);
            script.userinfo = userinfo.clone();
        });
        assert_eq!(found.await, code, "{userinfo}");
    }
    let signed = whole("200 OK", "application/jwt", "a.b.c");
    let found = refusal(|script| {
        lacks_email(script);
        script.raw.insert("/userinfo", signed);
    });
    assert_eq!(found.await, "provider_reply_invalid");
}

#[actix_web::test]
async fn a_callback_of_another_issuer_is_refused() {
    for (callback, code) in [
        (json!({ "iss": "https://evil.example" }), "issuer_mismatch"),
        (json!({ "iss": null }), "issuer_mismatch"),
        (json!({ "iss": "" }), "issuer_mismatch"),
        (
            json!({ "code": null, "error": "access_denied" }),
            "access_denied",
        ),
        (
            json!({ "code": null, "error": "server_error" }),
            "provider_error",
        ),
        (
            json!({ "error": "access_denied", "iss": "https://evil.example" }),
            "issuer_mismatch",
        ),
        (json!({ "code": null }), "code_missing"),
        (json!({ "code": "" }), "code_missing"),
        (json!({ "code": "made up" }), "code_refused"),
    ] {
        let found = refusal(|script| script.callback = callback.clone()).await;
        assert_eq!(found, code, "{callback}");
    }
    // Where the provider does not promise it, its absence is no fault, and another issuer is.
    for (callback, refused) in [
        (json!({ "iss": null }), false),
        (json!({ "iss": "x" }), true),
    ] {
        let provider = FakeProvider::start();
        provider.script().callback = callback;
        provider.script().discovery =
            json!({ "authorization_response_iss_parameter_supported": null });
        let app = provider.app().await;
        let fragment = Browser::default().return_from(&app, &provider).await;
        assert_eq!(fragment == "error=issuer_mismatch", refused, "{fragment}");
    }
}

#[actix_web::test]
async fn a_discovery_document_that_cannot_be_used_starts_nothing() {
    for discovery in [
        json!({ "issuer": "https://evil.example" }),
        json!({ "issuer": "{url}/" }),
        json!({ "issuer": null }),
        json!({ "authorization_endpoint": null }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "authorization_endpoint": "https://user@id.example.com/" }),
        json!({ "authorization_endpoint": "/authorize" }),
        json!({ "token_endpoint": "http://169.254.169.254/token" }),
        json!({ "token_endpoint": "file:///etc/passwd" }),
        json!({ "token_endpoint": ["https://id.example.com/token"] }),
        json!({ "jwks_uri": "http://10.0.0.1/keys" }),
        json!({ "jwks_uri": null }),
        json!({ "userinfo_endpoint": "https://10.0.0.1/userinfo" }),
        json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
    ] {
        let provider = FakeProvider::start();
        let text = discovery.to_string().replace("{url}", &provider.url);
        provider.script().discovery = serde_json::from_str(&text).unwrap();
        assert_not_started(&provider).await;
    }
    let path = "/.well-known/openid-configuration";
    for raw in [
        whole("404 Not Found", "text/plain", ""),
        whole("200 OK", "text/html", "<html>"),
        whole("200 OK", "application/json", "[]"),
        "HTTP/1.1 302 Found\r\nLocation: /other\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
    ] {
        let provider = FakeProvider::start();
        provider.script().raw.insert(path, raw);
        assert_not_started(&provider).await;
    }
}

async fn assert_not_started(provider: &FakeProvider) {
    let app = provider.app().await;
    let reply = Browser::default().start(&app, &json!({})).await;
    assert_refused(&reply, 503, "provider_unavailable");
}

#[actix_web::test]
async fn a_reply_that_drips_is_given_up() {
    let provider = FakeProvider::start();
    provider.script().hangs = vec!["/token"];
    let app = provider.app().await;
    let mut browser = Browser::default();
    let returned = timeout(
        Duration::from_secs(30),
        browser.return_from(&app, &provider),
    );
    assert_eq!(returned.await.unwrap(), "error=provider_unavailable");
}

/// Two providers, of which the app trusts both.
async fn app_with_two(first: &FakeProvider, second: &FakeProvider) -> TestApp {
    TestApp::with_settings(|settings| {
        second.configure(settings);
        let other = settings.providers.remove(ACME).unwrap();
        settings.providers.insert("other".to_owned(), other);
        first.configure(settings);
    })
    .await
}

#[actix_web::test]
async fn a_state_for_one_provider_is_refused_by_another() {
    let [first, second] = [FakeProvider::start(), FakeProvider::start()];
    let app = app_with_two(&first, &second).await;
    let mut browser = Browser::default();
    let callback = first.consent(&browser.started(&app).await);
    let moved = callback.replace("/identity/acme/", "/identity/other/");
    let fragment = browser.open(&app, &moved).await.unwrap();
    assert_eq!(fragment, "error=provider_mismatch");
    assert_eq!(second.count("/token"), 0);
}

#[actix_web::test]
async fn a_code_of_another_sign_in_is_refused() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let stolen = provider.consent(&victim.started(&app).await);
    let own = provider.consent(&attacker.started(&app).await);
    let code = parameter(&stolen, "code");
    let injected = own.replace(&parameter(&own, "code"), &code);
    assert_eq!(
        attacker.open(&app, &injected).await.unwrap(),
        "error=code_refused"
    );
    // The whole callback, in the wrong browser.
    for browser in [&attacker, &Browser::default()] {
        let fragment = browser.open(&app, &stolen).await.unwrap();
        assert_eq!(fragment, "error=browser_mismatch");
    }
}

#[actix_web::test]
async fn a_cookie_that_is_planted_beside_another_counts_for_nothing() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    let own = browser.cookie.clone().unwrap();
    browser.cookie = Some(format!("cloakroom-browser={}; {own}", "0".repeat(32)));
    assert_eq!(
        browser.open(&app, &callback).await.unwrap(),
        "error=browser_mismatch"
    );
    browser.cookie = Some(own);
    assert!(
        browser
            .open(&app, &callback)
            .await
            .unwrap()
            .starts_with("exchange_code=")
    );
}

#[actix_web::test]
async fn a_state_is_ours_unused_and_ten_minutes_old_at_most() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    let state = parameter(&callback, "state");
    let mut cut = state.clone();
    cut.pop();
    for forged in ["", "a", &*cut, &state.to_lowercase(), &"A".repeat(5000)] {
        let path = callback.replace(&state, forged);
        let reply = browser.open(&app, &path).await.unwrap_err();
        assert_refused(&reply, 400, "state_invalid");
    }
    let reply = browser
        .open(&app, "/v1/session/identity/acme/callback")
        .await;
    assert_refused(&reply.unwrap_err(), 400, "state_invalid");
    let twice = format!("{callback}&state={state}");
    assert_refused(
        &browser.open(&app, &twice).await.unwrap_err(),
        400,
        "invalid_request",
    );
    app.clock().advance(Duration::from_secs(600));
    assert_eq!(
        browser.open(&app, &callback).await.unwrap(),
        "error=state_expired"
    );
    let callback = provider.consent(&browser.started(&app).await);
    app.clock().advance(Duration::from_millis(599_999));
    provider.script().now += 1200;
    assert!(
        browser
            .open(&app, &callback)
            .await
            .unwrap()
            .starts_with("exchange_code=")
    );
    assert_eq!(
        browser.open(&app, &callback).await.unwrap(),
        "error=state_used"
    );
}

#[actix_web::test]
async fn a_code_that_is_made_up_is_exchanged_for_nothing() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let mut browser = Browser::default();
    let fragment = browser.return_from(&app, &provider).await;
    for code in [
        String::new(),
        "cre_".to_owned(),
        fragment.replace("exchange_code=cre_", "crp_"),
        "cre_11111111111111111111111111111111111111".to_owned(),
    ] {
        let body = json!({ "exchange_code": code });
        let reply = browser.exchange_with(&app, &body).await;
        assert_refused(&reply, 401, "exchange_code_invalid");
    }
    let reply = browser.exchange_with(&app, &json!({})).await;
    assert_refused(&reply, 401, "exchange_code_invalid");
}

fn parameter(path: &str, name: &str) -> String {
    let url = Url::parse("http://localhost").unwrap().join(path).unwrap();
    let found = url.query_pairs().find(|(it, _)| it == name);
    found.unwrap().1.into_owned()
}

#[actix_web::test]
async fn an_honest_provider_with_more_than_we_read_is_accepted() {
    let provider = FakeProvider::start();
    {
        let mut script = provider.script();
        script.claims = json!({
            "aud": ["cloakroom@acme"], "azp": "cloakroom@acme", "groups": ["a", 1, null], "exp": 1_769_852_100.5,
            "at_hash": at_hash(),
        });
        script.header = json!({ "jku": "https://evil.example/keys", "kid": null });
        script.raw.insert("/unused", ok(&Value::Null));
    }
    let app = provider.app().await;
    assert_eq!(
        Browser::default().sign_in(&app, &provider).await.status,
        200
    );
}

/// Of the access token, for EdDSA.
fn at_hash() -> String {
    cloakroom::crypto::jws::Algorithm::EdDsa.half_hash("access-token")
}
