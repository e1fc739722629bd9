//! Access tokens whose session ends: refused by the server that ended it when its answer leaves, and soon by every
//! other on the file.

#![expect(clippy::disallowed_methods, reason = "measures another process")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cloakroom::config::{Environment, Secret, Settings};
use cloakroom::crypto::access_token::{AccessTokens, NewAccessToken};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::domain::clock::{Clock, Timestamp};
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, UserId};
use serde_json::{Value, json};

use crate::support::flows::Flows;
use crate::support::process::{Server, TestServer};
use crate::support::raw_connection::RawConnection;

const BASE: &str = "the base of all keys, long enough for one";
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A house whose keys are known here.
fn test_server() -> TestServer {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SECRETS__KEY_BASE", BASE);
    test_server
}

/// What mints access tokens as its servers do.
fn mint() -> AccessTokens {
    let mut settings = Settings::for_env(Environment::Test).unwrap();
    settings.secrets.key_base = Some(Secret::from(BASE.to_owned()));
    AccessTokens::open(&KeyRing::open(&settings).unwrap(), &settings).unwrap()
}

/// An access token for each session of the file, with its session's id, in the order of those.
fn access_tokens(test_server: &TestServer) -> Vec<(i64, String)> {
    let (now, mint) = (Clock::System.now(), mint());
    let store = test_server.store();
    let until = (now + LIFETIME).as_millis();
    store.execute(&format!("UPDATE sessions SET access_until = {until}"));
    let rows =
        store.column("SELECT id || ' ' || user_id || ' ' || nonce FROM sessions ORDER BY id");
    let minted = rows.into_iter().map(|row| {
        let row = row.unwrap();
        let [id, user_id, nonce] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (id, user_id): (i64, i64) = (id.parse().unwrap(), user_id.parse().unwrap());
        let minting = NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: Timestamp::from_millis(0),
            claims: &Claims::default(),
            audience: None,
            user_id: UserId(user_id),
            sid: &match nonce {
                "" => id.to_string(),
                nonce => format!("{id}.{nonce}"),
            },
            scopes: &Scopes::parse("projects:read").unwrap(),
            jti: &format!("{id:032x}"),
            issued_at: now,
            expires_at: now + LIFETIME,
        };
        (id, mint.mint(&minting).unwrap())
    });
    minted.collect()
}

fn ask(server: &Server, access: &str) -> (u16, Value) {
    let (status, reply) = server.request("GET", "/v1/projects", Some(access), None);
    (status, reply["code"].clone())
}

/// Waits until a server refuses the token; returns how long that took.
fn refused_after(server: &Server, access: &str) -> Duration {
    let started = Instant::now();
    loop {
        match ask(server, access) {
            (200, _) => assert!(
                started.elapsed() < Duration::from_secs(30),
                "it is never refused"
            ),
            refused => {
                assert_eq!(refused, (401, json!("token_invalid")));
                return started.elapsed();
            }
        }
    }
}

#[test]
fn sessions_ended_by_command_are_rejected_in_a_second() {
    let test_server = test_server();
    let server = test_server.serve();
    server.sign_up_token("one@example.com", "password");
    server.sign_up_token("two@example.com", "password");
    let [(_, access), (_, bystander)] = access_tokens(&test_server).try_into().unwrap();
    assert_eq!(ask(&server, &access), (200, Value::Null));
    let command = ["sessions", "revoke", "--user", "one@example.com"];
    let output = test_server.run(&command);
    assert!(output.status.success(), "{output:?}");
    let took = refused_after(&server, &access);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(ask(&server, &bystander), (200, Value::Null));
}

#[test]
fn two_servers_share_revocations_through_one_file() {
    let test_server = test_server();
    let (a, b) = (test_server.serve(), test_server.serve());
    let token = a.sign_up_token("one@example.com", "password");
    for _ in 0..5 {
        let (status, reply) = a.sign_in("one@example.com", "password");
        assert_eq!(status, 200, "{reply}");
    }
    let sessions = access_tokens(&test_server);
    let own = sessions[0].0;
    for (number, (id, access)) in sessions.iter().filter(|(id, _)| *id != own).enumerate() {
        let (ends, other) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        for server in [&a, &b] {
            assert_eq!(ask(server, access), (200, Value::Null));
        }
        let (status, _) = ends.request("DELETE", &format!("/v1/sessions/{id}"), Some(&token), None);
        assert_eq!(status, 204);
        assert_eq!(ask(ends, access), (401, json!("token_invalid")), "at once");
        let took = refused_after(other, access);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(ask(&a, &sessions[0].1), (200, Value::Null));
}

const USERS: usize = 10;
/// Of each user; the first of them ends the others.
const SESSIONS: usize = 101;

#[test]
fn a_thousand_ended_sessions_are_rejected_at_once() {
    let test_server = test_server();
    let server = test_server.serve();
    let tokens: Vec<String> = (0..USERS)
        .map(|user| server.sign_up_token(&format!("u{user}@example.com"), "password"))
        .collect();
    add_sessions(&test_server);
    let access = access_tokens(&test_server);
    let (own, rest) = access.split_at(USERS);
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (user, token) in tokens.iter().enumerate() {
            let (server, refused) = (&server, &refused);
            // Sessions were added user by user.
            let ended = &rest[user * (SESSIONS - 1)..(user + 1) * (SESSIONS - 1)];
            let kept = &own[user].1;
            scope.spawn(move || {
                // Two connections, so that not one worker alone does and knows it.
                let (mut one, mut other) = (RawConnection::to(server), RawConnection::to(server));
                for (id, access) in ended {
                    assert_eq!(get(&mut other, access), 200);
                    one.ask("DELETE", &format!("/v1/sessions/{id}"), &bearer(token), "");
                    assert_eq!(one.receive().status, 204);
                    assert_eq!(get(&mut other, access), 401);
                    refused.fetch_add(1, Ordering::SeqCst);
                }
                assert_eq!(get(&mut other, kept), 200);
            });
        }
    });
    assert_eq!(refused.load(Ordering::SeqCst), 1000);
    // And a server that starts now knows all of them.
    let again = test_server.serve();
    for (_, access) in rest.iter().step_by(50) {
        assert_eq!(ask(&again, access), (401, json!("token_invalid")));
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn get(connection: &mut RawConnection, access: &str) -> u16 {
    connection.ask("GET", "/v1/projects", &bearer(access), "");
    connection.receive().status
}

/// Sessions beside the one of each user, user by user.
fn add_sessions(test_server: &TestServer) {
    let store = test_server.store();
    let random = store.random_blob();
    for user in store.column("SELECT id FROM users ORDER BY id") {
        let user = user.unwrap();
        let more = SESSIONS - 1;
        store.execute(&format!(
            "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
             SELECT user_id, {random}, ip_address, created_at, last_active_at, expires_at FROM sessions, n
             WHERE id = (SELECT min(id) FROM sessions WHERE user_id = {user})"
        ));
    }
}
