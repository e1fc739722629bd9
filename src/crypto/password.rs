//! Passwords: the rules for new ones, and bcrypt on a pool of threads.
//!
//! Up to 72 bytes the digest is plain bcrypt as Rails writes it, so that digests can be exchanged. bcrypt ignores further
//! bytes: longer passwords (up to 256 characters) are first reduced to the base64 of their HMAC-SHA-384 under a fixed key.
//! Text is compared in composed form (NFC).

mod pool;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ring::digest;
use sha2::Sha384;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::feedback::{Feedback, Warning};

use crate::config;
use crate::domain::error::ValidationErrors;
pub use pool::{HashSlot, PasswordPool, is_bcrypt};

/// The bytes of a password that bcrypt uses.
const BCRYPT_BYTES: usize = 72;
/// The longest password, in characters (Unicode code points) of its composed form.
pub(crate) const MAX_CHARACTERS: usize = 256;
/// The characters that zxcvbn reads: its time grows faster than the length.
const GUESSED_CHARACTERS: usize = 32;
/// The shortest word that a message names as the reason.
const TELLING_CHARACTERS: usize = 4;
/// Separates this use of HMAC from others. It is not secret and never changes.
const REDUCTION_KEY: [u8; 128] = zero_padded(b"cloakroom v1 password longer than 72 bytes");

/// A password in composed form. It is wiped when dropped and cannot be printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password presented at sign-in; `None` if no account can have it (empty, too long, with a NUL).
    pub fn offered(text: &str) -> Option<Self> {
        let text = Zeroizing::new(nfc(text));
        let possible =
            !text.is_empty() && text.chars().count() <= MAX_CHARACTERS && !text.contains('\0');
        possible.then_some(Self(text))
    }

    /// A new password, checked in Rails' order: presence, length, confirmation. An absent confirmation is not checked, an
    /// empty one is. [`HashSlot::hash_choice`] checks whether it is easily guessed, which takes longer.
    pub fn choose(
        rules: &config::Password,
        password: Option<&str>,
        confirmation: Option<&str>,
    ) -> Result<Self, ValidationErrors> {
        let text = Zeroizing::new(nfc(password.unwrap_or_default()));
        let mut invalid = ValidationErrors::default();
        if text.is_empty() {
            invalid.add("password", "can't be blank");
        } else if text.contains('\0') {
            invalid.add("password", "is invalid");
        } else if text.chars().count() > MAX_CHARACTERS {
            invalid.add(
                "password",
                format!("is too long (maximum is {MAX_CHARACTERS} characters)"),
            );
        } else if text.chars().count() < rules.min_length {
            invalid.add(
                "password",
                format!("is too short (minimum is {} characters)", rules.min_length),
            );
        }
        if confirmation.is_some_and(|again| *text != nfc(again)) {
            invalid.add("password_confirmation", "doesn't match Password");
        }
        invalid.into_result().map(|()| Self(text))
    }

    /// Why it is easily guessed (zxcvbn score 0 or 1 of 4: within a million guesses), as advice to the user; `None` if it
    /// is not. `words` are tried too: the address and its parts, the service's name.
    fn guessed_because(&self, words: &[String]) -> Option<&'static str> {
        let parts = words
            .iter()
            .flat_map(|word| word.split(['@', '.', '+', '-', '_', ' ']));
        let local = words
            .iter()
            .filter_map(|word| Some(word.split_once('@')?.0));
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .chain(local)
            .chain(parts)
            .collect();
        let end = self
            .0
            .char_indices()
            .nth(GUESSED_CHARACTERS)
            .map_or(self.0.len(), |(end, _)| end);
        let guessed = zxcvbn::zxcvbn(&self.0[..end], &words);
        if guessed.score() > zxcvbn::Score::One {
            None
        } else if self.holds_one_of(&words) {
            // zxcvbn does not report the word.
            Some("must not be made of your address, the service's name or a forbidden word")
        } else {
            Some(advice(guessed.feedback().and_then(Feedback::warning)))
        }
    }

    /// Whether it contains one of these words. Words shorter than [`TELLING_CHARACTERS`] occur by chance.
    fn holds_one_of(&self, words: &[&str]) -> bool {
        let lower = Zeroizing::new(self.0.to_lowercase());
        let mut telling = words
            .iter()
            .filter(|word| word.chars().count() >= TELLING_CHARACTERS);
        telling.any(|word| lower.contains(&word.to_lowercase()))
    }

    /// The SHA-1 of its bytes, by which lists of breached passwords name it.
    pub fn sha1(&self) -> [u8; 20] {
        sha1(self.0.as_bytes())
    }

    /// The input of bcrypt, which depends on every byte of the password.
    fn reduced(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.0.as_bytes();
        Zeroizing::new(if bytes.len() <= BCRYPT_BYTES {
            bytes.to_vec()
        } else {
            let mut mac = Hmac::<Sha384>::new(&REDUCTION_KEY.into());
            mac.update(bytes);
            BASE64_STANDARD
                .encode(mac.finalize().into_bytes())
                .into_bytes()
        })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([hidden])")
    }
}

/// SHA-1: lists of breached passwords are made with it. Nothing else here is.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut output = [0; 20];
    output.copy_from_slice(digest.as_ref());
    output
}

/// Advice about an easily guessed password, as a validation message.
fn advice(warning: Option<Warning>) -> &'static str {
    match warning {
        Some(
            Warning::RepeatsLikeAaaAreEasyToGuess
            | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
        ) => "repeats itself: add other words",
        Some(
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess,
        ) => "follows the keyboard: add words that do not",
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => "is mostly a sequence: add other words",
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => {
            "is mostly a date or a year: add other words"
        }
        Some(
            Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess,
        ) => "is mostly a name: add other words",
        _ => "needs another word or two",
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
        config::Settings::for_env(config::Environment::Test)
            .unwrap()
            .password
    }

    fn faults(password: Option<&str>, confirmation: Option<&str>) -> Vec<String> {
        Password::choose(&rules(), password, confirmation)
            .map_or_else(|invalid| invalid.full_messages(), |_| vec![])
    }

    #[test]
    fn an_absent_password_is_only_blank() {
        assert_eq!(faults(None, None), ["Password can't be blank"]);
        assert_eq!(faults(Some(""), Some("")), ["Password can't be blank"]);
    }

    #[test]
    fn minimum_and_maximum_length_count_characters() {
        assert_eq!(
            faults(Some("1234567"), None),
            ["Password is too short (minimum is 8 characters)"]
        );
        assert!(faults(Some("🔑🔑🔑🔑🔑🔑🔑🔑"), None).is_empty());
        assert!(faults(Some(&"🔑".repeat(64)), None).is_empty());
        assert!(faults(Some(&"a".repeat(256)), None).is_empty());
        assert!(faults(Some(&"🔑".repeat(256)), None).is_empty());
        assert!(Password::offered(&"🔑".repeat(256)).is_some());
        assert!(Password::offered(&"🔑".repeat(257)).is_none());
        assert_eq!(
            faults(Some(&"a".repeat(257)), None),
            ["Password is too long (maximum is 256 characters)"]
        );
    }

    #[test]
    fn what_no_account_can_have_is_no_offered_password() {
        assert!(Password::offered("p").is_some());
        assert!(Password::offered(&"p".repeat(MAX_CHARACTERS)).is_some());
        assert!(Password::offered("").is_none());
        assert!(Password::offered(&"p".repeat(MAX_CHARACTERS + 1)).is_none());
    }

    #[test]
    fn printing_a_password_hides_it() {
        let password = Password::offered("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password([hidden])");
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(faults(Some("password\0"), None), ["Password is invalid"]);
        assert!(Password::offered("password\0").is_none());
    }

    #[test]
    fn only_a_present_confirmation_is_checked() {
        assert!(faults(Some("        "), None).is_empty());
        assert_eq!(
            faults(Some("password"), Some("")),
            ["Password confirmation doesn't match Password"]
        );
        assert_eq!(
            faults(Some("password"), Some("Password")),
            ["Password confirmation doesn't match Password"]
        );
    }

    #[test]
    fn composed_and_decomposed_spellings_are_equal() {
        let composed =
            Password::choose(&rules(), Some("caf\u{e9} olé!"), Some("cafe\u{301} olé!")).unwrap();
        assert_eq!(
            composed.0,
            Password::offered("cafe\u{301} ole\u{301}!").unwrap().0
        );
    }

    fn reason(password: &str, words: &[&str]) -> Option<&'static str> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Password::offered(password).unwrap().guessed_because(&words)
    }

    #[test]
    fn common_and_contextual_words_are_weak() {
        assert!(reason("password1", &[]).is_some() && reason("qwertyuiop", &[]).is_some());
        assert!(reason("wintermute9", &["wintermute9@example.com"]).is_some());
        assert!(reason(&"ab".repeat(100), &[]).is_some());
        assert_eq!(reason("correct horse battery staple", &[]), None);
        assert_eq!(reason("wintermute-neuromancer", &[]), None);
    }

    #[test]
    fn the_reason_suggests_what_to_do() {
        let made_of = "must not be made of your address, the service's name or a forbidden word";
        for (password, words, expected) in [
            ("Wintermute9", &["wintermute9@example.com"][..], made_of),
            ("neuromancer1", &["case@neuromancer.example"], made_of),
            ("chibacity", &["Chiba City Blues"], made_of),
            (
                "cococococo",
                &["co@example.com"],
                "repeats itself: add other words",
            ),
            ("aaaaaaaaaa", &[], "repeats itself: add other words"),
            (
                "qwertyuiop[]",
                &[],
                "follows the keyboard: add words that do not",
            ),
            ("defghijklmn", &[], "is mostly a sequence: add other words"),
            (
                "27.03.1984",
                &[],
                "is mostly a date or a year: add other words",
            ),
            ("fitzgerald", &[], "is mostly a name: add other words"),
            ("password1", &[], "needs another word or two"),
        ] {
            assert_eq!(reason(password, words), Some(expected), "{password}");
        }
    }

    #[test]
    fn passwords_beyond_72_bytes_count_to_the_last_byte() {
        let reduced = |length: usize| {
            Password::offered(&"a".repeat(length))
                .unwrap()
                .reduced()
                .to_vec()
        };
        assert_eq!(reduced(72), "a".repeat(72).into_bytes());
        assert_eq!(reduced(73).len(), 64);
        assert_ne!(reduced(73), reduced(74));
        assert_ne!(reduced(255), reduced(256));
    }
}
