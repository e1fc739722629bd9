//! The app in process, through actix's test utilities, and where TCP matters the real binary: a file a feature,
//! names are sentences.

mod access;
mod access_tokens;
mod account;
mod api_keys;
mod article;
mod clock;
mod confirmations;
mod cookies;
mod cors;
mod devices;
mod forged;
mod http;
mod introspection;
mod passwords;
mod private;
mod projects;
mod refresh;
mod registrations;
mod revocation;
mod rfc6750;
mod sessions;
mod sudo;
mod sweep;
mod throttles;
mod tokens;
mod unlocks;
mod upgrade;
mod verify;
