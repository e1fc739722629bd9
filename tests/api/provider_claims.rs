//! Claims of a provider that are kept: the profile of a new user, and the metadata at each sign-in.

use cloakroom::config::{Confirm, Provider, ProviderKind, UnverifiedReset};
use cloakroom::testing::TestApp;
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_refused, count_in, execute_sql};
use crate::support::provider::{ACME, Browser, FakeProvider, mailed_links};

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

async fn app(provider: &FakeProvider, change: impl FnOnce(&mut Provider)) -> TestApp {
    TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.tokens.claims = list(&["groups"]);
        change(settings.providers.get_mut(ACME).unwrap());
    })
    .await
}

fn keep(provider: &mut Provider) {
    provider.profile_claims = list(&["picture", "language=locale"]);
    provider.metadata_claims = list(&["groups", "department=https://id.example.com/dept"]);
}

/// The user of a sign-in by the provider.
async fn signed_in(app: &TestApp, provider: &FakeProvider) -> Value {
    let reply = Browser::default().sign_in(app, provider).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let shown = app.get("/v1/user").bearer(&token).send().await.json();
    for name in ["name", "profile", "metadata"] {
        assert_eq!(shown["user"][name], reply.json()["user"][name], "{name}");
    }
    shown["user"].clone()
}

#[actix_web::test]
async fn claims_are_kept_under_their_names() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({
        "picture": "https://id.example.com/1.png", "locale": "de", "groups": ["staff"],
        "https://id.example.com/dept": { "id": 7 }, "other": "not kept",
    });
    let app = app(&provider, keep).await;
    let user = signed_in(&app, &provider).await;
    let picture = "https://id.example.com/1.png";
    assert_eq!(
        user["profile"],
        json!({ "picture": picture, "language": "de" })
    );
    assert_eq!(
        user["metadata"],
        json!({ "groups": ["staff"], "department": { "id": 7 } })
    );
    assert_eq!(user["name"], "One");
}

#[actix_web::test]
async fn metadata_follows_the_provider_and_the_profile_does_not() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "picture": "1", "groups": ["staff"] });
    let app = app(&provider, keep).await;
    signed_in(&app, &provider).await;
    // What the user and the operator write stays.
    execute_sql(
        &app,
        r#"UPDATE users SET name = 'Chosen', profile = '{"picture":"own"}', metadata = '{"groups":["staff"],"plan":"pro"}'"#,
    );
    provider.script().claims =
        json!({ "picture": "2", "groups": ["staff", "admin"], "name": "Two" });
    let user = signed_in(&app, &provider).await;
    assert_eq!(
        (&user["name"], &user["profile"]),
        (&json!("Chosen"), &json!({ "picture": "own" }))
    );
    assert_eq!(
        user["metadata"],
        json!({ "groups": ["staff", "admin"], "plan": "pro" })
    );
    for gone in [json!({}), json!({ "groups": null })] {
        provider.script().claims = gone;
        let user = signed_in(&app, &provider).await;
        assert_eq!(user["metadata"], json!({ "plan": "pro" }));
    }
}

/// The user whom a mailed link signs in, whose account existed before.
async fn linked_by_mail(app: &TestApp, provider: &FakeProvider) -> Value {
    let mut browser = Browser::default();
    let reply = browser.sign_in(app, provider).await;
    assert_refused(&reply, 409, "account_exists");
    let link = mailed_links(app, ONE).await.pop().expect("a mail");
    let reply = browser.use_link(app, &link).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["user"].clone()
}

#[actix_web::test]
async fn a_mailed_link_keeps_metadata_and_no_details() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "picture": "1", "groups": ["staff"] });
    let app = app(&provider, keep).await;
    let user = app.create_user(ONE, PASSWORD).await;
    execute_sql(
        &app,
        r#"UPDATE users SET email_confirmed_at = 1, name = 'Chosen', metadata = '{"plan":"pro","groups":["old"]}'"#,
    );
    let linked = linked_by_mail(&app, &provider).await;
    assert_eq!(linked["id"], user.id.0);
    assert_eq!(
        linked["metadata"],
        json!({ "plan": "pro", "groups": ["staff"] })
    );
    assert_eq!(
        (&linked["name"], &linked["profile"]),
        (&json!("Chosen"), &json!({}))
    );
}

#[actix_web::test]
async fn a_mailed_link_fills_the_account_that_replaces_another() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "picture": "1", "groups": ["staff"] });
    let app = TestApp::with_settings(|settings| {
        provider.configure(settings);
        settings.registration.confirm = Confirm::Remind;
        settings.registration.unverified_reset = UnverifiedReset::Replace;
        keep(settings.providers.get_mut(ACME).unwrap());
    })
    .await;
    let squatter = app.create_user(ONE, PASSWORD).await;
    execute_sql(
        &app,
        r#"UPDATE users SET name = 'Squatter', metadata = '{"groups":["admin"]}'"#,
    );
    let owner = linked_by_mail(&app, &provider).await;
    assert_ne!(owner["id"], squatter.id.0);
    assert_eq!(
        (&owner["name"], &owner["profile"], &owner["metadata"]),
        (
            &json!("One"),
            &json!({ "picture": "1" }),
            &json!({ "groups": ["staff"] })
        )
    );
}

#[actix_web::test]
async fn a_sign_in_that_changes_no_claim_writes_none() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "groups": ["staff"] });
    let app = app(&provider, keep).await;
    signed_in(&app, &provider).await;
    execute_sql(&app, "UPDATE users SET updated_at = 1");
    signed_in(&app, &provider).await;
    assert_eq!(count_in(&app, "SELECT updated_at FROM users"), 1);
}

#[actix_web::test]
async fn claims_that_do_not_fit_are_removed() {
    let provider = FakeProvider::start();
    provider.script().claims = json!({ "groups": ["staff"], "picture": "a".repeat(4096) });
    let app = app(&provider, keep).await;
    let user = signed_in(&app, &provider).await;
    assert_eq!(
        (&user["profile"], &user["metadata"]),
        (&json!({}), &json!({ "groups": ["staff"] }))
    );
    execute_sql(
        &app,
        r#"UPDATE users SET metadata = '{"groups":["staff"],"plan":"pro"}'"#,
    );
    // Lists in lists, as many as JSON may have.
    let nested: Value =
        serde_json::from_str(&format!("{}{}", "[".repeat(120), "]".repeat(120))).unwrap();
    provider.script().claims = json!({ "groups": nested });
    let user = signed_in(&app, &provider).await;
    assert_eq!(user["metadata"], json!({ "plan": "pro" }));
    // Longer than the metadata, and longer than the claims of access tokens.
    for length in [5000, 1100] {
        provider.script().claims = json!({ "groups": ["a".repeat(length)] });
        let user = signed_in(&app, &provider).await;
        assert_eq!(user["metadata"], json!({ "plan": "pro" }));
    }
    // Together with what the operator wrote.
    let long = "a".repeat(3500);
    execute_sql(
        &app,
        &format!(r#"UPDATE users SET metadata = '{{"note":"{long}"}}'"#),
    );
    provider.script().claims = json!({ "groups": ["a".repeat(900)] });
    assert_eq!(
        signed_in(&app, &provider).await["metadata"],
        json!({ "note": long })
    );
}

#[actix_web::test]
async fn userinfo_adds_claims_that_the_id_token_lacks() {
    let provider = FakeProvider::start();
    provider.script().userinfo = json!({
        "groups": ["staff"], "email": "other@example.com", "email_verified": true, "picture": "1",
    });
    let app = app(&provider, keep).await;
    let user = signed_in(&app, &provider).await;
    assert_eq!(user["metadata"], json!({ "groups": ["staff"] }));
    // The address of the ID token stays.
    assert_eq!(user["email_address"], "one@example.com");
    assert_eq!(provider.count("/userinfo"), 1);
    provider.script().userinfo = json!({ "sub": "user-2", "groups": ["admin"] });
    let fragment = Browser::default().return_from(&app, &provider).await;
    assert_eq!(fragment, "error=userinfo_subject");
}

#[actix_web::test]
async fn the_claim_for_the_name_can_be_another_or_none() {
    for (claim, name) in [
        ("nickname", json!("Nick")),
        ("", json!(null)),
        ("groups", json!(null)),
        ("missing", json!(null)),
    ] {
        let provider = FakeProvider::start();
        provider.script().claims = json!({ "nickname": "Nick", "groups": ["staff"] });
        let app = app(&provider, |acme| acme.name_claim = claim.to_owned()).await;
        assert_eq!(signed_in(&app, &provider).await["name"], name, "{claim}");
    }
}

#[actix_web::test]
async fn members_of_the_user_of_github_are_claims() {
    let provider = FakeProvider::start();
    let url = provider.url.clone();
    let app = provider
        .app_as(ProviderKind::Github, |github| {
            github.issuer.clear();
            github.base_url = url;
            github.profile_claims = list(&["login"]);
        })
        .await;
    let user = signed_in(&app, &provider).await;
    assert_eq!(user["profile"], json!({ "login": "octocat" }));
}
