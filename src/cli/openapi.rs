//! `cloakroom openapi`: prints the OpenAPI document.

use super::output::print;
use crate::features;
use crate::http::openapi;

pub(super) fn run() -> super::Outcome {
    Ok(print(&openapi::json(&features::routes())?)?)
}
