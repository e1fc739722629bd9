//! Passwords from lists and from the range service are refused wherever a password is chosen.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use cloakroom::breached_passwords::{Input, build};
use cloakroom::config::Settings;
use cloakroom::testing::{Reply, TestApp};
use serde_json::json;

use crate::support::app::{ONE, PASSWORD, assert_faults, assert_refused, reset_token};
use crate::support::flows::Flows;

/// `password`, and the SHA-1 that Have I Been Pwned publishes for it.
const KNOWN: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";
const BREACHED: &[(&str, &str)] = &[("password", "has appeared in a data breach")];

async fn sign_up(app: &TestApp, password: &str) -> Reply {
    let body = json!({ "email_address": "two@example.com", "password": password });
    app.post("/v1/registrations").json(&body).send().await
}

fn list_of(folder: &Path, lines: &str) -> std::path::PathBuf {
    let list = folder.join("breached");
    build(lines.as_bytes(), Input::Digests { least: 1 }, &list).unwrap();
    list
}

#[actix_web::test]
async fn a_listed_password_is_refused_at_sign_up() {
    let folder = tempfile::tempdir().unwrap();
    let list = list_of(folder.path(), &format!("{KNOWN}:9545824\n"));
    let with_list = |settings: &mut Settings| settings.password.breached_list = Some(list);
    let app = TestApp::with_settings(with_list).await;
    assert_faults(&sign_up(&app, "password").await, BREACHED);
    assert_eq!(sign_up(&app, "passwords").await.status, 201);
}

#[actix_web::test]
async fn a_listed_password_is_refused_at_change_and_reset() {
    let folder = tempfile::tempdir().unwrap();
    let list = list_of(folder.path(), &format!("{KNOWN}:9545824\n"));
    let with_list = |settings: &mut Settings| settings.password.breached_list = Some(list);
    let app = TestApp::with_settings(with_list).await;
    let user = app.create_user(ONE, "an older password").await;
    let token = app.sign_in_as(&user).await;
    let link = reset_token(&app, ONE).await;
    assert_faults(&app.reset_password(&link, "password").await, BREACHED);
    let body = json!({ "password_challenge": "an older password", "password": "password" });
    let change = app.put("/v1/user/password").bearer(&token).json(&body);
    assert_faults(&change.send().await, BREACHED);
    // Signing in with it is another matter: it is the user's password until another is chosen.
    assert_eq!(app.sign_in(ONE, "an older password").await.status, 200);
}

#[actix_web::test]
async fn a_listed_password_still_signs_in() {
    let folder = tempfile::tempdir().unwrap();
    let list = list_of(folder.path(), &format!("{KNOWN}:9545824\n"));
    let with_list = |settings: &mut Settings| settings.password.breached_list = Some(list);
    let app = TestApp::with_settings(with_list).await;
    app.create_user(ONE, PASSWORD).await;
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 200);
}

#[actix_web::test]
async fn shipped_common_passwords_are_refused() {
    let app = TestApp::with_settings(|settings| settings.password.reject_common = true).await;
    // zxcvbn alone accepts this one.
    let reason = "is on lists that attackers try first: choose another";
    let reply = sign_up(&app, "1g2w3e4r").await;
    assert_faults(
        &reply,
        &[("password", "is too common"), ("password", reason)],
    );
}

#[actix_web::test]
async fn forbidden_words_are_refused() {
    let app = TestApp::with_settings(|settings| {
        settings.password.reject_common = true;
        settings.password.forbidden_words = vec!["zephyrcorp".to_owned()];
    })
    .await;
    let reason = "must not be made of your address, the service's name or a forbidden word";
    let reply = sign_up(&app, "Zephyrcorp1").await;
    assert_faults(
        &reply,
        &[("password", "is too common"), ("password", reason)],
    );
}

#[actix_web::test]
async fn a_password_known_to_the_service_is_refused() {
    let service = RangeService::start();
    service.answer("5BAA6", "1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n");
    let app = TestApp::with_settings(|settings| service.configure(settings)).await;
    assert_faults(&sign_up(&app, "password").await, BREACHED);
    assert_eq!(sign_up(&app, "passwords").await.status, 201);
    for request in service.requests() {
        let path = request.split(' ').nth(1).unwrap();
        assert_eq!(path.len(), "/range/5BAA6".len(), "{request}");
        assert!(request.contains("add-padding: true"), "{request}");
    }
}

#[actix_web::test]
async fn padding_of_the_service_matches_nothing() {
    let service = RangeService::start();
    service.answer("5BAA6", "1E4C9B93F3F0682250B6CF8331B7EE68FD8:0\r\n");
    let app = TestApp::with_settings(|settings| service.configure(settings)).await;
    assert_eq!(sign_up(&app, "password").await.status, 201);
}

#[actix_web::test]
async fn a_service_that_hangs_lets_sign_ups_pass() {
    let service = RangeService::start();
    let app = TestApp::with_settings(|settings| service.configure(settings)).await;
    service.hang();
    assert_eq!(sign_up(&app, "password").await.status, 201);
    assert_eq!(service.requests().len(), 1);
}

#[actix_web::test]
async fn errors_and_redirects_of_the_service_are_ignored() {
    for reply in [
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /range/00000\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u{ff}",
        "no HTTP at all\r\n\r\n",
    ] {
        let service = RangeService::start();
        service.reply(reply);
        let app = TestApp::with_settings(|settings| service.configure(settings)).await;
        assert_eq!(sign_up(&app, "password").await.status, 201, "{reply}");
        assert_eq!(service.requests().len(), 1, "{reply}");
    }
}

#[actix_web::test]
async fn a_service_at_an_unlisted_address_is_not_called() {
    let service = RangeService::start();
    let app = TestApp::with_settings(|settings| {
        // A name, which only its look-up shows to be private.
        settings.password.breached_service =
            Some(service.url.replace("http://127.0.0.1", "https://localhost"));
    })
    .await;
    assert_eq!(sign_up(&app, "password").await.status, 201);
    assert_eq!(service.requests().len(), 0);
}

#[actix_web::test]
async fn breached_passwords_are_checked_after_the_limits() {
    let service = RangeService::start();
    let app = TestApp::with_settings(|settings| {
        service.configure(settings);
        settings.throttle.enabled = true;
        settings.throttle.sign_up = "1 in 1h".parse().unwrap();
    })
    .await;
    assert_eq!(sign_up(&app, "password").await.status, 201);
    assert_refused(&sign_up(&app, "password").await, 429, "rate_limited");
    assert_eq!(service.requests().len(), 1);
}

/// A range service on loopback; it answers one request a connection.
struct RangeService {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    ranges: BTreeMap<String, String>,
    reply: Option<String>,
    hangs: bool,
    requests: Vec<String>,
    open: Vec<TcpStream>,
}

impl RangeService {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/range/", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let state = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                answer(connection.unwrap(), &state);
            }
        });
        Self { url, shared }
    }

    fn configure(&self, settings: &mut Settings) {
        settings.password.breached_service = Some(self.url.clone());
        settings.outbound.private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    }

    fn answer(&self, revealed: &str, lines: &str) {
        let mut shared = self.shared.lock().unwrap();
        shared.ranges.insert(revealed.to_owned(), lines.to_owned());
    }

    fn reply(&self, whole: &str) {
        self.shared.lock().unwrap().reply = Some(whole.to_owned());
    }

    fn hang(&self) {
        self.shared.lock().unwrap().hangs = true;
    }

    fn requests(&self) -> Vec<String> {
        self.shared.lock().unwrap().requests.clone()
    }
}

fn answer(mut connection: TcpStream, shared: &Mutex<Shared>) {
    let mut request = String::new();
    let mut lines = BufReader::new(connection.try_clone().unwrap());
    while lines.read_line(&mut request).unwrap() > 2 {}
    let mut shared = shared.lock().unwrap();
    let revealed = request.split([' ', '/']).nth(3).unwrap().to_owned();
    shared.requests.push(request.to_lowercase());
    if shared.hangs {
        shared.open.push(connection);
        return;
    }
    let body = shared.ranges.get(&revealed).cloned().unwrap_or_default();
    let whole = shared.reply.clone().unwrap_or_else(|| {
        format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    });
    let _ = connection.write_all(whole.as_bytes());
}

#[test]
fn a_list_is_built_from_sorted_digests() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("list");
    let lines = "0000000000000000000000000000000000000001:5\r\n\
                 0000000000000000FF00000000000000000000A1:9\n\n\
                 00000000000000AA000000000000000000000000:2\n\
                 5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8:1\n";
    let built = build(lines.as_bytes(), Input::Digests { least: 2 }, &output).unwrap();
    // Two digests share their first eight bytes, one was seen once only.
    assert_eq!((built.lines, built.entries), (4, 2));
    assert_eq!(fs::read(&output).unwrap().len(), 16 + 2 * 8);
}

#[test]
fn a_malformed_or_unsorted_input_builds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("list");
    fs::write(&output, "an older list").unwrap();
    let unsorted = format!("{KNOWN}:1\n0000000000000000000000000000000000000001:5\n");
    let long = format!("{}\n", "1".repeat(5_000));
    for (lines, why) in [
        (
            &*format!("{KNOWN}:1\npassword\n"),
            "line 2 is not SHA-1:COUNT",
        ),
        (
            &*format!("{}:1\n", &KNOWN[1..]),
            "line 1 is not SHA-1:COUNT",
        ),
        (&*format!("{KNOWN}:many\n"), "line 1 is not SHA-1:COUNT"),
        (&*unsorted, "line 2 is out of order"),
        (&*long, "line 1 is longer than 4096 bytes"),
    ] {
        let refused = build(lines.as_bytes(), Input::Digests { least: 1 }, &output).unwrap_err();
        assert!(refused.to_string().starts_with(why), "{refused}");
    }
    assert_eq!(fs::read(&output).unwrap(), b"an older list");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_list_refuses_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let list = list_of(folder.path(), &format!("{KNOWN}:1\n"));
    let mut bytes = Vec::new();
    fs::File::open(&list)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    for damaged in [
        &bytes[..0],
        &bytes[..15],
        &bytes[..bytes.len() - 1],
        b"password\n",
    ] {
        fs::write(&list, damaged).unwrap();
        let mut settings = Settings::for_env(cloakroom::config::Environment::Test).unwrap();
        settings.password.breached_list = Some(list.clone());
        let outbound = cloakroom::outbound::Outbound::new(&settings.outbound);
        let opened = cloakroom::breached_passwords::BreachedPasswords::open(&settings, &outbound);
        let why = opened.err().unwrap().to_string();
        assert!(why.starts_with("password.breached_list: "), "{why}");
    }
}
