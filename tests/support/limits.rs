//! Limits on tries, and who runs into them from where.

use std::net::SocketAddr;

use cloakroom::config::Settings;

/// An address without an account.
pub const UNKNOWN: &str = "nobody@example.com";
/// Where the owner of an account is.
pub const HERE: &str = "192.0.2.1";
/// Where somebody else is, in another network.
pub const ELSEWHERE: &str = "198.51.100.1";

/// Limits without those by client, so that the ones by address are met.
pub fn by_address_only(settings: &mut Settings) {
    settings.throttle.enabled = true;
    settings.throttle.sign_in.count = 1000;
    settings.throttle.reset.count = 1000;
}

/// A connection from an address.
pub fn peer(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse().unwrap(), 4000)
}
