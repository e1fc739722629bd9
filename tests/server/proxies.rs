//! The recipes in `examples/nginx`, `examples/caddy` and `examples/traefik`, run as they stand but for their addresses: the real proxy
//! between our server and a service that writes down what reaches it.
//!
//! # Threats
//! - identity headers that the client wrote, in any spelling, or that a proxy removes for it
//! - requests of other pages, which carry a cookie and are verified by `GET`, WebSocket handshakes among them
//! - a proxy that forwards requests that it cannot verify, or writes a link's token into its log

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::support::issuer::{Issuer, SCOPE, SCOPES};
use crate::support::process::eventually;
use crate::support::program::{Program, free_address};
use crate::support::raw_connection::RawConnection;

/// What we say of a caller, in the order of [`Who`].
const HEADERS: [&str; 7] = [
    "X-User-Id",
    "X-User-Email",
    "X-User-Email-Confirmed",
    "X-User-Claims",
    "X-Credential",
    "X-Session-Id",
    "X-Scopes",
];

/// Our headers as a caller might write them, so that some service or proxy on the way takes them for ours.
const SPOOFED: &[&str] = &[
    "X-User-Id: spoofed",
    "x-user-id: spoofed-twice",
    "X_User_Id: spoofed",
    "X-User_Id: spoofed",
    "x_user-id: spoofed",
    "X-User-Email: spoofed@example.com",
    "X-User-Email-Confirmed: spoofed",
    "X_User_Email_Confirmed: spoofed",
    "X-User-Claims: spoofed",
    "X_User_Claims: spoofed",
    "X-Credential: spoofed",
    "X_Credential: spoofed",
    "X-Session-Id: spoofed",
    "X-Session_Id: spoofed",
    "X_SESSION_ID: spoofed",
    "X-Scopes: spoofed:all",
    "X_Scopes: spoofed:all",
    // What only a proxy sends to the server.
    "X-Forwarded-Method: OPTIONS",
    "X-Forwarded-Uri: /elsewhere",
    // A proxy must take away what stands here, and might do so after ours came.
    "Connection: X-User-Id, X-User-Email-Confirmed, X-User-Claims, X-Credential, X-Scopes, X-Forwarded-Method",
];

/// The headers that the service should receive.
type Who = [String; 7];

/// Each proxy with a server and a service of its own, at the same time.
fn at_each(tell: fn(&ProxyFixture)) {
    thread::scope(|scope| {
        for kind in [Kind::Nginx, Kind::Caddy, Kind::Traefik] {
            thread::Builder::new()
                .name(format!("{kind:?}"))
                .spawn_scoped(scope, move || tell(&ProxyFixture::open(kind)))
                .unwrap();
        }
    });
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn identity_headers_come_only_from_the_server() {
    at_each(|fixture| {
        let issuer = &fixture.issuer;
        let user = issuer.sign_up("one@example.com");
        let id = || user.user_id.clone();
        // Not before the address is verified; keys and tokens without `user:read` do not learn even that.
        let address = String::new;
        let unproved = || "false".to_owned();
        // {"role":"user"}
        let claims = || "eyJyb2xlIjoidXNlciJ9".to_owned();
        let (_, key) = issuer.api_key(&user.token, SCOPE);
        let known: [(&str, String, Who); 5] = [
            (
                "a session",
                bearer(&user.token),
                [
                    id(),
                    address(),
                    unproved(),
                    claims(),
                    "session".into(),
                    user.session_id.clone(),
                    SCOPES.into(),
                ],
            ),
            (
                "an API key",
                bearer(&key),
                [
                    id(),
                    address(),
                    String::new(),
                    String::new(),
                    "api_key".into(),
                    String::new(),
                    SCOPE.into(),
                ],
            ),
            (
                "an API key in its own header",
                format!("X-API-Key: {key}"),
                [
                    id(),
                    address(),
                    String::new(),
                    String::new(),
                    "api_key".into(),
                    String::new(),
                    SCOPE.into(),
                ],
            ),
            (
                "an access token",
                bearer(&issuer.access_token(&user.token, Some(SCOPE))),
                [
                    id(),
                    address(),
                    String::new(),
                    String::new(),
                    "access_token".into(),
                    user.session_id.clone(),
                    SCOPE.into(),
                ],
            ),
            (
                "a service's key",
                bearer(&issuer.service_key(SCOPE)),
                [
                    String::new(),
                    String::new(),
                    String::new(),
                    String::new(),
                    "api_key".into(),
                    String::new(),
                    SCOPE.into(),
                ],
            ),
        ];
        for (what, credential, who) in &known {
            for spoofed in [&[][..], SPOOFED] {
                let lines: Vec<&str> = [&[credential.as_str()][..], spoofed].concat();
                assert_eq!(fixture.ask("GET", &lines, ""), 200, "{what}");
                fixture.service.assert_reported(who, what);
            }
        }
    });
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn only_valid_credentials_with_scope_pass() {
    at_each(|fixture| {
        let issuer = &fixture.issuer;
        let user = issuer.sign_up("one@example.com");
        let token = &user.token;
        let brief = issuer.sign_in("one@example.com");
        let expired_access = issuer.access_token_about_to_expire(&brief);

        let (_, narrow_key) = issuer.api_key(token, "orders:write");
        let (expired_id, expired_key) = issuer.api_key(token, SCOPE);
        issuer.change(&format!(
            "UPDATE api_keys SET expires_at = 1 WHERE id = {expired_id}"
        ));
        let (revoked_id, revoked_key) = issuer.api_key(token, SCOPE);
        let access = issuer.access_token(token, None);
        let revoked_access = issuer.access_token(token, None);
        let signed_out = issuer.sign_in("one@example.com");
        let orphaned_access = issuer.access_token(&signed_out.token, None);

        // Each was good before it ended.
        for good in [
            &revoked_key,
            &revoked_access,
            &signed_out.token,
            &orphaned_access,
            &access,
        ] {
            assert_eq!(fixture.ask("GET", &[&bearer(good)], ""), 200);
        }
        fixture.service.take();
        issuer.revoke(&revoked_access);
        issuer
            .server
            .request("DELETE", "/v1/session", Some(&signed_out.token), None);
        issuer.server.request(
            "DELETE",
            &format!("/v1/api_keys/{revoked_id}"),
            Some(token),
            None,
        );
        eventually(|| {
            (fixture.ask("GET", &[&bearer(&expired_access)], "") == 401)
                .then(|| fixture.service.take())
        });

        let forged = format!("{}AAAA", &access[..access.len() - 4]);
        let refused = [
            ("nothing", String::new(), 401),
            (
                "a foreign scheme",
                "Authorization: Basic b25lOnBhc3N3b3Jk".to_owned(),
                401,
            ),
            ("an expired session", bearer(&brief.token), 401),
            ("an ended session", bearer(&signed_out.token), 401),
            ("an expired key", bearer(&expired_key), 401),
            ("a revoked key", format!("X-API-Key: {revoked_key}"), 401),
            ("an expired access token", bearer(&expired_access), 401),
            ("a revoked access token", bearer(&revoked_access), 401),
            (
                "an access token of an ended session",
                bearer(&orphaned_access),
                401,
            ),
            ("a forged access token", bearer(&forged), 401),
            ("a key without the scope", bearer(&narrow_key), 403),
            (
                "an access token without the scope",
                bearer(&issuer.access_token(token, Some("orders:write"))),
                403,
            ),
        ];
        for (what, credential, expected) in &refused {
            for spoofed in [&[][..], SPOOFED] {
                for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                    let lines: Vec<&str> = [&[credential.as_str()][..], spoofed].concat();
                    assert_eq!(
                        fixture.ask(method, &lines, ""),
                        *expected,
                        "{method} by {what}"
                    );
                    assert!(
                        fixture.service.take().is_empty(),
                        "{method} by {what} came through"
                    );
                }
            }
        }
        let challenged = fixture.answer("GET", &[], "");
        assert!(
            challenged
                .to_lowercase()
                .contains("www-authenticate: bearer realm=\"cloakroom\""),
            "{challenged}"
        );
        let inside = fixture.answer_at("/_verify", &bearer(token));
        assert!(
            fixture.kind != Kind::Nginx || inside.starts_with("HTTP/1.1 404"),
            "{inside}"
        );
    });
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn requests_are_forwarded_without_their_credential() {
    at_each(|fixture| {
        let user = fixture.issuer.sign_up("one@example.com");
        let body = "0123456789".repeat(10_000);
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let length = format!("Content-Length: {}", body.len());
        for (how, sent) in [
            (length.as_str(), body.as_str()),
            ("Transfer-Encoding: chunked", &chunked),
        ] {
            let lines = [&bearer(&user.token), how, "X-Request-Kind: order"];
            assert_eq!(fixture.ask("POST", &lines, sent), 200, "{how}");
            let [received] = &fixture.service.take()[..] else {
                panic!("{how}: not once")
            };
            assert!(
                received.head.starts_with("POST /orders?page=2 HTTP/1."),
                "{}",
                received.head
            );
            assert_eq!(received.values("X-Request-Kind"), ["order"]);
            assert!(
                received.body.contains(&body),
                "{how}: {} bytes",
                received.body.len()
            );
            assert!(!received.head.contains(&user.token), "{}", received.head);
        }
        let (_, key) = fixture.issuer.api_key(&user.token, SCOPE);
        assert_eq!(fixture.ask("GET", &[&format!("X-API-Key: {key}")], ""), 200);
        assert!(!fixture.service.take()[0].head.contains(&key));
    });
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn cookies_need_the_same_origin_behind_a_proxy() {
    at_each(|fixture| {
        let cookie = fixture.cookie();
        for (method, proof, expected) in [
            ("GET", "Sec-Fetch-Site: cross-site", 200),
            ("POST", "Sec-Fetch-Site: same-origin", 200),
            ("DELETE", "Sec-Fetch-Site: same-origin", 200),
            ("POST", "Sec-Fetch-Site: cross-site", 403),
            ("POST", "Sec-Fetch-Site: same-site", 403),
            ("PUT", "Origin: https://evil.example", 403),
            ("PATCH", "Origin: null", 403),
            ("DELETE", "Accept: */*", 403),
            (
                "POST",
                "X-Forwarded-Method: GET\r\nOrigin: https://evil.example",
                403,
            ),
            (
                "POST",
                "X-HTTP-Method-Override: GET\r\nOrigin: https://evil.example",
                403,
            ),
        ] {
            assert_eq!(
                fixture.ask(method, &[&cookie, proof], ""),
                expected,
                "{method} {proof}"
            );
            assert_eq!(
                fixture.service.take().len(),
                usize::from(expected == 200),
                "{method} {proof}"
            );
        }
    });
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn foreign_websocket_handshakes_do_not_pass_a_proxy() {
    at_each(|fixture| {
        let cookie = fixture.cookie();
        let own = format!("Origin: {}", fixture.issuer.name());
        for (origin, expected) in [
            ("Origin: https://evil.example", 403),
            ("Origin: http://sibling.example.com", 403),
            ("Origin: null", 403),
            ("", 403),
            (own.as_str(), 200),
        ] {
            let lines = [
                &cookie,
                origin,
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ];
            assert_eq!(fixture.ask("GET", &lines, ""), expected, "{origin}");
            let forwarded = fixture.service.take().len();
            assert_eq!(forwarded, usize::from(expected == 200), "{origin}");
        }
        let reads = [&cookie, "Origin: https://evil.example"];
        assert_eq!(fixture.ask("GET", &reads, ""), 403);
        assert!(fixture.service.take().is_empty());
    });
}

#[test]
#[ignore = "needs nginx: .ci/recipes"]
fn nginx_logs_no_link_while_the_server_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let readme = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations/production.md"),
    );
    let readme = readme.unwrap();
    let (_, recipe) = readme
        .split_once("```nginx\nserver {\n    listen 443 ssl;")
        .unwrap();
    let (recipe, _) = recipe.split_once("```").unwrap();
    let recipe: String = recipe
        .lines()
        .filter(|line| !line.contains("ssl_certificate"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (address, down) = (free_address(), free_address());
    let recipe = recipe.replace("127.0.0.1:3000", &down.to_string());
    let proxy = start_nginx(
        folder.path(),
        &format!("server {{ listen {address};{recipe}"),
        address,
    );
    for path in ["/v1/passwords/", "/v1/confirmations/", "/v1/unlocks/"] {
        let mut connection = RawConnection::at(proxy.address);
        connection.send(&format!(
            "GET {path}link-token HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n\r\n"
        ));
        let answer = connection.receive_until_closed();
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }
    for path in ["/v1/passwords", "/v1/confirmations", "/v1/unlocks"] {
        let mut connection = RawConnection::at(proxy.address);
        connection.send(&format!(
            "PUT {path} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\nContent-Length: 16\r\n\r\ntoken=link-token"
        ));
        let answer = connection.receive_until_closed();
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }
    let mut connection = RawConnection::at(proxy.address);
    connection
        .send("GET /v1/session HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n\r\n");
    connection.receive_until_closed();
    let said = folder.path().join(format!("said-at-{}", address.port()));
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("/v1/session"), "{said}");
    assert!(!said.contains("link-token"), "{said}");
}

#[test]
#[ignore = "needs nginx, Caddy and Traefik: .ci/recipes"]
fn requests_fail_while_the_server_is_unavailable() {
    at_each(|fixture| {
        let server = &fixture.issuer.server;
        let user = fixture.issuer.sign_up("one@example.com");
        assert_eq!(fixture.ask("GET", &[&bearer(&user.token)], ""), 200);
        fixture.service.take();
        server.signal("STOP");
        let stat = format!("/proc/{}/stat", server.id());
        eventually(|| {
            fs::read_to_string(&stat)
                .ok()?
                .contains(") T ")
                .then_some(())
        });
        let hanging = fixture.ask("GET", &[&bearer(&user.token)], "");
        server.signal("CONT");
        assert!((500..=504).contains(&hanging), "{hanging}");
        assert!(fixture.service.take().is_empty());
        assert_eq!(
            fixture.ask("GET", &[&bearer(&user.token)], ""),
            200,
            "it goes on when the server does"
        );
        fixture.service.take();

        server.signal("KILL");
        eventually(|| TcpStream::connect(server.address).err());
        for credential in ["", &bearer(&user.token)] {
            for spoofed in [&[][..], SPOOFED] {
                for method in ["GET", "POST", "OPTIONS"] {
                    let status = fixture.ask(method, &[&[credential][..], spoofed].concat(), "");
                    assert!((500..=504).contains(&status), "{status}");
                }
            }
        }
        assert!(fixture.service.take().is_empty());
    });
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Nginx,
    Caddy,
    Traefik,
}

/// A proxy by its recipe, our server that it asks, and the service behind it.
struct ProxyFixture {
    kind: Kind,
    issuer: Issuer,
    service: Service,
    proxy: Program,
}

impl ProxyFixture {
    fn open(kind: Kind) -> Self {
        let (issuer, service) = (Issuer::open(), Service::open());
        let address = free_address();
        let proxy = match kind {
            Kind::Nginx => nginx(&issuer, service.address, address),
            Kind::Caddy => caddy(&issuer, service.address, address),
            Kind::Traefik => traefik(&issuer, service.address, address),
        };
        Self {
            kind,
            issuer,
            service,
            proxy,
        }
    }

    /// The status of the answer to a request with these lines in its head.
    fn ask(&self, method: &str, lines: &[&str], body: &str) -> u16 {
        let answer = self.answer(method, lines, body);
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("{:?}: {answer:?}", self.kind))
    }

    fn answer(&self, method: &str, lines: &[&str], body: &str) -> String {
        let lines: String = lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| format!("{line}\r\n"))
            .collect();
        self.send(
            &format!("{method} /orders?page=2 HTTP/1.1\r\n{lines}"),
            body,
        )
    }

    fn answer_at(&self, path: &str, line: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\n{line}\r\n"), "")
    }

    fn send(&self, head: &str, body: &str) -> String {
        let mut connection = RawConnection::at(self.proxy.address);
        connection.send(&format!(
            "{head}Host: orders.example.com\r\nConnection: close\r\n\r\n{body}"
        ));
        connection.receive_until_closed()
    }

    /// Signs a user up as a page of the application does.
    fn cookie(&self) -> String {
        let mut connection = RawConnection::to(&self.issuer.server);
        let body = json!({ "email_address": "page@example.com", "password": "password", "transport": "cookie" });
        connection.ask(
            "POST",
            "/v1/registrations",
            "Sec-Fetch-Site: same-origin\r\n",
            &body.to_string(),
        );
        let answer = connection.receive();
        let (pair, _) = answer
            .header("Set-Cookie")
            .expect("a cookie")
            .split_once(';')
            .unwrap();
        format!("Cookie: theme=dark; {pair}")
    }
}

fn nginx(issuer: &Issuer, service: SocketAddr, address: SocketAddr) -> Program {
    let recipe = recipe("nginx/protected.conf", issuer, service);
    let recipe = replaced(&recipe, "listen 80;", &format!("listen {address};"));
    start_nginx(issuer.path(), &recipe, address)
}

pub(super) fn start_nginx(folder: &Path, recipe: &str, address: SocketAddr) -> Program {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {name};"))
        .collect();
    let around = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
         http {{ access_log off; {temporary} include protected.conf; }}"
    );
    fs::write(folder.join("protected.conf"), recipe).unwrap();
    fs::write(folder.join("nginx.conf"), around).unwrap();
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"));
    // Debian's build opens a log of its own before it reads where ours is.
    command.args(["-e", "stderr"]);
    Program::start(&mut command, address, folder)
}

fn caddy(issuer: &Issuer, service: SocketAddr, address: SocketAddr) -> Program {
    let recipe = recipe("caddy/Caddyfile", issuer, service);
    let here = format!(
        "http://orders.example.com:{} {{\n\tbind 127.0.0.1\n",
        address.port()
    );
    let recipe = replaced(&recipe, "orders.example.com {\n", &here);
    start_caddy(issuer.path(), &recipe, address)
}

pub(super) fn start_caddy(folder: &Path, recipe: &str, address: SocketAddr) -> Program {
    let file = folder.join("Caddyfile");
    fs::write(
        &file,
        format!("{{\n\tadmin off\n\tauto_https off\n}}\n{recipe}"),
    )
    .unwrap();
    let mut command = Command::new("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", folder);
    Program::start(&mut command, address, folder)
}

/// Traefik reads its routes after it listens, and answers 404 until then.
fn traefik(issuer: &Issuer, service: SocketAddr, address: SocketAddr) -> Program {
    let folder = issuer.path();
    let (routes, file) = (folder.join("protected.yml"), folder.join("traefik.yml"));
    fs::write(&routes, recipe("traefik/protected.yml", issuer, service)).unwrap();
    let listening = replaced(&example("traefik/traefik.yml"), ":80", &address.to_string());
    let here = routes.to_str().unwrap();
    fs::write(
        &file,
        replaced(&listening, "/etc/traefik/protected.yml", here),
    )
    .unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/traefik");
    let mut command = Command::new(program);
    command
        .arg(format!("--configFile={}", file.display()))
        .env("HOME", folder);
    let proxy = Program::start(&mut command, address, folder);
    eventually(|| {
        let mut connection = RawConnection::at(address);
        let host = "Host: orders.example.com\r\nConnection: close";
        connection.send(&format!("GET / HTTP/1.1\r\n{host}\r\n\r\n"));
        let answer = connection.receive_until_closed();
        (!answer.starts_with("HTTP/1.1 404")).then_some(())
    });
    proxy
}

fn recipe(name: &str, issuer: &Issuer, service: SocketAddr) -> String {
    let text = example(name);
    let text = replaced(&text, "127.0.0.1:3000", &issuer.server.address.to_string());
    replaced(&text, "127.0.0.1:8080", &service.to_string())
}

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn replaced(text: &str, one: &str, other: &str) -> String {
    assert_eq!(text.matches(one).count(), 1, "{one}");
    text.replace(one, other)
}

/// A service that answers 200 to everything, and keeps what it was sent.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedRequest>>>,
}

/// One request as it came.
pub(super) struct ReceivedRequest {
    pub(super) head: String,
    body: String,
}

impl Service {
    pub(super) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = Arc::clone(&service.received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let received = Arc::clone(&received);
                thread::spawn(move || {
                    let mut stream = BufReader::new(stream.unwrap());
                    while let Some(request) = ReceivedRequest::read(&mut stream) {
                        // Before the answer, so that who has one finds it here.
                        received.lock().unwrap().push(request);
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        if stream.get_mut().write_all(answer).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        service
    }

    /// What came since the last look.
    pub(super) fn take(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// One request arrived, with exactly these headers about its caller.
    fn assert_reported(&self, who: &Who, what: &str) {
        let [received] = &self.take()[..] else {
            panic!("{what}: not once")
        };
        for (name, expected) in HEADERS.iter().zip(who) {
            let values = received.values(name);
            // An empty one may be left out.
            let said = if expected.is_empty() {
                values.iter().all(|it| it.is_empty())
            } else {
                values == [expected]
            };
            assert!(said, "{what}: {name} is {values:?}, not {expected:?}");
        }
        assert!(
            !received.head.contains("spoofed"),
            "{what}: {}",
            received.head
        );
        assert!(!received.head.contains('{'), "{what}: {}", received.head);
    }
}

impl ReceivedRequest {
    /// The next request on a connection, until it ends.
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut received = Self {
            head: String::new(),
            body: String::new(),
        };
        while !received.head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut received.head).ok()? == 0 {
                return None;
            }
        }
        if let Some(length) = received.values("Content-Length").first() {
            let mut body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).ok()?;
            received.body = String::from_utf8(body).unwrap();
        } else if received.values("Transfer-Encoding") == ["chunked"] {
            while let Some(piece) = chunk(stream)? {
                received.body += &piece;
            }
        }
        Some(received)
    }

    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        fields
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// The next piece of a chunked body; `Some(None)` at its end.
fn chunk(stream: &mut BufReader<TcpStream>) -> Option<Option<String>> {
    let mut size = String::new();
    stream.read_line(&mut size).ok()?;
    let size = usize::from_str_radix(size.trim(), 16).unwrap();
    let mut piece = vec![0; size + 2];
    stream.read_exact(&mut piece).ok()?;
    piece.truncate(size);
    Some((size > 0).then(|| String::from_utf8(piece).unwrap()))
}
