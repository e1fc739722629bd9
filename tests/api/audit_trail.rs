//! The audit trail: events are rows of the transaction that they tell of, and users see their own.

use cloakroom::testing::TestApp;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_refused, beside, count_in, make_fail, make_succeed, text_in,
};
use crate::support::credentials::api_key;
use crate::support::flows::Flows;

const EVENTS: &str = "/v1/user/events";

async fn events(app: &TestApp, token: &str, query: &str) -> Value {
    let path = format!("{EVENTS}{query}");
    let reply = app.get(&path).bearer(token).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn kinds(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn a_sign_in_is_recorded_with_method_and_address() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let call = app.post("/v1/session").json(&body);
    let reply = call.header("user-agent", "curl/8").send().await;
    let (session, request) = (&reply.json()["session"], reply.header("x-request-id"));
    let page = events(&app, reply.json()["token"].as_str().unwrap(), "?limit=1").await;
    let mut event = page["events"][0].clone();
    assert!(event["id"].as_i64().unwrap() > 0);
    event["id"] = Value::Null;
    let expected = json!({
        "id": null,
        "at": session["created_at"],
        "event": "signed_in",
        "outcome": "success",
        "actor": "user",
        "session_id": session["id"],
        "api_key_id": null,
        "details": {
            "methods": ["pwd"], "new_device": false, "session_replaced": false, "sessions_evicted": 0
        },
        "repeats": 1,
        "ip_address": session["ip_address"],
        "user_agent": "curl/8",
        "request_id": request,
    });
    assert_eq!(event, expected);
    let sql = "SELECT actor_id FROM audit_events WHERE kind = 'signed_in'";
    assert_eq!(count_in(&app, sql), user.id.0);
}

#[actix_web::test]
async fn a_change_that_fails_leaves_no_event() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    make_fail(&app, "INSERT ON sessions");
    app.sign_in(ONE, PASSWORD).await;
    make_succeed(&app);
    let sql = "SELECT count(*) FROM audit_events WHERE kind = 'signed_in'";
    assert_eq!(count_in(&app, sql), 0);
}

#[actix_web::test]
async fn a_change_whose_event_cannot_be_written_fails() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    make_fail(&app, "INSERT ON audit_events");
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert!(reply.status >= 500, "{}", reply.text());
    make_succeed(&app);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn events_are_listed_in_pages() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    app.create_user("two@example.com", PASSWORD).await;
    app.sign_in("two@example.com", PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    for _ in 0..3 {
        app.sign_in(ONE, PASSWORD).await;
    }
    let first = events(&app, &token, "?limit=2").await;
    assert_eq!(kinds(&first), ["signed_in"; 2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = events(&app, &token, &format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(kinds(&last), ["signed_in"]);
    assert_eq!(last["next_cursor"], Value::Null);
    for wrong in ["?limit=0", "?limit=101", "?cursor=0"] {
        let path = format!("{EVENTS}{wrong}");
        let reply = app.get(&path).bearer(&token).send().await;
        assert_refused(&reply, 422, "validation_failed");
    }
}

#[actix_web::test]
async fn an_api_key_does_not_see_events() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let key = api_key(&app, Some(&user), "user:read").await;
    let reply = app.get(EVENTS).bearer(&key).send().await;
    assert_refused(&reply, 403, "forbidden");
}

#[actix_web::test]
async fn operators_are_shown_without_their_address() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let (id, nothing) = (user.id.0, beside(&app).blob(b""));
    beside(&app).execute(&format!(
        "INSERT INTO audit_events (at, kind, outcome, actor, user_id, details, repeats, ip_address, client_digest, mac)
         VALUES (1, 'user_enabled', 'success', 'operator', {id}, '{{\"uid\":0,\"host\":\"db\",\"more\":1}}', 1,
         '192.0.2.1', {nothing}, {nothing})"
    ));
    let page = events(&app, &token, "?limit=1").await;
    let event = &page["events"][0];
    assert_eq!(event["actor"], "operator");
    assert_eq!(
        (&event["ip_address"], &event["details"]),
        (&Value::Null, &json!({ "more": 1 }))
    );
}

#[actix_web::test]
async fn the_trail_has_no_secret_and_no_address_of_a_user() {
    let app = TestApp::new().await;
    app.sign_up(ONE, PASSWORD).await;
    let reply = app.sign_in(ONE, PASSWORD).await;
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    app.rotate_session(&token).await;
    let sql =
        "SELECT details || coalesce(request_id, '') || coalesce(user_agent, '') FROM audit_events";
    let rows = beside(&app).column(sql);
    assert!(rows.len() >= 3);
    for row in rows.into_iter().flatten() {
        for secret in [ONE, PASSWORD, &token] {
            assert!(!row.contains(secret), "{row}");
        }
    }
    let rotated = "SELECT kind FROM audit_events ORDER BY id DESC LIMIT 1";
    assert_eq!(text_in(&app, rotated).as_deref(), Some("session_rotated"));
}
