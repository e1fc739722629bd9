//! The sender of mails: `Example <no-reply@example.com>`, or the address alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::problems::is_host;

/// A name and an address. The `mail` folder converts it for the library that writes mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name shown to readers.
    pub name: Option<String>,
    /// The address, `local@domain`.
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
        let address = address.trim();
        if !is_address(address) || name.contains(char::is_control) {
            return Err(refused());
        }
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address: address.to_owned(),
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

impl Serialize for Sender {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sender {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

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

fn is_address(text: &str) -> bool {
    let in_an_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let bracketed = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
        local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(in_an_atom))
            && is_host(bracketed.unwrap_or(domain))
    })
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
                r#""Ex, \"Ample\" \\" <a@[::1]>"#,
                Some(r#"Ex, "Ample" \"#),
                "a@[::1]",
            ),
            (
                "Bücher Co. <no-reply@bücher.example>",
                Some("Bücher Co."),
                "no-reply@bücher.example",
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
}
