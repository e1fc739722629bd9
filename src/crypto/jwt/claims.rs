//! The claims of an access token, as Rust types and as they are written.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize, de};

use crate::domain::clock::Timestamp;
use crate::domain::scope::Scopes;
use crate::domain::{AuthMethods, Claims, SessionId, UserId};

/// The claims of an access token to be signed.
#[derive(Clone, Copy, Debug)]
pub struct NewAccessToken<'m> {
    /// `sub`: the user it acts for.
    pub user_id: UserId,
    /// `sid`: the session it belongs to, see [`Session::sid`](crate::domain::Session::sid).
    pub sid: &'m str,
    /// `aud`; `None`: this server.
    pub audience: Option<&'m str>,
    /// `scope`.
    pub scopes: &'m Scopes,
    /// What it states about the user beside that, each a claim of its own.
    pub claims: &'m Claims,
    /// `amr` and `acr`: how the user authenticated.
    pub auth_methods: &'m AuthMethods,
    /// `auth_time`: when.
    pub authenticated_at: Timestamp,
    /// `jti`: its unique id, 32 hex digits.
    pub jti: &'m str,
    /// `iat` and `nbf`, truncated to the second.
    pub issued_at: Timestamp,
    /// `exp`, truncated to the second.
    pub expires_at: Timestamp,
}

/// The claims of a verified access token, but for the issuer, which all tokens share, and those about
/// the user, which are for other services: this server reads them from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenClaims {
    /// `sub`: the user it acts for.
    pub user_id: UserId,
    /// `sid`: the session it belongs to.
    pub session_id: SessionId,
    /// `sid`: the session's nonce; empty for a session of an earlier schema.
    pub session_nonce: Box<str>,
    /// `jti`: its unique id, 32 hex digits.
    pub jti: Box<str>,
    /// `aud`; `None`: this server, which refuses the tokens of all others.
    pub audience: Option<Box<str>>,
    /// `scope`.
    pub scopes: Scopes,
    /// `amr`: how the user authenticated; empty in a token of an earlier version.
    pub auth_methods: AuthMethods,
    /// `auth_time`: when, in seconds since 1970; 0 in a token of an earlier version.
    pub authenticated_at: u64,
    /// `iat`, in seconds since 1970.
    pub issued_at: u64,
    /// `nbf`: valid from this second on, in seconds since 1970.
    pub not_before: u64,
    /// `exp`: invalid from this second on, in seconds since 1970.
    pub expires_at: u64,
}

/// The claims as JSON: these members, and those about the user.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) iss: String,
    sub: String,
    pub(super) aud: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    sid: String,
    scope: String,
    #[serde(default)]
    amr: Vec<String>,
    #[serde(default)]
    auth_time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(flatten, deserialize_with = "skip_claims")]
    claims: Claims,
}

impl Payload {
    pub(super) fn new(new: &NewAccessToken<'_>, issuer: &str, audience: &str) -> Self {
        let issued_at = seconds(new.issued_at);
        Self {
            iss: issuer.to_owned(),
            sub: new.user_id.0.to_string(),
            aud: new.audience.unwrap_or(audience).to_owned(),
            exp: seconds(new.expires_at),
            nbf: issued_at,
            iat: issued_at,
            jti: new.jti.to_owned(),
            sid: new.sid.to_owned(),
            scope: new.scopes.as_str().to_owned(),
            amr: new.auth_methods.words().map(str::to_owned).collect(),
            auth_time: seconds(new.authenticated_at),
            acr: new.auth_methods.acr().map(str::to_owned),
            claims: new.claims.clone(),
        }
    }
}

impl AccessTokenClaims {
    /// `audience` is the payload's `aud`, which the caller has checked.
    pub(super) fn from_payload(payload: Payload, audience: Option<&str>) -> Option<Self> {
        if !is_random_hex(&payload.jti) {
            return None;
        }
        let (session_id, session_nonce) = parse_sid(&payload.sid)?;
        Some(Self {
            user_id: UserId(parse_id(&payload.sub)?),
            session_id,
            session_nonce: session_nonce.into(),
            jti: payload.jti.into(),
            audience: audience.map(Into::into),
            scopes: Scopes::parse(&payload.scope)?,
            auth_methods: AuthMethods::from_words(payload.amr.iter().map(String::as_str))?,
            authenticated_at: in_range(payload.auth_time)?,
            issued_at: in_range(payload.iat)?,
            not_before: in_range(payload.nbf)?,
            expires_at: in_range(payload.exp)?,
        })
    }

    /// `auth_time`.
    pub fn authenticated_at(&self) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(self.authenticated_at)
    }

    /// `iat`.
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(self.issued_at)
    }

    /// `nbf`.
    pub fn valid_from(&self) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(self.not_before)
    }

    /// `exp`.
    pub fn valid_until(&self) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(self.expires_at)
    }
}

/// Checks the names of the members about the user: each once, and one that a claim may have. Which ones the settings name
/// is not checked: tokens outlive a change of the settings.
fn skip_claims<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Claims;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("claims")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
            let mut known = HashSet::new();
            while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                if !Claims::is_name(&name) || !known.insert(name) {
                    return Err(de::Error::custom("unexpected claim"));
                }
            }
            Ok(Claims::default())
        }
    }

    deserializer.deserialize_map(Names)
}

/// A positive id in the form in which it is written: no sign, no white space, no leading zero.
fn parse_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(id)
}

/// 32 hex digits in lower case.
fn is_random_hex(text: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 32 && text.bytes().all(is_hex)
}

/// Id and nonce; a session of an earlier schema has none.
fn parse_sid(text: &str) -> Option<(SessionId, &str)> {
    let (id, nonce) = match text.split_once('.') {
        Some((id, nonce)) if is_random_hex(nonce) => (id, nonce),
        Some(_) => return None,
        None => (text, ""),
    };
    Some((SessionId(parse_id(id)?), nonce))
}

/// Seconds that fit a [`Timestamp`].
fn in_range(seconds: u64) -> Option<u64> {
    i64::try_from(seconds).ok()?.checked_mul(1000)?;
    Some(seconds)
}

fn seconds(at: Timestamp) -> u64 {
    at.since(Timestamp::from_millis(0)).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(change: impl FnOnce(&mut Payload)) -> bool {
        let mut payload = Payload {
            iss: String::new(),
            sub: "1".to_owned(),
            aud: String::new(),
            exp: 1,
            nbf: 0,
            iat: 0,
            jti: "0123456789abcdef".repeat(2),
            sid: "1".to_owned(),
            scope: String::new(),
            amr: Vec::new(),
            auth_time: 0,
            acr: None,
            claims: Claims::default(),
        };
        change(&mut payload);
        AccessTokenClaims::from_payload(payload, None).is_some()
    }

    #[test]
    fn ids_are_read_only_in_the_form_that_is_written() {
        for id in ["1", "9223372036854775807"] {
            assert!(is_read(|payload| payload.sub = id.to_owned()), "{id}");
            assert!(is_read(|payload| payload.sid = id.to_owned()), "{id}");
        }
        for id in ["", "0", "-1", "+1", "01", " 1", "9223372036854775808"] {
            assert!(!is_read(|payload| payload.sub = id.to_owned()), "{id}");
            assert!(!is_read(|payload| payload.sid = id.to_owned()), "{id}");
        }
    }

    #[test]
    fn a_jti_is_read_only_as_32_hex_digits() {
        for jti in [
            "0".repeat(31),
            "0".repeat(33),
            "g".repeat(32),
            "A".repeat(32),
        ] {
            assert!(!is_read(|payload| payload.jti = jti.clone()), "{jti}");
        }
    }

    #[test]
    fn unknown_methods_of_authentication_are_not_read() {
        assert!(is_read(|payload| payload.amr = vec!["pwd".to_owned()]));
        assert!(!is_read(
            |payload| payload.amr = vec!["telepathy".to_owned()]
        ));
    }

    #[test]
    fn times_beyond_a_timestamp_are_not_read() {
        let last = i64::MAX as u64 / 1000;
        for (seconds, expected) in [(last, true), (last + 1, false), (u64::MAX, false)] {
            assert_eq!(is_read(|payload| payload.exp = seconds), expected);
            assert_eq!(is_read(|payload| payload.nbf = seconds), expected);
            assert_eq!(is_read(|payload| payload.iat = seconds), expected);
        }
    }
}
