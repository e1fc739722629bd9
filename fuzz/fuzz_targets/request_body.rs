//! Any body: reading it returns the field that another parser finds in it, or a client error.

#![no_main]

use actix_web::http::header::HeaderValue;
use actix_web::rt::{System, SystemRunner};
use actix_web::web;
use arbitrary::Arbitrary;
use cloakroom::http::Body;
use cloakroom::testing::TestApp;
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
struct Request<'a> {
    content_type: ContentType<'a>,
    bytes: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum ContentType<'a> {
    Json,
    Form,
    Other(&'a str),
}

impl ContentType<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Other(text) => text,
        }
    }
}

thread_local! {
    /// Never dropped: at the end of the process the runtime's own thread locals are gone already.
    static APP: &'static (SystemRunner, TestApp) = {
        let system = System::new();
        let app = system.block_on(TestApp::with(|config| {
            config.route("/password", web::post().to(password));
        }));
        Box::leak(Box::new((system, app)))
    };
}

#[derive(Deserialize)]
struct Form {
    password: String,
}

async fn password(Body(form): Body<Form>) -> String {
    form.password
}

fuzz_target!(|body: Request| {
    if HeaderValue::from_str(body.content_type.text()).is_err() {
        return;
    }
    let reply = APP.with(|(system, app)| {
        let call = app
            .post("/password")
            .body(body.content_type.text(), body.bytes.to_vec());
        system.block_on(call.send())
    });
    match reply.status {
        200 if body.bytes.is_empty() => assert!(reply.body.is_empty()),
        200 => match body.content_type {
            ContentType::Json => assert_eq!(reply.text(), json_field(body.bytes)),
            ContentType::Form => assert_eq!(reply.text(), form_field(body.bytes)),
            ContentType::Other(_) => {}
        },
        status => assert!(matches!(status, 400 | 413 | 415 | 422), "status {status}"),
    }
});

fn json_field(bytes: &[u8]) -> String {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let body: Value = serde_json::from_slice(text).expect("the accepted body is JSON");
    assert!(body.is_object(), "the accepted body is an object");
    body["password"].as_str().unwrap_or_default().to_owned()
}

fn form_field(bytes: &[u8]) -> String {
    let fields: Vec<(String, String)> =
        serde_urlencoded::from_bytes(bytes).expect("the accepted body is a form");
    let mut values = fields.into_iter().filter(|(name, _)| name == "password");
    values.next().map(|(_, value)| value).unwrap_or_default()
}
