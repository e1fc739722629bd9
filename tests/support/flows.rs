//! What users do, in one set of words for an app in process and for a server behind TCP.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::Method;
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use super::process::Server;

/// One request of a user: method, path, bearer token and JSON body.
pub struct Action {
    method: Method,
    path: String,
    token: Option<String>,
    body: Option<Value>,
}

impl Action {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            token: None,
            body: None,
        }
    }

    fn bearer(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A method for each action. [`TestApp`] returns a future of the reply, [`Server`] status and body.
pub trait Flows {
    type Reply;

    fn perform(&self, action: Action) -> Self::Reply;

    fn sign_up(&self, email_address: &str, password: &str) -> Self::Reply {
        let body = json!({ "email_address": email_address, "password": password });
        self.perform(Action::new(Method::POST, "/v1/registrations").json(body))
    }

    fn sign_in(&self, email_address: &str, password: &str) -> Self::Reply {
        let body = json!({ "email_address": email_address, "password": password });
        self.perform(Action::new(Method::POST, "/v1/session").json(body))
    }

    /// Requests a mail with a reset link.
    fn request_reset(&self, email_address: &str) -> Self::Reply {
        let body = json!({ "email_address": email_address });
        self.perform(Action::new(Method::POST, "/v1/passwords").json(body))
    }

    /// Uses a reset link.
    fn reset_password(&self, link: &str, password: &str) -> Self::Reply {
        let body = json!({ "password": password, "password_confirmation": password });
        self.perform(Action::new(Method::PUT, format!("/v1/passwords/{link}")).json(body))
    }

    /// Requests a mail with a verification link.
    fn request_verification(&self, email_address: &str) -> Self::Reply {
        let body = json!({ "email_address": email_address });
        self.perform(Action::new(Method::POST, "/v1/confirmations").json(body))
    }

    /// Uses a verification link.
    fn verify_email(&self, link: &str) -> Self::Reply {
        self.perform(Action::new(
            Method::PUT,
            format!("/v1/confirmations/{link}"),
        ))
    }

    /// Replaces the token of a session.
    fn rotate_session(&self, token: &str) -> Self::Reply {
        self.perform(Action::new(Method::POST, "/v1/session/rotate").bearer(token))
    }

    /// Exchanges a session's token for an access and a refresh token.
    fn issue_tokens(&self, session: &str, scope: &str) -> Self::Reply {
        let action = Action::new(Method::POST, "/v1/tokens").bearer(session);
        self.perform(action.json(json!({ "scope": scope })))
    }

    /// Exchanges a refresh token for a new pair.
    fn refresh(&self, refresh_token: &str) -> Self::Reply {
        let body = json!({ "refresh_token": refresh_token });
        self.perform(Action::new(Method::POST, "/v1/tokens/refresh").json(body))
    }
}

impl Flows for TestApp {
    type Reply = Pin<Box<dyn Future<Output = Reply>>>;

    fn perform(&self, action: Action) -> Self::Reply {
        let mut call = self.call(action.method, &action.path);
        if let Some(token) = &action.token {
            call = call.bearer(token);
        }
        if let Some(body) = &action.body {
            call = call.json(body);
        }
        Box::pin(call.send())
    }
}

impl Flows for Server {
    type Reply = (u16, Value);

    fn perform(&self, action: Action) -> Self::Reply {
        let (token, body) = (action.token.as_deref(), action.body.as_ref());
        self.request(action.method.as_str(), &action.path, token, body)
    }
}

/// The token of the link in a mail's text, after this part of its path: `/passwords/`.
pub fn link_token(text: &str, path: &str) -> String {
    let (_, rest) = text.split_once(path).expect("a link");
    let is_end = |character: char| character == '/' || character.is_whitespace();
    rest.split(is_end).next().expect("a token").to_owned()
}
