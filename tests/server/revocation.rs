//! Ten thousand sessions ended over TCP while others are looked up: once a reply has confirmed it, the token is refused on
//! every connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Clock;
use serde_json::json;

use crate::support::process::TestServer;
use crate::support::raw_connection::{Answer, RawConnection};

const USERS: usize = 100;
/// Of each user; the first of them ends the others and stays.
const SESSIONS: usize = 101;
const REVOKERS: usize = 10;

/// A user's sessions: ids and tokens.
type Owned = Vec<(i64, PlainToken)>;

#[test]
fn ten_thousand_revocations_apply_at_once() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let users = fill(&test_server);
    let (done, looked_up) = (AtomicBool::new(false), AtomicUsize::new(0));
    let revoked: usize = thread::scope(|scope| {
        for user in [&users[0], &users[USERS - 1]] {
            let (token, server, done, looked_up) = (&user[0].1, &server, &done, &looked_up);
            scope.spawn(move || {
                let mut connection = RawConnection::to(server);
                while !done.load(Ordering::SeqCst) {
                    assert_eq!(
                        ask(&mut connection, "GET", "/v1/session", token).status,
                        200
                    );
                    looked_up.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let revokers: Vec<_> = users
            .chunks(USERS / REVOKERS)
            .map(|users| {
                let server = &server;
                scope.spawn(move || {
                    // Two connections, so that not one worker alone does and knows it.
                    let (mut one, mut other) =
                        (RawConnection::to(server), RawConnection::to(server));
                    users
                        .iter()
                        .map(|user| revoke(&mut one, &mut other, user))
                        .sum::<usize>()
                })
            })
            .collect();
        let revoked: Result<Vec<usize>, _> = revokers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::SeqCst);
        revoked.unwrap().iter().sum()
    });
    assert_eq!(revoked, 10_000);
    assert!(looked_up.load(Ordering::SeqCst) > 100);
    // Those that were rotated live on under their new tokens, beside the first of each user.
    let rotated = USERS * (SESSIONS - 1) / 4;
    assert_eq!(
        test_server.store().count("SELECT count(*) FROM sessions"),
        (USERS + rotated) as i64
    );
}

/// Revokes all of a user's tokens but the first, one after another by each kind of request; returns how many.
fn revoke(one: &mut RawConnection, other: &mut RawConnection, user: &Owned) -> usize {
    let ((_, kept), rest) = user.split_first().unwrap();
    for (number, (id, token)) in rest.iter().enumerate() {
        let status = match number % 4 {
            0 => ask(one, "DELETE", "/v1/session", token).status,
            1 => {
                // Unlike the others it is not what asks, so first it must be seen to work.
                assert_eq!(ask(other, "GET", "/v1/session", token).status, 200);
                ask(one, "DELETE", &format!("/v1/sessions/{id}"), kept).status
            }
            2 => {
                let answer = ask(one, "POST", "/v1/session/rotate", token);
                let new =
                    PlainToken::parse(TokenKind::Session, answer.json()["token"].as_str().unwrap());
                assert_eq!(ask(other, "GET", "/v1/session", &new.unwrap()).status, 200);
                answer.status
            }
            _ => ask(one, "DELETE", &format!("/v1/sessions/{id}"), token).status,
        };
        assert!(matches!(status, 200 | 204), "{status}");
        let answer = ask(other, "GET", "/v1/session", token);
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (401, &json!("token_invalid"))
        );
    }
    rest.len()
}

fn ask(connection: &mut RawConnection, method: &str, path: &str, token: &PlainToken) -> Answer {
    connection.ask(
        method,
        path,
        &format!("Authorization: Bearer {}\r\n", token.reveal()),
        "",
    );
    connection.receive()
}

/// Puts the users and their sessions into the database, which is faster than asking for each.
fn fill(test_server: &TestServer) -> Vec<Owned> {
    let store = test_server.store();
    let addresses = (0..USERS).map(|number| format!("('{number}@example.com', 0, 0)"));
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    store.execute(&format!(
        "INSERT INTO users (email_address, created_at, updated_at) VALUES {addresses}"
    ));
    let ids = |sql: &str| {
        let column = store.column(sql).into_iter().flatten();
        column.map(|id| id.parse().unwrap()).collect::<Vec<i64>>()
    };
    let now = Clock::System.now().as_millis();
    let tomorrow = now + 86_400_000;
    let add_sessions = |user: i64| {
        let generate = || PlainToken::generate(TokenKind::Session).unwrap();
        let tokens: Vec<PlainToken> = (0..SESSIONS).map(|_| generate()).collect();
        let rows = tokens.iter().map(|token| {
            let digest = store.blob(token.digest().as_bytes());
            format!("({user}, {digest}, '127.0.0.1', 0, {now}, {tomorrow})")
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        store.execute(&format!(
            "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
             VALUES {rows}"
        ));
        let mine = format!("SELECT id FROM sessions WHERE user_id = {user} ORDER BY id");
        ids(&mine).into_iter().zip(tokens).collect()
    };
    let users = ids("SELECT id FROM users ORDER BY id").into_iter();
    users.map(add_sessions).collect()
}
