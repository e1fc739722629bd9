//! The tokens of mailed links in bodies, where no log of URLs has them.

use actix_web::http::Method;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_faults, assert_refused};
use crate::support::callers::Fixture;
use crate::support::flows::Flows;
use crate::support::snapshot::snapshot;

const NEW: &str = "another password";

/// Each route that takes a token in its body, and what else the body has.
fn routes() -> [(Method, &'static str, Value); 5] {
    let password = json!({ "password": NEW, "password_confirmation": NEW });
    [
        (Method::POST, "/v1/passwords/check", json!({})),
        (Method::PUT, "/v1/passwords", password.clone()),
        (Method::PATCH, "/v1/passwords", password),
        (Method::PUT, "/v1/confirmations", json!({})),
        (Method::PUT, "/v1/unlocks", json!({})),
    ]
}

/// The same route with the token in its path.
fn by_path(method: &Method, path: &str, token: &str) -> (Method, String) {
    match path.strip_suffix("/check") {
        Some(path) => (Method::GET, format!("{path}/{token}")),
        None => (method.clone(), format!("{path}/{token}")),
    }
}

async fn send(app: &TestApp, method: &Method, path: &str, body: &Value) -> Reply {
    app.call(method.clone(), path).json(body).send().await
}

fn with_token(body: &Value, token: &str) -> Value {
    let mut body = body.clone();
    body["token"] = json!(token);
    body
}

#[actix_web::test]
async fn a_token_in_the_body_equals_one_in_the_path() {
    for (method, path, body) in routes() {
        let mut outcomes = Vec::new();
        for in_body in [true, false] {
            let fixture = Fixture::new().await;
            let token = fixture.link_for(path);
            let (method, path, body) = match in_body {
                true => (method.clone(), path.to_owned(), with_token(&body, token)),
                false => {
                    let (method, path) = by_path(&method, path, token);
                    (method, path, body.clone())
                }
            };
            let reply = send(&fixture.app, &method, &path, &body).await;
            assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
            let signed_in = fixture.app.sign_in(ONE, NEW).await.status;
            outcomes.push((reply.json(), signed_in, snapshot(&fixture.app).len()));
        }
        assert_eq!(outcomes[0], outcomes[1], "{method} {path}");
    }
}

#[actix_web::test]
async fn forged_tokens_in_the_body_are_refused() {
    let fixture = Fixture::new().await;
    for (method, path, _) in routes() {
        let genuine = fixture.link_for(path).to_owned();
        for token in ["made up", "crs_1", &genuine[1..], &format!("{genuine}A")] {
            // Before the other fields: a forged link learns nothing about them.
            let reply = send(
                &fixture.app,
                &method,
                path,
                &json!({ "token": token, "password": "" }),
            )
            .await;
            assert_refused(&reply, 401, "link_invalid");
            let (method, by_path) = by_path(&method, path, "made-up");
            let same = send(&fixture.app, &method, &by_path, &json!({})).await;
            assert_eq!(reply.json()["errors"], same.json()["errors"], "{path}");
        }
    }
    assert_eq!(fixture.app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_blank_token_in_the_body_is_named() {
    let fixture = Fixture::new().await;
    for (method, path, body) in routes() {
        let token = fixture.link_for(path);
        for (path, body) in [
            (path.to_owned(), body.clone()),
            (path.to_owned(), with_token(&body, "")),
            (path.to_owned(), with_token(&body, " \n")),
            // A token in a query is no token.
            (format!("{path}?token={token}"), body.clone()),
        ] {
            let reply = send(&fixture.app, &method, &path, &body).await;
            assert_faults(&reply, &[("token", "can't be blank")]);
        }
    }
}

#[actix_web::test]
async fn spaces_around_a_pasted_token_are_removed() {
    for (method, path, body) in routes() {
        let fixture = Fixture::new().await;
        let token = format!(" {}\n", fixture.link_for(path));
        let reply = send(&fixture.app, &method, path, &with_token(&body, &token)).await;
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
    }
}

#[actix_web::test]
async fn checking_a_link_changes_nothing() {
    let fixture = Fixture::new().await;
    let before = snapshot(&fixture.app);
    for _ in 0..2 {
        let body = json!({ "token": fixture.link });
        let reply = send(&fixture.app, &Method::POST, "/v1/passwords/check", &body).await;
        assert_eq!(reply.json()["email_address"], "o…@example.com");
    }
    assert_eq!(before, snapshot(&fixture.app));
}

#[actix_web::test]
async fn an_invalid_password_in_the_body_is_named() {
    let fixture = Fixture::new().await;
    let body = json!({ "token": fixture.link, "password": NEW, "password_confirmation": PASSWORD });
    let reply = send(&fixture.app, &Method::PUT, "/v1/passwords", &body).await;
    assert_faults(
        &reply,
        &[("password_confirmation", "doesn't match Password")],
    );
    let reply = send(
        &fixture.app,
        &Method::PUT,
        "/v1/passwords",
        &json!({ "token": fixture.link }),
    )
    .await;
    assert_faults(&reply, &[("password", "can't be blank")]);
    assert_eq!(fixture.app.sign_in(ONE, PASSWORD).await.status, 200);
}
