//! Messages to ourselves that travel through others, who can neither read nor change them: AES-256-GCM under a derived key,
//! in base64url.
//!
//! # Threats
//! - a message for one purpose used for another: each purpose has its own key
//! - an old message: its expiry is sealed with it; a previous key opens messages for one lifetime after it was retired
//! - a repeated nonce: 96 random bits; limits keep the number of messages far below 2^32 in the life of a key

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::crypto::key_ring::{Key, KeyRing, Purpose};
use crate::crypto::token::fill_random;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// A message that was opened.
pub struct Opened {
    /// The message.
    pub message: Vec<u8>,
    /// It is invalid from then on: the caller says so to the user whose message it is.
    pub expires_at: Timestamp,
}

/// Seals a message that is valid until `expires_at`.
///
/// # Errors
/// The operating system's generator fails.
pub fn seal(
    key_ring: &KeyRing,
    purpose: Purpose,
    expires_at: Timestamp,
    message: &[u8],
) -> Result<String> {
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce)?;
    let mut bytes = [&expires_at.as_millis().to_be_bytes()[..], message].concat();
    let tag = key(&key_ring.signing(purpose))?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut bytes,
        )
        .map_err(|_| Error::internal("a message cannot be sealed"))?;
    let whole = [&nonce[..], &bytes, tag.as_ref()].concat();
    Ok(BASE64_URL_SAFE_NO_PAD.encode(whole))
}

/// Opens a message; `None` if it is malformed, forged or for another purpose. It may be expired.
pub fn open(
    key_ring: &KeyRing,
    purpose: Purpose,
    text: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Option<Opened> {
    let whole = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = whole.split_first_chunk::<NONCE_LEN>()?;
    let mut keys = key_ring.verifying(purpose);
    keys.find_map(|found| {
        if found.verifies_until(lifetime).is_some_and(|end| now >= end) {
            return None;
        }
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = key(&found.key).ok()?;
        let opened = key.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?;
        let (expires_at, message) = opened.split_first_chunk::<8>()?;
        Some(Opened {
            message: message.to_vec(),
            expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at)),
        })
    })
}

fn key(derived: &Key) -> Result<LessSafeKey> {
    let half = &derived[..AES_256_GCM.key_len()];
    let key = UnboundKey::new(&AES_256_GCM, half).map_err(|_| Error::internal("no AES key"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    const PURPOSE: Purpose = Purpose::ProviderState;
    const LIFETIME: Duration = Duration::from_secs(60);
    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn key_ring(current: &str, previous: &[&str]) -> KeyRing {
        let base = |letter: &str| Secret::from(letter.repeat(32));
        KeyRing::new(
            base(current),
            previous.iter().map(|letter| base(letter)).collect(),
        )
    }

    fn message_in(key_ring: &KeyRing, text: &str, now: Timestamp) -> Option<Vec<u8>> {
        open(key_ring, PURPOSE, text, LIFETIME, now).map(|opened| opened.message)
    }

    #[test]
    fn a_message_reads_back_with_its_expiry() {
        let text = seal(&key_ring("a", &[]), PURPOSE, NOW, b"message").unwrap();
        let opened = open(&key_ring("a", &[]), PURPOSE, &text, LIFETIME, NOW).unwrap();
        assert_eq!(
            (&*opened.message, opened.expires_at),
            (&b"message"[..], NOW)
        );
        let other = seal(&key_ring("a", &[]), PURPOSE, NOW, b"message").unwrap();
        assert_ne!(text, other);
    }

    #[test]
    fn a_changed_message_is_refused() {
        let key_ring = key_ring("a", &[]);
        let text = seal(&key_ring, PURPOSE, NOW, b"message").unwrap();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character has bits that say nothing.
            let same = BASE64_URL_SAFE_NO_PAD.decode(&changed).ok()
                == BASE64_URL_SAFE_NO_PAD.decode(&text).ok();
            assert!(same || message_in(&key_ring, &changed, NOW).is_none());
        }
        let other = open(&key_ring, Purpose::TotpSecret, &text, LIFETIME, NOW);
        assert!(other.is_none());
        assert!(message_in(&key_ring, "", NOW).is_none());
    }

    #[test]
    fn a_retired_key_opens_for_one_lifetime() {
        let before = key_ring("a", &[]);
        let text = seal(&before, PURPOSE, NOW, b"message").unwrap();
        let mut after = key_ring("b", &["a"]);
        assert!(message_in(&after, &text, NOW).is_some());
        after.note_retirement(&before.names().current, NOW);
        assert!(message_in(&after, &text, NOW + LIFETIME / 2).is_some());
        assert!(message_in(&after, &text, NOW + LIFETIME).is_none());
    }
}
