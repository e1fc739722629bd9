//! `cloakroom providers`: checks the providers by which users sign in.

use clap::Subcommand;

use super::database;
use super::output::Format;
use super::report::Report;
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::outbound::Outbound;
use crate::providers::{Providers, Severity};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a provider states about itself, the redirect URI to register there, and what is missing or wrong
    ///
    /// It asks the provider for its discovery document and its keys, and presents a code that is made up, which shows
    /// whether `client_id` and the secret are accepted. It changes nothing, and exits with 1 if a check fails.
    Check {
        /// Name of the provider: that of its table in the settings
        name: String,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    let Command::Check { name, format } = command;
    let outbound = Outbound::new(&settings.outbound);
    let providers = Providers::open(settings, &outbound, &Clock::System)?;
    let Some(provider) = providers.find(&name) else {
        let names: Vec<&str> = providers.iter().map(|it| &*it.name).collect();
        let known = match names.is_empty() {
            true => "the settings have none".to_owned(),
            false => format!("the settings have {}", names.join(", ")),
        };
        return Err(format!("no provider {name}: {known}").into());
    };
    database::wait_for(async {
        let (redirect_uri, findings) = provider.inspect().await;
        let mut report = Report::default();
        report.ok("redirect_uri", redirect_uri);
        for finding in findings {
            let (topic, what) = (finding.topic, finding.what);
            match finding.advice {
                None => report.ok(topic, what),
                Some((Severity::Warning, advice)) => report.warn(topic, what, advice),
                Some((Severity::Failure, advice)) => report.fail(topic, what, advice),
            }
        }
        report.print(&format)
    })
}
