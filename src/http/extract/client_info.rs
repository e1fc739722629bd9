//! Reads the facts about the client from a request: address, `User-Agent`, request id, and for browsers the origin and the
//! cookie.
//!
//! # Threats
//! - a forged address: `X-Forwarded-For` is read from trusted proxies only, from the right
//! - log and terminal injection: unsafe characters are removed from the `User-Agent`

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName, USER_AGENT};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use ipnet::IpNet;

use crate::context::Context;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::ClientInfo;
use crate::domain::error::{Error, Result};
use crate::domain::one_line::is_unsafe;
use crate::http::auth::{cookie, credential, same_origin};
use crate::http::inputs::Input;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What proxies add.
const FORWARDING: [HeaderName; 2] = [FORWARDED_FOR, HeaderName::from_static("forwarded")];
const USER_AGENT_CHARACTERS: usize = 255;

/// The id of a request, in its extensions.
#[derive(Clone, Debug)]
pub(in crate::http) struct RequestId(pub Rc<str>);

impl ClientInfo {
    /// The client of this request.
    pub(in crate::http) fn of(request: &HttpRequest) -> Result<Self> {
        let (settings, headers) = (&context(request)?.settings, request.headers());
        let agent = headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let cookie = match credential::decides_alone(headers) {
            true => None,
            false => cookie::carried(headers, cookie::name(settings))?,
        };
        Ok(Self {
            ip: address(request, &settings.server.trusted_proxies),
            user_agent: agent.map(|text| {
                text.chars()
                    .filter(|c| !is_unsafe(*c))
                    .take(USER_AGENT_CHARACTERS)
                    .collect()
            }),
            request_id: request
                .extensions()
                .get::<RequestId>()
                .map_or_else(String::new, |id| id.0.to_string()),
            same_origin: same_origin::proves_same_origin(headers, settings),
            cookie: cookie
                .and_then(|text| PlainToken::parse(TokenKind::Session, text))
                .map(|token| token.digest()),
        })
    }
}

impl FromRequest for ClientInfo {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Input for ClientInfo {}

/// The context of the app.
///
/// # Errors
/// The app was not configured with [`crate::Cloakroom::mount`].
pub(in crate::http) fn context(request: &HttpRequest) -> Result<&web::Data<Context>> {
    request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| Error::internal("the app has no cloakroom context"))
}

/// The address of the client: the peer or, when the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` that is not one. Entries further left may be forged.
pub fn address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request
        .peer_addr()
        .map_or(IpAddr::from([127, 0, 0, 1]), |peer| {
            peer.ip().to_canonical()
        });
    behind_proxies(peer, request.headers(), trusted)
}

fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    if !is_trusted(peer, trusted) {
        return peer;
    }
    // A line that is not text contains no address.
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .map(|line| line.to_str().unwrap_or("unknown"))
        .collect();
    let mut client = peer;
    let hops = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    for hop in hops.filter(|hop| !hop.is_empty()).rev() {
        // Entries left of a malformed one cannot be trusted.
        let Some(address) = read_hop(hop) else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(client, trusted) {
            break;
        }
    }
    client
}

/// Logs the first forwarding header of a peer that is not trusted. If it is the operator's proxy, all clients share its
/// address and limits.
pub(in crate::http) fn warn_of_unknown_proxy(request: &ServiceRequest, context: &Context) {
    let has_header = FORWARDING
        .iter()
        .any(|name| request.headers().contains_key(name));
    let Some(peer) = request
        .peer_addr()
        .map(|peer| peer.ip())
        .filter(|_| has_header)
    else {
        return;
    };
    if !is_trusted(peer, &context.settings.server.trusted_proxies)
        && !context.saw_unknown_proxy.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(%peer, "a forwarding header came from a peer that server.trusted_proxies does not name: if it is your proxy, all clients share its address and limits");
    }
}

/// Whether this peer is a trusted proxy.
pub(in crate::http) fn is_trusted(peer: IpAddr, trusted: &[IpNet]) -> bool {
    trusted
        .iter()
        .any(|network| network.contains(&peer.to_canonical()))
}

/// An address. Some proxies add the port, brackets or quotes.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = between(text, '"', '"').unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    match between(text, '[', ']') {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(with_port),
    }
}

fn between(text: &str, start: char, end: char) -> Option<&str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        behind_proxies(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forwarding_header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(
            client("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        assert_eq!(
            client("10.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            client(
                "10.0.0.1",
                &["1.2.3.4, 198.51.100.1, 10.0.0.2"],
                &["10.0.0.0/8"]
            ),
            "198.51.100.1"
        );
        assert_eq!(
            client("10.0.0.1", &["1.2.3.4", "198.51.100.1"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            client("10.0.0.1", &["198.51.100.1:50000"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            client("::1", &["[2001:db8::7]:50000"], &["::1/128"]),
            "2001:db8::7"
        );
        assert_eq!(client("::1", &["2001:db8::7"], &["::1/128"]), "2001:db8::7");
    }

    #[test]
    fn every_spelling_of_a_hop_is_understood() {
        for (line, address) in [
            ("[2001:db8::7]", "2001:db8::7"),
            ("\"[2001:db8::7]\"", "2001:db8::7"),
            ("\"[2001:db8::7]:50000\"", "2001:db8::7"),
            ("[::ffff:198.51.100.1]", "198.51.100.1"),
            ("\"198.51.100.1\"", "198.51.100.1"),
            ("\"198.51.100.1:50000\"", "198.51.100.1"),
            ("198.51.100.1,", "198.51.100.1"),
            ("198.51.100.1 , , \t,10.0.0.2", "198.51.100.1"),
        ] {
            assert_eq!(
                client("10.0.0.1", &[line], &["10.0.0.0/8"]),
                address,
                "{line}"
            );
        }
        let lines = ["198.51.100.1", "", " "];
        assert_eq!(client("10.0.0.1", &lines, &["10.0.0.0/8"]), "198.51.100.1");
        for line in [
            "[198.51.100.1]",
            "[2001:db8::7",
            "2001:db8::7]",
            "[]",
            "\"\"",
            "\"",
            "[::1]x",
            "for=1.2.3.4",
        ] {
            assert_eq!(
                client("10.0.0.1", &[line], &["10.0.0.0/8"]),
                "10.0.0.1",
                "{line}"
            );
        }
    }

    #[test]
    fn malformed_hops_end_the_forwarding_chain() {
        assert_eq!(
            client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"]),
            "10.0.0.3"
        );
        assert_eq!(
            client(
                "10.0.0.1",
                &["198.51.100.1, unknown, 10.0.0.2"],
                &["10.0.0.0/8"]
            ),
            "10.0.0.2"
        );
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(
            client(
                "10.0.0.1",
                &["192.0.2.1", "\u{e9}, 198.51.100.1"],
                &["10.0.0.0/8"]
            ),
            "10.0.0.1"
        );
    }
}
