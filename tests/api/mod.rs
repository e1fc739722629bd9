//! The app in process, through actix's test utilities, and where TCP matters the real binary: a file a feature,
//! names are sentences.

mod access;
mod article;
mod cors;
mod http;
mod passwords;
mod projects;
mod registrations;
mod sessions;
mod sweep;
mod throttles;
