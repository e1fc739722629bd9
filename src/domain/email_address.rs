//! Email addresses.

use serde::Serialize;

use super::error::ValidationErrors;
use super::one_line::is_unsafe;

/// An email address as it is stored and compared: stripped of white space and what copying adds, in lower case, at most 254 bytes, with visible
/// ASCII before the `@` and an ASCII host name after it.
///
/// Full-width, accented and invisible characters are refused: a look-alike of an address must not become another account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// An address that is accepted is ASCII, so these are bytes too (RFC 5321, 4.5.3.1.3).
    const MAX_CHARACTERS: usize = 254;
    const MAX_LOCAL_BYTES: usize = 64;

    /// Normalises and validates user input.
    pub fn parse(text: &str) -> Result<Self, ValidationErrors> {
        let address = text.trim_matches(is_around).to_ascii_lowercase();
        let error = |message: &str| Err(ValidationErrors::field("email_address", message));
        if address.is_empty() {
            error("can't be blank")
        } else if address.chars().count() > Self::MAX_CHARACTERS {
            error(&format!(
                "is too long (maximum is {} characters)",
                Self::MAX_CHARACTERS
            ))
        } else if is_address(&address) {
            Ok(Self(address))
        } else {
            error("is invalid")
        }
    }

    /// As stored: lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether a mail server on the internet can have this domain: it has a dot, and its last label starts with a letter.
    pub fn has_public_domain(&self) -> bool {
        self.domain()
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.starts_with(|c: char| c.is_ascii_alphabetic()))
    }

    /// The address without its tag: mail to `name+tag@example.com` usually reaches the mailbox of `name@example.com`.
    pub fn mailbox(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        match local.split_once('+') {
            Some((name, _)) if !name.is_empty() => format!("{name}@{domain}"),
            _ => self.0.clone(),
        }
    }

    /// `o…@example.com`: its owner recognises it, others do not learn it.
    pub fn masked(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => {
                format!("{}…@{domain}", local.chars().next().unwrap_or_default())
            }
            None => "…".to_owned(),
        }
    }

    /// Wraps an address from the database, which was parsed before it was stored.
    pub(crate) fn from_stored(address: String) -> Self {
        Self(address)
    }
}

/// White space, and the invisible characters that come along when an address is copied: zero-width ones, soft hyphens,
/// byte order marks and those that control the direction of text.
fn is_around(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
        || (is_unsafe(c) && !c.is_control())
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
    fn invisible_characters_around_an_address_are_removed() {
        for around in [
            "\u{200b}", "\u{200d}", "\u{feff}", "\u{2060}", "\u{ad}", "\u{202a}", "\u{202c}",
            "\u{200e}", "\u{a0}",
        ] {
            let text = format!("{around} one@example.com{around}");
            assert_eq!(
                EmailAddress::parse(&text).unwrap().as_str(),
                "one@example.com",
                "{around:?}"
            );
            let inside = format!("one{around}@example.com");
            assert_eq!(message(&inside), "is invalid", "{around:?}");
        }
        assert_eq!(message("\u{feff}\u{200b} "), "can't be blank");
    }

    #[test]
    fn a_mailbox_is_the_address_without_its_tag() {
        for (text, mailbox) in [
            ("one@example.com", "one@example.com"),
            ("one+a@example.com", "one@example.com"),
            ("one+a+b@example.com", "one@example.com"),
            ("+a@example.com", "+a@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().mailbox(), mailbox);
        }
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
    fn machines_and_intranets_are_no_public_domains() {
        let is_public = |text: &str| EmailAddress::parse(text).unwrap().has_public_domain();
        for text in ["a@example.com", "a@1.example", "a@xn--bcher-kva.xn--p1ai"] {
            assert!(is_public(text), "{text}");
        }
        for text in [
            "a@localhost",
            "a@intranet",
            "a@127.0.0.1",
            "a@127.1",
            "a@0x7f.0x1",
            "a@1",
        ] {
            assert!(!is_public(text), "{text}");
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
        assert_eq!(
            message(&format!("{}@example.com", "é".repeat(242))),
            "is invalid"
        );
    }

    #[test]
    fn a_masked_address_keeps_one_letter_and_the_domain() {
        assert_eq!(
            EmailAddress::parse("one@example.com").unwrap().masked(),
            "o…@example.com"
        );
    }
}
