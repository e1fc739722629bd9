//! The rules about accounts and their credentials that have more than one caller: features, the command line, and each
//! other. They work on a transaction or on the [`Context`](crate::Context), and know nothing of HTTP.

pub mod administration;
pub mod api_keys;
pub mod authentication;
pub mod credentials_changed;
pub mod identities;
pub mod identity_claims;
pub mod identity_link;
pub mod identity_sign_in;
pub mod mail_code;
pub mod mailed_link;
pub mod new_password;
pub mod passkeys;
pub mod password_sign_in;
pub mod reauthentication;
pub mod restored;
pub mod rotate_session;
pub mod second_factor;
pub mod second_factor_rule;
pub mod sign_in_methods;
pub mod standing;
pub mod start_session;
pub mod unverified_account;
