//! Texts of one line: the titles and names that users choose, and what clients report about themselves.
//!
//! # Threats
//! - a text that rewrites what stands around it, in a terminal, a log or a page: control characters, which terminals obey,
//!   and the characters that control the direction of text (Trojan Source, CVE-2021-42574) are refused or removed

use super::error::ValidationErrors;

/// The most characters of a title or a name.
pub const MAX_CHARACTERS: usize = 255;

/// Whether a text of one line must not contain this character: a control character, a separator of lines or paragraphs, or
/// one with the Unicode property `Bidi_Control`.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The title or name in a field, without white space around it. It may be empty.
///
/// # Errors
/// The fault of the field: too long, or an unsafe character.
pub fn parse<'a>(attribute: &'static str, text: &'a str) -> Result<&'a str, ValidationErrors> {
    let text = text.trim();
    if text.chars().count() > MAX_CHARACTERS {
        let message = format!("is too long (maximum is {MAX_CHARACTERS} characters)");
        Err(ValidationErrors::field(attribute, message))
    } else if text.contains(is_unsafe) {
        Err(ValidationErrors::field(attribute, "is invalid"))
    } else {
        Ok(text)
    }
}

/// As [`parse`], and not empty.
///
/// # Errors
/// As [`parse`], and for a blank text.
pub fn parse_required<'a>(
    attribute: &'static str,
    text: &'a str,
) -> Result<&'a str, ValidationErrors> {
    match parse(attribute, text)? {
        "" => Err(ValidationErrors::field(attribute, "can't be blank")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<String> {
        let parsed = parse_required("name", text);
        parsed.err().map(|invalid| invalid.faults[0].1.clone())
    }

    #[test]
    fn white_space_around_a_line_is_removed() {
        assert_eq!(parse("name", " \tA  line\n"), Ok("A  line"));
        assert_eq!(parse("name", " \n"), Ok(""));
        assert_eq!(fault(" \n").as_deref(), Some("can't be blank"));
    }

    #[test]
    fn control_and_bidi_characters_are_refused() {
        for c in [
            '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{61c}', '\u{200e}',
            '\u{200f}', '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert_eq!(
                fault(&format!("a{c}b")).as_deref(),
                Some("is invalid"),
                "{c:?}"
            );
        }
    }

    #[test]
    fn every_script_and_emoji_is_accepted() {
        for text in [
            "Zoë",
            "שלום",
            "می\u{200c}خواهم",
            "👩\u{200d}👩\u{200d}👧",
            "a\u{a0}b",
            "日本",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn the_limit_counts_characters() {
        assert_eq!(fault(&"😀".repeat(255)), None);
        let message = "is too long (maximum is 255 characters)";
        assert_eq!(fault(&"a".repeat(256)).as_deref(), Some(message));
    }
}
