//! Credentials for benchmarks, as the server would make them.

use std::time::Duration;

use cloakroom::config::{Environment, Secret, Settings};
use cloakroom::crypto::access_token::{AccessTokens, NewAccessToken};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, UserId};
use rusqlite::Connection;

use crate::support::now_ms;

/// Of the server, so that tokens can be minted beside it.
pub const KEY_BASE: &str = "a base of keys for a benchmark, long enough for one";

/// Adds API keys, each of another user and unused for an hour; returns them.
pub fn add_keys(connection: &mut Connection, count: usize) -> Vec<String> {
    let now = now_ms();
    let transaction = connection.transaction().expect("a transaction");
    let keys = (0..count)
        .map(|number| {
            let key = PlainToken::generate(TokenKind::ApiKey).expect("randomness");
            transaction
                .prepare_cached(
                    "INSERT INTO api_keys (user_id, name, token_digest, last_four, scopes, created_at, last_used_at)
                     VALUES (?1, 'A key', ?2, ?3, 'introspect projects:read user:read', ?4, ?4)",
                )
                .expect("a statement")
                .execute((number as i64 + 1, key.digest().as_bytes(), key.last_four(), now - 3_600_000))
                .expect("a key");
            key.reveal().to_owned()
        })
        .collect();
    transaction.commit().expect("the keys");
    keys
}

/// Access tokens of sessions, each of the user with the same id.
pub fn mint_access_tokens(sessions: impl Iterator<Item = i64>) -> Vec<String> {
    let settings = Settings::for_env(Environment::Development).expect("settings");
    let keys = KeyRing::new(Secret::from(KEY_BASE.to_owned()), Vec::new());
    let mint = AccessTokens::open(&keys, &settings).expect("keys to sign with");
    let issued_at = Timestamp::from_millis(now_ms());
    let scopes = Scopes::parse("projects:read projects:write user:read").expect("scopes");
    let tokens = sessions.map(|session| {
        mint.mint(&NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: Timestamp::from_millis(0),
            claims: &Claims::default(),
            audience: None,
            user_id: UserId(session),
            sid: &session.to_string(),
            scopes: &scopes,
            jti: &format!("{session:032x}"),
            issued_at,
            expires_at: issued_at + Duration::from_secs(24 * 3600),
        })
        .expect("an access token")
    });
    tokens.collect()
}
