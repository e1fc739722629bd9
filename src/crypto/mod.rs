//! Keys, tokens, signatures and password hashing. Only this folder knows ring and the JWT format.

pub mod access_token;
mod aead;
pub mod es256;
pub mod jws;
pub mod jwt;
pub mod key_ring;
pub mod mail_code;
pub mod passkey_challenge;
pub mod password;
pub mod private_file;
pub mod recovery_code;
pub mod sealed;
pub mod sealed_message;
pub mod signed_link;
pub mod signed_message;
pub mod token;
pub mod totp;
pub mod webauthn;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The cryptography of TLS connections that Cloakroom opens itself.
pub fn tls_provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a text.
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The same in base64url, as PKCE has it (RFC 7636, 4.2: `S256`).
pub fn s256(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(sha256(text))
}
