//! `cloakroom config`: the effective settings as a TOML file, without secrets.

use super::output::Format;
use crate::config::Settings;

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    let toml = settings.to_toml()?;
    format.print(settings, || {
        format!(
            "# Effective settings with CLOAKROOM_ENV={}.\n\n{toml}",
            settings.env
        )
    })
}
