//! The command line: one file a command. Commands read the server's settings, and are safe to run beside a running
//! server.

mod api_keys;
mod audit;
mod backup;
mod config;
mod database;
mod doctor;
#[cfg(test)]
mod documented;
mod events;
mod health;
mod limits;
mod logs;
mod mail;
mod manual;
mod migrate;
mod moving;
mod open_files;
mod openapi;
mod output;
mod passwords;
mod progress;
mod providers;
#[cfg(test)]
mod reference;
mod report;
mod restore;
mod routes;
mod secret;
mod serve;
mod sessions;
mod sweep;
mod user_ref;
mod users;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ConfigError, Settings, Sources};
use crate::domain::error::Error;
use crate::store;

/// A command's failure, in words for the operator.
type CommandError = Box<dyn std::error::Error>;
type Outcome = Result<(), CommandError>;

/// How commands end, for people and for scripts.
const EXIT_CODES: &str = "\
Exit codes: 0 if the command succeeded, 1 if it failed (the reason is on standard error), and 2 if its arguments are not \
valid.";

/// An authentication server in one binary, on SQLite or PostgreSQL.
///
/// Commands read the server's settings, except for `openapi`, `passwords`, `completions` and `secret` without a subcommand. A
/// settings file that names its environment and secret files is enough to find them: `--config FILE`. All commands are
/// safe to run beside the server; `move` and `restore` refuse to. Only `serve`, `migrate`, `move` and `restore` create a
/// database. Commands that
/// print data accept `--json`.
#[derive(Debug, Parser)]
#[command(name = "cloakroom", version, after_long_help = EXIT_CODES)]
struct Arguments {
    /// Settings file that overrides the defaults (also CLOAKROOM_CONFIG)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default command)
    ///
    /// SIGTERM, SIGINT and SIGHUP stop it: it accepts no more connections, and finishes the requests in flight.
    Serve,
    /// Print a new key base for `secrets.key_base`, or rotate the current one
    Secret(secret::Arguments),
    /// Show the effective settings, without secrets
    Config(config::Arguments),
    /// Check settings, database file, mail and clock, and suggest fixes
    ///
    /// It changes nothing, and exits with 1 if a check fails.
    Doctor(output::Format),
    /// Ask the running server whether it is ready, as container health checks do
    ///
    /// It calls `/ready` at the address of `server.bind`, and exits with 0 if the server is ready and with 1 if not.
    Health(output::Format),
    /// List the routes that the settings enable, and who may call them
    Routes(output::Format),
    /// Print the OpenAPI document of all routes, also those that settings leave out
    Openapi,
    /// Migrate the database schema (`serve` does it too)
    ///
    /// It creates the database if it is missing. `serve` does so too, except in production.
    Migrate(migrate::Arguments),
    /// Move all rows into an empty database: from SQLite to PostgreSQL, or back
    ///
    /// It reads the database of the settings, which no server may use meanwhile, and changes nothing in it. Ids, sessions,
    /// API keys, links and waiting mails stay valid if the key base stays the same. The rows are read again and compared
    /// before they are committed together; a move that fails or is killed leaves an empty target. The tables of a PostgreSQL target are
    /// created if they are missing.
    Move(moving::Arguments),
    /// Copy the SQLite file to a new one beside the running server, or verify a copy
    ///
    /// Writers do not wait. The copy is as the file was when the command started. It is named FILE once it is on disk and
    /// was verified: a command that fails or is killed leaves none, and the next one removes what it left. An existing FILE
    /// is never replaced.
    Backup(backup::Arguments),
    /// Make a backup the database again, and end what was valid before
    ///
    /// It verifies a copy of FILE, migrates it and puts it at `database.path`, which no server may use meanwhile. What was
    /// used or revoked after the backup must not work again: it ends all access tokens, refresh tokens, sign-ins under way
    /// and mailed links, and deletes recovery codes. Sessions and API keys stay valid. A restore that fails or is killed
    /// leaves the database as it was.
    Restore(restore::Arguments),
    /// End what was valid before a database was restored by other tools
    ///
    /// It does what `restore` does after it has put the file in its place: after `pg_restore`, a recovery to a point in
    /// time, or a copy by hand. Run it before the servers start.
    AfterRestore(restore::AfterArguments),
    /// Delete expired sessions and other expired rows (`serve` does it too)
    Sweep(output::Format),
    /// Create, show, disable and delete users
    #[command(subcommand)]
    Users(users::Command),
    /// List and revoke sessions
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Create, list and revoke API keys of services and users
    #[command(subcommand)]
    ApiKeys(api_keys::Command),
    /// Check the providers by which users sign in
    #[command(subcommand)]
    Providers(providers::Command),
    /// Build a list of breached passwords
    #[command(subcommand)]
    Passwords(passwords::Command),
    /// Print an anchor of the audit trail, and verify it
    #[command(subcommand)]
    Audit(audit::Command),
    /// List the events of the audit trail, newest first: who did what, when and from where
    Events(events::Arguments),
    /// List the counters of limits, and lift limits
    #[command(subcommand)]
    Limits(limits::Command),
    /// List queued, sent and failed mails, and retry one
    #[command(subcommand)]
    Mail(mail::Command),
    /// Print the completions of a shell
    Completions(manual::CompletionArgs),
    /// Print the manual page
    #[command(hide = true)]
    Man(manual::ManArgs),
}

/// Runs the command named by the process's arguments.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in explain(&*error).lines() {
                output::note(&format!("cloakroom: {line}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Outcome {
    let sources = || Sources::from_process(arguments.config.clone());
    let load = || sources().and_then(|sources| Settings::load(&sources));
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let sources = sources()?;
            serve::run(Settings::load(&sources)?, &sources)
        }
        Command::Secret(arguments) => secret::run(arguments, sources),
        Command::Config(arguments) => config::run(load, &arguments),
        Command::Doctor(format) => doctor::run(sources(), &format),
        Command::Health(format) => health::run(&quietly(load)?, &format),
        Command::Routes(format) => routes::run(&load()?, &format),
        Command::Openapi => openapi::run(),
        Command::Migrate(arguments) => {
            on_database(&sources()?, |settings| migrate::run(settings, &arguments))
        }
        Command::Move(arguments) => {
            on_database(&sources()?, |settings| moving::run(settings, &arguments))
        }
        Command::Backup(arguments) => backup::run(&sources()?, arguments),
        Command::Restore(arguments) => {
            on_database(&sources()?, |settings| restore::run(settings, &arguments))
        }
        Command::AfterRestore(arguments) => on_database(&sources()?, |settings| {
            restore::run_after(settings, &arguments)
        }),
        Command::Sweep(format) => {
            on_database(&sources()?, |settings| sweep::run(settings, &format))
        }
        Command::Users(command) => {
            on_database(&sources()?, |settings| users::run(settings, command))
        }
        Command::Sessions(command) => {
            on_database(&sources()?, |settings| sessions::run(settings, command))
        }
        Command::ApiKeys(command) => {
            on_database(&sources()?, |settings| api_keys::run(settings, command))
        }
        Command::Providers(command) => providers::run(&quietly(load)?, command),
        Command::Passwords(command) => passwords::run(command),
        Command::Audit(command) => {
            on_database(&sources()?, |settings| audit::run(settings, command))
        }
        Command::Events(arguments) => {
            on_database(&sources()?, |settings| events::run(settings, arguments))
        }
        Command::Limits(command) => {
            on_database(&sources()?, |settings| limits::run(settings, command))
        }
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
        Command::Mail(command) => on_database(&sources()?, |settings| mail::run(settings, command)),
    }
}

/// Runs a command on the server's database. At a terminal it says which, since another folder or environment means
/// another database; elsewhere only if there is none.
fn on_database(sources: &Sources, command: impl FnOnce(&Settings) -> Outcome) -> Outcome {
    let settings = quietly(|| Settings::load(sources))?;
    let database = &settings.database;
    // A relative path says little.
    let used = match (&database.url, std::path::absolute(&database.path)) {
        (None, Ok(path)) => path.display().to_string(),
        _ => store::describe(database),
    };
    if std::io::stderr().is_terminal() {
        output::note(&format!("{used} ({})", sources.describe()));
    }
    command(&settings).map_err(
        |error| match database.url.is_some() || database.path.exists() {
            true => error,
            false => format!(
                "{} (environment {}; --config names the server's settings file)",
                explain(&*error),
                sources.describe()
            )
            .into(),
        },
    )
}

/// The settings for a command that runs beside the server: it logs warnings and errors only.
fn quietly(load: impl FnOnce() -> Result<Settings, ConfigError>) -> Result<Settings, ConfigError> {
    let settings = load()?;
    logs::start(settings.log.format, logs::quiet());
    Ok(settings)
}

/// The error in words for the operator.
fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let Some(Error::Unavailable { reason, .. }) = error.downcast_ref() else {
        return error.to_string();
    };
    store::explain(*reason).to_owned()
}
