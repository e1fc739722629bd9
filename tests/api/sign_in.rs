//! Signing in and out.

use std::time::Duration;

use bcrypt::Version;
use cloakroom::accounts::credentials_changed::{KeepSessions, credentials_changed};
use cloakroom::domain::EmailAddress;
use cloakroom::store::{sessions, users};
use cloakroom::testing::{START, TestApp};
use futures_util::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, count_in, create_user_with_digest, delete,
    digest_of, disable, reset_token, seen, session_is_valid, signed_in,
};
use crate::support::flows::Flows;

const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[actix_web::test]
async fn a_session_is_started_shown_and_ended() {
    let (app, ..) = signed_in().await;
    let signed_in = app.sign_in(" ONE@example.com", PASSWORD).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let started = signed_in.json();
    let token = started["token"].as_str().unwrap().to_owned();

    let shown = app.get("/v1/session").bearer(&token).send().await;
    let expected = json!({ "user": started["user"], "session": started["session"] });
    assert_eq!((shown.status, shown.json()), (200, expected));
    assert_eq!(started["session"]["current"], true);
    assert_eq!(started["session"]["user_agent"], Value::Null);

    let ended = app.delete("/v1/session").bearer(&token).send().await;
    assert_eq!(
        (ended.status, ended.json()),
        (200, json!({ "message": "Logged out" }))
    );
    let again = app.delete("/v1/session").bearer(&token).send().await;
    assert_refused(&again, 401, "token_invalid");
    assert!(!session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn signing_out_ends_this_session_and_no_other() {
    let (app, user, token) = signed_in().await;
    let other = app.sign_in_as(&user).await;
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    assert!(!session_is_valid(&app, &token).await && session_is_valid(&app, &other).await);
}

#[actix_web::test]
async fn concurrent_sign_outs_with_a_token_have_one_winner() {
    let (app, _, token) = signed_in().await;
    let replies = join_all((0..20).map(|_| app.delete("/v1/session").bearer(&token).send())).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(reply, 401, "token_invalid");
    }
}

#[actix_web::test]
async fn tokens_are_unique_and_never_adopted() {
    let (app, _, token) = signed_in().await;
    let body = json!({ "email_address": ONE, "password": PASSWORD, "token": token });
    let reply = app
        .post("/v1/session")
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 200);
    assert_ne!(reply.json()["token"], json!(token));
}

#[actix_web::test]
async fn every_failed_sign_in_gets_the_same_reply() {
    let (app, ..) = signed_in().await;
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    let bodies = [
        json!({ "email_address": ONE, "password": "wrong password" }),
        json!({ "email_address": ONE, "password": "Password" }),
        json!({ "email_address": ONE, "password": " password" }),
        json!({ "email_address": ONE, "password": "password\0" }),
        json!({ "email_address": ONE, "password": "a".repeat(257) }),
        json!({ "email_address": ONE, "password": "" }),
        json!({ "email_address": ONE, "password": null }),
        json!({ "email_address": ONE }),
        json!({ "email_address": "nobody@example.com", "password": PASSWORD }),
        json!({ "email_address": "nobody@example.com", "password": "" }),
        json!({ "email_address": "nobody@example.com" }),
        json!({ "email_address": "no address", "password": PASSWORD }),
        json!({ "email_address": format!("{}@example.com", "a".repeat(300)), "password": PASSWORD }),
        json!({ "email_address": "one＠example.com", "password": PASSWORD }),
        json!({ "email_address": "one@example.com\0", "password": PASSWORD }),
        json!({ "email_address": "", "password": PASSWORD }),
        json!({ "email_address": null, "password": PASSWORD }),
        json!({ "password": PASSWORD }),
        json!({}),
        json!({ "email_address": "disabled@example.com", "password": PASSWORD }),
        json!({ "email_address": "' OR 1=1 --", "password": "' OR 1=1 --" }),
    ];
    let mut replies = Vec::new();
    for body in &bodies {
        let reply = app.post("/v1/session").json(body).send().await;
        assert_refused(&reply, 401, "invalid_credentials");
        replies.push(seen(&reply));
    }
    assert_eq!(replies[0].1["error"], "Invalid email address or password");
    for (body, reply) in bodies.iter().zip(&replies) {
        assert_eq!(reply, &replies[0], "{body}");
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 1);
}

#[actix_web::test]
async fn every_failed_sign_in_costs_a_hash() {
    let app = TestApp::with_settings(|settings| {
        (settings.password.threads, settings.password.queue_limit) = (1, 1);
        settings.password.bcrypt_cost = 6;
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    let disabled = app.create_user("disabled@example.com", PASSWORD).await;
    disable(&app, &disabled).await;
    for body in [
        json!({ "email_address": ONE, "password": "wrong" }),
        json!({ "email_address": ONE, "password": "" }),
        json!({ "email_address": ONE, "password": "a".repeat(1000) }),
        json!({ "email_address": "disabled@example.com", "password": PASSWORD }),
        json!({ "email_address": "nobody@example.com", "password": PASSWORD }),
        json!({ "email_address": "no address", "password": PASSWORD }),
        json!({}),
    ] {
        let replies = join_all((0..10).map(|_| app.post("/v1/session").json(&body).send())).await;
        // Of ten at once not all find a place before the only thread that hashes: so this one does ask for it.
        assert!(replies.iter().any(|reply| reply.status == 401), "{body}");
        assert!(replies.iter().any(|reply| reply.status == 503), "{body}");
    }
}

#[actix_web::test]
async fn an_empty_body_is_a_failed_sign_in() {
    let (app, ..) = signed_in().await;
    assert_refused(
        &app.post("/v1/session").send().await,
        401,
        "invalid_credentials",
    );
    let empty = app
        .post("/v1/session")
        .body("application/json", "")
        .send()
        .await;
    assert_refused(&empty, 401, "invalid_credentials");
}

#[actix_web::test]
async fn credentials_in_the_query_are_ignored() {
    let (app, _, token) = signed_in().await;
    let reply = app
        .post("/v1/session?email_address=one@example.com&password=password")
        .send()
        .await;
    assert_refused(&reply, 401, "invalid_credentials");
    for name in ["token", "access_token", "authorization", "api_key"] {
        let reply = app.get(&format!("/v1/session?{name}={token}")).send().await;
        assert_refused(&reply, 401, "unauthorized");
    }
    let with_header = app
        .get("/v1/session?token=rubbish")
        .bearer(&token)
        .send()
        .await;
    assert_eq!(with_header.status, 200);
}

#[actix_web::test]
async fn tokens_in_other_cookies_and_bodies_are_ignored() {
    let (app, _, token) = signed_in().await;
    let cookie = format!("token={token}; __Host-cloakroom={token}; session={token}");
    let reply = app
        .get("/v1/session")
        .header("Cookie", &cookie)
        .send()
        .await;
    assert_refused(&reply, 401, "unauthorized");
    let reply = app
        .delete("/v1/session")
        .json(&json!({ "token": token }))
        .send()
        .await;
    assert_refused(&reply, 401, "unauthorized");
}

#[actix_web::test]
async fn tokens_are_read_in_rails_and_rfc_6750_form() {
    let (app, _, token) = signed_in().await;
    for line in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER   {token}  "),
        format!("Token {token}"),
        format!("Token token={token}"),
        format!("Token token=\"{token}\""),
        format!("token token=\"{token}\", nonce=\"1\""),
    ] {
        let reply = app
            .get("/v1/session")
            .header("Authorization", &line)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{line}");
    }
}

#[actix_web::test]
async fn malformed_tokens_are_invalid() {
    let (app, _, token) = signed_in().await;
    let body = token.strip_prefix("crs_").unwrap();
    let last = if token.ends_with('2') { '3' } else { '2' };
    for text in [
        String::new(),
        "invalid".to_owned(),
        body.to_owned(),
        format!("crk_{body}"),
        format!("crr_{body}"),
        format!("CRS_{body}"),
        format!("{}{last}", &token[..token.len() - 1]),
        token[..token.len() - 1].to_owned(),
        format!("{token}1"),
        format!("{token}\u{e9}"),
        token.to_lowercase(),
        "a".repeat(7000),
    ] {
        for scheme in ["Bearer", "Token"] {
            let reply = app
                .get("/v1/session")
                .header("Authorization", &format!("{scheme} {text}"))
                .send()
                .await;
            let code = if text.starts_with("crk_") {
                "invalid_api_key"
            } else {
                "token_invalid"
            };
            assert_refused(&reply, 401, code);
        }
    }
}

#[actix_web::test]
async fn an_unknown_well_formed_token_is_invalid() {
    let (app, ..) = signed_in().await;
    let other = signed_in().await.2;
    let reply = app.get("/v1/session").bearer(&other).send().await;
    assert_refused(&reply, 401, "token_invalid");
}

#[actix_web::test]
async fn other_schemes_are_ignored() {
    let (app, _, token) = signed_in().await;
    for line in [
        "Basic b25lOnR3bw==",
        "",
        "Digest x",
        &token,
        &format!("Bearer:{token}"),
    ] {
        let reply = app
            .get("/v1/session")
            .header("Authorization", line)
            .send()
            .await;
        assert_refused(&reply, 401, "unauthorized");
    }
}

#[actix_web::test]
async fn a_session_expires_to_the_millisecond() {
    let app = TestApp::with_settings(|settings| {
        settings.session.idle_timeout = settings.session.lifetime;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    app.clock().set(START + DAY * 30 - MILLISECOND);
    assert!(session_is_valid(&app, &token).await);
    app.clock().advance(MILLISECOND);
    let reply = app.get("/v1/session").bearer(&token).send().await;
    assert_refused(&reply, 401, "token_expired");
    assert_refused(
        &app.delete("/v1/session").bearer(&token).send().await,
        401,
        "token_expired",
    );
}

#[actix_web::test]
async fn only_idle_sessions_expire_early() {
    let (app, user, token) = signed_in().await;
    let used = app.sign_in_as(&user).await;
    app.clock().set(START + DAY * 10);
    assert!(session_is_valid(&app, &used).await);
    app.clock().set(START + DAY * 14 - MILLISECOND);
    // Asking is using, so this one is asked a millisecond too late.
    app.clock().advance(MILLISECOND);
    assert_refused(
        &app.get("/v1/session").bearer(&token).send().await,
        401,
        "token_expired",
    );
    // Its use is noted whether or not it has been written meanwhile.
    assert!(session_is_valid(&app, &used).await);
    app.context()
        .activity
        .flush(&app.context().database)
        .await
        .unwrap();
    app.clock().set(START + DAY * 28 - MILLISECOND);
    assert!(session_is_valid(&app, &used).await);
}

#[actix_web::test]
async fn the_idle_time_out_is_exact() {
    let (app, _, token) = signed_in().await;
    app.clock().set(START + DAY * 14 - MILLISECOND);
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn activity_is_shown_by_minute_and_written_when_flushed() {
    let (app, _, token) = signed_in().await;
    let stored = || count_in(&app, "SELECT last_active_at FROM sessions");
    let shown = async || {
        let reply = app.get("/v1/session").bearer(&token).send().await;
        reply.json()["session"]["last_active_at"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    app.clock().set(START + Duration::from_secs(59));
    assert_eq!(shown().await, START.to_string());
    let later = START + Duration::from_secs(60);
    app.clock().set(later);
    assert_eq!(shown().await, later.to_string());
    assert_eq!(stored(), START.as_millis());
    app.context()
        .activity
        .flush(&app.context().database)
        .await
        .unwrap();
    assert_eq!(stored(), later.as_millis());
}

#[actix_web::test]
async fn remember_makes_a_session_last_longer() {
    let app = TestApp::with_settings(|settings| settings.session.idle_timeout = DAY * 180).await;
    app.create_user(ONE, PASSWORD).await;
    for (remember, days) in [
        (json!(true), 180),
        (json!("1"), 180),
        (json!(false), 30),
        (json!(null), 30),
    ] {
        app.clock().set(START);
        let body = json!({ "email_address": ONE, "password": PASSWORD, "remember": remember });
        let reply = app.post("/v1/session").json(&body).send().await.json();
        let end = START + DAY * days;
        assert_eq!(reply["expires_at"], end.to_string());
        assert_eq!(reply["session"]["expires_at"], end.to_string());
        let token = reply["token"].as_str().unwrap();
        app.clock().set(end - MILLISECOND);
        assert!(session_is_valid(&app, token).await);
        app.clock().set(end);
        assert!(!session_is_valid(&app, token).await);
    }
}

#[actix_web::test]
async fn remember_is_a_checkbox_in_forms() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    let credentials = [("email_address", ONE), ("password", PASSWORD)];
    for (values, days) in [
        (&["true"][..], 180),
        (&["on"], 180),
        (&["0", "1"], 180),
        (&["0"], 30),
        (&[""], 30),
        (&[], 30),
    ] {
        app.clock().set(START);
        let mut fields = credentials.to_vec();
        fields.extend(values.iter().map(|value| ("remember", *value)));
        fields.push(("transport", ""));
        let reply = app.post("/v1/session").form(&fields).send().await.json();
        let end = START + DAY * days;
        assert_eq!(reply["expires_at"], end.to_string(), "{values:?}");
    }
}

#[actix_web::test]
async fn a_deleted_or_disabled_users_token_is_invalid() {
    let (app, user, token) = signed_in().await;
    disable(&app, &user).await;
    let reply = app.get("/v1/session").bearer(&token).send().await;
    assert_refused(&reply, 401, "token_invalid");
    assert_refused(
        &app.sign_in(ONE, PASSWORD).await,
        401,
        "invalid_credentials",
    );
    delete(&app, &user).await;
    let reply = app.get("/v1/session").bearer(&token).send().await;
    assert_refused(&reply, 401, "token_invalid");
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 0);
}

#[actix_web::test]
async fn beyond_the_limit_the_longest_unused_session_ends() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 3).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let others = app.sign_in_as(&other).await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(
            app.sign_in(ONE, PASSWORD).await.json()["token"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        app.clock().advance(Duration::from_secs(300));
    }
    // The first is used, so the second is now the one unused the longest.
    assert!(session_is_valid(&app, &tokens[0]).await);
    app.context()
        .activity
        .flush(&app.context().database)
        .await
        .unwrap();
    tokens.push(
        app.sign_in(ONE, PASSWORD).await.json()["token"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    let mut live = Vec::new();
    for token in &tokens {
        live.push(session_is_valid(&app, token).await);
    }
    assert_eq!(live, [true, false, true, true]);
    assert!(session_is_valid(&app, &others).await);
    assert_eq!(
        count_in(
            &app,
            &format!(
                "SELECT count(*) FROM sessions WHERE user_id = {}",
                user.id.0
            )
        ),
        3
    );
}

#[actix_web::test]
async fn a_limit_that_is_far_away_is_kept_all_the_same() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 34).await;
    let user = app.create_user(ONE, PASSWORD).await;
    for _ in 0..36 {
        app.sign_in_as(&user).await;
    }
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert_eq!(count_in(&app, "SELECT count(*) FROM sessions"), 34);
}

#[actix_web::test]
async fn at_the_limit_expired_sessions_end_first() {
    let app = TestApp::with_settings(|settings| {
        settings.session.max_per_user = 2;
        settings.session.lifetime = Duration::from_secs(3600);
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let body = json!({ "email_address": ONE, "password": PASSWORD, "remember": true });
    let reply = app.post("/v1/session").json(&body).send().await;
    let remembered = reply.json()["token"].as_str().unwrap().to_owned();
    app.clock().advance(Duration::from_secs(600));
    let expired = app.sign_in_as(&user).await;
    app.clock().advance(Duration::from_secs(3600));
    assert!(!session_is_valid(&app, &expired).await);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert!(session_is_valid(&app, &remembered).await);
}

#[actix_web::test]
async fn the_session_limit_never_ends_the_new_session() {
    let app = TestApp::with_settings(|settings| settings.session.max_per_user = 1).await;
    app.create_user(ONE, PASSWORD).await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    // The machine's clock was set back meanwhile.
    app.clock().set(START - Duration::from_secs(3600));
    let token = app.sign_in(ONE, PASSWORD).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(session_is_valid(&app, &token).await);
}

#[actix_web::test]
async fn the_user_agent_is_sanitized_and_truncated() {
    let (app, ..) = signed_in().await;
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let agent = format!("a\tbrowser {}", "x".repeat(300));
    let reply = app
        .post("/v1/session")
        .header("User-Agent", &agent)
        .json(&body)
        .send()
        .await
        .json();
    let kept = reply["session"]["user_agent"].as_str().unwrap();
    assert!(
        kept.starts_with("abrowser xxx") && kept.chars().count() == 255,
        "{kept}"
    );
}

#[actix_web::test]
async fn only_a_successful_sign_in_rehashes() {
    let app = TestApp::new().await;
    let old = bcrypt::hash_with_salt(PASSWORD, 5, [7; 16])
        .unwrap()
        .format_for_version(Version::TwoY);
    let user = create_user_with_digest(&app, ONE, &old).await;
    assert_eq!(app.sign_in(ONE, "wrong").await.status, 401);
    assert_eq!(digest_of(&app, &user), old);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    let new = digest_of(&app, &user);
    assert!(new.starts_with("$2b$04$"), "{new}");
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    assert_eq!(digest_of(&app, &user), new);
}

#[actix_web::test]
async fn concurrent_sign_ins_during_a_rehash_all_succeed() {
    let app = TestApp::new().await;
    let old = bcrypt::hash_with_salt(PASSWORD, 5, [7; 16])
        .unwrap()
        .format_for_version(Version::TwoA);
    create_user_with_digest(&app, ONE, &old).await;
    let replies = join_all((0..10).map(|_| app.sign_in(ONE, PASSWORD))).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200; 10]);
}

/// Their transactions overlap: each waits, after its first statements, until both have come so far.
#[actix_web::test]
async fn sign_ins_of_two_users_run_side_by_side() {
    let app = TestApp::new().await;
    // SQLite has one writer.
    let Some(schema) = app.schema() else { return };
    let users = [ONE, "two@example.com"];
    for address in users {
        app.create_user(address, PASSWORD).await;
        assert_eq!(app.sign_in(address, PASSWORD).await.status, 200);
    }
    let lock = std::process::id();
    schema
        .execute(&format!(
            "CREATE SEQUENCE attempts;
             CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM nextval('attempts');
                 PERFORM pg_advisory_xact_lock_shared({lock});
                 RETURN NULL;
             END $$;
             CREATE TRIGGER meet AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION meet();
             SELECT pg_advisory_lock({lock})"
        ))
        .unwrap();
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {lock} AND NOT granted"
    );
    let let_go = async {
        while schema.query(&waiting).unwrap() != [Some("2".to_owned())] {
            actix_web::rt::time::sleep(MILLISECOND).await;
        }
        schema
            .execute(&format!("SELECT pg_advisory_unlock({lock})"))
            .unwrap();
    };
    let sign_ins = join_all(users.map(|address| app.sign_in(address, PASSWORD)));
    let (replies, ()) = futures_util::future::join(sign_ins, let_go).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let attempts = schema.query("SELECT last_value FROM attempts").unwrap();
    assert_eq!(attempts, [Some("2".to_owned())], "neither ran again");
    let counted = "SELECT coalesce(sum(count), 0) FROM throttles";
    let counted = schema.query(counted).unwrap();
    assert_eq!(counted, [Some("0".to_owned())], "successes are not counted");
}

#[actix_web::test]
async fn a_rails_digest_signs_in() {
    let app = TestApp::new().await;
    let digest = bcrypt::hash_with_salt(PASSWORD, 12, [3; 16])
        .unwrap()
        .format_for_version(Version::TwoA);
    assert!(digest.starts_with("$2a$12$"));
    create_user_with_digest(&app, ONE, &digest).await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
    // From the test vectors of crypt_blowfish.
    let published = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    create_user_with_digest(&app, "two@example.com", published).await;
    assert_eq!(app.sign_in("two@example.com", "U*V").await.status, 401);
    assert_eq!(app.sign_in("two@example.com", "U*U").await.status, 200);
}

#[actix_web::test]
async fn a_digest_that_is_not_bcrypts_matches_no_password() {
    for digest in [
        "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
        "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyO ",
        PASSWORD,
        "",
    ] {
        let app = TestApp::new().await;
        let user = create_user_with_digest(&app, ONE, digest).await;
        let reply = app.sign_in(ONE, PASSWORD).await;
        assert_refused(&reply, 401, "invalid_credentials");
        assert_eq!(seen(&reply), seen(&app.sign_in(ONE, "wrong").await));
        let token = app.sign_in_as(&user).await;
        let challenge = json!({ "password_challenge": PASSWORD });
        let reply = app.delete("/v1/user").bearer(&token).json(&challenge);
        assert_faults(
            &reply.send().await,
            &[("password_challenge", "is incorrect")],
        );
        // A reset gives the user a digest that works.
        let link = reset_token(&app, ONE).await;
        assert_eq!(
            app.reset_password(&link, "another password").await.status,
            200
        );
        assert_eq!(app.sign_in(ONE, "another password").await.status, 200);
    }
}

#[actix_web::test]
async fn longer_passwords_do_not_match_a_rails_digest() {
    let app = TestApp::new().await;
    let password = "a".repeat(72);
    let digest = bcrypt::hash_with_salt(&password, 4, [3; 16])
        .unwrap()
        .format_for_version(Version::TwoA);
    create_user_with_digest(&app, ONE, &digest).await;
    assert_eq!(app.sign_in(ONE, &format!("{password}b")).await.status, 401);
    assert_eq!(app.sign_in(ONE, &format!("{password}a")).await.status, 401);
    assert_eq!(app.sign_in(ONE, &password).await.status, 200);
}

#[actix_web::test]
async fn no_reply_holds_a_digest() {
    let (app, user, token) = signed_in().await;
    let digest = digest_of(&app, &user);
    let link = reset_token(&app, ONE).await;
    let body = json!({ "title": "A title" });
    let replies = [
        app.sign_in(ONE, PASSWORD).await,
        app.sign_in(ONE, "wrong").await,
        app.get("/v1/session").bearer(&token).send().await,
        app.post("/v1/projects")
            .bearer(&token)
            .json(&body)
            .send()
            .await,
        app.get("/v1/projects").bearer(&token).send().await,
        app.get(&format!("/v1/passwords/{link}")).send().await,
        app.reset_password(&link, "another password").await,
        app.get("/v1/session").bearer(&token).send().await,
    ];
    for reply in replies {
        let text = reply.text();
        assert!(
            !text.contains("digest") && !text.contains("$2b$") && !text.contains(&digest),
            "{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in the header, it is read or refused, and no fault of ours.
    #[test]
    fn any_authorization_header_is_accepted_or_rejected(line in "[ -~\t]{0,60}|(?i)(bearer|token)[ \t,;=\"a-z_0-9]{0,60}") {
        let mut headers = actix_web::http::header::HeaderMap::new();
        let value = actix_web::http::header::HeaderValue::from_str(&line).unwrap();
        headers.insert(actix_web::http::header::AUTHORIZATION, value);
        let read = cloakroom::http::auth::credential::presented(&headers, "cloakroom");
        prop_assert!(matches!(read, Ok(None) | Err(cloakroom::Error::TokenInvalid)));
    }

    /// The same for bytes that are no text.
    #[test]
    fn any_header_bytes_are_accepted_or_rejected(bytes in prop::collection::vec(0x20_u8..=0xff, 0..40)) {
        let mut headers = actix_web::http::header::HeaderMap::new();
        if let Ok(value) = actix_web::http::header::HeaderValue::from_bytes(&[b"Bearer ", bytes.as_slice()].concat()) {
            headers.insert(actix_web::http::header::AUTHORIZATION, value);
        }
        let read = cloakroom::http::auth::credential::presented(&headers, "cloakroom");
        prop_assert!(matches!(read, Ok(None) | Err(cloakroom::Error::TokenInvalid)));
    }

    /// What was parsed is parsed again to itself, and what white space and case do is undone.
    #[test]
    fn a_parsed_address_parses_to_itself(
        text in "[a-zA-Z0-9.+_-]{1,12}@[a-zA-Z0-9.-]{1,20}", before in "[ \t\n]{0,3}", after in "[ \r\n\u{a0}]{0,3}",
    ) {
        use cloakroom::domain::EmailAddress;
        let written = EmailAddress::parse(&format!("{before}{}{after}", text.to_uppercase()));
        let plain = EmailAddress::parse(&text);
        prop_assert_eq!(&written, &plain);
        if let Ok(address) = plain {
            prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
        }
    }

    /// Nothing that is typed makes the parser panic.
    #[test]
    fn parsing_any_text_as_address_never_panics(text in "\\PC{0,40}") {
        let _ = cloakroom::domain::EmailAddress::parse(&text);
    }
}

#[actix_web::test]
async fn changed_credentials_end_all_but_the_kept_sessions() {
    for keep in ["none", "one", "all"] {
        let (app, user, kept) = signed_in().await;
        let other = app.sign_in_as(&user).await;
        let stranger = app.create_user("two@example.com", PASSWORD).await;
        let strangers = app.sign_in_as(&stranger).await;
        let id = user.id;
        let ended = app.context().database.write(move |tx| {
            let one = sessions::list_for_user(tx, id)?.last().unwrap().id;
            sessions::set_reauthenticated(tx, one, Some(START))?;
            let pending = EmailAddress::parse("three@example.com")?;
            users::set_pending_address(tx, id, Some(&pending))?;
            let keep = match keep {
                "none" => KeepSessions::None,
                "one" => KeepSessions::Only {
                    kept: one,
                    keep_api_keys: true,
                },
                _ => KeepSessions::All,
            };
            credentials_changed(tx, id, keep, START)
        });
        let (count, keeps_one, keeps_all) = match keep {
            "none" => (2, false, false),
            "one" => (1, true, false),
            _ => (0, true, true),
        };
        assert_eq!(ended.await.unwrap(), count, "{keep}");
        assert_eq!(session_is_valid(&app, &kept).await, keeps_one, "{keep}");
        assert_eq!(session_is_valid(&app, &other).await, keeps_all, "{keep}");
        assert!(session_is_valid(&app, &strangers).await, "{keep}");
        let with_sudo = "SELECT count(*) FROM sessions WHERE reauthenticated_at IS NOT NULL";
        assert_eq!(
            count_in(&app, with_sudo),
            i64::from(keeps_one || keeps_all),
            "{keep}"
        );
        let void = "SELECT count(*) FROM users WHERE credentials_version = 1 AND pending_email_address IS NULL";
        assert_eq!(count_in(&app, void), 1, "{keep}");
    }
}
