//! `providers check`: what an operator learns before the first sign-in.

use serde_json::{Value, json};

use super::run;
use crate::support::process::TestServer;
use crate::support::provider::{CLIENT_ID, CLIENT_SECRET, FakeProvider, Script, whole};

fn test_server(provider: &FakeProvider, more: &[(&str, &str)]) -> TestServer {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__OUTBOUND__PRIVATE_NETWORKS", "127.0.0.0/8");
    let acme = [
        ("ISSUER", &*provider.url),
        ("CLIENT_ID", CLIENT_ID),
        ("CLIENT_SECRET", CLIENT_SECRET),
    ];
    for (name, value) in acme.iter().chain(more) {
        test_server.set(&format!("CLOAKROOM__PROVIDERS__ACME__{name}"), *value);
    }
    test_server
}

/// The findings, each as its state, and whether all is well.
fn check(test_server: &TestServer) -> (bool, Value) {
    let ran = run(test_server, &["providers", "check", "acme", "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let is_well = report["ok"].as_bool().unwrap();
    assert_eq!(ran.code, if is_well { 0 } else { 1 });
    let mut by_topic = json!({});
    for finding in report["findings"].as_array().unwrap() {
        let has_advice = finding["advice"].is_string();
        assert_eq!(has_advice, finding["state"] != "ok", "{finding}");
        let topic = finding["topic"].as_str().unwrap();
        by_topic[topic] = json!([finding["state"], finding["what"]]);
    }
    (is_well, by_topic)
}

/// The findings about a provider with this script.
fn found(change: impl FnOnce(&mut Script)) -> (bool, Value) {
    let provider = FakeProvider::start();
    provider.script().discovery = json!({
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "EdDSA"],
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    change(&mut provider.script());
    check(&test_server(&provider, &[("SCOPES", "openid,email")]))
}

#[test]
fn what_a_provider_states_is_shown() {
    let (is_well, found) = found(|_| {});
    assert!(is_well, "{found}");
    let callback = "http://localhost:3000/v1/session/identity/acme/callback";
    for (topic, expected) in [
        ("redirect_uri", callback),
        ("keys", "3 that can verify"),
        ("algorithms", "RS256, EdDSA"),
        ("authentication", "client_secret_basic"),
        ("pkce", "S256"),
        ("iss", "in each callback (RFC 9207)"),
        ("scopes", "openid email"),
        ("client", "client_id and secret are accepted"),
    ] {
        assert_eq!(found[topic], json!(["ok", expected]), "{topic}");
    }
    for topic in [
        "discovery",
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
    ] {
        assert_eq!(found[topic][0], "ok", "{topic}");
    }
}

#[test]
fn what_is_wrong_or_missing_is_named() {
    let changed =
        |name: &'static str, value: Value| found(move |script| script.discovery[name] = value);
    for (name, value, topic, state) in [
        ("issuer", json!("https://evil.example"), "issuer", "fail"),
        ("issuer", json!(null), "issuer", "fail"),
        ("token_endpoint", json!(null), "token_endpoint", "fail"),
        (
            "token_endpoint",
            json!("http://10.0.0.1/"),
            "token_endpoint",
            "fail",
        ),
        (
            "userinfo_endpoint",
            json!("https://10.0.0.1/"),
            "userinfo_endpoint",
            "fail",
        ),
        ("jwks_uri", json!("/keys"), "jwks_uri", "fail"),
        (
            "id_token_signing_alg_values_supported",
            json!(["HS256"]),
            "algorithms",
            "warn",
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!(["private_key_jwt"]),
            "authentication",
            "fail",
        ),
        (
            "code_challenge_methods_supported",
            json!(["plain"]),
            "pkce",
            "warn",
        ),
        ("scopes_supported", json!(["openid"]), "scopes", "warn"),
    ] {
        let (is_well, found) = changed(name, value.clone());
        assert_eq!(found[topic][0], state, "{name} {value}: {found}");
        assert_eq!(is_well, state != "fail", "{name} {value}: {found}");
    }
    let (is_well, found) = found(|script| script.keys = json!({ "keys": [] }));
    assert_eq!((is_well, &found["keys"][0]), (false, &json!("fail")));
}

#[test]
fn a_document_that_is_missing_is_a_failure() {
    for raw in [
        whole("404 Not Found", "text/plain", ""),
        "no HTTP at all\r\n\r\n".to_owned(),
    ] {
        let (is_well, found) = found(|script| {
            script.raw.insert("/.well-known/openid-configuration", raw);
        });
        assert_eq!((is_well, &found["discovery"][0]), (false, &json!("fail")));
    }
}

#[test]
fn a_provider_that_is_down_is_no_wrong_setting() {
    let provider = FakeProvider::start();
    let down = whole("502 Bad Gateway", "text/plain", "");
    for (kind, path, topic) in [
        ("oidc", "/.well-known/openid-configuration", "discovery"),
        ("github", "/api/v3/user", "api"),
    ] {
        provider.script().raw.insert(path, down.clone());
        let mut test_server = test_server(&provider, &[("KIND", kind)]);
        if kind == "github" {
            test_server.set("CLOAKROOM__PROVIDERS__ACME__ISSUER", "");
            test_server.set("CLOAKROOM__PROVIDERS__ACME__BASE_URL", &provider.url);
        }
        let ran = run(&test_server, &["providers", "check", "acme", "--json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|it| it["topic"] == topic).unwrap();
        let advice = finding["advice"].as_str().unwrap();
        assert!(advice.starts_with("the log says why"), "{finding}");
    }
}

#[test]
fn a_wrong_secret_is_found_before_the_first_user() {
    let provider = FakeProvider::start();
    let test_server = test_server(&provider, &[("CLIENT_SECRET", "another")]);
    let (is_well, found) = check(&test_server);
    assert_eq!((is_well, &found["client"][0]), (false, &json!("fail")));
    let ran = run(&test_server, &["providers", "check", "acme"]);
    assert!(!ran.out.contains("another") && !ran.err.contains("another"));
    assert!(ran.out.contains("fail"), "{}", ran.out);
}

#[test]
fn claims_that_a_provider_does_not_state_are_warnings() {
    let provider = FakeProvider::start();
    provider.script().discovery = json!({ "claims_supported": ["sub", "groups"] });
    let more = [
        ("PROFILE_CLAIMS", "avatar=picture"),
        ("METADATA_CLAIMS", "groups"),
    ];
    let (is_well, found) = check(&test_server(&provider, &more));
    let expected = json!(["warn", "the provider does not state: picture"]);
    assert_eq!((is_well, &found["claims"]), (true, &expected));
}

#[test]
fn github_is_asked_by_its_api() {
    let provider = FakeProvider::start();
    let as_github = |secret: &str| {
        let mut test_server = test_server(&provider, &[("KIND", "github"), ("ISSUER", "")]);
        test_server
            .set("CLOAKROOM__PROVIDERS__ACME__BASE_URL", &provider.url)
            .set("CLOAKROOM__PROVIDERS__ACME__CLIENT_SECRET", secret);
        check(&test_server)
    };
    let (is_well, found) = as_github(CLIENT_SECRET);
    assert!(is_well, "{found}");
    assert_eq!(
        found["api"],
        json!(["ok", format!("{}/api/v3/user", provider.url)])
    );
    let (is_well, found) = as_github("another");
    assert_eq!((is_well, &found["client"][0]), (false, &json!("fail")));
    provider
        .script()
        .raw
        .insert("/api/v3/user", whole("404 Not Found", "text/html", ""));
    let (is_well, found) = as_github(CLIENT_SECRET);
    assert_eq!((is_well, &found["api"][0]), (false, &json!("fail")));
}

#[test]
fn an_unknown_provider_is_refused_with_the_names() {
    let provider = FakeProvider::start();
    let ran = run(
        &test_server(&provider, &[]),
        &["providers", "check", "other"],
    );
    assert_eq!(ran.refused(), "no provider other: the settings have acme");
    let ran = run(&TestServer::new(), &["providers", "check", "other"]);
    assert_eq!(ran.refused(), "no provider other: the settings have none");
}
