//! Messages to ourselves that travel through others, who can neither read nor change them: AES-256-GCM under a derived key,
//! in base64url.
//!
//! # Threats
//! - a message for one purpose used for another: each purpose has its own key
//! - an old message: its expiry is sealed with it; a previous key opens messages for one lifetime after it was retired
//! - a repeated nonce: see [`aead`]; limits keep the number of messages far below 2^32 in the life of a key

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::crypto::aead;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;

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
    let bytes = [&expires_at.as_millis().to_be_bytes()[..], message].concat();
    let sealed = aead::seal(&key_ring.signing(purpose), b"", &bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a message; `None` if it is malformed, forged or for another purpose. It may be expired.
pub fn open(
    key_ring: &KeyRing,
    purpose: Purpose,
    text: &str,
    lifetime: Duration,
    now: Timestamp,
) -> Option<Opened> {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut keys = key_ring
        .verifying(purpose)
        .filter(|found| found.verifies_at(lifetime, now));
    let opened = keys.find_map(|found| aead::open(&found.key, b"", &sealed))?;
    let (expires_at, message) = opened.split_first_chunk::<8>()?;
    Some(Opened {
        message: message.to_vec(),
        expires_at: Timestamp::from_millis(i64::from_be_bytes(*expires_at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key_ring::tests::key_ring;

    const PURPOSE: Purpose = Purpose::ProviderState;
    const LIFETIME: Duration = Duration::from_secs(60);
    const NOW: Timestamp = Timestamp::from_millis(1_000);

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
