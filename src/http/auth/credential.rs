//! Reads the credential of a request: none, a well-formed one, or an error.
//!
//! # Threats
//! - a planted cookie that locks out a bearer client or makes it act as another user: a credential in a header takes
//!   precedence, well-formed or not

use std::fmt;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::cookie;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::CredentialKind;
use crate::domain::error::{Error, Result};

pub(in crate::http) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How a session's token is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In `Authorization`, which the client sets itself.
    Bearer,
    /// In a cookie, which browsers also send with requests of other pages.
    Cookie,
}

/// A well-formed credential, not yet verified against the database or its signature.
pub enum Credential<'a> {
    /// A session's token.
    Session {
        /// The token.
        token: PlainToken,
        /// How it is carried.
        carrier: Carrier,
    },
    /// An API key.
    ApiKey {
        /// The key.
        token: PlainToken,
    },
    /// Three parts separated by dots, like an access token, of any length and content.
    Access {
        /// As presented, not copied: it is long, and most are in the cache.
        text: &'a str,
    },
}

impl Credential<'_> {
    /// The kind.
    pub(in crate::http) fn kind(&self) -> CredentialKind {
        match self {
            Self::Session { .. } => CredentialKind::Session,
            Self::ApiKey { .. } => CredentialKind::ApiKey,
            Self::Access { .. } => CredentialKind::AccessToken,
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session { .. } => "Session([hidden])",
            Self::ApiKey { .. } => "ApiKey([hidden])",
            Self::Access { .. } => "Access([hidden])",
        })
    }
}

/// The credential of a request, if there is one: `Bearer <token>` (RFC 6750), `Token <token>` or `Token token="<token>"`
/// (Rails), with the scheme in any case; or `X-API-Key: <key>`; without either, a session's token in the cookie of this
/// name.
///
/// # Errors
/// [`Error::Malformed`] for two credentials, [`Error::TokenInvalid`] for a malformed token, and [`Error::InvalidApiKey`]
/// for a malformed API key.
pub fn presented<'a>(headers: &'a HeaderMap, cookie: &str) -> Result<Option<Credential<'a>>> {
    let bearer = match only(headers, AUTHORIZATION)? {
        Some(line) => bearer(line.to_str().map_err(|_| Error::TokenInvalid)?),
        None => None,
    };
    match (bearer, only(headers, X_API_KEY)?) {
        (Some(_), Some(_)) => Err(several()),
        (Some(text), None) => by_form(parameter(text)).map(Some),
        (None, Some(line)) => api_key(line.to_str().unwrap_or_default().trim()).map(Some),
        (None, None) => {
            let carried = cookie::carried(headers, cookie)?;
            carried
                .map(|text| session(text, Carrier::Cookie))
                .transpose()
        }
    }
}

/// As [`presented`], or an API key as the user name or the password of HTTP Basic (RFC 7617), as clients of introspection
/// send it (RFC 7662, 2.1). Other routes ignore Basic: a browser would add it to requests of every page.
///
/// # Errors
/// As [`presented`].
pub(super) fn presented_or_basic<'a>(
    headers: &'a HeaderMap,
    cookie: &str,
) -> Result<Option<Credential<'a>>> {
    match only(headers, AUTHORIZATION)?.and_then(basic_key) {
        Some(_) if headers.contains_key(X_API_KEY) => Err(several()),
        Some(key) => api_key(&key).map(Some),
        None => presented(headers, cookie),
    }
}

/// Whether a header contains HTTP Basic.
pub(super) fn is_basic(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(AUTHORIZATION);
    lines.any(|line| line.to_str().is_ok_and(|line| basic(line).is_some()))
}

/// The password of HTTP Basic, or else the user name, if one of them looks like an API key.
fn basic_key(line: &HeaderValue) -> Option<Zeroizing<String>> {
    let decoded = BASE64_STANDARD.decode(basic(line.to_str().ok()?)?).ok()?;
    let pair = Zeroizing::new(String::from_utf8(decoded).ok()?);
    let (user, password) = pair.split_once(':')?;
    let looks_like_key = |text: &&str| text.starts_with(TokenKind::ApiKey.prefix());
    let key = [password, user].into_iter().find(looks_like_key)?;
    Some(Zeroizing::new(key.to_owned()))
}

fn basic(line: &str) -> Option<&str> {
    let (scheme, rest) = line.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest.trim())
}

/// Whether a header contains a credential, well-formed or not, so that the cookie is ignored. Pages of other origins cannot
/// make a browser send one.
pub(in crate::http) fn decides_alone(headers: &HeaderMap) -> bool {
    headers
        .get_all(AUTHORIZATION)
        .any(|line| line.to_str().is_ok_and(|line| bearer(line).is_some()))
        || headers.contains_key(X_API_KEY)
}

/// The only line with this name.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (_, Some(_)) => Err(several()),
        (line, None) => Ok(line),
    }
}

fn several() -> Error {
    Error::Malformed("Present one credential, not several")
}

/// The text after the scheme, if the scheme is `Bearer` or `Token`.
fn bearer(line: &str) -> Option<&str> {
    // As nearly all clients write it.
    if let Some(rest) = line
        .strip_prefix("Bearer ")
        .filter(|rest| is_one_word(rest))
    {
        return Some(rest);
    }
    let line = line.trim();
    let (scheme, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(rest)
}

/// Tells the kinds apart by their form, which differs for each.
fn by_form(text: &str) -> Result<Credential<'_>> {
    if text.starts_with(TokenKind::ApiKey.prefix()) {
        api_key(text)
    } else if text.bytes().filter(|byte| *byte == b'.').count() == 2 {
        Ok(Credential::Access { text })
    } else {
        session(text, Carrier::Bearer)
    }
}

fn session(text: &str, carrier: Carrier) -> Result<Credential<'static>> {
    let token = PlainToken::parse(TokenKind::Session, text).ok_or(Error::TokenInvalid)?;
    Ok(Credential::Session { token, carrier })
}

fn api_key(text: &str) -> Result<Credential<'static>> {
    let token = PlainToken::parse(TokenKind::ApiKey, text).ok_or(Error::InvalidApiKey)?;
    Ok(Credential::ApiKey { token })
}

/// Whether a text has only characters of tokens, so that there is nothing to split or to trim.
fn is_one_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// The first parameter, without `token=` and quotes.
fn parameter(text: &str) -> &str {
    if is_one_word(text) {
        return text;
    }
    let first = text
        .split([',', ';', '\t'])
        .map(str::trim)
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let value = first.strip_prefix("token=").unwrap_or(first);
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::COOKIE;

    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(
                name.clone(),
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        headers
    }

    /// The kind of what these lines present, and its text.
    fn read(lines: &[(HeaderName, &str)]) -> Result<Option<(&'static str, String)>> {
        Ok(
            presented(&headers(lines), "cloakroom")?.map(|credential| match credential {
                Credential::Session {
                    token,
                    carrier: Carrier::Bearer,
                } => ("session", token.reveal().to_owned()),
                Credential::Session {
                    token,
                    carrier: Carrier::Cookie,
                } => ("cookie", token.reveal().to_owned()),
                Credential::ApiKey { token } => ("api_key", token.reveal().to_owned()),
                Credential::Access { text } => ("access", text.to_owned()),
            }),
        )
    }

    #[test]
    fn printing_a_credential_shows_its_kind_alone() {
        for (token, printed) in [
            (new(TokenKind::Session), "Session([hidden])"),
            (new(TokenKind::ApiKey), "ApiKey([hidden])"),
            ("a.b.c".to_owned(), "Access([hidden])"),
        ] {
            let lines = headers(&[(AUTHORIZATION, &format!("Bearer {token}"))]);
            let credential = presented(&lines, "cloakroom").unwrap().unwrap();
            assert_eq!(format!("{credential:?}"), printed);
        }
    }

    fn new(kind: TokenKind) -> String {
        PlainToken::generate(kind).unwrap().reveal().to_owned()
    }

    #[test]
    fn every_kind_is_read_as_bearer_in_any_form_and_case() {
        for (kind, text) in [
            ("session", new(TokenKind::Session)),
            ("api_key", new(TokenKind::ApiKey)),
            (
                "access",
                "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln".to_owned(),
            ),
        ] {
            for line in [
                format!("Bearer {text}"),
                format!("bearer {text}"),
                format!("BEARER   {text} "),
                format!("Token {text}"),
                format!("Token token=\"{text}\""),
                format!("token token={text}, nonce=\"1\""),
            ] {
                assert_eq!(
                    read(&[(AUTHORIZATION, &line)]).unwrap(),
                    Some((kind, text.clone())),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn none_and_other_schemes_present_nothing() {
        assert!(matches!(read(&[]), Ok(None)));
        assert!(matches!(
            read(&[(AUTHORIZATION, "Basic b25lOnR3bw==")]),
            Ok(None)
        ));
    }

    #[test]
    fn malformed_tokens_are_invalid() {
        let refresh = format!("Bearer {}", new(TokenKind::Refresh));
        for line in [
            "Bearer",
            "Bearer ",
            "Bearer invalid",
            "Token token=\"\"",
            "Bearer , ,",
            "Bearer crs_1111",
            "Bearer a.b",
            "Bearer a.b.c.d",
            "Bearer \u{e9}",
            &refresh,
        ] {
            assert!(
                matches!(read(&[(AUTHORIZATION, line)]), Err(Error::TokenInvalid)),
                "{line}"
            );
        }
    }

    #[test]
    fn the_api_key_header_accepts_only_api_keys() {
        let key = new(TokenKind::ApiKey);
        assert_eq!(
            read(&[(X_API_KEY, &key)]).unwrap(),
            Some(("api_key", key.clone()))
        );
        assert_eq!(
            read(&[(X_API_KEY, &format!(" {key} "))]).unwrap(),
            Some(("api_key", key.clone()))
        );
        let basic = (AUTHORIZATION, "Basic b25lOnR3bw==");
        assert_eq!(
            read(&[basic, (X_API_KEY, &key)]).unwrap(),
            Some(("api_key", key.clone()))
        );
        let (session, prefixed) = (new(TokenKind::Session), format!("Bearer {key}"));
        for line in ["", "crk_1111", "a.b.c", "\u{e9}", &session, &prefixed] {
            assert!(
                matches!(read(&[(X_API_KEY, line)]), Err(Error::InvalidApiKey)),
                "{line}"
            );
        }
        for line in ["Bearer crk_", "Bearer crk_1111", "Bearer crk_a.b.c"] {
            assert!(
                matches!(read(&[(AUTHORIZATION, line)]), Err(Error::InvalidApiKey)),
                "{line}"
            );
        }
    }

    #[test]
    fn the_cookie_is_a_session_and_yields_to_a_header() {
        let (session, key) = (new(TokenKind::Session), new(TokenKind::ApiKey));
        let cookie = format!("cloakroom={session}");
        assert_eq!(
            read(&[(COOKIE, &cookie)]).unwrap(),
            Some(("cookie", session))
        );
        assert_eq!(
            read(&[(COOKIE, &cookie), (X_API_KEY, &key)]).unwrap(),
            Some(("api_key", key.clone()))
        );
        for line in [
            format!("cloakroom={key}"),
            "cloakroom=a.b.c".to_owned(),
            "cloakroom=".to_owned(),
        ] {
            assert!(
                matches!(read(&[(COOKIE, &line)]), Err(Error::TokenInvalid)),
                "{line}"
            );
        }
        for (name, line) in [
            (AUTHORIZATION, "Bearer"),
            (X_API_KEY, ""),
            (X_API_KEY, "crk_1111"),
        ] {
            let lines = [(COOKIE, cookie.as_str()), (name, line)];
            assert!(
                read(&lines).is_err() && decides_alone(&headers(&lines)),
                "{line}"
            );
        }
        assert!(!decides_alone(&headers(&[
            (COOKIE, &cookie),
            (AUTHORIZATION, "Basic b25lOnR3bw==")
        ])));
    }

    #[test]
    fn two_credentials_are_rejected() {
        let (session, key) = (
            format!("Bearer {}", new(TokenKind::Session)),
            new(TokenKind::ApiKey),
        );
        for lines in [
            [(AUTHORIZATION, "Bearer a"), (AUTHORIZATION, "Bearer a")],
            [
                (AUTHORIZATION, session.as_str()),
                (AUTHORIZATION, "Basic b25lOnR3bw=="),
            ],
            [(AUTHORIZATION, session.as_str()), (X_API_KEY, key.as_str())],
            [(AUTHORIZATION, "Bearer"), (X_API_KEY, "")],
            [(AUTHORIZATION, "Bearer a.b.c"), (X_API_KEY, key.as_str())],
            [(X_API_KEY, key.as_str()), (X_API_KEY, key.as_str())],
        ] {
            assert!(
                matches!(read(&lines), Err(Error::Malformed(_))),
                "{lines:?}"
            );
        }
    }
}
