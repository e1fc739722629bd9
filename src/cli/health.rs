//! `cloakroom health`: asks the running server whether it is ready, for containers without an HTTP client.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};

use super::output::Format;
use crate::config::Settings;

/// For connecting and for each read.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is read of a reply, in bytes.
const LONGEST_REPLY: u64 = 16 * 1024;

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    let bind = &settings.server.bind;
    let reply = ask(bind).map_err(|error| format!("server.bind {bind}: {error}"))?;
    state(&reply)?;
    format.print(&json!({ "status": "ready" }), || "ready".to_owned())
}

/// The reply to `GET /ready`, whole.
fn ask(bind: &str) -> io::Result<String> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in bind.to_socket_addrs()?.map(reachable) {
        match ask_at(address) {
            Ok(reply) => return Ok(reply),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_at(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.take(LONGEST_REPLY).read_to_string(&mut reply)?;
    Ok(reply)
}

/// A server that listens on every address is asked on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Whether the reply is that of a server that is ready.
///
/// # Errors
/// Why it is not.
fn state(reply: &str) -> Result<(), String> {
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match (status, body["status"].as_str(), body["code"].as_str()) {
        ("200", Some("ready"), _) => Ok(()),
        ("503", _, Some(code)) => Err(format!("not ready: {code}")),
        _ => Err("another program answers at server.bind".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}")
    }

    #[test]
    fn only_a_ready_server_is_healthy() {
        let ready = reply("200 OK", r#"{"status":"ready"}"#);
        assert_eq!(state(&ready), Ok(()));
        let full = reply("503 Service Unavailable", r#"{"code":"disk_full"}"#);
        assert_eq!(state(&full), Err("not ready: disk_full".to_owned()));
        for other in [
            "",
            "SSH-2.0",
            &reply("200 OK", "<html>"),
            &reply("404 Not Found", "{}"),
        ] {
            assert!(
                state(other).is_err_and(|why| why.contains("another program")),
                "{other}"
            );
        }
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (bound, asked) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
