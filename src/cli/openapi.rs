//! `cloakroom openapi`: prints the OpenAPI document.

use super::output::print;
use crate::http::openapi;

pub(super) fn run() -> super::Outcome {
    Ok(print(&openapi::json()?)?)
}
