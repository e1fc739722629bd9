//! Validates replies against the document: an object may have described fields only. It supports the part of JSON Schema
//! that the document uses, and refuses other keywords.

use std::sync::OnceLock;

use serde_json::Value;

use super::operation::EVERY_METHOD;
use crate::http::Routes;

/// What does not narrow a value.
const ANNOTATIONS: &[&str] = &["description", "propertyNames"];

/// Validates a reply of a Cloakroom route. Routes of embedders are skipped, and `OPTIONS`, which CORS answers before
/// routing.
///
/// # Errors
/// What differs, in one sentence.
pub(crate) fn check(
    routes: fn() -> Routes,
    method: &str,
    pattern: &str,
    status: u16,
    body: &[u8],
) -> Result<(), String> {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document = DOCUMENT
        .get_or_init(|| serde_json::to_value(super::document(&routes())).unwrap_or_default());
    match document["paths"].get(pattern) {
        Some(path) if method != "OPTIONS" => check_reply(document, path, method, status, body)
            .map_err(|fault| format!("{method} {pattern} answers {status}: {fault}")),
        _ => Ok(()),
    }
}

fn check_reply(
    document: &Value,
    path: &Value,
    method: &str,
    status: u16,
    body: &[u8],
) -> Result<(), String> {
    let described = match method {
        "HEAD" => "get".to_owned(),
        other => other.to_lowercase(),
    };
    let of_every_method = || path.get("get").filter(|get| get[EVERY_METHOD] == true);
    let Some(operation) = path.get(&described).or_else(of_every_method) else {
        return if status == 405 {
            Ok(())
        } else {
            Err("the path is not described with this method".to_owned())
        };
    };
    let reply = operation["responses"]
        .get(status.to_string())
        .ok_or("the status is not described")?;
    let schema = resolve(document, reply)?["content"].as_object();
    let schema = schema
        .and_then(|content| content.values().next())
        .map(|content| &content["schema"]);
    match schema {
        _ if method == "HEAD" => Ok(()),
        None if body.is_empty() => Ok(()),
        None => Err("a body is not described".to_owned()),
        Some(schema) => {
            let body = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
            check_value(document, schema, &body, "the body")
        }
    }
}

fn check_value(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    // Either of two, as what may be `null` is described.
    if let Some(choices) = schema["oneOf"].as_array() {
        let verdicts: Vec<_> = choices
            .iter()
            .map(|choice| check_value(document, choice, value, at))
            .collect();
        return verdicts
            .iter()
            .find(|verdict| verdict.is_ok())
            .or(verdicts.first())
            .cloned()
            .unwrap_or(Ok(()));
    }
    let mut parts = Vec::new();
    collect_parts(document, schema, &mut parts)?;
    for part in &parts {
        for (keyword, wanted) in part.as_object().into_iter().flatten() {
            check_keyword(document, keyword, wanted, value, at)?;
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        let mut described = false;
        for part in &parts {
            if let Some(schema) = part["properties"]
                .get(name)
                .or_else(|| part.get("additionalProperties"))
            {
                check_value(document, schema, inner, &at)?;
                described = true;
            }
        }
        if !described {
            return Err(format!("{at} is not described"));
        }
    }
    Ok(())
}

/// What a schema is made of, references followed: its own keywords, and those of all that it joins.
fn collect_parts<'d>(
    document: &'d Value,
    schema: &'d Value,
    parts: &mut Vec<&'d Value>,
) -> Result<(), String> {
    let schema = resolve(document, schema)?;
    parts.push(schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect_parts(document, part, parts)?;
    }
    Ok(())
}

fn check_keyword(
    document: &Value,
    keyword: &str,
    wanted: &Value,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let holds = match keyword {
        "type" => match wanted {
            Value::Array(types) => types.iter().any(|one| is_of_type(value, one)),
            one => is_of_type(value, one),
        },
        "enum" => wanted
            .as_array()
            .is_some_and(|values| values.contains(value)),
        "minimum" => value
            .as_f64()
            .is_none_or(|number| wanted.as_f64().is_some_and(|least| number >= least)),
        "format" => match (wanted.as_str(), value.as_str()) {
            (Some("date-time"), Some(text)) => is_timestamp(text),
            _ => true,
        },
        "required" => {
            let names = wanted
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            if let Some(missing) = names.into_iter().find(|name| value.get(name).is_none()) {
                return Err(format!("{at} has no {missing}"));
            }
            true
        }
        "items" => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                check_value(document, wanted, item, &format!("{at}[{index}]"))?;
            }
            true
        }
        // Looked into where the value's own fields are.
        "properties" | "additionalProperties" | "allOf" => true,
        annotation if ANNOTATIONS.contains(&annotation) => true,
        unknown => return Err(format!("the check does not know the keyword {unknown}")),
    };
    if holds {
        Ok(())
    } else {
        Err(format!("{at} is {value}, against {keyword} {wanted}"))
    }
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        _ => false,
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

/// What a reference leads to, or the thing itself.
fn resolve<'d>(document: &'d Value, thing: &'d Value) -> Result<&'d Value, String> {
    match thing["$ref"].as_str() {
        None => Ok(thing),
        Some(reference) => {
            let found = reference
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer));
            found.ok_or_else(|| format!("{reference} leads nowhere"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features;

    const PROJECT: &str = "/v1/projects/{id}";

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

    fn fault(method: &str, pattern: &str, status: u16, body: &Value) -> String {
        check(
            features::routes,
            method,
            pattern,
            status,
            body.to_string().as_bytes(),
        )
        .unwrap_err()
    }

    #[test]
    fn replies_that_match_the_document_pass() {
        for (method, pattern, status, body) in [
            ("GET", PROJECT, 200, project().to_string()),
            ("HEAD", PROJECT, 200, String::new()),
            ("DELETE", PROJECT, 204, String::new()),
            ("GET", PROJECT, 401, failure("token_expired").to_string()),
            ("GET", "/ready", 503, failure("disk_full").to_string()),
            (
                "POST",
                PROJECT,
                405,
                failure("method_not_allowed").to_string(),
            ),
            ("OPTIONS", PROJECT, 200, String::new()),
            ("GET", "/hello", 418, "another app's".to_owned()),
        ] {
            assert_eq!(
                check(features::routes, method, pattern, status, body.as_bytes()),
                Ok(())
            );
        }
        let mut invalid = failure("validation_failed");
        invalid["errors"] = json!(["Title can't be blank"]);
        invalid["fields"] = json!({ "title": ["can't be blank"] });
        assert_eq!(
            check(
                features::routes,
                "PUT",
                PROJECT,
                422,
                invalid.to_string().as_bytes()
            ),
            Ok(())
        );
    }

    #[test]
    fn undescribed_statuses_methods_and_bodies_fail() {
        assert!(fault("GET", PROJECT, 418, &project()).ends_with("the status is not described"));
        assert!(fault("POST", PROJECT, 200, &project()).contains("not described with this method"));
        assert!(fault("DELETE", PROJECT, 204, &project()).ends_with("a body is not described"));
        let empty = check(features::routes, "GET", PROJECT, 200, b"").unwrap_err();
        assert_eq!(
            empty,
            "GET /v1/projects/{id} answers 200: the body is not JSON"
        );
    }

    #[test]
    fn extra_and_missing_fields_fail_at_any_depth() {
        let mut body = project();
        body["project"]["owner"] = json!(1);
        assert!(
            fault("GET", PROJECT, 200, &body).ends_with("the body.project.owner is not described")
        );
        let list = json!({ "projects": [body["project"]], "next_cursor": null });
        let seen = fault("GET", "/v1/projects", 200, &list);
        assert!(
            seen.ends_with("the body.projects[0].owner is not described"),
            "{seen}"
        );

        let mut body = project();
        body["project"]
            .as_object_mut()
            .unwrap()
            .remove("description");
        assert!(fault("GET", PROJECT, 200, &body).ends_with("the body.project has no description"));

        let mut body = failure("not_found");
        body["detail"] = json!("more");
        assert!(fault("GET", PROJECT, 404, &body).ends_with("the body.detail is not described"));
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
            let seen = fault("GET", PROJECT, 200, &body);
            assert!(
                seen.contains(&format!("the body.project.{field} is ")),
                "{seen}"
            );
        }
        assert!(fault("GET", PROJECT, 401, &failure("not_found")).contains("against enum"));
        let mut body = failure("validation_failed");
        body["fields"] = json!({ "title": "can't be blank" });
        assert!(fault("PUT", PROJECT, 422, &body).contains("the body.fields.title is "));
    }

    #[test]
    fn unknown_schema_keywords_fail() {
        let schema = json!({ "not": {} });
        assert!(
            check_value(&json!({}), &schema, &json!(1), "it")
                .unwrap_err()
                .contains("keyword not")
        );
        let schema = json!({ "$ref": "#/components/schemas/Missing" });
        assert!(
            check_value(&json!({}), &schema, &json!(1), "it")
                .unwrap_err()
                .ends_with("leads nowhere")
        );
    }
}
