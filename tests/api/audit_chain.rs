//! The chain of the audit trail: what another program changes is named, also after rotations, retention and races.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::Method;
use cloakroom::audit::verify::{Fault, Verified};
use cloakroom::audit::{Anchor, Keys, Sealed, head, seal, trim, verify};
use cloakroom::config::Secret;
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::testing::TestApp;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{ONE, PASSWORD, assert_refused, blob, count_in, execute_sql, text_in};
use crate::support::flows::Flows;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An app with sealed events of this number, 1 and up by their ids and places.
async fn with_events(number: usize) -> TestApp {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    for _ in 0..number {
        app.sign_in(ONE, PASSWORD).await;
    }
    assert_eq!(sealed(&app).await.rows, number);
    app
}

async fn sealed(app: &TestApp) -> Sealed {
    let context = app.context();
    seal(&context.database, &context.audit_keys, context.clock.now())
        .await
        .unwrap()
}

async fn verified_with(app: &TestApp, anchor: Option<&Anchor>) -> Verified {
    let context = app.context();
    let (keys, now) = (&context.audit_keys, context.clock.now());
    verify(&context.database, keys, anchor, now).await.unwrap()
}

async fn faults(app: &TestApp) -> Vec<Fault> {
    verified_with(app, None).await.faults.into_iter().collect()
}

async fn anchor(app: &TestApp) -> Anchor {
    let context = app.context();
    let head = head(&context.database, &context.audit_keys, context.clock.now());
    head.await.unwrap().unwrap()
}

fn keep_copy(app: &TestApp) {
    execute_sql(app, "CREATE TABLE kept AS SELECT * FROM audit_events");
    execute_sql(app, "CREATE TABLE kept_chain AS SELECT * FROM audit_chain");
}

fn restore(app: &TestApp) {
    execute_sql(app, "DELETE FROM audit_events");
    execute_sql(app, "INSERT INTO audit_events SELECT * FROM kept");
    execute_sql(app, "DELETE FROM audit_chain");
    execute_sql(app, "INSERT INTO audit_chain SELECT * FROM kept_chain");
}

#[actix_web::test]
async fn an_untouched_trail_has_no_faults() {
    let app = with_events(3).await;
    app.sign_in(ONE, PASSWORD).await;
    let found = verified_with(&app, None).await;
    assert_eq!((found.rows, found.unsealed, found.start), (4, 1, 0));
    assert_eq!(found.faults, BTreeSet::new());
    assert_eq!(
        sealed(&app).await,
        Sealed {
            rows: 1,
            unknown: 0
        }
    );
    assert_eq!(faults(&app).await, []);
}

#[actix_web::test]
async fn a_change_of_any_column_names_its_row() {
    let app = with_events(5).await;
    keep_copy(&app);
    let other = blob(&app, &[9; 32]);
    let numbers = [
        "at",
        "actor_id",
        "user_id",
        "session_id",
        "api_key_id",
        "repeats",
    ];
    let texts = [
        "kind",
        "outcome",
        "actor",
        "details",
        "request_id",
        "ip_address",
        "user_agent",
    ];
    let blobs = ["nonce", "client_digest", "mac", "previous", "hash"];
    let mut changes: Vec<(&str, String)> = Vec::new();
    changes.extend(numbers.map(|name| (name, format!("coalesce({name}, 0) + 1"))));
    changes.extend(texts.map(|name| (name, format!("coalesce({name}, '') || 'x'"))));
    changes.extend(blobs.map(|name| (name, other.clone())));
    for (column, value) in &changes {
        for id in [1, 3, 5] {
            execute_sql(
                &app,
                &format!("UPDATE audit_events SET {column} = {value} WHERE id = {id}"),
            );
            let found = faults(&app).await;
            let named = [Fault::Changed { id }, Fault::Moved { id }];
            assert!(
                found.len() == 1 && named.contains(&found[0]),
                "{column} {id}: {found:?}"
            );
            restore(&app);
        }
    }
    execute_sql(&app, "UPDATE audit_events SET id = 30 WHERE id = 3");
    assert_eq!(faults(&app).await, [Fault::Moved { id: 30 }]);
    restore(&app);
    execute_sql(&app, "UPDATE audit_events SET position = 9 WHERE id = 3");
    let missing = Fault::Missing { first: 3, last: 3 };
    let moved = [Fault::Moved { id: 3 }, Fault::Added { id: 3 }, missing];
    assert_eq!(faults(&app).await, moved);
    restore(&app);
    assert_eq!(faults(&app).await, []);
}

#[actix_web::test]
async fn a_deleted_row_is_missing() {
    let app = with_events(5).await;
    keep_copy(&app);
    for (deleted, first, last) in [("id = 1", 1, 1), ("id IN (3, 4)", 3, 4), ("id = 5", 5, 5)] {
        execute_sql(&app, &format!("DELETE FROM audit_events WHERE {deleted}"));
        assert_eq!(faults(&app).await, [Fault::Missing { first, last }]);
        restore(&app);
    }
}

#[actix_web::test]
async fn an_added_row_is_named_and_never_sealed() {
    let app = with_events(2).await;
    keep_copy(&app);
    let columns =
        "at, outcome, actor, actor_id, user_id, details, repeats, nonce, client_digest, mac";
    let from = "FROM audit_events WHERE id = 1";
    let other = format!(
        "INSERT INTO audit_events (id, kind, {columns}) SELECT 9, 'password_changed', {columns} {from}"
    );
    execute_sql(&app, &other);
    assert_eq!(
        sealed(&app).await,
        Sealed {
            rows: 0,
            unknown: 1
        }
    );
    let found = faults(&app).await;
    assert!(found.contains(&Fault::Added { id: 9 }), "{found:?}");
    restore(&app);
    let copied = format!("kind, ip_address, user_agent, session_id, request_id, {columns}");
    execute_sql(
        &app,
        &format!("INSERT INTO audit_events (id, {copied}) SELECT 9, {copied} {from}"),
    );
    assert_eq!(faults(&app).await, [Fault::Copied { id: 9 }]);
    sealed(&app).await;
    assert_eq!(faults(&app).await, [Fault::Copied { id: 9 }]);
    restore(&app);
    let placed = "previous, hash, kind, ip_address, user_agent, session_id, request_id";
    execute_sql(
        &app,
        &format!(
            "INSERT INTO audit_events (id, position, {placed}, {columns}) SELECT 9, 3, {placed}, {columns} {from}"
        ),
    );
    assert!(faults(&app).await.contains(&Fault::Added { id: 9 }));
}

#[actix_web::test]
async fn rows_that_changed_places_are_both_named() {
    let app = with_events(6).await;
    for (from, to) in [(2, 90), (5, 2), (90, 5)] {
        execute_sql(
            &app,
            &format!("UPDATE audit_events SET position = {to} WHERE position = {from}"),
        );
    }
    let swapped = [Fault::Moved { id: 2 }, Fault::Moved { id: 5 }];
    assert_eq!(faults(&app).await, swapped);
}

#[actix_web::test]
async fn ends_that_another_program_changed_are_named() {
    let app = with_events(3).await;
    keep_copy(&app);
    let tail = "DELETE FROM audit_events WHERE id = 3";
    let back =
        "UPDATE audit_chain SET position = 2, hash = (SELECT hash FROM audit_events WHERE id = 2)";
    for sql in [tail, back] {
        execute_sql(&app, sql);
    }
    assert_eq!(faults(&app).await, [Fault::Ends]);
    app.sign_in(ONE, PASSWORD).await;
    let context = app.context();
    let refused = seal(&context.database, &context.audit_keys, context.clock.now());
    assert!(refused.await.is_err(), "nothing is sealed behind them");
    restore(&app);
    execute_sql(&app, "DELETE FROM audit_chain");
    assert_eq!(faults(&app).await, [Fault::Ends]);
    let again = seal(&context.database, &context.audit_keys, context.clock.now());
    assert!(again.await.is_err(), "the chain does not start over");
}

#[actix_web::test]
async fn an_anchor_tells_of_a_trail_that_was_set_back() {
    let app = with_events(2).await;
    keep_copy(&app);
    let early = anchor(&app).await;
    app.sign_in(ONE, PASSWORD).await;
    sealed(&app).await;
    let late = anchor(&app).await;
    for anchor in [&early, &late] {
        assert_eq!(
            verified_with(&app, Some(anchor)).await.faults,
            BTreeSet::new()
        );
    }
    assert_eq!(late.to_string().parse(), Ok(late.clone()));
    restore(&app);
    assert_eq!(faults(&app).await, [], "alone it cannot tell");
    let found = verified_with(&app, Some(&late)).await.faults;
    assert_eq!(Vec::from_iter(found), [Fault::Anchor { position: 3 }]);
}

#[actix_web::test]
async fn a_row_that_commits_late_is_sealed_late() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    app.sign_in(ONE, PASSWORD).await;
    execute_sql(&app, "UPDATE audit_events SET id = 50 WHERE id = 1");
    sealed(&app).await;
    app.sign_in(ONE, PASSWORD).await;
    execute_sql(&app, "UPDATE audit_events SET id = 7 WHERE id <> 50");
    assert_eq!(sealed(&app).await.rows, 1);
    assert_eq!(
        count_in(&app, "SELECT position FROM audit_events WHERE id = 7"),
        2
    );
    assert_eq!(faults(&app).await, []);
}

#[actix_web::test]
async fn nodes_that_seal_at_once_seal_each_row_once() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    for _ in 0..5 {
        for _ in 0..4 {
            app.sign_in(ONE, PASSWORD).await;
        }
        let context = app.context();
        let now = context.clock.now();
        let nodes = (0..8).map(|_| seal(&context.database, &context.audit_keys, now));
        let sealed: usize = join_all(nodes)
            .await
            .into_iter()
            .map(|done| done.unwrap().rows)
            .sum();
        assert_eq!(sealed, 4);
    }
    assert_eq!(count_in(&app, "SELECT max(position) FROM audit_events"), 20);
    assert_eq!(faults(&app).await, []);
}

#[actix_web::test]
async fn old_events_are_deleted_and_the_rest_verifies() {
    let app = with_events(3).await;
    let early = anchor(&app).await;
    app.clock().advance(300 * DAY);
    app.sign_in(ONE, PASSWORD).await;
    sealed(&app).await;
    let late = anchor(&app).await;
    app.clock().advance(66 * DAY);
    assert_eq!(trimmed(&app).await, 3);
    let found = verified_with(&app, Some(&late)).await;
    assert_eq!(
        (found.rows, found.start, found.faults),
        (1, 3, BTreeSet::new())
    );
    assert_eq!(
        verified_with(&app, Some(&early)).await.faults,
        BTreeSet::new()
    );
    app.clock().advance(300 * DAY);
    assert_eq!(trimmed(&app).await, 1);
    assert_eq!(trimmed(&app).await, 0);
    let found = verified_with(&app, Some(&early)).await.faults;
    assert_eq!(Vec::from_iter(found), [Fault::OldAnchor { position: 3 }]);
    app.sign_in(ONE, PASSWORD).await;
    sealed(&app).await;
    assert_eq!(faults(&app).await, []);
    execute_sql(&app, "DELETE FROM audit_events WHERE position = 5");
    assert_eq!(faults(&app).await, [Fault::Missing { first: 5, last: 5 }]);
}

async fn trimmed(app: &TestApp) -> usize {
    let context = app.context();
    let settings = &context.settings.audit;
    let done = trim(
        &context.database,
        &context.audit_keys,
        settings,
        context.clock.now(),
    );
    done.await.unwrap().audit_events
}

#[actix_web::test]
async fn a_deleted_accounts_addresses_are_erased_later() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    app.sign_in(ONE, PASSWORD).await;
    let body = json!({ "password_challenge": PASSWORD });
    let call = app.call(Method::DELETE, "/v1/user").bearer(&token);
    assert_eq!(call.json(&body).send().await.status, 200);
    sealed(&app).await;
    let with_client = "SELECT count(*) FROM audit_events WHERE ip_address IS NOT NULL";
    app.clock().advance(29 * DAY);
    trimmed(&app).await;
    let before = count_in(&app, with_client);
    assert!(before >= 2, "a thief of the account may have deleted it");
    app.clock().advance(2 * DAY);
    trimmed(&app).await;
    assert_eq!(count_in(&app, with_client), 0);
    assert_eq!(faults(&app).await, []);
}

#[actix_web::test]
async fn an_erased_address_of_an_account_that_exists_is_named() {
    let app = with_events(2).await;
    execute_sql(
        &app,
        "UPDATE audit_events SET ip_address = NULL, user_agent = NULL, nonce = NULL WHERE id = 2",
    );
    assert_eq!(faults(&app).await, [Fault::Erased { id: 2 }]);
}

#[actix_web::test]
async fn a_rotated_key_base_signs_the_chain_again() {
    let app = with_events(2).await;
    let (context, new) = (app.context(), Secret::from("n".repeat(32)));
    let (database, now) = (&context.database, context.clock.now());
    let rotated = Keys::new(&context.key_ring.replaced_by(new.clone()));
    let alone = Keys::new(&KeyRing::new(new, Vec::new()));
    let refused = seal(database, &alone, now).await;
    assert!(
        refused.is_err(),
        "the new base does not vouch for what another one signed"
    );
    app.sign_in(ONE, PASSWORD).await;
    assert_eq!(seal(database, &rotated, now).await.unwrap().rows, 1);
    let found = verify(database, &alone, None, now).await.unwrap();
    assert_eq!((found.rows, found.faults), (3, BTreeSet::new()));
}

#[actix_web::test]
async fn refusals_are_written_together_with_their_count() {
    let app = TestApp::new().await;
    let body = json!({ "refresh_token": "crr_unknown" });
    for _ in 0..7 {
        app.post("/v1/tokens/refresh").json(&body).send().await;
    }
    let rows = "SELECT count(*) FROM audit_events";
    assert_eq!(count_in(&app, rows), 0, "no write for each");
    flush(&app).await;
    assert_eq!(count_in(&app, rows), 1);
    let row = "SELECT kind || ' ' || outcome || ' ' || repeats FROM audit_events";
    assert_eq!(
        text_in(&app, row).as_deref(),
        Some("refresh_refused refused 7")
    );
    flush(&app).await;
    assert_eq!(count_in(&app, rows), 1);
    sealed(&app).await;
    assert_eq!(faults(&app).await, []);
}

async fn flush(app: &TestApp) {
    let context = app.context();
    let flushed = context.refusals.flush(&context.database, &context.recorder);
    flushed.await.unwrap();
}

#[actix_web::test]
async fn refusals_wait_while_the_database_fails() {
    let app = TestApp::new().await;
    let body = json!({ "refresh_token": "crr_unknown" });
    app.post("/v1/tokens/refresh").json(&body).send().await;
    crate::support::app::make_fail(&app, "INSERT ON audit_events");
    let context = app.context();
    let flushed = context.refusals.flush(&context.database, &context.recorder);
    assert!(flushed.await.is_err());
    crate::support::app::make_succeed(&app);
    app.post("/v1/tokens/refresh").json(&body).send().await;
    flush(&app).await;
    assert_eq!(count_in(&app, "SELECT repeats FROM audit_events"), 2);
}

#[actix_web::test]
async fn another_users_object_is_recorded_as_not_found() {
    let app = TestApp::new().await;
    let owner = app.create_user(ONE, PASSWORD).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (owners, others) = (app.sign_in_as(&owner).await, app.sign_in_as(&other).await);
    let call = app.post("/v1/projects").bearer(&owners);
    let project = call.json(&json!({ "title": "One" })).send().await;
    let id = &project.json()["project"]["id"];
    let refused = app
        .get(&format!("/v1/projects/{id}"))
        .bearer(&others)
        .send()
        .await;
    assert_refused(&refused, 404, "not_found");
    flush(&app).await;
    let newest = "SELECT kind FROM audit_events ORDER BY id DESC LIMIT 1";
    assert_eq!(text_in(&app, newest).as_deref(), Some("object_not_found"));
    let user = "SELECT user_id FROM audit_events ORDER BY id DESC LIMIT 1";
    assert_eq!(count_in(&app, user), other.id.0);
}
