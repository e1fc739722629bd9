//! Keys, tokens, signatures and password hashing. Only this folder knows ring and the JWT format.

pub mod access_token;
pub mod jwt;
pub mod key_ring;
pub mod mail_code;
pub mod password;
pub mod private_file;
pub mod recovery_code;
pub mod sealed;
pub mod signed_link;
pub mod signed_message;
pub mod token;
pub mod totp;
pub mod webauthn;

/// The cryptography of TLS connections that Cloakroom opens itself.
pub fn tls_provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
