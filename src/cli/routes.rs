//! `cloakroom routes`: prints the route table of the server with these settings.

use serde_json::{Value, json};

use super::output::{Format, table};
use crate::config::Settings;
use crate::features;

pub(super) fn run(settings: &Settings, format: &Format) -> super::Outcome {
    let routes = features::enabled_routes(settings);
    let entries: Vec<Value> = routes
        .iter()
        .map(|route| {
            json!({ "method": route.method.to_string(), "path": route.path, "access": route.access.to_string() })
        })
        .collect();
    format.print(&json!({ "routes": entries }), || {
        let rows = routes.iter().map(|route| {
            [
                route.method.to_string(),
                route.path.to_owned(),
                route.access.to_string(),
            ]
        });
        table(["method", "path", "access"], rows)
    })
}
