//! Challenges for passkeys: random, signed, and bound to what they are for. None is stored before it is answered.
//!
//! # Threats
//! - a flood of requests for challenges, which are public: they write nothing; the store keeps the digest of an accepted
//!   challenge until it expires, so that none is accepted twice
//! - a challenge of one ceremony, user or session answered in another: all of them are in the MAC
//! - an answer that is kept for later: a challenge expires after five minutes

use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::crypto::key_ring::{Key, KeyRing, Purpose};
use crate::crypto::signed_message::mac;
use crate::crypto::token::fill_random;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{EmailAddress, SessionId, TokenDigest, UserHandle, UserId};

/// How long an authenticator may take to answer.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);

const VERSION: u8 = 1;
const MAC_LENGTH: usize = 32;
/// Version, expiry and random bytes.
const SIGNED_LENGTH: usize = 1 + 8 + 32;

/// What a challenge is for.
#[derive(Clone, Copy, Debug)]
pub enum Ceremony<'a> {
    /// An assertion: at sign-in, as a second factor or as a reauthentication.
    Assertion,
    /// A passkey to add, by this user in this session.
    Registration(UserId, SessionId),
    /// A passkey of an account to create with this address.
    SignUp(&'a EmailAddress),
}

/// A challenge that was issued here and is valid.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// What the authenticator signs.
    pub bytes: Vec<u8>,
    /// It is invalid from then on.
    pub expires_at: Timestamp,
    random: [u8; 32],
}

/// Why a challenge is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeFault {
    /// It was not issued here, or for something else.
    Unknown,
    /// It has expired.
    Expired,
}

impl Ceremony<'_> {
    fn mac(&self, key: &Key, signed: &[u8]) -> [u8; MAC_LENGTH] {
        match self {
            Self::Assertion => mac(key, b"assertion", &[signed]),
            Self::Registration(user, session) => {
                let subject = [user.0.to_be_bytes(), session.0.to_be_bytes()].concat();
                mac(key, b"registration", &[signed, &subject])
            }
            Self::SignUp(address) => mac(key, b"sign up", &[signed, address.as_str().as_bytes()]),
        }
    }
}

impl Challenge {
    /// A new challenge.
    ///
    /// # Errors
    /// The operating system's generator fails.
    pub fn issue(key_ring: &KeyRing, ceremony: Ceremony<'_>, now: Timestamp) -> Result<Self> {
        let random = random()?;
        let expires_at = now + LIFETIME;
        let mut bytes = Vec::with_capacity(SIGNED_LENGTH + MAC_LENGTH);
        bytes.push(VERSION);
        bytes.extend(expires_at.as_millis().to_be_bytes());
        bytes.extend(random);
        bytes.extend(ceremony.mac(&key_ring.signing(Purpose::PasskeyChallenge), &bytes));
        Ok(Self {
            bytes,
            expires_at,
            random,
        })
    }

    /// The challenge with these bytes, if it was issued for this ceremony with the current or a previous key and is valid.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(
        key_ring: &KeyRing,
        ceremony: Ceremony<'_>,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Self, ChallengeFault> {
        let (signed, signature) = bytes
            .split_at_checked(SIGNED_LENGTH)
            .ok_or(ChallengeFault::Unknown)?;
        let key = key_ring
            .verifying(Purpose::PasskeyChallenge)
            .find(|found| ceremony.mac(&found.key, signed).ct_eq(signature).into())
            .ok_or(ChallengeFault::Unknown)?;
        let parts = signed
            .split_first()
            .and_then(|(version, rest)| Some((version, rest.split_first_chunk::<8>()?)));
        let Some((&VERSION, (expires_at, random))) = parts else {
            return Err(ChallengeFault::Unknown);
        };
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(*expires_at));
        if now >= expires_at || !key.verifies_at(LIFETIME, now) {
            return Err(ChallengeFault::Expired);
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            expires_at,
            random: random.try_into().map_err(|_| ChallengeFault::Unknown)?,
        })
    }

    /// What the store keeps of a challenge that was answered.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(&self.bytes).into())
    }

    /// The handle of the user who signs up with it: its random bytes, so that it need not be stored meanwhile.
    pub fn handle(&self) -> UserHandle {
        UserHandle::new(self.random)
    }
}

/// A handle for a user who has none yet.
///
/// # Errors
/// The operating system's generator fails.
pub fn new_handle() -> Result<UserHandle> {
    random().map(UserHandle::new)
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key_ring::tests::key_ring;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const REGISTRATION: Ceremony<'_> = Ceremony::Registration(UserId(1), SessionId(2));

    fn verify(
        key_ring: &KeyRing,
        ceremony: Ceremony<'_>,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<UserHandle, ChallengeFault> {
        Challenge::verify(key_ring, ceremony, bytes, now).map(|challenge| challenge.handle())
    }

    #[test]
    fn a_challenge_is_valid_for_five_minutes() {
        let key_ring = key_ring("a", &[]);
        let issued = Challenge::issue(&key_ring, Ceremony::Assertion, NOW).unwrap();
        let at = |now| verify(&key_ring, Ceremony::Assertion, &issued.bytes, now);
        let moment = Duration::from_millis(1);
        assert_eq!(at(NOW + LIFETIME - moment), Ok(issued.handle()));
        assert_eq!(at(NOW + LIFETIME), Err(ChallengeFault::Expired));
    }

    #[test]
    fn a_challenge_is_bound_to_its_ceremony() {
        let key_ring = key_ring("a", &[]);
        let [one, two] =
            ["one@example.com", "two@example.com"].map(|text| EmailAddress::parse(text).unwrap());
        let ceremonies = [
            Ceremony::Assertion,
            REGISTRATION,
            Ceremony::Registration(UserId(2), SessionId(2)),
            Ceremony::Registration(UserId(1), SessionId(3)),
            Ceremony::SignUp(&one),
            Ceremony::SignUp(&two),
        ];
        for (at, issued_for) in ceremonies.iter().enumerate() {
            let issued = Challenge::issue(&key_ring, *issued_for, NOW).unwrap();
            for (other, used_for) in ceremonies.iter().enumerate() {
                let verified = verify(&key_ring, *used_for, &issued.bytes, NOW);
                assert_eq!(verified.is_ok(), at == other, "{issued_for:?} {used_for:?}");
            }
        }
    }

    #[test]
    fn a_changed_challenge_is_unknown() {
        let key_ring = key_ring("a", &[]);
        let issued = Challenge::issue(&key_ring, REGISTRATION, NOW).unwrap();
        for at in 0..issued.bytes.len() {
            let mut changed = issued.bytes.clone();
            changed[at] ^= 1;
            for bytes in [&changed[..], &changed[..at]] {
                let verified = verify(&key_ring, REGISTRATION, bytes, NOW);
                assert_eq!(verified, Err(ChallengeFault::Unknown), "{at}");
            }
        }
    }

    #[test]
    fn a_previous_key_verifies_until_its_challenges_expire() {
        let issued = Challenge::issue(&key_ring("a", &[]), REGISTRATION, NOW).unwrap();
        let mut after = key_ring("b", &["a"]);
        let at = |key_ring: &KeyRing| verify(key_ring, REGISTRATION, &issued.bytes, NOW);
        assert_eq!(at(&after), Ok(issued.handle()));
        assert_eq!(at(&key_ring("b", &[])), Err(ChallengeFault::Unknown));
        let long_ago = NOW - LIFETIME;
        after.note_retirement(&key_ring("a", &[]).names().current, long_ago);
        assert_eq!(at(&after), Err(ChallengeFault::Expired));
    }
}
