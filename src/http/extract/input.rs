//! What a client sends: a JSON object or a form, read within limits, and fields taken from it by name. What is not
//! asked for is ignored, so that nothing can be assigned that no handler named.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroize;

use super::client_info;
use crate::domain::error::{Error, Result, ValidationErrors};

/// The longest body that is read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The fields of a body. Its text is wiped when dropped: passwords came in it.
pub struct Input {
    fields: HashMap<String, Value>,
}

impl Input {
    /// A text field. Absent and `null` are the same; a value of another type is a fault.
    pub fn text(&self, name: &'static str, invalid: &mut ValidationErrors) -> Option<&str> {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                invalid.add(name, "is invalid");
                None
            }
        }
    }

    /// A yes or no, absent being no; a form says `true` or `1`, `false` or `0`.
    pub fn flag(&self, name: &'static str, invalid: &mut ValidationErrors) -> bool {
        match self.fields.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if text == "true" || text == "1" => true,
            Some(Value::String(text)) if text == "false" || text == "0" || text.is_empty() => false,
            Some(_) => {
                invalid.add(name, "is invalid");
                false
            }
        }
    }

    /// A list of words: an array of texts or, as a form says it, one text with spaces between them.
    pub fn words(&self, name: &'static str, invalid: &mut ValidationErrors) -> Option<Vec<&str>> {
        let words = match self.fields.get(name) {
            None | Some(Value::Null) => return None,
            Some(Value::String(text)) => {
                Some(text.split(' ').filter(|word| !word.is_empty()).collect())
            }
            Some(Value::Array(words)) => words.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        if words.is_none() {
            invalid.add(name, "is invalid");
        }
        words
    }

    /// Whether the field is there at all, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Input([hidden])")
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        for value in self.fields.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl FromRequest for Input {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = client_info::context(&request)?.settings.server.body_timeout;
            let body = actix_web::rt::time::timeout(limit, read_body(&request, payload));
            let mut body = body.await.map_err(|_| Error::TooSlow)??;
            let input = parse(&request, &body);
            body.as_mut().zeroize();
            input
        })
    }
}

async fn read_body(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(Error::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced.unwrap_or(512));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::Malformed("The body ended before it was whole"))?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse(request: &HttpRequest, body: &[u8]) -> Result<Input> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let fields = match kind.as_str() {
        "application/json" if body.is_empty() => HashMap::new(),
        "application/json" => {
            serde_json::from_slice::<Fields>(body)
                .map_err(malformed_json)?
                .0
        }
        "application/x-www-form-urlencoded" => parse_form(body)?,
        "" if body.is_empty() => HashMap::new(),
        _ => return Err(Error::UnsupportedMediaType),
    };
    Ok(Input { fields })
}

fn malformed_json(fault: serde_json::Error) -> Error {
    match fault.classify() {
        serde_json::error::Category::Data => {
            Error::Malformed("The body must be one JSON object, with each key once")
        }
        _ => Error::Malformed("The body is not valid JSON"),
    }
}

fn parse_form(body: &[u8]) -> Result<HashMap<String, Value>> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
        .map_err(|_| Error::Malformed("The body is not a valid form"))?;
    let mut fields = HashMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        // What is not UTF-8 was replaced while decoding; a password must not change on its way.
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Error::Malformed("The form is not in UTF-8"));
        }
        if fields.insert(name, Value::String(value)).is_some() {
            return Err(Error::Malformed("The form has a field twice"));
        }
    }
    Ok(fields)
}

/// A JSON object in which no key stands twice: two readers could take two different ones.
struct Fields(HashMap<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a key stands twice"));
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(value: Value) -> Result<Option<Vec<String>>, ValidationErrors> {
        let input = Input {
            fields: HashMap::from([("scopes".to_owned(), value)]),
        };
        let mut invalid = ValidationErrors::default();
        let words = input.words("scopes", &mut invalid);
        invalid
            .into_result()
            .map(|()| words.map(|words| words.into_iter().map(str::to_owned).collect()))
    }

    #[test]
    fn scopes_are_read_from_an_array_or_a_string() {
        let both = Ok(Some(vec!["a:b".to_owned(), "c:d".to_owned()]));
        for value in [json!(["a:b", "c:d"]), json!("a:b c:d"), json!(" a:b  c:d ")] {
            assert_eq!(words(value), both);
        }
        assert_eq!(words(json!(null)), Ok(None));
        assert_eq!(
            (words(json!([])), words(json!(""))),
            (Ok(Some(vec![])), Ok(Some(vec![])))
        );
        // One that is no word stays one fault for whoever reads them.
        assert_eq!(
            words(json!(["a:b c:d"])),
            Ok(Some(vec!["a:b c:d".to_owned()]))
        );
        for value in [
            json!(1),
            json!({}),
            json!(["a:b", 1]),
            json!([["a:b"]]),
            json!([null]),
        ] {
            assert_eq!(
                words(value),
                Err(ValidationErrors::field("scopes", "is invalid"))
            );
        }
    }
}
