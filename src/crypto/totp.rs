//! Time-based one-time passwords (RFC 6238) as authenticator apps have them: SHA-1, 6 digits, 30 seconds. Apps ignore
//! other parameters.
//!
//! # Threats
//! - a code read over a shoulder: each is accepted once, by its time step, which the caller stores
//! - a longer life of a code by clocks that differ: the current step and the one before it are accepted, no later one
//! - guessing: the caller counts

use std::fmt;

use totp_rs::{Builder, Secret, Totp};
use url::Url;
use zeroize::Zeroizing;

use crate::crypto::token::fill_random;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

/// The length of a step in seconds.
const STEP: u64 = 30;
/// 160 bits, as RFC 4226 recommends.
const SECRET_LENGTH: usize = 20;
const DIGITS: usize = 6;

/// The secret that a server and an authenticator app share.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// A new random secret.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_LENGTH]);
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// From its bytes.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// In base32, to be typed into an app.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(Secret::new(self.0.as_slice().into()).to_base32())
    }

    /// The URL that a QR code carries: `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER`.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub fn url(&self, issuer: &str, account: &str) -> Result<Zeroizing<String>> {
        let mut url = Url::parse("otpauth://totp").map_err(Error::internal)?;
        // A colon separates the two. Some apps read `+` as a space and others do not, so there is none.
        let issuer = issuer.replace(':', " ");
        let label = format!("{issuer}:{account}");
        url.set_path(&label.replace('%', "%25").replace('+', "%2B"));
        url.query_pairs_mut()
            .append_pair("secret", &self.to_base32())
            .append_pair("issuer", &issuer);
        Ok(Zeroizing::new(String::from(url).replace('+', "%20")))
    }

    /// The time step of a code that is valid now: the current one or the one before it. Spaces in the code are ignored.
    pub fn matching_step(&self, code: &str, now: Timestamp) -> Result<Option<i64>> {
        let typed: Zeroizing<String> = Zeroizing::new(
            code.chars()
                .filter(|c| !c.is_whitespace())
                .take(DIGITS + 1)
                .collect(),
        );
        let totp = self.totp()?;
        let now = u64::try_from(now.as_millis() / 1000).unwrap_or_default();
        let step = [now, now.saturating_sub(STEP)]
            .into_iter()
            .find_map(|time| totp.check(&typed, time));
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    /// The code that an app shows at a time.
    #[cfg(any(test, feature = "testing"))]
    pub fn code_at(&self, time: Timestamp) -> String {
        let seconds = u64::try_from(time.as_millis() / 1000).unwrap_or_default();
        self.totp().map_or_else(
            |failure| failure.to_string(),
            |totp| totp.generate(seconds).to_string(),
        )
    }

    /// The secret that was shown in base32.
    #[cfg(any(test, feature = "testing"))]
    pub fn from_base32(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        Some(Self(Zeroizing::new(secret.as_bytes().to_vec())))
    }

    fn totp(&self) -> Result<Totp> {
        Builder::new()
            .with_secret(Secret::new(self.0.as_slice().into()))
            .with_step_duration(STEP)
            .with_skew(0)
            .build()
            .map_err(|error| Error::internal(error.to_string()))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret([hidden])")
    }
}

/// The last time step whose code is valid at a time.
pub fn last_step_at(time: Timestamp) -> i64 {
    let seconds = u64::try_from(time.as_millis() / 1000).unwrap_or_default();
    i64::try_from(seconds / STEP).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn rfc_secret() -> TotpSecret {
        TotpSecret::from_bytes(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    /// RFC 6238, appendix B, SHA-1: the last six of eight digits.
    #[test]
    fn the_vectors_of_rfc_6238_match() {
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (time, code) in vectors {
            assert_eq!(rfc_secret().code_at(at(time)), code);
            let step = rfc_secret().matching_step(code, at(time)).unwrap();
            assert_eq!(step, Some(time / 30), "{time}");
        }
    }

    #[test]
    fn a_code_matches_in_its_step_and_the_next_alone() {
        let secret = TotpSecret::generate().unwrap();
        let code = secret.code_at(at(3000));
        let step = |time| secret.matching_step(&code, at(time)).unwrap();
        assert_eq!([2970, 2999, 3000, 3029, 3059, 3060, 3090].map(step), {
            let matched = Some(100);
            [None, None, matched, matched, matched, None, None]
        });
    }

    #[test]
    fn a_code_has_six_digits_between_spaces() {
        let step = |code: &str| rfc_secret().matching_step(code, at(59)).unwrap();
        assert_eq!([" 287 082\n", "287082"].map(step), [Some(1), Some(1)]);
        for code in [
            "",
            "28708",
            "2870820",
            "+87082",
            "２８７０８２",
            "28708a",
            "0287082",
        ] {
            assert_eq!(step(code), None, "{code}");
        }
    }

    #[test]
    fn the_url_names_service_and_account() {
        let url = rfc_secret()
            .url("My: App & Söhne", "one+two%@example.com")
            .unwrap();
        assert_eq!(
            *url,
            "otpauth://totp/My%20%20App%20&%20S%C3%B6hne:one%2Btwo%25@example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20%20App%20%26%20S%C3%B6hne"
        );
    }
}
