//! What actix-http reports as errors of the server and clients cause: each malformed request would raise an alert.

use std::fmt::Debug;

use tracing::Event;
use tracing::field::{Field, Visit};

/// Whether an event is about what a client sent, or how it closed its connection.
pub fn is_of_client(event: &Event<'_>) -> bool {
    if !event.metadata().target().starts_with("actix_http::h1::") {
        return false;
    }
    let mut about_app = AboutApp(false);
    event.record(&mut about_app);
    !about_app.0
}

/// Whether an event of these modules is about a response of the application. The others are about clients.
struct AboutApp(bool);

impl Visit for AboutApp {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}").starts_with("Response payload stream error");
        }
    }
}
