//! `cloakroom completions` and `cloakroom man`: for packagers, from the same declarations as the help.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::output::print;
use super::{Arguments, Outcome};

/// The shell.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionArgs {
    /// The shell that reads them
    shell: Shell,
}

/// Where to.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write one page for each command into this folder instead
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(super) fn completions(arguments: &CompletionArgs) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "cloakroom",
        &mut text,
    );
    Ok(print(&String::from_utf8(text)?)?)
}

pub(super) fn man(arguments: &ManArgs) -> Outcome {
    let command = Arguments::command();
    if let Some(folder) = &arguments.output {
        return clap_mangen::generate_to(command, folder)
            .map_err(|error| format!("{}: {error}", folder.display()).into());
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(print(&String::from_utf8(page)?)?)
}
