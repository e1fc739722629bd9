//! The rule that users must have a second factor (`second_factor.required`), and until when they may sign in without.
//!
//! The time is stored with the user at the first sign-in under the rule. It is kept while there is no second factor, and
//! is over for good once it has passed: a reset of the password by mail opens an hour, and an operator's
//! `users reset-factors` starts the whole grace again.
//!
//! # Threats
//! - an attacker who knows the password of a user without a second factor, and sets up an app of their own: after the
//!   grace the password alone starts no session. The reset by mail proves the mailbox, and voids the password that the
//!   attacker knows
//! - a grace that does not end, by several sessions, nodes or restarts: it is one column, and set once
//! - a session of the grace that outlives it: it expires with the grace
//! - an owner who is locked out: the reset is always possible, and an operator can help

use std::time::Duration;

use super::second_factor;
use crate::config::{self, Settings};
use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Role, SecondFactor, User};
use crate::store::{Reader, Transaction, passkeys, users};

/// How long a user may sign in without a second factor after a reset of the password, and after removing the last factor.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The rule, as the settings have it.
#[derive(Clone, Debug)]
pub struct Rule {
    settings: config::SecondFactor,
    /// Whether passkeys can be presented.
    passkeys: bool,
}

impl Rule {
    /// That of this server.
    pub fn of(context: &Context) -> Self {
        Self {
            settings: context.settings.second_factor.clone(),
            passkeys: context.offers_passkeys(),
        }
    }

    fn is_required_of(&self, role: Role) -> bool {
        self.settings.is_required_of(role)
    }
}

/// What the rule says about the sign-in of a user without a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// The user need not have one.
    NotRequired,
    /// The user may sign in until then.
    Until(Timestamp),
    /// The time is over.
    Overdue,
}

/// The second factors that a sign-in must present one of. Where the rule holds, a user who has passkeys and no
/// authenticator app presents a passkey: else each sign-in by passkey would give the password alone a new grace.
pub fn methods(reader: &Reader<'_>, rule: &Rule, user: &User) -> Result<Vec<SecondFactor>> {
    let methods = second_factor::methods(reader, user.id, rule.passkeys)?;
    let is_due = methods.is_empty() && rule.is_required_of(user.role);
    if is_due && rule.passkeys && passkeys::count(reader, user.id)? > 0 {
        return Ok(vec![SecondFactor::Passkey]);
    }
    Ok(methods)
}

/// Applies the rule to a sign-in of a user without a second factor, which starts the grace if it is the first.
pub fn apply(tx: &Transaction<'_>, rule: &Rule, user: &User, now: Timestamp) -> Result<Enrolment> {
    if !rule.is_required_of(user.role) {
        clear(tx, user)?;
        return Ok(Enrolment::NotRequired);
    }
    match user.second_factor_due_at {
        Some(due) if due <= now => Ok(Enrolment::Overdue),
        Some(due) => Ok(Enrolment::Until(due)),
        None => {
            let due = now + rule.settings.grace;
            users::set_second_factor_due(tx, user.id, Some(due))?;
            Ok(Enrolment::Until(due))
        }
    }
}

/// Forgets the time of a user who has a second factor, or need not have one.
pub fn clear(tx: &Transaction<'_>, user: &User) -> Result<()> {
    match user.second_factor_due_at {
        Some(_) => users::set_second_factor_due(tx, user.id, None),
        None => Ok(()),
    }
}

/// Opens a window for a user whose time is over or about to be, and who has just proved to own the mailbox.
pub fn reopen(tx: &Transaction<'_>, user: &User, now: Timestamp) -> Result<()> {
    match user.second_factor_due_at {
        Some(due) if due < now + WINDOW => {
            users::set_second_factor_due(tx, user.id, Some(now + WINDOW))
        }
        _ => Ok(()),
    }
}

/// Opens a window for a user who has removed a second factor, if none is left. It is no new grace, or each removal would
/// start one.
pub fn factor_removed(
    tx: &Transaction<'_>,
    rule: &Rule,
    user: &User,
    now: Timestamp,
) -> Result<()> {
    let is_last = methods(tx, rule, user)?.is_empty();
    match is_last && rule.is_required_of(user.role) {
        true => users::set_second_factor_due(tx, user.id, Some(now + WINDOW)),
        false => Ok(()),
    }
}

/// Until when a user may sign in without a second factor; `None` if there is one, or none is required.
pub fn enrol_until(settings: &Settings, user: &User) -> Option<Timestamp> {
    let required = settings.second_factor.is_required_of(user.role);
    user.second_factor_due_at.filter(|_| required)
}
