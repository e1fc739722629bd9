//! What one node revokes, the other refuses: sessions at the very next request, access tokens within 200 milliseconds,
//! under load and without exception. Without a server (`.ci/postgres`) these tests do nothing; `REVOCATIONS=10000` is the
//! whole of the second.

#![expect(clippy::disallowed_methods, reason = "measures other processes")]

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloakroom::config::{Environment, Secret, Settings};
use cloakroom::crypto::access_token::{AccessTokens, NewAccessToken};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, UserId};
use cloakroom::store::TestSchema;
use serde_json::json;

use crate::support::postgresql::{KEY_BASE, node_in};
use crate::support::process::Server;
use crate::support::raw_connection::RawConnection;

const SIGN_OUTS: usize = 1_000;
const REVOKERS: usize = 8;
/// Of each session; with the 17th, all are revoked.
const TOKENS: usize = 10;
/// What the documents promise.
const PROMISED: Duration = Duration::from_millis(200);
/// For a machine that runs other tests, too.
const ON_A_BUSY_MACHINE: Duration = Duration::from_secs(2);

fn two_nodes(schema: &TestSchema) -> [Server; 2] {
    [(); 2].map(|()| node_in(schema).serve())
}

/// Asks with a token and without a body; the status.
fn ask(connection: &mut RawConnection, method: &str, path: &str, token: &str) -> u16 {
    let header = format!("Authorization: Bearer {token}\r\n");
    connection.ask(method, path, &header, "");
    connection.receive().status
}

#[test]
fn a_sign_out_on_one_node_is_seen_by_the_other_at_once() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let nodes = two_nodes(&schema);
    let [mut one, mut other] = nodes.each_ref().map(RawConnection::to);
    for token in add_sessions(&schema, SIGN_OUTS) {
        assert_eq!(ask(&mut other, "GET", "/v1/session", &token), 200);
        assert_eq!(ask(&mut one, "DELETE", "/v1/session", &token), 200);
        assert_eq!(ask(&mut other, "GET", "/v1/session", &token), 401);
    }
}

#[test]
fn revoked_access_tokens_are_refused_by_the_other_node_soon() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let requested = std::env::var("REVOCATIONS").ok();
    let bound = match requested {
        Some(_) => PROMISED,
        None => ON_A_BUSY_MACHINE,
    };
    let count = requested.map_or(400, |count| count.parse().unwrap());
    let nodes = two_nodes(&schema);
    let sessions = add_sessions(&schema, count / TOKENS);
    let tokens = mint_access_tokens(count);
    let (ended, looked_up) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut delays: Vec<Duration> = thread::scope(|scope| {
        for node in &nodes {
            let (session, ended, looked_up) = (&sessions[0], &ended, &looked_up);
            scope.spawn(move || {
                let mut connection = RawConnection::to(node);
                while !ended.load(Ordering::Relaxed) {
                    assert_eq!(ask(&mut connection, "GET", "/v1/session", session), 200);
                    looked_up.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            // Their transactions commit among the revocations.
            for number in 0.. {
                nodes[number % 2].sign_up_token(&format!("{number}@example.com"), "correct horse");
                if ended.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let revokers: Vec<_> = tokens
            .chunks(count.div_ceil(REVOKERS))
            .enumerate()
            .map(|(number, tokens)| {
                let pair = [&nodes[number % 2], &nodes[(number + 1) % 2]];
                scope.spawn(move || {
                    let [mut one, mut other] = pair.map(RawConnection::to);
                    let delays = tokens.iter();
                    let delays = delays.map(|token| revoke(&mut one, &mut other, token));
                    delays.collect::<Vec<_>>()
                })
            })
            .collect();
        let delays: Result<Vec<_>, _> = revokers.into_iter().map(|thread| thread.join()).collect();
        ended.store(true, Ordering::Relaxed);
        delays.unwrap().concat()
    });
    assert_eq!(delays.len(), count);
    assert!(looked_up.load(Ordering::Relaxed) > count / 10);
    delays.sort_unstable();
    let (half, most) = (delays[count / 2], delays[count * 99 / 100]);
    let longest = delays[count - 1];
    println!("refused after: half within {half:?}, 99 % within {most:?}, all within {longest:?}");
    assert!(longest < bound, "{longest:?}");
}

/// Revokes it on one node; how long the other accepted requests that were sent after the reply.
fn revoke(one: &mut RawConnection, other: &mut RawConnection, token: &str) -> Duration {
    let mut opens = || ask(other, "GET", "/v1/projects", token);
    assert_eq!(opens(), 200);
    let body = json!({ "token": token }).to_string();
    one.ask("POST", "/v1/tokens/revoke", "", &body);
    assert_eq!(one.receive().status, 200);
    let revoked = Instant::now();
    let mut delay = Duration::ZERO;
    loop {
        let sent = revoked.elapsed();
        if opens() == 401 {
            return delay;
        }
        delay = sent;
        assert!(delay < Duration::from_secs(10), "it was missed");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sessions of one user, numbered from 1.
fn add_sessions(schema: &TestSchema, count: usize) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_millis();
    let mut sql = format!(
        "INSERT INTO users (email_address, created_at, updated_at) VALUES ('one@example.com', {now}, {now});
         INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at) VALUES "
    );
    let tokens = (0..count).map(|number| {
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        let start = if number == 0 { "" } else { ", " };
        write!(sql, r"{start}(1, '\x").unwrap();
        for byte in token.digest().as_bytes() {
            write!(sql, "{byte:02x}").unwrap();
        }
        write!(sql, "', '127.0.0.1', {now}, {now}, {})", now + 86_400_000).unwrap();
        token.reveal().to_owned()
    });
    let tokens = tokens.collect();
    schema.execute(&sql).unwrap();
    tokens
}

/// As the nodes would, for the first sessions.
fn mint_access_tokens(count: usize) -> Vec<String> {
    let settings = Settings::for_env(Environment::Test).unwrap();
    let keys = KeyRing::new(Secret::from(KEY_BASE.to_owned()), Vec::new());
    let mint = AccessTokens::open(&keys, &settings).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let issued_at = Timestamp::from_millis(now.as_millis() as i64);
    let scopes = Scopes::parse("projects:read").unwrap();
    let tokens = (0..count).map(|number| {
        mint.mint(&NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: Timestamp::from_millis(0),
            claims: &Claims::default(),
            audience: None,
            user_id: UserId(1),
            sid: &(number / TOKENS + 1).to_string(),
            scopes: &scopes,
            jti: &format!("{number:032x}"),
            issued_at,
            expires_at: issued_at + Duration::from_secs(3600),
        })
        .unwrap()
    });
    tokens.collect()
}
