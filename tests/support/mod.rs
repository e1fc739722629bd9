//! What the tests of several areas share.

pub mod acknowledged;
pub mod app;
pub mod beside;
pub mod callers;
pub mod certificates;
pub mod cluster;
pub mod credentials;
pub mod flows;
pub mod forgery;
#[path = "../../src/config/generated_file.rs"]
pub mod generated_file;
pub mod issuer;
pub mod limits;
pub mod machine;
pub mod mail_code;
pub mod passkeys;
pub mod postgresql;
pub mod process;
pub mod program;
pub mod provider;
pub mod raw_connection;
pub mod route_cases;
pub mod second_factor;
pub mod smtp;
pub mod snapshot;
