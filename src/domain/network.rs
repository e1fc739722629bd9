//! Networks of clients. A customer of a provider has many addresses: one IPv4 address or a block of them, and in IPv6
//! usually a /56 or a /48 (RIPE-690), each with many /64.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix_length: u32,
}

impl Network {
    /// The smallest one that counts as a single client: an IPv4 address or an IPv6 /64.
    pub fn of_client(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Self::v4(address, 32),
            IpAddr::V6(address) => Self::v6(address, 64),
        }
    }

    /// The largest one that may belong to a single customer: an IPv4 /24 or an IPv6 /48.
    pub fn of_customer(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Self::v4(address, 24),
            IpAddr::V6(address) => Self::v6(address, 48),
        }
    }

    /// The networks that clients are limited by, each with the number of clients that it stands for.
    pub fn with_weights(client: IpAddr) -> impl Iterator<Item = (Self, u32)> {
        let site = match client.to_canonical() {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some((Self::v6(address, 56), 4)),
        };
        [
            Some((Self::of_client(client), 1)),
            site,
            Some((Self::of_customer(client), 16)),
        ]
        .into_iter()
        .flatten()
    }

    fn v4(address: Ipv4Addr, prefix_length: u32) -> Self {
        let mask = u32::MAX << (32 - prefix_length);
        Self {
            first: Ipv4Addr::from_bits(address.to_bits() & mask).into(),
            prefix_length,
        }
    }

    fn v6(address: Ipv6Addr, prefix_length: u32) -> Self {
        let mask = u128::MAX << (128 - prefix_length);
        Self {
            first: Ipv6Addr::from_bits(address.to_bits() & mask).into(),
            prefix_length,
        }
    }
}

/// `192.0.2.1`, `192.0.2.0/24`, `2001:db8:1:2::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.prefix_length) {
            (IpAddr::V4(address), 32) => write!(f, "{address}"),
            (first, prefix_length) => write!(f, "{first}/{prefix_length}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(client: &str) -> Vec<(String, u32)> {
        Network::with_weights(client.parse().unwrap())
            .map(|(network, weight)| (network.to_string(), weight))
            .collect()
    }

    #[test]
    fn ipv6_counts_by_64_56_and_48() {
        let expected = [
            ("2001:db8:1:234::/64", 1),
            ("2001:db8:1:200::/56", 4),
            ("2001:db8:1::/48", 16),
        ];
        let expected = expected.map(|(network, weight)| (network.to_owned(), weight));
        assert_eq!(networks("2001:db8:1:234:5:6:7:8"), expected);
    }

    #[test]
    fn ipv4_counts_by_address_and_24() {
        let expected = [("192.0.2.7", 1), ("192.0.2.0/24", 16)];
        let expected = expected.map(|(network, weight)| (network.to_owned(), weight));
        assert_eq!(networks("192.0.2.7"), expected);
        assert_eq!(networks("::ffff:192.0.2.7"), expected);
    }
}
