//! The things of the domain. A value of one of these types is valid: what comes from outside is parsed into
//! it or refused with the faults.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::domain::clock::Timestamp;
use crate::domain::error::ValidationErrors;
use crate::domain::scope::Scopes;

/// Identifies a user; never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

/// Identifies a session; never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

/// Identifies a project; never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ProjectId(pub i64);

/// Identifies an API key; never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ApiKeyId(pub i64);

/// Someone with an account. The password digest is not part of it, so that no reply can hold one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Where mails go and what signs in.
    pub email_address: EmailAddress,
    /// When the address was proved to be theirs; `email_confirmed` in JSON says whether it was.
    #[serde(rename = "email_confirmed", serialize_with = "is_some")]
    pub email_confirmed_at: Option<Timestamp>,
    /// When an operator shut the account; a disabled user has no sessions and gets none.
    #[serde(skip)]
    pub disabled_at: Option<Timestamp>,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When anything above last changed.
    pub updated_at: Timestamp,
}

/// A signed-in device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The client's address at sign-in.
    pub ip_address: String,
    /// What the client called itself at sign-in, cut to 255 characters.
    pub user_agent: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_active_at: Timestamp,
    /// From this moment on it is void, used or not.
    pub expires_at: Timestamp,
    /// When the password was last given on it, after the sign-in.
    pub sudo_at: Option<Timestamp>,
}

impl Session {
    /// When it ends unless it is used after `last_use`.
    pub fn ends_at(&self, last_use: Timestamp, idle_timeout: Duration) -> Timestamp {
        self.expires_at.min(last_use + idle_timeout)
    }
}

/// A key that a machine presents, without the secret that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Who made it and for whom it acts; `None`: a service of the operator's own.
    pub user_id: Option<UserId>,
    /// What its owner calls it: one line of at most 255 characters.
    pub name: String,
    /// The last four characters of the secret, to tell it by.
    pub last_four: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From this moment on it is void, if there is one.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it opens anything: neither revoked nor expired, nor its user disabled, if it has one.
    pub fn is_live(&self, user: Option<&User>, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|end| now < end)
            && user.is_none_or(|user| user.disabled_at.is_none())
    }
}

/// Something that a user owns; the example of a protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// One line of at most 255 characters.
    pub title: String,
    /// Anything, or nothing.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An email address as we store and compare it: without surrounding white space, in lower case, at most
/// 254 bytes, one `@`, visible ASCII before it and a host name of ASCII after it.
///
/// Full-width, accented and invisible characters are refused, since a look-alike of somebody's address
/// must not become another account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    const MAX_BYTES: usize = 254;
    const MAX_LOCAL_BYTES: usize = 64;

    /// Normalises and checks what was typed.
    pub fn parse(text: &str) -> Result<Self, ValidationErrors> {
        let address = text.trim().to_ascii_lowercase();
        let fault = |message: &str| Err(ValidationErrors::field("email_address", message));
        if address.is_empty() {
            fault("can't be blank")
        } else if address.len() > Self::MAX_BYTES {
            fault("is too long (maximum is 254 characters)")
        } else if is_address(&address) {
            Ok(Self(address))
        } else {
            fault("is invalid")
        }
    }

    /// As stored: lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough to recognise one's own, too little to learn another's: `o…@example.com`.
    pub fn masked(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => {
                format!("{}…@{domain}", local.chars().next().unwrap_or_default())
            }
            None => "…".to_owned(),
        }
    }

    /// What the database holds has been parsed before it was stored.
    pub(crate) fn from_stored(address: String) -> Self {
        Self(address)
    }
}

/// The `addr-spec` that mail servers accept in practice: a dot-atom (RFC 5322, 3.2.3) and a host name.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    local.len() <= EmailAddress::MAX_LOCAL_BYTES
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
}

/// A bcrypt digest as it stands in the database: `$2b$12$…`. It is neither printed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    /// Wraps a digest that bcrypt wrote.
    pub fn new(digest: String) -> Self {
        Self(digest)
    }

    /// The digest's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigest([hidden])")
    }
}

fn is_some<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(at.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        EmailAddress::parse(text).unwrap_err().faults[0].1.clone()
    }

    #[test]
    fn addresses_are_stripped_and_lower_cased() {
        assert_eq!(
            EmailAddress::parse("  DOWNCASED@EXAMPLE.COM \n")
                .unwrap()
                .as_str(),
            "downcased@example.com"
        );
    }

    #[test]
    fn usual_addresses_are_accepted() {
        for text in [
            "one@example.com",
            "a.b+tag@sub.example.co",
            "o'neil@example.com",
            "x@localhost",
            "_@xn--bcher-kva.example",
        ] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn look_alike_and_malformed_addresses_are_rejected() {
        for text in [
            "one",
            "@example.com",
            "one@",
            "one@@example.com",
            "one@two@example.com",
            "one＠example.com",
            "one@exámple.com",
            "оne@example.com",
            "one\u{200b}@example.com",
            "one@example.com\0",
            "o\rne@example.com",
            "one two@example.com",
            "one@example..com",
            ".one@example.com",
            "one.@example.com",
            "one@-example.com",
            "one@exa_mple.com",
            "\"one\"@example.com",
            "one@[127.0.0.1]",
            "one@example.com,two@example.com",
            "<one@example.com>",
        ] {
            assert_eq!(message(text), "is invalid", "{text:?}");
        }
    }

    #[test]
    fn blank_and_overlong_addresses_are_reported() {
        assert_eq!(message(" \t"), "can't be blank");
        let longest = format!("one@{}example.com", "a.".repeat(119));
        assert_eq!(longest.len(), 253);
        assert!(EmailAddress::parse(&longest).is_ok());
        assert_eq!(
            message(&format!("xx{longest}")),
            "is too long (maximum is 254 characters)"
        );
    }

    #[test]
    fn a_masked_address_keeps_one_letter_and_the_domain() {
        assert_eq!(
            EmailAddress::parse("one@example.com").unwrap().masked(),
            "o…@example.com"
        );
    }

    #[test]
    fn user_json_shows_verification_but_not_disabling() {
        let at = Timestamp::from_millis(0);
        let email_address = EmailAddress::parse("one@example.com").unwrap();
        let user = User {
            id: UserId(1),
            email_address,
            email_confirmed_at: None,
            disabled_at: Some(at),
            created_at: at,
            updated_at: at,
        };
        assert_eq!(
            serde_json::to_string(&user).unwrap(),
            r#"{"id":1,"email_address":"one@example.com","email_confirmed":false,"created_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:00.000Z"}"#
        );
    }
}
