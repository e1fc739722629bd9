//! Bearer secrets. A [`PlainToken`] is what a client holds; a [`TokenDigest`] is what the database holds.
//! They are different types: only the plain one can be shown, and only by asking for it; only the digest
//! reaches SQL.
//!
//! The form is `<prefix>_<32 base58 characters><6 base58 characters>`: the first part from the operating
//! system's generator (over 187 bits), the second a CRC-32 of all that stands before it. The checksum is no
//! secret; it lets us refuse a typo without asking the database, and lets leak scanners tell real ones.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::TokenDigest;
use crate::domain::error::{Error, Result};

/// The Bitcoin alphabet: no `0`, `O`, `I` or `l`.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const IS_BASE58: [bool; 256] = {
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
/// Of a refresh token's body: 64 bits that all of a family share. They stand behind the 21 characters, 123 bits, that
/// are each token's own: who sees only how a token begins, as logs cut short show it, does not know its family.
const FAMILY_LENGTH: usize = 11;
const FRESH_LENGTH: usize = BODY_LENGTH - FAMILY_LENGTH;

/// What a token is for, told by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `crs_`: a session.
    Session,
    /// `crk_`: an API key.
    ApiKey,
    /// `crr_`: a refresh token. The last characters of its body name its family and pass to its successors.
    Refresh,
}

impl TokenKind {
    /// What it starts with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "crs_",
            Self::ApiKey => "crk_",
            Self::Refresh => "crr_",
        }
    }
}

/// A secret in clear. It cannot be printed, logged or serialised but through [`PlainToken::reveal`], and is
/// wiped from memory when dropped.
#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// A new one. Fails only when the operating system has no randomness to give.
    pub fn generate(kind: TokenKind) -> Result<Self> {
        let mut text = empty();
        text.push_str(kind.prefix());
        push_random_base58(&mut text, BODY_LENGTH)?;
        Ok(Self::closed(text))
    }

    /// The refresh token that comes after this one: the same for the same key material, and of the same family. Of
    /// 112 bytes it takes the first that fit, which fail to be enough less than once in 2^140 times.
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

    /// Reads what a client sent; `None` unless it has this kind's prefix, the right form and checksum.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        let well_formed = body.len() == BODY_LENGTH + CHECKSUM_LENGTH
            && body.bytes().all(|byte| IS_BASE58[usize::from(byte)]);
        let (rest, check) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LENGTH)?)?;
        (well_formed && check.as_bytes() == checksum(rest))
            .then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text itself, for the one reply that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps and looks up.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.0.as_bytes()).into())
    }

    /// What the database knows a refresh token's family by.
    pub fn family(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.family_part().as_bytes()).into())
    }

    /// The last four characters, to tell a key by: they are of the checksum, which is no secret.
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

/// What makes a spent refresh token's successor, with that token in clear and a key of ours. It serves for some seconds,
/// and is kept until the next refresh of its family, or the next sweep, after these.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplaySeed([u8; 32]);

impl ReplaySeed {
    /// A new one.
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
        f.write_str("Seed([hidden])")
    }
}

/// Fills with bytes from the operating system's generator, the only source of randomness in the house.
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(bytes).map_err(Error::internal)
}

/// Appends `length` base58 characters, each equally likely.
fn push_random_base58(text: &mut String, length: usize) -> Result<()> {
    let end = text.len() + length;
    let mut pool = Zeroizing::new([0_u8; 64]);
    while text.len() < end {
        fill_random(pool.as_mut_slice())?;
        let wanted = end - text.len();
        push_base58(text, pool.as_slice(), wanted);
    }
    Ok(())
}

/// Appends at most `wanted` characters, one for each byte that fits; gives how many. Of 64 values the upper 6 are
/// thrown away: a remainder would favour some characters.
fn push_base58(text: &mut String, bytes: &[u8], wanted: usize) -> usize {
    let before = text.len();
    let usable = bytes
        .iter()
        .filter_map(|byte| BASE58.get(usize::from(byte & 63)));
    text.extend(usable.take(wanted).copied().map(char::from));
    text.len() - before
}

/// Room for a whole token: a text that grew would leave a part of it behind in memory.
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
        let kinds = [TokenKind::Session, TokenKind::ApiKey, TokenKind::Refresh];
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
            "PlainToken([hidden]) TokenDigest([hidden]) Seed([hidden])"
        );
    }
}
