//! The recipes for browsers in `examples/caddy`, run as they stand but for their ports: Caddy with https in front of the
//! server, the front end and a service, and curl with its cookies as the browser.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::proxies::Service;
use crate::support::process::{Server, TestServer, eventually};
use crate::support::program::{Program, free_address};

/// Of both recipes.
const SETTINGS: [(&str, &str); 3] = [
    ("CLOAKROOM__TOKENS__SCOPES", "orders:read"),
    ("CLOAKROOM__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ("CLOAKROOM__CORS__CREDENTIALS", "true"),
];

#[test]
#[ignore = "needs Caddy and curl: .ci/recipes"]
fn a_browser_reaches_a_service_on_the_same_host() {
    let site = Site::open("one_host", &["example.com"], |url| {
        vec![("SERVER__PUBLIC_URL", url("example.com"))]
    });
    let page = "Sec-Fetch-Site: same-origin";
    let (host, path) = ("example.com", "/orders");
    assert_eq!(site.call(host, path, &[page]), 401);
    site.sign_up("example.com", &[page]);
    site.assert_reaches_the_service(host, path, page);
    // The rest is the front end's.
    assert_eq!(site.call(host, "/account", &[page]), 200);
    assert_eq!(site.frontend.take().len(), 1);
}

#[test]
#[ignore = "needs Caddy and curl: .ci/recipes"]
fn a_browser_reaches_a_service_on_a_sibling_subdomain() {
    let hosts = ["auth.example.com", "app.example.com", "orders.example.com"];
    let site = Site::open("siblings", &hosts, |url| {
        vec![
            ("SERVER__PUBLIC_URL", url("auth.example.com")),
            ("CORS__ORIGINS", url("app.example.com")),
            ("SESSION__COOKIE_DOMAIN", "example.com".to_owned()),
        ]
    });
    let (host, path) = ("orders.example.com", "/anything");
    let page = "Sec-Fetch-Site: same-origin";
    assert_eq!(site.call(host, path, &[page]), 401);
    let origin = format!("Origin: {}", site.url("app.example.com", ""));
    site.sign_up("auth.example.com", &["Sec-Fetch-Site: same-site", &origin]);
    site.assert_reaches_the_service(host, path, page);
    let evil = format!("Origin: {}", site.url("evil.example.com", ""));
    let sibling = [evil.as_str(), "Sec-Fetch-Site: same-site"];
    assert_eq!(site.post(host, path, &sibling, "{}").0, 403);
    assert!(site.service.take().is_empty());
}

/// Caddy with a recipe, and what stands behind it.
struct Site {
    test_server: TestServer,
    _server: Server,
    frontend: Service,
    service: Service,
    proxy: Program,
}

impl Site {
    fn open(
        recipe: &str,
        hosts: &[&str],
        settings: impl FnOnce(&dyn Fn(&str) -> String) -> Vec<(&'static str, String)>,
    ) -> Self {
        let address = free_address();
        let url = |host: &str| format!("https://{host}:{}", address.port());
        let mut test_server = TestServer::new();
        for (name, value) in SETTINGS {
            test_server.set(name, value);
        }
        for (name, value) in settings(&url) {
            test_server.set(&format!("CLOAKROOM__{name}"), value);
        }
        let server = test_server.serve();
        let (frontend, service) = (Service::open(), Service::open());

        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/caddy");
        let mut text = fs::read_to_string(path.join(format!("{recipe}.Caddyfile"))).unwrap();
        for (port, behind) in [
            (3000, server.address),
            (3001, frontend.address),
            (8080, service.address),
        ] {
            text = text.replace(&format!("127.0.0.1:{port}"), &behind.to_string());
        }
        for host in hosts {
            let here = format!(
                "{host}:{} {{\n\tbind 127.0.0.1\n\ttls internal\n",
                address.port()
            );
            assert_eq!(text.matches(&format!("\n{host} {{\n")).count(), 1);
            text = text.replace(&format!("\n{host} {{\n"), &format!("\n{here}"));
        }
        let options = "admin off\n\tskip_install_trust\n\tauto_https disable_redirects";
        let folder = test_server.path();
        let file = folder.join("Caddyfile");
        fs::write(&file, format!("{{\n\t{options}\n}}\n{text}")).unwrap();
        let mut command = Command::new("caddy");
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&file)
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder);
        let proxy = Program::start(&mut command, address, folder);
        let site = Self {
            test_server,
            _server: server,
            frontend,
            service,
            proxy,
        };
        // Caddy listens before it has issued the certificates of its hosts.
        for host in hosts {
            let mut request = site.browser(host);
            request.arg("-o/dev/null").arg(site.url(host, "/"));
            eventually(|| request.status().unwrap().success().then_some(()));
        }
        site.frontend.take();
        site.service.take();
        site
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.proxy.address.port())
    }

    /// The status of a `GET`.
    fn call(&self, host: &str, path: &str, lines: &[&str]) -> u16 {
        self.curl(host, path, lines, &[]).0
    }

    fn post(&self, host: &str, path: &str, lines: &[&str], body: &str) -> (u16, String) {
        let lines = [lines, &["Content-Type: application/json"]].concat();
        self.curl(host, path, &lines, &["--data", body])
    }

    /// Signs up as a page of the front end does: the cookie is then in the jar, and the token in no body.
    fn sign_up(&self, host: &str, lines: &[&str]) {
        let body = json!({ "email_address": "one@example.com", "password": "password", "transport": "cookie" });
        let (status, reply) = self.post(host, "/v1/registrations", lines, &body.to_string());
        assert_eq!(status, 201, "{reply}");
        let reply: Value = serde_json::from_str(&reply).unwrap();
        assert!(
            reply["token"].is_null() && reply["user"]["id"] == 1,
            "{reply}"
        );
    }

    fn assert_reaches_the_service(&self, host: &str, path: &str, page: &str) {
        self.service.take();
        assert_eq!(self.call(host, path, &[page, "X-User-Id: spoofed"]), 200);
        assert_eq!(self.post(host, path, &[page], "{}").0, 200);
        let received = self.service.take();
        assert_eq!(received.len(), 2);
        for request in received {
            assert_eq!(request.values("X-User-Id"), ["1"], "{}", request.head);
            assert!(!request.head.contains("crs_"), "{}", request.head);
            let cookies = request.values("Cookie").join("; ");
            assert!(cookies.contains("theme=dark"), "{}", request.head);
        }
        let foreign = ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"];
        assert_eq!(self.post(host, path, &foreign, "{}").0, 403);
        assert!(self.service.take().is_empty());
    }

    /// `curl` that reaches the proxy as this host.
    fn browser(&self, host: &str) -> Command {
        let port = self.proxy.address.port();
        let mut command = Command::new("curl");
        command.args(["-sk", "--resolve", &format!("{host}:{port}:127.0.0.1")]);
        command
    }

    /// A request of the browser: status and body.
    fn curl(&self, host: &str, path: &str, lines: &[&str], options: &[&str]) -> (u16, String) {
        let folder = self.test_server.path();
        let jar = folder.join("cookies");
        let theme = format!("{host}\tFALSE\t/\tTRUE\t0\ttheme\tdark\n");
        let known = fs::read_to_string(&jar).unwrap_or_default();
        if !known.contains(&theme) {
            fs::write(&jar, format!("{known}{theme}")).unwrap();
        }
        let mut command = self.browser(host);
        command.args(["--http1.1", "-w", "\n%{http_code}"]);
        command.arg("-b").arg(&jar).arg("-c").arg(&jar);
        for line in lines {
            command.args(["-H", line]);
        }
        let output = command
            .args(options)
            .arg(self.url(host, path))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}
