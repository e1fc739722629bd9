//! Settings, manifests and JSON on the pages are what the program takes and returns.

use std::fs;

use cloakroom::config::{Environment, Settings, Sources};
use serde_json::{Value, json};
use toml::Table;

use super::blocks::blocks_in;
use super::{secret_files, text};
use crate::support::credentials::claims;
use crate::support::flows::Flows;
use crate::support::process::{TestServer, eventually};
use crate::support::raw_connection::RawConnection;

const ADDRESS: &str = "one@example.com";
const PASSWORD: &str = "correct horse battery";

#[test]
fn settings_on_the_pages_are_valid() {
    for (page, expected) in [
        ("docs/concepts/tokens.md", 1),
        ("docs/guides/forward-auth-for-browsers.md", 2),
        ("docs/guides/mails.md", 2),
        ("docs/guides/passkeys.md", 1),
        ("docs/operations/monitoring.md", 1),
    ] {
        let blocks = blocks_in(page, "toml");
        assert_eq!(blocks.len(), expected, "{page}");
        for block in blocks {
            let folder = secret_files();
            let here = format!("{}/", folder.path().display());
            let file = folder.path().join("cloakroom.toml");
            fs::write(&file, block.replace("/etc/cloakroom/", &here)).unwrap();
            let sources = Sources {
                env: Environment::Development,
                file: Some(file),
                variables: Vec::new(),
                ignored: Vec::new(),
            };
            if let Err(error) = Settings::load(&sources) {
                panic!("{page}: {error}\n{block}");
            }
        }
    }
}

#[test]
fn the_manifest_of_an_embedder_fits_this_crate() {
    let blocks = blocks_in("docs/getting-started/embedding.md", "toml");
    let [shown] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let (shown, ours): (Table, Table) =
        (shown.parse().unwrap(), text("Cargo.toml").parse().unwrap());
    let version = |manifest: &Table| {
        let actix = &manifest["dependencies"]["actix-web"];
        actix["version"]
            .as_str()
            .unwrap()
            .split('.')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(version(&shown), version(&ours));
    assert_eq!(shown["package"]["edition"], ours["package"]["edition"]);
    for feature in shown["dev-dependencies"]["cloakroom"]["features"]
        .as_array()
        .unwrap()
    {
        let name = feature.as_str().unwrap();
        assert!(ours["features"].get(name).is_some(), "{name}");
    }
    let lanes = |manifest: &Table| manifest["profile"]["dev"]["package"]["bcrypt-lanes"].clone();
    assert_eq!(lanes(&shown), lanes(&ours));
}

#[test]
fn the_sample_of_a_route_is_in_the_source() {
    let words = |text: &str| text.split_whitespace().collect::<String>();
    let source = words(&text("src/features/projects.rs"));
    for block in blocks_in("docs/contributing/adding-a-feature.md", "rust") {
        assert!(source.contains(&words(&block)), "{block}");
    }
}

#[test]
fn an_access_token_has_the_claims_of_the_sample() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    let (status, pair) = server.request("POST", "/v1/tokens", Some(&session), Some(&json!({})));
    assert_eq!(status, 200, "{pair}");
    let real = claims(pair["access_token"].as_str().unwrap());
    assert_eq!(samples("docs/concepts/tokens.md"), [shape(&real)]);
}

#[test]
fn an_error_has_the_members_of_the_sample() {
    let server = TestServer::new().serve();
    let body = json!({ "email_address": ADDRESS, "password": "short" });
    let (status, mut real) = server.request("POST", "/v1/registrations", None, Some(&body));
    assert_eq!(status, 422);
    let blocks = blocks_in("docs/reference/errors.md", "json");
    let [shown] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let shown: Value = serde_json::from_str(shown).unwrap();
    real["request_id"] = shown["request_id"].clone();
    assert_eq!(real, shown);
}

#[test]
fn the_log_has_the_lines_of_the_sample() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__LOG__FORMAT", "json");
    let server = test_server.serve();
    let (status, _) = server.sign_in(ADDRESS, PASSWORD);
    assert_eq!(status, 401);
    let line = |target: &str| {
        let log = server.log();
        let mut lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["target"] == target)
    };
    let line = |target| shape(&eventually(|| line(target)));
    let (event, request) = (line("cloakroom::security"), line("cloakroom::request"));
    assert_eq!(
        samples("docs/operations/monitoring.md"),
        [event.clone(), request]
    );
    assert_eq!(samples("docs/reference/events.md"), [event]);
}

#[test]
fn limits_are_reported_as_shown() {
    let page = "docs/concepts/limits.md";
    let [refusal]: [String; 1] = blocks_in(page, "http").try_into().unwrap();
    let [list]: [String; 1] = blocks_in(page, "text").try_into().unwrap();
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__THROTTLE__ENABLED", "true");
    let server = test_server.serve();
    let mut connection = RawConnection::to(&server);
    let body = json!({ "email_address": ADDRESS, "password": PASSWORD }).to_string();
    let refused = (0..50).find_map(|_| {
        connection.ask("POST", "/v1/session", "", &body);
        let answer = connection.receive();
        (answer.status == 429).then_some(answer)
    });
    let refused = refused.unwrap();
    let (head, body) = refusal.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\nRetry-After: "));
    assert!(refused.header("Retry-After").is_some());
    let (mut real, shown): (_, Value) = (refused.json(), serde_json::from_str(body).unwrap());
    real["request_id"] = shown["request_id"].clone();
    assert_eq!(real, shown);

    let output = test_server.run(&["limits", "list"]);
    let real = String::from_utf8(output.stdout).unwrap();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        real.lines().next().map(words),
        list.lines().next().map(words)
    );
    let limits = text("docs/reference/limits.md");
    for row in list.lines().skip(1).map(words) {
        let name = format!("`{}`", row[0]);
        assert!(limits.contains(&name), "{name}");
    }
    let row = |list: &str| {
        list.lines()
            .map(words)
            .find(|row| row[0] == "address_failures")
            .unwrap()
    };
    assert_eq!(row(&real)[3], row(&list)[3]);
}

/// The shapes of all JSON on a page, one for each value.
fn samples(page: &str) -> Vec<Vec<(String, Value)>> {
    let text = blocks_in(page, "json").concat();
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    values.map(|value| shape(&value.unwrap())).collect()
}

/// The members of an object, with the values that do not differ between runs.
fn shape(object: &Value) -> Vec<(String, Value)> {
    let same = [
        "level", "event", "method", "route", "status", "target", "scope", "sub",
    ];
    let members = object.as_object().unwrap().iter().map(|(name, value)| {
        let value = if same.contains(&name.as_str()) {
            value.clone()
        } else {
            Value::Null
        };
        (name.clone(), value)
    });
    members.collect()
}
