//! An actix-web service that verifies every request with Cloakroom: `cargo run --example behind_verify`.
//!
//! It accepts sessions, access tokens and API keys. Revoked sessions and keys are refused from the next request on, at
//! the cost of one request over the local network each time. It accepts no cookies: requests from browsers come through
//! a proxy that verifies them, as in `examples/nginx` and `examples/caddy`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "an example stops at the first failure"
)]

use std::env;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::{ErrorServiceUnavailable, InternalError};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer, Responder, get, web,
};
use futures_util::future::LocalBoxFuture;
use ureq::Agent;

/// A verified caller with the scope `orders:read`. This argument protects the handler.
struct Reader {
    /// `None` for the API key of a service.
    user_id: Option<String>,
}

impl FromRequest for Reader {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cloakroom = request
            .app_data::<web::Data<Cloakroom>>()
            .expect("Cloakroom")
            .clone();
        let mut verification = cloakroom
            .agent
            .get(format!("{}/v1/verify?scope=orders:read", cloakroom.url));
        for name in [AUTHORIZATION.as_str(), "X-API-Key"] {
            for value in request.headers().get_all(name) {
                verification = verification.header(name, value.as_bytes());
            }
        }
        Box::pin(async move {
            // Fails closed: every error refuses the request.
            let answer = web::block(move || verification.call())
                .await?
                .map_err(ErrorServiceUnavailable)?;
            let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
            match answer.status().as_u16() {
                200 => Ok(Self {
                    user_id: header("X-User-Id").filter(|id| !id.is_empty()),
                }),
                status @ (400 | 401 | 403) => Err(refusal(status, header("WWW-Authenticate"))),
                other => Err(ErrorServiceUnavailable(format!(
                    "Cloakroom answered {other}"
                ))),
            }
        })
    }
}

/// Passes on Cloakroom's status and challenge to a refused caller.
fn refusal(status: u16, challenge: Option<String>) -> Error {
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = HttpResponse::build(status);
    if let Some(challenge) = challenge {
        response.insert_header((WWW_AUTHENTICATE, challenge));
    }
    InternalError::from_response("refused by Cloakroom", response.finish()).into()
}

#[get("/orders")]
async fn orders(reader: Reader) -> impl Responder {
    web::Json(serde_json::json!({ "user": reader.user_id, "orders": [] }))
}

struct Cloakroom {
    url: String,
    agent: Agent,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let url = env::var("CLOAKROOM_URL").unwrap_or_else(|_| "http://localhost:3000".to_owned());
    let timeout = Some(Duration::from_secs(5));
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(timeout)
        .build()
        .into();
    let cloakroom = web::Data::new(Cloakroom { url, agent });
    let port = env::var("PORT").map_or(8080, |port| port.parse().expect("PORT is a number"));
    let server = HttpServer::new(move || App::new().app_data(cloakroom.clone()).service(orders))
        .bind(("127.0.0.1", port))?;
    println!("listening on http://{}", server.addrs()[0]);
    server.run().await
}
