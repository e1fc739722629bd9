//! The real binary as a process: signals, kill, files, neighbours, curl.

mod account;
mod canary;
mod commands;
mod crash;
mod curl;
mod edge;
mod ended;
mod files;
mod mails;
mod neighbours;
mod refresh;
mod revocation;
mod signals;
mod tokens;
