//! Reads the credential that a request presents. Three states: none, one that is well-formed, or an unusable one.
//!
//! A bearer token decides alone, well-formed or not. Otherwise whoever can plant a cookie could lock a bearer client out,
//! or make it act as somebody else.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::cookie;
use crate::error::{Error, Result};
use crate::token::{PlainToken, TokenKind};

/// How a session's token is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In `Authorization`, by a program that adds it itself.
    Bearer,
    /// In a cookie, by a browser that adds it whoever asks.
    Cookie,
}

/// A credential that is well-formed. Whether it opens anything is for the database to say.
#[derive(Debug)]
pub enum Credential {
    /// A session's token, and how it came.
    Session {
        /// The token.
        token: PlainToken,
        /// How it came.
        carrier: Carrier,
    },
}

/// What the headers present, if anything: `Bearer <token>` (RFC 6750), and `Token <token>` or
/// `Token token="<token>"` as Rails reads them, with the scheme in any case; without such a line, the cookie of this name.
///
/// # Errors
/// [`Error::Malformed`] for two credentials, [`Error::TokenInvalid`] for one that is no token of ours.
pub fn presented(headers: &HeaderMap, cookie: &str) -> Result<Option<Credential>> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let line = lines.next();
    if lines.next().is_some() {
        return Err(Error::Malformed("Present one credential, not several"));
    }
    if let Some(line) = line {
        let line = line.to_str().map_err(|_| Error::TokenInvalid)?;
        if let Some(text) = bearer(line) {
            return well_formed(parameter(text), Carrier::Bearer).map(Some);
        }
    }
    match cookie::carried(headers, cookie)? {
        Some(text) => well_formed(text, Carrier::Cookie).map(Some),
        None => Ok(None),
    }
}

/// Whether a bearer token is presented, of whatever form. No page of another origin can make a browser send one.
pub(super) fn is_bearer(headers: &HeaderMap) -> bool {
    headers.get_all(AUTHORIZATION).any(|line| line.to_str().is_ok_and(|line| bearer(line).is_some()))
}

/// What stands behind the scheme, if it is one of ours.
fn bearer(line: &str) -> Option<&str> {
    let line = line.trim();
    let (scheme, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(rest)
}

fn well_formed(text: &str, carrier: Carrier) -> Result<Credential> {
    let token = PlainToken::parse(TokenKind::Session, text).ok_or(Error::TokenInvalid)?;
    Ok(Credential::Session { token, carrier })
}

/// The first parameter, without `token=` and quotes.
fn parameter(text: &str) -> &str {
    let first = text.split([',', ';', '\t']).map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
    let value = first.strip_prefix("token=").unwrap_or(first);
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Credential>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        presented(&headers, "cloakroom")
    }

    #[test]
    fn bearer_and_both_token_forms_are_read_in_any_case() {
        let token = PlainToken::generate(TokenKind::Session).unwrap();
        let text = token.reveal();
        for line in [
            format!("Bearer {text}"),
            format!("bearer {text}"),
            format!("BEARER   {text} "),
            format!("Token {text}"),
            format!("Token token=\"{text}\""),
            format!("token token={text}, nonce=\"1\""),
        ] {
            let Ok(Some(Credential::Session { token: read, carrier: Carrier::Bearer })) = read(&[&line])
            else {
                panic!("{line}")
            };
            assert_eq!(read.digest(), token.digest());
        }
    }

    #[test]
    fn none_and_other_schemes_present_nothing() {
        assert!(matches!(read(&[]), Ok(None)));
        assert!(matches!(read(&["Basic b25lOnR3bw=="]), Ok(None)));
    }

    #[test]
    fn what_is_no_token_of_ours_is_invalid() {
        for line in
            ["Bearer", "Bearer ", "Bearer invalid", "Token token=\"\"", "Bearer crk_1111", "Bearer , ,"]
        {
            assert!(matches!(read(&[line]), Err(Error::TokenInvalid)), "{line}");
        }
    }

    #[test]
    fn two_credentials_contradict_each_other() {
        assert!(matches!(read(&["Bearer a", "Bearer a"]), Err(Error::Malformed(_))));
    }
}
