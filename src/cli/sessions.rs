//! `cloakroom sessions`: lists and revokes sessions. Changes take effect at once, also in a running server.

use clap::Subcommand;
use serde_json::{Value, json};

use super::database;
use super::output::{Format, confirm, or_dash, table};
use super::user_ref::UserRef;
use crate::accounts::credentials_changed::{end_open_sign_ins, end_some_open_sign_ins};
use crate::audit::Event;
use crate::config::Settings;
use crate::domain::{Session, SessionId};
use crate::store::sessions;

/// How many sessions, or sign-ins of a kind that are under way, one transaction ends.
const BATCH: u32 = 500;

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List a user's sessions, most recently active first
    List {
        /// An id or an email address
        user: UserRef,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke one session, all of a user's, or all
    Revoke {
        #[command(flatten)]
        which: Which,
        /// Do not ask for confirmation (with --all)
        #[arg(long, conflicts_with_all = ["id", "user"])]
        yes: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// Which sessions.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// Session id
    id: Option<i64>,
    /// All sessions of this user: an id or an email address
    #[arg(long)]
    user: Option<UserRef>,
    /// All sessions of all users
    #[arg(long)]
    all: bool,
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        match command {
            Command::List { user, format } => list(settings, user, &format).await,
            Command::Revoke { which, yes, format } => {
                let ended = match (which.id, which.user) {
                    (_, Some(user)) => revoke_all_of(settings, user).await?,
                    (Some(id), None) => revoke(settings, id).await?,
                    (None, None) => revoke_all(settings, yes).await?,
                };
                format.print(&json!({ "sessions_ended": ended }), || count_ended(ended))
            }
        }
    })
}

/// The number of revoked sessions in words.
pub(super) fn count_ended(sessions: usize) -> String {
    match sessions {
        1 => "revoked 1 session".to_owned(),
        many => format!("revoked {many} sessions"),
    }
}

async fn list(settings: &Settings, user: UserRef, format: &Format) -> super::Outcome {
    let database = database::open(settings)?;
    let asked = user.clone();
    let account = database.read(move |reader| asked.find(reader)).await?;
    let id = user.require(account)?.user.id;
    let sessions = database
        .read(move |reader| sessions::list_for_user(reader, id))
        .await?;
    let document = json!({ "sessions": sessions.iter().map(view).collect::<Vec<_>>() });
    format.print(&document, || {
        let names = [
            "id",
            "ip address",
            "created at",
            "last active at",
            "expires at",
            "user agent",
        ];
        table(names, sessions.iter().map(row))
    })
}

async fn revoke(settings: &Settings, id: i64) -> Result<usize, super::CommandError> {
    let database = database::open(settings)?;
    let ended = database.commit(move |change| {
        let Some((session, user)) = change.look_up(&sessions::by_id(SessionId(id)))? else {
            return Ok(false);
        };
        change.record(Event::SessionEnded {
            user: user.id,
            session: session.id,
        });
        sessions::delete(change, session.id)
    });
    if ended.await?.value {
        Ok(1)
    } else {
        Err(format!("no session with id {id}").into())
    }
}

async fn revoke_all_of(settings: &Settings, user: UserRef) -> Result<usize, super::CommandError> {
    let database = database::open(settings)?;
    let asked = user.clone();
    let ended = database.commit(move |change| {
        let Some(account) = asked.find(change)? else {
            return Ok(None);
        };
        end_open_sign_ins(change, account.user.id)?;
        let sessions_ended = sessions::delete_all_for_user(change, account.user.id)?;
        change.record(Event::SessionsEnded {
            user: Some(account.user.id),
            sessions_ended,
        });
        Ok(Some(sessions_ended))
    });
    user.require(ended.await?.value)
}

/// In small transactions, so that a running server is not blocked. Sign-ins that are under way end first, since they
/// would start sessions; sessions started meanwhile are revoked too.
async fn revoke_all(settings: &Settings, yes: bool) -> Result<usize, super::CommandError> {
    let database = database::open(settings)?;
    if !yes {
        confirm("Revoke all sessions of all users?")?;
    }
    loop {
        let batch = database.commit(|change| end_some_open_sign_ins(change, BATCH));
        if batch.await?.value < BATCH as usize {
            break;
        }
    }
    let mut ended = 0;
    loop {
        let batch = database.commit(|change| {
            let sessions_ended = sessions::delete_some(change, BATCH)?;
            change.record(Event::SessionsEnded {
                user: None,
                sessions_ended,
            });
            Ok(sessions_ended)
        });
        let batch = batch.await?.value;
        ended += batch;
        if batch < BATCH as usize {
            return Ok(ended);
        }
    }
}

fn view(session: &Session) -> Value {
    json!({
        "id": session.id,
        "user_id": session.user_id,
        "ip_address": session.ip_address,
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
        "expires_at": session.expires_at,
    })
}

fn row(session: &Session) -> [String; 6] {
    [
        session.id.0.to_string(),
        session.ip_address.clone(),
        session.created_at.to_string(),
        session.last_active_at.to_string(),
        session.expires_at.to_string(),
        or_dash(session.user_agent.as_deref()),
    ]
}
