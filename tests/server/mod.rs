//! The real binary as a process: signals, kill, files, several servers, curl, proxies and services that verify
//! its tokens.

mod account;
mod audit_trail;
mod browser_recipes;
mod canary;
mod commands;
mod crash;
mod curl;
mod documented_programs;
mod embedded_routes;
mod examples;
mod failover;
mod files;
mod limits;
mod logs;
mod mail_code;
mod mail_delivery;
mod metrics;
mod middleware;
mod origins;
mod passkeys;
mod postgresql;
mod postgresql_crash;
mod postgresql_page;
mod postgresql_revocation;
mod provider_sign_in;
mod proxies;
mod refresh;
mod revocation;
mod revoked_sessions;
mod second_factor;
mod shared_database;
mod signals;
mod tokens;
mod verifiers;
