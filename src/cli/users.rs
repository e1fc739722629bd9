//! `cloakroom users`: an operator manages accounts. Changes take effect at once, also in a running server.

mod confirm;
mod create;
mod metadata;
mod reset_factors;
mod reset_password;
mod set_role;
mod show;

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::output::{Format, confirm, note, or_dash, table};
use super::user_ref::{UserRef, address};
use super::{CommandError, database, sessions};
use crate::accounts::administration;
use crate::config::Settings;
use crate::context::Change;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::{Account, EmailAddress, Role, User, UserId};
use crate::store::Database;
use crate::store::users;

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a user; prompts for the password, or reads it from the first line of standard input
    Create {
        /// The email address
        #[arg(value_parser = address)]
        address: EmailAddress,
        /// Mark the address as verified
        #[arg(long)]
        confirmed: bool,
        #[command(flatten)]
        format: Format,
    },
    /// List users by id
    List {
        /// Maximum number of rows
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Start after this id
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Show a user, and how they sign in
    Show(UserArg),
    /// Disable a user: revokes sessions and keys, and blocks sign-in and mailed links
    Disable(UserArg),
    /// Enable a disabled user
    Enable(UserArg),
    /// Mark a user's address as verified
    Confirm(UserArg),
    /// Replace what operators record about a user
    Metadata {
        #[command(flatten)]
        one: UserArg,
        /// A JSON object of at most 4 KiB, such as '{"plan":"pro"}'
        #[arg(value_name = "JSON", value_parser = metadata::object)]
        object: Map<String, Value>,
    },
    /// Give a user a role: `operator` for those of whom `second_factor.required` may require a second factor
    SetRole {
        #[command(flatten)]
        one: UserArg,
        /// `user` or `operator`
        #[arg(value_parser = set_role::role)]
        role: Role,
    },
    /// Delete a user and all their data
    Delete {
        #[command(flatten)]
        one: UserArg,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Remove a user's second factors and passkeys, when the devices with them are lost; starts the grace again
    ResetFactors {
        #[command(flatten)]
        one: UserArg,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Print a password reset link (single use, valid for 15 minutes)
    ResetPassword(UserArg),
}

/// One user.
#[derive(Debug, clap::Args)]
pub(super) struct UserArg {
    /// An id or an email address
    user: UserRef,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        match command {
            Command::Create {
                address,
                confirmed,
                format,
            } => create::run(settings, address, confirmed, &format).await,
            Command::List {
                limit,
                after,
                format,
            } => list(settings, limit, after, &format).await,
            Command::Show(one) => show::run(settings, one).await,
            Command::Disable(one) => disable(settings, one).await,
            Command::ResetFactors { one, yes } => reset_factors::run(settings, one, yes).await,
            Command::Enable(one) => enable(settings, one).await,
            Command::Confirm(one) => confirm::run(settings, one).await,
            Command::Metadata { one, object } => metadata::run(settings, one, &object).await,
            Command::SetRole { one, role } => set_role::run(settings, one, role).await,
            Command::Delete { one, yes } => delete(settings, one, yes).await,
            Command::ResetPassword(one) => reset_password::run(settings, one).await,
        }
    })
}

async fn list(settings: &Settings, limit: u32, after: i64, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let mut users = database
        .read(move |reader| users::list(reader, UserId(after), limit + 1))
        .await?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next_after = users.last().filter(|_| more).map(|last| last.id);

    let views: Vec<View<'_>> = users.iter().map(View::of).collect();
    format.print(&json!({ "users": views, "next_after": next_after }), || {
        table(
            [
                "id",
                "email address",
                "created at",
                "confirmed at",
                "disabled at",
            ],
            users.iter().map(row),
        )
    })?;
    if let Some(next) = next_after {
        note(&format!("more: --after {}", next.0));
    }
    Ok(())
}

async fn disable(settings: &Settings, UserArg { user, format }: UserArg) -> super::Outcome {
    let now = Clock::System.now();
    let disabled = change_account(settings, &user, move |change, account| {
        administration::disable(change, account, now)
    });
    let (user, ended) = user.require(disabled.await?)?;
    let document = json!({ "user": View::of(&user), "sessions_ended": ended });
    format.print(&document, || {
        format!("disabled {}; {}", name(&user), sessions::count_ended(ended))
    })
}

async fn enable(settings: &Settings, UserArg { user, format }: UserArg) -> super::Outcome {
    let now = Clock::System.now();
    let enabled = change_account(settings, &user, move |change, account| {
        administration::enable(change, account, now)
    });
    let user = user.require(enabled.await?)?;
    format.print(&json!({ "user": View::of(&user) }), || {
        format!("enabled {}", name(&user))
    })
}

async fn delete(
    settings: &Settings,
    UserArg { user, format }: UserArg,
    yes: bool,
) -> super::Outcome {
    let database = database::open(settings)?;
    let found = find(&database, user.clone()).await?.user;
    if !yes {
        confirm(&format!("Delete {} and all their data?", name(&found)))?;
    }
    let id = found.id;
    let deleted = database.commit(move |change| match users::find(change, id)? {
        Some(account) => administration::erase(change, &account).map(Some),
        None => Ok(None),
    });
    // Another command may have deleted it meanwhile.
    user.require(deleted.await?.value)?;
    format.print(&json!({ "user": View::of(&found) }), || {
        format!("deleted {}", name(&found))
    })
}

/// Changes one account as the operator; `None` when there is none.
async fn change_account<T: Send + 'static>(
    settings: &Settings,
    who: &UserRef,
    work: impl Fn(&Change<'_>, &Account) -> crate::Result<Option<T>> + Send + 'static,
) -> Result<Option<T>, CommandError> {
    let (database, who) = (database::open(settings)?, who.clone());
    let committed = database.commit(move |change| match who.find(change)? {
        Some(account) => work(change, &account),
        None => Ok(None),
    });
    Ok(committed.await?.value)
}

async fn find(database: &Database, who: UserRef) -> Result<Account, CommandError> {
    let asked = who.clone();
    let account = database.read(move |reader| asked.find(reader)).await?;
    who.require(account)
}

fn name(user: &User) -> String {
    format!("user {} ({})", user.id.0, user.email_address.as_str())
}

fn row(user: &User) -> [String; 5] {
    [
        user.id.0.to_string(),
        user.email_address.as_str().to_owned(),
        user.created_at.to_string(),
        or_dash(user.email_confirmed_at),
        or_dash(user.disabled_at),
    ]
}

/// A user as operators see them.
#[derive(Serialize)]
struct View<'a> {
    #[serde(flatten)]
    user: &'a User,
    disabled_at: Option<Timestamp>,
    role: Role,
    second_factor_due_at: Option<Timestamp>,
}

impl<'a> View<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            user,
            disabled_at: user.disabled_at,
            role: user.role,
            second_factor_due_at: user.second_factor_due_at,
        }
    }
}
