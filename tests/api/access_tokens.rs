//! The life of an access token: from when to when it is good, under which keys, and how it ends before its time.

use std::time::Duration;

use actix_web::http::Method;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::config::{self, Environment, Secret, Settings};
use cloakroom::crypto::access_token::{AccessTokens, NewAccessToken};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::error::Error;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, SessionId, User, UserId};
use cloakroom::server::sweep;
use cloakroom::store::{Database, IfMissing, revocations, sessions, users};
use cloakroom::testing::{Reply, START, TestApp};
use serde_json::{Value, json};

use crate::support::app::*;
use crate::support::credentials::api_key;
use crate::support::flows::Flows;

pub(super) const LIFETIME: Duration = Duration::from_secs(15 * 60);
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An access token, and what it was made of.
pub(super) struct Access {
    pub(super) text: String,
    pub(super) session_id: SessionId,
    pub(super) sid: String,
    pub(super) jti: String,
}

/// An access token under the session that a token opens, good from now on.
pub(super) async fn access_token(app: &TestApp, session_token: &str) -> Access {
    let digest = PlainToken::parse(TokenKind::Session, session_token)
        .unwrap()
        .digest();
    let now = app.clock().now();
    let found = write(app, move |tx| {
        let Some((session, _)) = tx.look_up(&sessions::by_digest(digest))? else {
            return Ok(None);
        };
        sessions::note_access(tx, session.id, now + LIFETIME, now)?;
        Ok(Some(session))
    });
    let session = found.await.expect("a live session");
    let mut random = [0; 16];
    cloakroom::crypto::token::fill_random(&mut random).unwrap();
    let jti: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = app.context().access_tokens.mint(&NewAccessToken {
        auth_methods: &AuthMethods::default(),
        authenticated_at: Timestamp::from_millis(0),
        claims: &Claims::default(),
        audience: None,
        user_id: session.user_id,
        sid: &session.sid(),
        scopes: &Scopes::parse("projects:read projects:write user:read").unwrap(),
        jti: &jti,
        issued_at: now,
        expires_at: now + LIFETIME,
    });
    Access {
        text: text.unwrap(),
        session_id: session.id,
        sid: session.sid(),
        jti,
    }
}

/// Asks with it for what is verified without the database.
pub(super) async fn present(app: &TestApp, access: &str) -> Reply {
    app.get("/v1/projects").bearer(access).send().await
}

/// Sends a request with it, and returns status and code.
pub(super) async fn answer(app: &TestApp, access: &str) -> (u16, Value) {
    let reply = present(app, access).await;
    (reply.status, reply.json()["code"].clone())
}

async fn is_good(app: &TestApp, access: &Access) -> bool {
    let (status, code) = answer(app, &access.text).await;
    match status {
        200 => true,
        401 if code == "token_invalid" => false,
        other => panic!("neither yes nor no but {other} {code}"),
    }
}

#[actix_web::test]
async fn an_access_token_names_its_user_and_scopes() {
    let (app, user, token) = signed_in().await;
    let access = access_token(&app, &token).await;
    assert_eq!(present(&app, &access.text).await.status, 200);
    let reply = app.get("/v1/user").bearer(&access.text).send().await;
    assert_eq!(
        (reply.status, &reply.json()["user"]["id"]),
        (200, &json!(user.id))
    );
}

#[actix_web::test]
async fn a_token_is_valid_from_nbf_to_exp() {
    let (app, _, token) = signed_in().await;
    app.clock().advance(750 * MILLISECOND);
    let access = access_token(&app, &token).await;
    let (invalid, expired) = (json!("token_invalid"), json!("token_expired"));
    for (moment, expected) in [
        (START - MILLISECOND, (401, invalid)),
        (START, (200, Value::Null)),
        (START + LIFETIME - MILLISECOND, (200, Value::Null)),
        (START + LIFETIME, (401, expired.clone())),
        (START + LIFETIME + DAY, (401, expired)),
    ] {
        app.clock().set(moment);
        assert_eq!(answer(&app, &access.text).await, expected, "{moment}");
    }
}

/// The settings for tests with these bases.
fn settings(base: &str, previous: &[&str], algorithm: config::Algorithm) -> Settings {
    let mut settings = Settings::for_env(Environment::Test).unwrap();
    settings.secrets.key_base = Some(Secret::from(base.repeat(32)));
    settings.secrets.previous = previous
        .iter()
        .map(|base| Secret::from(base.repeat(32)))
        .collect();
    settings.tokens.algorithm = algorithm;
    settings
}

fn access_tokens(base: &str, previous: &[&str], algorithm: config::Algorithm) -> AccessTokens {
    let settings = settings(base, previous, algorithm);
    AccessTokens::open(&KeyRing::open(&settings).unwrap(), &settings).unwrap()
}

fn mint(access_tokens: &AccessTokens) -> String {
    mint_until(access_tokens, START + LIFETIME)
}

fn mint_until(access_tokens: &AccessTokens, expires_at: Timestamp) -> String {
    let scopes = Scopes::parse("projects:read").unwrap();
    let minted = access_tokens.mint(&NewAccessToken {
        auth_methods: &AuthMethods::default(),
        authenticated_at: Timestamp::from_millis(0),
        claims: &Claims::default(),
        audience: None,
        user_id: UserId(1),
        sid: "1.00112233445566778899aabbccddeeff",
        scopes: &scopes,
        jti: &"a1".repeat(16),
        issued_at: START,
        expires_at,
    });
    minted.unwrap()
}

fn header(token: &str) -> Value {
    let (head, _) = token.split_once('.').unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap()
}

const BOTH: [config::Algorithm; 2] = [config::Algorithm::EdDsa, config::Algorithm::Hs256];

#[actix_web::test]
async fn tokens_of_previous_but_not_dropped_bases_are_valid() {
    for before in BOTH {
        let old = mint(&access_tokens("a", &[], before));
        for after in BOTH {
            let opens = |now: &AccessTokens| now.verify(&old, START).is_ok();
            assert!(
                opens(&access_tokens("a", &[], after)),
                "another algorithm alone changes nothing"
            );
            assert!(opens(&access_tokens("b", &["a"], after)));
            assert!(opens(&access_tokens("c", &["b", "a"], after)));
            assert!(!opens(&access_tokens("b", &[], after)));
            assert!(!opens(&access_tokens("c", &["b"], after)));
        }
    }
}

/// A key base that becomes known later signs no valid token, although it is not dropped.
#[actix_web::test]
async fn a_retired_base_verifies_for_one_lifetime() {
    let first = settings("a", &[], config::Algorithm::EdDsa).secrets;
    let home = TestApp::with_settings(|changed| changed.secrets = first).await;
    let database = &home.context().settings.database;
    let start = async |base: &str, previous: &[&str]| {
        TestApp::with_settings(|changed| {
            let wanted = settings(base, previous, config::Algorithm::EdDsa);
            changed.database = database.clone();
            changed.secrets = wanted.secrets;
        })
        .await
    };
    let thief = access_tokens("a", &[], config::Algorithm::EdDsa);
    let forged = mint_until(&thief, START + 30 * DAY);
    let at = |app: &TestApp, moment| {
        app.clock().set(moment);
        app.context().access_tokens.verify(&forged, moment).is_ok()
    };
    let before = start("a", &[]).await;
    let then = START - LIFETIME / 2;
    let rotated = settings("b", &["a"], config::Algorithm::EdDsa);
    let names = KeyRing::open(&rotated).unwrap().names();
    let database = &before.context().database;
    database.record_key_bases(&names, then).unwrap();

    // Counted from the first start that lists it, not from this one.
    let app = start("b", &["a"]).await;
    assert!(at(&app, then + LIFETIME - MILLISECOND));
    assert_eq!(jwks(&app).await.json()["keys"].as_array().unwrap().len(), 2);
    assert!(!at(&app, then + LIFETIME));
    assert_eq!(jwks(&app).await.json()["keys"].as_array().unwrap().len(), 1);
    // A base that is the current one again signs.
    assert!(at(&start("a", &["b"]).await, then + LIFETIME));
    assert!(at(
        &start("b", &["a"]).await,
        START + LIFETIME - MILLISECOND
    ));
}

#[test]
fn each_key_has_its_own_kid() {
    let mut names = std::collections::HashSet::new();
    for base in ["a", "b"] {
        for algorithm in BOTH {
            let header = header(&mint(&access_tokens(base, &["c"], algorithm)));
            assert_eq!(header.as_object().unwrap().len(), 3);
            let expected = if algorithm == config::Algorithm::EdDsa {
                "EdDSA"
            } else {
                "HS256"
            };
            assert_eq!(
                (&header["typ"], &header["alg"]),
                (&json!("at+jwt"), &json!(expected))
            );
            assert!(names.insert(header["kid"].as_str().unwrap().to_owned()));
        }
    }
}

#[test]
fn token_encoding_is_deterministic() {
    for algorithm in BOTH {
        assert_eq!(
            mint(&access_tokens("a", &[], algorithm)),
            mint(&access_tokens("a", &["b"], algorithm))
        );
    }
}

/// An app under these bases.
async fn app_with(
    base: &'static str,
    previous: &'static [&str],
    algorithm: config::Algorithm,
) -> TestApp {
    TestApp::with_settings(move |changed| {
        let wanted = settings(base, previous, algorithm);
        changed.secrets = wanted.secrets;
        changed.tokens = wanted.tokens;
    })
    .await
}

async fn jwks(app: &TestApp) -> Reply {
    app.get("/.well-known/jwks.json").send().await
}

#[actix_web::test]
async fn the_jwks_holds_only_public_keys() {
    for algorithm in BOTH {
        let app = app_with("c", &["b", "a", "c"], algorithm).await;
        let reply = jwks(&app).await;
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.header("Content-Type"),
            Some("application/jwk-set+json")
        );
        let body = reply.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let keys = body["keys"].as_array().unwrap();
        assert_eq!(
            keys.len(),
            3,
            "the current one stands among the previous ones, too"
        );
        for (key, base) in keys.iter().zip(["c", "b", "a"]) {
            let members: Vec<&String> = key.as_object().unwrap().keys().collect();
            assert_eq!(members.len(), 6, "{members:?}");
            let kid =
                header(&mint(&access_tokens(base, &[], config::Algorithm::EdDsa)))["kid"].clone();
            assert_eq!(key["kid"], kid);
            for (member, value) in [
                ("kty", "OKP"),
                ("crv", "Ed25519"),
                ("use", "sig"),
                ("alg", "EdDSA"),
            ] {
                assert_eq!(key[member], value);
            }
            assert_eq!(
                BASE64_URL_SAFE_NO_PAD
                    .decode(key["x"].as_str().unwrap())
                    .unwrap()
                    .len(),
                32
            );
        }
    }
}

#[actix_web::test]
async fn the_jwks_is_enough_to_verify_a_token() {
    let app = TestApp::new().await;
    let key = jwks(&app).await.json()["keys"][0].clone();
    let public = BASE64_URL_SAFE_NO_PAD
        .decode(key["x"].as_str().unwrap())
        .unwrap();
    let token = mint(&app.context().access_tokens);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public);
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(message.as_bytes(), &signature).unwrap();
    assert_eq!(header(&token)["kid"], key["kid"]);
}

#[actix_web::test]
async fn the_jwks_is_cacheable_and_revalidated_by_etag() {
    let app = app_with("a", &[], config::Algorithm::EdDsa).await;
    let first = jwks(&app).await;
    assert_eq!(first.header("Cache-Control"), Some("public, max-age=300"));
    let etag = first.header("ETag").unwrap();
    assert!(
        etag.len() == 18 && etag.starts_with('"') && etag.ends_with('"'),
        "{etag}"
    );
    for known in [
        etag.to_owned(),
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
        format!("{etag},\"x\""),
        "*".into(),
    ] {
        let again = app
            .get("/.well-known/jwks.json")
            .header("If-None-Match", &known)
            .send()
            .await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("ETag"), Some(etag));
        assert_eq!(again.header("Cache-Control"), Some("public, max-age=300"));
    }
    for other in ["\"other\"", "", etag.trim_matches('"'), "W/\"*\""] {
        let again = app
            .get("/.well-known/jwks.json")
            .header("If-None-Match", other)
            .send()
            .await;
        assert_eq!(
            (again.status, again.body.as_ref()),
            (200, first.body.as_ref()),
            "{other}"
        );
    }
    let rotated = app_with("b", &["a"], config::Algorithm::EdDsa).await;
    let changed = app_with("a", &[], config::Algorithm::Hs256).await;
    assert_ne!(jwks(&rotated).await.header("ETag"), Some(etag));
    assert_eq!(jwks(&changed).await.header("ETag"), Some(etag));
    let head = app
        .call(Method::HEAD, "/.well-known/jwks.json")
        .send()
        .await;
    assert_eq!((head.status, head.header("ETag")), (200, Some(etag)));
}

/// The ways in which a session ends.
const WAYS: [&str; 12] = [
    "sign-out",
    "ended from another",
    "ended by its id",
    "ended with all others",
    "evicted",
    "replaced in the browser",
    "password changed",
    "password reset",
    "account deleted",
    "account deleted by an operator",
    "account disabled",
    "swept",
];

async fn end(app: &TestApp, way: &str, user: &User, token: &str, id: SessionId) {
    let path = format!("/v1/sessions/{}", id.0);
    let (user_id, now) = (user.id, app.clock().now());
    let other = app.sign_in_as(user).await;
    let passwords = json!({
        "password_challenge": PASSWORD, "password": "another password", "password_confirmation": "another password",
    });
    let reply = match way {
        "sign-out" => app.delete("/v1/session").bearer(token).send().await,
        "ended from another" => app.delete(&path).bearer(&other).send().await,
        "ended by its id" => app.delete(&path).bearer(token).send().await,
        "ended with all others" => app.delete("/v1/sessions").bearer(&other).send().await,
        "evicted" => {
            // Later than all others, so that this one is the least recently used.
            for _ in 0..app.context().settings.session.max_per_user {
                app.clock().advance(MILLISECOND);
                assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
            }
            return;
        }
        "replaced in the browser" => {
            let body = json!({ "email_address": ONE, "password": PASSWORD, "transport": "cookie" });
            app.post("/v1/session")
                .cookie(token)
                .same_origin()
                .json(&body)
                .send()
                .await
        }
        "password changed" => {
            app.put("/v1/user/password")
                .bearer(&other)
                .json(&passwords)
                .send()
                .await
        }
        "password reset" => {
            let link = reset_token(app, ONE).await;
            app.reset_password(&link, "another password").await
        }
        "account deleted" => {
            let body = json!({ "password_challenge": PASSWORD });
            app.delete("/v1/user")
                .bearer(&other)
                .json(&body)
                .send()
                .await
        }
        "account deleted by an operator" => return delete(app, user).await,
        "account disabled" => {
            return write(app, move |tx| {
                users::set_disabled(tx, user_id, Some(now), now)?;
                sessions::delete_all_for_user(tx, user_id).map(drop)
            })
            .await;
        }
        "swept" => {
            let context = app.context();
            let later =
                now + context.settings.session.lifetime + 2 * context.settings.sweep.keep_sessions;
            sweep::run(&context.database, &context.settings, later)
                .await
                .unwrap();
            return;
        }
        other => panic!("{other}?"),
    };
    assert!(
        matches!(reply.status, 200 | 204),
        "{way}: {} {}",
        reply.status,
        reply.text()
    );
}

#[actix_web::test]
async fn ending_a_session_revokes_its_access_tokens() {
    for way in WAYS {
        let app = TestApp::with_settings(|settings| settings.session.max_per_user = 3).await;
        let user = app.create_user(ONE, PASSWORD).await;
        let token = app.sign_in_as(&user).await;
        let bystander = app.create_user("two@example.com", PASSWORD).await;
        let bystanders = access_token(&app, &app.sign_in_as(&bystander).await).await;
        let (one, two) = (
            access_token(&app, &token).await,
            access_token(&app, &token).await,
        );
        assert!(
            is_good(&app, &one).await
                && is_good(&app, &two).await
                && is_good(&app, &bystanders).await
        );
        end(&app, way, &user, &token, one.session_id).await;
        assert!(!is_good(&app, &one).await, "{way}");
        assert!(!is_good(&app, &two).await, "{way}");
        assert_eq!(is_good(&app, &bystanders).await, way != "swept", "{way}");
    }
}

#[actix_web::test]
async fn ending_a_session_without_tokens_revokes_nothing() {
    let (app, _, token) = signed_in().await;
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM revoked_access_tokens"),
        0
    );
}

async fn end_token(app: &TestApp, access: &Access) {
    let (session_id, jti, until) = (
        access.session_id,
        access.jti.clone(),
        app.clock().now() + LIFETIME,
    );
    write(app, move |tx| {
        revocations::insert_token(tx, session_id, &jti, START, until)
    })
    .await;
}

#[actix_web::test]
async fn revoking_one_token_leaves_session_and_others() {
    let (app, _, token) = signed_in().await;
    let (one, two) = (
        access_token(&app, &token).await,
        access_token(&app, &token).await,
    );
    assert!(is_good(&app, &one).await);
    end_token(&app, &one).await;
    assert!(
        !is_good(&app, &one).await
            && is_good(&app, &two).await
            && session_is_valid(&app, &token).await
    );
}

#[actix_web::test]
async fn revocations_are_loaded_after_a_restart() {
    let (app, _, token) = signed_in().await;
    let [ended, alone, good] = [
        access_token(
            &app,
            &app.sign_in_as(&app.create_user("two@example.com", PASSWORD).await)
                .await,
        )
        .await,
        access_token(&app, &token).await,
        access_token(&app, &token).await,
    ];
    let id = ended.session_id;
    write(&app, move |tx| sessions::delete(tx, id)).await;
    end_token(&app, &alone).await;
    let context = app.context();
    let again = Database::open(
        &context.settings.database,
        1,
        IfMissing::Refuse,
        app.clock().clone(),
    )
    .unwrap();
    for (access, is_good) in [(&ended, false), (&alone, false), (&good, true)] {
        let now = app.clock().now();
        let claims = context.access_tokens.verify(&access.text, now).unwrap();
        let revoked = again
            .is_revoked(claims.session_id, &claims.jti, claims.issued_at(), now)
            .await;
        assert_eq!(revoked.unwrap(), !is_good);
    }
}

#[actix_web::test]
async fn another_process_revocations_apply_within_a_second() {
    let (app, _, token) = signed_in().await;
    let access = access_token(&app, &token).await;
    assert!(is_good(&app, &access).await);
    execute_sql(
        &app,
        &format!("DELETE FROM sessions WHERE id = {}", access.session_id.0),
    );
    app.clock().advance(Duration::from_millis(500));
    assert!(!is_good(&app, &access).await);
}

#[actix_web::test]
async fn an_unreadable_revocation_list_rejects_all_tokens() {
    let (app, _, token) = signed_in().await;
    let access = access_token(&app, &token).await;
    assert!(is_good(&app, &access).await);
    execute_sql(&app, "ALTER TABLE revoked_access_tokens RENAME TO away");
    app.clock().advance(Duration::from_millis(500));
    for _ in 0..3 {
        assert_eq!(present(&app, &access.text).await.status, 500);
    }
    execute_sql(&app, "ALTER TABLE away RENAME TO revoked_access_tokens");
    assert!(is_good(&app, &access).await);
}

#[actix_web::test]
async fn a_rewound_clock_restores_no_revoked_token() {
    let (app, _, token) = signed_in().await;
    let access = access_token(&app, &token).await;
    assert!(is_good(&app, &access).await);
    assert_eq!(
        app.delete("/v1/session").bearer(&token).send().await.status,
        200
    );
    app.clock().advance(LIFETIME + DAY - SECOND);
    let context = app.context();
    sweep::run(&context.database, &context.settings, app.clock().now())
        .await
        .unwrap();
    // Somebody who is good has the list looked at, and tidied.
    app.clock().advance(Duration::from_millis(300));
    let other = app.create_user("two@example.com", PASSWORD).await;
    let others = access_token(&app, &app.sign_in_as(&other).await).await;
    assert!(is_good(&app, &others).await);
    assert_eq!(
        answer(&app, &access.text).await,
        (401, json!("token_expired"))
    );
    app.clock().set(START);
    assert!(!is_good(&app, &access).await);
    let again = Database::open(
        &context.settings.database,
        1,
        IfMissing::Refuse,
        app.clock().clone(),
    )
    .unwrap();
    let claims = context.access_tokens.verify(&access.text, START).unwrap();
    let revoked = again
        .is_revoked(claims.session_id, &claims.jti, claims.issued_at(), START)
        .await;
    assert!(revoked.unwrap());
}

#[actix_web::test]
async fn a_changed_character_anywhere_misses_the_cache() {
    let (app, _, token) = signed_in().await;
    let access = access_token(&app, &token).await;
    let verify = |text: &str, now: Timestamp| app.context().access_tokens.verify(text, now);
    for at in 0..access.text.len() {
        assert!(verify(&access.text, START).is_ok());
        let mut changed = access.text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            matches!(verify(&changed, START), Err(Error::TokenInvalid)),
            "{changed}"
        );
    }
}

#[actix_web::test]
async fn a_token_naming_another_session_or_user_is_invalid() {
    let (app, user, token) = signed_in().await;
    let stranger = app.create_user("two@example.com", PASSWORD).await;
    let session = access_token(&app, &token).await.sid;
    let scopes = Scopes::parse("projects:read projects:write user:read").unwrap();
    let now = app.clock().now();
    let mint = |user_id, sid: &str, jti: &str| {
        let (scopes, expires_at) = (&scopes, now + LIFETIME);
        let minting = NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: Timestamp::from_millis(0),
            claims: &Claims::default(),
            audience: None,
            user_id,
            sid,
            scopes,
            jti,
            issued_at: now,
            expires_at,
        };
        app.context().access_tokens.mint(&minting).unwrap()
    };
    let own = mint(user.id, &session, &"a".repeat(32));
    // As after the restore of a backup: the user's id is another's, or the session's.
    let (id, _) = session.split_once('.').unwrap();
    let forgeries = [
        mint(stranger.id, &session, &"b".repeat(32)),
        mint(
            user.id,
            &format!("{id}.{}", "c".repeat(32)),
            &"d".repeat(32),
        ),
        mint(user.id, id, &"e".repeat(32)),
    ];
    let title = json!({ "title": "Mine" });
    let write = |access: &str| app.post("/v1/projects").bearer(access).json(&title).send();
    let read = |path: &'static str, access: &str| app.get(path).bearer(access).send();
    let key = api_key(&app, None, "introspect").await;
    let ask = |access: &str| {
        app.post("/v1/introspect")
            .bearer(&key)
            .json(&json!({ "token": access }))
            .send()
    };

    for forged in &forgeries {
        for path in ["/v1/projects", "/v1/user", "/v1/session", "/v1/verify"] {
            assert_refused(&read(path, forged).await, 401, "token_invalid");
            assert_eq!(read(path, &own).await.status, 200);
        }
        assert_refused(&write(forged).await, 401, "token_invalid");
        assert_eq!(ask(forged).await.json(), json!({ "active": false }));
        let revoked = app
            .post("/v1/tokens/revoke")
            .json(&json!({ "token": forged }))
            .send()
            .await;
        assert_eq!(revoked.status, 200);
    }
    assert_eq!(
        count_in(&app, "SELECT count(*) FROM revoked_access_tokens"),
        0
    );
    assert_eq!(write(&own).await.status, 201);
    assert_eq!(ask(&own).await.json()["active"], true);
}
