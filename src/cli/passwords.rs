//! `cloakroom passwords`: the list of breached passwords that `password.breached_list` names.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::Outcome;
use super::output::Format;
use crate::breached_passwords::{Input, build};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build a list from a download of Have I Been Pwned, or from a file of passwords
    Build {
        /// Lines SHA-1:COUNT sorted by digest, as the downloaders write them; - is standard input
        input: PathBuf,
        /// The list to write; a list there is replaced once the new one is complete
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Leave out passwords that were seen less often
        #[arg(
            long,
            value_name = "COUNT",
            default_value_t = 1,
            conflicts_with = "plain"
        )]
        least: u64,
        /// The input has one password a line
        #[arg(long)]
        plain: bool,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(command: Command) -> Outcome {
    let Command::Build {
        input,
        output,
        least,
        plain,
        format,
    } = command;
    let lines: Box<dyn BufRead> = match input.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(BufReader::new(
            File::open(&input).map_err(|error| format!("{}: {error}", input.display()))?,
        )),
    };
    let form = match plain {
        true => Input::Plain,
        false => Input::Digests { least },
    };
    let built = build(lines, form, &output)
        .map_err(|error| format!("{} to {}: {error}", input.display(), output.display()))?;
    let document = json!({ "lines": built.lines, "entries": built.entries });
    format.print(&document, || {
        format!(
            "wrote {} of {} passwords to {}: name it in password.breached_list and restart the server",
            built.entries,
            built.lines,
            output.display()
        )
    })
}
