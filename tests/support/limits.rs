//! Limits on attempts, and the clients that reach them.

use std::net::SocketAddr;

use cloakroom::config::Settings;

/// An address without an account.
pub const UNKNOWN: &str = "nobody@example.com";
/// The client of an account's owner.
pub const HERE: &str = "192.0.2.1";
/// A client in another network.
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
