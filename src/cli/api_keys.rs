//! `cloakroom api-keys`: creates keys for services and users, lists and revokes keys. Changes take effect at once, also
//! in a running server.

mod revoke;

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::database;
use super::output::{Format, note, or_dash, table};
use super::user_ref::UserRef;
use crate::accounts::api_keys::{
    ApiKeyView, DEFAULT_LIFETIME, NEVER, check_expiry, check_name, create_api_key,
};
use crate::config::{self, Settings};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::clock::Clock;
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::scope::Scopes;
use crate::domain::{ApiKey, ApiKeyId, User, UserId};
use crate::mail::Notice;
use crate::store::api_keys::{self, NewKey};
use crate::store::{Reader, Transaction};

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a key and print it once; for a service, or for a user, who is notified by mail
    Create(CreateArgs),
    /// List keys, including revoked and expired ones: all, those of services, or a user's
    List {
        #[command(flatten)]
        whose: OwnerFilter,
        /// Maximum number of rows (not with --user)
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Start after this id (not with --user)
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke one key, all of a user's, or all
    Revoke {
        #[command(flatten)]
        which: revoke::Which,
        /// Do not ask for confirmation (with --all)
        #[arg(long, conflicts_with_all = ["id", "user"])]
        yes: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// The new key.
#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// Its name
    #[arg(long)]
    name: String,
    /// Its scopes: `introspect`, `projects:read`, or any `name:action`
    #[arg(long, value_name = "SCOPE", required = true, num_args = 1..)]
    scope: Vec<String>,
    /// Its owner: an id or an email address (default: a service without a user)
    #[arg(long)]
    user: Option<UserRef>,
    /// Its lifetime: 90d, 12h, or `never` (default: a year)
    #[arg(long, value_name = "SPAN", value_parser = lifetime)]
    expires_in: Option<Lifetime>,
    #[command(flatten)]
    format: Format,
}

/// How long a key is valid.
#[derive(Clone, Copy, Debug)]
enum Lifetime {
    Limited(Duration),
    Unlimited,
}

fn lifetime(text: &str) -> std::result::Result<Lifetime, String> {
    match text {
        NEVER => Ok(Lifetime::Unlimited),
        span => config::parse_duration(span).map(Lifetime::Limited),
    }
}

/// Whose keys to list.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct OwnerFilter {
    /// Only this user's: an id or an email address
    #[arg(long)]
    user: Option<UserRef>,
    /// Only those of services
    #[arg(long)]
    services: bool,
}

pub(super) fn run(settings: &Settings, command: Command) -> super::Outcome {
    database::wait_for(async {
        match command {
            Command::Create(wanted) => create(settings, wanted).await,
            Command::List {
                whose: OwnerFilter {
                    user: Some(user), ..
                },
                format,
                ..
            } => list_for_user(settings, user, &format).await,
            Command::List {
                whose,
                limit,
                after,
                format,
            } => {
                let page = if whose.services {
                    api_keys::list_of_services
                } else {
                    api_keys::list
                };
                list(settings, page, limit, after, &format).await
            }
            Command::Revoke { which, yes, format } => {
                revoke::run(settings, which, yes, &format).await
            }
        }
    })
}

async fn create(settings: &Settings, wanted: CreateArgs) -> super::Outcome {
    let CreateArgs {
        name,
        scope,
        user,
        expires_in,
        format,
    } = wanted;
    let (name, now) = (check_name(&name)?, Clock::System.now());
    let words: Vec<&str> = scope
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect();
    let scopes = Scopes::from_words(&words).filter(|scopes| !scopes.is_empty());
    let scopes = scopes
        .ok_or("invalid --scope: use `introspect` or name:action in lower case, at most 32")?;
    if user.is_none() && scopes.words().any(|word| word.starts_with("projects:")) {
        return Err("a service owns no projects: pass --user, or other scopes".into());
    }
    let expires_at = match expires_in.unwrap_or(Lifetime::Limited(DEFAULT_LIFETIME)) {
        Lifetime::Limited(span) => Some(check_expiry(now + span, now)?),
        Lifetime::Unlimited => None,
    };

    let database = database::open(settings)?;
    let token = PlainToken::generate(TokenKind::ApiKey)?;
    let (digest, last_four) = (token.digest(), token.last_four().to_owned());
    let most = settings.tokens.max_keys_per_user;
    let notice = Notice::of_operator(&settings.notices, MailKind::ApiKeyCreated);
    let made = database.commit(move |tx| {
        // In the transaction: `users disable` may run at the same time and revoke existing keys.
        let owner = match user.as_ref().map(|who| owner(tx, who)).transpose()? {
            Some(Err(refusal)) => return Ok(Err(refusal)),
            Some(Ok(user)) => Some(user),
            None => None,
        };
        let new = NewKey {
            user_id: owner.as_ref().map(|user| user.id),
            name: &name,
            token_digest: digest,
            last_four: &last_four,
            scopes: &scopes,
            expires_at,
        };
        let key = create_api_key(tx, &new, owner.as_ref(), most, notice.as_ref(), now)?;
        Ok(key
            .ok_or_else(|| format!("the user already has {most} keys (tokens.max_keys_per_user)")))
    });
    let key = made.await?.value?;
    let document = json!({ "key": token.reveal(), "api_key": KeyView::of(&key) });
    format.print(&document, || token.reveal().to_owned())?;
    note(&format!(
        "key {} of {}, scopes {}, {}; it is not shown again",
        key.id.0,
        key.user_id
            .map_or_else(|| "a service".to_owned(), |id| format!("user {}", id.0)),
        key.scopes.as_str(),
        key.expires_at.map_or_else(
            || "does not expire".to_owned(),
            |end| format!("expires at {end}")
        ),
    ));
    Ok(())
}

/// The owner, or why the key cannot be theirs.
fn owner(tx: &Transaction<'_>, who: &UserRef) -> Result<std::result::Result<User, String>> {
    Ok(match who.find(tx)? {
        None => Err(who.unknown()),
        Some(account) if account.user.disabled_at.is_some() => Err(format!(
            "the user with {who} is disabled: the key would not work"
        )),
        Some(account) => Ok(account.user),
    })
}

type Page = fn(&Reader<'_>, ApiKeyId, u32) -> Result<Vec<ApiKey>>;

async fn list(
    settings: &Settings,
    page: Page,
    limit: u32,
    after: i64,
    format: &Format,
) -> super::Outcome {
    let database = database::open(settings)?;
    let mut keys = database
        .read(move |reader| page(reader, ApiKeyId(after), limit + 1))
        .await?;
    let more = keys.len() > limit as usize;
    keys.truncate(limit as usize);
    let next_after = keys.last().filter(|_| more).map(|last| last.id);
    show(&keys, next_after, format)?;
    if let Some(next) = next_after {
        note(&format!("more: --after {}", next.0));
    }
    Ok(())
}

async fn list_for_user(settings: &Settings, user: UserRef, format: &Format) -> super::Outcome {
    let (database, asked) = (database::open(settings)?, user.clone());
    let listed = database.read(move |reader| match asked.find(reader)? {
        Some(account) => api_keys::list_for_user(reader, account.user.id).map(Some),
        None => Ok(None),
    });
    show(&user.require(listed.await?)?, None, format)
}

fn show(keys: &[ApiKey], next_after: Option<ApiKeyId>, format: &Format) -> super::Outcome {
    let views: Vec<KeyView<'_>> = keys.iter().map(KeyView::of).collect();
    format.print(
        &json!({ "api_keys": views, "next_after": next_after }),
        || {
            let names = [
                "id",
                "user",
                "ends in",
                "name",
                "scopes",
                "created at",
                "last used at",
                "expires at",
            ];
            table(names, keys.iter().map(row))
        },
    )
}

fn row(key: &ApiKey) -> [String; 8] {
    [
        key.id.0.to_string(),
        or_dash(key.user_id.map(|id| id.0)),
        key.last_four.clone(),
        key.name.clone(),
        key.scopes.as_str().to_owned(),
        key.created_at.to_string(),
        or_dash(key.last_used_at),
        end_of(key),
    ]
}

/// When the key expires or was revoked.
fn end_of(key: &ApiKey) -> String {
    match key.revoked_at {
        Some(at) => format!("revoked at {at}"),
        None => or_dash(key.expires_at),
    }
}

/// A key as operators see it: with its owner.
#[derive(Serialize)]
struct KeyView<'a> {
    #[serde(flatten)]
    view: ApiKeyView<'a>,
    user_id: Option<UserId>,
}

impl<'a> KeyView<'a> {
    fn of(key: &'a ApiKey) -> Self {
        Self {
            view: ApiKeyView::of(key),
            user_id: key.user_id,
        }
    }
}
