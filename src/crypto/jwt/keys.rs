//! The keys of access tokens: an Ed25519 key pair, whose public half is published, and an HS256 secret, which is not.
//! The key id (`kid`) of each is derived from the same key base as the key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::Serialize;
use utoipa::ToSchema;

use crate::crypto::key_ring::Key;
use crate::domain::error::{Error, Result};

/// A key and its id. The id determines the algorithm.
pub(super) struct JwtKey {
    kid: String,
    material: Material,
}

enum Material {
    Ed25519(Ed25519KeyPair),
    Hs256(hmac::Key),
}

/// An Ed25519 public key (RFC 8037, 2).
#[derive(Serialize, ToSchema)]
#[schema(as = VerifyingKey)]
pub(super) struct Jwk<'k> {
    kty: &'static str,
    crv: &'static str,
    x: String,
    r#use: &'static str,
    alg: &'static str,
    kid: &'k str,
}

impl JwtKey {
    /// A key pair from the first 32 bytes of `seed`.
    pub(super) fn ed25519(seed: &Key) -> Result<Self> {
        let (seed, _) = seed.split_at(32);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self {
            kid: thumbprint(&x(&pair)),
            material: Material::Ed25519(pair),
        })
    }

    /// A secret. Its id comes from a key of its own and reveals nothing about the secret.
    pub(super) fn hs256(key: &Key, name: &Key) -> Self {
        Self {
            kid: BASE64_URL_SAFE_NO_PAD.encode(&name[..16]),
            material: Material::Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())),
        }
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn alg(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "EdDSA",
            Material::Hs256(_) => "HS256",
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.material {
            Material::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Material::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Ed25519(pair) => {
                UnparsedPublicKey::new(&ED25519, pair.public_key()).verify(message, signature)
            }
            Material::Hs256(key) => hmac::verify(key, message, signature),
        }
        .is_ok()
    }

    /// The public half; `None` for a secret.
    pub(super) fn jwk(&self) -> Option<Jwk<'_>> {
        match &self.material {
            Material::Ed25519(pair) => Some(Jwk {
                kty: "OKP",
                crv: "Ed25519",
                x: x(pair),
                r#use: "sig",
                alg: self.alg(),
                kid: &self.kid,
            }),
            Material::Hs256(_) => None,
        }
    }
}

/// The public key as base64url (RFC 8037, 2).
fn x(pair: &Ed25519KeyPair) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(pair.public_key())
}

/// The thumbprint of a public key (RFC 7638): the hash of its required members in alphabetical order.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, A.1 to A.3.
    #[test]
    fn the_kid_is_the_rfc_7638_thumbprint() {
        let seed = BASE64_URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let mut key = Key::new([0; 64]);
        key[..32].copy_from_slice(&seed);
        let key = JwtKey::ed25519(&key).unwrap();
        let jwk = key.jwk().unwrap();
        assert_eq!(jwk.x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(jwk.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
