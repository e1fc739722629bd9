//! Where one is signed in, an end to it, a new token for it, and the notice of a new device.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::Method;
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::testing::{Reply, START, TestApp};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, disable, session_is_valid, signed_in,
};
use crate::support::flows::Flows;
use crate::support::process::TestServer;
use crate::support::raw_connection::RawConnection;

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// The sessions that a token's owner is shown.
async fn sessions(app: &TestApp, token: &str) -> Vec<Value> {
    let reply = app.get("/v1/sessions").bearer(token).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["sessions"].as_array().unwrap().clone()
}

async fn ids(app: &TestApp, token: &str) -> Vec<i64> {
    sessions(app, token)
        .await
        .iter()
        .map(|session| session["id"].as_i64().unwrap())
        .collect()
}

/// The id of a token's session.
async fn id_of(app: &TestApp, token: &str) -> i64 {
    let reply = app.get("/v1/session").bearer(token).send().await;
    reply.json()["session"]["id"].as_i64().unwrap()
}

async fn end(app: &TestApp, token: &str, id: impl std::fmt::Display) -> Reply {
    app.delete(&format!("/v1/sessions/{id}"))
        .bearer(token)
        .send()
        .await
}

fn token_of(reply: &Reply) -> String {
    assert!((200..300).contains(&reply.status), "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// Signs the user of most tests in from a network and a program.
async fn sign_in_from(app: &TestApp, address: &str, program: &str) -> String {
    let peer: SocketAddr = format!("{address}:1").parse().unwrap();
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    token_of(
        &app.post("/v1/session")
            .from(peer)
            .header("User-Agent", program)
            .json(&body)
            .send()
            .await,
    )
}

#[actix_web::test]
async fn valid_sessions_are_listed_by_latest_activity() {
    let (app, user, first) = signed_in().await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    app.sign_in_as(&stranger).await;
    app.clock().advance(MINUTE);
    let second = sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    // Of two at one moment the later one comes first.
    let third = app.sign_in_as(&user).await;
    let [a, b, c] = [
        id_of(&app, &first).await,
        id_of(&app, &second).await,
        id_of(&app, &third).await,
    ];

    // Asking with the first is using it.
    assert_eq!(ids(&app, &first).await, [c, b, a]);
    app.clock().advance(MINUTE);
    let listed = sessions(&app, &second).await;
    assert_eq!(
        listed
            .iter()
            .map(|session| session["id"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [b, c, a]
    );
    let now = app.clock().now();
    assert_eq!(
        listed[0],
        json!({
            "id": b,
            "ip_address": "192.0.2.7",
            "user_agent": FIREFOX,
            "created_at": (START + MINUTE).to_string(),
            "last_active_at": now.to_string(),
            "expires_at": (START + MINUTE + DAY * 30).to_string(),
            "auth_methods": ["pwd"],
            "authenticated_at": (START + MINUTE).to_string(),
            "current": true,
        })
    );
    assert_eq!(
        (&listed[1]["current"], &listed[2]["current"]),
        (&json!(false), &json!(false))
    );
}

#[actix_web::test]
async fn buffered_activity_counts_in_the_order() {
    let (app, user, older) = signed_in().await;
    app.clock().advance(MINUTE);
    let newer = app.sign_in_as(&user).await;
    let (a, b) = (id_of(&app, &older).await, id_of(&app, &newer).await);
    app.clock().advance(MINUTE);
    assert!(session_is_valid(&app, &older).await);
    app.clock().advance(MINUTE - MILLISECOND);
    // That the newer one asks is within the minute of its start no more, and so it leads again.
    assert_eq!(ids(&app, &newer).await, [b, a]);
    app.clock().advance(MINUTE);
    assert_eq!(ids(&app, &older).await, [a, b]);
    let unwritten = format!(
        "SELECT count(*) FROM sessions WHERE last_active_at > {}",
        (START + MINUTE).as_millis()
    );
    assert_eq!(count_in(&app, &unwritten), 0);
}

#[actix_web::test]
async fn expired_and_idle_sessions_are_not_listed() {
    let app = TestApp::with_settings(|settings| {
        settings.session.lifetime = DAY * 20;
        settings.session.idle_timeout = DAY * 14;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let expiring = app.sign_in_as(&user).await;
    app.clock().set(START + DAY * 6 + MILLISECOND);
    let idle = app.sign_in_as(&user).await;
    app.clock().set(START + DAY * 10);
    let live = app.sign_in_as(&user).await;
    let [a, b, c] = [
        id_of(&app, &expiring).await,
        id_of(&app, &idle).await,
        id_of(&app, &live).await,
    ];
    // Unlike the other, which was used on its sixth day only, this one goes on being used.
    app.clock().set(START + DAY * 20 - MILLISECOND);
    assert_eq!(ids(&app, &live).await, [c, b, a]);
    app.clock().advance(MILLISECOND);
    assert_eq!(ids(&app, &live).await, [c, b]);
    app.clock().set(START + DAY * 24 - MILLISECOND);
    assert_eq!(ids(&app, &live).await, [c, b]);
    app.clock().advance(MILLISECOND);
    assert_eq!(ids(&app, &live).await, [c]);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 3);
}

#[actix_web::test]
async fn ending_one_session_leaves_the_others() {
    let (app, user, token) = signed_in().await;
    let (lost, other) = (app.sign_in_as(&user).await, app.sign_in_as(&user).await);
    let id = id_of(&app, &lost).await;
    let ended = end(&app, &token, id).await;
    assert_eq!((ended.status, ended.text()), (204, ""));
    assert_refused(
        &app.get("/v1/session").bearer(&lost).send().await,
        401,
        "token_invalid",
    );
    assert!(session_is_valid(&app, &token).await && session_is_valid(&app, &other).await);
    assert_refused(&end(&app, &token, id).await, 404, "not_found");

    // One's own is signed out.
    assert_eq!(
        end(&app, &token, id_of(&app, &token).await).await.status,
        204
    );
    assert!(!session_is_valid(&app, &token).await && session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn another_users_session_is_not_found() {
    let (app, _, token) = signed_in().await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let strangers = app.sign_in_as(&stranger).await;
    let id = id_of(&app, &strangers).await.to_string();
    let mut seen = Vec::new();
    for id in [
        id.as_str(),
        "4711",
        "0",
        "-1",
        "x",
        "1x",
        "9223372036854775807",
        "9223372036854775808",
    ] {
        let reply = end(&app, &token, id).await;
        assert_refused(&reply, 404, "not_found");
        let mut body = reply.json();
        body["request_id"] = Value::Null;
        seen.push(body);
    }
    assert!(seen.iter().all(|body| *body == seen[0]));
    assert!(session_is_valid(&app, &strangers).await);
    assert_eq!(
        app.delete("/v1/sessions")
            .bearer(&token)
            .send()
            .await
            .json()["sessions_ended"],
        1
    );
    assert!(session_is_valid(&app, &strangers).await);
}

#[actix_web::test]
async fn except_current_keeps_the_callers_session() {
    let (app, user, token) = signed_in().await;
    let others = [app.sign_in_as(&user).await, app.sign_in_as(&user).await];
    let ended = app
        .delete("/v1/sessions?except=current")
        .bearer(&token)
        .send()
        .await;
    let expected = json!({ "message": "Sessions ended", "sessions_ended": 2 });
    assert_eq!((ended.status, ended.json()), (200, expected));
    for other in &others {
        assert!(!session_is_valid(&app, other).await);
    }
    assert!(session_is_valid(&app, &token).await);
    let again = app
        .delete("/v1/sessions?except=current")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(again.json()["sessions_ended"], 0);

    let other = app.sign_in_as(&user).await;
    let ended = app.delete("/v1/sessions").bearer(&token).send().await;
    let expected = json!({ "message": "Sessions ended", "sessions_ended": 2 });
    assert_eq!((ended.status, ended.json()), (200, expected));
    assert!(!session_is_valid(&app, &token).await && !session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn unknown_exceptions_are_rejected() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    for query in [
        "except=",
        "except",
        "except=1",
        "except=Current",
        "except=current%20",
        "except=others",
    ] {
        let reply = app
            .delete(&format!("/v1/sessions?{query}"))
            .bearer(&token)
            .send()
            .await;
        assert_faults(&reply, &[("except", "is invalid")]);
    }
    let twice = "/v1/sessions?except=current&except=current";
    assert_refused(
        &app.delete(twice).bearer(&token).send().await,
        400,
        "invalid_request",
    );
    assert!(session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn concurrent_ends_of_one_session_have_one_winner() {
    let (app, user, token) = signed_in().await;
    let lost = app.sign_in_as(&user).await;
    let id = id_of(&app, &lost).await;
    let replies = join_all((0..50).map(|_| end(&app, &token, id))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 204).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 204) {
        assert_refused(reply, 404, "not_found");
    }

    // Of its own sessions, a late request finds its session ended.
    let own = id_of(&app, &token).await;
    let replies = join_all((0..50).map(|_| end(&app, &token, own))).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 204).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 204) {
        assert_refused(reply, 401, "token_invalid");
    }
}

#[actix_web::test]
async fn concurrent_ends_of_all_sessions_count_them_once() {
    let (app, user, token) = signed_in().await;
    app.sign_in_as(&user).await;
    let all = || app.delete("/v1/sessions").bearer(&token).send();
    let replies = join_all((0..50).map(|_| all())).await;
    let ended: Vec<Value> = replies
        .iter()
        .filter(|reply| reply.status == 200)
        .map(|reply| reply.json()["sessions_ended"].clone())
        .collect();
    assert_eq!(ended, [json!(2)]);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
}

#[actix_web::test]
async fn rotation_replaces_the_token_of_the_same_session() {
    let (app, user, old) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    app.clock().advance(MINUTE);
    let before = app.get("/v1/session").bearer(&old).send().await.json();
    let reply = app.rotate_session(&old).await;
    let new = token_of(&reply);
    let rotated = reply.json();
    assert_eq!(
        (
            &rotated["user"],
            &rotated["session"],
            &rotated["expires_at"]
        ),
        (
            &before["user"],
            &before["session"],
            &before["session"]["expires_at"]
        )
    );
    assert_eq!(rotated.as_object().unwrap().len(), 4);

    assert_ne!(new, old);
    assert_refused(
        &app.get("/v1/session").bearer(&old).send().await,
        401,
        "token_invalid",
    );
    assert_refused(&app.rotate_session(&old).await, 401, "token_invalid");
    let shown = app.get("/v1/session").bearer(&new).send().await;
    assert_eq!((shown.status, shown.json()), (200, before));
    assert!(session_is_valid(&app, &other).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 2);
}

#[actix_web::test]
async fn concurrent_rotations_have_one_winner() {
    let (app, _, token) = signed_in().await;
    let replies = join_all((0..50).map(|_| app.rotate_session(&token))).await;
    let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(won.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
    assert!(
        session_is_valid(&app, &token_of(won[0])).await && !session_is_valid(&app, &token).await
    );
}

#[actix_web::test]
async fn rotation_racing_an_end_has_one_winner() {
    for _ in 0..10 {
        let (app, _, token) = signed_in().await;
        let id = id_of(&app, &token).await;
        let (rotated, ended) =
            futures_util::future::join(app.rotate_session(&token), end(&app, &token, id)).await;
        match (rotated.status, ended.status) {
            (200, 401) => assert!(session_is_valid(&app, &token_of(&rotated)).await),
            (401, 204) => assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0),
            other => panic!("{other:?}"),
        }
        assert!(!session_is_valid(&app, &token).await);
    }
}

#[actix_web::test]
async fn rotation_does_not_extend_a_session() {
    let app = TestApp::with_settings(|settings| {
        settings.session.idle_timeout = settings.session.lifetime;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let old = app.sign_in_as(&user).await;
    app.clock().set(START + DAY * 30 - MILLISECOND);
    let reply = app.rotate_session(&old).await;
    assert_eq!(reply.json()["expires_at"], (START + DAY * 30).to_string());
    let new = token_of(&reply);
    assert!(session_is_valid(&app, &new).await);
    app.clock().advance(MILLISECOND);
    assert_refused(&app.rotate_session(&new).await, 401, "token_expired");
}

#[actix_web::test]
async fn a_rewound_clock_restores_no_ended_session() {
    let (app, user, old) = signed_in().await;
    let lost = app.sign_in_as(&user).await;
    let new = token_of(&app.rotate_session(&old).await);
    assert_eq!(end(&app, &new, id_of(&app, &lost).await).await.status, 204);
    app.clock().set(START - DAY);
    assert!(
        !session_is_valid(&app, &old).await
            && !session_is_valid(&app, &lost).await
            && session_is_valid(&app, &new).await
    );
}

#[actix_web::test]
async fn disabled_accounts_cannot_list_or_rotate() {
    let (app, user, token) = signed_in().await;
    disable(&app, &user).await;
    for (method, path) in [
        (Method::GET, "/v1/sessions"),
        (Method::DELETE, "/v1/sessions"),
        (Method::POST, "/v1/session/rotate"),
    ] {
        let reply = app.call(method, path).bearer(&token).send().await;
        assert_refused(&reply, 401, "token_invalid");
    }
}

/// Over TCP, since only there a body can come late.
#[test]
fn a_slow_body_with_a_rotated_token_changes_nothing() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let mut connection = RawConnection::to(&server);
    let body = json!({ "title": "Too late" }).to_string();
    let (begun, rest) = body.split_at(5);
    connection.send(&format!(
        "POST /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    ));
    // It asks for the body, so it has found the token to be good.
    assert_eq!(connection.receive().status, 100);
    connection.send(begun);
    let (status, rotated) = server.request("POST", "/v1/session/rotate", Some(&token), None);
    assert_eq!(status, 200, "{rotated}");
    connection.send(rest);
    let answer = connection.receive();
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (401, &json!("token_invalid"))
    );
    let new = rotated["token"].as_str();
    let (_, listed) = server.request("GET", "/v1/projects", new, None);
    assert_eq!(listed["projects"], json!([]));
}

#[actix_web::test]
async fn buffered_activity_counts_at_the_session_limit() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 2).await;
    app.create_user(ONE, PASSWORD).await;
    let first = token_of(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(MINUTE);
    let second = token_of(&app.sign_in(ONE, PASSWORD).await);
    app.clock().advance(MINUTE);
    // Used a moment ago, which is not written yet.
    assert!(session_is_valid(&app, &first).await);
    assert_eq!(
        count_in(
            &app,
            &format!(
                "SELECT count(*) FROM sessions WHERE last_active_at > {}",
                (START + MINUTE).as_millis()
            )
        ),
        0
    );
    let third = token_of(&app.sign_in(ONE, PASSWORD).await);
    assert!(
        session_is_valid(&app, &first).await
            && !session_is_valid(&app, &second).await
            && session_is_valid(&app, &third).await
    );
}

#[actix_web::test]
async fn only_sign_ins_from_new_devices_are_notified() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    for (address, program, told) in [
        ("192.0.2.7", FIREFOX, 0),
        ("192.0.2.200", FIREFOX, 0),
        ("198.51.100.7", FIREFOX, 1),
        ("198.51.100.9", FIREFOX, 1),
        ("192.0.2.7", "curl/8.5.0", 2),
        ("192.0.2.7", FIREFOX, 2),
        ("192.0.2.7", "", 3),
    ] {
        app.clock().advance(MINUTE);
        sign_in_from(&app, address, program).await;
        assert_eq!(app.mails().await.len(), told, "{address} {program}");
    }
    let told = &app.mails().await[1];
    assert_eq!(told.to, ONE);
    assert!(
        told.text.contains("192.0.2.7") && told.text.contains("an unknown program"),
        "{}",
        told.text
    );
    assert!(!told.text.contains("http"), "{}", told.text);
}

#[actix_web::test]
async fn failed_sign_ins_record_no_device() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    let body = json!({ "email_address": ONE, "password": "wrong" });
    let call = app
        .post("/v1/session")
        .from("198.51.100.7:1".parse().unwrap());
    assert_eq!(
        call.header("User-Agent", FIREFOX)
            .json(&body)
            .send()
            .await
            .status,
        401
    );
    assert_eq!(app.mails().await.len(), 0);
    sign_in_from(&app, "198.51.100.7", FIREFOX).await;
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn concurrent_sign_ins_from_a_new_device_notify_once() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    join_all((0..50).map(|_| sign_in_from(&app, "198.51.100.7", FIREFOX))).await;
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn the_first_device_is_not_notified() {
    let app = TestApp::new().await;
    let body =
        json!({ "email_address": ONE, "password": PASSWORD, "password_confirmation": PASSWORD });
    let call = app
        .post("/v1/registrations")
        .from("192.0.2.7:1".parse().unwrap());
    assert_eq!(
        call.header("User-Agent", FIREFOX)
            .json(&body)
            .send()
            .await
            .status,
        201
    );
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    // Made by an operator, an account has no device at first.
    app.create_user("two@example.com", PASSWORD).await;
    assert_eq!(app.sign_in("two@example.com", PASSWORD).await.status, 200);
    assert_eq!(app.mails().await.len(), 0);
    // Signing up was a use of the account.
    sign_in_from(&app, "198.51.100.7", FIREFOX).await;
    assert_eq!(app.mails().await.len(), 1);
}

#[actix_web::test]
async fn the_first_device_of_a_day_old_account_is_notified() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    app.create_user("two@example.com", PASSWORD).await;
    app.clock().set(START + DAY - MILLISECOND);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert_eq!(app.mails().await.len(), 0);
    app.clock().set(START + DAY);
    assert_eq!(app.sign_in("two@example.com", PASSWORD).await.status, 200);
    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "two@example.com"));
}

#[actix_web::test]
async fn a_browser_update_is_not_a_new_device() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    let newer = FIREFOX.replace("128.0", "129.0.1");
    sign_in_from(&app, "192.0.2.7", &newer).await;
    assert_eq!(app.mails().await.len(), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM known_devices"), 1);
}

#[actix_web::test]
async fn a_disabled_notice_is_not_sent() {
    let app =
        TestApp::with_settings(|settings| settings.notices.set(MailKind::NewDevice, false)).await;
    app.create_user(ONE, PASSWORD).await;
    sign_in_from(&app, "192.0.2.7", FIREFOX).await;
    sign_in_from(&app, "198.51.100.7", FIREFOX).await;
    assert_eq!(app.mails().await.len(), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM known_devices"), 2);
    assert_eq!(count_in(&app, "SELECT count(*) FROM outbox"), 0);
}

#[actix_web::test]
async fn the_last_fifty_devices_are_kept_without_location() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    for number in 0..60 {
        app.clock().advance(MINUTE);
        sign_in_from(&app, &format!("192.0.{number}.7"), FIREFOX).await;
    }
    assert_eq!(
        count_in(
            &app,
            &format!(
                "SELECT count(*) FROM known_devices WHERE user_id = {}",
                user.id.0
            )
        ),
        50
    );
    let readable = "SELECT count(*) FROM known_devices WHERE fingerprint LIKE '%192.0%' OR fingerprint LIKE '%Firefox%'";
    assert_eq!(count_in(&app, readable), 0);
    let told = app.mails().await.len();
    // The tenth last is still known, the first is not.
    sign_in_from(&app, "192.0.50.7", FIREFOX).await;
    assert_eq!(app.mails().await.len(), told);
    sign_in_from(&app, "192.0.0.7", FIREFOX).await;
    assert_eq!(app.mails().await.len(), told + 1);
}
