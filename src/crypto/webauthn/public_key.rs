//! The public key of a passkey: a COSE key (RFC 9052, RFC 9053, RFC 8230) of one of three algorithms.
//!
//! Whether a point is on its curve is checked with a signature, and not before: a client can register a key for which it
//! cannot sign in any case.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::cbor::{Item, Reader};
use super::refusal::Refusal;

const ES256: i32 = -7;
const EDDSA: i32 = -8;
const RS256: i32 = -257;

/// The algorithms that passkeys may have, in the order in which they are requested: the numbers of COSE.
pub const ALGORITHMS: [i32; 3] = [EDDSA, ES256, RS256];

/// Labels of a COSE key. Those of the parameters have other meanings in other types of key.
const KEY_TYPE: i128 = 1;
const ALGORITHM: i128 = 3;
const CURVE: i128 = -1;
const X: i128 = -2;
const Y: i128 = -3;
const MODULUS: i128 = -1;
const EXPONENT: i128 = -2;

const OKP: i128 = 1;
const EC2: i128 = 2;
const RSA: i128 = 3;
const P256: i128 = 1;
const CURVE_ED25519: i128 = 6;

/// The public key of a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    cose: Vec<u8>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    /// An uncompressed point: 4, x, y.
    Es256([u8; 65]),
    EdDsa([u8; 32]),
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads the COSE key that [`PublicKey::as_cose`] returned.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn from_cose(cose: &[u8]) -> Result<Self, Refusal> {
        let (key, rest) = Self::read(cose)?;
        if !rest.is_empty() {
            return Err(Refusal::TrailingBytes);
        }
        Ok(key)
    }

    /// As COSE, to be stored.
    pub fn as_cose(&self) -> &[u8] {
        &self.cose
    }

    /// The key at the start of `bytes`, and what follows it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let mut reader = Reader::new(bytes);
        let material = Material::from_cose(&reader.item()?)?;
        let (cose, rest) = bytes.split_at(bytes.len() - reader.rest().len());
        let cose = cose.to_vec();
        Ok((Self { cose, material }, rest))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let verified = match &self.material {
            Material::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Material::EdDsa(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            Material::Rs256 { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
        };
        verified.map_err(|_| Refusal::Signature)
    }
}

impl Material {
    fn from_cose(key: &Item<'_>) -> Result<Self, Refusal> {
        let Item::Map(parameters) = key else {
            return Err(Refusal::PublicKey);
        };
        let Some(Item::Integer(algorithm)) = key.get(&Item::Integer(ALGORITHM)) else {
            return Err(Refusal::Algorithm);
        };
        let (key_type, curve, count) = match i32::try_from(*algorithm) {
            Ok(ES256) => (EC2, Some(P256), 5),
            Ok(EDDSA) => (OKP, Some(CURVE_ED25519), 4),
            Ok(RS256) => (RSA, None, 4),
            _ => return Err(Refusal::Algorithm),
        };
        // 6.5.1.1: no optional parameters beside the algorithm.
        if key.get(&Item::Integer(KEY_TYPE)) != Some(&Item::Integer(key_type))
            || parameters.len() != count
        {
            return Err(Refusal::PublicKey);
        }
        if let Some(curve) = curve
            && key.get(&Item::Integer(CURVE)) != Some(&Item::Integer(curve))
        {
            return Err(Refusal::Curve);
        }
        match key_type {
            EC2 => Self::es256(bytes(key, X)?, bytes(key, Y)?),
            OKP => bytes(key, X)?.try_into().ok().map(Self::EdDsa),
            _ => Self::rs256(bytes(key, MODULUS)?, bytes(key, EXPONENT)?),
        }
        .ok_or(Refusal::PublicKey)
    }

    fn es256(x: &[u8], y: &[u8]) -> Option<Self> {
        let halves: [&[u8; 32]; 2] = [x.try_into().ok()?, y.try_into().ok()?];
        let point = [&[4], &halves[0][..], &halves[1][..]].concat();
        point.try_into().ok().map(Self::Es256)
    }

    /// What ring verifies with: both odd and without leading zeros, the modulus of 2048 to 8192 bits, the exponent from 3
    /// to 2^33 - 1.
    fn rs256(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let is_odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
        let accepted = is_odd(modulus)
            && is_odd(exponent)
            && (2048..=8192).contains(&bits(modulus)?)
            && (2..=33).contains(&bits(exponent)?);
        accepted.then(|| Self::Rs256 {
            modulus: modulus.to_vec(),
            exponent: exponent.to_vec(),
        })
    }
}

/// The length of an integer; none for one with leading zeros.
fn bits(integer: &[u8]) -> Option<u32> {
    let first = integer.first().filter(|first| **first != 0)?;
    Some(u32::try_from(integer.len()).ok()?.checked_mul(8)? - first.leading_zeros())
}

fn bytes<'a>(key: &Item<'a>, label: i128) -> Result<&'a [u8], Refusal> {
    match key.get(&Item::Integer(label)) {
        Some(Item::Bytes(bytes)) => Ok(bytes),
        _ => Err(Refusal::PublicKey),
    }
}
