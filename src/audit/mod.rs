//! The audit trail: what happened to accounts and credentials, who did it and from where.
//!
//! An event that changes something is recorded by the [`Change`](crate::context::Change) that makes it: as a row in its
//! transaction ([`Recorder`]), and as a line of the log after its commit, under the target `cloakroom::security`. A refusal
//! changes nothing and has no transaction: it is logged at once, and [`Refusals`] writes those of some seconds together.
//! Rows are sealed in the background ([`seal`]), so that `verify` names those that another program changed. Entries
//! name users, sessions and API keys by id and clients by address; they hold no token, password, email address or name of a
//! key.

mod chain;
mod event;
mod record;
#[cfg(test)]
mod reference;
mod refusals;
mod retention;
mod sealing;
pub mod verify;

use std::net::IpAddr;

use rustix::process::getuid;
use rustix::system::uname;

pub use self::chain::Keys;
pub use self::event::{Event, KINDS};
use self::event::{Level, Line};
pub use self::record::Recorder;
pub use self::refusals::Refusals;
pub use self::retention::{Trimmed, trim};
pub use self::sealing::{Sealed, adopt, seal};
pub use self::verify::{Anchor, head, verify};
use crate::domain::{ApiKeyId, AuthMethods, ClientInfo, UserId};

/// The target of the entries.
pub const TARGET: &str = "cloakroom::security";

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, by a session or an access token of theirs.
    User(UserId),
    /// A program, by an API key.
    ApiKey(ApiKeyId),
    /// An operator, at the command line.
    Operator,
    /// The server itself.
    System,
}

/// Who causes events, and from where.
#[derive(Clone, Debug)]
pub struct Source {
    /// `None` for a client without a credential: what it does is done as the user of the event, if there is one.
    pub actor: Option<Actor>,
    /// `None` for events that no request caused.
    pub client: Option<Client>,
}

/// The client of a request, as far as an entry needs it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address.
    pub ip: IpAddr,
    /// Its `User-Agent`; the log does not have it.
    pub user_agent: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: String,
}

impl Source {
    /// An operator at the command line.
    pub const OPERATOR: Self = Self {
        actor: Some(Actor::Operator),
        client: None,
    };

    /// A request of a caller with a credential.
    pub fn caller(client: &ClientInfo, actor: Option<Actor>) -> Self {
        Self {
            actor,
            ..Self::from(client)
        }
    }
}

impl From<&ClientInfo> for Source {
    fn from(client: &ClientInfo) -> Self {
        Self {
            actor: None,
            client: Some(Client {
                ip: client.ip,
                user_agent: client.user_agent.clone(),
                request_id: client.request_id.clone(),
            }),
        }
    }
}

/// An event with its source.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// Who caused it, as far as that is known.
    pub actor: Option<Actor>,
    /// From where.
    pub client: Option<Client>,
}

impl Entry {
    /// An entry for `event`. Without an actor of its own, the source acts as the event's user.
    pub fn new(source: &Source, event: Event) -> Self {
        Self {
            actor: source.actor.or(event.user().map(Actor::User)),
            client: source.client.clone(),
            event,
        }
    }

    /// The Unix user and the host of an operator: a command runs as the operator, on the operator's host.
    fn account(&self) -> Option<(u32, Option<String>)> {
        let host = || uname().nodename().to_str().ok().map(str::to_owned);
        (self.actor == Some(Actor::Operator)).then(|| (getuid().as_raw(), host()))
    }

    /// Writes the line of the log. The actor is named where it is not a user, whose id the event has already.
    pub fn write(&self) {
        let (actor, actor_key) = match self.actor {
            None | Some(Actor::User(_)) => (None, None),
            Some(Actor::ApiKey(key)) => (Some("api_key"), Some(key.0)),
            Some(Actor::Operator) => (Some("operator"), None),
            Some(Actor::System) => (Some("system"), None),
        };
        let account = self.account();
        let line: Line = self.event.line();
        let (ip, request_id) = match &self.client {
            Some(client) => (Some(client.ip), Some(client.request_id.as_str())),
            None => (None, None),
        };
        macro_rules! write {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    event = line.name,
                    user = line.user.map(|id| id.0),
                    session = line.session.map(|id| id.0),
                    key = line.key.map(|id| id.0),
                    passkey = line.passkey.map(|id| id.0),
                    credential = line.credential,
                    limit = line.limit,
                    reason = line.reason,
                    methods = line.methods.as_ref().map(AuthMethods::to_stored),
                    sessions_ended = line.sessions_ended,
                    keys_revoked = line.keys_revoked,
                    sessions_evicted = line.sessions_evicted,
                    session_replaced = line.session_replaced,
                    new_device = line.new_device,
                    actor,
                    actor_key,
                    uid = account.as_ref().map(|(uid, _)| *uid),
                    host = account.as_ref().and_then(|(_, host)| host.as_deref()),
                    client = ip.map(tracing::field::display),
                    request_id = request_id.map(tracing::field::display)
                )
            };
        }
        match line.level {
            Level::Info => write!(info),
            Level::Warn => write!(warn),
        }
    }
}
