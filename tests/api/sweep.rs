//! What the sweep deletes, to the millisecond, and what it leaves.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Timestamp;
use cloakroom::server::sweep::{self, Swept};
use cloakroom::testing::TestApp;

use crate::support::app::{
    ONE, PASSWORD, blob, column_in, count_in, execute_sql, session_is_valid, signed_in,
};
use crate::support::credentials::pair;
use crate::support::second_factor::{enrolled, start_totp};

const MOMENT: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// More than one transaction of the sweep deletes.
const MANY: usize = 1_234;

async fn sweep(app: &TestApp) -> Swept {
    let context = app.context();
    sweep::run(&context.database, &context.settings, context.clock.now())
        .await
        .unwrap()
}

/// A time for a statement, or `NULL`.
fn sql(at: Option<Timestamp>) -> String {
    at.map_or("NULL".to_owned(), |at| at.as_millis().to_string())
}

/// A digest for a statement, which no other row has.
fn digest(app: &TestApp) -> String {
    let token = PlainToken::generate(TokenKind::Session).unwrap();
    blob(app, token.digest().as_bytes())
}

/// A statement that adds a session of the first user, identified by its user agent.
fn session(app: &TestApp, name: &str, last_active_at: Timestamp, expires_at: Timestamp) -> String {
    let (active, expires) = (last_active_at.as_millis(), expires_at.as_millis());
    let digest = digest(app);
    format!(
        "INSERT INTO sessions (user_id, token_digest, ip_address, user_agent, created_at, last_active_at, expires_at)
         VALUES ((SELECT min(id) FROM users), {digest}, '127.0.0.1', '{name}', 0, {active}, {expires})"
    )
}

fn throttle(name: &str, expires_at: Timestamp) -> String {
    let expires = expires_at.as_millis();
    format!("INSERT INTO throttles (name, count, expires_at) VALUES ('{name}', 1, {expires})")
}

fn mail(name: &str, sent_at: Option<Timestamp>, dead_at: Option<Timestamp>) -> String {
    let (sent, dead) = (sql(sent_at), sql(dead_at));
    format!(
        "INSERT INTO outbox (kind, email_address, created_at, expires_at, next_attempt_at, sent_at, dead_at)
         VALUES ('password_reset', '{name}', 0, 0, 0, {sent}, {dead})"
    )
}

fn device(name: &str, seen_at: Timestamp) -> String {
    let seen = seen_at.as_millis();
    format!(
        "INSERT INTO known_devices (user_id, fingerprint, seen_at) VALUES ((SELECT min(id) FROM users), '{name}', {seen})"
    )
}

fn api_key(
    app: &TestApp,
    name: &str,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
) -> String {
    let (digest, expires, revoked) = (digest(app), sql(expires_at), sql(revoked_at));
    format!(
        "INSERT INTO api_keys (name, token_digest, last_four, scopes, created_at, expires_at, revoked_at)
         VALUES ('{name}', {digest}, 'aaaa', '', 0, {expires}, {revoked})"
    )
}

/// A statement that adds a refresh token of the first session, identified by its scopes.
fn refresh_token(app: &TestApp, name: &str, spent_at: Option<Timestamp>) -> String {
    let (family, digest, spent) = (digest(app), digest(app), sql(spent_at));
    format!(
        "INSERT INTO refresh_tokens (session_id, family_digest, token_digest, scopes, created_at, expires_at, spent_at)
         VALUES ((SELECT min(id) FROM sessions), {family}, {digest}, '{name}', 0, 0, {spent})"
    )
}

fn revocation(name: &str, until: Timestamp) -> String {
    let until = until.as_millis();
    format!(
        "INSERT INTO revoked_access_tokens (session_id, jti, until) VALUES (1, '{name}', {until})"
    )
}

fn pending_sign_in(app: &TestApp, name: &str, expires_at: Timestamp) -> String {
    format!(
        "INSERT INTO pending_sign_ins (token_digest, user_id, auth_methods, credentials_version, remembered, tries, expires_at)
         VALUES ({}, 1, '{name}', 0, 0, 0, {})",
        digest(app),
        expires_at.as_millis()
    )
}

fn mail_code(app: &TestApp, remembered: i64, expires_at: Timestamp) -> String {
    format!(
        "INSERT INTO mail_codes (token_digest, remembered, tries, expires_at) VALUES ({}, {remembered}, 0, {})",
        digest(app),
        expires_at.as_millis()
    )
}

fn provider_sign_in(app: &TestApp, name: &str, expires_at: Timestamp) -> String {
    format!(
        "INSERT INTO provider_sign_ins (state_digest, provider, expires_at) VALUES ({}, '{name}', {})",
        digest(app),
        expires_at.as_millis()
    )
}

fn identity_link_request(name: &str, expires_at: Timestamp) -> String {
    format!(
        "INSERT INTO identity_link_requests (user_id, provider, bound_to, identity, remembered, expires_at)
         VALUES (1, '{name}', '', '', 0, {})",
        expires_at.as_millis()
    )
}

/// The texts that a statement finds.
fn names(app: &TestApp, sql: &str) -> BTreeSet<String> {
    column_in(app, sql)
        .into_iter()
        .map(Option::unwrap)
        .collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[actix_web::test]
async fn sessions_are_swept_a_day_after_they_end() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let (now, idle_timeout) = (
        app.clock().now(),
        app.context().settings.session.idle_timeout,
    );
    let (over, long_unused) = (now - DAY, now - DAY - idle_timeout);
    for (name, last_active_at, expires_at) in [
        ("expired for longer", now, over - MOMENT),
        ("expired for a day", now, over),
        ("expired for less", now, over + MOMENT),
        ("expired now", now, now),
        ("unused for longer", long_unused - MOMENT, now + DAY),
        ("unused until a day ago", long_unused, now + DAY),
        (
            "unused until less than a day ago",
            long_unused + MOMENT,
            now + DAY,
        ),
        ("unused until now", now - idle_timeout, now + DAY),
        ("live", now, now + MOMENT),
    ] {
        execute_sql(&app, &session(&app, name, last_active_at, expires_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            sessions: 4,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(
            &app,
            "SELECT user_agent FROM sessions WHERE user_agent IS NOT NULL"
        ),
        set([
            "expired for less",
            "expired now",
            "unused until less than a day ago",
            "unused until now",
            "live",
        ])
    );
    assert!(session_is_valid(&app, &token).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM users"), 1);
}

#[actix_web::test]
async fn mails_are_swept_a_week_after_they_end() {
    let app = TestApp::new().await;
    let now = app.clock().now();
    let over = now - 7 * DAY;
    for (name, sent_at, dead_at) in [
        ("sent for longer", Some(over - MOMENT), None),
        ("sent for a week", Some(over), None),
        ("sent for less", Some(over + MOMENT), None),
        ("dead for a week", None, Some(over)),
        ("dead for less", None, Some(over + MOMENT)),
        ("waiting since ever", None, None),
    ] {
        execute_sql(&app, &mail(name, sent_at, dead_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            mails: 3,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(&app, "SELECT email_address FROM outbox"),
        set(["sent for less", "dead for less", "waiting since ever"])
    );
}

#[actix_web::test]
async fn counters_are_swept_after_their_window() {
    let app = TestApp::new().await;
    let now = app.clock().now();
    for (name, expires_at) in [
        ("over", now - DAY),
        ("over now", now),
        ("not over", now + MOMENT),
        ("of a wrong clock", now + 31 * DAY),
    ] {
        execute_sql(&app, &throttle(name, expires_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            counters: 3,
            ..Swept::default()
        }
    );
    assert_eq!(names(&app, "SELECT name FROM throttles"), set(["not over"]));
}

#[actix_web::test]
async fn devices_are_swept_after_a_year_without_use() {
    let app = TestApp::new().await;
    app.create_user(ONE, PASSWORD).await;
    let over = app.clock().now() - 365 * DAY;
    for (name, seen_at) in [
        ("longer ago", over - MOMENT),
        ("a year ago", over),
        ("later", over + MOMENT),
    ] {
        execute_sql(&app, &device(name, seen_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            devices: 2,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(&app, "SELECT fingerprint FROM known_devices"),
        set(["later"])
    );
}

#[actix_web::test]
async fn api_keys_are_swept_thirty_days_after_they_end() {
    let app = TestApp::new().await;
    let now = app.clock().now();
    let over = now - 30 * DAY;
    for (name, expires_at, revoked_at) in [
        ("expired for thirty days", Some(over), None),
        ("expired for less", Some(over + MOMENT), None),
        ("revoked for thirty days", None, Some(over)),
        ("revoked for less", Some(now + DAY), Some(over + MOMENT)),
        (
            "revoked long before it expired",
            Some(over + MOMENT),
            Some(over),
        ),
        ("good", Some(now + DAY), None),
        ("good for ever", None, None),
    ] {
        execute_sql(&app, &api_key(&app, name, expires_at, revoked_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            api_keys: 3,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(&app, "SELECT name FROM api_keys"),
        set([
            "expired for less",
            "revoked for less",
            "good",
            "good for ever"
        ])
    );
}

#[actix_web::test]
async fn refresh_tokens_are_swept_when_spent_or_with_their_session() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    app.sign_in_as(&user).await;
    let over = app.clock().now() - Duration::from_secs(10);
    for (name, spent_at) in [
        ("spent for ten seconds", Some(over)),
        ("spent for less", Some(over + MOMENT)),
        ("good", None),
    ] {
        execute_sql(&app, &refresh_token(&app, name, spent_at));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            refresh_tokens: 1,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(&app, "SELECT scopes FROM refresh_tokens"),
        set(["spent for less", "good"])
    );
    app.clock().advance(200 * DAY);
    sweep(&app).await;
    assert_eq!(count_in(&app, "SELECT count(*) FROM refresh_tokens"), 0);
}

#[actix_web::test]
async fn revocations_are_swept_a_day_after_token_expiry() {
    let app = TestApp::new().await;
    let over = app.clock().now() - DAY;
    for (name, until) in [
        ("for longer", over - MOMENT),
        ("for a day", over),
        ("for less", over + MOMENT),
    ] {
        execute_sql(&app, &revocation(name, until));
    }

    assert_eq!(
        sweep(&app).await,
        Swept {
            revocations: 2,
            ..Swept::default()
        }
    );
    assert_eq!(
        names(&app, "SELECT jti FROM revoked_access_tokens"),
        set(["for less"])
    );
}

#[actix_web::test]
async fn sweeping_a_session_deletes_its_tokens() {
    let (app, _, token) = signed_in().await;
    pair(&app, &token, "projects:read").await;
    app.clock().advance(15 * DAY - MOMENT);
    assert_eq!(sweep(&app).await, Swept::default());
    app.clock().advance(MOMENT);
    assert_eq!(
        sweep(&app).await,
        Swept {
            sessions: 1,
            revocations: 1,
            ..Swept::default()
        }
    );
    for table in ["sessions", "refresh_tokens", "revoked_access_tokens"] {
        assert_eq!(
            count_in(&app, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
}

#[actix_web::test]
async fn retention_of_sessions_and_mails_is_configurable() {
    let app = TestApp::with_settings(|settings| {
        (settings.sweep.keep_sessions, settings.sweep.keep_mails) = (2 * DAY, Duration::ZERO);
    })
    .await;
    app.create_user(ONE, PASSWORD).await;
    let now = app.clock().now();
    execute_sql(
        &app,
        &session(&app, "expired two days ago", now, now - 2 * DAY),
    );
    execute_sql(
        &app,
        &session(&app, "expired later", now, now - 2 * DAY + MOMENT),
    );
    execute_sql(&app, &mail("sent now", Some(now), None));
    execute_sql(&app, &mail("sent next", Some(now + MOMENT), None));

    sweep(&app).await;
    assert_eq!(
        names(&app, "SELECT user_agent FROM sessions"),
        set(["expired later"])
    );
    assert_eq!(
        names(&app, "SELECT email_address FROM outbox"),
        set(["sent next"])
    );
}

#[actix_web::test]
async fn sessions_with_buffered_activity_are_not_swept() {
    let app =
        TestApp::with_settings(|settings| settings.sweep.keep_sessions = Duration::ZERO).await;
    app.create_user(ONE, PASSWORD).await;
    let (now, minute) = (app.clock().now(), Duration::from_secs(60));
    let idle_since = now - app.context().settings.session.idle_timeout;
    execute_sql(&app, &session(&app, "expired now", now, now));
    execute_sql(&app, &session(&app, "expires next", now, now + MOMENT));
    execute_sql(
        &app,
        &session(
            &app,
            "idle for a minute too long",
            idle_since - minute,
            now + DAY,
        ),
    );
    execute_sql(
        &app,
        &session(
            &app,
            "idle for less",
            idle_since - minute + MOMENT,
            now + DAY,
        ),
    );

    sweep(&app).await;
    assert_eq!(
        names(&app, "SELECT user_agent FROM sessions"),
        set(["expires next", "idle for less"])
    );
}

#[actix_web::test]
async fn unproved_secrets_are_swept_after_an_hour() {
    let app = TestApp::new().await;
    let [old, new, proved] = ["old@example.com", "new@example.com", "proved@example.com"];
    let [old, new, proved] = [
        app.create_user(old, PASSWORD).await,
        app.create_user(new, PASSWORD).await,
        app.create_user(proved, PASSWORD).await,
    ];
    enrolled(&app, &proved).await;
    start_totp(&app, &app.sign_in_as(&old).await).await;
    app.clock().advance(MOMENT);
    start_totp(&app, &app.sign_in_as(&new).await).await;
    app.clock().advance(HOUR - MOMENT);
    assert_eq!(sweep(&app).await.unproved_secrets, 1);
    let left = names(&app, "SELECT CAST(user_id AS text) FROM totp_factors");
    assert_eq!(left, [new.id.0.to_string(), proved.id.0.to_string()].into());
}

#[actix_web::test]
async fn used_challenges_are_swept_an_hour_after_they_expire() {
    let app = TestApp::new().await;
    let now = app.clock().now();
    for (name, expires_at) in [("old", now - HOUR), ("new", now - HOUR + MOMENT)] {
        let (digest, end) = (blob(&app, name.as_bytes()), expires_at.as_millis());
        let sql = format!("INSERT INTO used_webauthn_challenges VALUES ({digest}, {end})");
        execute_sql(&app, &sql);
    }
    assert_eq!(sweep(&app).await.passkey_challenges, 1);
    let left = "SELECT count(*) FROM used_webauthn_challenges";
    assert_eq!(count_in(&app, left), 1);
}

#[actix_web::test]
async fn sweeps_continue_beyond_one_transaction() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    app.sign_in_as(&user).await;
    let (now, long_ago) = (app.clock().now(), Timestamp::from_millis(0));
    let mut rows = String::from("BEGIN;");
    for n in 0..MANY {
        rows += &(session(&app, "over", now, long_ago) + ";");
        rows += &(throttle(&format!("over {n}"), long_ago) + ";");
        rows += &(mail("over", Some(long_ago), None) + ";");
        rows += &(device(&format!("over {n}"), long_ago) + ";");
        rows += &(api_key(&app, "over", None, Some(long_ago)) + ";");
        rows += &(refresh_token(&app, "over", Some(long_ago)) + ";");
        rows += &(revocation(&format!("over {n}"), long_ago) + ";");
        rows += &(pending_sign_in(&app, "over", now) + ";");
        rows += &(mail_code(&app, 0, now) + ";");
        rows += &(provider_sign_in(&app, "over", now) + ";");
        rows += &(identity_link_request("over", now) + ";");
        if n % 100 == 0 {
            rows += &(session(&app, "live", now, now + DAY) + ";");
            rows += &(throttle(&format!("live {n}"), now + HOUR) + ";");
            rows += &(mail("live", None, None) + ";");
            rows += &(device(&format!("live {n}"), now) + ";");
            rows += &(api_key(&app, "live", None, None) + ";");
            rows += &(refresh_token(&app, "live", None) + ";");
            rows += &(revocation(&format!("live {n}"), now) + ";");
            rows += &(pending_sign_in(&app, "live", now + MOMENT) + ";");
            rows += &(mail_code(&app, 1, now + MOMENT) + ";");
            rows += &(provider_sign_in(&app, "live", now + MOMENT) + ";");
            rows += &(identity_link_request("live", now + MOMENT) + ";");
        }
    }
    execute_sql(&app, &(rows + "COMMIT"));

    let every = Swept {
        sessions: MANY,
        counters: MANY,
        mails: MANY,
        devices: MANY,
        api_keys: MANY,
        pending_sign_ins: MANY,
        mail_codes: MANY,
        provider_sign_ins: MANY,
        identity_link_requests: MANY,
        unproved_secrets: 0,
        passkey_challenges: 0,
        refresh_tokens: MANY,
        revocations: MANY,
    };
    assert_eq!(sweep(&app).await, every);
    assert_eq!(sweep(&app).await, Swept::default());
    let kept = MANY.div_ceil(100) as i64;
    let remembered = "SELECT count(*) FROM mail_codes WHERE remembered = 1";
    assert_eq!(count_in(&app, remembered), kept);
    assert_eq!(count_in(&app, "SELECT count(*) FROM mail_codes"), kept);
    for (table, name) in [
        ("sessions", "user_agent"),
        ("throttles", "name"),
        ("outbox", "email_address"),
        ("known_devices", "fingerprint"),
        ("api_keys", "name"),
        ("refresh_tokens", "scopes"),
        ("revoked_access_tokens", "jti"),
        ("pending_sign_ins", "auth_methods"),
        ("provider_sign_ins", "provider"),
        ("identity_link_requests", "provider"),
    ] {
        let count = |condition: &str| {
            count_in(
                &app,
                &format!("SELECT count(*) FROM {table} WHERE {name} {condition}"),
            )
        };
        assert_eq!(
            (count("LIKE 'over%'"), count("LIKE 'live%'")),
            (0, kept),
            "{table}"
        );
    }
}
