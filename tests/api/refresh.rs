//! Refresh tokens: each good once, the same successor for ten seconds, and theft after that.

use std::time::Duration;

use cloakroom::config::Secret;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::domain::scope::Scopes;
use cloakroom::server::sweep;
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::tokens::{Pair, credentials, opens, pair_for, pair_of, session_of};
use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, beside, blob, count_in, delete, disable,
    make_fail, make_succeed, new_token, not_text, reset_token, session_is_valid, signed_in,
};
use crate::support::flows::Flows;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Somebody signed in, their session's token, and a pair of it.
async fn with_pair() -> (TestApp, String, Pair) {
    let (app, _, token) = signed_in().await;
    let pair = pair_for(&app, &token).await;
    (app, token, pair)
}

fn sessions(app: &TestApp) -> i64 {
    count_in(app, "SELECT count(*) FROM sessions")
}

/// That a refresh token is refused as RFC 6749 has it, in the house's shape.
#[track_caller]
fn assert_no_grant(reply: &Reply) {
    assert_refused(reply, 400, "invalid_grant");
    assert_eq!(
        reply.json()["error"],
        "The refresh token is invalid, expired or used up"
    );
    assert!(reply.header("www-authenticate").is_none());
}

#[actix_web::test]
async fn a_refresh_spends_the_old_token() {
    let (app, token, first) = with_pair().await;
    app.clock().advance(DAY);
    let reply = app.refresh(&first.refresh).await;
    let second = pair_of(&reply);
    assert!(second.refresh != first.refresh && second.access != first.access);
    // What they have in common is the family's name.
    assert_eq!(second.refresh[25..36], first.refresh[25..36]);
    assert_ne!(second.refresh[..15], first.refresh[..15]);
    let body = reply.json();
    assert_eq!(
        (
            &body["token_type"],
            &body["expires_in"],
            &body["refresh_expires_in"],
            &body["scope"]
        ),
        (
            &json!("Bearer"),
            &json!(900),
            &json!(14 * 24 * 3600),
            &json!("projects:read projects:write user:read")
        )
    );
    assert!(opens(&app, &second.access).await && session_is_valid(&app, &token).await);
    assert_eq!(
        session_of(&app, &second.access).await["id"],
        session_of(&app, &token).await["id"]
    );
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM refresh_tokens WHERE spent_at IS NULL"
        ),
        1
    );
    // Until when its end has to be remembered.
    let until = (START + DAY + 900 * SECOND).as_millis();
    assert_eq!(count_in(&app, "SELECT access_until FROM sessions"), until);
    // An access token that is out stays good beside the next one.
    let third = pair_of(&app.refresh(&second.refresh).await);
    assert!(opens(&app, &second.access).await && opens(&app, &third.access).await);
}

#[actix_web::test]
async fn rfc_6749_6_a_form_is_accepted_and_scope_is_kept() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "scope": "projects:read" });
    let narrow = pair_of(
        &app.post("/v1/tokens")
            .bearer(&token)
            .json(&body)
            .send()
            .await,
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &narrow.refresh),
        ("scope", "projects:write"),
    ];
    let reply = app.post("/v1/tokens/refresh").form(&form).send().await;
    assert_eq!(reply.json()["scope"], "projects:read");
    let access = pair_of(&reply).access;
    let post = app
        .post("/v1/projects")
        .bearer(&access)
        .json(&json!({ "title": "Ours" }))
        .send()
        .await;
    assert_refused(&post, 403, "insufficient_scope");
}

#[actix_web::test]
async fn concurrent_refreshes_return_one_successor() {
    let (app, token, first) = with_pair().await;
    let replies = join_all((0..20).map(|_| app.refresh(&first.refresh))).await;
    let pairs: Vec<Pair> = replies.iter().map(pair_of).collect();
    assert!(pairs.iter().all(|pair| *pair == pairs[0]), "{pairs:?}");
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 2);
    assert!(opens(&app, &pairs[0].access).await && session_is_valid(&app, &token).await);
    pair_of(&app.refresh(&pairs[0].refresh).await);
}

#[actix_web::test]
async fn reuse_after_ten_seconds_is_theft() {
    let (app, token, first) = with_pair().await;
    app.clock().advance(500 * MILLISECOND);
    let spent_at = app.clock().now();
    let reply = app.refresh(&first.refresh).await;
    let second = pair_of(&reply);
    app.clock().set(spent_at + GRACE - MILLISECOND);
    let again = app.refresh(&first.refresh).await;
    assert_eq!(pair_of(&again), second);
    // Only what counts from now has changed.
    assert_eq!(
        (&reply.json()["expires_in"], &again.json()["expires_in"]),
        (&json!(899), &json!(889))
    );
    assert!(session_is_valid(&app, &token).await);
    app.clock().set(spent_at + GRACE);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert!(!session_is_valid(&app, &token).await && !opens(&app, &second.access).await);
    assert_no_grant(&app.refresh(&second.refresh).await);
}

#[actix_web::test]
async fn a_token_whose_successor_was_used_is_refused() {
    let (app, token, first) = with_pair().await;
    let second = pair_of(&app.refresh(&first.refresh).await);
    app.clock().advance(SECOND);
    let third = pair_of(&app.refresh(&second.refresh).await);
    app.clock().advance(SECOND);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert_eq!(pair_of(&app.refresh(&second.refresh).await), third);
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM refresh_tokens WHERE spent_at IS NULL"
        ),
        1
    );
    assert!(session_is_valid(&app, &token).await);
    // Each has ten seconds of its own.
    app.clock().set(START + GRACE);
    assert_eq!(pair_of(&app.refresh(&second.refresh).await), third);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert_no_grant(&app.refresh(&third.refresh).await);
}

#[actix_web::test]
async fn token_reuse_ends_the_session_and_mails_once() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    let (stolen, kept) = (pair_for(&app, &token).await, pair_for(&app, &other).await);
    let beside = pair_for(&app, &token).await;
    let next = pair_of(&app.refresh(&stolen.refresh).await);
    app.clock().advance(GRACE);
    let call = app
        .post("/v1/tokens/refresh")
        .header("User-Agent", "A thief's")
        .from("203.0.113.9:1".parse().unwrap());
    assert_no_grant(
        &call
            .json(&json!({ "refresh_token": stolen.refresh }))
            .send()
            .await,
    );

    for dead in [&stolen, &next, &beside] {
        assert!(!opens(&app, &dead.access).await);
        assert_no_grant(&app.refresh(&dead.refresh).await);
    }
    assert!(!session_is_valid(&app, &token).await);
    assert!(session_is_valid(&app, &other).await && opens(&app, &kept.access).await);
    pair_of(&app.refresh(&kept.refresh).await);
    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, ONE));
    assert_eq!(mails[0].subject, "A session of yours was ended");
    assert!(mails[0].text.contains("203.0.113.9"), "{}", mails[0].text);
}

#[actix_web::test]
async fn a_disabled_reuse_notice_is_not_sent() {
    let app =
        TestApp::with_settings(|settings| settings.notices.set(MailKind::RefreshReused, false))
            .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let first = pair_for(&app, &token).await;
    pair_of(&app.refresh(&first.refresh).await);
    app.clock().advance(GRACE);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert!(!session_is_valid(&app, &token).await && app.mails().await.is_empty());
}

#[actix_web::test]
async fn concurrent_reuse_ends_the_session_once() {
    let (app, token, first) = with_pair().await;
    pair_of(&app.refresh(&first.refresh).await);
    app.clock().advance(GRACE);
    for reply in join_all((0..20).map(|_| app.refresh(&first.refresh))).await {
        assert_no_grant(&reply);
    }
    assert!(!session_is_valid(&app, &token).await);
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn a_token_of_a_forgotten_family_is_rejected() {
    let (app, token, first) = with_pair().await;
    let mut latest = first.clone();
    for _ in 0..3 {
        app.clock().advance(DAY);
        latest = pair_of(&app.refresh(&latest.refresh).await);
    }
    let first_token = PlainToken::parse(TokenKind::Refresh, &first.refresh).unwrap();
    let digest = blob(&app, first_token.digest().as_bytes());
    let known = format!("SELECT count(*) FROM refresh_tokens WHERE token_digest = {digest}");
    assert_eq!(count_in(&app, &known), 0);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert!(!session_is_valid(&app, &token).await && !opens(&app, &latest.access).await);
    assert_no_grant(&app.refresh(&latest.refresh).await);
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn rfc_6749_5_2_invalid_grants_cost_no_write() {
    let (app, token, pair) = with_pair().await;
    let store = beside(&app);
    let held = store.hold_writes();
    let unknown = PlainToken::generate(TokenKind::Refresh).unwrap();
    let (typo, shouted) = (format!("{}1", pair.refresh), pair.refresh.to_uppercase());
    for text in [
        unknown.reveal(),
        "crr_",
        "rubbish",
        "' OR 1=1 --",
        "crr_🔑",
        &typo,
        &shouted,
        &pair.access,
        &token,
        &"a".repeat(60_000),
    ] {
        assert_no_grant(&app.refresh(text).await);
    }
    for body in [
        json!({}),
        json!({ "refresh_token": "" }),
        json!({ "refresh_token": " " }),
        Value::Null,
    ] {
        let call = app.post("/v1/tokens/refresh");
        let reply = if body.is_null() {
            call
        } else {
            call.json(&body)
        }
        .send()
        .await;
        assert_refused(&reply, 400, "invalid_request");
    }
    for value in not_text() {
        let reply = app
            .post("/v1/tokens/refresh")
            .json(&json!({ "refresh_token": value }))
            .send()
            .await;
        assert_faults(&reply, &[("refresh_token", "is invalid")]);
    }
    drop(held);
    pair_of(&app.refresh(&pair.refresh).await);
}

#[actix_web::test]
async fn other_credentials_are_ignored_except_foreign_cookies() {
    let (app, token, pair) = with_pair().await;
    let send = |presented: &str, refresh: &str| {
        let body = json!({ "refresh_token": refresh });
        app.post("/v1/tokens/refresh")
            .bearer(presented)
            .json(&body)
            .send()
    };
    let second = pair_of(&send("crs_rubbish", &pair.refresh).await);
    assert_no_grant(&send(&token, "rubbish").await);
    let body = json!({ "refresh_token": second.refresh });
    let by_cookie = || app.post("/v1/tokens/refresh").cookie(&token).json(&body);
    assert_refused(&by_cookie().send().await, 403, "cross_origin");
    pair_of(&by_cookie().same_origin().send().await);
}

#[actix_web::test]
async fn a_family_expires_with_its_session() {
    let app = TestApp::with_settings(|settings| settings.session.idle_timeout = 40 * DAY).await;
    app.create_user(ONE, PASSWORD).await;
    let mut pair = pair_of(&app.post("/v1/tokens").json(&credentials()).send().await);
    let end = START + 30 * DAY;
    for day in 1..30 {
        app.clock().set(START + day * DAY);
        pair = pair_of(&app.refresh(&pair.refresh).await);
    }
    app.clock().set(end - MILLISECOND);
    let reply = app.refresh(&pair.refresh).await;
    let last = pair_of(&reply);
    assert_eq!(
        (
            &reply.json()["expires_in"],
            &reply.json()["refresh_expires_in"]
        ),
        (&json!(0), &json!(0))
    );
    app.clock().set(end);
    for token in [&last, &pair] {
        assert_no_grant(&app.refresh(&token.refresh).await);
    }
    assert_eq!((sessions(&app), app.mails().await.len()), (1, 0));
}

#[actix_web::test]
async fn refreshing_counts_as_use_of_the_session() {
    let (app, token, pair) = with_pair().await;
    app.clock().set(START + 13 * DAY);
    let second = pair_of(&app.refresh(&pair.refresh).await);
    // Asking by an access token is none.
    assert_eq!(
        session_of(&app, &second.access).await["last_active_at"],
        app.clock().now().to_string()
    );
    app.clock().set(START + 26 * DAY);
    // Noted in memory alone, and use all the same.
    assert!(session_is_valid(&app, &token).await);
    app.clock().set(START + 29 * DAY);
    let third = pair_of(&app.refresh(&second.refresh).await);
    assert!(opens(&app, &third.access).await);

    let user = app.create_user("two@example.com", PASSWORD).await;
    let idle = app.sign_in_as(&user).await;
    let spent = pair_for(&app, &idle).await;
    let unspent = pair_of(&app.refresh(&spent.refresh).await);
    app.clock().advance(14 * DAY);
    for token in [&unspent, &spent] {
        assert_no_grant(&app.refresh(&token.refresh).await);
    }
    assert!(app.mails().await.is_empty(), "nothing is left to be stolen");
    app.clock().set(START + 43 * DAY - MILLISECOND);
    pair_of(&app.refresh(&unspent.refresh).await);
}

#[actix_web::test]
async fn buffered_activity_keeps_a_session_from_idling() {
    let (app, token, pair) = with_pair().await;
    app.clock().set(START + 13 * DAY);
    assert!(session_is_valid(&app, &token).await);
    app.clock().set(START + 20 * DAY);
    pair_of(&app.refresh(&pair.refresh).await);
}

#[actix_web::test]
async fn sessions_ended_in_any_way_refresh_nothing() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 1).await;
    for (number, name) in ["disabled", "deleted", "evicted", "swept", "signed out"]
        .into_iter()
        .enumerate()
    {
        let address = format!("u{number}@example.com");
        let user = app.create_user(&address, PASSWORD).await;
        let token = app.sign_in_as(&user).await;
        let spent = pair_for(&app, &token).await;
        let pair = pair_of(&app.refresh(&spent.refresh).await);
        match name {
            "disabled" => disable(&app, &user).await,
            "deleted" => delete(&app, &user).await,
            "evicted" => assert_eq!(app.sign_in(&address, PASSWORD).await.status, 200),
            "swept" => {
                app.clock().advance(40 * DAY);
                let context = app.context();
                sweep::run(&context.database, &context.settings, context.clock.now())
                    .await
                    .unwrap();
            }
            _ => assert_eq!(
                app.delete("/v1/session").bearer(&token).send().await.status,
                200
            ),
        }
        for token in [&pair, &spent] {
            assert_no_grant(&app.refresh(&token.refresh).await);
        }
    }
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn a_rewound_clock_restores_no_spent_token() {
    let (app, token, first) = with_pair().await;
    app.clock().advance(2 * DAY);
    let second = pair_of(&app.refresh(&first.refresh).await);
    // A correction of some seconds ends no session.
    app.clock().set(START + 2 * DAY - GRACE + MILLISECOND);
    assert_eq!(
        pair_of(&app.refresh(&first.refresh).await).refresh,
        second.refresh
    );
    app.clock().set(START + DAY);
    assert_no_grant(&app.refresh(&first.refresh).await);
    assert!(!session_is_valid(&app, &token).await);
    assert_no_grant(&app.refresh(&second.refresh).await);
}

/// The house of another app, under the key bases of these letters: the current one and those before.
async fn moved_in_with(app: &TestApp, current: &str, previous: &[&str]) -> TestApp {
    let base = |letter: &str| Secret::from(letter.repeat(32));
    let database = app.context().settings.database.clone();
    let previous = previous.iter().map(|one| base(one)).collect();
    TestApp::with_settings(|settings| {
        settings.database = database;
        settings.secrets.key_base = Some(base(current));
        settings.secrets.previous = previous;
    })
    .await
}

#[actix_web::test]
async fn successors_need_a_current_or_previous_key_base() {
    let first = Some(Secret::from("a".repeat(32)));
    let home = TestApp::with_settings(|settings| settings.secrets.key_base = first).await;
    home.create_user(ONE, PASSWORD).await;
    let before = moved_in_with(&home, "a", &[]).await;
    let first = pair_of(&before.post("/v1/tokens").json(&credentials()).send().await);
    let second = pair_of(&before.refresh(&first.refresh).await);

    let rotated = moved_in_with(&home, "b", &["a"]).await;
    let again = pair_of(&rotated.refresh(&first.refresh).await);
    assert_eq!(again.refresh, second.refresh);
    assert!(opens(&rotated, &again.access).await && opens(&rotated, &second.access).await);

    // Who has the file and not the key gets nothing out of it; nor does it count as theft.
    let dropped = moved_in_with(&home, "b", &[]).await;
    assert_no_grant(&dropped.refresh(&first.refresh).await);
    assert_eq!((sessions(&home), dropped.mails().await.len()), (1, 0));
    let third = pair_of(&dropped.refresh(&second.refresh).await);
    assert!(opens(&dropped, &third.access).await && !opens(&dropped, &second.access).await);
}

#[actix_web::test]
async fn the_seed_is_deleted_after_the_grace_period() {
    let (app, _, first) = with_pair().await;
    let seeds = || {
        count_in(
            &app,
            "SELECT count(*) FROM refresh_tokens WHERE seed IS NOT NULL",
        )
    };
    let second = pair_of(&app.refresh(&first.refresh).await);
    assert_eq!(seeds(), 1);
    app.clock().advance(GRACE);
    let third = pair_of(&app.refresh(&second.refresh).await);
    assert_eq!(seeds(), 1, "the last one's alone");
    app.clock().advance(GRACE - MILLISECOND);
    let sweep = || {
        sweep::run(
            &app.context().database,
            &app.context().settings,
            app.clock().now(),
        )
    };
    assert_eq!(sweep().await.unwrap().refresh_tokens, 0);
    app.clock().advance(MILLISECOND);
    assert_eq!((sweep().await.unwrap().refresh_tokens, seeds()), (1, 0));
    pair_of(&app.refresh(&third.refresh).await);
}

#[actix_web::test]
async fn neither_token_of_a_pair_is_stored() {
    let (app, _, first) = with_pair().await;
    let second = pair_of(&app.refresh(&first.refresh).await);
    let bytes = beside(&app).content();
    for pair in [&first, &second] {
        let signature = pair.access.rsplit_once('.').unwrap().1;
        // Of the family's name alone nothing can be made, and not even that is written.
        for secret in [&pair.refresh[4..25], &pair.refresh[25..], signature] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes()),
                "{secret}"
            );
        }
    }
}

#[actix_web::test]
async fn a_pair_is_listed_and_ends_with_its_session() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let pair = pair_of(&app.post("/v1/tokens").json(&credentials()).send().await);
    let owner = app.sign_in_as(&user).await;
    let listed = app.get("/v1/sessions").bearer(&owner).send().await.json();
    let id = session_of(&app, &pair.access).await["id"].clone();
    assert!(
        listed["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|session| session["id"] == id),
        "{listed}"
    );
    let ended = app
        .delete(&format!("/v1/sessions/{id}"))
        .bearer(&owner)
        .send()
        .await;
    assert_eq!(ended.status, 204);
    assert!(!opens(&app, &pair.access).await);
    assert_no_grant(&app.refresh(&pair.refresh).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
}

#[actix_web::test]
async fn a_new_password_revokes_the_kept_sessions_refresh_tokens() {
    let (app, user, token) = signed_in().await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let others = pair_for(&app, &app.sign_in_as(&stranger).await).await;
    let spent = pair_for(&app, &token).await;
    let (pair, elsewhere) = (
        pair_of(&app.refresh(&spent.refresh).await),
        pair_for(&app, &app.sign_in_as(&user).await).await,
    );
    let body = json!({ "password": "another password", "password_challenge": PASSWORD });
    let change = app.put("/v1/user/password").bearer(&token).json(&body);
    let token = new_token(&change.send().await);
    for ended in [&pair, &spent, &elsewhere] {
        assert_no_grant(&app.refresh(&ended.refresh).await);
    }
    assert!(session_is_valid(&app, &token).await, "that was no theft");
    assert!(opens(&app, &pair.access).await, "access tokens run out");
    pair_of(&app.refresh(&others.refresh).await);
    pair_of(&app.refresh(&pair_for(&app, &token).await.refresh).await);
}

#[actix_web::test]
async fn ending_other_sessions_keeps_own_refresh_tokens() {
    let (app, user, token) = signed_in().await;
    let kept = pair_for(&app, &token).await;
    let ended = pair_for(&app, &app.sign_in_as(&user).await).await;
    assert_eq!(
        app.delete("/v1/sessions?except=current")
            .bearer(&token)
            .send()
            .await
            .status,
        200
    );
    assert_no_grant(&app.refresh(&ended.refresh).await);
    pair_of(&app.refresh(&kept.refresh).await);
}

#[actix_web::test]
async fn the_reported_expiry_is_the_earlier_of_both() {
    let (app, token, first) = with_pair().await;
    let told =
        |reply: &Reply| Duration::from_secs(reply.json()["refresh_expires_in"].as_u64().unwrap());
    app.clock().advance(10 * DAY);
    let reply = app.refresh(&first.refresh).await;
    assert_eq!(told(&reply), 14 * DAY);
    app.clock().advance(5 * SECOND);
    assert_eq!(
        told(&app.refresh(&first.refresh).await),
        14 * DAY - 5 * SECOND,
        "none of it is new"
    );
    app.clock().set(START + 20 * DAY);
    let reply = app.post("/v1/tokens").bearer(&token).send().await;
    assert_eq!(told(&reply), 10 * DAY);
    let last = pair_of(&reply);
    app.clock().set(START + 30 * DAY - MILLISECOND);
    pair_of(&app.refresh(&last.refresh).await);
}

#[actix_web::test]
async fn access_tokens_per_hour_are_limited() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        assert_eq!(
            (
                settings.throttle.tokens.count,
                settings.throttle.tokens.window
            ),
            (600, 3600 * SECOND)
        );
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let (token, other) = (app.sign_in_as(&user).await, app.sign_in_as(&stranger).await);
    let mut pair = pair_for(&app, &token).await;
    for _ in 1..300 {
        pair_for(&app, &token).await;
        pair = pair_of(&app.post("/v1/tokens").bearer(&token).send().await);
    }
    let spent = pair;
    pair = pair_of(&app.refresh(&spent.refresh).await);
    let refused = [
        app.refresh(&pair.refresh).await,
        app.post("/v1/tokens").bearer(&token).send().await,
        app.post("/v1/tokens")
            .cookie(&token)
            .same_origin()
            .send()
            .await,
    ];
    for reply in refused {
        assert_refused(&reply, 429, "rate_limited");
        assert_eq!(reply.header("retry-after"), Some("3600"));
    }
    // What was given is given again, and others have theirs.
    assert_eq!(pair_of(&app.refresh(&spent.refresh).await), pair);
    pair_for(&app, &other).await;
    app.clock().advance(3600 * SECOND);
    pair_of(&app.refresh(&pair.refresh).await);
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn a_reset_ends_every_pair() {
    let (app, _, pair) = with_pair().await;
    let link = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&link, "another password").await.status,
        200
    );
    assert!(!opens(&app, &pair.access).await);
    assert_no_grant(&app.refresh(&pair.refresh).await);
}

#[actix_web::test]
async fn rotation_revokes_only_the_sessions_refresh_tokens() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    let (spent, kept) = (pair_for(&app, &token).await, pair_for(&app, &other).await);
    let pair = pair_of(&app.refresh(&spent.refresh).await);
    let rotated = app.post("/v1/session/rotate").bearer(&token).send().await;
    let token = rotated.json()["token"].as_str().unwrap().to_owned();
    for ended in [&pair, &spent] {
        assert_no_grant(&app.refresh(&ended.refresh).await);
    }
    assert!(session_is_valid(&app, &token).await && app.mails().await.is_empty());
    assert!(opens(&app, &pair.access).await, "access tokens run out");
    pair_of(&app.refresh(&kept.refresh).await);
    pair_of(&app.refresh(&pair_for(&app, &token).await.refresh).await);
}

#[actix_web::test]
async fn withdrawn_scopes_are_no_longer_granted() {
    let home = TestApp::new().await;
    home.create_user(ONE, PASSWORD).await;
    let first = pair_of(&home.post("/v1/tokens").json(&credentials()).send().await);
    let database = home.context().settings.database.clone();
    let later = TestApp::with_settings(|settings| {
        settings.database = database;
        settings.tokens.scopes = Scopes::parse("orders:read projects:write").unwrap();
    })
    .await;
    let reply = later.refresh(&first.refresh).await;
    assert_eq!(reply.json()["scope"], "projects:write");
    // Scopes added to the settings since then were not requested.
    assert_eq!(
        later.refresh(&pair_of(&reply).refresh).await.json()["scope"],
        "projects:write"
    );
}

#[actix_web::test]
async fn a_failing_write_spends_no_token() {
    let (app, token, first) = with_pair().await;
    make_fail(&app, "INSERT ON refresh_tokens");
    assert_eq!(app.refresh(&first.refresh).await.status, 500);
    make_succeed(&app);
    app.clock().advance(2 * GRACE);
    pair_of(&app.refresh(&first.refresh).await);
    assert!(session_is_valid(&app, &token).await);
}
