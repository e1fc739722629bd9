//! The real binary as a process: signals, kill, files, neighbours, curl, and who stands in front of it or trusts what it
//! signs.

mod account;
mod canary;
mod commands;
mod crash;
mod curl;
mod ended;
mod examples;
mod files;
mod mails;
mod middleware;
mod neighbours;
mod proxies;
mod refresh;
mod revocation;
mod signals;
mod tokens;
mod verifiers;
