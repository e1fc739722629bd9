//! What the sweep deletes, to the millisecond, and what it leaves.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::domain::clock::Timestamp;
use cloakroom::server::sweep::{self, Swept};
use cloakroom::testing::TestApp;
use rusqlite::{Connection, params};

use crate::support::app::{ONE, PASSWORD, count_in, session_is_valid, signed_in};
use crate::support::credentials::pair;

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

fn open(app: &TestApp) -> Connection {
    Connection::open(app.context().database.path()).unwrap()
}

/// Adds a session of the first user, identified by its user agent.
fn add_session(file: &Connection, name: &str, last_active_at: Timestamp, expires_at: Timestamp) {
    file.prepare_cached(
        "INSERT INTO sessions (user_id, token_digest, ip_address, user_agent, created_at, last_active_at, expires_at)
         VALUES ((SELECT min(id) FROM users), randomblob(32), '127.0.0.1', ?1, 0, ?2, ?3)",
    )
    .unwrap()
    .execute(params![name, last_active_at.as_millis(), expires_at.as_millis()])
    .unwrap();
}

fn add_throttle(file: &Connection, name: &str, expires_at: Timestamp) {
    file.prepare_cached("INSERT INTO throttles (name, count, expires_at) VALUES (?1, 1, ?2)")
        .unwrap()
        .execute(params![name, expires_at.as_millis()])
        .unwrap();
}

fn add_mail(file: &Connection, name: &str, sent_at: Option<Timestamp>, dead_at: Option<Timestamp>) {
    file.prepare_cached(
        "INSERT INTO outbox (kind, email_address, created_at, expires_at, next_attempt_at, sent_at, dead_at)
         VALUES ('password_reset', ?1, 0, 0, 0, ?2, ?3)",
    )
    .unwrap()
    .execute(params![
        name,
        sent_at.map(Timestamp::as_millis),
        dead_at.map(Timestamp::as_millis)
    ])
    .unwrap();
}

fn add_device(file: &Connection, name: &str, seen_at: Timestamp) {
    file.prepare_cached(
        "INSERT INTO known_devices (user_id, fingerprint, seen_at) VALUES ((SELECT min(id) FROM users), ?1, ?2)",
    )
    .unwrap()
    .execute(params![name, seen_at.as_millis()])
    .unwrap();
}

fn add_api_key(
    file: &Connection,
    name: &str,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
) {
    file.prepare_cached(
        "INSERT INTO api_keys (name, token_digest, last_four, scopes, created_at, expires_at, revoked_at)
         VALUES (?1, randomblob(32), 'aaaa', '', 0, ?2, ?3)",
    )
    .unwrap()
    .execute(params![
        name,
        expires_at.map(Timestamp::as_millis),
        revoked_at.map(Timestamp::as_millis)
    ])
    .unwrap();
}

/// Adds a refresh token of the first session, identified by its scopes.
fn add_refresh_token(file: &Connection, name: &str, spent_at: Option<Timestamp>) {
    file.prepare_cached(
        "INSERT INTO refresh_tokens (session_id, family_digest, token_digest, scopes, created_at, expires_at, spent_at)
         VALUES ((SELECT min(id) FROM sessions), randomblob(32), randomblob(32), ?1, 0, 0, ?2)",
    )
    .unwrap()
    .execute(params![name, spent_at.map(Timestamp::as_millis)])
    .unwrap();
}

fn add_revocation(file: &Connection, name: &str, until: Timestamp) {
    file.prepare_cached(
        "INSERT INTO revoked_access_tokens (session_id, jti, until) VALUES (1, ?1, ?2)",
    )
    .unwrap()
    .execute(params![name, until.as_millis()])
    .unwrap();
}

/// The texts that a statement finds.
fn names(app: &TestApp, sql: &str) -> BTreeSet<String> {
    let file = open(app);
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
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
    let file = open(&app);
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
        add_session(&file, name, last_active_at, expires_at);
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
    let file = open(&app);
    for (name, sent_at, dead_at) in [
        ("sent for longer", Some(over - MOMENT), None),
        ("sent for a week", Some(over), None),
        ("sent for less", Some(over + MOMENT), None),
        ("dead for a week", None, Some(over)),
        ("dead for less", None, Some(over + MOMENT)),
        ("waiting since ever", None, None),
    ] {
        add_mail(&file, name, sent_at, dead_at);
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
    let file = open(&app);
    for (name, expires_at) in [
        ("over", now - DAY),
        ("over now", now),
        ("not over", now + MOMENT),
        ("of a wrong clock", now + DAY),
    ] {
        add_throttle(&file, name, expires_at);
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
    let file = open(&app);
    for (name, seen_at) in [
        ("longer ago", over - MOMENT),
        ("a year ago", over),
        ("later", over + MOMENT),
    ] {
        add_device(&file, name, seen_at);
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
    let file = open(&app);
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
        add_api_key(&file, name, expires_at, revoked_at);
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
    let file = open(&app);
    for (name, spent_at) in [
        ("spent for ten seconds", Some(over)),
        ("spent for less", Some(over + MOMENT)),
        ("good", None),
    ] {
        add_refresh_token(&file, name, spent_at);
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
    let file = open(&app);
    for (name, until) in [
        ("for longer", over - MOMENT),
        ("for a day", over),
        ("for less", over + MOMENT),
    ] {
        add_revocation(&file, name, until);
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
    let file = open(&app);
    add_session(&file, "expired two days ago", now, now - 2 * DAY);
    add_session(&file, "expired later", now, now - 2 * DAY + MOMENT);
    add_mail(&file, "sent now", Some(now), None);
    add_mail(&file, "sent next", Some(now + MOMENT), None);

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
    let file = open(&app);
    add_session(&file, "expired now", now, now);
    add_session(&file, "expires next", now, now + MOMENT);
    add_session(
        &file,
        "idle for a minute too long",
        idle_since - minute,
        now + DAY,
    );
    add_session(
        &file,
        "idle for less",
        idle_since - minute + MOMENT,
        now + DAY,
    );

    sweep(&app).await;
    assert_eq!(
        names(&app, "SELECT user_agent FROM sessions"),
        set(["expires next", "idle for less"])
    );
}

#[actix_web::test]
async fn sweeps_continue_beyond_one_transaction() {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    app.sign_in_as(&user).await;
    let (now, long_ago) = (app.clock().now(), Timestamp::from_millis(0));
    let mut file = open(&app);
    let rows = file.transaction().unwrap();
    for n in 0..MANY {
        add_session(&rows, "over", now, long_ago);
        add_throttle(&rows, &format!("over {n}"), long_ago);
        add_mail(&rows, "over", Some(long_ago), None);
        add_device(&rows, &format!("over {n}"), long_ago);
        add_api_key(&rows, "over", None, Some(long_ago));
        add_refresh_token(&rows, "over", Some(long_ago));
        add_revocation(&rows, &format!("over {n}"), long_ago);
        if n % 100 == 0 {
            add_session(&rows, "live", now, now + DAY);
            add_throttle(&rows, &format!("live {n}"), now + HOUR);
            add_mail(&rows, "live", None, None);
            add_device(&rows, &format!("live {n}"), now);
            add_api_key(&rows, "live", None, None);
            add_refresh_token(&rows, "live", None);
            add_revocation(&rows, &format!("live {n}"), now);
        }
    }
    rows.commit().unwrap();

    let every = Swept {
        sessions: MANY,
        counters: MANY,
        mails: MANY,
        devices: MANY,
        api_keys: MANY,
        refresh_tokens: MANY,
        revocations: MANY,
    };
    assert_eq!(sweep(&app).await, every);
    assert_eq!(sweep(&app).await, Swept::default());
    let kept = MANY.div_ceil(100) as i64;
    for (table, name) in [
        ("sessions", "user_agent"),
        ("throttles", "name"),
        ("outbox", "email_address"),
        ("known_devices", "fingerprint"),
        ("api_keys", "name"),
        ("refresh_tokens", "scopes"),
        ("revoked_access_tokens", "jti"),
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
