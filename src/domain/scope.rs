//! Scopes: what a key or a token may be used for, as words. `user:read`, `projects:read`, `projects:write` and
//! `introspect` mean something to us; every other word is free for the services behind us.
//!
//! They are the scope tokens of RFC 6749, 3.3, and narrower: visible ASCII without quotes, colons apart, so that a
//! list of them is safe in a header and in `scope="…"`.

/// The longest word, in bytes.
const MAX_BYTES: usize = 64;
/// The most words of a list.
const MAX_WORDS: usize = 32;
/// To read the user's own details, the email address among them.
pub const USER_READ: &str = "user:read";
/// The one word of ours that has no colon.
pub const INTROSPECT: &str = "introspect";

/// A list of scopes, each once, in the order in which they were given. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Box<str>);

impl Scopes {
    /// Reads words with one space between (RFC 6749, 3.3), or nothing; `None` when one is not a scope, or there are
    /// too many.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(Self::default())
        } else {
            Self::collect(text.split(' '))
        }
    }

    /// Reads words one by one; `None` as in [`Self::parse`].
    pub fn from_words(words: &[impl AsRef<str>]) -> Option<Self> {
        Self::collect(words.iter().map(AsRef::as_ref))
    }

    fn collect<'w>(words: impl Iterator<Item = &'w str>) -> Option<Self> {
        let mut kept: Vec<&str> = Vec::new();
        for word in words {
            if !is_scope(word) {
                return None;
            }
            if !kept.contains(&word) {
                if kept.len() == MAX_WORDS {
                    return None;
                }
                kept.push(word);
            }
        }
        Some(Self(kept.join(" ").into()))
    }

    /// The words with one space between.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each word.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// Whether this word is among them.
    pub fn has(&self, word: &str) -> bool {
        self.words().any(|own| own == word)
    }

    /// Whether all of the other's are among them.
    pub fn holds(&self, other: &Self) -> bool {
        other.words().all(|word| self.has(word))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the database holds has been parsed before it was stored.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text.into())
    }
}

/// `name:action`, or `introspect`; a name may have further colons.
fn is_scope(word: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'_' | b'.' | b'-')
            })
    };
    word.len() <= MAX_BYTES
        && (word == INTROSPECT || (word.contains(':') && word.split(':').all(is_part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_words_keep_their_order_without_repeats() {
        let scopes =
            Scopes::parse("projects:write introspect projects:read projects:write").unwrap();
        assert_eq!(scopes.as_str(), "projects:write introspect projects:read");
        assert_eq!(
            Scopes::from_words(&scopes.words().collect::<Vec<_>>()),
            Some(scopes)
        );
    }

    #[test]
    fn scope_words_of_other_services_are_accepted() {
        for word in ["a:b", "orders.eu:read", "my_app:orders:read-all", "x9:y.0"] {
            assert_eq!(Scopes::parse(word).unwrap().as_str(), word);
        }
        let longest = format!("a:{}", "b".repeat(62));
        assert!(
            Scopes::parse(&longest).is_some() && Scopes::parse(&format!("{longest}b")).is_none()
        );
    }

    #[test]
    fn one_invalid_word_rejects_the_whole_scope() {
        for word in [
            "projects",
            "Projects:read",
            "projects:",
            ":read",
            "projects::read",
            "projects:*",
            "1projects:read",
            "projects:-read",
            "projects:read\"",
            "projects:re\\ad",
            "projects:read\r\nX-User-Id: 1",
            "projects:réad",
            "introspect:",
        ] {
            assert!(Scopes::parse(word).is_none(), "{word:?}");
            assert!(
                Scopes::from_words(&["projects:read", word]).is_none(),
                "{word:?}"
            );
        }
        for text in [" ", "a:b ", " a:b", "a:b  c:d", "a:b\tc:d", "a:b,c:d"] {
            assert!(Scopes::parse(text).is_none(), "{text:?}");
        }
        assert!(Scopes::from_words(&["a:b c:d"]).is_none() && Scopes::from_words(&[""]).is_none());
    }

    #[test]
    fn a_scope_has_at_most_32_words() {
        let words: Vec<String> = (0..33).map(|at| format!("a:b{at}")).collect();
        assert!(Scopes::from_words(&words[..32]).is_some());
        assert!(Scopes::from_words(&words).is_none());
        assert!(Scopes::from_words(&["a:b"; 40]).is_some());
    }

    #[test]
    fn a_scope_is_held_only_with_every_word() {
        let [own, part, more] = ["a:read a:write", "a:write", "a:write b:read"]
            .map(|text| Scopes::parse(text).unwrap());
        assert!(own.holds(&part) && own.holds(&own) && own.holds(&Scopes::default()));
        assert!(!own.holds(&more) && !part.holds(&own) && !Scopes::default().holds(&part));
        assert!(
            own.has("a:read") && !own.has("a:rea") && !own.has("a:read a:write") && !own.has("")
        );
        assert!(Scopes::parse("").unwrap().is_empty() && !own.is_empty());
    }
}
