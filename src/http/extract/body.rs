//! Reads a body, JSON or a form, into a type.
//!
//! # Threats
//! - mass assignment: only the fields that the type declares are read
//! - two readings of one body: a key that occurs twice is refused, as is a repeated field of a form that is neither a flag
//!   nor a list
//! - large or slow bodies: at most 64 KiB, within `server.body_timeout`; compressed ones are refused
//! - passwords left in memory: the body and its texts are wiped; the type holds secrets as [`SecretText`]

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use zeroize::{Zeroize, Zeroizing};

use super::client_info;
use super::fields::{Fields, Source};
use crate::domain::error::{Error, Result};
use crate::http::inputs::{Input, Inputs, schema_of};

/// The longest body that is read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The body of a request. A field of a wrong JSON type is 422 and names every such field.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A password or token in a body: wiped on drop, never printed.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The text of a field that was filled in: an empty one is none, since a form sends inputs that were left empty.
pub fn filled_in(field: Option<&SecretText>) -> Option<&str> {
    let text = field.map(SecretText::expose);
    text.filter(|text| !text.is_empty())
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            refuse_compressed(&request)?;
            let limit = client_info::context(&request)?.settings.server.body_timeout;
            let body = actix_web::rt::time::timeout(limit, read(&request, payload));
            let mut body = body.await.map_err(|_| Error::TooSlow)??;
            let fields = parse(&request, &body);
            body.as_mut().zeroize();
            fields?.read().map(Self)
        })
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> Input for Body<T> {
    fn describe(inputs: &mut Inputs) {
        inputs.body = Some(schema_of::<T>);
    }
}

/// A body whose `Content-Encoding` is not `identity` would have to be decompressed: a small one could become large.
fn refuse_compressed(request: &HttpRequest) -> Result<()> {
    let is_plain = |line: &HeaderValue| {
        line.to_str().is_ok_and(|line| {
            let mut codings = line.split(',').map(str::trim);
            codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
        })
    };
    match request.headers().get_all(CONTENT_ENCODING).all(is_plain) {
        true => Ok(()),
        false => Err(Error::UnsupportedEncoding),
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut> {
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

fn parse(request: &HttpRequest, body: &[u8]) -> Result<Fields> {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    match media_type.as_deref().unwrap_or_default() {
        "application/json" | "" if body.is_empty() => Ok(Fields::none()),
        "application/json" => parse_json(body),
        "application/x-www-form-urlencoded" => parse_form(body),
        _ => Err(Error::UnsupportedMediaType),
    }
}

/// A byte order mark, which some programs of Windows write, is skipped (RFC 8259, 8.1).
fn parse_json(body: &[u8]) -> Result<Fields> {
    let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            Error::Malformed("The body must be one JSON object, with each key once")
        }
        _ => Error::Malformed("The body is not valid JSON"),
    })
}

fn parse_form(body: &[u8]) -> Result<Fields> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
        .map_err(|_| Error::Malformed("The body is not a valid form"))?;
    // Decoding replaced what is not UTF-8; a password must not change on its way.
    let is_utf8 = |(_, value): &(String, String)| !value.contains(char::REPLACEMENT_CHARACTER);
    if !pairs.iter().all(is_utf8) {
        return Err(Error::Malformed("The form is not in UTF-8"));
    }
    Ok(Fields::from_pairs(pairs, Source::Form))
}
