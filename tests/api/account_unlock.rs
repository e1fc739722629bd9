//! Sign-in that is closed after too many failures, and the ways to open it.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_refused, count_in, delete, disable, last_unlock, reset_token, seen,
    session_is_valid,
};
use crate::support::flows::{Flows, link_token};
use crate::support::limits::{ELSEWHERE, HERE, UNKNOWN, by_address_only, peer};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn app_with_one() -> TestApp {
    let app = TestApp::with_settings(by_address_only).await;
    app.create_user(ONE, PASSWORD).await;
    app
}

async fn try_from(app: &TestApp, from: &str, email_address: &str, password: &str) -> Reply {
    let body = json!({ "email_address": email_address, "password": password });
    app.post("/v1/session")
        .from(peer(from))
        .json(&body)
        .send()
        .await
}

/// Fails to sign in as often as shuts the address.
async fn shut(app: &TestApp, from: &str, email_address: &str) {
    for _ in 0..20 {
        assert_refused(
            &try_from(app, from, email_address, "wrong").await,
            401,
            "invalid_credentials",
        );
    }
    assert_refused(
        &try_from(app, from, email_address, PASSWORD).await,
        429,
        "rate_limited",
    );
}

async fn unlock(app: &TestApp, from: &str, token: &str) -> Reply {
    app.put(&format!("/v1/unlocks/{token}"))
        .from(peer(from))
        .send()
        .await
}

#[track_caller]
fn assert_dead(reply: &Reply) {
    assert_refused(reply, 401, "link_invalid");
    assert_eq!(
        reply.json()["errors"],
        json!(["Unlock link is invalid or has expired."])
    );
}

#[actix_web::test]
async fn unchecked_attempts_lock_no_address() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    app.create_user(ONE, PASSWORD).await;
    let replies = join_all((0..50).map(|_| try_from(&app, ELSEWHERE, ONE, "wrong"))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 401).count(),
        10
    );
    assert_eq!(
        try_from(&app, HERE, ONE, PASSWORD).await.status,
        200,
        "or the owner would have got no mail"
    );
}

#[actix_web::test]
async fn the_twentieth_failure_mails_a_link_once() {
    let app = app_with_one().await;
    for _ in 0..19 {
        try_from(&app, ELSEWHERE, ONE, "wrong").await;
    }
    assert_eq!(app.mails().await.len(), 0);
    app.clock().advance(MINUTE);
    for _ in 0..3 {
        try_from(&app, ELSEWHERE, ONE, "wrong").await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ONE);
    assert!(mails[0].text.contains("in 59 minutes"), "{}", mails[0].text);

    // The next window has its own.
    app.clock().advance(HOUR);
    shut(&app, ELSEWHERE, ONE).await;
    assert_eq!(app.mails().await.len(), 2);
}

#[actix_web::test]
async fn concurrent_failures_send_one_unlock_mail() {
    let app = app_with_one().await;
    let replies = join_all((0..50).map(|_| try_from(&app, ELSEWHERE, ONE, "wrong"))).await;
    let told = replies
        .iter()
        .filter(|reply| is_last_attempt(reply))
        .count();
    assert_eq!((told, app.mails().await.len()), (1, 1));
}

#[actix_web::test]
async fn the_right_password_at_the_last_attempt_sends_no_mail() {
    let app = app_with_one().await;
    for _ in 0..19 {
        try_from(&app, HERE, ONE, "wrong").await;
    }
    assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
    assert_eq!(app.mails().await.len(), 0);
}

#[actix_web::test]
async fn disconnecting_does_not_suppress_the_unlock_mail() {
    for polls in 1..5 {
        let app = app_with_one().await;
        for _ in 0..19 {
            try_from(&app, ELSEWHERE, ONE, "wrong").await;
        }
        {
            let mut attempt = Box::pin(try_from(&app, ELSEWHERE, ONE, "wrong"));
            for _ in 0..polls {
                poll_fn(|task| Poll::Ready(attempt.as_mut().poll(task).is_ready())).await;
                actix_web::rt::task::yield_now().await;
            }
        }
        let mut mails = app.mails().await;
        for _ in 0..200 {
            if mails.is_empty() {
                actix_web::rt::time::sleep(Duration::from_millis(10)).await;
                mails = app.mails().await;
            }
        }
        assert_eq!(mails.len(), 1, "after {polls}");
    }
}

#[actix_web::test]
async fn unknown_addresses_are_counted_without_mail() {
    let app = app_with_one().await;
    let mut answers = Vec::new();
    for address in [ONE, UNKNOWN] {
        let mut replies = Vec::new();
        for _ in 0..21 {
            replies.push(seen(&try_from(&app, ELSEWHERE, address, "wrong").await));
        }
        answers.push((replies, count_in(&app, "SELECT count(*) FROM outbox")));
    }
    let [(known, after_known), (unknown, after_unknown)] = &answers[..] else {
        unreachable!()
    };
    assert_eq!(known, unknown);
    // Both requested a mail, in the same row; the worker finds its recipient.
    assert_eq!((*after_known, *after_unknown), (1, 2));
    let mails = app.mails().await;
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.to.as_str())
            .collect::<Vec<_>>(),
        [ONE]
    );
    // What is no address has no owner to be mailed to.
    shut(&app, ELSEWHERE, "no address at all").await;
    assert_eq!(app.mails().await.len(), 1);
}

fn is_last_attempt(reply: &Reply) -> bool {
    reply.json()["error"]
        .as_str()
        .is_some_and(|sentence| sentence.contains("One more failed attempt"))
}

#[actix_web::test]
async fn the_last_attempt_is_announced_for_any_address() {
    for address in [ONE, UNKNOWN, "no address at all"] {
        let app = app_with_one().await;
        for number in 1..=20 {
            let reply = try_from(&app, ELSEWHERE, address, "wrong").await;
            assert_refused(&reply, 401, "invalid_credentials");
            assert_eq!(
                reply.header("www-authenticate"),
                Some(r#"Bearer realm="cloakroom""#)
            );
            assert_eq!(is_last_attempt(&reply), number == 19, "{address}: {number}");
        }
    }
}

#[actix_web::test]
async fn without_limits_nothing_is_announced_or_mailed() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = false).await;
    app.create_user(ONE, PASSWORD).await;
    for _ in 0..25 {
        assert!(!is_last_attempt(
            &try_from(&app, ELSEWHERE, ONE, "wrong").await
        ));
    }
    assert_eq!(app.mails().await.len(), 0);
}

#[actix_web::test]
async fn a_link_unlocks_once() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    app.clock().advance(MILLISECOND);
    let reply = unlock(&app, HERE, &link).await;
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "message": "Sign-in is possible again." }))
    );
    assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
    assert_dead(&unlock(&app, HERE, &link).await);
    // Nor does it serve for the next window.
    app.clock().advance(HOUR);
    shut(&app, ELSEWHERE, ONE).await;
    assert_dead(&unlock(&app, HERE, &link).await);
    assert_eq!(try_from(&app, ELSEWHERE, ONE, PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn a_link_unlocks_one_address_without_signing_in() {
    let app = app_with_one().await;
    app.create_user("two@example.com", PASSWORD).await;
    shut(&app, ELSEWHERE, ONE).await;
    shut(&app, ELSEWHERE, "two@example.com").await;
    let mails = app.mails().await;
    let link = link_token(
        &mails.iter().find(|mail| mail.to == ONE).unwrap().text,
        "/unlocks#",
    );
    assert_eq!(unlock(&app, ELSEWHERE, &link).await.status, 200);
    assert_refused(
        &try_from(&app, ELSEWHERE, ONE, "wrong").await,
        401,
        "invalid_credentials",
    );
    assert_eq!(
        try_from(&app, ELSEWHERE, "two@example.com", PASSWORD)
            .await
            .status,
        429
    );
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn concurrent_unlocks_have_one_winner() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    let replies = join_all((0..50).map(|_| unlock(&app, HERE, &link))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    lost.iter().for_each(assert_dead);
    assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_link_expires_with_its_window() {
    let used_at = async |moment| {
        let app = app_with_one().await;
        for _ in 0..10 {
            try_from(&app, ELSEWHERE, ONE, "wrong").await;
        }
        app.clock().advance(MINUTE);
        for _ in 0..10 {
            try_from(&app, ELSEWHERE, ONE, "wrong").await;
        }
        let link = last_unlock(&app).await;
        app.clock().set(moment);
        (unlock(&app, HERE, &link).await, app)
    };
    let (reply, _) = used_at(START + HOUR - MILLISECOND).await;
    assert_eq!(reply.status, 200);
    let (reply, app) = used_at(START + HOUR).await;
    assert_dead(&reply);
    // By then nothing is closed.
    assert_eq!(try_from(&app, ELSEWHERE, ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_rewound_clock_restores_no_used_unlock_link() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
    app.clock().set(START - 24 * HOUR);
    assert_dead(&unlock(&app, HERE, &link).await);
    shut(&app, ELSEWHERE, ONE).await;
    assert_dead(&unlock(&app, HERE, &link).await);
}

#[actix_web::test]
async fn changed_credentials_revoke_the_unlock_link() {
    // A reset opens the way itself.
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    let way = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&way, "another password").await.status,
        200
    );
    assert_dead(&unlock(&app, HERE, &link).await);

    let app = TestApp::with_settings(by_address_only).await;
    let user = app.create_user(ONE, PASSWORD).await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    disable(&app, &user).await;
    assert_dead(&unlock(&app, HERE, &link).await);
    delete(&app, &user).await;
    assert_dead(&unlock(&app, HERE, &link).await);
}

#[actix_web::test]
async fn forged_and_foreign_links_are_invalid() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    let other = reset_token(&app, ONE).await;
    let cut = &link[..link.len() - 1];
    for token in [
        "rubbish",
        "a.b",
        &other,
        cut,
        &link.to_lowercase(),
        &format!("{link}A"),
    ] {
        assert_dead(&unlock(&app, HERE, token).await);
    }
    assert_eq!(
        app.get(&format!("/v1/passwords/{link}"))
            .send()
            .await
            .status,
        401
    );
    assert_eq!(
        app.get(&format!("/v1/unlocks/{link}")).send().await.status,
        405,
        "looking uses nothing up"
    );
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
}

#[actix_web::test]
async fn failures_from_elsewhere_cannot_lock_out_the_owner() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 429);
    let link = last_unlock(&app).await;
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
    for _ in 0..3 {
        for _ in 0..25 {
            try_from(&app, ELSEWHERE, ONE, "wrong").await;
        }
        assert_eq!(try_from(&app, ELSEWHERE, ONE, PASSWORD).await.status, 429);
        assert_eq!(try_from(&app, HERE, ONE, "wrong").await.status, 401);
        // Signing in keeps the way open for another window.
        assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
        app.clock().advance(HOUR - MILLISECOND);
    }
}

#[actix_web::test]
async fn a_later_lockout_is_mailed_again() {
    let app = app_with_one().await;
    for _ in 0..3 {
        shut(&app, ELSEWHERE, ONE).await;
        assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 429);
        let link = last_unlock(&app).await;
        assert_eq!(unlock(&app, HERE, &link).await.status, 200);
        assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
        app.clock().advance(HOUR);
    }
    assert_eq!(app.mails().await.len(), 3);
}

#[actix_web::test]
async fn a_reset_unlocks_the_address() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let way = reset_token(&app, ONE).await;
    let body = json!({ "password": "another password" });
    let done = app
        .put(&format!("/v1/passwords/{way}"))
        .from(peer(HERE))
        .json(&body)
        .send()
        .await;
    assert_eq!(done.status, 200);
    assert_eq!(
        try_from(&app, HERE, ONE, "another password").await.status,
        200
    );
    assert_stays_closed(&app, "another password").await;
}

/// To all but the network of its owner, until the window ends.
async fn assert_stays_closed(app: &TestApp, password: &str) {
    for other in [ELSEWHERE, "203.0.113.1", "2001:db8::1"] {
        assert_eq!(try_from(app, other, ONE, password).await.status, 429);
    }
    app.clock().set(START + HOUR - MILLISECOND);
    assert_eq!(try_from(app, ELSEWHERE, ONE, password).await.status, 429);
    app.clock().set(START + HOUR);
    assert_eq!(try_from(app, ELSEWHERE, ONE, password).await.status, 200);
}

#[actix_web::test]
async fn an_unlocked_address_stays_closed_to_others() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
    for _ in 0..3 {
        assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 200);
    }
    assert_stays_closed(&app, PASSWORD).await;
}

#[actix_web::test]
async fn the_owners_network_is_limited_too() {
    let app = app_with_one().await;
    shut(&app, ELSEWHERE, ONE).await;
    let link = last_unlock(&app).await;
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
    for number in 1..=20 {
        let reply = try_from(&app, HERE, ONE, "wrong").await;
        assert_refused(&reply, 401, "invalid_credentials");
        assert_eq!(is_last_attempt(&reply), number == 19, "{number}");
    }
    assert_eq!(try_from(&app, HERE, ONE, PASSWORD).await.status, 429);
    // No mail for guessing on from there; a reset is the way now.
    assert_eq!(app.mails().await.len(), 1);
    let way = reset_token(&app, ONE).await;
    let body = json!({ "password": "another password" });
    let done = app
        .put(&format!("/v1/passwords/{way}"))
        .from(peer(HERE))
        .json(&body)
        .send()
        .await;
    assert_eq!(done.status, 200);
    assert_eq!(
        try_from(&app, HERE, ONE, "another password").await.status,
        200
    );
}

#[actix_web::test]
async fn sessions_continue_while_their_address_is_locked() {
    let app = TestApp::with_settings(by_address_only).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    shut(&app, ELSEWHERE, ONE).await;
    assert!(session_is_valid(&app, &token).await);
    let link = last_unlock(&app).await;
    assert_eq!(unlock(&app, HERE, &link).await.status, 200);
    assert!(session_is_valid(&app, &token).await);
}
