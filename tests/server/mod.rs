//! The real binary as a process: signals, kill, files, neighbours, curl, and who stands in front of it or trusts what it
//! signs.

mod account;
mod canary;
mod commands;
mod crash;
mod curl;
mod examples;
mod files;
mod mail_delivery;
mod middleware;
mod proxies;
mod refresh;
mod revocation;
mod revoked_sessions;
mod shared_database;
mod signals;
mod tokens;
mod verifiers;
