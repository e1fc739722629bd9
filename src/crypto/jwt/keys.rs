//! The keys of access tokens, derived from each secret key base: an Ed25519 pair, whose public half is published, and
//! one for HS256, which is not. Each has a name (`kid`) that is made from the key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::TYP;
use crate::crypto::key_ring::Key;
use crate::domain::error::{Error, Result};

/// A PKCS #8 private key of Ed25519 (RFC 8410, 7) up to the 32 bytes of the seed.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// What signs.
pub(super) struct SigningKey {
    pub(super) header: Header,
    pub(super) key: EncodingKey,
}

/// What verifies: a name, and the one algorithm and key that it stands for.
pub(super) struct VerifyingKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    pub(super) rules: Validation,
}

/// A public key as others read it (RFC 8037, 2).
#[derive(Serialize)]
pub(super) struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    r#use: &'static str,
    alg: &'static str,
    pub(super) kid: String,
}

/// An Ed25519 pair.
pub(super) struct Ed25519 {
    pkcs8: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl Ed25519 {
    pub(super) fn from_key(key: &Key) -> Result<Self> {
        let (seed, _) = key.split_at(32);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|fault| Error::internal(fault.to_string()))?;
        let pkcs8 = Zeroizing::new([&PKCS8, seed].concat());
        Ok(Self {
            pkcs8,
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    pub(super) fn signing(&self) -> SigningKey {
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        SigningKey {
            header: header(Algorithm::EdDSA, self.kid()),
            key,
        }
    }

    pub(super) fn verifying(&self, rules: &Validation) -> VerifyingKey {
        let key = DecodingKey::from_ed_der(&self.public);
        pinned(self.kid(), Algorithm::EdDSA, key, rules)
    }

    pub(super) fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: self.x(),
            r#use: "sig",
            alg: "EdDSA",
            kid: self.kid(),
        }
    }

    fn kid(&self) -> String {
        thumbprint(&self.x())
    }

    fn x(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.public)
    }
}

/// A secret for HS256, whose name is derived beside it and tells nothing of it.
pub(super) struct Hs256 {
    pub(super) key: Key,
    pub(super) name: Key,
}

impl Hs256 {
    pub(super) fn signing(&self) -> SigningKey {
        let key = EncodingKey::from_secret(self.key.as_slice());
        SigningKey {
            header: header(Algorithm::HS256, self.kid()),
            key,
        }
    }

    pub(super) fn verifying(&self, rules: &Validation) -> VerifyingKey {
        let key = DecodingKey::from_secret(self.key.as_slice());
        pinned(self.kid(), Algorithm::HS256, key, rules)
    }

    fn kid(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.name[..16])
    }
}

fn header(algorithm: Algorithm, kid: String) -> Header {
    Header {
        typ: Some(TYP.to_owned()),
        kid: Some(kid),
        ..Header::new(algorithm)
    }
}

fn pinned(kid: String, algorithm: Algorithm, key: DecodingKey, rules: &Validation) -> VerifyingKey {
    let rules = Validation {
        algorithms: vec![algorithm],
        ..rules.clone()
    };
    VerifyingKey {
        kid,
        algorithm,
        key,
        rules,
    }
}

/// The name of a public key (RFC 7638): the hash of its required members in the order of the alphabet.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(members))
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
        let pair = Ed25519::from_key(&key).unwrap();
        assert_eq!(pair.x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(pair.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
