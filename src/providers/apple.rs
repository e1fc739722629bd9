//! Sign in with Apple
//! (<https://developer.apple.com/documentation/signinwithapple/incorporating-sign-in-with-apple-into-other-platforms>).
//! With the scopes `name` and `email` Apple answers in a form only. The name is in that form, at the first sign-in only,
//! and not signed: it is the user's to choose.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::claims::StatedClaims;
use super::connector::Preset;
use super::flow::Answer;
use super::refusal::Refusal;
use crate::config::{self, Secret};
use crate::crypto::es256::Es256Key;
use crate::domain::clock::Timestamp;

/// Of the token that stands for the secret, which is made for each sign-in. Apple takes six months at most.
const LIFETIME: Duration = Duration::from_secs(300);
/// The longest text about a user that is read.
const LONGEST_USER: usize = 1024;

pub(super) struct Apple {
    key: Es256Key,
    key_id: String,
    team_id: String,
    client_id: String,
    audience: String,
}

/// `user` in the form.
#[derive(Deserialize)]
struct User {
    name: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    first_name: Option<String>,
    last_name: Option<String>,
}

impl Apple {
    /// `None` if the private key is none of P-256.
    pub(super) fn open(settings: &config::Provider) -> Option<Self> {
        let pem = settings.private_key.as_ref().map(Secret::expose);
        Some(Self {
            key: Es256Key::from_pem(pem.unwrap_or_default())?,
            key_id: settings.key_id.clone(),
            team_id: settings.team_id.clone(),
            client_id: settings.client_id.clone(),
            audience: settings.issuer_url(),
        })
    }
}

impl Preset for Apple {
    fn answers_by_form(&self) -> bool {
        true
    }

    fn is_cancelled(&self, error: &str) -> bool {
        ["user_cancelled_authorize", "access_denied"].contains(&error)
    }

    fn client_secret(&self, now: Timestamp) -> Option<Result<String, Refusal>> {
        let claims = json!({
            "iss": self.team_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now.as_millis() / 1000,
            "exp": (now + LIFETIME).as_millis() / 1000,
        });
        let signed = self.key.sign(&self.key_id, &claims);
        Some(signed.map_err(|_| Refusal::Internal))
    }

    fn adapt(&self, claims: &mut StatedClaims, answer: &Answer) {
        // "The value may be a String or a Boolean value" (Apple, "Authenticating users with Sign in with Apple").
        if claims.as_text("email_verified") == Some("true") {
            claims.set("email_verified", Value::Bool(true));
        } else if claims.as_text("email_verified") == Some("false") {
            claims.set("email_verified", Value::Bool(false));
        }
        if let Some(name) = name(answer) {
            claims.set("name", Value::String(name));
        }
    }
}

fn name(answer: &Answer) -> Option<String> {
    let text = answer.user.as_deref();
    let text = text.filter(|text| text.len() <= LONGEST_USER)?;
    let name = serde_json::from_str::<User>(text).ok()?.name?;
    let parts = [name.first_name, name.last_name].map(Option::unwrap_or_default);
    Some(parts.join(" ").trim().to_owned())
}
