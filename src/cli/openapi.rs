//! `cloakroom openapi`: the document of the routes, for generators of clients and for readers.

use super::output::say;
use crate::http::openapi;

pub(super) fn run() -> super::Outcome {
    Ok(say(&openapi::json()?)?)
}
