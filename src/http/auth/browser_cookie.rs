//! A cookie that recognises the browser that started a sign-in at another provider. Its value is random and no credential.
//!
//! # Threats
//! - a sign-in started elsewhere, which would sign the victim in as the attacker: `state` and exchange code are bound to
//!   the value, which only this browser has
//! - a cookie planted by another host: see [`HostCookie`]

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue};

use super::cookie::HostCookie;
use crate::config::Settings;
use crate::domain::error::Result;

const COOKIE: HostCookie = HostCookie {
    host_bound: "__Host-cloakroom-browser",
    plain: "cloakroom-browser",
};
/// 128 bits in hexadecimal digits.
const LENGTH: usize = 32;

/// The value that the browser sends, if it has the form of ours.
pub fn value<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    let value = COOKIE.value(headers, settings)?;
    let is_ours = value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then_some(value)
}

/// `Set-Cookie` with the value, which the browser keeps for `max_age`.
///
/// # Errors
/// Never for a value of ours.
pub fn set(settings: &Settings, value: &str, max_age: Duration) -> Result<HeaderValue> {
    COOKIE.set(settings, value, max_age)
}
