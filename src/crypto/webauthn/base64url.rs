//! Base64url as Web Authentication has it: without padding, and bounded.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::refusal::Refusal;

/// The bytes, at most `most`.
pub(super) fn decode(text: &str, most: usize) -> Result<Vec<u8>, Refusal> {
    if text.len() > (most * 4).div_ceil(3) {
        return Err(Refusal::TooLong);
    }
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Refusal::Base64Url)
}
