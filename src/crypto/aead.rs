//! AES-256-GCM under a derived key. What is sealed is the nonce, the encrypted bytes and the tag.
//!
//! # Threats
//! - a repeated nonce: 96 random bits. Callers seal far fewer than 2^32 times in the life of a key

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::crypto::key_ring::Key;
use crate::crypto::token::fill_random;
use crate::domain::error::{Error, Result};

/// Seals bytes together with associated data, which are not part of the result.
///
/// # Errors
/// The operating system's generator fails.
pub(super) fn seal(key: &Key, associated: &[u8], secret: &[u8]) -> Result<Vec<u8>> {
    let failed = || Error::internal("AES-256-GCM cannot seal");
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce)?;
    let mut bytes = secret.to_vec();
    let tag = cipher(key)
        .ok_or_else(failed)?
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            &mut bytes,
        )
        .map_err(|_| failed())?;
    Ok([&nonce[..], &bytes, tag.as_ref()].concat())
}

/// Opens what was sealed with this key and these associated data; `None` for anything else.
pub(super) fn open(key: &Key, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut bytes = Zeroizing::new(rest.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = cipher(key)?.open_in_place(nonce, Aad::from(associated), &mut bytes);
    let length = opened.ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn cipher(derived: &Key) -> Option<LessSafeKey> {
    let half = &derived[..AES_256_GCM.key_len()];
    UnboundKey::new(&AES_256_GCM, half)
        .ok()
        .map(LessSafeKey::new)
}
