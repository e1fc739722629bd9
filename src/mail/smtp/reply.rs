//! Replies of a mail server. The code alone decides (RFC 5321, 4.2): a line may have no text, and the text is never
//! interpreted, except for the keywords of `EHLO` and the enhanced status code (RFC 3463).

/// A reply of one or more lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The same on each line.
    pub code: u16,
    /// The text of each line behind its code.
    pub lines: Vec<String>,
}

impl Reply {
    /// `5.1.1` of `550 5.1.1 <user@…> unknown`.
    pub fn enhanced_code(&self) -> Option<String> {
        let first = self.lines.first()?.split_whitespace().next()?;
        let numbers: Vec<&str> = first.split('.').collect();
        let sound =
            |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        (numbers.len() == 3 && numbers.iter().all(sound)).then(|| first.to_owned())
    }
}

/// A line of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReplyLine {
    pub code: u16,
    /// Whether another line follows.
    pub continues: bool,
    pub text: String,
}

impl ReplyLine {
    /// Reads `250-text`, `250 text`, `250-` or `250`, with or without a line end.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = line.split_at_checked(3)?;
        if !(matches!(code[0], b'2'..=b'5') && code.iter().all(u8::is_ascii_digit)) {
            return None;
        }
        let (continues, text) = match rest.split_first() {
            None => (false, &[][..]),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return None,
        };
        Some(Self {
            code: code
                .iter()
                .fold(0, |code, b| code * 10 + u16::from(b - b'0')),
            continues,
            text: String::from_utf8_lossy(text).into_owned(),
        })
    }
}

/// How a user authenticates (RFC 4954).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
}

/// What the reply to `EHLO` offers. Keywords and mechanisms are case-insensitive (RFC 5321, 2.4 and 4.1.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub starttls: bool,
    /// The preferred mechanism of those that both sides know.
    pub mechanism: Option<Mechanism>,
}

impl Extensions {
    pub fn of(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        for line in &reply.lines {
            // `AUTH=LOGIN` is how servers wrote it before the standard.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
            match words.next() {
                Some(keyword) if is(keyword, "STARTTLS") => extensions.starttls = true,
                Some(keyword) if is(keyword, "AUTH") => {
                    for word in words {
                        if is(word, "PLAIN") {
                            extensions.mechanism = Some(Mechanism::Plain);
                        } else if is(word, "LOGIN") {
                            extensions.mechanism.get_or_insert(Mechanism::Login);
                        }
                    }
                }
                _ => {}
            }
        }
        extensions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_line_needs_a_code_and_no_text() {
        let parse = |line: &str| {
            ReplyLine::parse(line.as_bytes()).map(|line| (line.code, line.continues, line.text))
        };
        for (line, code, continues, text) in [
            ("250 ok\r\n", 250, false, "ok"),
            ("250\r\n", 250, false, ""),
            ("250 \r\n", 250, false, ""),
            ("250-\r\n", 250, true, ""),
            ("354\n", 354, false, ""),
            ("421 4.3.2 busy", 421, false, "4.3.2 busy"),
        ] {
            assert_eq!(parse(line), Some((code, continues, text.to_owned())));
        }
        for line in [
            "",
            "\r\n",
            "25\r\n",
            "250x\r\n",
            "150 no\r\n",
            "650 no\r\n",
            "2a0 no\r\n",
            " 250\r\n",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
        assert_eq!(ReplyLine::parse(b"250 \xff").unwrap().text, "\u{fffd}");
    }

    #[test]
    fn an_enhanced_code_is_three_numbers() {
        let code = |text: &str| {
            let lines = vec![text.to_owned()];
            Reply { code: 550, lines }.enhanced_code()
        };
        assert_eq!(code("5.1.1 <one@example.com>"), Some("5.1.1".to_owned()));
        for text in ["", "no", "5.1", "5.1.1.1", "5.a.1", "5..1", "5.1.1000"] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }

    #[test]
    fn keywords_and_mechanisms_match_in_any_case() {
        let of = |lines: &[&str]| {
            let lines = lines.iter().map(|&line| line.to_owned()).collect();
            let Extensions {
                starttls,
                mechanism,
            } = Extensions::of(&Reply { code: 250, lines });
            (starttls, mechanism)
        };
        assert_eq!(of(&["mail.test", "starttls"]), (true, None));
        assert_eq!(of(&["", "StartTLS "]), (true, None));
        assert_eq!(
            of(&["x", "auth login plain"]),
            (false, Some(Mechanism::Plain))
        );
        assert_eq!(of(&["x", "Auth Login"]), (false, Some(Mechanism::Login)));
        assert_eq!(of(&["x", "AUTH=LOGIN"]), (false, Some(Mechanism::Login)));
        assert_eq!(
            of(&["x", "AUTH CRAM-MD5", "STARTTLSX", "XAUTH PLAIN"]),
            (false, None)
        );
    }
}
