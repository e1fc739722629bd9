//! Any text as an access token: what verifies has the claims that were signed, whichever algorithm signs.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::config::{Algorithm, Secret};
use cloakroom::crypto::jwt::{AccessTokenClaims, JwtKeys, NewAccessToken};
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, SessionId, UserId};
use cloakroom_fuzz::edited;
use libfuzzer_sys::fuzz_target;

/// The keys of each algorithm, with a token that they signed.
static JWT_KEYS: LazyLock<[(JwtKeys, String); 2]> = LazyLock::new(|| {
    [Algorithm::EdDsa, Algorithm::Hs256].map(|algorithm| {
        let key_ring = KeyRing::new(Secret::from("c".repeat(32)), vec![]);
        let jwt_keys = JwtKeys::new(
            &key_ring,
            algorithm,
            "https://issuer.example",
            "audience",
            &[],
            Duration::from_secs(900),
        )
        .unwrap();
        let claims = claims();
        let new = NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: claims.authenticated_at(),
            claims: &Claims::default(),
            audience: None,
            user_id: claims.user_id,
            sid: "2.fedcba9876543210fedcba9876543210",
            scopes: &claims.scopes,
            jti: &claims.jti,
            issued_at: claims.valid_from(),
            expires_at: claims.valid_until(),
        };
        let token = jwt_keys.sign(&new).unwrap();
        (jwt_keys, token)
    })
});

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// Replace a part of a valid token: header, payload, signature.
    parts: [Option<&'a [u8]>; 3],
    edits: Vec<(usize, char)>,
    text: &'a str,
}

fuzz_target!(|input: Input| {
    for (jwt_keys, token) in JWT_KEYS.iter() {
        assert_eq!(read(jwt_keys, token), Some(claims()));
        for text in [
            replaced(token, &input.parts),
            edited(token, &input.edits),
            input.text.to_owned(),
        ] {
            let read = read(jwt_keys, &text);
            assert!(
                read.is_none() || read == Some(claims()),
                "{text} has claims of its own"
            );
        }
    }
});

fn read(jwt_keys: &JwtKeys, text: &str) -> Option<AccessTokenClaims> {
    jwt_keys.verify(text).map(|signed| signed.claims)
}

fn claims() -> AccessTokenClaims {
    AccessTokenClaims {
        auth_methods: AuthMethods::default(),
        authenticated_at: 0,
        user_id: UserId(1),
        session_id: SessionId(2),
        session_nonce: "fedcba9876543210".repeat(2).into(),
        scopes: Scopes::parse("orders:read orders:write").unwrap(),
        jti: "0123456789abcdef".repeat(2).into(),
        audience: None,
        issued_at: 1_769_851_800,
        not_before: 1_769_851_800,
        expires_at: 1_769_852_100,
    }
}

/// `token` with some of its parts replaced by others, in base64url.
fn replaced(token: &str, parts: &[Option<&[u8]>; 3]) -> String {
    let parts: Vec<String> = token
        .split('.')
        .zip(parts)
        .map(|(own, other)| {
            other.map_or_else(
                || own.to_owned(),
                |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes),
            )
        })
        .collect();
    parts.join(".")
}
