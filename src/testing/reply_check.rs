//! Validates replies against the OpenAPI document: status, headers, media type and body. Stricter than the document, which
//! lets clients expect members that later versions add: here a body has the documented members only.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::http::Method;
use jsonschema::Validator;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Reply;
use crate::features;
use crate::http::openapi::{self, EVERY_METHOD};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = openapi::document(&features::routes());
    let mut document = serde_json::to_value(document).expect("a document");
    for schema in values_of(&mut document["components"]["schemas"]) {
        close_members(schema);
    }
    document
});

/// Validates the reply of a documented path. Skips other paths, which are an embedder's, and `OPTIONS`, which CORS answers
/// before routing.
///
/// # Errors
/// The difference, in one sentence.
pub(super) fn check(method: &Method, path: &str, reply: &Reply) -> Result<(), String> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let Some((pattern, operations)) = paths.iter().find(|(pattern, _)| matches(pattern, path))
    else {
        return Ok(());
    };
    if method == Method::OPTIONS {
        return Ok(());
    }
    let described = match operation(operations, method) {
        Some(operation) => resolve(&operation["responses"][reply.status.to_string()]),
        None if reply.status == 405 => &DOCUMENT["components"]["responses"]["MethodNotAllowed"],
        None => &Value::Null,
    };
    check_described(described, method, reply)
        .map_err(|fault| format!("{method} {pattern}: {}: {fault}", reply.status))
}

/// A name in braces matches any segment but an empty one.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern
            .zip(path)
            .all(|(name, segment)| name == segment || name.starts_with('{') && !segment.is_empty())
}

fn operation<'d>(operations: &'d Value, method: &Method) -> Option<&'d Value> {
    let method = match *method {
        Method::HEAD => "get".to_owned(),
        _ => method.as_str().to_lowercase(),
    };
    let of_every_method = || {
        operations
            .get("get")
            .filter(|get| get[EVERY_METHOD] == true)
    };
    operations.get(method).or_else(of_every_method)
}

fn check_described(described: &Value, method: &Method, reply: &Reply) -> Result<(), String> {
    if described.is_null() {
        return Err("the status is not documented".to_owned());
    }
    for (name, _) in described["headers"].as_object().into_iter().flatten() {
        if reply.header(name).is_none() {
            return Err(format!("the header {name} is missing"));
        }
    }
    let content = described["content"].as_object();
    match content.and_then(|content| content.iter().next()) {
        None if reply.body.is_empty() => Ok(()),
        None => Err("a body is not documented".to_owned()),
        Some((media_type, _)) if reply.header("Content-Type") != Some(media_type) => {
            let found = reply.header("Content-Type").unwrap_or("nothing");
            Err(format!("the media type is {found}, not {media_type}"))
        }
        Some(_) if method == Method::HEAD => Ok(()),
        Some((_, content)) => {
            let body = serde_json::from_slice(&reply.body).map_err(|_| "the body is not JSON")?;
            let faults = validator(&content["schema"])
                .iter_errors(&body)
                .map(|fault| format!("{} {fault}", fault.instance_path()))
                .collect::<Vec<_>>();
            match faults.is_empty() {
                true => Ok(()),
                false => Err(faults.join("; ")),
            }
        }
    }
}

/// The validator of a reply's body, made once.
fn validator(schema: &Value) -> Arc<Validator> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock();
    let validator = validators.entry(schema.to_string()).or_insert_with(|| {
        let mut root = schema.clone();
        close(&mut root);
        root["components"] = DOCUMENT["components"].clone();
        let options = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .with_format("date-time", is_timestamp);
        Arc::new(options.build(&root).expect("a valid schema"))
    });
    Arc::clone(validator)
}

/// Permits no other members in the object that a schema describes, nor in those inside it.
fn close(schema: &mut Value) {
    close_members(schema);
    let describes_members = ["$ref", "properties", "allOf", "oneOf"]
        .iter()
        .any(|keyword| schema.get(keyword).is_some());
    if describes_members {
        schema["unevaluatedProperties"] = json!(false);
    }
}

/// Like [`close`], but for the object itself: another schema may add members to it.
fn close_members(schema: &mut Value) {
    for (keyword, inner) in schema.as_object_mut().into_iter().flatten() {
        match keyword.as_str() {
            "properties" => values_of(inner).for_each(close),
            "items" | "additionalProperties" => close(inner),
            "allOf" | "oneOf" => values_of(inner).for_each(close_members),
            _ => {}
        }
    }
}

fn values_of(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

/// As the contract has times: `2026-01-31T09:30:00.000Z`.
fn is_timestamp(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z"
}

/// What a reference leads to, or the value itself.
fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => DOCUMENT.pointer(pointer).expect("a target"),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const PROJECT: &str = "/v1/projects/1";

    fn project() -> Value {
        json!({ "project": {
            "id": 1,
            "title": "One",
            "description": null,
            "created_at": "2026-01-31T09:30:00.000Z",
            "updated_at": "2026-01-31T09:30:00.000Z",
        }})
    }

    fn failure(code: &str) -> Value {
        json!({ "error": "No", "code": code, "request_id": "1" })
    }

    /// A reply with every header that a document can name.
    fn reply(status: u16, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("x-request-id", "1"),
            ("retry-after", "1"),
            ("www-authenticate", "Bearer"),
            ("allow", "GET"),
        ] {
            let value = HeaderValue::from_static(value);
            headers.insert(HeaderName::from_static(name), value);
        }
        Reply {
            status,
            headers,
            body: body.to_owned().into(),
        }
    }

    fn fault(method: Method, path: &str, status: u16, body: &Value) -> String {
        check(&method, path, &reply(status, &body.to_string())).unwrap_err()
    }

    #[test]
    fn documented_replies_pass() {
        let mut invalid = failure("validation_failed");
        invalid["errors"] = json!(["Title can't be blank"]);
        invalid["fields"] = json!({ "title": ["can't be blank"] });
        let refused = failure("method_not_allowed").to_string();
        for (method, path, status, body) in [
            (Method::GET, PROJECT, 200, project().to_string()),
            (Method::HEAD, PROJECT, 200, String::new()),
            (Method::DELETE, PROJECT, 204, String::new()),
            (
                Method::GET,
                PROJECT,
                401,
                failure("token_expired").to_string(),
            ),
            (Method::GET, "/ready", 503, failure("disk_full").to_string()),
            (Method::POST, PROJECT, 405, refused),
            (Method::PUT, PROJECT, 422, invalid.to_string()),
            (
                Method::PUT,
                "/v1/verify",
                200,
                json!({ "message": "" }).to_string(),
            ),
            (Method::OPTIONS, PROJECT, 200, String::new()),
            (Method::GET, "/hello", 418, "another app's".to_owned()),
        ] {
            assert_eq!(check(&method, path, &reply(status, &body)), Ok(()));
        }
    }

    #[test]
    fn undocumented_statuses_methods_and_bodies_fail() {
        assert!(fault(Method::GET, PROJECT, 418, &project()).ends_with("status is not documented"));
        assert!(
            fault(Method::POST, PROJECT, 200, &project()).ends_with("status is not documented")
        );
        assert!(
            fault(Method::DELETE, PROJECT, 204, &project()).ends_with("body is not documented")
        );
        let empty = check(&Method::GET, PROJECT, &reply(200, "")).unwrap_err();
        assert_eq!(empty, "GET /v1/projects/{id}: 200: the body is not JSON");
    }

    #[test]
    fn missing_headers_and_other_media_types_fail() {
        for (status, name) in [
            (200, "X-Request-Id"),
            (401, "WWW-Authenticate"),
            (503, "Retry-After"),
        ] {
            let mut reply = reply(status, &failure("unavailable").to_string());
            reply.headers.remove(name);
            let fault = check(&Method::GET, PROJECT, &reply).unwrap_err();
            assert!(fault.ends_with(&format!("the header {name} is missing")));
        }
        let mut reply = reply(200, &project().to_string());
        let html = HeaderValue::from_static("text/html");
        reply
            .headers
            .insert(HeaderName::from_static("content-type"), html);
        let fault = check(&Method::GET, PROJECT, &reply).unwrap_err();
        assert!(fault.ends_with("the media type is text/html, not application/json"));
    }

    #[test]
    fn extra_and_missing_members_fail_at_any_depth() {
        let mut body = project();
        body["project"]["owner"] = json!(1);
        assert!(fault(Method::GET, PROJECT, 200, &body).contains("owner"));
        let list = json!({ "projects": [body["project"]], "next_cursor": null });
        let seen = fault(Method::GET, "/v1/projects", 200, &list);
        assert!(
            seen.contains("/projects/0") && seen.contains("owner"),
            "{seen}"
        );

        let mut body = project();
        body["owner"] = json!(1);
        assert!(fault(Method::GET, PROJECT, 200, &body).contains("owner"));

        let mut body = project();
        body["project"]
            .as_object_mut()
            .unwrap()
            .remove("description");
        assert!(fault(Method::GET, PROJECT, 200, &body).contains("description"));

        let mut body = failure("not_found");
        body["detail"] = json!("more");
        assert!(fault(Method::GET, PROJECT, 404, &body).contains("detail"));

        let session = json!({ "user": {}, "session": { "extra": 1 } });
        assert!(fault(Method::GET, "/v1/session", 200, &session).contains("extra"));
    }

    #[test]
    fn values_of_another_type_fail() {
        for (field, value) in [
            ("id", json!("1")),
            ("id", json!(1.5)),
            ("id", json!(0)),
            ("title", json!(null)),
            ("description", json!(false)),
            ("created_at", json!("2026-01-31T09:30:00Z")),
            ("updated_at", json!("2026-01-31T09:30:00.000+00:00")),
        ] {
            let mut body = project();
            body["project"][field] = value;
            let seen = fault(Method::GET, PROJECT, 200, &body);
            assert!(seen.contains(&format!("/project/{field} ")), "{seen}");
        }
        let seen = fault(Method::GET, PROJECT, 401, &failure("not_found"));
        assert!(seen.contains("/code"), "{seen}");
        let mut body = failure("validation_failed");
        body["fields"] = json!({ "title": "can't be blank" });
        assert!(fault(Method::PUT, PROJECT, 422, &body).contains("/fields/title"));
    }
}
