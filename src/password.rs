//! Passwords: what one must be like, and bcrypt on a pool of its own.
//!
//! Up to 72 bytes the digest is plain bcrypt, as Rails writes it, so that digests move both ways. bcrypt would
//! cut off the rest: a longer password (to 256 bytes) is first reduced with HMAC-SHA-384 under a fixed key, in
//! base64, which keeps all of it. Text is compared in composed form (NFC).

mod pool;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::config;
use crate::error::Invalid;
pub use pool::PasswordPool;

/// What bcrypt reads of a password; it ignores the rest.
const BCRYPT_BYTES: usize = 72;
/// The longest password, in bytes of UTF-8.
const MAX_BYTES: usize = 256;
/// What zxcvbn reads of a password: its time grows faster than the length.
const GUESSED_CHARACTERS: usize = 32;
/// Separates this use of HMAC from any other. It is no secret and never changes.
const REDUCTION_KEY: [u8; 128] = zero_padded(b"cloakroom v1 password longer than 72 bytes");

/// A password as it goes into bcrypt. It is wiped when dropped and cannot be printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// What somebody offers at sign-in; `None` when no account can have it (empty, too long, with a NUL).
    pub fn offered(text: &str) -> Option<Self> {
        let text = Zeroizing::new(nfc(text));
        let possible = !text.is_empty() && text.len() <= MAX_BYTES && !text.contains('\0');
        possible.then_some(Self(text))
    }

    /// What somebody chooses, checked in Rails' order: presence, length, confirmation. An absent confirmation is
    /// not checked, an empty one is. Whether it is easily guessed is checked by [`PasswordPool::hash_choice`], since
    /// that takes a while.
    pub fn choose(
        rules: &config::Password,
        password: Option<&str>,
        confirmation: Option<&str>,
    ) -> Result<Self, Invalid> {
        let text = Zeroizing::new(nfc(password.unwrap_or_default()));
        let mut invalid = Invalid::default();
        if text.is_empty() {
            invalid.add("password", "can't be blank");
        } else if text.contains('\0') {
            invalid.add("password", "is invalid");
        } else if text.len() > MAX_BYTES {
            invalid.add("password", format!("is too long (maximum is {MAX_BYTES} characters)"));
        } else if text.chars().count() < rules.min_length {
            invalid.add("password", format!("is too short (minimum is {} characters)", rules.min_length));
        }
        if confirmation.is_some_and(|again| *text != nfc(again)) {
            invalid.add("password_confirmation", "doesn't match Password");
        }
        invalid.into_result().map(|()| Self(text))
    }

    /// Whether it is a guess among the first million or so (score 0 or 1 of 4), by zxcvbn, which tries `words` too: the
    /// address and its parts, the service's name.
    fn is_easily_guessed(&self, words: &[String]) -> bool {
        let parts = words.iter().flat_map(|word| word.split(['@', '.', '+', '-', '_']));
        let local = words.iter().filter_map(|word| Some(word.split_once('@')?.0));
        let words: Vec<&str> = words.iter().map(String::as_str).chain(local).chain(parts).collect();
        let end = self.0.char_indices().nth(GUESSED_CHARACTERS).map_or(self.0.len(), |(end, _)| end);
        zxcvbn::zxcvbn(&self.0[..end], &words).score() <= zxcvbn::Score::One
    }

    /// The bytes for bcrypt: all of the password counts, whatever its length.
    fn reduced(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.0.as_bytes();
        Zeroizing::new(if bytes.len() <= BCRYPT_BYTES {
            bytes.to_vec()
        } else {
            let mut mac = Hmac::<Sha384>::new(&REDUCTION_KEY.into());
            mac.update(bytes);
            BASE64_STANDARD.encode(mac.finalize().into_bytes()).into_bytes()
        })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([hidden])")
    }
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// One block of SHA-384, as HMAC pads a shorter key (RFC 2104).
const fn zero_padded(text: &[u8]) -> [u8; 128] {
    let mut block = [0; 128];
    let mut at = 0;
    while at < text.len() {
        block[at] = text[at];
        at += 1;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> config::Password {
        config::Settings::for_env(config::Environment::Test).unwrap().password
    }

    fn faults(password: Option<&str>, confirmation: Option<&str>) -> Vec<String> {
        Password::choose(&rules(), password, confirmation)
            .map_or_else(|invalid| invalid.full_messages(), |_| vec![])
    }

    #[test]
    fn blank_is_the_only_fault_of_an_absent_password() {
        assert_eq!(faults(None, None), ["Password can't be blank"]);
        assert_eq!(faults(Some(""), Some("")), ["Password can't be blank"]);
    }

    #[test]
    fn length_counts_characters_at_the_least_and_bytes_at_the_most() {
        assert_eq!(faults(Some("1234567"), None), ["Password is too short (minimum is 8 characters)"]);
        assert!(faults(Some("🔑🔑🔑🔑🔑🔑🔑🔑"), None).is_empty());
        assert!(faults(Some(&"🔑".repeat(64)), None).is_empty());
        assert!(faults(Some(&"a".repeat(256)), None).is_empty());
        assert_eq!(
            faults(Some(&"a".repeat(257)), None),
            ["Password is too long (maximum is 256 characters)"]
        );
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(faults(Some("password\0"), None), ["Password is invalid"]);
        assert!(Password::offered("password\0").is_none());
    }

    #[test]
    fn an_absent_confirmation_is_not_checked_and_an_empty_one_is() {
        assert!(faults(Some("        "), None).is_empty());
        assert_eq!(faults(Some("password"), Some("")), ["Password confirmation doesn't match Password"]);
        assert_eq!(
            faults(Some("password"), Some("Password")),
            ["Password confirmation doesn't match Password"]
        );
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_password() {
        let composed = Password::choose(&rules(), Some("caf\u{e9} olé!"), Some("cafe\u{301} olé!")).unwrap();
        assert_eq!(composed.0, Password::offered("cafe\u{301} ole\u{301}!").unwrap().0);
    }

    #[test]
    fn common_words_and_words_of_the_context_are_easily_guessed() {
        let guessed = |password: &str, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Password::offered(password).unwrap().is_easily_guessed(&words)
        };
        assert!(guessed("password1", &[]) && guessed("qwertyuiop", &[]));
        assert!(guessed("wintermute9", &["wintermute9@example.com"]));
        assert!(guessed(&"ab".repeat(100), &[]));
        assert!(!guessed("correct horse battery staple", &[]));
        assert!(!guessed("wintermute-neuromancer", &[]));
    }

    #[test]
    fn seventy_two_bytes_are_plain_bcrypt_and_longer_ones_count_to_the_last_byte() {
        let reduced = |length: usize| Password::offered(&"a".repeat(length)).unwrap().reduced().to_vec();
        assert_eq!(reduced(72), "a".repeat(72).into_bytes());
        assert_eq!(reduced(73).len(), 64);
        assert_ne!(reduced(73), reduced(74));
        assert_ne!(reduced(255), reduced(256));
    }
}
