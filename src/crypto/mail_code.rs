//! Codes that are mailed: eight digits, derived from the digest of the request's token and a secret key.
//!
//! # Threats
//! - a copy of the database: eight digits have 26 bits, so that a digest of them could be searched. There is none: without
//!   the key base the code cannot be computed
//! - a client that chooses its code: the token that it depends on is the server's
//! - a key base that is replaced while a mail is on its way: the previous one verifies for one lifetime

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::key_ring::{Key, KeyRing, Purpose};
use crate::crypto::signed_message::mac;
use crate::domain::TokenDigest;
use crate::domain::clock::Timestamp;
use crate::domain::mail_kind::MAIL_CODE_LIFETIME;

const DIGITS: usize = 8;

/// A code in clear.
#[derive(Clone)]
pub struct MailCode(Zeroizing<String>);

impl MailCode {
    /// The code of the request whose token has this digest.
    pub fn of_request(key_ring: &KeyRing, request: &TokenDigest) -> Self {
        Self::derive(&key_ring.signing(Purpose::MailCode), request)
    }

    /// Reads a code as it was typed, with or without spaces and hyphens; `None` for what can be no code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
        for character in text.chars() {
            if character == '-' || character.is_whitespace() {
                continue;
            }
            if digits.len() == DIGITS || !character.is_ascii_digit() {
                return None;
            }
            digits.push(character);
        }
        (digits.len() == DIGITS).then_some(Self(digits))
    }

    /// Whether it is the code of this request.
    pub fn is_of(&self, key_ring: &KeyRing, request: &TokenDigest, now: Timestamp) -> bool {
        key_ring.verifying(Purpose::MailCode).any(|found| {
            let expected = Self::derive(&found.key, request);
            let is_same: bool = expected.0.as_bytes().ct_eq(self.0.as_bytes()).into();
            is_same && found.verifies_at(MAIL_CODE_LIFETIME, now)
        })
    }

    /// The digits, for the mail and for the page that its link opens.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Of 2^64 values as good as equally many lead to each code.
    fn derive(key: &Key, request: &TokenDigest) -> Self {
        let mac = Zeroizing::new(mac(key, b"code", &[request.as_bytes()]));
        let number = mac
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Self(Zeroizing::new(format!("{:08}", number % 100_000_000)))
    }
}

impl fmt::Debug for MailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCode([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::crypto::key_ring::tests::key_ring;
    use crate::crypto::token::{PlainToken, TokenKind};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn request() -> TokenDigest {
        PlainToken::generate(TokenKind::MailCode).unwrap().digest()
    }

    #[test]
    fn a_code_depends_on_its_request_and_the_key_base() {
        let (key_ring, request) = (key_ring("a", &[]), request());
        let code = MailCode::of_request(&key_ring, &request);
        assert!(code.is_of(&key_ring, &request, NOW));
        assert!(!code.is_of(&self::key_ring("b", &[]), &request, NOW));
        let others: HashSet<String> = (0..100)
            .map(|_| MailCode::of_request(&key_ring, &self::request()))
            .map(|code| code.reveal().to_owned())
            .collect();
        assert!(others.len() > 95 && others.iter().all(|code| code.len() == 8));
    }

    #[test]
    fn a_previous_key_base_verifies_codes_for_one_lifetime() {
        let request = request();
        let code = MailCode::of_request(&key_ring("a", &[]), &request);
        let mut rotated = key_ring("b", &["a"]);
        assert!(code.is_of(&rotated, &request, NOW));
        let previous = rotated.names().previous[0].clone();
        rotated.note_retirement(&previous, NOW);
        let moment = Duration::from_millis(1);
        assert!(code.is_of(&rotated, &request, NOW + MAIL_CODE_LIFETIME - moment));
        assert!(!code.is_of(&rotated, &request, NOW + MAIL_CODE_LIFETIME));
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        for typed in ["01234567", " 0123 4567\n", "0123-4567"] {
            assert_eq!(MailCode::parse(typed).unwrap().reveal(), "01234567");
        }
        for text in ["", "0123456", "012345678", "0123456x", "٠١٢٣٤٥٦٧"] {
            assert!(MailCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_code_is_not_printed() {
        let code = MailCode::of_request(&key_ring("a", &[]), &request());
        assert_eq!(format!("{code:?}"), "MailCode([hidden])");
    }
}
