//! The forms of values in a settings file: durations (`30d`), rates (`10 in 3m`), URLs, networks, and the empty
//! string for "unset". Each is written in a form that it can be read from, so the output of `cloakroom config` can be
//! used as a settings file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a setting must be that has a control character.
pub(super) const NOT_ONE_LINE: &str = "must be one line without control characters";

/// A count in a window of time, written `10 in 3m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many are admitted.
    pub count: u32,
    /// The window.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!(r#"must be a limit such as "10 in 3m", not {text:?}"#);
        let (count, window) = text.split_once(" in ").ok_or_else(refused)?;
        Ok(Self {
            count: count.parse().map_err(|_| refused())?,
            window: duration::parse(window).map_err(|_| refused())?,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.count, duration::format(self.window))
    }
}

/// Implements serde for types that are written by `Display` and read by `FromStr`.
macro_rules! written_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use written_as_text;

written_as_text!(Rate);

/// Durations: a whole number followed by `w`, `d`, `h`, `m`, `s` or `ms`.
pub(super) mod duration {
    use super::*;

    /// Milliseconds per unit, longest first.
    const UNITS: [(&str, u64); 6] = [
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];

    /// Parses a duration.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &text[..text.len() - unit.len()];
        UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .and_then(|(_, millis)| number.parse::<u64>().ok()?.checked_mul(*millis))
            .map(Duration::from_millis)
            .ok_or_else(|| {
                format!(r#"must be a duration such as "30d", "12h", "15m", "10s" or "500ms", not {text:?}"#)
            })
    }

    /// In the longest unit, up to days, of which it is a whole number.
    pub fn format(span: Duration) -> String {
        let total = span.as_millis();
        UNITS
            .iter()
            .skip(1)
            .map(|(name, millis)| (name, u128::from(*millis)))
            .find(|(_, millis)| total > 0 && total.is_multiple_of(*millis))
            .map_or_else(
                || "0s".to_owned(),
                |(name, millis)| format!("{}{name}", total / millis),
            )
    }

    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*span))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// URLs, written without the slash that parsing adds.
pub(super) mod web {
    use url::Url;

    use super::*;

    pub fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url.as_str().trim_end_matches('/'))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(serde::de::Error::custom(
                r#"must be given, for example "https://auth.example.com""#,
            ));
        }
        // Parsing would remove them.
        if text.contains(char::is_control) {
            return Err(serde::de::Error::custom(NOT_ONE_LINE));
        }
        // The text is not repeated, since it may contain a password.
        Url::parse(&text).map_err(|fault| {
            serde::de::Error::custom(format!(
                r#"must be a URL such as "https://auth.example.com" ({fault})"#
            ))
        })
    }
}

/// Lists of networks in CIDR notation; an address alone is a network of its own.
pub(super) mod networks {
    use std::net::IpAddr;

    use ipnet::IpNet;

    use super::*;

    pub fn serialize<S: Serializer>(networks: &[IpNet], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(networks.iter().map(IpNet::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| {
                let address = || text.parse::<IpAddr>().map(IpNet::from);
                text.parse().or_else(|_| address()).map_err(|_| {
                    serde::de::Error::custom(format!(
                        r#"must contain networks such as "10.0.0.0/8" or addresses such as "192.0.2.7", not {text:?}"#
                    ))
                })
            })
            .collect()
    }
}

/// Optional texts: `""` is none, since TOML has no null.
pub(super) mod unset {
    use super::*;

    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, T: From<String>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok((!text.is_empty()).then(|| T::from(text)))
    }
}

/// Lists of secrets.
pub(super) mod secrets {
    use super::*;
    use crate::config::Secret;

    pub fn serialize<S: Serializer>(secrets: &[Secret], serializer: S) -> Result<S::Ok, S::Error> {
        secrets.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Secret>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(Secret::from).collect())
    }
}

/// Lists of scopes.
pub(super) mod scopes {
    use super::*;
    use crate::domain::scope::Scopes;

    pub fn serialize<S: Serializer>(scopes: &Scopes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(scopes.words())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scopes, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Scopes::from_words(&words).ok_or_else(|| {
            serde::de::Error::custom(format!(
                r#"must contain at most 32 scopes such as "projects:read", in lower case, not {words:?}"#
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, millis) in [
            ("2w", 1_209_600_000),
            ("30d", 2_592_000_000),
            ("15m", 900_000),
            ("10s", 10_000),
            ("500ms", 500),
            ("0s", 0),
        ] {
            assert_eq!(
                duration::parse(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "10",
            "s",
            "1.5h",
            "-1s",
            "10 s",
            "1h30m",
            "10S",
            "99999999999999999999s",
            "９s",
        ] {
            assert!(duration::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_in_the_longest_unit_that_fits() {
        for text in ["30d", "14d", "90m", "2h", "10s", "1500ms", "0s"] {
            assert_eq!(duration::format(duration::parse(text).unwrap()), text);
        }
        assert_eq!(duration::format(duration::parse("2w").unwrap()), "14d");
    }

    #[test]
    fn limits_are_a_count_in_a_duration() {
        let limit: Rate = "10 in 3m".parse().unwrap();
        assert_eq!((limit.count, limit.window), (10, Duration::from_secs(180)));
        assert_eq!(limit.to_string(), "10 in 3m");
        for text in [
            "",
            "10",
            "10 in",
            "in 3m",
            "10 per 3m",
            "-1 in 3m",
            "10 in 3",
            "10in3m",
        ] {
            assert!(
                text.parse::<Rate>().unwrap_err().contains("10 in 3m"),
                "{text:?}"
            );
        }
    }
}
