//! The protected services of `examples/`, each started as it stands and called with what it should take and what not.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::forgery::forgeries;
use crate::support::issuer::{Ago, Issuer, SCOPE};
use crate::support::process::agent;
use crate::support::program::{Program, free_address};

#[test]
#[ignore = "needs Node with Express: .ci/recipes"]
fn the_express_service_accepts_access_tokens() {
    takes_access_tokens_alone(&Service {
        program: "node".into(),
        arguments: &["server.mjs"],
        folder: "examples/express",
        names_issuer: "ISSUER",
    });
}

#[test]
#[ignore = "needs Python with FastAPI: .ci/recipes"]
fn the_fastapi_service_accepts_access_tokens() {
    takes_access_tokens_alone(&Service {
        program: root().join("target/python/bin/uvicorn"),
        arguments: &["app:app", "--port", "PORT"],
        folder: "examples/fastapi",
        names_issuer: "ISSUER",
    });
}

#[test]
#[ignore = "needs the example built: .ci/recipes"]
fn the_actix_service_fails_closed_without_the_server() {
    let service = Service {
        program: Path::new(env!("CARGO_BIN_EXE_cloakroom"))
            .with_file_name("examples")
            .join("behind_verify"),
        arguments: &[],
        folder: "examples",
        names_issuer: "CLOAKROOM_URL",
    };
    let mut issuer = Issuer::open();
    let running = service.start(&issuer);
    let user = issuer.sign_up("one@example.com");
    let (key_id, key) = issuer.api_key(&user.token, SCOPE);
    let (_, narrow_key) = issuer.api_key(&user.token, "orders:write");
    let access = issuer.access_token(&user.token, None);
    let of_user = json!({ "user": user.user_id, "orders": [] });

    assert_eq!(
        orders(&running, &[]),
        (401, "Bearer realm=\"cloakroom\"".to_owned(), Value::Null)
    );
    for good in [&user.token, &key, &access] {
        assert_eq!(
            orders(&running, &[bearer(good)]),
            (200, String::new(), of_user.clone())
        );
    }
    assert_eq!(orders(&running, &[("X-API-Key", key.clone())]).2, of_user);
    let service_key = issuer.service_key(SCOPE);
    assert_eq!(
        orders(&running, &[bearer(&service_key)]).2,
        json!({ "user": null, "orders": [] })
    );

    let (status, challenge, _) = orders(&running, &[bearer(&narrow_key)]);
    assert!(
        status == 403 && challenge.contains("insufficient_scope"),
        "{status} {challenge}"
    );
    assert_eq!(
        orders(&running, &[bearer(&access), ("X-API-Key", key.clone())]).0,
        400
    );
    for (what, forged) in forgeries(&access, &issuer.jwks()) {
        assert_eq!(orders(&running, &[bearer(&forged)]).0, 401, "{what}");
    }

    // What ended is refused with the next request.
    issuer.server.request(
        "DELETE",
        &format!("/v1/api_keys/{key_id}"),
        Some(&user.token),
        None,
    );
    assert_eq!(orders(&running, &[bearer(&key)]).0, 401);
    issuer
        .server
        .request("DELETE", "/v1/session", Some(&user.token), None);
    for ended in [&user.token, &access] {
        assert_eq!(orders(&running, &[bearer(ended)]).0, 401);
    }
    issuer.server.kill();
    for anybody in [&service_key, &user.token] {
        assert_eq!(orders(&running, &[bearer(anybody)]).0, 503);
    }
}

#[test]
#[ignore = "needs Node with React Router: .ci/recipes"]
fn the_react_router_app_renders_for_the_session() {
    let service = Service {
        program: "node".into(),
        arguments: &[
            "node_modules/@react-router/serve/bin.js",
            "build/server/index.js",
        ],
        folder: "examples/react-router",
        names_issuer: "CLOAKROOM_URL",
    };
    renders_for_the_session(&service, 302);
}

#[test]
#[ignore = "needs Node with Next: .ci/recipes"]
fn the_next_app_renders_for_the_session() {
    let service = Service {
        program: "node".into(),
        arguments: &["node_modules/next/dist/bin/next", "start"],
        folder: "examples/next",
        names_issuer: "CLOAKROOM_URL",
    };
    renders_for_the_session(&service, 307);
}

/// The behaviour of an app that reads the session on its server; `redirect` is the status of its redirects.
fn renders_for_the_session(service: &Service, redirect: u16) {
    let mut issuer = Issuer::open();
    let app = service.start(&issuer);
    let user = issuer.sign_up("one@example.com");
    let page = |path: &str, cookies: &str| {
        let request = agent().get(format!("http://{}{path}", app.address));
        let request = request.config().max_redirects(0).build();
        let mut response = request.header("Cookie", cookies).call().unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let (leads, cached) = (header("Location"), header("Cache-Control"));
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), leads, cached, body)
    };
    let cookie = format!("theme=dark; cloakroom={}", user.token);

    let (status, _, cached, body) = page("/", &cookie);
    assert!(status == 200 && body.contains("one@example.com"), "{body}");
    let cached = cached.unwrap();
    assert!(
        cached.contains("private") && cached.contains("no-store"),
        "{cached}"
    );
    assert!(!body.contains(&user.token), "{body}");
    let refused = (redirect, Some("/sign-in".to_owned()));
    let planted = format!("{cookie}; cloakroom=another");
    for cookies in ["", "cloakroom=unknown", "xcloakroom=unknown", &planted] {
        let (status, leads, ..) = page("/", cookies);
        assert_eq!((status, leads), refused, "{cookies}");
    }
    assert!(page("/sign-in", "").3.contains("Sign in"));

    issuer
        .server
        .request("DELETE", "/v1/session", Some(&user.token), None);
    let (status, leads, ..) = page("/", &cookie);
    assert_eq!((status, leads), refused);
    issuer.server.kill();
    assert_eq!(page("/", &cookie).0, 500);
}

/// The behaviour of a service that verifies with the JWKS alone.
fn takes_access_tokens_alone(service: &Service) {
    let mut issuer = Issuer::open();
    let running = service.start(&issuer);
    let unlucky = service.start(&issuer);
    let user = issuer.sign_up("one@example.com");
    let (_, key) = issuer.api_key(&user.token, SCOPE);
    let good = issuer.access_token(&user.token, None);
    let narrow = issuer.access_token(&user.token, Some("orders:write"));
    // The services' clocks may be a minute ahead or behind.
    let [ahead, behind] = [Ago::Issued(-50), Ago::Expired(50)].map(|at| issuer.signed(&user, at));
    let [early, late] = [Ago::Issued(-90), Ago::Expired(90)].map(|at| issuer.signed(&user, at));
    let forgeries = forgeries(&good, &issuer.jwks());

    assert_eq!(
        orders(&running, &[]),
        (401, "Bearer".to_owned(), Value::Null)
    );
    assert_eq!(
        orders(
            &running,
            &[("Authorization", "Basic b25lOnR3bw==".to_owned())]
        )
        .0,
        401
    );
    let answer = orders(&running, &[bearer(&good)]);
    assert_eq!(
        answer,
        (
            200,
            String::new(),
            json!({ "user": user.user_id, "orders": [] })
        )
    );
    let (status, challenge, _) = orders(&running, &[bearer(&narrow)]);
    assert!(
        status == 403 && challenge.contains("insufficient_scope"),
        "{status} {challenge}"
    );
    for token in [&ahead, &behind] {
        assert_eq!(orders(&running, &[bearer(token)]), answer);
    }
    for (what, token) in [
        ("a session's token", user.token),
        ("a key", key),
        ("a token of the future", early),
        ("an expired token", late),
    ]
    .into_iter()
    .chain(forgeries)
    {
        let (status, challenge, _) = orders(&running, &[bearer(&token)]);
        assert!(
            status == 401 && challenge.contains("invalid_token"),
            "{what}: {status} {challenge}"
        );
    }

    // A service that has the keys continues without the server; one without keys refuses all requests.
    issuer.server.kill();
    assert_eq!(orders(&running, &[bearer(&good)]).0, 200);
    assert_eq!(orders(&unlucky, &[bearer(&good)]).0, 503);
}

/// How an example is started; an argument `PORT` is replaced by the port.
struct Service {
    program: PathBuf,
    arguments: &'static [&'static str],
    folder: &'static str,
    names_issuer: &'static str,
}

impl Service {
    fn start(&self, issuer: &Issuer) -> Program {
        let address = free_address();
        let port = address.port().to_string();
        let arguments = self
            .arguments
            .iter()
            .map(|it| if *it == "PORT" { port.as_str() } else { it });
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(root().join(self.folder));
        command
            .env("PORT", &port)
            .env(self.names_issuer, issuer.name())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Program::start(&mut command, address, issuer.path())
    }
}

/// `GET /orders` with these headers: status, challenge and body, which is null with any status but 200.
fn orders(service: &Program, headers: &[(&str, String)]) -> (u16, String, Value) {
    let mut request = agent().get(format!("http://{}/orders", service.address));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.call().unwrap();
    let status = response.status().as_u16();
    let challenge = response
        .headers()
        .get("WWW-Authenticate")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = response.body_mut().read_to_string().unwrap();
    let body = if status == 200 {
        serde_json::from_str(&body).unwrap()
    } else {
        Value::Null
    };
    (status, challenge.unwrap_or_default(), body)
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
