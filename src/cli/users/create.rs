//! `cloakroom users create`. The password is never an argument: arguments show in the shell's history and in `ps`.

use std::io::{self, BufRead, IsTerminal};
use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;
use zeroize::Zeroizing;

use super::{Format, View, database, name};
use crate::accounts::administration;
use crate::accounts::new_password::NewPasswords;
use crate::breached_passwords::BreachedPasswords;
use crate::cli::CommandError;
use crate::config::{self, Settings};
use crate::crypto::password::{Password, PasswordPool};
use crate::domain::EmailAddress;
use crate::domain::clock::Clock;
use crate::outbound::Outbound;

/// Longer than any accepted password.
const LONGEST_LINE: u64 = 4096;

pub(super) async fn run(
    settings: &Settings,
    address: EmailAddress,
    confirmed: bool,
    format: &Format,
) -> crate::cli::Outcome {
    let database = database::open(settings)?;
    let password = choose(settings)?;
    let (pool, breached) = (
        pool(&settings.password)?,
        BreachedPasswords::open(settings, &Outbound::new(&settings.outbound))?,
    );
    let slot = pool.reserve(IpAddr::from(Ipv4Addr::LOCALHOST))?;
    let digest = NewPasswords::new(settings, &breached, &slot)
        .digest(password, &address)
        .await?;
    let (asked, now) = (address.clone(), Clock::System.now());
    let created = database
        .commit(move |change| administration::create(change, &asked, &digest, confirmed, now));
    let user = created
        .await?
        .value
        .ok_or_else(|| format!("{} is already taken", address.as_str()))?;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("created {}", name(&user))
    })
}

fn choose(settings: &Settings) -> Result<Password, CommandError> {
    let (password, confirmation) = if io::stdin().is_terminal() {
        let ask = |prompt| rpassword::prompt_password(prompt).map(Zeroizing::new);
        (ask("Password: ")?, Some(ask("Password again: ")?))
    } else {
        (first_line(io::stdin().lock())?, None)
    };
    let again = confirmation.as_ref().map(|text| text.as_str());
    Ok(Password::choose(
        &settings.password,
        Some(password.as_str()),
        again,
    )?)
}

/// The first line without its line ending.
fn first_line(input: impl BufRead) -> Result<Zeroizing<String>, CommandError> {
    let mut line = Zeroizing::new(String::new());
    input
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    for end in ['\n', '\r'] {
        if line.ends_with(end) {
            line.pop();
        }
    }
    Ok(line)
}

/// A pool of one thread.
fn pool(settings: &config::Password) -> crate::Result<PasswordPool> {
    PasswordPool::start(&config::Password {
        threads: 1,
        ..settings.clone()
    })
}
