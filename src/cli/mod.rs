//! The command line: one file a command. Commands that need settings read the
//! server's, and are safe beside it.

mod api_keys;
mod config;
mod database;
mod doctor;
mod logs;
mod mail;
mod migrate;
mod openapi;
mod output;
mod routes;
mod secret;
mod serve;
mod sessions;
mod sweep;
mod user_ref;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ConfigError, Settings, Sources};
use crate::domain::error::Error;

/// What a command fails with: a text for the operator.
type Fault = Box<dyn std::error::Error>;
type Outcome = Result<(), Fault>;

/// An authentication server in one binary and one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "cloakroom", version)]
struct Arguments {
    /// A settings file, laid over the defaults (also CLOAKROOM_CONFIG)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what `cloakroom` alone does)
    Serve,
    /// Print a new key base, for `secrets.key_base`; or put one in the place of the present one
    Secret(secret::Arguments),
    /// Show the settings in force, without their secrets
    Config(output::Format),
    /// Examine settings, file, mail and clock, and say what to do about what is wrong
    Doctor(output::Format),
    /// List the routes, with who may call them
    Routes(output::Format),
    /// Print the OpenAPI document of the routes
    Openapi,
    /// Bring the database's schema up to date (`serve` does it too)
    Migrate(migrate::Arguments),
    /// Delete expired sessions and other rows that are over (`serve` does it too)
    Sweep(output::Format),
    /// Create, look up, disable and delete users
    #[command(subcommand)]
    Users(users::Command),
    /// List and end sessions
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Make, list and revoke API keys, for services of one's own and for users
    #[command(subcommand)]
    ApiKeys(api_keys::Command),
    /// Look after the mails that wait, were sent or were given up
    #[command(subcommand)]
    Mail(mail::Command),
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            for line in explain(&*fault).lines() {
                output::remark(&format!("cloakroom: {line}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Outcome {
    let sources = || Sources::from_process(arguments.config.clone());
    let load = || sources().and_then(|sources| Settings::load(&sources));
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(load()?),
        Command::Secret(arguments) => secret::run(arguments, sources),
        Command::Config(format) => config::run(&load()?, &format),
        Command::Doctor(format) => doctor::run(sources(), &format),
        Command::Routes(format) => routes::run(&format),
        Command::Openapi => openapi::run(),
        Command::Migrate(arguments) => migrate::run(&quietly(load)?, &arguments),
        Command::Sweep(format) => sweep::run(&quietly(load)?, &format),
        Command::Users(command) => users::run(&quietly(load)?, command),
        Command::Sessions(command) => sessions::run(&quietly(load)?, command),
        Command::ApiKeys(command) => api_keys::run(&quietly(load)?, command),
        Command::Mail(command) => mail::run(&quietly(load)?, command),
    }
}

/// The settings of a command beside the server, which logs only what went wrong.
fn quietly(load: impl FnOnce() -> Result<Settings, ConfigError>) -> Result<Settings, ConfigError> {
    let settings = load()?;
    logs::start(settings.log.format, logs::quiet());
    Ok(settings)
}

/// The fault in words for whoever typed the command.
fn explain(fault: &(dyn std::error::Error + 'static)) -> String {
    let Some(Error::Unavailable { reason, .. }) = fault.downcast_ref() else {
        return fault.to_string();
    };
    crate::store::explain(reason).to_owned()
}
