//! Signatures of other servers: compact JSON Web Signatures (RFC 7515) by the keys of a JWK set (RFC 7517), with ring.
//!
//! # Threats
//! - algorithm confusion (RFC 8725, 2.1): only four asymmetric algorithms exist here; the algorithm must fit the type of the
//!   key, and the one that the key names
//! - a header that brings its own key (`jku`, `jwk`, `x5u`, `x5c`): these are not read; `crit` is refused
//! - weak keys: ring refuses RSA below 2048 bits
//! - large input: the caller bounds it

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set that are read.
const MOST_KEYS: usize = 100;

/// An algorithm that is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// Its name (RFC 7518, 3.1; RFC 8037, 3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// The left half of the hash of a text in base64url, as `at_hash` has it (OpenID Connect Core 1.0, 3.1.3.6).
    pub fn half_hash(self, text: &str) -> String {
        let algorithm = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &SHA256,
            Self::EdDsa => &SHA512,
        };
        let hash = digest(algorithm, text.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
    }
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// It is no signed token, or has extensions that must be understood.
    Malformed,
    /// The algorithm is not among those that are verified.
    Algorithm,
    /// No key of the set has its id, its type and its algorithm.
    UnknownKey,
    /// No such key has signed it.
    Signature,
}

/// A token whose signature is not verified yet.
pub struct Jws<'t> {
    /// Its algorithm.
    pub algorithm: Algorithm,
    kid: Option<String>,
    message: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl<'t> Jws<'t> {
    /// Parses the compact form.
    ///
    /// # Errors
    /// [`JwsError::Malformed`] or [`JwsError::Algorithm`].
    pub fn parse(text: &'t str) -> Result<Self, JwsError> {
        let (message, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Malformed)?;
        let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("jwt");
        let is_plain = header.crit.is_none() && header.typ.as_ref().is_none_or(is_jwt);
        if !is_plain || payload.contains('.') {
            return Err(JwsError::Malformed);
        }
        Ok(Self {
            algorithm: Algorithm::from_name(&header.alg).ok_or(JwsError::Algorithm)?,
            kid: header.kid,
            message,
            payload,
            signature: decode(signature)?,
        })
    }

    /// The payload, if a key of the set has signed it.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(&self, keys: &KeySet) -> Result<Vec<u8>, JwsError> {
        let mut candidates = keys.0.iter().filter(|key| self.is_by(key)).peekable();
        if candidates.peek().is_none() {
            return Err(JwsError::UnknownKey);
        }
        let message = self.message.as_bytes();
        match candidates.any(|key| key.verify(self.algorithm, message, &self.signature)) {
            true => decode(self.payload),
            false => Err(JwsError::Signature),
        }
    }

    /// Whether a key may have signed it. A token without an id is tried with every key of its type.
    fn is_by(&self, key: &PublicKey) -> bool {
        let has_id = self.kid.is_none() || self.kid == key.kid;
        let fits = match self.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(key.material, Material::Rsa { .. }),
            Algorithm::Es256 => matches!(key.material, Material::P256(_)),
            Algorithm::EdDsa => matches!(key.material, Material::Ed25519(_)),
        };
        let named = key.algorithm.as_deref();
        has_id && fits && named.is_none_or(|name| name == self.algorithm.as_str())
    }
}

/// The keys of a JWK set that can verify.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

#[derive(Clone, Debug)]
struct PublicKey {
    kid: Option<String>,
    algorithm: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeySet {
    /// From a set; keys of other types, for encryption and malformed ones are left out. `None` if it is no set.
    pub fn from_json(set: &Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        let keys = keys.iter().take(MOST_KEYS);
        Some(Self(keys.filter_map(PublicKey::from_json).collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PublicKey {
    fn from_json(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa {
                n: without_zeros(bytes("n")?),
                e: without_zeros(bytes("e")?),
            },
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                let is_whole = x.len() == 32 && y.len() == 32;
                is_whole.then(|| Material::P256([&[4], &*x, &*y].concat()))?
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        Some(Self {
            kid: text("kid").map(str::to_owned),
            algorithm: text("alg").map(str::to_owned),
            material,
        })
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature)
        };
        let by_rsa = |parameters: &RsaParameters, n: &[u8], e: &[u8]| {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
        };
        match (algorithm, &self.material) {
            (Algorithm::Rs256, Material::Rsa { n, e }) => by_rsa(&RSA_PKCS1_2048_8192_SHA256, n, e),
            (Algorithm::Ps256, Material::Rsa { n, e }) => by_rsa(&RSA_PSS_2048_8192_SHA256, n, e),
            (Algorithm::Es256, Material::P256(point)) => by(&ECDSA_P256_SHA256_FIXED, point),
            (Algorithm::EdDsa, Material::Ed25519(key)) => by(&ED25519, key),
            _ => return false,
        }
        .is_ok()
    }
}

/// As ring wants numbers; some servers add a zero in front.
fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwsError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8037, A.4: a signature by Ed25519.
    const ED25519_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    /// RFC 7515, A.3: a signature by ES256.
    const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
        cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP\
        P3-Kg6NU1Q";

    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn p256() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
        })
    }

    fn verified(token: &str, keys: Value) -> Result<Vec<u8>, JwsError> {
        Jws::parse(token)?.verify(&KeySet::from_json(&json!({ "keys": keys })).unwrap())
    }

    #[test]
    fn the_tokens_of_the_rfcs_are_verified() {
        let payload = verified(ED25519_TOKEN, json!([p256(), ed25519()])).unwrap();
        assert_eq!(payload, b"Example of Ed25519 signing");
        let payload = verified(ES256_TOKEN, json!([ed25519(), p256()])).unwrap();
        assert!(payload.starts_with(b"{\"iss\":\"joe\""));
    }

    #[test]
    fn only_a_fitting_key_is_tried() {
        let with = |name: &str, value: &str| {
            let mut key = ed25519();
            key[name] = json!(value);
            verified(ED25519_TOKEN, json!([key])).err()
        };
        assert_eq!(with("kid", "any"), None);
        assert_eq!(with("use", "sig"), None);
        assert_eq!(with("alg", "EdDSA"), None);
        assert_eq!(with("alg", "ES256"), Some(JwsError::UnknownKey));
        assert_eq!(with("use", "enc"), Some(JwsError::UnknownKey));
        assert_eq!(with("crv", "X25519"), Some(JwsError::UnknownKey));
        let other = "AAqYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(with("x", other), Some(JwsError::Signature));
    }

    #[test]
    fn a_header_that_asks_for_more_is_refused() {
        let refused = |header: Value| {
            let (_, rest) = ED25519_TOKEN.split_once('.').unwrap();
            let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
            Jws::parse(&format!("{header}.{rest}")).err()
        };
        assert_eq!(refused(json!({ "alg": "EdDSA", "typ": "JWT" })), None);
        for (header, error) in [
            (json!({ "alg": "none" }), JwsError::Algorithm),
            (json!({ "alg": "HS256" }), JwsError::Algorithm),
            (json!({ "alg": "eddsa" }), JwsError::Algorithm),
            (json!({ "alg": "RS1" }), JwsError::Algorithm),
            (json!({}), JwsError::Malformed),
            (json!({ "alg": ["EdDSA"] }), JwsError::Malformed),
            (
                json!({ "alg": "EdDSA", "typ": "at+jwt" }),
                JwsError::Malformed,
            ),
            (
                json!({ "alg": "EdDSA", "crit": ["b64"] }),
                JwsError::Malformed,
            ),
        ] {
            assert_eq!(refused(header.clone()), Some(error), "{header}");
        }
        for text in ["", ".", "a.b", "....", "e30.e30.", "🔑.🔑.🔑"] {
            assert!(Jws::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_left_out() {
        let mut cut = p256();
        cut["x"] = json!("f83O");
        let keys = json!({ "keys": [null, 1, {}, cut, { "kty": "oct", "k": "AA" }, ed25519()] });
        assert_eq!(KeySet::from_json(&keys).unwrap().0.len(), 1);
        assert!(KeySet::from_json(&json!({ "keys": {} })).is_none());
        assert!(KeySet::from_json(&json!([])).is_none());
    }
}
