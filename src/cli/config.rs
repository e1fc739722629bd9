//! `cloakroom config`: the settings in force, checked, as a file that could be read again; secrets stay hidden.

use super::output::Format;
use crate::config::Settings;

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    let toml = settings.to_toml()?;
    format.print(settings, || {
        format!("# In force with CLOAKROOM_ENV={}.\n\n{toml}", settings.env)
    })
}
