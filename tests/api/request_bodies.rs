//! Contracts of every route that reads a body, driven from the route table and the documented fields: bodies that
//! cannot be read, values of the wrong JSON type, unknown fields, and requests with two credentials.

use std::collections::BTreeSet;

use actix_web::http::Method;
use cloakroom::http::Access;
use cloakroom::http::openapi;
use cloakroom::testing::{Call, Reply};
use serde_json::{Map, Value, json};

use crate::support::app::{PASSWORD, assert_faults, assert_refused};
use crate::support::callers::{Fixture, MACHINE_CALLERS};
use crate::support::route_cases::{Case, cases};
use crate::support::snapshot::{masked, snapshot};

const FORM: &str = "application/x-www-form-urlencoded";

/// A route with a documented body.
struct Endpoint {
    case: Case,
    method: Method,
    /// Each field with its JSON Schema.
    fields: Map<String, Value>,
}

impl Endpoint {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.case.path)
    }

    /// A credential that the route accepts, as a header; none for public routes.
    async fn credential(&self, fixture: &Fixture) -> Option<(&'static str, String)> {
        match self.case.access() {
            Access::Public => None,
            Access::ApiKey(_) => {
                let key = fixture.credential(&MACHINE_CALLERS[0]).await;
                Some(("X-API-Key", key))
            }
            _ => Some(session(fixture)),
        }
    }

    /// A request with this credential.
    fn call(
        &self,
        fixture: &Fixture,
        credential: Option<&(&'static str, String)>,
        query: &str,
    ) -> Call {
        let path = format!("{}{query}", fixture.path(self.case.path));
        let call = fixture.app.call(self.method.clone(), &path);
        match credential {
            Some((name, value)) => call.header(name, value),
            None => call,
        }
    }
}

fn session(fixture: &Fixture) -> (&'static str, String) {
    ("Authorization", format!("Bearer {}", fixture.owner))
}

/// Every route whose description has a request body.
fn endpoints() -> Vec<Endpoint> {
    let document = serde_json::to_value(openapi::document(&cloakroom::features::routes())).unwrap();
    let mut endpoints = Vec::new();
    for case in cases() {
        for method in case.methods() {
            let operation = &document["paths"][case.path][method.as_str().to_lowercase()];
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let Some(reference) = schema["$ref"].as_str() else {
                continue;
            };
            let schema = document.pointer(&reference[1..]).expect("a schema");
            let fields = schema["properties"].as_object().expect("fields").clone();
            let case = cases()
                .into_iter()
                .find(|other| other.path == case.path && other.method == case.method)
                .unwrap();
            endpoints.push(Endpoint {
                case,
                method,
                fields,
            });
        }
    }
    let documented = document["paths"].as_object().unwrap().values();
    let documented = documented.flat_map(|operations| operations.as_object().unwrap().values());
    let documented = documented.filter(|operation| operation.get("requestBody").is_some());
    assert_eq!(endpoints.len(), documented.count());
    assert!(endpoints.len() > 10, "the bodies were not found");
    endpoints
}

#[actix_web::test]
async fn unreadable_bodies_are_rejected() {
    for endpoint in endpoints() {
        let fixture = Fixture::new().await;
        let credential = endpoint.credential(&fixture).await;
        assert_unreadable_bodies_are_rejected(&endpoint, &fixture, credential.as_ref()).await;
        if endpoint.case.access() == Access::Public {
            let credential = session(&fixture);
            assert_unreadable_bodies_are_rejected(&endpoint, &fixture, Some(&credential)).await;
        }
    }
}

async fn assert_unreadable_bodies_are_rejected(
    endpoint: &Endpoint,
    fixture: &Fixture,
    credential: Option<&(&'static str, String)>,
) {
    let name = endpoint.name();
    let send = |kind: &str, body: Vec<u8>| {
        let call = endpoint.call(fixture, credential, "");
        call.body(kind, body).send()
    };
    let check = |reply: &Reply, status, code| {
        assert_eq!(reply.status, status, "{name}: {}", reply.text());
        assert_refused(reply, status, code);
    };
    let before = snapshot(&fixture.app);
    for coding in ["gzip", "x-gzip, identity", "br"] {
        let call = endpoint.call(fixture, credential, "");
        let call = call.header("Content-Encoding", coding);
        let reply = call.body("application/json", b"\x1f\x8b".to_vec()).send();
        let reply = reply.await;
        check(&reply, 415, "unsupported_media_type");
        assert_eq!(reply.header("Accept-Encoding"), Some("identity"));
    }
    let deep = "[".repeat(10_000);
    for body in [
        "[]",
        "\"text\"",
        "null",
        "1",
        "{",
        "{\"email_address\":",
        "{\"a\":1}{}",
        "rubbish",
        "{\"a\":\"\\ud800\"}",
        "{\"password\":\"one\",\"password\":\"two\"}",
        &format!("{{\"a\":{deep}"),
        &format!("{deep}{}", "]".repeat(10_000)),
    ] {
        let reply = send("application/json", body.into()).await;
        check(&reply, 400, "invalid_request");
    }
    check(
        &send(FORM, "password=%FF".into()).await,
        400,
        "invalid_request",
    );
    // A flag may be repeated, and a list.
    let is_one_value =
        |schema: &Value| !wrong_values(schema).contains(&json!("yes")) && schema["type"] != "array";
    let single = endpoint
        .fields
        .iter()
        .filter(|(_, schema)| is_one_value(schema));
    for (field, _) in single {
        let body = format!("{field}=one&{field}=two").into();
        check(&send(FORM, body).await, 400, "invalid_request");
    }
    for kind in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "rubbish",
    ] {
        let reply = send(kind, b"{}".to_vec()).await;
        check(&reply, 415, "unsupported_media_type");
    }
    for kind in ["application/json", FORM] {
        let long = format!("{{\"title\":\"{}\"}}", "a".repeat(64 * 1024));
        check(&send(kind, long.into()).await, 413, "payload_too_large");
    }
    assert_eq!(before, snapshot(&fixture.app), "{name}");
}

#[actix_web::test]
async fn a_byte_order_mark_before_json_is_skipped() {
    for endpoint in endpoints() {
        let mut results = Vec::new();
        for mark in ["", "\u{feff}"] {
            let fixture = Fixture::new().await;
            let credential = endpoint.credential(&fixture).await;
            let body = format!("{mark}{}", fixture.body(&endpoint.case));
            let call = endpoint.call(&fixture, credential.as_ref(), "");
            let call = call.header("Content-Encoding", "identity");
            let reply = call.body("application/json", body).send().await;
            results.push((
                reply.status,
                masked(&body_of(&reply)),
                snapshot(&fixture.app),
            ));
        }
        assert_eq!(results[0], results[1], "{}", endpoint.name());
    }
}

#[actix_web::test]
async fn values_of_the_wrong_type_are_named() {
    for endpoint in endpoints() {
        for (field, schema) in &endpoint.fields {
            let fixture = Fixture::new().await;
            let credential = endpoint.credential(&fixture).await;
            let before = snapshot(&fixture.app);
            for value in wrong_values(schema) {
                let mut body = fixture.body(&endpoint.case);
                body[field] = value.clone();
                let call = endpoint.call(&fixture, credential.as_ref(), "");
                let reply = call.json(&body).send().await;
                let what = format!("{}: {field}: {value}: {}", endpoint.name(), reply.text());
                assert_eq!(reply.status, 422, "{what}");
                assert_faults(&reply, &[(field, "is invalid")]);
            }
            let after = snapshot(&fixture.app);
            let changed = before.symmetric_difference(&after);
            let changed: Vec<_> = changed
                .filter(|row| !row.starts_with("throttles"))
                .collect();
            assert!(changed.is_empty(), "{}: {changed:?}", endpoint.name());
        }
    }
}

/// Values whose JSON type the schema does not permit. A boolean may also be written as a word, as in forms.
fn wrong_values(schema: &Value) -> Vec<Value> {
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let permits = |name: &str| types.contains(&json!(name));
    let mut values = vec![json!(1), json!([1])];
    match permits("object") {
        true => values.push(json!("{}")),
        false => values.extend([json!({ "a": 1 }), json!({})]),
    }
    if permits("boolean") {
        values.push(json!("yes"));
    } else {
        values.push(json!(true));
    }
    if !permits("array") {
        values.extend([json!([PASSWORD]), json!([])]);
    }
    values
}

#[actix_web::test]
async fn unknown_fields_are_ignored() {
    for endpoint in endpoints() {
        let mut results = Vec::new();
        for with_unknown in [false, true] {
            let fixture = Fixture::new().await;
            let mut body = fixture.body(&endpoint.case);
            let mut query = String::new();
            if with_unknown {
                add_unknown_fields(&mut body, &endpoint.fields, &fixture);
                query = endpoint.fields.keys().fold("?".to_owned(), |query, name| {
                    format!("{query}{name}=query%40example.com&")
                });
            }
            let credential = endpoint.credential(&fixture).await;
            let call = endpoint.call(&fixture, credential.as_ref(), &query);
            let reply = call.json(&body).send().await;
            results.push((
                reply.status,
                masked(&body_of(&reply)),
                snapshot(&fixture.app),
            ));
        }
        assert_eq!(results[0], results[1], "{}", endpoint.name());
    }
}

/// Fields of the tables and replies that no request may set.
fn add_unknown_fields(body: &mut Value, known: &Map<String, Value>, fixture: &Fixture) {
    let other = fixture.other_user.id;
    for (field, value) in [
        ("id", json!(77)),
        ("user_id", json!(other)),
        ("user", json!({ "id": other, "email_confirmed": true })),
        ("email_address", json!("three@example.com")),
        ("email_confirmed", json!(true)),
        ("email_confirmed_at", json!(1)),
        ("disabled_at", json!(1)),
        ("role", json!("admin")),
        ("password_digest", json!("$2b$04$")),
        ("created_at", json!(1)),
        ("token", json!("crs_mine")),
        ("token_digest", json!("mine")),
        ("expires_at", json!("9999-01-01T00:00:00Z")),
        ("ip_address", json!("192.0.2.1")),
        ("remember", json!(true)),
    ] {
        if !known.contains_key(field) {
            body[field] = value;
        }
    }
}

/// The body of a reply, which may have none.
fn body_of(reply: &Reply) -> Value {
    match reply.text() {
        "" => Value::Null,
        _ => reply.json(),
    }
}

#[actix_web::test]
async fn two_credentials_are_rejected() {
    let fixture = Fixture::new().await;
    let key = fixture.credential(&MACHINE_CALLERS[0]).await;
    let lines = [
        session(&fixture),
        ("Authorization", format!("Bearer {key}")),
        ("X-API-Key", key),
    ];
    let mut pairs: BTreeSet<_> = lines
        .iter()
        .flat_map(|first| lines.iter().map(move |second| (first, second)))
        .collect();
    let others = ["Basic b25lOnR3bw==", ""].map(|value| ("Authorization", value.to_owned()));
    for other in &others {
        for line in &lines[..2] {
            pairs.extend([(line, other), (other, line)]);
        }
    }
    let before = snapshot(&fixture.app);
    for case in cases() {
        if case.access() == Access::Public {
            continue;
        }
        for method in case.methods() {
            for (first, second) in &pairs {
                let call = fixture.app.call(method.clone(), &fixture.path(case.path));
                let call = call.header(first.0, &first.1).header(second.0, &second.1);
                let reply = call.json(&fixture.body(&case)).send().await;
                let what = format!("{method} {}: {first:?} {second:?}", case.path);
                assert_eq!(reply.status, 400, "{what}: {}", reply.text());
                if method != Method::HEAD {
                    assert_refused(&reply, 400, "invalid_request");
                }
            }
        }
    }
    assert_eq!(before, snapshot(&fixture.app));
}
