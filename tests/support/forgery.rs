//! Forged access tokens, made from a valid one and the public keys.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// Each forgery with its description.
pub fn forgeries(good: &str, jwks: &Value) -> Vec<(&'static str, String)> {
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("{good}")
    };
    let changed = |segment: &str, name: &str, value: Value| {
        let mut object: Value =
            serde_json::from_slice(&BASE64URL.decode(segment).unwrap()).unwrap();
        object[name] = value;
        BASE64URL.encode(object.to_string())
    };
    let none = changed(header, "alg", json!("none"));
    let other_claims = changed(claims, "sub", json!("1000"));
    let other_key = changed(header, "kid", json!("../../etc/passwd"));
    let symmetric = format!("{}.{claims}", changed(header, "alg", json!("HS256")));
    let public = BASE64URL
        .decode(jwks["keys"][0]["x"].as_str().unwrap())
        .unwrap();
    let mut by_public_key = Hmac::<Sha256>::new_from_slice(&public).unwrap();
    by_public_key.update(symmetric.as_bytes());
    let by_public_key = BASE64URL.encode(by_public_key.finalize().into_bytes());
    vec![
        ("no signature", format!("{none}.{claims}.")),
        (
            "an algorithm that is none",
            format!("{none}.{claims}.{signature}"),
        ),
        (
            "other claims",
            format!("{header}.{other_claims}.{signature}"),
        ),
        (
            "another key's name",
            format!("{other_key}.{claims}.{signature}"),
        ),
        (
            "HS256 by the public key",
            format!("{symmetric}.{by_public_key}"),
        ),
        ("a segment less", format!("{header}.{claims}")),
        ("nothing of a JWT", "good".to_owned()),
    ]
}
