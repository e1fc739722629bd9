//! A cookie that recognises the browser that started a sign-in at another provider. Its value is random and no credential.
//!
//! # Threats
//! - a sign-in started elsewhere, which would sign the victim in as the attacker: `state` and exchange code are bound to
//!   the value, which only this browser has
//! - a cookie planted by another host: the prefix `__Host-` binds it to this host and https, and two cookies of the name
//!   count as none

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue};

use super::cookie;
use crate::config::Settings;
use crate::domain::error::{Error, Result};

const HOST_BOUND: &str = "__Host-cloakroom-browser";
/// Under plain http, where browsers do not accept a prefix.
const PLAIN: &str = "cloakroom-browser";
/// 128 bits in hexadecimal digits.
const LENGTH: usize = 32;

/// The value that the browser sends, if it has the form of ours.
pub fn value<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    let value = cookie::carried(headers, name(settings)).ok().flatten()?;
    let is_ours = value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then_some(value)
}

/// `Set-Cookie` with the value, which the browser keeps for `max_age`.
///
/// # Errors
/// Never for a value of ours.
pub fn set(settings: &Settings, value: &str, max_age: Duration) -> Result<HeaderValue> {
    let (name, age) = (name(settings), max_age.as_secs());
    let mut line = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
    if !settings.server.is_plain() {
        line += "; Secure";
    }
    let mut line = HeaderValue::try_from(line).map_err(Error::internal)?;
    line.set_sensitive(true);
    Ok(line)
}

fn name(settings: &Settings) -> &'static str {
    match settings.server.is_plain() {
        true => PLAIN,
        false => HOST_BOUND,
    }
}
