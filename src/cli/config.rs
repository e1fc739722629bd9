//! `cloakroom config`: the effective settings as a TOML file, without secrets.

use clap::Args;

use super::output::Format;
use crate::config::{ConfigError, Settings, default_toml};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print every setting with its default, range and purpose instead
    #[arg(long, conflicts_with = "json")]
    reference: bool,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(
    load: impl FnOnce() -> Result<Settings, ConfigError>,
    arguments: &Arguments,
) -> super::Outcome {
    if arguments.reference {
        return Ok(super::output::print(&default_toml())?);
    }
    let settings = load()?;
    let toml = settings.to_toml()?;
    arguments.format.print(&settings, || {
        format!(
            "# Effective settings with CLOAKROOM_ENV={}.\n\n{toml}",
            settings.env
        )
    })
}
