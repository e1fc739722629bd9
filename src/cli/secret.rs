//! `cloakroom secret`: a new key base, and nothing else, on standard output. `secret rotate` puts one in the place of
//! the present one, and `secret forget` drops those before it.
//!
//! Fears: links and tokens that die at a rotation (the old base goes among the previous ones before the new one takes
//! its place, so that a crash in between loses neither); a server that cannot start (both files are written beside
//! before either is replaced, with owner and mode of the base's); an old base that more may read than the present one
//! (the same); two rotations at once (one waits for the other); a leaked base that still verifies somewhere
//! (`--leaked` keeps none, and says what it cannot reach); what was opened with it (it says that this stays, and how
//! it is ended); drafts of a run that was killed (the next one removes them).

mod place;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use self::place::Place;
use super::Outcome;
use super::output::{Format, remark, say, table};
use crate::config::{ConfigError, Settings, Sources};
use crate::crypto::key_ring::generate_base;
use crate::crypto::signed_link;
use crate::domain::clock::{Clock, Timestamp};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is asked for.
#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new key base where the present one is; what that one signed stays valid until its own end
    Rotate {
        /// Somebody else may know it: drop it and all before it; links and access tokens end with the restart
        #[arg(long)]
        leaked: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Drop the previous key bases, once all that they signed is over
    Forget(Format),
}

pub(super) fn run(
    arguments: Arguments,
    sources: impl FnOnce() -> Result<Sources, ConfigError>,
) -> Outcome {
    match arguments.command {
        None => Ok(say(generate_base()?.expose())?),
        Some(Command::Rotate { leaked, format }) => rotate(&sources()?, leaked, &format),
        Some(Command::Forget(format)) => forget(&sources()?, &format),
    }
}

fn rotate(sources: &Sources, leaked: bool, format: &Format) -> Outcome {
    let settings = Settings::load(sources)?;
    let Some(place) = Place::of(sources, &settings) else {
        return hand_out(leaked, format);
    };
    let _lock = place.lock()?;
    // Another rotation may have come to its end while this one waited.
    let settings = Settings::load(sources)?;
    remove_drafts(&place)?;
    let new = generate_base()?;
    let drafts = match leaked {
        true => place.replace_all(&new)?,
        false => place.replace(&settings, &new)?,
    };
    let mut written = Vec::with_capacity(drafts.len());
    for draft in drafts {
        written.push(draft.path().to_owned());
        draft.put()?;
    }
    let out_of_reach = place.out_of_reach(&settings);
    let now = Clock::System.now();
    let ends = (!leaked).then(|| Ends::after(&settings, now));
    let document = Rotated {
        leaked,
        written,
        ends,
        previous_out_of_reach: out_of_reach,
    };
    format.print(&document, || document.text(&place))
}

/// What can be done where the base is a value in a variable or in TOML, which is nobody's to rewrite.
fn hand_out(leaked: bool, format: &Format) -> Outcome {
    let new = generate_base()?;
    format.print(&json!({ "key_base": new.expose() }), || {
        new.expose().to_owned()
    })?;
    let previous = match leaked {
        true => "empty secrets.previous",
        false => "put the present one in front of secrets.previous",
    };
    Err(format!(
        "secrets.key_base is set as a value, not by a file, and nothing was changed: set it to the one printed here, \
         {previous}, and restart the server"
    )
    .into())
}

fn forget(sources: &Sources, format: &Format) -> Outcome {
    let settings = Settings::load(sources)?;
    let Some(place) = Place::of(sources, &settings) else {
        return Err(
            "secrets.previous is not in a file: empty it where it is set, and restart the server"
                .into(),
        );
    };
    let _lock = place.lock()?;
    let settings = Settings::load(sources)?;
    remove_drafts(&place)?;
    let dropped = place.previous(&settings)?.len();
    if let Some(draft) = place.forget()? {
        draft.put()?;
    }
    let left = place.out_of_reach(&settings);
    let document = json!({ "dropped": dropped, "previous_out_of_reach": left });
    format.print(&document, || {
        let dropped = match dropped {
            0 => "there was none to drop".to_owned(),
            1 => "1 previous key base is dropped; it ends when the server is restarted".to_owned(),
            many => format!(
                "{many} previous key bases are dropped; they end when the server is restarted"
            ),
        };
        format!("{dropped}\n{}", say_left(left))
    })
}

/// Only while the place is locked: another run may be writing them.
fn remove_drafts(place: &Place) -> Outcome {
    for draft in place.drafts()? {
        fs::remove_file(&draft).map_err(|fault| format!("{}: {fault}", draft.display()))?;
        remark(&format!(
            "{} was removed: a run that was killed had left it",
            draft.display()
        ));
    }
    Ok(())
}

/// What a rotation came to.
#[derive(Serialize)]
struct Rotated {
    leaked: bool,
    written: Vec<PathBuf>,
    /// When what the old base signed is over, if the server is restarted now; `None`: with the restart.
    #[serde(flatten)]
    ends: Option<Ends>,
    /// Previous ones that are set as values.
    previous_out_of_reach: usize,
}

impl Rotated {
    fn text(&self, place: &Place) -> String {
        let base = place.base().display();
        let Some(Ends { ends, forget_after }) = &self.ends else {
            return format!(
                "{base} holds a new key base, and the old one is dropped with all before it.\n\
                 Restart the server now: until then the old one signs and is believed.\n\
                 With the restart end all access tokens, and the links to reset, confirm and unlock, forged ones too.\n\
                 Services that verify access tokens by themselves may keep the old public key for five minutes: \
                 restart them, or wait.\n\n\
                 Whoever had the old one could act with access tokens of anybody, confirm addresses, unlock limits and, \
                 with the database at hand, reset passwords. Sessions, cookies, refresh tokens and API keys are not \
                 signed and stay, and so do those that were got that way. Unless you know that there are none, end them \
                 after the restart:\n\n  \
                 `cloakroom sessions revoke --everybody`\n  \
                 `cloakroom api-keys revoke --everybody`\n\n\
                 Backups, and copies of these files, still hold the old one.\n{}",
                say_left(self.previous_out_of_reach)
            );
        };
        let rows = ends
            .iter()
            .map(|(what, end)| [what.replace('_', " "), end.to_string()]);
        format!(
            "{base} holds a new key base, and the old one is among the previous ones.\n\
             Restart the server: until then it signs with the old one, and refuses what a command signs with the new.\n\
             What the old one signed goes on to its own end. With a restart now that is at the latest:\n\n\
             {}\n\
             A service that verifies access tokens by itself and does not ask for the keys again when it meets a `kid` \
             that it does not know refuses the new tokens for up to five minutes after the restart: restart the \
             server when that hurts least, or such services after it.\n\
             Sessions, cookies, refresh tokens and API keys are not signed and stay. Each device looks new once, and \
             the limits by address begin anew.\n\
             After {forget_after} nothing needs the old one: `cloakroom secret forget` drops it.\n",
            table(["what", "until"], rows)
        )
    }
}

/// Until when what the old base signed is good.
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
}

fn say_left(previous: usize) -> String {
    match previous {
        0 => String::new(),
        many => {
            format!(
                "secrets.previous is set as a value and still lists {many}: empty it where it is set.\n"
            )
        }
    }
}
