//! `PATCH /v1/user`: name and profile.

use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{assert_faults, count_in, signed_in};

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

    let none = patch(&app, &token, &json!({})).await;
    assert_eq!(
        details(&none),
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
