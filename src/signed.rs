//! Signed messages for links: `base64url(payload) . base64url(HMAC-SHA256)`, safe in a path.
//!
//! The payload is a subject's id, the moment of expiry and a fingerprint: 16 bytes of a keyed hash over what
//! the link must die with (a password digest, an address). The purpose is in the key. A message is verified
//! before anything in it is believed, and the database is asked only after that.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::keys::{Key, Keys, Purpose};
use crate::model::UserId;

const VERSION: u8 = 1;
const FINGERPRINT_LENGTH: usize = 16;
const PAYLOAD_LENGTH: usize = 1 + 8 + 8 + FINGERPRINT_LENGTH;
const MAC_LENGTH: usize = 32;

/// What a verified message says. Whether its fingerprint still holds is for [`SignedMessage::is_bound_to`].
#[derive(Clone, Debug)]
pub struct SignedMessage {
    /// Whom it is about.
    pub subject: UserId,
    /// From this moment on it is void.
    pub expires_at: Timestamp,
    fingerprint: [u8; FINGERPRINT_LENGTH],
    key: Key,
}

/// Signs for `subject` until `expires_at`, bound to `parts`.
pub fn sign(
    keys: &Keys,
    purpose: Purpose,
    subject: UserId,
    expires_at: Timestamp,
    parts: &[impl AsRef<str>],
) -> String {
    let key = keys.signing(purpose);
    let mut payload = Vec::with_capacity(PAYLOAD_LENGTH);
    payload.push(VERSION);
    payload.extend(subject.0.to_be_bytes());
    payload.extend(expires_at.as_millis().to_be_bytes());
    payload.extend(fingerprint(&key, parts));
    let mac = mac(&key, b"message", &[&payload]);
    format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(&payload), BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// Reads a message signed by [`sign`] with the current or a previous key; `None` when it is malformed, forged,
/// for another purpose or expired.
pub fn verify(keys: &Keys, purpose: Purpose, text: &str, now: Timestamp) -> Option<SignedMessage> {
    let (payload, signature) = text.split_once('.')?;
    let payload = decode::<PAYLOAD_LENGTH>(payload)?;
    let signature = decode::<MAC_LENGTH>(signature)?;
    let key =
        keys.verifying(purpose).find(|key| mac(key, b"message", &[&payload]).ct_eq(&signature).into())?;

    let (version, rest) = payload.split_first()?;
    let (subject, rest) = rest.split_first_chunk::<8>()?;
    let (expires_at, fingerprint) = rest.split_first_chunk::<8>()?;
    let message = SignedMessage {
        subject: UserId(i64::from_be_bytes(*subject)),
        expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at)),
        fingerprint: fingerprint.try_into().ok()?,
        key,
    };
    (*version == VERSION && now < message.expires_at).then_some(message)
}

impl SignedMessage {
    /// Whether all of `parts` are still what they were when it was signed.
    pub fn is_bound_to(&self, parts: &[impl AsRef<str>]) -> bool {
        fingerprint(&self.key, parts).ct_eq(&self.fingerprint).into()
    }
}

/// A keyed name of `text`, in hex: the same for the same text, and no way back.
pub fn pseudonym(keys: &Keys, purpose: Purpose, text: &str) -> String {
    let name = mac(&keys.signing(purpose), b"pseudonym", &[text.as_bytes()]);
    name.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn fingerprint(key: &Key, parts: &[impl AsRef<str>]) -> [u8; FINGERPRINT_LENGTH] {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_ref().as_bytes()).collect();
    let mut short = [0; FINGERPRINT_LENGTH];
    short.copy_from_slice(&mac(key, b"fingerprint", &parts)[..FINGERPRINT_LENGTH]);
    short
}

/// HMAC-SHA256 over a label and parts, each with its length in front so that no two lists read the same.
fn mac(key: &Key, label: &[u8], parts: &[&[u8]]) -> [u8; MAC_LENGTH] {
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
