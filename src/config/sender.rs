//! The sender of mails: `Example <no-reply@example.com>`, or the address alone.
//!
//! The address is ASCII, so that any mail server takes it: a domain in another script is converted to its A-labels
//! (`xn--bcher-kva.example`, RFC 5891). A local part in another script needs SMTPUTF8 of each server on the way, which
//! many lack, so it is refused.

use std::fmt;
use std::str::FromStr;

use url::Host;

use super::values::written_as_text;

const LONGEST_ADDRESS: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;

/// A name and an address. The `mail` folder converts it for the library that writes mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name shown to readers.
    pub name: Option<String>,
    /// The address, `local@domain`, in ASCII.
    pub address: String,
}

impl Sender {
    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(r#"must be an address such as "Example <no-reply@example.com>", not {text:?}"#)
        };
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or_else(refused)?,
            None => ("", text),
        };
        let name = unquote(name.trim()).ok_or_else(refused)?;
        let address = ascii_address(address.trim()).ok_or_else(refused)?;
        if name.contains(char::is_control) {
            return Err(refused());
        }
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address,
        })
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(&self.address),
            Some(name) if name.contains(is_special) => {
                let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{escaped}\" <{}>", self.address)
            }
            Some(name) => write!(f, "{name} <{}>", self.address),
        }
    }
}

written_as_text!(Sender);

/// What a name holds only in quotes (RFC 5322, 3.2.3). A dot is usual without.
fn is_special(c: char) -> bool {
    matches!(
        c,
        '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '"'
    )
}

/// The name without its quotes; `None` when it needs quotes and has none, or has one too few.
fn unquote(name: &str) -> Option<String> {
    let Some(inner) = name.strip_prefix('"') else {
        return (!name.contains(is_special)).then(|| name.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let (mut text, mut characters) = (String::new(), inner.chars());
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// The address with its domain in ASCII; `None` if mails cannot have it.
fn ascii_address(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let in_an_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(in_an_atom);
    let address = format!("{local}@{}", ascii_domain(domain)?);
    (local.split('.').all(is_atom)
        && local.len() <= LONGEST_LOCAL_PART
        && address.len() <= LONGEST_ADDRESS)
        .then_some(address)
}

/// A host name in ASCII and lower case. IP addresses are refused: few servers accept mail from one.
fn ascii_domain(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // A URL may have escapes in its host.
    if text.contains('%') {
        return None;
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name.split('.').all(is_label) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_round_trips() {
        for (text, name, address) in [
            ("a@example.com", None, "a@example.com"),
            ("<a@localhost>", None, "a@localhost"),
            (
                "Ex Ample <a.b@example.com>",
                Some("Ex Ample"),
                "a.b@example.com",
            ),
            (
                r#""Ex, \"Ample\" \\" <a@example.com>"#,
                Some(r#"Ex, "Ample" \"#),
                "a@example.com",
            ),
            ("a@EXAMPLE.com", None, "a@example.com"),
            (
                "Bücher Co. <no-reply@bücher.example>",
                Some("Bücher Co."),
                "no-reply@xn--bcher-kva.example",
            ),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!((sender.name.as_deref(), &*sender.address), (name, address));
            assert_eq!(sender.to_string().parse(), Ok(sender));
        }
    }

    #[test]
    fn a_sender_needs_exactly_one_address() {
        for text in [
            "",
            "example.com",
            "a@",
            "@example.com",
            "a@example.com>",
            "A <a@example.com",
            "A, B <a@example.com>",
            "\"A <a@example.com>",
            "a..b@example.com",
            "a@exa mple.com",
            "A\nB <a@example.com>",
            "a@example.com, b@example.com",
        ] {
            assert!(text.parse::<Sender>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_sender_that_servers_refuse_is_refused() {
        let long = "a".repeat(64);
        for text in [
            "jürgen@example.com",
            "a@example..com",
            "a@example.com.",
            "a@-example.com",
            "a@exa_mple.com",
            "a@192.0.2.1",
            "a@::1",
            "a@[example.com]",
            "a@[192.0.2.1]",
            "a@[::1]",
            "a@ex%61mple.com",
            "a@xn--\u{fffd}.example",
            &format!("{long}a@example.com"),
            &format!("a@{long}.example"),
            &format!("a@{}example.com", "a.".repeat(130)),
        ] {
            assert!(text.parse::<Sender>().is_err(), "{text:?}");
        }
    }
}
