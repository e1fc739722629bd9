//! Signed messages for links: `base64url(payload) . base64url(HMAC-SHA256)`, safe in a path. Also the other uses of a
//! derived MAC key: pseudonyms, and successors of refresh tokens.
//!
//! The payload is a user id, the expiry and a fingerprint: 16 bytes of a keyed hash of the facts the link is bound to (a
//! password digest, an address).
//!
//! # Threats
//! - forgery: the MAC is compared in constant time before the payload is parsed or the database is read
//! - a link for one purpose used for another: each purpose has its own key
//! - a link used after the facts it is bound to have changed: the fingerprint no longer matches

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::hex;
use crate::crypto::key_ring::{Key, KeyRing, Purpose};
use crate::crypto::token::{PlainToken, ReplaySeed};
use crate::domain::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

const VERSION: u8 = 1;
const FINGERPRINT_LENGTH: usize = 16;
const PAYLOAD_LENGTH: usize = 1 + 8 + 8 + FINGERPRINT_LENGTH;
pub(super) const MAC_LENGTH: usize = 32;
const JTI_LENGTH: usize = 16;
/// The key material of a successor: its `jti`, then the bytes that its characters are drawn from.
const MATERIAL_LENGTH: usize = JTI_LENGTH + 112;

/// A verified message. [`SignedMessage::is_bound_to`] checks its fingerprint.
#[derive(Clone, Debug)]
pub struct SignedMessage {
    /// The user it is about.
    pub subject: UserId,
    /// It is invalid from then on.
    pub expires_at: Timestamp,
    fingerprint: [u8; FINGERPRINT_LENGTH],
    key: Key,
}

/// Signs a message about `subject` that is valid until `expires_at` and bound to `parts`.
pub fn sign(
    key_ring: &KeyRing,
    purpose: Purpose,
    subject: UserId,
    expires_at: Timestamp,
    parts: &[impl AsRef<str>],
) -> String {
    let key = key_ring.signing(purpose);
    let mut payload = Vec::with_capacity(PAYLOAD_LENGTH);
    payload.push(VERSION);
    payload.extend(subject.0.to_be_bytes());
    payload.extend(expires_at.as_millis().to_be_bytes());
    payload.extend(fingerprint(&key, parts));
    let mac = mac(&key, b"message", &[&payload]);
    format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(&payload),
        BASE64_URL_SAFE_NO_PAD.encode(mac)
    )
}

/// Verifies a message signed by [`sign`] with the current or a previous key; `None` if it is malformed, forged, for
/// another purpose or expired. A previous key verifies for `lifetime`, that of such messages, after it was retired.
pub fn verify(
    key_ring: &KeyRing,
    purpose: Purpose,
    text: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Option<SignedMessage> {
    let (payload, signature) = text.split_once('.')?;
    let payload = decode::<PAYLOAD_LENGTH>(payload)?;
    let signature = decode::<MAC_LENGTH>(signature)?;
    let key = key_ring.verifying(purpose).find(|found| {
        mac(&found.key, b"message", &[&payload])
            .ct_eq(&signature)
            .into()
    })?;
    if !key.verifies_at(lifetime, now) {
        return None;
    }

    let (version, rest) = payload.split_first()?;
    let (subject, rest) = rest.split_first_chunk::<8>()?;
    let (expires_at, fingerprint) = rest.split_first_chunk::<8>()?;
    let message = SignedMessage {
        subject: UserId(i64::from_be_bytes(*subject)),
        expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at)),
        fingerprint: fingerprint.try_into().ok()?,
        key: key.key,
    };
    (*version == VERSION && now < message.expires_at).then_some(message)
}

impl SignedMessage {
    /// Whether `parts` are the same as when it was signed.
    pub fn is_bound_to(&self, parts: &[impl AsRef<str>]) -> bool {
        fingerprint(&self.key, parts)
            .ct_eq(&self.fingerprint)
            .into()
    }
}

/// A keyed hash of `text`, 32 hex digits: it identifies the text without revealing it.
pub fn pseudonym(key_ring: &KeyRing, purpose: Purpose, text: &str) -> String {
    let name = mac(&key_ring.signing(purpose), b"pseudonym", &[text.as_bytes()]);
    hex(&name[..16])
}

/// The tokens that follow a refresh token.
pub struct Successor {
    /// The refresh token.
    pub token: PlainToken,
    /// The `jti` of its access token: 32 hex digits.
    pub jti: String,
}

/// The successor of a consumed refresh token by each key, the current one first, as a pure function of token, seed and
/// key. Without all three it cannot be computed.
pub fn successors(
    key_ring: &KeyRing,
    consumed: &PlainToken,
    seed: &ReplaySeed,
) -> impl Iterator<Item = Result<Successor>> {
    key_ring
        .verifying(Purpose::RefreshSuccessor)
        .map(move |found| derive_successor(&found.key, consumed, seed))
}

fn derive_successor(key: &Key, consumed: &PlainToken, seed: &ReplaySeed) -> Result<Successor> {
    let input = Zeroizing::new([&key[..], consumed.reveal().as_bytes()].concat());
    let mut material = Zeroizing::new([0; MATERIAL_LENGTH]);
    Hkdf::<Sha256>::new(Some(seed.as_bytes()), &input)
        .expand(b"cloakroom v1 refresh successor", material.as_mut_slice())
        .map_err(|fault| Error::internal(fault.to_string()))?;
    let (name, rest) = material.split_at(JTI_LENGTH);
    Ok(Successor {
        token: consumed.successor(rest)?,
        jti: hex(name),
    })
}

fn fingerprint(key: &Key, parts: &[impl AsRef<str>]) -> [u8; FINGERPRINT_LENGTH] {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_ref().as_bytes()).collect();
    let mut short = [0; FINGERPRINT_LENGTH];
    short.copy_from_slice(&mac(key, b"fingerprint", &parts)[..FINGERPRINT_LENGTH]);
    short
}

/// HMAC-SHA256 of a label and parts, each prefixed with its length, so that different lists have different inputs.
pub(super) fn mac(key: &Key, label: &[u8], parts: &[&[u8]]) -> [u8; MAC_LENGTH] {
    let mut mac = Hmac::<Sha256>::new((&**key).into());
    for part in std::iter::once(&label).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key_ring::tests::key_ring;
    use crate::crypto::token::TokenKind;

    fn all(key_ring: &KeyRing, spent: &PlainToken, seed: &ReplaySeed) -> Vec<(String, String)> {
        let found = successors(key_ring, spent, seed).map(Result::unwrap);
        found
            .map(|successor| (successor.token.reveal().to_owned(), successor.jti))
            .collect()
    }

    #[test]
    fn a_retired_key_verifies_for_one_lifetime() {
        let (start, lifetime) = (Timestamp::from_millis(1_000), Duration::from_secs(60));
        let purpose = Purpose::Confirmation;
        let forged = sign(
            &key_ring("a", &[]),
            purpose,
            UserId(1),
            start + 1_000 * lifetime,
            &["bound"],
        );
        let mut after = key_ring("b", &["c", "a"]);
        let verifies =
            |key_ring: &KeyRing, now| verify(key_ring, purpose, &forged, lifetime, now).is_some();
        assert!(verifies(&after, start + 2 * lifetime));
        after.note_retirement(&key_ring("a", &[]).names().current, start);
        assert!(verifies(
            &after,
            start + lifetime - Duration::from_millis(1)
        ));
        assert!(!verifies(&after, start + lifetime));
    }

    #[test]
    fn successors_depend_on_token_seed_and_key() {
        let [spent, other] = [(); 2].map(|()| PlainToken::generate(TokenKind::Refresh).unwrap());
        let [seed, other_seed] = [(); 2].map(|()| ReplaySeed::generate().unwrap());
        let own = all(&key_ring("a", &[]), &spent, &seed);
        assert_eq!(own, all(&key_ring("a", &[]), &spent, &seed));
        for differs in [
            all(&key_ring("b", &[]), &spent, &seed),
            all(&key_ring("a", &[]), &other, &seed),
            all(&key_ring("a", &[]), &spent, &other_seed),
        ] {
            assert!(own[0].0 != differs[0].0 && own[0].1 != differs[0].1);
        }
        let (token, jti) = &own[0];
        assert!(
            PlainToken::parse(TokenKind::Refresh, token)
                .unwrap()
                .family()
                == spent.family()
        );
        assert!(
            jti.len() == 32
                && jti
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        );
    }

    #[test]
    fn successors_of_previous_keys_follow_the_current_one() {
        let (spent, seed) = (
            PlainToken::generate(TokenKind::Refresh).unwrap(),
            ReplaySeed::generate().unwrap(),
        );
        let [before, after] = [("a", &[][..]), ("b", &["a"][..])]
            .map(|(current, previous)| all(&key_ring(current, previous), &spent, &seed));
        assert_eq!((after.len(), &after[1]), (2, &before[0]));
        assert_ne!(after[0], before[0]);
    }
}
