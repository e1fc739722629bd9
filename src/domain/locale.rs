//! The language of a user: a language tag (RFC 5646).

use std::fmt;

/// RFC 5646, 4.4.1: no registered tag is longer.
const LONGEST: usize = 35;
/// More of a client's languages are ignored.
const MOST_PREFERENCES: usize = 10;

/// A language tag in its usual case: `de`, `pt-BR`, `zh-Hant-TW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

impl Locale {
    /// A tag of two or three letters and further parts of up to eight letters or digits; `None` for other texts.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let language = parts.next()?;
        let is_language =
            (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
        let is_part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if text.len() > LONGEST || !is_language || !parts.clone().all(is_part) {
            return None;
        }
        let mut tag = language.to_ascii_lowercase();
        for part in parts {
            tag.push('-');
            tag += &in_usual_case(part);
        }
        Some(Self(tag))
    }

    /// What the database contains.
    pub(crate) fn from_stored(tag: String) -> Self {
        Self(tag)
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The best of `available` for this one: itself, or with parts removed from its end (RFC 4647, 3.4).
    pub fn lookup<'a>(&self, available: &'a [Self]) -> Option<&'a Self> {
        let mut tag = self.0.as_str();
        loop {
            if let Some(found) = available.iter().find(|other| other.0 == tag) {
                return Some(found);
            }
            (tag, _) = tag.rsplit_once('-')?;
        }
    }

    /// The tags of an `Accept-Language` header, the preferred first. Malformed ones are left out.
    pub fn preferences(header: &str) -> Vec<Self> {
        let entries = header.split(',').take(MOST_PREFERENCES);
        let mut weighted: Vec<(u32, Self)> = entries.filter_map(entry).collect();
        // Stable: of equal ones the first is preferred.
        weighted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        weighted.into_iter().map(|(_, locale)| locale).collect()
    }

    /// The one of a user with these preferences, where mails are in English or in an `available` language: the preferred
    /// that can be served. Who gets English although another language is preferred keeps that one, for the day on which it
    /// is available.
    pub fn choose(preferences: &[Self], available: &[Self]) -> Option<Self> {
        let is_english = |locale: &Self| locale.0.split('-').next() == Some("en");
        let served = preferences
            .iter()
            .find(|locale| is_english(locale) || locale.lookup(available).is_some())
            .filter(|locale| locale.lookup(available).is_some());
        served.or(preferences.first()).cloned()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5646, 2.1.1: regions in upper case, scripts with a capital.
fn in_usual_case(part: &str) -> String {
    let is_letters = part.bytes().all(|b| b.is_ascii_alphabetic());
    match part.len() {
        2 if is_letters => part.to_ascii_uppercase(),
        4 if is_letters => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
        _ => part.to_ascii_lowercase(),
    }
}

/// `de-CH;q=0.8`: the weight in thousandths, and the tag; `None` if it is malformed or has the weight 0.
fn entry(text: &str) -> Option<(u32, Locale)> {
    let (tag, weight) = match text.split_once(';') {
        None => (text, 1_000),
        Some((tag, weight)) => {
            let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
            if !(0.0..=1.0).contains(&weight) {
                return None;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 1000"
            )]
            let thousandths = (weight * 1_000.0).round() as u32;
            (tag, thousandths)
        }
    };
    let locale = Locale::parse(tag.trim())?;
    (weight > 0).then_some((weight, locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(locales: &[Locale]) -> Vec<&str> {
        locales.iter().map(Locale::as_str).collect()
    }

    fn locales(tags: &[&str]) -> Vec<Locale> {
        tags.iter().map(|tag| Locale::parse(tag).unwrap()).collect()
    }

    #[test]
    fn tags_are_written_in_their_usual_case() {
        for (text, tag) in [
            ("DE", "de"),
            ("pt-br", "pt-BR"),
            ("ZH-HANT-tw", "zh-Hant-TW"),
            ("de-1996", "de-1996"),
            ("gsw", "gsw"),
        ] {
            assert_eq!(Locale::parse(text).unwrap().as_str(), tag);
        }
    }

    #[test]
    fn texts_that_are_no_tag_are_refused() {
        let long = format!("de{}", "-abcdefgh".repeat(4));
        for text in [
            "", "*", "d", "deutsch", "de_DE", "de-", "-de", "d1", "de-ä", "../de", "de/at", ".",
            "de\n", " de", &long,
        ] {
            assert_eq!(Locale::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn preferences_are_ordered_by_weight() {
        for (header, expected) in [
            ("de-CH, fr;q=0.8, en;q=0.9", &["de-CH", "en", "fr"][..]),
            ("fr;q=0.5,de;q=0.5", &["fr", "de"]),
            ("de ; q=0.1 , pl", &["pl", "de"]),
            ("de;q=0, pl;q=2, fr;q=x, it;w=1, en;q=NaN", &[]),
            ("*, <script>, de", &["de"]),
            ("", &[]),
        ] {
            assert_eq!(tags(&Locale::preferences(header)), expected, "{header}");
        }
        assert_eq!(Locale::preferences(&"de,".repeat(10_000)).len(), 10);
    }

    #[test]
    fn parts_are_removed_until_a_language_is_found() {
        let available = locales(&["de", "pt-BR"]);
        for (tag, found) in [
            ("de", Some("de")),
            ("de-CH-1996", Some("de")),
            ("pt-BR", Some("pt-BR")),
            ("pt", None),
            ("pt-PT", None),
            ("den", None),
        ] {
            let locale = Locale::parse(tag).unwrap();
            assert_eq!(
                locale.lookup(&available).map(Locale::as_str),
                found,
                "{tag}"
            );
        }
    }

    #[test]
    fn the_preferred_language_that_can_be_served_is_chosen() {
        let available = locales(&["de"]);
        for (header, chosen) in [
            ("de-CH, en", Some("de-CH")),
            ("pl, de;q=0.5", Some("de")),
            ("pl-PL, pl;q=0.9, en;q=0.8", Some("pl-PL")),
            ("pl, en, de", Some("pl")),
            ("en-GB, de", Some("en-GB")),
            ("pl", Some("pl")),
            ("", None),
        ] {
            let choice = Locale::choose(&Locale::preferences(header), &available);
            assert_eq!(choice.as_ref().map(Locale::as_str), chosen, "{header}");
        }
    }
}
