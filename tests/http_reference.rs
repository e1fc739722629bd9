//! The page about the routes, generated from the OpenAPI document and the route table: `docs/reference/http.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cloakroom::features;
use cloakroom::http::error_codes::{self, ErrorCode};
use cloakroom::http::openapi;
use cloakroom::http::routes::{Group, Route, Verb};
use serde_json::Value;

use crate::support::generated_file::assert_up_to_date;

const FILE: &str = "docs/reference/http.md";

const HEAD: &str = "\
# Routes

Every route: who may call it, what it reads, and what it returns. This page is generated from the route table, as is
`openapi.json`, the same for generators of clients (`cloakroom openapi` prints it). [Requests](requests.md) describes
bodies, queries and the cookie, [Errors](errors.md) the codes, and [Limits](limits.md) what is counted.

";

const ACCESS: &str = "\
Who may call a route:

| access | meaning |
|---|---|
| public | no credential is needed |
| session | a user with a session token, as bearer token or cookie |
| any credential | a session token, an access token or an API key |
| scope `S` | a session; or an access token or API key with the scope `S` |
| API key with `S` | an API key with the scope `S`; also as user name or password (Basic) |

Errors that many routes have are not repeated below:

| routes | errors |
|---|---|
";

/// `UPDATE=1 cargo test --test tests reference` writes the page.
#[test]
fn the_page_about_routes_is_up_to_date() {
    assert_up_to_date(FILE, &page());
}

/// The errors of every route, and of every route that reads a body: read off the routes themselves.
const SHARED: [(&str, &[ErrorCode]); 2] = [
    (
        "all",
        &[error_codes::INTERNAL_ERROR, error_codes::METHOD_NOT_ALLOWED],
    ),
    (
        "with a body",
        &[
            error_codes::INVALID_REQUEST,
            error_codes::REQUEST_TIMEOUT,
            error_codes::PAYLOAD_TOO_LARGE,
            error_codes::UNSUPPORTED_MEDIA_TYPE,
            error_codes::VALIDATION_FAILED,
        ],
    ),
];

fn page() -> String {
    let routes = features::routes();
    let document = serde_json::to_value(openapi::document(&routes)).unwrap();
    let about = document["info"]["description"].as_str().unwrap();
    let mut page = format!("{HEAD}{about}\n\n{ACCESS}");
    for (which, codes) in SHARED {
        writeln!(page, "| {which} | {} |", listed(codes.iter().map(code))).unwrap();
    }
    page += "\n| route | what it does | access |\n|---|---|---|\n";
    for route in routes.iter() {
        let (name, summary) = (name(route), route.summary);
        let link = anchor(&name);
        writeln!(
            page,
            "| [`{name}`](#{link}) | {summary} | {} |",
            route.access
        )
        .unwrap();
    }
    let mut types = Types {
        document: &document,
        shown: BTreeMap::new(),
    };
    for group in &routes.groups {
        page += &section(group, &document, &mut types);
    }
    page + &types.section()
}

fn section(group: &Group, document: &Value, types: &mut Types<'_>) -> String {
    let mut text = format!("\n## {}\n\n{}\n", group.tag, sentence(group.description));
    for route in &group.routes {
        let method = match &route.method {
            Verb::One(method) => method.as_str().to_lowercase(),
            Verb::Any => "get".to_owned(),
        };
        let operation = &document["paths"][route.path][method];
        write!(
            text,
            "\n### `{}`\n\n{}",
            name(route),
            sentence(route.summary)
        )
        .unwrap();
        if let Some(more) = route.description {
            write!(text, " {}", sentence(more)).unwrap();
        }
        writeln!(text, "\n\nAccess: {}.", route.access).unwrap();
        text += &parameters(operation, types);
        text += &body(operation, types);
        text += &replies(operation, document, types);
    }
    text
}

/// Of the path and of the query.
fn parameters(operation: &Value, types: &mut Types<'_>) -> String {
    let Some(parameters) = operation["parameters"].as_array() else {
        return String::new();
    };
    let mut text = String::from("\n| parameter | in | type | meaning |\n|---|---|---|---|\n");
    for one in parameters {
        let word = |field: &str| one[field].as_str().unwrap_or_default();
        let of_type = types.describe(&one["schema"]);
        let (name, place, about) = (word("name"), word("in"), sentence(word("description")));
        writeln!(text, "| `{name}` | {place} | {of_type} | {about} |").unwrap();
    }
    text
}

fn body(operation: &Value, types: &mut Types<'_>) -> String {
    let body = &operation["requestBody"];
    let Some(reference) = body["content"]["application/json"]["schema"]["$ref"].as_str() else {
        return String::new();
    };
    let optional = match body["required"].as_bool() {
        Some(true) => "",
        _ => " (may be left out)",
    };
    format!("\nBody{optional}:\n\n{}", types.fields(reference))
}

fn replies(operation: &Value, document: &Value, types: &mut Types<'_>) -> String {
    let has_body = operation.get("requestBody").is_some();
    let is_shared = |name: &str| {
        SHARED
            .iter()
            .take(1 + usize::from(has_body))
            .any(|(_, codes)| codes.iter().any(|code| code.name == name))
    };
    let mut text = String::from("\n| status | reply |\n|---|---|\n");
    for (status, reply) in operation["responses"].as_object().unwrap() {
        match reply["$ref"].as_str() {
            Some(reference) => {
                let named = document.pointer(&reference[1..]).unwrap();
                let codes = codes(named).into_iter().filter(|name| !is_shared(name));
                let list = listed(codes.map(|name| format!("`{name}`")));
                if !list.is_empty() {
                    writeln!(text, "| {status} | {list} |").unwrap();
                }
            }
            None => {
                let about = reply["description"].as_str().unwrap();
                let schema = reply["content"].as_object().and_then(|content| {
                    content
                        .values()
                        .next()
                        .map(|one| types.describe(&one["schema"]))
                });
                let shape = schema.map(|name| format!(": {name}")).unwrap_or_default();
                writeln!(text, "| {status} | {about}{shape} |").unwrap();
            }
        }
    }
    text
}

/// The codes of a failure.
fn codes(reply: &Value) -> Vec<String> {
    let mut found = Vec::new();
    crate::openapi::walk("", reply, &mut |name, value| {
        if let ("enum", Some(codes)) = (name, value.as_array()) {
            found.extend(codes.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    });
    found
}

/// The types that replies refer to.
struct Types<'d> {
    document: &'d Value,
    /// Those to be described at the end, and whether they are.
    shown: BTreeMap<String, bool>,
}

impl Types<'_> {
    /// A schema in a few words; a named one as a link to its description.
    fn describe(&mut self, schema: &Value) -> String {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            self.shown.entry(name.to_owned()).or_insert(false);
            return format!("[{name}](#type-{})", anchor(name));
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return listed_by(" or ", choices.iter().map(|one| self.describe(one)));
        }
        if let Some(values) = schema["enum"].as_array() {
            let values = values.iter().filter_map(Value::as_str);
            return listed_by(" or ", values.map(|value| format!("`{value}`")));
        }
        let names: Vec<&str> = match &schema["type"] {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let names = names.into_iter().map(|name| match name {
            "array" => format!("array of {}", self.describe(&schema["items"])),
            other => other.to_owned(),
        });
        let mut text = listed_by(" or ", names);
        let format = schema["format"].as_str();
        if let Some(format) = format.filter(|one| !one.starts_with("int")) {
            write!(text, ", {format}").unwrap();
        }
        for (field, word) in [
            ("maxLength", "at most"),
            ("maximum", "at most"),
            ("minimum", "at least"),
        ] {
            if let Some(bound) = schema[field].as_i64() {
                let unit = if field == "maxLength" {
                    " characters"
                } else {
                    ""
                };
                write!(text, ", {word} {bound}{unit}").unwrap();
            }
        }
        if let Some(default) = schema.get("default") {
            write!(text, ", default {default}").unwrap();
        }
        text
    }

    /// The table of an object's fields.
    fn fields(&mut self, reference: &str) -> String {
        let schema = self.document.pointer(&reference[1..]).unwrap();
        let mut text = String::from("| field | type | meaning |\n|---|---|---|\n");
        let parts = match schema["allOf"].as_array() {
            Some(parts) => parts.iter().map(|part| self.resolved(part)).collect(),
            None => vec![schema],
        };
        for part in parts {
            let required = part["required"].as_array().cloned().unwrap_or_default();
            for (name, field) in part["properties"].as_object().into_iter().flatten() {
                let of_type = self.describe(field);
                let is_required = required.iter().any(|one| one == name);
                let optional = if is_required { "" } else { ", optional" };
                let about = sentence(about(field));
                writeln!(text, "| `{name}` | {of_type}{optional} | {about} |").unwrap();
            }
        }
        text
    }

    fn resolved<'v>(&self, schema: &'v Value) -> &'v Value
    where
        Self: 'v,
    {
        match schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => schema,
        }
    }

    /// The description of every type that was referred to; describing one may refer to others.
    fn section(mut self) -> String {
        let mut described = BTreeMap::new();
        while let Some(name) = self
            .shown
            .iter()
            .find(|(_, done)| !**done)
            .map(|(name, _)| name.clone())
        {
            self.shown.insert(name.clone(), true);
            let reference = format!("#/components/schemas/{name}");
            let schema = self.document.pointer(&reference[1..]).unwrap();
            let about = sentence(about(schema));
            let fields = self.fields(&reference);
            described.insert(name, format!("{about}\n\n{fields}").trim_start().to_owned());
        }
        let mut text = String::from("\n## Types\n");
        for (name, about) in described {
            write!(text, "\n### Type {name}\n\n{about}").unwrap();
        }
        text
    }
}

/// A schema's description; one of several schemas may have it.
fn about(schema: &Value) -> &str {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let mut all = std::iter::once(schema).chain(choices);
    all.find_map(|one| one["description"].as_str())
        .unwrap_or_default()
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

fn code(code: &ErrorCode) -> String {
    format!("{} `{}`", code.status, code.name)
}

fn listed(words: impl Iterator<Item = String>) -> String {
    listed_by(", ", words)
}

fn listed_by(separator: &str, words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(separator)
}

/// In a table or a paragraph, with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim().replace('\n', " ").replace('|', "\\|");
    match text.is_empty() || text.ends_with(['.', ':']) {
        true => text,
        false => format!("{text}."),
    }
}

/// As code hosts and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
