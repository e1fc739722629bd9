//! The session cookie: its name, and how it is read, set and cleared.
//!
//! # Threats
//! - a cookie planted or overwritten by another host: the prefix `__Host-` binds it to this host and https, and two
//!   cookies of the name are refused. With `session.cookie_domain` every host below that domain can plant one, over https
//!   (`__Secure-`), and receives it
//! - a shared computer: unless the sign-in sent `remember`, the browser deletes it when it is closed
//! - scripts that read it: `HttpOnly`
//! - cross-site requests: `SameSite=Lax`, and [`same_origin`](super::same_origin) for what that allows

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::config::Settings;
use crate::crypto::token::PlainToken;
use crate::domain::error::{Error, Result};

/// Under https. Browsers accept this prefix only from the host itself, with `Secure` and for every path.
const HOST_BOUND: &str = "__Host-cloakroom";
/// With `session.cookie_domain`. Browsers accept this prefix only over https, with `Secure`.
const SHARED: &str = "__Secure-cloakroom";
/// Under plain http, where browsers do not accept a prefix.
const PLAIN: &str = "cloakroom";

/// The cookie's name: without prefix and `Secure` only if the public URL is plain http.
pub fn name(settings: &Settings) -> &'static str {
    if settings.server.is_plain() {
        PLAIN
    } else if settings.session.cookie_domain.is_some() {
        SHARED
    } else {
        HOST_BOUND
    }
}

/// The value of the cookie of exactly this name.
///
/// # Errors
/// [`Error::Malformed`] for two cookies of the name: either could be planted.
pub fn carried<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let pairs = headers
        .get_all(COOKIE)
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut values = pairs.filter_map(|pair| {
        pair.trim_ascii()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")
    });
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::Malformed("Present one credential, not several"));
    }
    // A value that is not text is as malformed as an empty one.
    Ok(Some(std::str::from_utf8(value).unwrap_or_default()))
}

/// `Set-Cookie` with a token. The browser keeps it for `max_age`, or until it is closed.
///
/// # Errors
/// Never for a token of ours, which is plain text.
pub fn set(
    settings: &Settings,
    token: &PlainToken,
    max_age: Option<Duration>,
) -> Result<HeaderValue> {
    written(settings, token.reveal(), max_age)
}

/// `Set-Cookie` that removes it.
///
/// # Errors
/// Never.
pub fn cleared(settings: &Settings) -> Result<HeaderValue> {
    written(settings, "", Some(Duration::ZERO))
}

fn written(settings: &Settings, value: &str, max_age: Option<Duration>) -> Result<HeaderValue> {
    let mut line = format!("{}={value}; Path=/", name(settings));
    if let Some(domain) = &settings.session.cookie_domain {
        line += &format!("; Domain={domain}");
    }
    if let Some(age) = max_age {
        line += &format!("; Max-Age={}", age.as_secs());
    }
    finished(settings, line)
}

/// A cookie beside that of the session, of this host alone, whatever `session.cookie_domain` is. It recognises a browser.
///
/// # Threats
/// - one that is planted by another host: the prefix `__Host-` binds it to this host and https, and two cookies of the name
///   count as none
pub struct HostCookie {
    /// Its name under https, with the prefix.
    pub host_bound: &'static str,
    /// Its name under plain http, where browsers do not accept a prefix.
    pub plain: &'static str,
}

impl HostCookie {
    /// The value that the browser sends.
    pub fn value<'a>(&self, headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
        carried(headers, self.name(settings)).ok().flatten()
    }

    /// `Set-Cookie` with a value, which the browser keeps for `max_age`.
    ///
    /// # Errors
    /// Never for plain text.
    pub fn set(&self, settings: &Settings, value: &str, max_age: Duration) -> Result<HeaderValue> {
        let (name, age) = (self.name(settings), max_age.as_secs());
        finished(settings, format!("{name}={value}; Path=/; Max-Age={age}"))
    }

    fn name(&self, settings: &Settings) -> &'static str {
        match settings.server.is_plain() {
            true => self.plain,
            false => self.host_bound,
        }
    }
}

/// The header of a line, with what every cookie has.
fn finished(settings: &Settings, mut line: String) -> Result<HeaderValue> {
    line += "; HttpOnly; SameSite=Lax";
    if !settings.server.is_plain() {
        line += "; Secure";
    }
    let mut line = HeaderValue::try_from(line).map_err(Error::internal)?;
    line.set_sensitive(true);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Option<String>> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        carried(&headers, PLAIN).map(|value| value.map(str::to_owned))
    }

    #[test]
    fn the_cookie_is_found_among_others_by_its_exact_name() {
        for lines in [
            [&b"cloakroom=a"[..], b"other=b"],
            [b"other=b; cloakroom=a", b""],
            [b" first=1 ;cloakroom=a ; last", b"=;;cloakroom"],
            [b"name=\xff\xfe; cloakroom=a", b"cloakroom2=b; xcloakroom=c"],
        ] {
            assert_eq!(read(&lines).unwrap().as_deref(), Some("a"));
        }
        for line in [
            "",
            "Cloakroom=a",
            "cloakroom =a",
            "__Host-cloakroom=a",
            "x=cloakroom=a",
            "\"cloakroom=a\"",
        ] {
            assert_eq!(read(&[line.as_bytes()]).unwrap(), None, "{line}");
        }
    }

    #[test]
    fn non_text_cookies_read_as_empty() {
        assert_eq!(read(&[b"cloakroom=\xff"]).unwrap().as_deref(), Some(""));
    }

    #[test]
    fn duplicate_cookies_are_ambiguous() {
        for lines in [
            [&b"cloakroom=a; cloakroom=a"[..], b""],
            [b"cloakroom=a", b"cloakroom=b"],
        ] {
            assert!(matches!(read(&lines), Err(Error::Malformed(_))));
        }
    }
}
