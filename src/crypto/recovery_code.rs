//! Recovery codes: 20 base58 characters in four groups, 117 bits, so that SHA-256 is digest enough (ASVS 6.5.2).

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::crypto::token::{IS_BASE58, push_random_base58};
use crate::domain::TokenDigest;
use crate::domain::error::Result;

const LENGTH: usize = 20;
const GROUP: usize = 5;

/// A recovery code in clear.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

impl RecoveryCode {
    /// A new random code.
    pub fn generate() -> Result<Self> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        push_random_base58(&mut text, LENGTH)?;
        Ok(Self(text))
    }

    /// Reads a code as it was typed, with or without the hyphens and with spaces; `None` for what can be no code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut read = Zeroizing::new(String::with_capacity(LENGTH));
        for character in text.chars() {
            if character == '-' || character.is_whitespace() {
                continue;
            }
            let byte = u8::try_from(character).ok()?;
            if read.len() == LENGTH || !IS_BASE58[usize::from(byte)] {
                return None;
            }
            read.push(character);
        }
        (read.len() == LENGTH).then_some(Self(read))
    }

    /// The digest that the database holds.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::new(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The code, for the one reply that shows it: `xxxxx-xxxxx-xxxxx-xxxxx`.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        for (at, character) in self.0.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = RecoveryCode::generate().unwrap();
        let shown = code.reveal();
        assert_eq!((shown.len(), shown.matches('-').count()), (23, 3));
        for typed in [
            shown.to_string(),
            shown.replace('-', ""),
            format!(" {}\n", shown.replace('-', " ")),
        ] {
            assert_eq!(RecoveryCode::parse(&typed).unwrap().digest(), code.digest());
        }
    }

    #[test]
    fn what_can_be_no_code_is_refused() {
        let long = "a".repeat(21);
        for text in [
            "",
            "123456",
            "0aaaaaaaaaaaaaaaaaaa",
            "éaaaaaaaaaaaaaaaaaaa",
            &long,
        ] {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
    }
}
