//! `cloakroom users show`: a user, and by what they sign in: never a key, a secret or a digest.

use serde::Serialize;
use serde_json::json;

use super::{UserArg, View};
use crate::cli::database;
use crate::cli::output::{columns, or_dash};
use crate::config::Settings;
use crate::domain::clock::Timestamp;
use crate::domain::{Account, EmailAddress, LinkedIdentity, Passkey, PasskeyId, UserId};
use crate::store::{Reader, identities, passkeys, recovery_codes, totp_factors};

/// A user with the pending change of address and all that they sign in with.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    view: View<'a>,
    pending_email_address: Option<&'a EmailAddress>,
    has_password: bool,
    totp_enrolled_at: Option<Timestamp>,
    recovery_codes_left: i64,
    passkeys: Vec<ShownPasskey<'a>>,
    identities: &'a [LinkedIdentity],
}

#[derive(Serialize)]
struct ShownPasskey<'a> {
    id: PasskeyId,
    name: &'a str,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    backed_up: bool,
}

/// What a user signs in with besides a password.
struct Factors {
    totp_enrolled_at: Option<Timestamp>,
    recovery_codes_left: i64,
    passkeys: Vec<Passkey>,
    identities: Vec<LinkedIdentity>,
}

impl Factors {
    fn of(reader: &Reader<'_>, user: UserId) -> crate::Result<Self> {
        Ok(Self {
            totp_enrolled_at: totp_factors::enrolled_at(reader, user)?,
            recovery_codes_left: recovery_codes::count(reader, user)?,
            passkeys: passkeys::list_for_user(reader, user)?,
            identities: identities::list_for_user(reader, user)?,
        })
    }
}

pub(super) async fn run(
    settings: &Settings,
    UserArg { user: who, format }: UserArg,
) -> crate::cli::Outcome {
    let asked = who.clone();
    let database = database::open(settings)?;
    let found = database.read(move |reader| match asked.find(reader)? {
        Some(account) => {
            let factors = Factors::of(reader, account.user.id)?;
            Ok(Some((account, factors)))
        }
        None => Ok(None),
    });
    let (account, factors) = who.require(found.await?)?;
    let shown = Shown {
        view: View::of(&account.user),
        pending_email_address: account.pending_email_address.as_ref(),
        has_password: account.password_digest.is_some(),
        totp_enrolled_at: factors.totp_enrolled_at,
        recovery_codes_left: factors.recovery_codes_left,
        passkeys: factors.passkeys.iter().map(shown_passkey).collect(),
        identities: &factors.identities,
    };
    format.print(&json!({ "user": shown }), || {
        columns(rows(&account, &factors))
    })
}

fn shown_passkey(passkey: &Passkey) -> ShownPasskey<'_> {
    ShownPasskey {
        id: passkey.id,
        name: &passkey.name,
        created_at: passkey.created_at,
        last_used_at: passkey.last_used_at,
        backed_up: passkey.backed_up,
    }
}

/// One row for each passkey and identity.
fn rows(account: &Account, factors: &Factors) -> Vec<[String; 2]> {
    let user = &account.user;
    let pending = account.pending_email_address.as_ref();
    let has_password = match account.password_digest {
        Some(_) => "yes",
        None => "no",
    };
    let about = [
        ("id", user.id.0.to_string()),
        ("email address", user.email_address.as_str().to_owned()),
        ("confirmed at", or_dash(user.email_confirmed_at)),
        (
            "pending address",
            or_dash(pending.map(EmailAddress::as_str)),
        ),
        ("disabled at", or_dash(user.disabled_at)),
        ("role", user.role.as_str().to_owned()),
        ("factor due at", or_dash(user.second_factor_due_at)),
        ("created at", user.created_at.to_string()),
        ("updated at", user.updated_at.to_string()),
        ("metadata", user.metadata.as_str().to_owned()),
        ("password", has_password.to_owned()),
        ("app enrolled at", or_dash(factors.totp_enrolled_at)),
        ("recovery codes", factors.recovery_codes_left.to_string()),
    ];
    let passkeys = factors.passkeys.iter().map(|passkey| {
        let last = or_dash(passkey.last_used_at);
        let text = format!(
            "{} {:?}, added {}, last used {last}",
            passkey.id.0, passkey.name, passkey.created_at
        );
        ("passkey", text)
    });
    let identities = factors.identities.iter().map(|identity| {
        let email = or_dash(identity.email.as_deref());
        let text = format!(
            "{} {} {email}, linked {}, last used {}",
            identity.id.0, identity.provider, identity.created_at, identity.last_used_at
        );
        ("identity", text)
    });
    let rows = about.into_iter().chain(passkeys).chain(identities);
    rows.map(|(name, value)| [name.to_owned(), value]).collect()
}
