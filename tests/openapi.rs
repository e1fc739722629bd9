//! The OpenAPI document describes every route, completely, and nothing else. In every other test, `TestApp` validates the
//! replies against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cloakroom::features;
use cloakroom::http::Access;
use cloakroom::http::openapi;
use cloakroom::http::routes::Route;
use cloakroom::http::routes::Verb;
use serde_json::{Value, json};

use crate::support::process::TestServer;

fn document() -> Value {
    serde_json::to_value(openapi::document(&features::routes())).unwrap()
}

/// Every operation under its method and path: `POST /v1/session`.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.insert(
                format!("{} {path}", method.to_uppercase()),
                operation.clone(),
            );
        }
    }
    operations
}

/// What a route is described as: one that answers every method, as `GET`.
fn name(route: &Route) -> String {
    let method = match &route.method {
        Verb::One(method) => method.as_str(),
        Verb::Any => "GET",
    };
    format!("{method} {}", route.path)
}

/// Each value in a document, however deep, with the name that it stands under.
pub fn walk(name: &str, value: &Value, client: &mut impl FnMut(&str, &Value)) {
    client(name, value);
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| walk(name, inner, client)),
        Value::Array(items) => items.iter().for_each(|inner| walk(name, inner, client)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_once_and_nothing_else() {
    let document = document();
    let declared: BTreeSet<String> = features::routes().iter().map(name).collect();
    let operations = operations(&document);
    assert_eq!(
        operations.keys().cloned().collect::<BTreeSet<_>>(),
        declared
    );
    let ids: BTreeSet<&str> = operations
        .values()
        .map(|one| one["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), operations.len(), "an id occurs twice");
}

#[test]
fn every_operation_has_an_id_a_summary_and_a_success() {
    for (name, operation) in operations(&document()) {
        for field in ["operationId", "summary"] {
            assert!(
                operation[field]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{name}: {field}"
            );
        }
        let replies = operation["responses"].as_object().unwrap();
        assert!(
            replies.keys().any(|status| status.starts_with(['2', '3'])),
            "{name}"
        );
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[test]
fn operations_declare_their_credentials() {
    let operations = operations(&document());
    for route in features::routes().iter() {
        let name = name(route);
        let expected = match route.access {
            Access::Public => json!([]),
            Access::Session => json!([{ "bearer": [] }, { "cookie": [] }]),
            Access::Credential => json!([{ "bearer": [] }, { "cookie": [] }, { "api_key": [] }]),
            Access::Scope(scope) => {
                json!([{ "bearer": [scope] }, { "cookie": [] }, { "api_key": [scope] }])
            }
            Access::ApiKey(scope) => {
                json!([{ "bearer": [scope] }, { "api_key": [scope] }, { "basic": [scope] }])
            }
        };
        assert_eq!(operations[&name]["security"], expected, "{name}");
        let asks = operations[&name]["responses"]["401"]["$ref"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(
            asks.contains("Unauthorized"),
            route.access != Access::Public,
            "{name}"
        );
    }
}

#[test]
fn references_resolve_and_components_are_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk("", &document, &mut |name, value| {
        if name == "$ref" {
            let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            used.insert(pointer.to_owned());
        }
    });
    for kind in ["schemas", "responses", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            // No route has it: any path may give it.
            let anywhere = name == "MethodNotAllowed";
            assert!(
                anywhere || used.contains(&format!("/components/{kind}/{name}")),
                "{kind}: {name}"
            );
        }
    }
}

#[test]
fn the_committed_document_is_up_to_date() {
    let committed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json")).unwrap();
    // Not compared as a whole: the difference of two such texts is no help.
    let printed = openapi::json(&features::routes()).unwrap();
    let differing = committed
        .lines()
        .zip(printed.lines())
        .position(|(one, other)| one != other);
    let same = committed == printed;
    assert!(same, "they differ from line {differing:?} on: just openapi");
}

#[test]
fn the_command_prints_the_document_without_settings_or_database() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__SERVER__NOBODY", "knows this key");
    test_server.set("CLOAKROOM_CONFIG", "/nowhere");
    let ran = test_server.command(&["openapi"]).output().unwrap();
    assert!(
        ran.status.success() && ran.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!(
        String::from_utf8(ran.stdout).unwrap(),
        openapi::json(&features::routes()).unwrap()
    );
    assert!(!test_server.database().exists());
}

#[test]
fn the_document_contains_no_settings() {
    let text = openapi::json(&features::routes()).unwrap();
    assert!(document().get("servers").is_none());
    assert!(
        !text.contains("localhost") && !text.contains("://"),
        "an address"
    );
}

#[test]
fn docs_and_document_list_the_same_error_codes() {
    let document = document();
    let mut described = BTreeSet::new();
    for reply in document["components"]["responses"]
        .as_object()
        .unwrap()
        .values()
    {
        walk("", reply, &mut |name, value| {
            if name == "enum" {
                described.insert(value.as_str().map(str::to_owned));
            }
        });
    }
    let described: BTreeSet<String> = described.into_iter().flatten().collect();
    let told: BTreeSet<String> = crate::docs::codes()
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    assert_eq!(described, told);
}

#[test]
fn error_codes_have_the_status_of_the_docs() {
    let document = document();
    let told: BTreeMap<String, u16> = crate::docs::codes()
        .into_iter()
        .map(|(status, code)| (code, status))
        .collect();
    for (name, operation) in operations(&document) {
        for (status, reply) in operation["responses"].as_object().unwrap() {
            let Some(reference) = reply["$ref"].as_str() else {
                continue;
            };
            walk(
                "",
                document.pointer(&reference[1..]).unwrap(),
                &mut |key, value| {
                    if let (true, Some(code)) = (key == "enum", value.as_str()) {
                        assert_eq!(told[code].to_string(), *status, "{name}: {code}");
                    }
                },
            );
        }
    }
}
