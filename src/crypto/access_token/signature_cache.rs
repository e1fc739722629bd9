//! The access tokens whose signature was verified: verifying costs ten times a look-up, and clients present the same
//! token many times.
//!
//! # Threats
//! - a part of one token accepted with another: the key is the hash of the whole text as presented
//! - a cached token accepted after its time: only what a token claims is cached; times and revocation are checked on
//!   every request
//! - memory: the number of entries is bounded, and only tokens with a valid signature are cached

use std::sync::Arc;

use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use super::VerifiedAccessToken;

/// Entries: some 3 MB.
const CAPACITY: usize = 8192;

/// The SHA-256 of a token's text.
pub(super) type Key = [u8; 32];

pub(super) struct SignatureCache(Cache<Key, Arc<VerifiedAccessToken>>);

impl SignatureCache {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    pub(super) fn key(token: &str) -> Key {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        key
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<VerifiedAccessToken>> {
        self.0.get(key)
    }

    pub(super) fn insert(&self, key: Key, token: Arc<VerifiedAccessToken>) {
        self.0.insert(key, token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::access_token::tests::verified;

    #[test]
    fn cache_lookups_need_the_whole_token() {
        let cache = SignatureCache::new();
        let text = "header.payload.signature";
        let is_cached = |text: &str| cache.get(&SignatureCache::key(text)).is_some();
        cache.insert(SignatureCache::key(text), verified());
        assert!(is_cached(text));
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(!is_cached(&changed), "{changed}");
        }
        assert!(!is_cached("header.payload.signature."));
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_recurring_tokens() {
        let cache = SignatureCache::new();
        let kept = SignatureCache::key("kept");
        cache.insert(kept, verified());
        for number in 0..50_000 {
            cache.insert(SignatureCache::key(&number.to_string()), verified());
            assert!(cache.get(&kept).is_some(), "{number}");
        }
        let length = cache.0.len();
        assert!((CAPACITY / 2..=CAPACITY).contains(&length), "{length}");
    }
}
