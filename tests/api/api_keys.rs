//! API keys: made, shown once, used for what they are for, and revoked.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use cloakroom::context::{Change, Context};
use cloakroom::domain::ApiKeyId;
use cloakroom::domain::ClientInfo;
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::error::Error;
use cloakroom::features;
use cloakroom::http::routes::Verb;
use cloakroom::http::{Access, Caller};
use cloakroom::server::sweep;
use cloakroom::store::{api_keys, projects};
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, beside, count_in, delete, disable, execute_sql,
    make_fail, make_succeed, new_token, not_text, reset_token, seen, signed_in, write,
};
use crate::support::credentials::api_key;
use crate::support::flows::Flows;
use crate::support::process::TestServer;
use crate::support::raw_connection::RawConnection;

const PATH: &str = "/v1/api_keys";
const ALL: &str = "projects:read projects:write user:read introspect";
const MILLISECOND: Duration = Duration::from_millis(1);

/// Creates a key, with the password.
async fn create(app: &TestApp, token: &str, body: &Value) -> Reply {
    let mut body = body.clone();
    body["password_challenge"] = json!(PASSWORD);
    create_by(app, token, &body).await
}

async fn create_by(app: &TestApp, token: &str, body: &Value) -> Reply {
    app.post(PATH).bearer(token).json(body).send().await
}

/// A key with these scopes: its id and itself.
async fn key(app: &TestApp, token: &str, scopes: &str) -> (i64, String) {
    let made = create(app, token, &json!({ "name": "A key", "scopes": scopes })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    (
        made["api_key"]["id"].as_i64().unwrap(),
        made["key"].as_str().unwrap().to_owned(),
    )
}

async fn list(app: &TestApp, token: &str) -> Value {
    let reply = app.get(PATH).bearer(token).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["api_keys"].clone()
}

async fn revoke(app: &TestApp, token: &str, id: i64) -> Reply {
    app.delete(&format!("{PATH}/{id}"))
        .bearer(token)
        .send()
        .await
}

/// What a key is answered that asks whose it is.
async fn used(app: &TestApp, key: &str) -> Reply {
    app.get("/v1/verify").header("X-API-Key", key).send().await
}

async fn is_good(app: &TestApp, key: &str) -> bool {
    let reply = used(app, key).await;
    if reply.status != 200 {
        assert_refused(&reply, 401, "invalid_api_key");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    reply.status == 200
}

#[actix_web::test]
async fn a_key_is_shown_once_and_never_again() {
    let (app, _, token) = signed_in().await;
    let body = json!({
        "name": "  Nightly backup ", "scopes": ["projects:read", "introspect", "projects:read"],
        "expires_at": "2026-03-01T01:00:00+01:00",
    });
    let made = create(&app, &token, &body).await;
    assert_eq!(
        (made.status, made.header("pragma")),
        (201, Some("no-cache"))
    );
    assert_eq!(made.header("location"), Some("/v1/api_keys/1"));
    let made = made.json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("crk_") && key.len() == 42, "{key}");
    let view = json!({
        "id": 1, "name": "Nightly backup", "prefix": "crk_", "last_four": key[38..],
        "scopes": ["projects:read", "introspect"], "created_at": START.to_string(), "last_used_at": null,
        "expires_at": "2026-03-01T00:00:00.000Z", "revoked_at": null,
    });
    assert_eq!(made, json!({ "key": key, "api_key": view }));
    assert_eq!(list(&app, &token).await, json!([view]));

    let path = format!("{PATH}/1");
    let renamed = app
        .patch(&path)
        .bearer(&token)
        .json(&json!({ "name": "Backup" }))
        .send()
        .await;
    assert!(!renamed.text().contains(&key[4..36]));
    let stored = beside(&app).content();
    let secret = &key.as_bytes()[4..36];
    assert!(!stored.windows(32).any(|bytes| bytes == secret));
}

#[actix_web::test]
async fn a_form_creates_a_key() {
    let (app, _, token) = signed_in().await;
    let call = app.post(PATH).bearer(&token);
    let made = call
        .form(&[
            ("name", "A key"),
            ("scopes", "projects:read  introspect"),
            ("password_challenge", PASSWORD),
        ])
        .send()
        .await;
    assert_eq!(
        made.json()["api_key"]["scopes"],
        json!(["projects:read", "introspect"]),
        "{}",
        made.text()
    );
}

#[actix_web::test]
async fn a_key_is_accepted_as_x_api_key_and_bearer() {
    let (app, user, token) = signed_in().await;
    let (_, key) = key(&app, &token, "user:read").await;
    for (name, value) in [
        ("X-API-Key", key.clone()),
        ("Authorization", format!("Bearer {key}")),
        ("Authorization", format!("token {key}")),
        ("Authorization", format!("Token token=\"{key}\"")),
    ] {
        let reply = app.get("/v1/session").header(name, &value).send().await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        assert_eq!(
            (&reply.json()["user"]["id"], &reply.json()["session"]),
            (&json!(user.id.0), &Value::Null)
        );
    }
    assert_eq!(
        app.get(&format!("/v1/user?api_key={key}"))
            .send()
            .await
            .status,
        401
    );
}

#[actix_web::test]
async fn a_key_is_limited_to_its_scopes() {
    let (app, user, token) = signed_in().await;
    let (_, reads) = key(&app, &token, "projects:read").await;
    let (_, writes) = key(&app, &token, "projects:write").await;
    let (_, other) = key(&app, &token, "introspect").await;
    let title = json!({ "title": "A title" });
    let post = async |key: &str| {
        app.post("/v1/projects")
            .header("X-API-Key", key)
            .json(&title)
            .send()
            .await
    };
    let get = async |key: &str| {
        app.get("/v1/projects")
            .header("X-API-Key", key)
            .send()
            .await
    };
    assert_eq!(
        (post(&writes).await.status, get(&reads).await.status),
        (201, 200)
    );
    for (reply, scope) in [
        (post(&reads).await, "projects:write"),
        (get(&writes).await, "projects:read"),
        (get(&other).await, "projects:read"),
        (
            app.delete("/v1/projects/1")
                .header("X-API-Key", &reads)
                .send()
                .await,
            "projects:write",
        ),
    ] {
        assert_refused(&reply, 403, "insufficient_scope");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!("scope=\"{scope}\"")),
            "{challenge}"
        );
    }
    let owned = format!(
        "SELECT count(*) FROM projects WHERE user_id = {}",
        user.id.0
    );
    assert_eq!(count_in(&app, &owned), 1);

    // Keys of other users stay as they are.
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let (_, theirs) = key(&app, &app.sign_in_as(&stranger).await, ALL).await;
    assert_refused(
        &app.get("/v1/projects/1")
            .header("X-API-Key", &theirs)
            .send()
            .await,
        404,
        "not_found",
    );
    assert_eq!(get(&theirs).await.json()["projects"], json!([]));
}

#[actix_web::test]
async fn a_key_never_manages_the_account() {
    let (app, _, token) = signed_in().await;
    let (id, key) = key(&app, &token, ALL).await;
    let body = json!({ "name": "More", "scopes": ALL, "password_challenge": PASSWORD, "password": "another one" });
    let routes = features::routes();
    let managing: Vec<_> = routes
        .iter()
        .filter(|route| route.access == Access::Session)
        .collect();
    assert!(managing.len() > 10);
    for route in managing {
        let Verb::One(method) = &route.method else {
            panic!("{}", route.path)
        };
        let path = route.path.replace("{id}", &id.to_string());
        for (name, value) in [
            ("X-API-Key", key.clone()),
            ("Authorization", format!("Bearer {key}")),
        ] {
            let reply = app
                .call(method.clone(), &path)
                .header(name, &value)
                .json(&body)
                .send()
                .await;
            assert_refused(&reply, 403, "forbidden");
        }
    }
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL"
        ),
        1
    );
}

#[actix_web::test]
async fn other_schemes_and_cookies_yield_to_a_key() {
    let (app, _, token) = signed_in().await;
    let (_, key) = key(&app, &token, ALL).await;
    let basic = app
        .get("/v1/user")
        .header("Authorization", "Basic b25lOnR3bw==")
        .header("X-API-Key", &key);
    assert_eq!(basic.send().await.status, 200);
    let cookie = app
        .get("/v1/session")
        .header("X-API-Key", &key)
        .cookie(&token)
        .send()
        .await;
    assert_eq!(
        (cookie.status, &cookie.json()["session"]),
        (200, &Value::Null)
    );
}

#[actix_web::test]
async fn a_key_expires_to_the_millisecond() {
    let (app, _, token) = signed_in().await;
    let end = START + Duration::from_secs(60);
    let body =
        json!({ "name": "A key", "scopes": ["projects:write"], "expires_at": end.to_string() });
    let made = create(&app, &token, &body).await.json();
    let key = made["key"].as_str().unwrap();
    let title = json!({ "title": "A title" });
    let post = async || {
        app.post("/v1/projects")
            .header("X-API-Key", key)
            .json(&title)
            .send()
            .await
    };
    app.clock().set(end - MILLISECOND);
    assert!(is_good(&app, key).await && post().await.status == 201);
    app.clock().set(end);
    assert!(!is_good(&app, key).await);
    assert_refused(&post().await, 401, "invalid_api_key");
    assert_eq!(
        list(&app, &token).await[0]["expires_at"],
        end.to_string(),
        "it is still listed"
    );
}

#[actix_web::test]
async fn a_key_is_invalid_once_revocation_is_answered() {
    let (app, _, token) = signed_in().await;
    let ((id, dead), (_, alive)) = (key(&app, &token, ALL).await, key(&app, &token, ALL).await);
    assert!(is_good(&app, &dead).await);
    app.clock().advance(Duration::from_secs(1));
    let revoked_at = app.clock().now().to_string();
    for _ in 0..2 {
        let reply = revoke(&app, &token, id).await;
        assert_eq!((reply.status, reply.text()), (204, ""));
        assert!(!is_good(&app, &dead).await && is_good(&app, &alive).await);
        app.clock().advance(Duration::from_secs(1));
    }
    let listed = list(&app, &token).await;
    assert_eq!(
        (&listed[1]["revoked_at"], &listed[0]["revoked_at"]),
        (&json!(revoked_at), &Value::Null)
    );
    // It can still be renamed, which does not make it valid.
    let body = json!({ "name": "The old one" });
    let renamed = app
        .patch(&format!("{PATH}/{id}"))
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(
        (renamed.status, &renamed.json()["api_key"]["revoked_at"]),
        (200, &json!(revoked_at))
    );
    assert!(!is_good(&app, &dead).await);
    // Nor does a clock that is set back.
    app.clock()
        .set(Timestamp::from_millis(START.as_millis() - 1));
    assert!(!is_good(&app, &dead).await);
}

#[actix_web::test]
async fn a_key_revoked_during_its_request_changes_nothing() {
    /// Revokes the key that the request came with, and then writes as if it had only now read the body.
    async fn late(
        context: web::Data<Context>,
        client: ClientInfo,
        caller: Caller,
    ) -> Result<HttpResponse, Error> {
        let (id, now) = (caller.api_key().unwrap().id, context.clock.now());
        context
            .database
            .write(move |tx| api_keys::revoke(tx, id, now))
            .await?;
        let owner = caller.owner()?;
        let insert = move |change: &Change<'_>| {
            projects::insert(change, owner, "Too late", None, 10, now).map(drop)
        };
        caller
            .commit(&context, &client, insert)
            .await
            .map(|()| HttpResponse::Ok().finish())
    }

    let app = TestApp::with(|config| {
        config.route("/v1/late", web::post().to(late));
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let (_, key) = key(&app, &app.sign_in_as(&user).await, ALL).await;
    let reply = app.post("/v1/late").header("X-API-Key", &key).send().await;
    assert_refused(&reply, 401, "invalid_api_key");
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL"
        ),
        1
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM projects"), 0);
}

#[test]
fn concurrent_revocations_all_succeed_and_one_is_logged() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let body = json!({ "name": "A key", "scopes": ALL, "password_challenge": PASSWORD });
    let (status, made) = server.request("POST", PATH, Some(&token), Some(&body));
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().unwrap();
    let start = Barrier::new(50);
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let mut connection = RawConnection::to(&server);
                start.wait();
                connection.ask(
                    "DELETE",
                    &format!("{PATH}/1"),
                    &format!("Authorization: Bearer {token}\r\n"),
                    "",
                );
                assert_eq!(connection.receive().status, 204);
                assert_eq!(server.request("GET", "/v1/user", Some(key), None).0, 401);
            });
        }
    });
    // The last line of the log, so that all before it are there.
    server.request(
        "PATCH",
        "/v1/api_keys/1",
        Some(&token),
        Some(&json!({ "name": "Another" })),
    );
    let log = server.wait_for_log("api_key_renamed");
    assert_eq!(log.matches("api_key_revoked").count(), 1, "{log}");
    assert!(!log.contains(&key[4..36]), "{log}");
}

#[actix_web::test]
async fn keys_of_disabled_and_deleted_users_are_invalid() {
    let (app, user, token) = signed_in().await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let (_, theirs) = key(&app, &app.sign_in_as(&stranger).await, ALL).await;
    let (_, mine) = key(&app, &token, ALL).await;
    disable(&app, &user).await;
    assert!(!is_good(&app, &mine).await && is_good(&app, &theirs).await);
    delete(&app, &user).await;
    assert!(!is_good(&app, &mine).await && is_good(&app, &theirs).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 1);
}

#[actix_web::test]
async fn deleting_an_account_revokes_its_keys() {
    let (app, _, token) = signed_in().await;
    let (_, key) = key(&app, &token, ALL).await;
    let body = json!({ "password_challenge": PASSWORD });
    assert_eq!(
        app.delete("/v1/user")
            .bearer(&token)
            .json(&body)
            .send()
            .await
            .status,
        200
    );
    assert!(!is_good(&app, &key).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 0);
}

#[actix_web::test]
async fn a_new_password_revokes_keys_unless_they_are_kept() {
    for (keep, kept) in [
        (json!(null), false),
        (json!(false), false),
        (json!(true), true),
    ] {
        let (app, _, token) = signed_in().await;
        let (_, one) = key(&app, &token, ALL).await;
        let (_, two) = key(&app, &token, "introspect").await;
        let mut body = json!({ "password_challenge": PASSWORD, "password": "another password" });
        if !keep.is_null() {
            body["keep_api_keys"] = keep;
        }
        let change = app.put("/v1/user/password").bearer(&token).json(&body);
        let token = new_token(&change.send().await);
        assert_eq!(
            (is_good(&app, &one).await, is_good(&app, &two).await),
            (kept, kept)
        );
        let ended = app.delete("/v1/sessions").bearer(&token).send().await;
        assert_eq!((ended.status, is_good(&app, &one).await), (200, kept));
        let link = reset_token(&app, ONE).await;
        let reset = app.reset_password(&link, "a third password").await;
        assert_eq!((reset.status, is_good(&app, &one).await), (200, false));
    }
}

#[actix_web::test]
async fn name_scopes_and_expiry_are_validated_together() {
    let (app, _, token) = signed_in().await;
    let (name, scopes) = (json!("A key"), json!(["projects:read"]));
    let (blank, invalid) = ("can't be blank", "is invalid");
    let make = async |body: Value| create(&app, &token, &body).await;
    assert_faults(
        &make(json!({})).await,
        &[("name", blank), ("scopes", blank)],
    );
    let all = json!({ "name": " \t", "scopes": "", "expires_at": "soon" });
    assert_faults(
        &make(all).await,
        &[("name", blank), ("scopes", blank), ("expires_at", invalid)],
    );
    for (value, message) in [
        (
            json!("é".repeat(256)),
            "is too long (maximum is 255 characters)",
        ),
        (json!("a\nb"), invalid),
        (json!("a\u{7f}b"), invalid),
        (json!("a\0b"), invalid),
    ] {
        assert_faults(
            &make(json!({ "name": value, "scopes": scopes })).await,
            &[("name", message)],
        );
    }
    let many: Vec<String> = (0..33).map(|number| format!("a:b{number}")).collect();
    for value in [
        json!("projects"),
        json!("admin:all"),
        json!(["projects:read", "user:write"]),
        json!(["projects:read", "Projects:write"]),
        json!(["projects:read projects:write"]),
        json!(["projects:read", ""]),
        json!(["projects:read", 1]),
        json!("projects:read\nX-User-Id:1"),
        json!([format!("a:{}", "b".repeat(63))]),
        json!(many),
    ] {
        assert_faults(
            &make(json!({ "name": name, "scopes": value })).await,
            &[("scopes", invalid)],
        );
    }
    assert_faults(
        &make(json!({ "name": name, "scopes": [] })).await,
        &[("scopes", blank)],
    );
    let past = "must be in the future";
    let longest = START + Duration::from_secs(3_650 * 86_400);
    for (value, message) in [
        (START.to_string(), past),
        ("1969-12-31T23:59:59Z".to_owned(), past),
        (
            (longest + MILLISECOND).to_string(),
            "must be within ten years",
        ),
        ("2026-03-01".to_owned(), invalid),
        ("2026-03-01T00:00:00".to_owned(), invalid),
        ("1893456000".to_owned(), invalid),
        (String::new(), invalid),
    ] {
        let body = json!({ "name": name, "scopes": scopes, "expires_at": value });
        assert_faults(&make(body).await, &[("expires_at", message)]);
    }
    for value in not_text() {
        let body = json!({ "name": value, "scopes": scopes, "expires_at": value });
        assert_faults(
            &make(body).await,
            &[("name", invalid), ("expires_at", invalid)],
        );
    }
    for value in [json!(1), json!(true), json!({ "a": 1 })] {
        assert_faults(
            &make(json!({ "name": name, "scopes": value })).await,
            &[("scopes", invalid)],
        );
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 0);
    let longest =
        json!({ "name": "é".repeat(255), "scopes": scopes, "expires_at": longest.to_string() });
    assert_eq!(make(longest).await.status, 201);
    assert_eq!(
        make(json!({ "name": name, "scopes": scopes, "expires_at": null }))
            .await
            .status,
        201
    );
    let form = [
        ("name", "A key"),
        ("scopes", "projects:read"),
        ("scopes", "projects:write"),
        ("expires_at", ""),
        ("password_challenge", PASSWORD),
    ];
    let call = app.post("/v1/api_keys").bearer(&token).form(&form);
    let made = call.send().await.json();
    assert_eq!(made["api_key"]["scopes"].as_array().unwrap().len(), 2);
    let made = made["api_key"]["expires_at"].clone();
    let absent = make(json!({ "name": name, "scopes": scopes })).await.json();
    assert_eq!(made, absent["api_key"]["expires_at"]);
}

#[actix_web::test]
async fn creating_a_key_needs_the_password_or_a_recent_proof() {
    let (app, _, token) = signed_in().await;
    let challenged = |challenge: Value| json!({ "name": "A key", "scopes": ALL, "password_challenge": challenge });
    let field = "password_challenge";
    let bare = json!({ "name": "A key", "scopes": ALL });
    let blank = create_by(&app, &token, &bare).await;
    assert_faults(&blank, &[(field, "can't be blank")]);
    let empty = create_by(&app, &token, &challenged(json!(""))).await;
    assert_faults(&empty, &[(field, "can't be blank")]);
    let wrong = create_by(&app, &token, &challenged(json!("wrong"))).await;
    assert_faults(&wrong, &[(field, "is incorrect")]);
    let all = create_by(&app, &token, &json!({})).await;
    let blank = |name: &'static str| (name, "can't be blank");
    assert_faults(&all, &[blank(field), blank("name"), blank("scopes")]);
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 0);
    assert!(app.mails().await.is_empty());

    let made = create_by(&app, &token, &challenged(json!(PASSWORD))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    // The challenge covered that key alone.
    assert_eq!(create_by(&app, &token, &bare).await.status, 422);
    let proof = app
        .post("/v1/session/reauthenticate")
        .bearer(&token)
        .json(&json!({ "password": PASSWORD }));
    let token = new_token(&proof.send().await);
    for (id, body) in [(2, &bare), (3, &challenged(json!("")))] {
        let made = create_by(&app, &token, body).await;
        assert_eq!(
            (made.status, &made.json()["api_key"]["id"]),
            (201, &json!(id))
        );
    }
    app.clock().advance(Duration::from_secs(15 * 60));
    assert_eq!(create_by(&app, &token, &bare).await.status, 422);
    // Renaming and revoking need none.
    let name = json!({ "name": "Another" });
    let rename = app.patch(&format!("{PATH}/1")).bearer(&token).json(&name);
    assert_eq!(rename.send().await.status, 200);
    assert_eq!(revoke(&app, &token, 1).await.status, 204);
}

#[actix_web::test]
async fn a_key_expires_in_a_year_unless_never_is_requested() {
    let (app, _, token) = signed_in().await;
    let mut body = json!({ "name": "A key", "scopes": ALL });
    let year = json!((START + Duration::from_secs(365 * 86_400)).to_string());
    let expiry = async |body: &Value| {
        let made = create(&app, &token, body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["api_key"]["expires_at"].clone()
    };
    assert_eq!(expiry(&body).await, year);
    for (value, expected) in [(json!(null), year), (json!("never"), json!(null))] {
        body["expires_at"] = value;
        assert_eq!(expiry(&body).await, expected);
    }
    let mails = app.mails().await;
    let without_end = mails
        .iter()
        .filter(|mail| mail.text.contains("It does not expire."));
    assert_eq!(without_end.count(), 1);
    body["expires_at"] = json!("Never");
    let invalid = create(&app, &token, &body).await;
    assert_faults(&invalid, &[("expires_at", "is invalid")]);
}

#[actix_web::test]
async fn a_thief_uses_up_no_creations_of_the_owner() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.api_keys = "1 in 1h".parse().unwrap();
    })
    .await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let body = json!({ "name": "A key", "scopes": ALL, "password_challenge": "wrong" });
    for _ in 0..3 {
        assert_eq!(create_by(&app, &token, &body).await.status, 422);
    }
    assert_eq!(create(&app, &token, &body).await.status, 201);
    assert_refused(&create(&app, &token, &body).await, 429, "rate_limited");
}

#[actix_web::test]
async fn only_the_name_can_be_changed() {
    let (app, _, token) = signed_in().await;
    let (_, before) = key(&app, &token, "projects:read").await;
    let view = list(&app, &token).await[0].clone();
    let body = json!({
        "name": " Another ", "scopes": ALL, "expires_at": "2099-01-01T00:00:00Z", "revoked_at": START.to_string(),
        "user_id": 9, "last_four": "0000",
    });
    let renamed = app
        .patch(&format!("{PATH}/1"))
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    let mut expected = view;
    expected["name"] = json!("Another");
    assert_eq!(
        (renamed.status, renamed.json()),
        (200, json!({ "api_key": expected }))
    );
    assert_eq!(list(&app, &token).await, json!([expected]));
    assert!(is_good(&app, &before).await);
    let blank = app
        .patch(&format!("{PATH}/1"))
        .bearer(&token)
        .json(&json!({ "name": "" }))
        .send()
        .await;
    assert_faults(&blank, &[("name", "can't be blank")]);
}

#[actix_web::test]
async fn another_user_cannot_see_rename_or_revoke_a_key() {
    let (app, _, token) = signed_in().await;
    let (id, mine) = key(&app, &token, ALL).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let stranger = app.sign_in_as(&other).await;
    assert_eq!(list(&app, &stranger).await, json!([]));
    let body = json!({ "name": "Mine now" });
    for method in [Method::PATCH, Method::DELETE] {
        let call = |id: i64| {
            app.call(method.clone(), &format!("{PATH}/{id}"))
                .bearer(&stranger)
                .json(&body)
        };
        let (theirs, absent) = (call(id).send().await, call(999).send().await);
        assert_refused(&theirs, 404, "not_found");
        assert_eq!(seen(&theirs), seen(&absent), "{method}");
        for id in [
            "0",
            "-1",
            "one",
            "1.0",
            "9223372036854775808",
            "%31%00",
            "1;",
        ] {
            let call = app
                .call(method.clone(), &format!("{PATH}/{id}"))
                .bearer(&stranger)
                .json(&body);
            assert_refused(&call.send().await, 404, "not_found");
        }
    }
    assert!(is_good(&app, &mine).await);
    assert_eq!(list(&app, &token).await[0]["name"], "A key");
    // No user can see or revoke a service's key.
    execute_sql(&app, "UPDATE api_keys SET user_id = NULL");
    assert_eq!(list(&app, &token).await, json!([]));
    assert_refused(&revoke(&app, &token, id).await, 404, "not_found");
}

#[actix_web::test]
async fn a_service_key_belongs_to_no_user() {
    let (app, _, token) = signed_in().await;
    let (_, key) = key(&app, &token, ALL).await;
    execute_sql(&app, "UPDATE api_keys SET user_id = NULL");
    for path in ["/v1/user", "/v1/session", "/v1/projects"] {
        assert_refused(
            &app.get(path).header("X-API-Key", &key).send().await,
            403,
            "forbidden",
        );
    }
}

#[actix_web::test]
async fn keys_per_user_are_limited() {
    let app = TestApp::with_settings(|settings| settings.tokens.max_keys_per_user = 3).await;
    let (user, stranger) = (
        app.create_user(ONE, PASSWORD).await,
        app.create_user("two@example.com", PASSWORD).await,
    );
    let (token, other) = (app.sign_in_as(&user).await, app.sign_in_as(&stranger).await);
    let body = json!({ "name": "A key", "scopes": ALL });
    let replies = join_all((0..50).map(|_| create(&app, &token, &body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    assert_eq!(
        (made.len(), count_in(&app, "SELECT count(*) FROM api_keys")),
        (3, 3)
    );
    for reply in refused {
        assert_refused(reply, 422, "too_many_api_keys");
        assert_eq!(reply.json()["error"], "API key limit reached");
    }
    assert_eq!(create(&app, &other, &body).await.status, 201);
    // One that is revoked or has expired counts no more.
    let first = made[0].json()["api_key"]["id"].as_i64().unwrap();
    assert_eq!(revoke(&app, &token, first).await.status, 204);
    let ending =
        json!({ "name": "A key", "scopes": ALL, "expires_at": (START + MILLISECOND).to_string() });
    assert_eq!(create(&app, &token, &ending).await.status, 201);
    assert_eq!(create(&app, &token, &body).await.status, 422);
    app.clock().advance(MILLISECOND);
    assert_eq!(create(&app, &token, &body).await.status, 201);
}

#[actix_web::test]
async fn key_creation_is_limited_by_hour() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.api_keys = "2 in 1h".parse().unwrap();
    })
    .await;
    let (user, stranger) = (
        app.create_user(ONE, PASSWORD).await,
        app.create_user("two@example.com", PASSWORD).await,
    );
    let (token, other) = (app.sign_in_as(&user).await, app.sign_in_as(&stranger).await);
    let body = json!({ "name": "A key", "scopes": ALL });
    // What cannot be used costs none of them.
    assert_eq!(create(&app, &token, &json!({})).await.status, 422);
    for id in [1, 2] {
        assert_eq!(create(&app, &token, &body).await.status, 201);
        // A revoked one is kept for a while: it must not make room.
        assert_eq!(revoke(&app, &token, id).await.status, 204);
    }
    assert_refused(&create(&app, &token, &body).await, 429, "rate_limited");
    assert_eq!(create(&app, &other, &body).await.status, 201);
    app.clock().advance(Duration::from_secs(3600));
    assert_eq!(create(&app, &token, &body).await.status, 201);
}

#[actix_web::test]
async fn last_used_at_is_written_once_a_minute() {
    let (app, _, token) = signed_in().await;
    let (id, key) = key(&app, &token, ALL).await;
    let written = || {
        count_in(
            &app,
            &format!("SELECT coalesce(last_used_at, 0) FROM api_keys WHERE id = {id}"),
        )
    };
    let context = app.context();
    let flush = async || context.activity.flush(&context.database).await.unwrap();
    assert!(is_good(&app, &key).await);
    assert_eq!(
        list(&app, &token).await[0]["last_used_at"],
        START.to_string()
    );
    assert_eq!(written(), 0, "not on the request's path");
    flush().await;
    assert_eq!(written(), START.as_millis());
    app.clock().advance(Duration::from_millis(59_999));
    assert!(is_good(&app, &key).await);
    flush().await;
    assert_eq!(written(), START.as_millis());
    app.clock().advance(MILLISECOND);
    assert!(is_good(&app, &key).await);
    flush().await;
    assert_eq!(written(), START.as_millis() + 60_000);
    // Only a use that opened counts.
    app.clock().advance(Duration::from_secs(60));
    assert_eq!(revoke(&app, &token, id).await.status, 204);
    assert!(!is_good(&app, &key).await);
    flush().await;
    assert_eq!(written(), START.as_millis() + 60_000);
}

#[actix_web::test]
async fn a_new_key_is_notified_by_mail() {
    let (app, user, token) = signed_in().await;
    let body = json!({
        "name": "Win a prize at evil.example", "scopes": ALL, "password_challenge": PASSWORD,
        "expires_at": "2026-03-01T00:00:00Z",
    });
    let call = app
        .post(PATH)
        .bearer(&token)
        .header("User-Agent", "A program");
    let made = call.json(&body).send().await;
    assert_eq!(made.status, 201);
    // A key that was not created is not notified.
    create(&app, &token, &json!({})).await;
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, user.email_address.as_str());
    let text = &mails[0].text;
    let last_four = made.json()["api_key"]["last_four"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        text.contains(&format!("An API key that ends in {last_four} was created")),
        "{text}"
    );
    assert!(text.contains("127.0.0.1"), "{text}");
    // What helps, and what does not.
    assert!(
        text.contains("revoke it in your list")
            && text.contains("which revokes all API keys unless you choose to keep them"),
        "{text}"
    );
    assert!(
        text.contains("It expires on 1 March 2026, 00:00 UTC."),
        "{text}"
    );
    assert!(
        !text.contains("evil.example") && !text.contains("crk_"),
        "{text}"
    );
}

#[actix_web::test]
async fn key_and_notice_are_written_atomically() {
    let (app, _, token) = signed_in().await;
    make_fail(&app, "INSERT ON outbox");
    assert_eq!(
        create(&app, &token, &json!({ "name": "A key", "scopes": ALL }))
            .await
            .status,
        500
    );
    make_succeed(&app);
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 0);
}

#[actix_web::test]
async fn keys_are_listed_newest_first_until_swept() {
    let (app, user, token) = signed_in().await;
    for _ in 0..3 {
        key(&app, &token, ALL).await;
    }
    let ids = |listed: Value| -> Vec<i64> {
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(ids(list(&app, &token).await), [3, 2, 1]);
    let now = app.clock().now();
    assert_eq!(
        write(&app, move |tx| api_keys::revoke(tx, ApiKeyId(2), now)).await,
        Some(true)
    );
    assert_eq!(ids(list(&app, &token).await), [3, 2, 1]);
    let month = Duration::from_secs(30 * 86_400);
    let swept_at = async |now: Timestamp| {
        let context = app.context();
        sweep::run(&context.database, &context.settings, now)
            .await
            .unwrap();
    };
    swept_at(now + month - MILLISECOND).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM api_keys"), 3);
    swept_at(now + month).await;
    let token = app.sign_in_as(&user).await;
    assert_eq!(ids(list(&app, &token).await), [3, 1]);
}

#[actix_web::test]
async fn the_newest_hundred_revoked_keys_are_kept() {
    let (app, _, token) = signed_in().await;
    let (lasting, _) = key(&app, &token, ALL).await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let theirs = api_key(&app, Some(&stranger), ALL).await;
    assert_eq!(
        app.post("/v1/tokens/revoke")
            .json(&json!({ "token": theirs }))
            .send()
            .await
            .status,
        200
    );
    for _ in 0..300 {
        let (id, _) = key(&app, &token, ALL).await;
        assert_eq!(revoke(&app, &token, id).await.status, 204);
    }
    let (last, _) = key(&app, &token, ALL).await;
    let listed = list(&app, &token).await;
    let ids: Vec<i64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["id"].as_i64().unwrap())
        .collect();
    let newest: Vec<i64> = (last - 100..=last).rev().chain([lasting]).collect();
    assert_eq!(ids, newest);
    assert_eq!(
        count_in(
            &app,
            &format!(
                "SELECT count(*) FROM api_keys WHERE user_id = {}",
                stranger.id.0
            )
        ),
        1
    );
}
