//! Bearer tokens. A client holds a [`PlainToken`], the database its [`TokenDigest`]. They are different types: only
//! [`PlainToken::reveal`] returns the secret, and only the digest is accepted by the store.
//!
//! The form is `<prefix>_<32 base58 characters><6 base58 characters>`: 187 bits from the operating system's generator,
//! then a CRC-32 of all characters before it. The checksum is not secret: with it, typing errors are refused without a
//! look-up, and leak scanners recognise real tokens.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::crypto::hex;
use crate::domain::TokenDigest;
use crate::domain::error::{Error, Result};

/// The Bitcoin alphabet: no `0`, `O`, `I` or `l`.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
pub(super) const IS_BASE58: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < BASE58.len() {
        table[BASE58[at] as usize] = true;
        at += 1;
    }
    table
};
const PREFIX_LENGTH: usize = 4;
const BODY_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;
/// The end of a refresh token's body: 64 bits shared by its family. The 21 characters before it, 123 bits, are the
/// token's own: truncated logs of a token do not reveal its family.
const FAMILY_LENGTH: usize = 11;
const FRESH_LENGTH: usize = BODY_LENGTH - FAMILY_LENGTH;

/// What a token is for. Its prefix says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `crs_`: a session.
    Session,
    /// `crk_`: an API key.
    ApiKey,
    /// `crr_`: a refresh token. Its successors inherit the last characters of its body, which identify its family.
    Refresh,
    /// `crp_`: a sign-in that waits for a second factor.
    PendingSignIn,
    /// `crm_`: a request for a mailed code.
    MailCode,
    /// `crb_`: the browser that sent such requests.
    Browser,
    /// `cre_`: a sign-in at another provider, to be exchanged for a session.
    ExchangeCode,
}

impl TokenKind {
    /// The prefix.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "crs_",
            Self::ApiKey => "crk_",
            Self::Refresh => "crr_",
            Self::PendingSignIn => "crp_",
            Self::MailCode => "crm_",
            Self::Browser => "crb_",
            Self::ExchangeCode => "cre_",
        }
    }
}

/// A secret in clear, which only [`PlainToken::reveal`] returns. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// A new random token. Fails only if the operating system's generator does.
    pub fn generate(kind: TokenKind) -> Result<Self> {
        let mut text = empty();
        text.push_str(kind.prefix());
        push_random_base58(&mut text, BODY_LENGTH)?;
        Ok(Self::closed(text))
    }

    /// The refresh token that follows this one in its family, determined by the key material. It takes the first of 112
    /// bytes that map to a character; too few do with a probability below 2^-140.
    ///
    /// # Errors
    /// The material is too short.
    pub fn successor(&self, material: &[u8]) -> Result<Self> {
        let mut text = empty();
        text.push_str(TokenKind::Refresh.prefix());
        if push_base58(&mut text, material, FRESH_LENGTH) < FRESH_LENGTH {
            return Err(Error::internal("too little key material for a token"));
        }
        text.push_str(self.family_part());
        Ok(Self::closed(text))
    }

    fn closed(mut text: Zeroizing<String>) -> Self {
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Self(text)
    }

    /// Parses a token; `None` unless prefix, form and checksum are right.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        let well_formed = body.len() == BODY_LENGTH + CHECKSUM_LENGTH
            && body.bytes().all(|byte| IS_BASE58[usize::from(byte)]);
        let (rest, check) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LENGTH)?)?;
        (well_formed && check.as_bytes() == checksum(rest))
            .then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret, for the one reply that contains it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The digest that the database holds.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The digest of a refresh token's family.
    pub fn family(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.family_part().as_bytes()).into())
    }

    /// The last four characters, for lists of keys: part of the checksum, which is not secret.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    fn family_part(&self) -> &str {
        &self.0[PREFIX_LENGTH + FRESH_LENGTH..PREFIX_LENGTH + BODY_LENGTH]
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken([hidden])")
    }
}

/// The random part of what a consumed refresh token's successor is derived from, beside that token and a derived key: a
/// client that lost the reply gets the same successor again within a few seconds. It is deleted after these by the next
/// refresh of its family or the next sweep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplaySeed([u8; 32]);

impl ReplaySeed {
    /// A new random seed.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; 32];
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_stored(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for ReplaySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplaySeed([hidden])")
    }
}

/// Fills `bytes` from the operating system's generator, the only source of secrets.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(bytes).map_err(Error::internal)
}

/// 128 random bits as 32 hex digits: a `jti`, or a session's nonce.
pub fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Appends `length` base58 characters, each equally likely.
pub(super) fn push_random_base58(text: &mut String, length: usize) -> Result<()> {
    let end = text.len() + length;
    let mut pool = Zeroizing::new([0_u8; 64]);
    while text.len() < end {
        fill_random(pool.as_mut_slice())?;
        let wanted = end - text.len();
        push_base58(text, pool.as_slice(), wanted);
    }
    Ok(())
}

/// Appends at most `wanted` characters, one for each byte that maps to one; returns how many. 6 of 64 values are
/// discarded: a remainder would favour some characters.
fn push_base58(text: &mut String, bytes: &[u8], wanted: usize) -> usize {
    let before = text.len();
    let usable = bytes
        .iter()
        .filter_map(|byte| BASE58.get(usize::from(byte & 63)));
    text.extend(usable.take(wanted).copied().map(char::from));
    text.len() - before
}

/// Room for a whole token: a string that grows leaves a copy of its start in memory.
fn empty() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(
        PREFIX_LENGTH + BODY_LENGTH + CHECKSUM_LENGTH,
    ))
}

fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [BASE58[0]; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE58[(rest % 58) as usize];
        rest /= 58;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_round_trips() {
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        let read = PlainToken::parse(TokenKind::Session, token.reveal()).unwrap();
        assert!(token.reveal().starts_with("crs_") && token.reveal().len() == 42);
        assert_eq!(token.digest(), read.digest());
    }

    #[test]
    fn the_checksum_is_crc32_in_base58() {
        // 0xcbf43926, the check value of CRC-32.
        assert_eq!(&checksum("123456789"), b"6DNX4R");
    }

    #[test]
    fn a_wrong_form_is_rejected_with_a_right_checksum() {
        let parsed = |body: &str| {
            let text = PlainToken::closed(Zeroizing::new(format!("crs_{body}")));
            PlainToken::parse(TokenKind::Session, text.reveal()).is_some()
        };
        assert!(parsed(&"1".repeat(32)));
        for body in ["1".repeat(31), "1".repeat(33), "0".repeat(32)] {
            assert!(!parsed(&body), "{body}");
        }
    }

    #[test]
    fn a_new_token_never_outgrows_its_buffer() {
        // A string that grows leaves a copy of the secret behind.
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        assert_eq!(token.0.capacity(), token.0.len());
    }

    #[test]
    fn every_changed_character_is_rejected() {
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        for at in 0..token.reveal().len() {
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'2' { b'3' } else { b'2' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(
                PlainToken::parse(TokenKind::Session, &changed).is_none(),
                "{changed}"
            );
        }
    }

    #[test]
    fn malformed_tokens_are_rejected_without_a_panic() {
        for text in [
            "",
            "crs_",
            "invalid",
            "crs_🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑",
            "crk_11111111111111111111111111111111111111",
        ] {
            assert!(
                PlainToken::parse(TokenKind::Session, text).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn token_kinds_are_not_interchangeable() {
        let kinds = [
            TokenKind::Session,
            TokenKind::ApiKey,
            TokenKind::Refresh,
            TokenKind::PendingSignIn,
            TokenKind::MailCode,
            TokenKind::Browser,
        ];
        for kind in kinds {
            let token = PlainToken::generate(kind).unwrap();
            assert!(
                token.reveal().starts_with(kind.prefix()) && kind.prefix().len() == PREFIX_LENGTH
            );
            for other in kinds {
                assert_eq!(
                    PlainToken::parse(other, token.reveal()).is_some(),
                    kind == other
                );
                // Nor with the other's prefix in its place: the checksum is over it too.
                let renamed = token.reveal().replacen(kind.prefix(), other.prefix(), 1);
                assert_eq!(PlainToken::parse(other, &renamed).is_some(), kind == other);
            }
        }
    }

    #[test]
    fn successors_are_deterministic_within_a_family() {
        let token = PlainToken::generate(TokenKind::Refresh).unwrap();
        let material: [u8; 112] = std::array::from_fn(|at| at as u8);
        let successor = token.successor(&material).unwrap();
        assert_eq!(
            successor.reveal(),
            token.successor(&material).unwrap().reveal()
        );
        assert_eq!(
            PlainToken::parse(TokenKind::Refresh, successor.reveal())
                .unwrap()
                .family(),
            token.family()
        );
        assert_ne!(successor.digest(), token.digest());
        assert_ne!(
            successor.digest(),
            token.successor(&material[1..]).unwrap().digest()
        );
        assert!(token.successor(&material[..20]).is_err());
        assert_ne!(
            PlainToken::generate(TokenKind::Refresh).unwrap().family(),
            token.family()
        );
    }

    #[test]
    fn the_last_four_characters_belong_to_the_checksum() {
        let key = PlainToken::generate(TokenKind::ApiKey).unwrap();
        assert!(key.reveal().ends_with(key.last_four()) && key.last_four().len() == 4);
    }

    #[test]
    fn tokens_are_unique_and_uniform() {
        let mut seen = std::collections::HashSet::new();
        let mut counts = [0_u32; 58];
        for _ in 0..10_000 {
            let token = PlainToken::generate(TokenKind::Session).unwrap();
            for byte in token.reveal()[4..36].bytes() {
                counts[BASE58.iter().position(|letter| *letter == byte).unwrap()] += 1;
            }
            assert!(seen.insert(token.reveal().to_owned()));
        }
        let expected = 320_000.0 / 58.0;
        let chi_square: f64 = counts
            .iter()
            .map(|n| (f64::from(*n) - expected).powi(2) / expected)
            .sum();
        // 57 degrees of freedom: 120 is passed by chance less than once in a million runs.
        assert!(chi_square < 120.0, "{chi_square}");
    }

    #[test]
    fn neither_form_can_be_printed_by_accident() {
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        let printed = format!(
            "{token:?} {:?} {:?}",
            token.digest(),
            ReplaySeed::generate().unwrap()
        );
        assert_eq!(
            printed,
            "PlainToken([hidden]) TokenDigest([hidden]) ReplaySeed([hidden])"
        );
    }
}
