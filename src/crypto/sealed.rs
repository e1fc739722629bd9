//! Secrets that the server must read again: AES-256-GCM under a key derived from the key base.
//!
//! # Threats
//! - a copy of the database: without the key base nothing in it opens
//! - a row copied to another user: the user's id is authenticated with the secret
//! - a rotation of the key base: the name of the base stands beside the secret, which a previous base opens until it is
//!   sealed again
//! - a repeated nonce: see [`aead`]; a secret is sealed a few times in its life

use std::time::Duration;

use zeroize::Zeroizing;

use crate::crypto::aead;
use crate::crypto::key_ring::{KeyRing, Purpose};
use crate::domain::UserId;
use crate::domain::error::{Error, Result, UnavailableReason};

/// How long a client waits where a secret cannot be opened: nodes get a new key base one after another.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the key base that it is sealed under.
    pub key_base: String,
    /// As [`aead`] has it.
    pub bytes: Vec<u8>,
}

/// Seals a secret of a user under the current key base.
///
/// # Errors
/// The operating system's generator fails.
pub fn seal(key_ring: &KeyRing, purpose: Purpose, user: UserId, secret: &[u8]) -> Result<Sealed> {
    let key = key_ring.signing(purpose);
    let bytes = aead::seal(&key, &user.0.to_be_bytes(), secret)?;
    Ok(Sealed {
        key_base: key_ring.names().current,
        bytes,
    })
}

/// Opens a secret of a user.
///
/// # Errors
/// [`Error::Unavailable`] where its key base is not configured, and [`Error::Internal`] for a secret that was changed or is
/// another user's.
pub fn open(
    key_ring: &KeyRing,
    purpose: Purpose,
    user: UserId,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>> {
    let Some(derived) = key_ring.of_base(&sealed.key_base, purpose) else {
        return Err(Error::unavailable(
            UnavailableReason::KeyBaseUnknown,
            RETRY_AFTER,
        ));
    };
    aead::open(&derived, &user.0.to_be_bytes(), &sealed.bytes)
        .ok_or_else(|| Error::internal("a sealed secret was changed, or is another user's"))
}

#[cfg(test)]
mod tests {
    use ring::aead::NONCE_LEN;

    use super::*;
    use crate::crypto::key_ring::tests::key_ring;

    const USER: UserId = UserId(7);
    const SECRET: &[u8] = b"twenty bytes, or any";

    fn sealed(key_ring: &KeyRing) -> Sealed {
        seal(key_ring, Purpose::TotpSecret, USER, SECRET).unwrap()
    }

    fn opened(key_ring: &KeyRing, user: UserId, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        open(key_ring, Purpose::TotpSecret, user, sealed)
    }

    #[test]
    fn a_sealed_secret_is_opened_for_its_user_alone() {
        let key_ring = key_ring("a", &[]);
        let sealed = sealed(&key_ring);
        assert!(!sealed.bytes.windows(4).any(|part| part == &SECRET[..4]));
        assert_eq!(**opened(&key_ring, USER, &sealed).unwrap(), *SECRET);
        let other = opened(&key_ring, UserId(8), &sealed);
        assert!(matches!(other, Err(Error::Internal(_))));
    }

    #[test]
    fn sealing_twice_repeats_nothing() {
        let key_ring = key_ring("a", &[]);
        let [first, second] = [sealed(&key_ring), sealed(&key_ring)];
        assert_ne!(first.bytes[..NONCE_LEN], second.bytes[..NONCE_LEN]);
        assert_ne!(first.bytes[NONCE_LEN..], second.bytes[NONCE_LEN..]);
    }

    #[test]
    fn a_changed_secret_is_refused() {
        let key_ring = key_ring("a", &[]);
        let sealed = sealed(&key_ring);
        for at in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1;
            assert!(opened(&key_ring, USER, &changed).is_err(), "{at}");
            changed.bytes.truncate(at);
            assert!(opened(&key_ring, USER, &changed).is_err(), "{at}");
        }
    }

    #[test]
    fn a_previous_base_opens_what_it_sealed() {
        let sealed = sealed(&key_ring("a", &[]));
        let rotated = opened(&key_ring("b", &["c", "a"]), USER, &sealed);
        assert_eq!(**rotated.unwrap(), *SECRET);
        let dropped = opened(&key_ring("b", &[]), USER, &sealed);
        assert!(matches!(
            dropped,
            Err(Error::Unavailable {
                reason: UnavailableReason::KeyBaseUnknown,
                ..
            })
        ));
    }
}
