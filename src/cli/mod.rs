//! The command line: one file a command. Every command reads the same settings as the server and is safe beside it.

mod logs;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Settings, Sources};

/// What a command fails with: a text for the operator.
type Outcome = Result<(), Box<dyn std::error::Error>>;

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
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("cloakroom: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Outcome {
    let sources = Sources::from_process(arguments.config)?;
    let settings = || Settings::load(&sources);
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings()?),
    }
}
