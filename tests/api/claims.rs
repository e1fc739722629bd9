//! Claims about the user: in access tokens, in `X-User-Claims` and in introspection.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::config::{Environment, Settings};
use cloakroom::domain::User;
use cloakroom::domain::scope::Scopes;
use cloakroom::testing::TestApp;
use cloakroom::{Cloakroom, Error, Hooks};
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_refused, count_in, execute_sql};
use crate::support::credentials::{api_key, claims, pair, pair_in};
use crate::support::flows::Flows;

/// An app whose claims are `plan` and `role`, and a user with metadata, and a session of theirs.
async fn with_metadata(metadata: &Value, hooks: Hooks) -> (TestApp, User, String) {
    let app = TestApp::builder()
        .settings(|settings| settings.tokens.claims = vec!["plan".into(), "role".into()])
        .hooks(hooks)
        .build()
        .await;
    let user = app.create_user(ONE, PASSWORD).await;
    set_metadata(&app, metadata);
    let token = app.sign_in_as(&user).await;
    (app, user, token)
}

fn set_metadata(app: &TestApp, metadata: &Value) {
    let text = metadata.to_string().replace('\'', "''");
    execute_sql(app, &format!("UPDATE users SET metadata = '{text}'"));
}

/// The object in `X-User-Claims`; `None` where it is empty.
async fn reported(app: &TestApp, credential: &str) -> Option<Value> {
    let reply = app.get("/v1/verify").bearer(credential).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    match reply.header("x-user-claims").unwrap() {
        "" => None,
        text => {
            let json = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
            Some(serde_json::from_slice(&json).unwrap())
        }
    }
}

async fn introspected(app: &TestApp, key: &str, token: &str) -> Value {
    let body = json!({ "token": token });
    let reply = app.post("/v1/introspect").bearer(key).json(&body);
    reply.send().await.json()
}

#[actix_web::test]
async fn access_tokens_carry_the_named_claims() {
    let metadata = json!({ "plan": "pro", "note": "late payer", "role": "operator" });
    let (app, _, session) = with_metadata(&metadata, Hooks::new()).await;
    let (access, refresh) = pair(&app, &session, "").await;
    let token = claims(&access);
    assert_eq!(
        (&token["plan"], &token["role"]),
        (&json!("pro"), &json!("user"))
    );
    assert_eq!(token.as_object().unwrap().len(), 13, "{token}");
    assert_eq!(app.get("/v1/user").bearer(&access).send().await.status, 200);

    set_metadata(&app, &json!({ "plan": ["a", "b"] }));
    let body = json!({ "refresh_token": refresh });
    let renewed = app.post("/v1/tokens/refresh").json(&body).send().await;
    let token = claims(&pair_in(&renewed.json()).0);
    assert_eq!(token["plan"], json!(["a", "b"]));

    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let issued = app.post("/v1/tokens").json(&body).send().await;
    assert_eq!(
        claims(&pair_in(&issued.json()).0)["plan"],
        json!(["a", "b"])
    );
}

#[actix_web::test]
async fn claims_need_the_scope_user_read() {
    let (app, user, session) = with_metadata(&json!({ "plan": "pro" }), Hooks::new()).await;
    let expected = json!({ "plan": "pro", "role": "user" });
    let (narrow, _) = pair(&app, &session, "projects:read").await;
    assert_eq!(claims(&narrow)["plan"], Value::Null);
    assert_eq!(reported(&app, &narrow).await, None);
    let key = api_key(&app, Some(&user), "projects:read").await;
    assert_eq!(reported(&app, &key).await, None);
    let (wide, _) = pair(&app, &session, "user:read").await;
    let key = api_key(&app, Some(&user), "user:read").await;
    for credential in [&session, &wide, &key] {
        assert_eq!(reported(&app, credential).await, Some(expected.clone()));
    }
    let service = api_key(&app, None, "introspect user:read").await;
    assert_eq!(reported(&app, &service).await, None);
    for token in [&session, &narrow, &wide] {
        assert_eq!(
            introspected(&app, &service, token).await["claims"],
            expected
        );
    }
    let asker = api_key(&app, Some(&user), "introspect").await;
    assert_eq!(
        introspected(&app, &asker, &session).await["claims"],
        Value::Null
    );
}

#[actix_web::test]
async fn users_without_named_members_have_no_claims() {
    let app = TestApp::with_settings(|settings| settings.tokens.claims = vec!["plan".into()]).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let (access, _) = pair(&app, &session, "").await;
    assert_eq!(claims(&access).as_object().unwrap().len(), 11);
    assert_eq!(reported(&app, &session).await, None);
}

#[actix_web::test]
async fn forward_auth_reports_claims_of_now() {
    let (app, _, session) = with_metadata(&json!({ "plan": "free" }), Hooks::new()).await;
    let (access, _) = pair(&app, &session, "").await;
    assert_eq!(reported(&app, &access).await.unwrap()["plan"], "free");
    set_metadata(&app, &json!({ "plan": "pro" }));
    app.clock().advance(Duration::from_millis(1050));
    assert_eq!(reported(&app, &access).await.unwrap()["plan"], "pro");
    assert_eq!(reported(&app, &session).await.unwrap()["plan"], "pro");
}

#[actix_web::test]
async fn no_value_of_a_claim_can_inject_headers() {
    let bad = "\u{e9}\r\nX-User-Id: 1,{env.SECRET}\"\u{0}";
    let (app, user, session) = with_metadata(&json!({ "plan": bad }), Hooks::new()).await;
    let reply = app.get("/v1/verify").bearer(&session).send().await;
    let id = user.id.0.to_string();
    assert_eq!(reply.header("x-user-id"), Some(&*id));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(reply.header("x-user-claims").unwrap().bytes().all(plain));
    assert_eq!(reported(&app, &session).await.unwrap()["plan"], bad);
}

#[actix_web::test]
async fn claims_that_do_not_fit_are_an_error() {
    let plan = |length: usize| json!({ "plan": "x".repeat(length) });
    let (app, _, session) = with_metadata(&plan(999), Hooks::new()).await;
    let (access, _) = pair(&app, &session, "").await;
    assert!(access.len() < 2048, "{}", access.len());
    assert_eq!(app.get("/v1/user").bearer(&access).send().await.status, 200);
    set_metadata(&app, &plan(1000));
    let reply = app.get("/v1/verify").bearer(&session).send().await;
    assert_refused(&reply, 500, "internal_error");
    let reply = app.issue_tokens(&session, "").await;
    assert_refused(&reply, 500, "internal_error");
    execute_sql(&app, "UPDATE users SET metadata = 'broken'");
    let reply = app.issue_tokens(&session, "").await;
    assert_refused(&reply, 500, "internal_error");
}

#[actix_web::test]
async fn the_longest_possible_token_is_accepted() {
    let letters = |n: u8| {
        [b'a' + n / 26, b'a' + n % 26]
            .map(char::from)
            .iter()
            .collect::<String>()
    };
    let words: Vec<String> = (0..31)
        .map(|n| format!("{}:{}", letters(n), "b".repeat(61)))
        .collect();
    let scopes = Scopes::from_words(&[words, vec!["user:read".to_owned()]].concat()).unwrap();
    let app = TestApp::with_settings(move |settings| {
        settings.tokens.scopes = scopes.clone();
        settings.tokens.claims = vec!["plan".into()];
        settings.tokens.issuer = "i".repeat(255);
        settings.tokens.audience = "a".repeat(255);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    set_metadata(&app, &json!({ "plan": "x".repeat(1013) }));
    let session = app.sign_in_as(&user).await;
    let (access, _) = pair(&app, &session, "").await;
    assert!(access.len() > 5000, "{}", access.len());
    assert_eq!(app.get("/v1/user").bearer(&access).send().await.status, 200);
}

#[actix_web::test]
async fn an_app_adds_claims_of_its_own() {
    let hooks = Hooks::new()
        .claim("seats", |reader, user| {
            let sql = "SELECT seats FROM app_plans WHERE user_id = $1";
            let seats: Option<i64> = reader.one(sql, &[user.id.into()], |row| row.next())?;
            Ok(seats.into())
        })
        .claim("plan", |_, _| Ok(json!("of the app")));
    let (app, user, session) = with_metadata(&json!({ "plan": "pro" }), hooks).await;
    let id = user.id.0;
    execute_sql(
        &app,
        "CREATE TABLE app_plans (user_id BIGINT, seats BIGINT)",
    );
    execute_sql(&app, &format!("INSERT INTO app_plans VALUES ({id}, 5)"));
    let expected = json!({ "plan": "of the app", "role": "user", "seats": 5 });
    assert_eq!(reported(&app, &session).await, Some(expected.clone()));
    let (access, _) = pair(&app, &session, "").await;
    assert_eq!(claims(&access)["seats"], 5);
    assert_eq!(reported(&app, &access).await, Some(expected.clone()));
    let key = api_key(&app, None, "introspect").await;
    assert_eq!(introspected(&app, &key, &access).await["claims"], expected);
}

#[actix_web::test]
async fn an_error_of_an_apps_claim_is_the_reply() {
    let hooks = Hooks::new().claim("plan", |_, _| Err(Error::Forbidden("Pay first")));
    let (app, _, session) = with_metadata(&json!({}), hooks).await;
    let reply = app.issue_tokens(&session, "").await;
    assert_refused(&reply, 403, "forbidden");
    let reply = app.get("/v1/verify").bearer(&session).send().await;
    assert_refused(&reply, 403, "forbidden");
    let sessions = count_in(&app, "SELECT count(*) FROM sessions");
    assert_eq!(sessions, 1);
}

#[test]
fn an_app_cannot_name_a_claim_like_one_of_ours() {
    for name in ["sub", "Exp", "email", "two words"] {
        let settings = Settings::for_env(Environment::Test).unwrap();
        let hooks = Hooks::new().claim(name, |_, _| Ok(json!(1)));
        let refusal = Cloakroom::open_with(settings, hooks).err().unwrap();
        let shown = format!("{refusal:?}");
        assert!(shown.contains("no claim can be named"), "{shown}");
    }
}
