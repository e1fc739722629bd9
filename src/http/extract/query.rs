//! Reads a query string into a type, and the id in a path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use super::fields::{Fields, Source};
use crate::domain::error::{Error, Result};
use crate::http::inputs::{Input, Inputs};

/// The query of a request. A parameter of `T` that occurs twice is refused: either could be meant. Others are ignored, as
/// often as they occur, unless `T` refuses them.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The `{id}` of a path. Anything but digits is no resource's id, and not found.
#[derive(Clone, Copy, Debug)]
pub struct PathId(pub i64);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

impl<T: DeserializeOwned + IntoParams + 'static> Input for Query<T> {
    fn describe(inputs: &mut Inputs) {
        inputs.query = Some(|| T::into_params(|| Some(ParameterIn::Query)));
    }
}

impl FromRequest for PathId {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_id(request.match_info().query("id")).map(Self))
    }
}

impl Input for PathId {}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| Error::Malformed("The query cannot be read"))?;
    Fields::from_pairs(pairs, Source::Query).read()
}

fn path_id(text: &str) -> Result<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(Error::NotFound)
}
