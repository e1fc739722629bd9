//! Access tokens whose signature was verified already: a signature costs ten times a look-up, and a token comes again
//! and again.
//!
//! The key is the hash of the whole text as it was presented, so that no part of another token can pass for one of
//! these. What is kept says what a token claims and never that it is good: its time and its end are asked at every
//! request. Only tokens of ours come in, and of those so many at most; whoever wants to flush it needs good ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::AccessTokenClaims;

const SHARDS: usize = 16;
/// The most entries of a generation in a shard: 8,192 in all, some 3 MB.
const MOST: usize = 256;

/// The SHA-256 of a token's text.
pub(super) type Name = [u8; 32];

/// Those that came lately.
pub(super) struct SignatureCache {
    shards: [Mutex<Generations>; SHARDS],
}

/// When the young ones are too many they are the old ones, and the old ones are gone; who comes again is young.
#[derive(Default)]
struct Generations {
    young: HashMap<Name, Arc<AccessTokenClaims>>,
    old: HashMap<Name, Arc<AccessTokenClaims>>,
}

impl SignatureCache {
    pub(super) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    pub(super) fn name(token: &str) -> Name {
        Sha256::digest(token).into()
    }

    pub(super) fn get(&self, name: &Name) -> Option<Arc<AccessTokenClaims>> {
        let mut shard = self.shard(name);
        if let Some(young) = shard.young.get(name) {
            return Some(Arc::clone(young));
        }
        let back = shard.old.remove(name)?;
        shard.insert(*name, Arc::clone(&back));
        Some(back)
    }

    pub(super) fn insert(&self, name: Name, claims: Arc<AccessTokenClaims>) {
        self.shard(&name).insert(name, claims);
    }

    fn shard(&self, name: &Name) -> MutexGuard<'_, Generations> {
        let shard = &self.shards[usize::from(name[0]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn insert(&mut self, name: Name, claims: Arc<AccessTokenClaims>) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::access_token::tests::claims;

    impl SignatureCache {
        fn len(&self) -> usize {
            let count = |shard: &Mutex<Generations>| {
                let shard = shard.lock().unwrap();
                shard.young.len() + shard.old.len()
            };
            self.shards.iter().map(count).sum()
        }
    }

    #[test]
    fn cache_lookups_need_the_whole_token() {
        let verified = SignatureCache::new();
        let text = "header.payload.signature";
        verified.insert(SignatureCache::name(text), claims());
        assert!(verified.get(&SignatureCache::name(text)).is_some());
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                verified.get(&SignatureCache::name(&changed)).is_none(),
                "{changed}"
            );
        }
        assert!(
            verified
                .get(&SignatureCache::name("header.payload.signature."))
                .is_none()
        );
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_recurring_tokens() {
        let verified = SignatureCache::new();
        let kept = SignatureCache::name("kept");
        verified.insert(kept, claims());
        for number in 0..50_000 {
            verified.insert(SignatureCache::name(&number.to_string()), claims());
            assert!(verified.get(&kept).is_some(), "{number}");
        }
        let most = 2 * SHARDS * MOST;
        assert!(
            (most / 2..=most).contains(&verified.len()),
            "{}",
            verified.len()
        );
        assert!(verified.get(&SignatureCache::name("1")).is_none());
    }
}
