//! One file per table: its statements and the types of its rows.

pub mod api_keys;
pub mod audit_chain;
pub mod audit_events;
pub mod identities;
pub mod identity_link_requests;
pub mod key_bases;
pub mod known_devices;
pub mod mail_codes;
pub mod outbox;
pub mod passkeys;
pub mod passwords;
pub mod pending_sign_ins;
pub mod projects;
pub mod provider_sign_ins;
pub mod recovery_codes;
pub mod refresh_tokens;
pub mod revocations;
pub mod sessions;
pub mod throttles;
pub mod totp_factors;
pub mod used_challenges;
pub mod users;
pub mod write_probe;
