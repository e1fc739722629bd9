//! Known providers of OpenID Connect: what is special about each, and which of its statements do not count.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cloakroom::config::{self, ProviderKind, Secret};
use cloakroom::testing::{Reply, TestApp};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use url::Url;

use crate::support::app::{ONE, PASSWORD, assert_refused, column_in, count_in, execute_sql};
use crate::support::provider::{Browser, FakeProvider, ok};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "11111111-2222-3333-4444-555555555555";
const OBJECT: &str = "00000000-0000-0000-66f3-3332eca7ea81";

/// The names of the users by id.
fn names(app: &TestApp) -> Vec<Option<String>> {
    column_in(app, "SELECT name FROM users ORDER BY id")
}

#[actix_web::test]
async fn google_gives_out_addresses_of_gmail_and_workspace() {
    for (email, hd, is_linked) in [
        ("one@gmail.com", None, true),
        ("one@example.com", Some("example.com"), true),
        ("one@example.com", None, false),
        ("one@example.com", Some("other.example"), false),
        ("one@example.com", Some("gmail.com"), false),
        ("one@sub.example.com", Some("example.com"), false),
        ("one@notgmail.com", None, false),
    ] {
        let provider = FakeProvider::start();
        provider.script().claims = json!({ "email": email, "hd": hd });
        let app = provider.app_as(ProviderKind::Google, |_| {}).await;
        app.create_user(email, PASSWORD).await;
        execute_sql(&app, "UPDATE users SET email_confirmed_at = 1");
        let reply = Browser::default().sign_in(&app, &provider).await;
        match is_linked {
            true => assert_eq!(reply.status, 200, "{email} {hd:?}: {}", reply.text()),
            false => assert_refused(&reply, 409, "account_exists"),
        }
    }
}

#[actix_web::test]
async fn an_unverified_address_of_google_links_nothing() {
    for (verified, trusted) in [(false, true), (true, false)] {
        let provider = FakeProvider::start();
        provider.script().claims = json!({ "email": "one@gmail.com", "email_verified": verified });
        let app = provider
            .app_as(ProviderKind::Google, |google| google.trust_email = trusted)
            .await;
        app.create_user("one@gmail.com", PASSWORD).await;
        execute_sql(&app, "UPDATE users SET email_confirmed_at = 1");
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_refused(&reply, 422, "address_unverified");
    }
}

/// An app by Microsoft with this tenant, and what its document states as the issuer.
async fn microsoft(provider: &FakeProvider, tenant: &str, stated: &str) -> TestApp {
    {
        let mut script = provider.script();
        script.discovery = json!({
            "issuer": format!("{}/{stated}/v2.0", provider.url),
            "authorization_response_iss_parameter_supported": null,
        });
        script.callback = json!({ "iss": null });
    }
    let (url, tenant) = (provider.url.clone(), tenant.to_owned());
    provider
        .app_as(ProviderKind::Microsoft, |microsoft| {
            microsoft.issuer.clear();
            (microsoft.base_url, microsoft.tenant) = (url, tenant);
        })
        .await
}

/// The claims of a user of a tenant, with changes.
fn of_tenant(provider: &FakeProvider, tenant: &str, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": format!("{}/{tenant}/v2.0", provider.url), "tid": tenant, "oid": OBJECT, "xms_edov": true,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[actix_web::test]
async fn a_user_of_microsoft_is_known_by_tenant_and_object() {
    let provider = FakeProvider::start();
    let app = microsoft(&provider, TENANT, TENANT).await;
    provider.script().claims = of_tenant(&provider, TENANT, &json!({}));
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&app, &provider).await.status, 200);
    // `sub` is of one application.
    provider.script().claims = of_tenant(&provider, TENANT, &json!({ "sub": "another" }));
    assert_eq!(browser.sign_in(&app, &provider).await.status, 200);
    let known = column_in(&app, "SELECT issuer || ' ' || subject FROM identities");
    let expected = format!("{}/{TENANT}/v2.0 {TENANT}.{OBJECT}", provider.url);
    assert_eq!(known, [Some(expected)]);
    assert_eq!(
        provider.count(&format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
        1
    );
}

#[actix_web::test]
async fn an_address_of_microsoft_counts_if_its_domain_is_verified() {
    for (edov, counts) in [
        (json!(true), true),
        (json!("1"), true),
        (json!(null), false),
        (json!(false), false),
        (json!("0"), false),
        (json!(""), false),
        (json!(["1"]), false),
    ] {
        let provider = FakeProvider::start();
        let app = microsoft(&provider, TENANT, TENANT).await;
        let changes = json!({ "xms_edov": edov, "email_verified": true });
        provider.script().claims = of_tenant(&provider, TENANT, &changes);
        let reply = Browser::default().sign_in(&app, &provider).await;
        match counts {
            true => assert_eq!(reply.status, 200, "{edov}: {}", reply.text()),
            false => assert_refused(&reply, 422, "address_unverified"),
        }
        assert_eq!(provider.count("/userinfo"), 0);
    }
}

#[actix_web::test]
async fn a_token_of_microsoft_is_of_the_tenant_in_its_issuer() {
    let issuer = |provider: &FakeProvider, tenant: &str| format!("{}/{tenant}/v2.0", provider.url);
    for (tenant, stated) in [(TENANT, TENANT), ("organizations", "{tenantid}")] {
        let provider = FakeProvider::start();
        let app = microsoft(&provider, tenant, stated).await;
        let other = issuer(&provider, OTHER_TENANT);
        for (changes, code) in [
            (json!({ "iss": other }), "id_token_issuer"),
            (json!({ "tid": OTHER_TENANT }), "id_token_issuer"),
            (
                json!({ "iss": issuer(&provider, "{tenantid}") }),
                "id_token_issuer",
            ),
            (
                json!({ "iss": issuer(&provider, "common") }),
                "id_token_issuer",
            ),
            (json!({ "iss": "https://evil.example" }), "id_token_issuer"),
            (json!({ "tid": null }), "id_token_malformed"),
            (json!({ "tid": "v2.0" }), "id_token_malformed"),
            (json!({ "oid": null }), "id_token_malformed"),
            (json!({ "oid": "a" }), "id_token_malformed"),
        ] {
            provider.script().claims = of_tenant(&provider, TENANT, &changes);
            let fragment = Browser::default().return_from(&app, &provider).await;
            assert_eq!(fragment, format!("error={code}"), "{tenant} {changes}");
        }
        provider.script().callback = json!({ "iss": "https://evil.example" });
        let fragment = Browser::default().return_from(&app, &provider).await;
        assert_eq!(fragment, "error=issuer_mismatch");
    }
}

#[actix_web::test]
async fn users_of_several_tenants_are_different_users() {
    let provider = FakeProvider::start();
    let app = microsoft(&provider, "organizations", "{tenantid}").await;
    for (tenant, email) in [
        (TENANT, "one@example.com"),
        (OTHER_TENANT, "two@example.com"),
    ] {
        provider.script().claims = of_tenant(&provider, tenant, &json!({ "email": email }));
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 2);
}

#[actix_web::test]
async fn a_document_of_one_tenant_does_not_stand_for_all() {
    for (tenant, stated) in [
        ("organizations", TENANT),
        (TENANT, "{tenantid}"),
        (TENANT, OTHER_TENANT),
    ] {
        let provider = FakeProvider::start();
        let app = microsoft(&provider, tenant, stated).await;
        let reply = Browser::default().start(&app, &json!({})).await;
        assert_refused(&reply, 503, "provider_unavailable");
    }
}

/// An app by Apple, whose key the provider knows.
async fn apple(provider: &FakeProvider, change: impl FnOnce(&mut config::Provider)) -> TestApp {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let der = der.as_ref();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).unwrap();
    let point = key.public_key().as_ref();
    let [x, y] = [&point[1..33], &point[33..]].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    {
        let mut script = provider.script();
        script.client_key = json!({ "kty": "EC", "crv": "P-256", "kid": "KEY", "x": x, "y": y });
        script.discovery = json!({
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "userinfo_endpoint": null,
            "authorization_response_iss_parameter_supported": null,
        });
        script.claims = json!({ "email_verified": "true", "name": null });
        script.callback = json!({ "iss": null });
    }
    let text = BASE64_STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    provider
        .app_as(ProviderKind::Apple, |apple| {
            apple.client_secret = None;
            (apple.team_id, apple.key_id) = ("TEAM".to_owned(), "KEY".to_owned());
            apple.private_key = Some(Secret::from(pem));
            change(apple);
        })
        .await
}

/// The browser posts the form of a page of Apple, without a cookie.
async fn post_back(app: &TestApp, callback: &str, user: Option<&str>) -> Reply {
    let url = Url::parse("http://localhost")
        .unwrap()
        .join(callback)
        .unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
    let fields: Vec<(&str, &str)> = pairs.chain(user.map(|user| ("user", user))).collect();
    let call = app.post(url.path()).form(&fields);
    let call = call.header("Sec-Fetch-Site", "cross-site");
    call.header("Origin", "https://appleid.apple.com")
        .send()
        .await
}

#[track_caller]
fn fragment(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    let (page, fragment) = reply.header("location").unwrap().split_once('#').unwrap();
    assert_eq!(page, "http://localhost:3001/sign-in/provider");
    fragment.to_owned()
}

const ADA: &str =
    r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@example.com"}"#;

#[actix_web::test]
async fn apple_posts_a_form_with_the_name_of_a_new_user() {
    let provider = FakeProvider::start();
    let app = apple(&provider, |_| {}).await;
    let mut browser = Browser::default();
    let url = browser.started(&app).await;
    assert!(
        url.query_pairs()
            .any(|(name, value)| name == "response_mode" && value == "form_post")
    );
    let reply = post_back(&app, &provider.consent(&url), Some(ADA)).await;
    let reply = browser.exchange(&app, &fragment(&reply)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["user"]["email_address"], ONE);
    assert_eq!(names(&app), [Some("Ada Lovelace".to_owned())]);
    // Later there is none.
    let callback = provider.consent(&browser.started(&app).await);
    let reply = post_back(&app, &callback, None).await;
    assert_eq!(browser.exchange(&app, &fragment(&reply)).await.status, 200);
    assert_eq!(names(&app), [Some("Ada Lovelace".to_owned())]);
    let again = fragment(&post_back(&app, &callback, None).await);
    assert_eq!(again, "error=state_used");
}

#[actix_web::test]
async fn what_a_user_writes_into_the_form_is_no_metadata() {
    let provider = FakeProvider::start();
    let app = apple(&provider, |apple| {
        apple.metadata_claims = vec!["name".to_owned()];
    })
    .await;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    let reply = post_back(&app, &callback, Some(ADA)).await;
    let reply = browser.exchange(&app, &fragment(&reply)).await;
    assert_eq!(reply.json()["user"]["name"], "Ada Lovelace");
    assert_eq!(reply.json()["user"]["metadata"], json!({}));
}

#[actix_web::test]
async fn the_code_of_a_form_is_for_the_browser_that_started() {
    let provider = FakeProvider::start();
    let app = apple(&provider, |_| {}).await;
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let callback = provider.consent(&attacker.started(&app).await);
    victim.started(&app).await;
    let code = fragment(&post_back(&app, &callback, None).await);
    for browser in [&victim, &Browser::default()] {
        let reply = browser.exchange(&app, &code).await;
        assert_refused(&reply, 401, "exchange_code_invalid");
    }
    assert_eq!(attacker.exchange(&app, &code).await.status, 200);
}

#[actix_web::test]
async fn a_user_that_apple_did_not_describe_is_no_fault() {
    let long = format!(r#"{{"name":{{"firstName":"{}"}}}}"#, "a".repeat(1024));
    for user in [
        "",
        "null",
        "[]",
        r#"{"name":["Ada"]}"#,
        r#"{"name":{}}"#,
        "{\"name\":",
        &*long,
    ] {
        let provider = FakeProvider::start();
        let app = apple(&provider, |_| {}).await;
        let mut browser = Browser::default();
        let callback = provider.consent(&browser.started(&app).await);
        let reply = post_back(&app, &callback, Some(user)).await;
        let reply = browser.exchange(&app, &fragment(&reply)).await;
        assert_eq!(reply.status, 200, "{user}: {}", reply.text());
        assert_eq!(names(&app), [None], "{user}");
    }
}

#[actix_web::test]
async fn an_address_that_apple_did_not_verify_does_not_count() {
    for verified in [json!("false"), json!(false), json!(null)] {
        let provider = FakeProvider::start();
        let app = apple(&provider, |_| {}).await;
        provider.script().claims = json!({ "email_verified": verified });
        let mut browser = Browser::default();
        let callback = provider.consent(&browser.started(&app).await);
        let reply = post_back(&app, &callback, None).await;
        let reply = browser.exchange(&app, &fragment(&reply)).await;
        assert_refused(&reply, 422, "address_unverified");
    }
}

#[actix_web::test]
async fn what_apple_refuses_is_reported() {
    let provider = FakeProvider::start();
    let app = apple(&provider, |_| {}).await;
    let cancelled = json!({ "iss": null, "code": null, "error": "user_cancelled_authorize" });
    provider.script().callback = cancelled;
    let mut browser = Browser::default();
    let callback = provider.consent(&browser.started(&app).await);
    let reply = post_back(&app, &callback, None).await;
    assert_eq!(fragment(&reply), "error=access_denied");
    // A secret that another key signed.
    let other = FakeProvider::start();
    apple(&other, |_| {}).await;
    let key = other.script().client_key.clone();
    {
        let mut script = provider.script();
        (script.callback, script.client_key) = (json!({ "iss": null }), key);
    }
    let callback = provider.consent(&browser.started(&app).await);
    let reply = post_back(&app, &callback, None).await;
    assert_eq!(fragment(&reply), "error=provider_client_refused");
}

#[actix_web::test]
async fn a_form_without_a_state_of_ours_leads_nowhere() {
    let provider = FakeProvider::start();
    let app = apple(&provider, |_| {}).await;
    let path = "/v1/session/identity/acme/callback";
    for state in ["", "?state=", "?state=forged&code=a"] {
        let reply = post_back(&app, &format!("{path}{state}"), Some(ADA)).await;
        assert_refused(&reply, 400, "state_invalid");
    }
    let callback = provider.consent(&Browser::default().started(&app).await);
    let moved = callback.replace("/identity/acme/", "/identity/other/");
    assert_refused(&post_back(&app, &moved, None).await, 404, "not_found");
}

#[actix_web::test]
async fn a_provider_that_answers_in_the_address_takes_no_form() {
    let provider = FakeProvider::start();
    let app = provider.app().await;
    let callback = provider.consent(&Browser::default().started(&app).await);
    assert_refused(&post_back(&app, &callback, None).await, 404, "not_found");
}

#[actix_web::test]
async fn discord_states_address_and_name_at_userinfo() {
    for (userinfo, name) in [
        (
            json!({ "nickname": "Mona", "preferred_username": "mona" }),
            "Mona",
        ),
        (json!({ "preferred_username": "mona" }), "mona"),
    ] {
        let provider = FakeProvider::start();
        let mut stated = json!({ "sub": "user-1", "email": ONE, "email_verified": true });
        for (name, value) in userinfo.as_object().unwrap() {
            stated[name] = value.clone();
        }
        {
            let mut script = provider.script();
            script.claims = json!({ "email": null, "email_verified": null, "name": null });
            script.discovery = json!({ "userinfo_endpoint": null });
            script.raw.insert("/api/oauth2/userinfo", ok(&stated));
        }
        let app = provider.app_as(ProviderKind::Discord, |_| {}).await;
        let reply = Browser::default().sign_in(&app, &provider).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["user"]["email_address"], ONE);
        assert_eq!(names(&app), [Some(name.to_owned())]);
    }
}

#[actix_web::test]
async fn each_kind_requests_its_scopes() {
    for (kind, scope) in [
        (ProviderKind::Google, "openid email profile"),
        (ProviderKind::Gitlab, "openid email profile"),
        (ProviderKind::Discord, "openid email identify"),
    ] {
        let provider = FakeProvider::start();
        let app = provider.app_as(kind, |_| {}).await;
        let url = Browser::default().started(&app).await;
        let requested = url.query_pairs().find(|(name, _)| name == "scope").unwrap();
        assert_eq!(requested.1, scope);
        assert_eq!(
            Browser::default().sign_in(&app, &provider).await.status,
            200
        );
        let listed = app.get("/v1/providers").send().await.json();
        assert_eq!(listed["providers"][0]["kind"], kind.as_str());
    }
}
