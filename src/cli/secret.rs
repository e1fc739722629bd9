//! `cloakroom secret`: prints a new key base on standard output. `secret rotate` replaces the current one, and
//! `secret forget` drops the previous ones. `secret adopt` makes another one that of the database.
//!
//! # Threats
//! - links and tokens lost by a rotation: the old base is written among the previous ones before the new one replaces
//!   it, so that a crash in between loses neither
//! - a server that cannot start: both files are written as temporary files with the base's owner and mode before either
//!   is replaced
//! - an old base readable by more users than the current one: the same
//! - two rotations at once: a lock
//! - a leaked base that still verifies: `--leaked` keeps none, and lists what it cannot reach
//! - credentials obtained with a leaked base: the output says that they stay valid and how to revoke them
//! - links that users still hold: `forget` says what becomes invalid and asks, until all of it has expired
//! - secrets of authenticator apps, which are lost with the base that seals them: `forget` refuses to drop it before they
//!   are sealed anew, and `--leaked` seals them anew before it drops anything
//! - the audit trail, which cannot be verified without the base that signs it: the same
//! - temporary files of a run that was killed: the next run removes them

mod adopt;
mod key_store;
mod sealed_secrets;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use self::key_store::KeyStore;
use super::output::{Format, confirm, note, print, table};
use super::{CommandError, Outcome, quietly};
use crate::audit::Event;
use crate::config::{ConfigError, Settings, Sources};
use crate::crypto::key_ring::{KeyRing, generate_base};
use crate::crypto::private_file::Draft;
use crate::crypto::signed_link;
use crate::domain::clock::{Clock, Timestamp};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Replace the current key base; what it signed stays valid for its lifetime
    Rotate {
        /// The key base may be known to others: drop it and all previous ones; links and access tokens become invalid on restart
        #[arg(long)]
        leaked: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Drop the previous key bases, once all that they signed has expired
    Forget {
        /// Do not ask for confirmation when links or access tokens would become invalid
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Make the key base of the settings that of the database, and retire the others
    Adopt {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(
    arguments: Arguments,
    sources: impl FnOnce() -> Result<Sources, ConfigError>,
) -> Outcome {
    match arguments.command {
        None => Ok(print(generate_base()?.expose())?),
        Some(Command::Rotate { leaked, format }) => rotate(&sources()?, leaked, &format),
        Some(Command::Forget { yes, format }) => forget(&sources()?, yes, &format),
        Some(Command::Adopt { yes, format }) => adopt::run(&sources()?, yes, &format),
    }
}

fn rotate(sources: &Sources, leaked: bool, format: &Format) -> Outcome {
    let settings = quietly(|| Settings::load(sources))?;
    let Some(store) = KeyStore::of(sources, &settings) else {
        return print_for_setting(leaked, format);
    };
    let _lock = store.lock()?;
    // Another rotation may have finished while this one waited.
    let settings = Settings::load(sources)?;
    remove_drafts(&store)?;
    let new = generate_base()?;
    let event = match leaked {
        true => Event::LeakedKeyBaseReplaced,
        false => Event::KeyBaseRotated,
    };
    let before = KeyRing::find(&settings)?;
    let seals = leaked && sealed_secrets::sealed_by_any(&settings)? > 0;
    let written = match leaked && !seals {
        true => put(store.replace_all(&new)?)?,
        false => put(store.replace(&settings, &new)?)?,
    };
    let settings_now = Settings::load(sources)?;
    sealed_secrets::record(&settings_now, event);
    if leaked && let Some(before) = before {
        sealed_secrets::sign_trail(&settings_now, &before.replaced_by(new))?;
    }
    if seals {
        // The old base is a previous one until they are sealed under the new one: a crash in between loses none.
        sealed_secrets::seal_all(&Settings::load(sources)?)?;
        put(store.forget()?)?;
    }
    let out_of_reach = store.out_of_reach(&settings);
    let now = Clock::System.now();
    let ends = (!leaked).then(|| Ends::after(&settings, now));
    let document = Rotated {
        leaked,
        written,
        ends,
        previous_out_of_reach: out_of_reach,
    };
    format.print(&document, || document.text(&store))
}

/// Puts the files in their places, in this order; returns their paths.
fn put(drafts: impl IntoIterator<Item = Draft>) -> Result<Vec<PathBuf>, CommandError> {
    let mut written = Vec::new();
    for draft in drafts {
        written.push(draft.path().to_owned());
        draft.put()?;
    }
    Ok(written)
}

/// For a base that is set as a value in a variable or TOML, which this command cannot rewrite.
fn print_for_setting(leaked: bool, format: &Format) -> Outcome {
    let new = generate_base()?;
    format.print(&json!({ "key_base": new.expose() }), || {
        new.expose().to_owned()
    })?;
    let previous = match leaked {
        true => {
            "empty secrets.previous (where users have authenticator apps, list the current one there for one start of the \
             server, which seals their secrets anew)"
        }
        false => "put the current one first in secrets.previous",
    };
    Err(format!(
        "secrets.key_base is set as a value, not by a file; nothing was changed: set it to the one printed here, \
         {previous}, and restart the server"
    )
    .into())
}

fn forget(sources: &Sources, yes: bool, format: &Format) -> Outcome {
    let settings = quietly(|| Settings::load(sources))?;
    let Some(store) = KeyStore::of(sources, &settings) else {
        return Err(
            "secrets.previous is not in a file: remove its values where it is set, and restart the server"
                .into(),
        );
    };
    let _lock = store.lock()?;
    let settings = Settings::load(sources)?;
    remove_drafts(&store)?;
    let dropped = store.previous(&settings)?.len();
    let sealed = sealed_secrets::sealed_by_previous(&settings)?;
    if dropped > 0 && sealed > 0 {
        return Err(format!(
            "a previous key base still seals secrets of authenticator apps ({sealed}); nothing was changed: restart \
             the server, which seals them under the current one, and try again"
        )
        .into());
    }
    if dropped > 0 && sealed_secrets::previous_signs_trail(&settings)? {
        return Err(
            "a previous key base still signs the audit trail; nothing was changed: restart the server, which signs it \
             under the current one, and try again"
                .into(),
        );
    }
    let invalidated = match dropped {
        0 => BTreeMap::new(),
        _ => Ends::after(&settings, store.rotated_at()?).later_than(Clock::System.now()),
    };
    if !invalidated.is_empty() && !yes {
        let rows = table(["what", "until"], rows_of(&invalidated));
        note(&format!(
            "The key base was changed at {}. What the previous ones signed is still valid, and becomes invalid when the \
             server is restarted:\n\n{rows}",
            store.rotated_at()?
        ));
        confirm("Drop the previous key bases now?")?;
    }
    if let Some(draft) = store.forget()? {
        draft.put()?;
    }
    if dropped > 0 {
        sealed_secrets::record(&settings, Event::KeyBasesForgotten);
    }
    let left = store.out_of_reach(&settings);
    let document =
        json!({ "dropped": dropped, "invalidated": invalidated, "previous_out_of_reach": left });
    format.print(&document, || {
        let dropped = match dropped {
            0 => "no previous key bases".to_owned(),
            1 => "dropped 1 previous key base; it becomes invalid when the server is restarted".to_owned(),
            many => format!(
                "dropped {many} previous key bases; they become invalid when the server is restarted"
            ),
        };
        format!("{dropped}\n{}", still_listed(left))
    })
}

/// Only while the lock is held: another run may be writing them.
fn remove_drafts(store: &KeyStore) -> Outcome {
    for draft in store.drafts()? {
        fs::remove_file(&draft).map_err(|error| format!("{}: {error}", draft.display()))?;
        note(&format!(
            "removed {}, left by a run that was killed",
            draft.display()
        ));
    }
    Ok(())
}

/// The result of a rotation.
#[derive(Serialize)]
struct Rotated {
    leaked: bool,
    written: Vec<PathBuf>,
    /// When what the old base signed expires, if the server is restarted now; `None`: on restart.
    #[serde(flatten)]
    ends: Option<Ends>,
    /// How many previous ones are set as values.
    previous_out_of_reach: usize,
}

impl Rotated {
    fn text(&self, store: &KeyStore) -> String {
        let base = store.base().display();
        let Some(Ends { ends, forget_after }) = &self.ends else {
            return format!(
                "{base} has a new key base; the old one and all previous ones are dropped.\n\
                 On PostgreSQL, run `cloakroom secret adopt` and give all nodes this key base.\n\
                 Restart the server now: until then it signs with the old one and accepts it.\n\
                 On restart, all access tokens and all mailed links (reset, verification, unlock) become invalid, \
                 forged ones too.\n\
                 Services that verify access tokens locally may cache the old public key for five minutes: \
                 restart them, or wait.\n\n\
                 An attacker with the old key base could forge access tokens of any user, verify addresses, lift limits \
                 and, with a copy of the database, reset passwords. Sessions, cookies, refresh tokens and API keys are \
                 not signed and stay valid, including those an attacker obtained. Unless you can rule that out, revoke \
                 them after the restart:\n\n  \
                 `cloakroom sessions revoke --all`\n  \
                 `cloakroom api-keys revoke --all`\n\n\
                 Backups and copies of these files still contain the old one.\n{}",
                still_listed(self.previous_out_of_reach)
            );
        };
        format!(
            "{base} has a new key base; the old one is kept as a previous one.\n\
             Restart the server: until then it signs with the old one and rejects what commands sign with the new one.\n\
             What the old one signed stays valid until it expires; with a restart now, at the latest:\n\n\
             {}\n\
             Services that verify access tokens locally and do not fetch the keys again for an unknown `kid` reject \
             new tokens for up to five minutes after the restart: restart the server at a quiet time, or restart such \
             services after it.\n\
             Sessions, cookies, refresh tokens and API keys are not signed and stay valid. Each device counts as new \
             once, and limits by address start again.\n\
             After {forget_after} the old one is no longer needed: `cloakroom secret forget` drops it.\n",
            table(["what", "until"], rows_of(ends))
        )
    }
}

fn rows_of(ends: &BTreeMap<&'static str, Timestamp>) -> impl Iterator<Item = [String; 2]> {
    ends.iter()
        .map(|(what, end)| [what.replace('_', " "), end.to_string()])
}

/// When what the old base signed expires.
#[derive(Serialize)]
struct Ends {
    ends: BTreeMap<&'static str, Timestamp>,
    forget_after: Timestamp,
}

impl Ends {
    fn after(settings: &Settings, now: Timestamp) -> Self {
        let spans: [(&'static str, Duration); 4] = [
            ("access_tokens", settings.tokens.access_lifetime),
            ("reset_links", signed_link::RESET_LIFETIME),
            ("confirmation_links", signed_link::CONFIRMATION_LIFETIME),
            ("unlock_links", settings.throttle.address_failures.window),
        ];
        let longest = spans
            .iter()
            .map(|(_, span)| *span)
            .max()
            .unwrap_or_default();
        Self {
            ends: spans.map(|(what, span)| (what, now + span)).into(),
            forget_after: now + longest,
        }
    }

    /// What has not expired by then.
    fn later_than(mut self, now: Timestamp) -> BTreeMap<&'static str, Timestamp> {
        self.ends.retain(|_, end| *end > now);
        self.ends
    }
}

fn still_listed(previous: usize) -> String {
    match previous {
        0 => String::new(),
        many => {
            format!(
                "secrets.previous is set as a value and still lists {many}: remove them there.\n"
            )
        }
    }
}
