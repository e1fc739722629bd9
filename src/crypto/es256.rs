//! Tokens signed by a key of the operator's with ES256 (RFC 7518, 3.4), as a provider may require them of its clients.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::domain::error::{Error, Result};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A private key of P-256.
pub struct Es256Key(EcdsaKeyPair);

impl Es256Key {
    /// From PKCS #8 in PEM; `None` if it is no such key.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once(BEGIN)?;
        let (body, _) = rest.split_once(END)?;
        let text: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        let der = Zeroizing::new(BASE64_STANDARD.decode(&*text).ok()?);
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random);
        key.ok().map(Self)
    }

    /// A signed token in the compact form (RFC 7515, 3.1).
    ///
    /// # Errors
    /// The operating system's generator fails.
    pub fn sign(&self, key_id: &str, claims: &Value) -> Result<String> {
        let header = json!({ "alg": "ES256", "kid": key_id });
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signed = self.0.sign(&SystemRandom::new(), message.as_bytes());
        let signature = signed.map_err(|_| Error::internal("no random numbers"))?;
        Ok(format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::KeyPair;

    use super::*;
    use crate::crypto::jws::{Jws, KeySet};

    /// A key as Apple gives it out, and its public half.
    fn pem() -> (String, Value) {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let der = der.as_ref();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random);
        let key = key.unwrap();
        let point = key.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let text = BASE64_STANDARD.encode(der);
        let (first, second) = text.split_at(64);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "key", "x": x, "y": y });
        (format!("{BEGIN}\n{first}\n{second}\n{END}\n"), jwk)
    }

    #[test]
    fn a_token_is_verified_by_the_public_half() {
        let (pem, jwk) = pem();
        let key = Es256Key::from_pem(&pem).unwrap();
        let token = key.sign("key", &json!({ "sub": "client" })).unwrap();
        let keys = KeySet::from_json(&json!({ "keys": [jwk] })).unwrap();
        let payload = Jws::parse(&token).unwrap().verify(&keys).unwrap();
        assert_eq!(payload, br#"{"sub":"client"}"#);
    }

    #[test]
    fn what_is_no_private_key_of_p_256_is_refused() {
        let (pem, _) = pem();
        let rsa = BASE64_STANDARD.encode(include_bytes!("../../tests/fixtures/rsa_key.p8"));
        for text in [
            "",
            BEGIN,
            &format!("{BEGIN}\n{END}"),
            &pem.replace("PRIVATE", "PUBLIC"),
            &format!("{BEGIN}\n{rsa}\n{END}"),
        ] {
            assert!(Es256Key::from_pem(text).is_none(), "{text}");
        }
    }
}
