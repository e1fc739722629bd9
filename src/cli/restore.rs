//! `cloakroom restore`: makes a backup the database again. `cloakroom after-restore`: the second half of it, for a database
//! that other tools restored.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::output::{Format, confirm, note};
use super::progress::Bar;
use super::{CommandError, Outcome, database};
use crate::accounts::restored::{AfterRestore, Ended, end_after_restore};
use crate::audit::{Entry, Event, Source};
use crate::config::Settings;
use crate::domain::clock::Clock;
use crate::store::{self, Database, Holdings, IfMissing, Inspection};

/// What ends besides.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Options {
    /// End all sessions: those that were signed out or revoked after the backup would be valid again
    #[arg(long)]
    end_sessions: bool,
    /// Keep recovery codes: those that were used after the backup are valid again
    #[arg(long)]
    keep_recovery_codes: bool,
}

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Keep the database that is there under another name, and restore in its place
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    format: Format,
}

/// Those of `after-restore`.
#[derive(Debug, clap::Args)]
pub(super) struct AfterArguments {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(settings: &Settings, arguments: &Arguments) -> Outcome {
    let now = Clock::System.now();
    let mut bar = Bar::default();
    let restoring = store::start_restore(
        &settings.database,
        &arguments.file,
        arguments.replace,
        &mut |progress| bar.show("copied", progress.done, progress.of),
    )?;
    drop(bar);
    let copy = restoring.database(&settings.database);
    let (ended, held) = database::wait_for(async {
        let opened = Database::open(&copy, 1, IfMissing::Refuse, Clock::System)?;
        let ended = end_after_restore(&opened, arguments.options.into(), now).await?;
        drop(opened);
        let held = Inspection::open_backup(&copy.path)?
            .content()
            .holdings(now)?;
        Ok((ended, held))
    })?;
    let aside = restoring.finish(now)?;
    record(&ended);
    let document = json!({
        "database": settings.database.path,
        "database_before": aside,
        "users": held.users,
        "sessions": held.sessions,
        "api_keys": held.api_keys,
        "ended": view(&ended),
    });
    arguments.format.print(&document, || {
        let Holdings {
            users,
            sessions,
            api_keys,
        } = held;
        let before = aside.as_ref().map_or_else(String::new, |aside| {
            format!("the database before it is {}\n", aside.display())
        });
        format!(
            "restored {}: {users} users, {sessions} sessions, {api_keys} API keys\n{before}{}",
            settings.database.path.display(),
            text(&ended)
        )
    })?;
    advise(&ended, arguments.options);
    Ok(())
}

pub(super) fn run_after(settings: &Settings, arguments: &AfterArguments) -> Outcome {
    let ended = database::wait_for(async {
        let opened = database::open(settings)?;
        if !arguments.yes {
            confirm(
                "End all access tokens, refresh tokens, mailed links and codes, and delete recovery codes?",
            )?;
        }
        let now = Clock::System.now();
        let ended = end_after_restore(&opened, arguments.options.into(), now).await;
        Ok::<_, CommandError>(ended?)
    })?;
    record(&ended);
    let document = json!({ "ended": view(&ended) });
    arguments.format.print(&document, || text(&ended))?;
    advise(&ended, arguments.options);
    Ok(())
}

impl From<Options> for AfterRestore {
    fn from(options: Options) -> Self {
        Self {
            ends_sessions: options.end_sessions,
            keeps_recovery_codes: options.keep_recovery_codes,
        }
    }
}

fn record(ended: &Ended) {
    let event = Event::DatabaseRestored {
        sessions_ended: ended.sessions,
    };
    Entry::new(&Source::OPERATOR, event).write();
}

fn view(ended: &Ended) -> Value {
    json!({
        "refresh_tokens": ended.refresh_tokens,
        "sign_ins": ended.sign_ins,
        "mails": ended.mails,
        "recovery_codes": ended.recovery_codes,
        "sessions": ended.sessions,
    })
}

fn text(ended: &Ended) -> String {
    let Ended {
        refresh_tokens,
        sign_ins,
        mails,
        recovery_codes,
        sessions,
    } = ended;
    format!(
        "ended all access tokens and mailed links, {refresh_tokens} refresh tokens, {sign_ins} sign-ins under way, \
         {mails} waiting mails with links, {recovery_codes} recovery codes and {sessions} sessions\n"
    )
}

/// What the database cannot know.
fn advise(ended: &Ended, options: Options) {
    let sessions = match options.end_sessions {
        true => "",
        false => "sessions (`cloakroom sessions revoke --all`), ",
    };
    note(&format!(
        "valid again, if they were changed, revoked or removed after the backup: {sessions}passwords, second factors, \
         passkeys, linked accounts, and API keys (`cloakroom api-keys revoke --all`)"
    ));
    if ended.recovery_codes > 0 {
        note("users have no recovery codes until they make new ones in their account");
    }
}
