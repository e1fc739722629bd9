//! Turns errors into responses. Statuses, codes and sentences are in [`error_codes`](super::error_codes).

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error_codes::{ErrorCode, row};
use crate::config::Settings;
use crate::domain::error::{Error, ValidationErrors};
use crate::domain::{AAL2, SecondFactorDue};

/// Confirms a change in one sentence.
#[derive(Serialize, ToSchema)]
pub struct Message {
    message: &'static str,
}

impl Message {
    /// The sentence, for people.
    pub fn new(message: &'static str) -> Self {
        Self { message }
    }
}

/// The body of every error response.
#[derive(Serialize, ToSchema)]
pub struct Failure<'a> {
    /// One sentence for people.
    error: Cow<'a, str>,
    /// Stable, for programs.
    code: &'a str,
    /// Full sentences, for invalid input (422) and links (401 `link_invalid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<Vec<String>>,
    /// The faults of each field, for invalid input (422).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, Vec<String>>>, nullable = false)]
    fields: Option<Map<String, Value>>,
    /// Identifies the request in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required)]
    request_id: Option<&'a str>,
}

/// The body with what one code has besides.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    body: Failure<'a>,
    #[serde(flatten)]
    details: Option<&'a SecondFactorDue>,
}

/// `Location` of a created resource (RFC 9110, 15.3.2): `path`, below the path of the public URL.
pub fn location(settings: &Settings, path: &str) -> (HeaderName, String) {
    let base = settings.server.public_url.path().trim_end_matches('/');
    (LOCATION, format!("{base}{path}"))
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(row(self).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status_code());
        add_headers(&mut builder, self);
        builder
            .content_type("application/json")
            .body(render(self, None))
    }
}

/// The body of an error response, with the request's id.
pub(in crate::http) fn body(failure: &actix_web::Error, request_id: &str) -> String {
    match failure.as_error::<Error>() {
        Some(error) => render(error, Some(request_id)),
        None => render(
            &translated(failure.as_response_error().status_code()),
            Some(request_id),
        ),
    }
}

/// The error for a refusal by actix, by status: its own text must not reach a client.
fn translated(status: StatusCode) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        StatusCode::REQUEST_TIMEOUT => Error::TooSlow,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedMediaType,
        status if status.is_client_error() => Error::Malformed("The request cannot be understood"),
        _ => Error::internal("the HTTP library failed"),
    }
}

fn render(error: &Error, request_id: Option<&str>) -> String {
    let ErrorCode { name, sentence, .. } = row(error);
    let mut body = Failure {
        error: sentence.into(),
        code: name,
        errors: None,
        fields: None,
        request_id,
    };
    let mut details = None;
    match error {
        Error::Validation(invalid) => {
            body.error = invalid.to_string().into();
            body.errors = Some(invalid.full_messages());
            body.fields = Some(by_field(invalid));
        }
        Error::SecondFactorRequired(due) => details = Some(&**due),
        Error::LinkInvalid(link) => body.errors = Some(vec![(*link).to_owned()]),
        _ => {}
    }
    serde_json::to_string(&Body { body, details }).unwrap_or_default()
}

fn add_headers(builder: &mut HttpResponseBuilder, error: &Error) {
    let challenge = match error {
        Error::Unauthorized
        | Error::InvalidCredentials
        | Error::LastAttempt
        | Error::SecondFactorRequired(_)
        | Error::PendingSignInInvalid
        | Error::InvalidCode
        | Error::ExchangeCodeInvalid
        | Error::PasskeyInvalid
        | Error::PasskeyUnknown
        | Error::LinkInvalid(_) => r#"Bearer realm="cloakroom""#,
        Error::TokenInvalid | Error::InvalidApiKey => {
            r#"Bearer realm="cloakroom", error="invalid_token""#
        }
        Error::TokenExpired => {
            r#"Bearer realm="cloakroom", error="invalid_token", error_description="The token has expired""#
        }
        _ => "",
    };
    if !challenge.is_empty() {
        builder.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
    }
    match error {
        Error::RateLimited(wait)
        | Error::ProviderUnavailable(wait)
        | Error::Unavailable {
            retry_after: wait, ..
        }
        | Error::NotReady {
            retry_after: wait, ..
        } => {
            builder.insert_header(retry_after(*wait));
        }
        Error::InsufficientScope(scopes) => {
            let challenge = format!(
                r#"Bearer realm="cloakroom", error="insufficient_scope", scope="{}""#,
                scopes.as_str()
            );
            builder.insert_header((WWW_AUTHENTICATE, challenge));
        }
        Error::InsufficientAuthentication {
            two_factors,
            max_age,
        } => {
            let mut challenge =
                r#"Bearer realm="cloakroom", error="insufficient_user_authentication""#.to_owned();
            if *two_factors {
                challenge.push_str(&format!(r#", acr_values="{AAL2}""#));
            }
            if let Some(seconds) = max_age {
                challenge.push_str(&format!(r#", max_age="{seconds}""#));
            }
            builder.insert_header((WWW_AUTHENTICATE, challenge));
        }
        // RFC 9110, 15.5.16
        Error::UnsupportedEncoding => {
            builder.insert_header((ACCEPT_ENCODING, HeaderValue::from_static("identity")));
        }
        Error::MethodNotAllowed(allowed) => {
            builder.insert_header((ALLOW, allowed.join(", ")));
        }
        _ => {}
    }
}

/// In whole seconds, rounded up, so that a retry after this time is not refused again.
fn retry_after(wait: Duration) -> (HeaderName, HeaderValue) {
    (
        RETRY_AFTER,
        HeaderValue::from(wait.as_millis().div_ceil(1000).max(1) as u64),
    )
}

fn by_field(invalid: &ValidationErrors) -> Map<String, Value> {
    let mut fields = Map::new();
    for (attribute, message) in &invalid.faults {
        let messages = fields
            .entry(*attribute)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(messages) = messages {
            messages.push(Value::String(message.clone()));
        }
    }
    fields
}
