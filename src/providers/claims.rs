//! What a provider states about a user, in an ID token or by UserInfo. The types are strict: a text in place of a truth
//! value, or a list in place of a text, is refused, and not interpreted.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::config::kept_claim;
use crate::domain::one_line;
use crate::domain::{EmailAddress, JsonObject};

/// The claims that say whose address it is.
const OF_ADDRESS: [&str; 2] = [EMAIL, EMAIL_VERIFIED];
const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";
const NAME: &str = "name";
/// How deep lists and objects may lie in each other in a claim that is kept.
const DEEPEST: u8 = 16;

/// The claims as they came. Of a claim that occurs twice, two readers could take two values, so it is refused.
#[derive(Clone, Debug, Default)]
pub(super) struct StatedClaims(Map<String, Value>);

/// The claims that count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub email: Option<EmailAddress>,
    pub email_verified: bool,
    pub name: Option<String>,
}

impl StatedClaims {
    /// A claim; `null` is none.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Sets a claim, in place of what the provider states.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// The text of a claim, if it is one.
    pub(super) fn as_text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether there is an address among them.
    pub(super) fn has_email(&self) -> bool {
        self.get(EMAIL).is_some()
    }

    /// Adds the claims that are stated elsewhere and not here. An address and whether it is verified come from one place.
    pub(super) fn add(&mut self, others: Self) {
        let has_email = self.has_email();
        if !has_email {
            self.0.remove(EMAIL_VERIFIED);
        }
        for (name, value) in others.0 {
            let is_taken = has_email && OF_ADDRESS.contains(&&*name);
            if !is_taken && self.get(&name).is_none() {
                self.0.insert(name, value);
            }
        }
    }

    /// Reads them as a type.
    ///
    /// # Errors
    /// [`Refusal::ReplyInvalid`]
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let read = serde_json::from_value(Value::Object(self.0.clone()));
        read.map_err(|_| Refusal::ReplyInvalid)
    }

    /// Those that entries of the settings name, each under the name that it is kept by; `null` for what is not stated.
    /// What does not fit together is not kept.
    pub(super) fn kept(&self, entries: &[String]) -> Map<String, Value> {
        let entries = entries.iter().map(|entry| kept_claim(entry));
        let kept = entries.clone().map(|(name, claim)| {
            let value = self.get(claim).filter(|value| is_flat(value, DEEPEST));
            let value = value.cloned();
            (name.to_owned(), value.unwrap_or_default())
        });
        let kept: Map<String, Value> = kept.collect();
        match JsonObject::parse("claims", &kept) {
            Ok(_) => kept,
            Err(_) => {
                tracing::warn!("the claims of a user at a provider are too long to be kept");
                let nothing = entries.map(|(name, _)| (name.to_owned(), Value::Null));
                nothing.collect()
            }
        }
    }

    /// Checks them.
    ///
    /// # Errors
    /// [`Refusal::ClaimsInvalid`]
    pub(super) fn check(&self) -> Result<Claims, Refusal> {
        let email = self.text(EMAIL)?;
        let email_verified = match self.get(EMAIL_VERIFIED) {
            None => false,
            Some(Value::Bool(verified)) => *verified,
            Some(_) => return Err(Refusal::ClaimsInvalid),
        };
        // A name or an address that cannot be used here is no reason to refuse its user.
        let name = self.text(NAME)?;
        Ok(Claims {
            email: email.and_then(|text| EmailAddress::parse(text).ok()),
            email_verified,
            name: name.and_then(usable_name),
        })
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::ClaimsInvalid),
        }
    }
}

/// Whether at most so many lists and objects lie in each other.
fn is_flat(value: &Value, levels: u8) -> bool {
    let is_flat = |value: &Value| is_flat(value, levels.saturating_sub(1));
    match value {
        Value::Array(values) => levels > 0 && values.iter().all(is_flat),
        Value::Object(members) => levels > 0 && members.values().all(is_flat),
        _ => true,
    }
}

/// A name, if it can be one here.
pub(super) fn usable_name(name: &str) -> Option<String> {
    let name = one_line::parse_required("name", name);
    name.ok().map(str::to_owned)
}

impl<'de> Deserialize<'de> for StatedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = StatedClaims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StatedClaims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = map.next_entry()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate claim"));
                    }
                }
                Ok(StatedClaims(claims))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stated(claims: Value) -> StatedClaims {
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn an_address_and_its_verification_come_from_one_place() {
        let added = |first: Value, second: Value| {
            let mut claims = stated(first);
            claims.add(stated(second));
            let checked = claims.check().unwrap();
            let email = checked.email.map(|address| address.as_str().to_owned());
            (email, checked.email_verified)
        };
        let one = || json!({ "email": "one@example.com" });
        let verified = || json!({ "email_verified": true });
        assert_eq!(
            added(one(), verified()),
            (Some("one@example.com".into()), false)
        );
        assert_eq!(
            added(verified(), one()),
            (Some("one@example.com".into()), false)
        );
        let both = json!({ "email": "two@example.com", "email_verified": true });
        assert_eq!(
            added(verified(), both.clone()),
            (Some("two@example.com".into()), true)
        );
        assert_eq!(added(one(), both), (Some("one@example.com".into()), false));
    }

    #[test]
    fn a_claim_that_occurs_twice_is_refused() {
        assert!(serde_json::from_str::<StatedClaims>(r#"{"hd":"a","hd":"b"}"#).is_err());
    }
}
