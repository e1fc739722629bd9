//! Projects: pages, rules, and whose they are.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web;
use cloakroom::config::Settings;
use cloakroom::testing::{Reply, START, TestApp};
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, assert_faults, assert_refused, count_in, delete, signed_in};

const BLANK: &str = "can't be blank";
const TOO_LONG: &str = "is too long (maximum is 255 characters)";

async fn create(app: &TestApp, token: &str, body: &Value) -> Reply {
    app.post("/v1/projects")
        .bearer(token)
        .json(body)
        .send()
        .await
}

async fn page(app: &TestApp, token: &str, query: &str) -> (Vec<i64>, Value) {
    let reply = app
        .get(&format!("/v1/projects{query}"))
        .bearer(token)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let ids = body["projects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|project| project["id"].as_i64().unwrap());
    (ids.collect(), body["next_cursor"].clone())
}

#[actix_web::test]
async fn a_project_is_created_shown_changed_and_deleted() {
    let (app, _, token) = signed_in().await;
    let made = create(
        &app,
        &token,
        &json!({ "title": "  A title ", "description": "Words" }),
    )
    .await;
    let now = START.to_string();
    let mut expected = json!({ "project": {
        "id": 1, "title": "A title", "description": "Words", "created_at": now, "updated_at": now,
    } });
    assert_eq!((made.status, made.json()), (201, expected.clone()));
    assert_eq!(made.header("location"), Some("/v1/projects/1"));
    let shown = app.get("/v1/projects/1").bearer(&token).send().await;
    assert_eq!((shown.status, shown.json()), (200, expected.clone()));

    app.clock().advance(Duration::from_secs(1));
    let body = json!({ "title": "Another" });
    let changed = app
        .patch("/v1/projects/1")
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    expected["project"]["title"] = json!("Another");
    expected["project"]["updated_at"] = json!("2026-01-31T09:30:01.000Z");
    assert_eq!((changed.status, changed.json()), (200, expected));

    let gone = app.delete("/v1/projects/1").bearer(&token).send().await;
    assert_eq!((gone.status, gone.text()), (204, ""));
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        let call = app.call(method, "/v1/projects/1").bearer(&token);
        assert_refused(&call.json(&body).send().await, 404, "not_found");
    }
    create(&app, &token, &json!({ "title": "Next" })).await;
    assert_eq!(page(&app, &token, "").await.0, [2]);
}

#[actix_web::test]
async fn absent_fields_stay_unchanged() {
    let (app, _, token) = signed_in().await;
    create(
        &app,
        &token,
        &json!({ "title": "A title", "description": "Words" }),
    )
    .await;
    for method in [Method::PATCH, Method::PUT] {
        let change = async |body: Value| {
            let call = app
                .call(method.clone(), "/v1/projects/1")
                .bearer(&token)
                .json(&body);
            let project = call.send().await.json()["project"].clone();
            (project["title"].clone(), project["description"].clone())
        };
        assert_eq!(change(json!({})).await, (json!("A title"), json!("Words")));
        assert_eq!(
            change(json!({ "description": null })).await,
            (json!("A title"), Value::Null)
        );
        assert_eq!(
            change(json!({ "description": "" })).await,
            (json!("A title"), json!(""))
        );
        assert_eq!(
            change(json!({ "description": "Words" })).await,
            (json!("A title"), json!("Words"))
        );
    }
}

#[actix_web::test]
async fn a_title_is_required_and_has_at_most_255_characters() {
    let (app, _, token) = signed_in().await;
    create(&app, &token, &json!({ "title": "A title" })).await;
    let cases = [
        (json!({ "title": "" }), BLANK),
        (json!({ "title": null }), BLANK),
        (json!({ "title": " \t\u{3000}" }), BLANK),
        (json!({ "title": "é".repeat(256) }), TOO_LONG),
        (json!({ "title": "a\0b" }), "is invalid"),
    ];
    for (body, message) in &cases {
        assert_faults(&create(&app, &token, body).await, &[("title", message)]);
        for method in [Method::PATCH, Method::PUT] {
            let reply = app
                .call(method, "/v1/projects/1")
                .bearer(&token)
                .json(body)
                .send()
                .await;
            assert_faults(&reply, &[("title", message)]);
        }
    }
    assert_faults(&create(&app, &token, &json!({})).await, &[("title", BLANK)]);
    let nul = json!({ "title": "A title", "description": "a\0b" });
    assert_faults(
        &create(&app, &token, &nul).await,
        &[("description", "is invalid")],
    );
    assert_eq!(
        create(&app, &token, &json!({ "title": "é".repeat(255) }))
            .await
            .status,
        201
    );
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM projects WHERE title = 'A title'"
        ),
        1
    );
}

#[actix_web::test]
async fn another_users_project_is_not_found() {
    let (app, _, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let stranger = app.sign_in_as(&other).await;
    create(&app, &token, &json!({ "title": "A title" })).await;
    let body = json!({ "title": "Mine now" });
    for method in [
        Method::GET,
        Method::HEAD,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
    ] {
        let theirs = app
            .call(method.clone(), "/v1/projects/1")
            .bearer(&stranger)
            .json(&body)
            .send()
            .await;
        let absent = app
            .call(method.clone(), "/v1/projects/999")
            .bearer(&stranger)
            .json(&body)
            .send()
            .await;
        assert_refused(&theirs, 404, "not_found");
        let (mut theirs, mut absent) = (theirs.json(), absent.json());
        (theirs["request_id"], absent["request_id"]) = (Value::Null, Value::Null);
        assert_eq!(theirs, absent, "{method}");
    }
    // Nor do invalid fields reveal that it exists.
    let reply = app
        .patch("/v1/projects/1")
        .bearer(&stranger)
        .json(&json!({ "title": "" }))
        .send()
        .await;
    assert_refused(&reply, 404, "not_found");
    assert_eq!(page(&app, &stranger, "").await, (vec![], Value::Null));
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM projects WHERE title = 'A title'"
        ),
        1
    );
}

#[actix_web::test]
async fn malformed_ids_are_not_found() {
    let (app, _, token) = signed_in().await;
    create(&app, &token, &json!({ "title": "A title" })).await;
    for id in [
        "0",
        "-1",
        "one",
        "1.0",
        "1e0",
        "9223372036854775808",
        "%31%00",
        "1%20",
        "null",
        "1;",
        "%2e%2e",
    ] {
        let reply = app
            .get(&format!("/v1/projects/{id}"))
            .bearer(&token)
            .send()
            .await;
        assert_refused(&reply, 404, "not_found");
    }
}

#[actix_web::test]
async fn cursors_walk_all_pages_newest_first() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let stranger = app.sign_in_as(&other).await;
    assert_eq!(page(&app, &token, "").await, (vec![], Value::Null));
    for number in 0..7 {
        create(
            &app,
            &token,
            &json!({ "title": format!("Project {number}") }),
        )
        .await;
        create(&app, &stranger, &json!({ "title": "Between" })).await;
    }
    let mine = [13, 11, 9, 7, 5, 3, 1];
    assert_eq!(page(&app, &token, "").await, (mine.to_vec(), Value::Null));
    assert_eq!(
        page(&app, &token, "?limit=7").await,
        (mine.to_vec(), Value::Null)
    );
    let mut walked = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let (ids, cursor) = page(&app, &token, &query).await;
        walked.push(ids);
        let Some(cursor) = cursor.as_str() else { break };
        query = format!("?limit=3&cursor={cursor}");
        // What comes in meanwhile moves nothing.
        create(&app, &token, &json!({ "title": "Meanwhile" })).await;
    }
    assert_eq!(walked, [vec![13, 11, 9], vec![7, 5, 3], vec![1]]);
    assert_eq!(
        page(&app, &token, "?limit=1&cursor=13&unknown=1&unknown=2").await,
        (vec![11], json!("11"))
    );
    delete(&app, &user).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM projects"), 7);
}

#[actix_web::test]
async fn a_page_holds_50_by_default_and_at_most_100() {
    let (app, user, token) = signed_in().await;
    let owner = user.id;
    let filled = app
        .context()
        .database
        .write(move |tx| {
            (0..101).try_for_each(|number| {
                cloakroom::store::projects::insert(
                    tx,
                    owner,
                    &number.to_string(),
                    None,
                    u32::MAX,
                    START,
                )
                .map(drop)
            })
        })
        .await;
    filled.unwrap();
    for (query, length) in [
        ("", 50),
        ("?limit=1", 1),
        ("?limit=100", 100),
        ("?cursor=9223372036854775807", 50),
    ] {
        let (ids, cursor) = page(&app, &token, query).await;
        assert_eq!((ids.len(), cursor.is_string()), (length, true), "{query}");
    }
}

#[actix_web::test]
async fn invalid_limits_and_cursors_are_named() {
    let (app, _, token) = signed_in().await;
    for field in ["limit", "cursor"] {
        for value in [
            "0",
            "-1",
            "",
            "ten",
            "1.5",
            "99999999999999999999",
            "0x10",
            "1%00",
            "%F0%9F%94%91",
        ] {
            let reply = app
                .get(&format!("/v1/projects?{field}={value}"))
                .bearer(&token)
                .send()
                .await;
            assert_faults(&reply, &[(field, "is invalid")]);
        }
    }
    let reply = app
        .get("/v1/projects?limit=101")
        .bearer(&token)
        .send()
        .await;
    assert_faults(&reply, &[("limit", "is invalid")]);
    let both = app
        .get("/v1/projects?limit=x&cursor=y")
        .bearer(&token)
        .send()
        .await;
    assert_faults(&both, &[("limit", "is invalid"), ("cursor", "is invalid")]);
    let twice = app
        .get("/v1/projects?limit=1&limit=2")
        .bearer(&token)
        .send()
        .await;
    assert_refused(&twice, 400, "invalid_request");
}

#[actix_web::test]
async fn descriptions_and_projects_per_user_are_limited() {
    let app = TestApp::new().await;
    let user = app.create_user("one@example.com", "password").await;
    let token = app.sign_in_as(&user).await;
    let described = |description: String| json!({ "title": "T", "description": description });
    let reply = create(&app, &token, &described("ä".repeat(4001))).await;
    assert_eq!(reply.status, 422);
    assert_eq!(
        reply.json()["fields"]["description"],
        json!(["is too long (maximum is 4000 characters)"])
    );
    assert_eq!(
        create(&app, &token, &described("ä".repeat(4000)))
            .await
            .status,
        201
    );

    let owner = user.id;
    let rest = app.context().database.write(move |tx| {
        (1..1000).try_for_each(|number| {
            cloakroom::store::projects::insert(
                tx,
                owner,
                &number.to_string(),
                None,
                u32::MAX,
                START,
            )
            .map(drop)
        })
    });
    rest.await.unwrap();
    let reply = create(&app, &token, &described(String::new())).await;
    assert_eq!(
        (reply.status, reply.json()["code"].as_str()),
        (422, Some("too_many_projects"))
    );
}

#[actix_web::test]
async fn pages_of_long_texts_end_early_with_a_cursor() {
    let app = TestApp::new().await;
    let user = app.create_user("one@example.com", "password").await;
    let token = app.sign_in_as(&user).await;
    let (owner, long) = (user.id, "\u{1}".repeat(2000) + &"🔑".repeat(1000));
    let fill = app.context().database.write(move |tx| {
        (0..40).try_for_each(|number| {
            let title = number.to_string();
            cloakroom::store::projects::insert(tx, owner, &title, Some(&long), u32::MAX, START)
                .map(drop)
        })
    });
    fill.await.unwrap();
    let (mut seen, mut query) = (Vec::new(), "?limit=100".to_owned());
    loop {
        let page = app
            .get(&format!("/v1/projects{query}"))
            .bearer(&token)
            .send()
            .await;
        // 64 KiB of texts, and the rest of the objects.
        assert!(page.body.len() < 66 * 1024, "{}", page.body.len());
        let page = page.json();
        seen.extend(
            page["projects"]
                .as_array()
                .unwrap()
                .iter()
                .map(|project| project["title"].clone()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..40)
        .rev()
        .map(|number| json!(number.to_string()))
        .collect();
    assert_eq!(seen, expected);
}

fn limited(settings: &mut Settings) {
    settings.throttle.enabled = true;
    settings.throttle.project_writes = "3 in 1m".parse().unwrap();
    settings.throttle.project_writes_of_client = "5 in 1m".parse().unwrap();
}

#[actix_web::test]
async fn writes_to_projects_are_limited_by_user() {
    let app = TestApp::with_settings(limited).await;
    let one = app.create_user("one@example.com", PASSWORD).await;
    let token = app.sign_in_as(&one).await;
    let body = json!({ "title": "A title" });
    assert_eq!(create(&app, &token, &body).await.status, 201);
    // A write that changes nothing counts as well.
    let absent = |method| {
        app.call(method, "/v1/projects/99")
            .bearer(&token)
            .json(&body)
    };
    assert_eq!(absent(Method::PATCH).send().await.status, 404);
    assert_eq!(absent(Method::DELETE).send().await.status, 404);
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        let path = "/v1/projects/1";
        let reply = app
            .call(method, path)
            .bearer(&token)
            .json(&body)
            .send()
            .await;
        assert_refused(&reply, 429, "rate_limited");
        assert_eq!(reply.header("retry-after"), Some("60"));
    }
    let refused = create(&app, &token, &body).await;
    assert_refused(&refused, 429, "rate_limited");
    assert_eq!(page(&app, &token, "").await.0, [1]);

    let another = app.create_user("another@example.com", PASSWORD).await;
    let another = app.sign_in_as(&another).await;
    assert_eq!(create(&app, &another, &body).await.status, 201);
    app.clock().advance(Duration::from_secs(60));
    assert_eq!(create(&app, &token, &body).await.status, 201);
}

#[actix_web::test]
async fn writes_to_projects_are_limited_by_client_network() {
    let app = TestApp::with_settings(limited).await;
    let mut statuses = Vec::new();
    for id in 0..6 {
        let address = format!("user{id}@example.com");
        let user = app.create_user(&address, PASSWORD).await;
        let token = app.sign_in_as(&user).await;
        statuses.push(
            create(&app, &token, &json!({ "title": "A title" }))
                .await
                .status,
        );
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 429]);
}

#[actix_web::test]
async fn without_the_sample_its_paths_are_the_embedders() {
    async fn own() -> &'static str {
        "own"
    }
    let app = TestApp::builder()
        .settings(|settings| settings.samples.enabled = false)
        .routes(|config| {
            config.route("/v1/projects", web::post().to(own));
        })
        .build()
        .await;
    let user = app.create_user("one@example.com", PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    for path in ["/v1/projects", "/v1/projects/1"] {
        let reply = app.get(path).bearer(&token).send().await;
        assert_refused(&reply, 404, "not_found");
    }
    assert_eq!(app.post("/v1/projects").send().await.text(), "own");
}
