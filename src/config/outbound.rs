//! `[outbound]`: requests of the server to others.

use ipnet::IpNet;

use super::declare::section;
use super::values::networks;

section! {
    /// Requests of the server to other servers, such as the service of breached passwords. Without one, none is made.
    Outbound {
        /// Networks in CIDR notation that are reached although they are private or special, and over plain http too. All
        /// other such addresses are refused, so that no URL leads into the internal network.
        #[serde(with = "networks")]
        private_networks: Vec<IpNet> = [],
    }
}
