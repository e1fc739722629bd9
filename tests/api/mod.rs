//! The app in process, through actix's test utilities, and where TCP matters the real binary: a file a feature,
//! names are sentences.

mod access;
mod access_tokens;
mod account;
mod account_unlock;
mod api_keys;
mod article;
mod clock;
mod cookies;
mod cors;
mod email_verification;
mod forged_tokens;
mod forward_auth;
mod http;
mod introspection;
mod password_reset;
mod private_sign_up;
mod projects;
mod reauthentication;
mod refresh;
mod request_bodies;
mod revocation;
mod rfc6750;
mod second_factor;
mod session_list;
mod sign_in;
mod sign_up;
mod sweep;
mod throttles;
mod tokens;
mod upgrade;
