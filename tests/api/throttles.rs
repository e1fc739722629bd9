//! Limits on guessing and on flooding.

use std::time::Duration;

use actix_web::http::Method;
use cloakroom::config::{Confirm, Settings};
use cloakroom::testing::{Reply, START, TestApp};
use cloakroom::throttle::{Count, Decision, Limit};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{
    ONE, PASSWORD, assert_refused, column_in, count_in, make_fail, reset_token, session_is_valid,
    write,
};
use crate::support::flows::Flows;
use crate::support::limits::{ELSEWHERE, HERE, UNKNOWN, by_address_only, peer};
use crate::support::process::{Server, TestServer};

const WINDOW: Duration = Duration::from_secs(180);
const HOUR: Duration = Duration::from_secs(3600);
const MILLISECOND: Duration = Duration::from_millis(1);

fn on(settings: &mut Settings) {
    settings.throttle.enabled = true;
}

async fn app_with_one(change: impl FnOnce(&mut Settings)) -> TestApp {
    let app = TestApp::with_settings(change).await;
    app.create_user(ONE, PASSWORD).await;
    app
}

async fn wrong_from(app: &TestApp, address: &str) -> u16 {
    let body = json!({ "email_address": UNKNOWN, "password": "wrong" });
    app.post("/v1/session")
        .from(peer(address))
        .json(&body)
        .send()
        .await
        .status
}

#[track_caller]
fn assert_throttled(reply: &Reply, retry_after: u64) {
    assert_refused(reply, 429, "rate_limited");
    assert_eq!(reply.json()["error"], "Try again later.");
    assert_eq!(
        reply.header("retry-after"),
        Some(retry_after.to_string().as_str())
    );
    assert_eq!(reply.header("www-authenticate"), None);
}

#[actix_web::test]
async fn the_eleventh_sign_in_in_three_minutes_is_throttled() {
    let app = app_with_one(on).await;
    for _ in 0..10 {
        assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
        app.clock().advance(Duration::from_secs(1));
    }
    // Not even the right password is looked at.
    assert_throttled(&app.sign_in(ONE, PASSWORD).await, 170);
    app.clock().set(START + WINDOW - MILLISECOND);
    assert_throttled(&app.sign_in(ONE, PASSWORD).await, 1);
    app.clock().set(START + WINDOW);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn waiting_for_retry_after_is_enough() {
    let app = app_with_one(on).await;
    app.clock().advance(Duration::from_millis(1));
    for _ in 0..10 {
        app.sign_in(UNKNOWN, "wrong").await;
    }
    app.clock().advance(Duration::from_millis(500));
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_throttled(&reply, 180);
    app.clock().advance(Duration::from_secs(
        reply.header("retry-after").unwrap().parse().unwrap(),
    ));
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn successful_sign_ins_do_not_count() {
    let app = app_with_one(on).await;
    for _ in 0..25 {
        assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    }
    // Nor do they take back the failures of others behind the same address.
    for expected in [200, 200, 200, 200, 429] {
        for _ in 0..2 {
            assert_eq!(app.sign_in(UNKNOWN, "wrong").await.status, 401);
        }
        assert_eq!(app.sign_in(ONE, PASSWORD).await.status, expected);
    }
}

#[actix_web::test]
async fn a_right_password_of_an_unverified_address_does_not_count() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.registration.confirm = Confirm::Required;
    })
    .await;
    for _ in 0..25 {
        let reply = app.sign_in(ONE, PASSWORD).await;
        assert_refused(&reply, 403, "email_unconfirmed");
    }
}

#[actix_web::test]
async fn the_eleventh_reset_request_is_throttled_and_sends_nothing() {
    let app = app_with_one(on).await;
    for _ in 0..10 {
        assert_eq!(app.request_reset(UNKNOWN).await.status, 200);
    }
    assert_throttled(&app.request_reset(ONE).await, 180);
    assert!(app.mails().await.is_empty());
    // What asks for something else is counted apart.
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    app.clock().advance(WINDOW);
    assert_eq!(app.request_reset(ONE).await.status, 200);
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn sign_ups_that_cost_a_hash_are_limited_by_client() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.sign_up.count = 2;
    })
    .await;
    let sign_up = async |address: &str| {
        let body = json!({ "email_address": address, "password": PASSWORD });
        app.post("/v1/registrations").json(&body).send().await
    };
    for _ in 0..5 {
        assert_eq!(sign_up("no address").await.status, 422);
    }
    assert_eq!(sign_up("two@example.com").await.status, 201);
    assert_eq!(sign_up("two@example.com").await.status, 422);
    assert_throttled(&sign_up("three@example.com").await, 180);
}

#[actix_web::test]
async fn a_48_or_ipv4_24_has_the_limits_of_sixteen_clients() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.sign_in.count = 2;
        settings.throttle.address_failures.count = 1000;
    })
    .await;
    let admitted = async |addresses: Vec<String>| {
        let mut count = 0;
        for address in addresses {
            count += usize::from(wrong_from(&app, &address).await == 401);
        }
        count
    };
    let in_one_56 = (0..20).map(|subnet| format!("2001:db8:1:{subnet:x}::1"));
    assert_eq!(admitted(in_one_56.collect()).await, 8);
    let in_one_48 = (1..=255).map(|site| format!("2001:db8:1:{site:x}00::1"));
    assert_eq!(admitted(in_one_48.collect()).await, 24);
    let in_one_24 = (1..=60).map(|last| format!("192.0.2.{last}"));
    assert_eq!(admitted(in_one_24.collect()).await, 32);
    for neighbour in ["2001:db8:2::1", "192.0.3.1"] {
        assert_eq!(wrong_from(&app, neighbour).await, 401, "{neighbour}");
    }
}

#[actix_web::test]
async fn a_refused_client_does_not_use_up_its_network() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.sign_in.count = 2;
    })
    .await;
    for _ in 0..40 {
        wrong_from(&app, "192.0.2.1").await;
    }
    assert_eq!(wrong_from(&app, "192.0.2.2").await, 401);
}

#[actix_web::test]
async fn clients_are_separated_by_address_or_ipv6_64() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.address_failures.count = 1000;
    })
    .await;
    for _ in 0..10 {
        assert_eq!(wrong_from(&app, "192.0.2.1").await, 401);
    }
    assert_eq!(wrong_from(&app, "192.0.2.1").await, 429);
    assert_eq!(
        wrong_from(&app, "::ffff:192.0.2.1").await,
        429,
        "the same in IPv6's clothes"
    );
    for last in 1..=9 {
        assert_eq!(
            wrong_from(&app, &format!("2001:db8:1:2::{last}")).await,
            401
        );
    }
    assert_eq!(
        wrong_from(&app, "2001:db8:1:2:ffff:ffff:ffff:ffff").await,
        401
    );
    assert_eq!(wrong_from(&app, "2001:db8:1:2::77").await, 429);
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    for other in ["192.0.2.2", "2001:db8:1:3::1"] {
        let reply = app
            .post("/v1/session")
            .from(peer(other))
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{other}");
    }
}

#[actix_web::test]
async fn untrusted_forwarding_headers_change_no_limit() {
    let app = app_with_one(|settings| {
        by_address_only(settings);
        settings.throttle.sign_in.count = 1;
        settings.throttle.address_failures.count = 1000;
        settings.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let wrong = async |from: &str, forwarded: &str| {
        let call = app
            .post("/v1/session")
            .from(peer(from))
            .header("X-Forwarded-For", forwarded);
        let call = call
            .header("Forwarded", &format!("for={forwarded}"))
            .header("X-Real-IP", forwarded);
        call.json(&json!({ "email_address": UNKNOWN }))
            .send()
            .await
            .status
    };
    assert_eq!(wrong("198.51.100.1", "192.0.2.1").await, 401);
    assert_eq!(wrong("198.51.100.1", "192.0.2.2").await, 429);
    // Through the proxy each client counts for itself; addresses that clients wrote further left are ignored.
    assert_eq!(wrong("10.0.0.1", "192.0.2.1").await, 401);
    assert_eq!(wrong("10.0.0.2", "203.0.113.7, 192.0.2.1").await, 429);
    assert_eq!(wrong("10.0.0.1", "192.0.2.1, 192.0.2.2").await, 401);
    assert_eq!(
        wrong("10.0.0.1", "192.0.2.3, 198.51.100.1, 10.9.9.9").await,
        429
    );
}

#[actix_web::test]
async fn twenty_failures_in_an_hour_lock_any_address() {
    for address in [ONE, UNKNOWN, "no address at all"] {
        let app = app_with_one(by_address_only).await;
        for number in 0..20 {
            // Spelling it otherwise is no way around it.
            let spelled = if number % 2 == 0 {
                address.to_uppercase()
            } else {
                format!(" {address}\t")
            };
            assert_refused(
                &app.sign_in(&spelled, "wrong").await,
                401,
                "invalid_credentials",
            );
        }
        assert_throttled(&app.sign_in(address, PASSWORD).await, 3600);
        assert_eq!(app.sign_in("two@example.com", PASSWORD).await.status, 401);
        app.clock().set(START + HOUR - MILLISECOND);
        assert_throttled(&app.sign_in(address, PASSWORD).await, 1);
        app.clock().set(START + HOUR);
        let expected = if address == ONE { 200 } else { 401 };
        assert_eq!(app.sign_in(address, PASSWORD).await.status, expected);
    }
}

#[actix_web::test]
async fn failures_count_however_an_address_is_spelled() {
    let app = app_with_one(by_address_only).await;
    for number in 0..20 {
        let spelled = format!("{}{ONE}", "\u{200b}".repeat(number));
        assert_eq!(app.sign_in(&spelled, "wrong").await.status, 401);
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn blank_sign_ins_are_no_failures_of_an_address() {
    let app = app_with_one(by_address_only).await;
    for _ in 0..30 {
        for body in [
            json!({ "email_address": ONE, "password": "" }),
            json!({ "email_address": ONE }),
            json!({ "password": PASSWORD }),
            json!({}),
        ] {
            let reply = app.post("/v1/session").json(&body).send().await;
            assert_refused(&reply, 401, "invalid_credentials");
        }
    }
    assert!(app.mails().await.is_empty());
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn blank_sign_ins_are_limited_by_client() {
    let app = app_with_one(|settings| settings.throttle.enabled = true).await;
    for _ in 0..10 {
        let reply = app.post("/v1/session").json(&json!({})).send().await;
        assert_refused(&reply, 401, "invalid_credentials");
    }
    let reply = app.post("/v1/session").json(&json!({})).send().await;
    assert_refused(&reply, 429, "rate_limited");
}

#[actix_web::test]
async fn throttled_replies_reveal_nothing_about_the_address() {
    let app = app_with_one(by_address_only).await;
    let mut seen = Vec::new();
    for address in [ONE, UNKNOWN] {
        for _ in 0..20 {
            app.sign_in(address, "wrong").await;
        }
        let reply = app.sign_in(address, "wrong").await;
        assert_throttled(&reply, 3600);
        let mut body = reply.json();
        body["request_id"] = json!(null);
        seen.push(body);
    }
    assert_eq!(seen[0], seen[1]);
}

#[actix_web::test]
async fn signing_in_clears_earlier_failures() {
    let app = app_with_one(by_address_only).await;
    for _ in 0..3 {
        for _ in 0..19 {
            assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
        }
        assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    }
}

#[actix_web::test]
async fn a_reset_lifts_the_limit_on_the_address() {
    let app = app_with_one(by_address_only).await;
    for _ in 0..20 {
        app.sign_in(ONE, "wrong").await;
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 429);
    let link = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&link, "another password").await.status,
        200
    );
    assert_eq!(app.sign_in(ONE, "another password").await.status, 200);
}

/// Fails to sign in to the first user's address from there, so many times; returns the last decision.
async fn fail(app: &TestApp, from: &str, times: u32) -> (Decision, Limit) {
    let (context, mut last) = (app.context(), None);
    for _ in 0..times {
        let limit = context
            .throttle
            .address_failures(ONE, from.parse().unwrap());
        let now = context.clock.now();
        let decision = context
            .throttle
            .admit(&context.database, vec![limit.clone()], now);
        last = Some((decision.await.unwrap(), limit));
    }
    last.unwrap()
}

fn count((decision, limit): &(Decision, Limit)) -> Count {
    match decision {
        Decision::Admitted(admission) => admission.of(limit).unwrap(),
        Decision::Refused(throttled) => panic!("{throttled:?}"),
    }
}

fn is_refused((decision, _): &(Decision, Limit)) -> bool {
    matches!(decision, Decision::Refused(_))
}

#[actix_web::test]
async fn a_count_reports_remaining_hits_and_window_end() {
    let app = app_with_one(on).await;
    let first = count(&fail(&app, HERE, 1).await);
    assert_eq!(
        (first.count, first.limit, first.left(), first.shared),
        (1, 20, 19, true)
    );
    assert_eq!(first.expires_at, START + HOUR);
    assert_eq!(count(&fail(&app, ELSEWHERE, 18).await).left(), 1);
    assert_eq!(count(&fail(&app, HERE, 1).await).left(), 0);
    assert!(is_refused(&fail(&app, HERE, 1).await));
}

#[actix_web::test]
async fn an_unlock_applies_to_one_network() {
    let app = app_with_one(on).await;
    let context = app.context();
    fail(&app, ELSEWHERE, 20).await;
    assert!(is_refused(&fail(&app, HERE, 1).await));
    let here = context
        .throttle
        .address_failures(ONE, HERE.parse().unwrap());
    let (rule, now) = (here.clone(), context.clock.now());
    context
        .database
        .write(move |tx| rule.grant_bypass(tx, now))
        .await
        .unwrap();

    assert!(is_refused(&fail(&app, ELSEWHERE, 1).await));
    let own = count(&fail(&app, HERE, 1).await);
    assert_eq!((own.count, own.shared), (1, false));
    assert_eq!(count(&fail(&app, HERE, 19).await).left(), 0);
    assert!(
        is_refused(&fail(&app, HERE, 1).await),
        "it is limited itself"
    );

    // Forgiving keeps it open, for another window.
    app.clock().set(START + HOUR - MILLISECOND);
    let now = context.clock.now();
    context
        .database
        .write(move |tx| here.forgive(tx, now))
        .await
        .unwrap();
    app.clock().set(START + 2 * HOUR - 2 * MILLISECOND);
    assert!(!count(&fail(&app, HERE, 1).await).shared);
    app.clock().set(START + 2 * HOUR);
    assert!(count(&fail(&app, HERE, 1).await).shared);
}

#[actix_web::test]
async fn a_limit_is_unlocked_once_for_its_window() {
    let app = app_with_one(on).await;
    let context = app.context();
    fail(&app, ELSEWHERE, 20).await;
    let unlock = async |window_end| {
        let rule = context
            .throttle
            .address_failures(ONE, HERE.parse().unwrap());
        let now = context.clock.now();
        context
            .database
            .write(move |tx| rule.unlock(tx, window_end, now))
            .await
            .unwrap()
    };
    assert!(!unlock(START + HOUR + MILLISECOND).await);
    assert!(is_refused(&fail(&app, HERE, 1).await));
    assert!(unlock(START + HOUR).await);
    assert!(!unlock(START + HOUR).await);
    assert!(!count(&fail(&app, HERE, 1).await).shared);
    assert!(is_refused(&fail(&app, ELSEWHERE, 1).await));
}

#[actix_web::test]
async fn a_window_is_exhausted_until_it_ends() {
    let app = app_with_one(on).await;
    let context = app.context();
    let failures = context
        .throttle
        .address_failures(ONE, HERE.parse().unwrap());
    let is_exhausted = async |window_end| {
        let (failures, now) = (failures.clone(), context.clock.now());
        context
            .database
            .read(move |reader| failures.is_exhausted(reader, window_end, now))
            .await
            .unwrap()
    };
    fail(&app, ELSEWHERE, 19).await;
    assert!(!is_exhausted(START + HOUR).await);
    fail(&app, ELSEWHERE, 1).await;
    assert!(is_exhausted(START + HOUR).await);
    assert!(!is_exhausted(START + HOUR + MILLISECOND).await);
    let (limit, now) = (failures.clone(), context.clock.now());
    write(&app, move |tx| limit.grant_bypass(tx, now)).await;
    assert!(is_exhausted(START + HOUR).await);
    app.clock().set(START + HOUR);
    assert!(!is_exhausted(START + HOUR).await);
}

#[actix_web::test]
async fn existing_sessions_continue_while_throttled() {
    let app = TestApp::with_settings(on).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    for _ in 0..10 {
        app.sign_in(ONE, "wrong").await;
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 429);
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(
        app.get("/v1/projects").bearer(&token).send().await.status,
        200
    );
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
}

#[actix_web::test]
async fn concurrent_guesses_are_checked_up_to_the_limit() {
    for (change, limit) in [(on as fn(&mut Settings), 10), (by_address_only, 20)] {
        let app = app_with_one(change).await;
        let replies = join_all((0..50).map(|_| app.sign_in(ONE, "wrong"))).await;
        let verdicts = replies.iter().filter(|reply| reply.status == 401).count();
        assert_eq!(verdicts, limit);
        assert!(
            replies
                .iter()
                .all(|reply| [401, 429].contains(&reply.status))
        );
    }
}

#[actix_web::test]
async fn limits_hold_across_restarts_and_processes() {
    let home = TestApp::new().await;
    let start = async |home: &TestApp| {
        let database = home.context().settings.database.clone();
        TestApp::with_settings(|settings| {
            on(settings);
            settings.database = database;
        })
        .await
    };
    let first = start(&home).await;
    first.create_user(ONE, PASSWORD).await;
    for _ in 0..6 {
        assert_eq!(first.sign_in(ONE, "wrong").await.status, 401);
    }
    let second = start(&home).await;
    for _ in 0..4 {
        assert_eq!(second.sign_in(ONE, "wrong").await.status, 401);
    }
    assert_throttled(&first.sign_in(ONE, PASSWORD).await, 180);
    drop((first, second));
    assert_throttled(&start(&home).await.sign_in(ONE, PASSWORD).await, 180);
}

#[test]
fn limits_survive_a_kill() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__THROTTLE__ENABLED", "true");
    let body = json!({ "email_address": UNKNOWN, "password": "wrong" });
    let ask = |server: &Server| server.request("POST", "/v1/session", None, Some(&body)).0;
    let mut server = test_server.serve();
    for _ in 0..10 {
        assert_eq!(ask(&server), 401);
    }
    server.kill();
    assert_eq!(ask(&test_server.serve()), 429);
}

#[actix_web::test]
async fn reset_mails_to_an_address_are_limited_silently() {
    let app = app_with_one(by_address_only).await;
    // Asked again before the first is sent, one mail serves both requests.
    app.request_reset(ONE).await;
    for _ in 0..5 {
        assert_eq!(app.request_reset(ONE).await.status, 200);
        app.mails().await;
    }
    assert_eq!(app.mails().await.len(), 5);
    let silent = app.request_reset(" ONE@EXAMPLE.COM").await;
    assert_eq!(
        (silent.status, silent.json()),
        (
            200,
            json!({ "message": "Password reset instructions sent" })
        )
    );
    assert_eq!(app.mails().await.len(), 5);
    app.clock()
        .advance(cloakroom::crypto::signed_link::RESET_LIFETIME);
    app.request_reset(ONE).await;
    assert_eq!(app.mails().await.len(), 6);
}

#[actix_web::test]
async fn the_limits_table_stores_no_email_address() {
    let app = app_with_one(on).await;
    app.sign_in(ONE, "wrong").await;
    app.request_reset(ONE).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM throttles"), 6);
    assert_eq!(
        count_in(
            &app,
            "SELECT count(*) FROM throttles WHERE name LIKE '%one%' OR name LIKE '%@%'"
        ),
        0
    );
}

#[actix_web::test]
async fn disabled_throttling_limits_nothing() {
    let app = app_with_one(|settings| settings.throttle.enabled = false).await;
    for _ in 0..25 {
        assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
    }
    let link = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&link, "another password").await.status,
        200
    );
    // The ceiling of mails is no limit on clients.
    let counters = "SELECT count(*) FROM throttles WHERE name <> 'mails'";
    assert_eq!(count_in(&app, counters), 0);
}

#[actix_web::test]
async fn mails_to_tagged_addresses_count_for_one_mailbox() {
    let app = TestApp::with_settings(by_address_only).await;
    for number in 0..8 {
        let address = format!("one+{number}@example.com");
        app.create_user(&address, PASSWORD).await;
        assert_eq!(app.request_reset(&address).await.status, 200);
    }
    assert_eq!(app.mails().await.len(), 5);
    // Failures are those of one account.
    for _ in 0..20 {
        app.sign_in("one+0@example.com", "wrong").await;
    }
    assert_eq!(app.sign_in("one+0@example.com", PASSWORD).await.status, 429);
    assert_eq!(app.sign_in("one+1@example.com", PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn a_corrected_clock_ends_windows_of_the_future() {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    const DAY: Duration = Duration::from_secs(24 * 3600);
    for (wrong, right) in [(START + YEAR, START), (START, START - DAY)] {
        let app = app_with_one(on).await;
        app.clock().set(wrong);
        for _ in 0..10 {
            assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
        }
        assert_throttled(&app.sign_in(ONE, PASSWORD).await, 180);
        app.clock().set(right);
        for _ in 0..10 {
            assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
        }
        assert_throttled(&app.sign_in(ONE, PASSWORD).await, 180);
        app.clock().set(right + WINDOW);
        assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    }
}

#[actix_web::test]
async fn the_wait_is_that_of_the_longest_exhausted_limit() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.address_failures.count = 10;
    })
    .await;
    for _ in 0..10 {
        app.sign_in(ONE, "wrong").await;
    }
    assert_throttled(&app.sign_in(ONE, PASSWORD).await, 3600);
    assert_throttled(&app.sign_in(UNKNOWN, PASSWORD).await, 180);
}

/// Each route that hashes, with a body that it accepts.
async fn hashing_requests(app: &TestApp, token: &str, link: &str) -> Vec<(&'static str, Reply)> {
    let sign_in = json!({ "email_address": ONE, "password": PASSWORD });
    let sign_up = json!({ "email_address": "two@example.com", "password": "another password" });
    let new = json!({ "password": "another password" });
    let challenge = json!({ "password": PASSWORD });
    let change = json!({ "password": "another password", "password_challenge": PASSWORD });
    let address = json!({ "email_address": "two@example.com", "password_challenge": PASSWORD });
    let delete = json!({ "password_challenge": PASSWORD });
    let key = json!({
        "name": "A key", "scopes": ["projects:read"], "password_challenge": PASSWORD,
    });
    let post = |path| app.post(path);
    vec![
        ("sign in", post("/v1/session").json(&sign_in).send().await),
        ("tokens", post("/v1/tokens").json(&sign_in).send().await),
        (
            "sign up",
            post("/v1/registrations").json(&sign_up).send().await,
        ),
        (
            "reset",
            app.put(&format!("/v1/passwords/{link}"))
                .json(&new)
                .send()
                .await,
        ),
        (
            "reauthenticate",
            post("/v1/session/reauthenticate")
                .bearer(token)
                .json(&challenge)
                .send()
                .await,
        ),
        (
            "password",
            app.put("/v1/user/password")
                .bearer(token)
                .json(&change)
                .send()
                .await,
        ),
        (
            "address",
            app.put("/v1/user/email_address")
                .bearer(token)
                .json(&address)
                .send()
                .await,
        ),
        (
            "api key",
            post("/v1/api_keys").bearer(token).json(&key).send().await,
        ),
        (
            "delete",
            app.delete("/v1/user")
                .bearer(token)
                .json(&delete)
                .send()
                .await,
        ),
    ]
}

#[actix_web::test]
async fn a_full_hash_queue_counts_and_mails_nothing() {
    let app = TestApp::with_settings(|settings| {
        on(settings);
        settings.password.queue_limit = 1;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let link = reset_token(&app, ONE).await;
    let (counted, mails) = (counters(&app), app.mails().await.len());

    let slot = app
        .context()
        .passwords
        .reserve(HERE.parse().unwrap())
        .unwrap();
    for _ in 0..25 {
        for (name, reply) in hashing_requests(&app, &token, &link).await {
            assert_eq!(reply.status, 503, "{name}");
            assert!(reply.header("retry-after").is_some(), "{name}");
        }
    }
    assert_eq!(counters(&app), counted);
    assert_eq!(app.mails().await.len(), mails);
    drop(slot);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

/// The rows of the limits.
fn counters(app: &TestApp) -> Vec<(String, i64)> {
    let sql = "SELECT name || '=' || count FROM throttles ORDER BY name";
    let rows = column_in(app, sql).into_iter().map(Option::unwrap);
    rows.map(|row| {
        let (name, count) = row.rsplit_once('=').unwrap();
        (name.to_owned(), count.parse().unwrap())
    })
    .collect()
}

#[actix_web::test]
async fn a_client_beyond_its_limit_gets_429_from_a_full_queue() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.password.queue_limit = 1;
    })
    .await;
    for _ in 0..10 {
        app.sign_in(UNKNOWN, "wrong").await;
    }
    let _slot = app
        .context()
        .passwords
        .reserve(HERE.parse().unwrap())
        .unwrap();
    assert_throttled(&app.sign_in(ONE, PASSWORD).await, 180);
}

#[actix_web::test]
async fn exempt_networks_are_limited_by_address_alone() {
    let app = app_with_one(|settings| {
        on(settings);
        settings.throttle.exempt_networks = vec!["192.0.2.0/28".parse().unwrap()];
    })
    .await;
    for _ in 0..20 {
        assert_eq!(wrong_from(&app, "192.0.2.1").await, 401);
    }
    assert_eq!(wrong_from(&app, "192.0.2.1").await, 429);
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let call = app.post("/v1/session").from(peer("192.0.2.1"));
    assert_eq!(call.json(&body).send().await.status, 200);
    assert_eq!(count_in(&app, "SELECT count(*) FROM throttles"), 1);
}

#[actix_web::test]
async fn a_password_change_beyond_its_limit_takes_no_place() {
    let app = TestApp::with_settings(|settings| {
        on(settings);
        settings.throttle.sign_up = "1 in 3m".parse().unwrap();
        settings.password.queue_limit = 1;
    })
    .await;
    let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
    let body = json!({ "password": "another password", "password_challenge": "wrong" });
    let change = || {
        app.put("/v1/user/password")
            .bearer(&token)
            .json(&body)
            .send()
    };
    assert_eq!(change().await.status, 422);
    let _slot = app
        .context()
        .passwords
        .reserve(HERE.parse().unwrap())
        .unwrap();
    assert_throttled(&change().await, 180);
}

#[actix_web::test]
async fn faults_of_the_server_use_up_no_limit() {
    let challenge = json!({
        "password_challenge": PASSWORD, "password": "another password", "email_address": "two@example.com",
        "name": "A key", "scopes": ["projects:read"],
    });
    let sign_in = json!({ "email_address": ONE, "password": PASSWORD });
    let newcomer = json!({ "email_address": "new@example.com", "password": PASSWORD });
    let asking = json!({ "email_address": ONE });
    for (statement, method, path, body) in [
        ("INSERT ON sessions", Method::POST, "/v1/session", &sign_in),
        (
            "INSERT ON users",
            Method::POST,
            "/v1/registrations",
            &newcomer,
        ),
        ("INSERT ON outbox", Method::POST, "/v1/passwords", &asking),
        (
            "INSERT ON outbox",
            Method::POST,
            "/v1/confirmations",
            &asking,
        ),
        (
            "UPDATE ON passwords",
            Method::PUT,
            "/v1/passwords/{token}",
            &challenge,
        ),
        (
            "UPDATE ON sessions",
            Method::POST,
            "/v1/session/reauthenticate",
            &sign_in,
        ),
        (
            "UPDATE ON passwords",
            Method::PUT,
            "/v1/user/password",
            &challenge,
        ),
        (
            "INSERT ON outbox",
            Method::PUT,
            "/v1/user/email_address",
            &challenge,
        ),
        ("INSERT ON outbox", Method::POST, "/v1/api_keys", &challenge),
        ("DELETE ON users", Method::DELETE, "/v1/user", &challenge),
    ] {
        let app = TestApp::with_settings(on).await;
        let token = app.sign_in_as(&app.create_user(ONE, PASSWORD).await).await;
        let path = match path.contains("{token}") {
            true => path.replace("{token}", &reset_token(&app, ONE).await),
            false => path.to_owned(),
        };
        let counted = || -> Vec<_> {
            counters(&app)
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect()
        };
        let before = counted();
        make_fail(&app, statement);
        let call = app.call(method, &path).bearer(&token).json(body);
        assert_eq!(call.send().await.status, 500, "{path}");
        assert_eq!(counted(), before, "{path}");
    }
}
