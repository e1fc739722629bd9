//! `PATCH /v1/user`: name and profile.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::domain::User;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_faults, assert_refused, count_in, signed_in};
use crate::support::callers::ALL_SCOPES;
use crate::support::credentials::{api_key, pair};
use crate::support::snapshot::snapshot;

async fn patch(app: &TestApp, token: &str, body: &Value) -> Reply {
    app.patch("/v1/user").bearer(token).json(body).send().await
}

fn details(reply: &Reply) -> (Value, Value) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let user = &reply.json()["user"];
    (user["name"].clone(), user["profile"].clone())
}

#[actix_web::test]
async fn name_and_profile_change_and_null_removes_them() {
    let (app, _, token) = signed_in().await;
    let profile = json!({ "theme": "dark", "tags": [1, null] });
    let both = json!({ "name": "  One  ", "profile": profile });
    assert_eq!(
        details(&patch(&app, &token, &both).await),
        (json!("One"), profile.clone())
    );
    let shown = app.get("/v1/user").bearer(&token).send().await;
    assert_eq!(details(&shown), (json!("One"), profile.clone()));

    let one_field = patch(&app, &token, &json!({ "name": "One" })).await;
    assert_eq!(
        details(&one_field),
        (json!("One"), profile.clone()),
        "absent fields stay"
    );
    let blank = patch(&app, &token, &json!({ "name": " " })).await;
    assert_eq!(details(&blank), (json!(null), profile));
    let null = patch(&app, &token, &json!({ "profile": null, "name": null })).await;
    assert_eq!(details(&null), (json!(null), json!({})));
}

#[actix_web::test]
async fn unusable_details_are_named_and_change_nothing() {
    let (app, _, token) = signed_in().await;
    let too_long = "is too long (maximum is 255 characters)";
    let too_large = "is too long (maximum is 4096 bytes)";
    for (body, faults) in [
        (json!({ "name": "é".repeat(256) }), vec![("name", too_long)]),
        (json!({ "name": "a\nb" }), vec![("name", "is invalid")]),
        (
            json!({ "profile": { "a": "x".repeat(4096) } }),
            vec![("profile", too_large)],
        ),
        (
            json!({ "name": "a\u{0}", "profile": { "a": "x".repeat(4096) } }),
            vec![("name", "is invalid"), ("profile", too_large)],
        ),
        (
            json!({ "name": 1, "profile": "{}" }),
            vec![("name", "is invalid"), ("profile", "is invalid")],
        ),
    ] {
        assert_faults(&patch(&app, &token, &body).await, &faults);
    }
    let changed = "SELECT count(*) FROM users WHERE name IS NOT NULL OR profile <> '{}'";
    assert_eq!(count_in(&app, changed), 0);
}

#[actix_web::test]
async fn email_address_and_metadata_cannot_be_assigned() {
    let (app, user, token) = signed_in().await;
    let body =
        json!({ "metadata": { "a": 1 }, "role": "operator", "email_address": "x@example.com" });
    let reply = patch(&app, &token, &body).await;
    assert_eq!(
        reply.json()["user"]["email_address"],
        user.email_address.as_str()
    );
    assert_eq!(reply.json()["user"]["metadata"], json!({}));
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM users WHERE role = 'operator'"),
        0
    );
}

#[actix_web::test]
async fn a_change_of_nothing_writes_nothing() {
    let (app, user, token) = signed_in().await;
    app.clock().advance(Duration::from_secs(1));
    let before = snapshot(&app);
    for body in [json!({}), json!({ "metadata": { "a": 1 } })] {
        let reply = patch(&app, &token, &body).await.json();
        assert_eq!(reply["user"]["updated_at"], user.updated_at.to_string());
    }
    assert_eq!(before, snapshot(&app));
    patch(&app, &token, &json!({ "name": "One" })).await;
    assert_ne!(before, snapshot(&app));
}

#[actix_web::test]
async fn only_a_session_may_change_the_user() {
    let (app, user, token) = signed_in().await;
    let own_key = api_key(&app, Some(&user), ALL_SCOPES).await;
    let service_key = api_key(&app, None, ALL_SCOPES).await;
    let (access, refresh) = pair(&app, &token, "projects:write").await;
    let before = snapshot(&app);
    for (name, credential, status, code) in [
        ("user's key", &own_key, 403, "forbidden"),
        ("service's key", &service_key, 403, "forbidden"),
        ("access token", &access, 403, "forbidden"),
        ("refresh token", &refresh, 401, "token_invalid"),
    ] {
        for body in [json!({}), json!({ "name": "One" })] {
            let reply = patch(&app, credential, &body).await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text());
            assert_refused(&reply, status, code);
        }
    }
    let anonymous = app.patch("/v1/user").json(&json!({})).send().await;
    assert_refused(&anonymous, 401, "unauthorized");
    assert_eq!(before, snapshot(&app));
}

#[actix_web::test]
async fn titles_and_names_are_one_safe_line_on_every_route() {
    let (app, user, token) = signed_in().await;
    let key = api_key_by_id(&app, &user).await;
    let project = json!({ "title": "A title" });
    let project = app.post("/v1/projects").bearer(&token).json(&project);
    let project = &project.send().await.json()["project"]["id"];
    let before = snapshot(&app);
    for (method, path, field) in [
        (Method::PATCH, "/v1/user".to_owned(), "name"),
        (Method::POST, "/v1/projects".to_owned(), "title"),
        (Method::PATCH, format!("/v1/projects/{project}"), "title"),
        (Method::POST, "/v1/api_keys".to_owned(), "name"),
        (Method::PATCH, format!("/v1/api_keys/{key}"), "name"),
    ] {
        for text in ["a\nb", "a\u{1b}[2Jb", "a\0b", "a\u{202e}b", "a\u{2028}b"] {
            let body = json!({
                field: text, "scopes": ["projects:read"], "password_challenge": PASSWORD,
            });
            let call = app.call(method.clone(), &path).bearer(&token);
            let reply = call.json(&body).send().await;
            assert_eq!(reply.status, 422, "{method} {path}: {text:?}");
            assert_faults(&reply, &[(field, "is invalid")]);
        }
    }
    assert_eq!(before, snapshot(&app));
}

async fn api_key_by_id(app: &TestApp, user: &User) -> i64 {
    api_key(app, Some(user), ALL_SCOPES).await;
    count_in(app, "SELECT max(id) FROM api_keys")
}

#[actix_web::test]
async fn a_stored_user_agent_has_no_unsafe_characters() {
    let (app, ..) = signed_in().await;
    let agent = "Browser/1 \u{202e}evil\u{2028}";
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let call = app.post("/v1/session").header("User-Agent", agent);
    let reply = call.json(&body).send().await.json();
    assert_eq!(reply["session"]["user_agent"], "Browser/1 evil");
}
