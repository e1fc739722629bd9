//! For tests of embedders and of this crate: the server in process, with a database of its own, a manual clock, bcrypt at
//! its lowest cost and mails kept in memory.
//!
//! If the variable `CLOAKROOM_TEST_DATABASE_URL` names a PostgreSQL server, each database is a new schema there, of a new
//! role. Both are dropped afterwards. The user of the URL is a superuser.
//!
//! ```
//! # use actix_web::{HttpResponse, web};
//! use cloakroom::CurrentUser;
//! use cloakroom::testing::TestApp;
//!
//! async fn hello(user: CurrentUser) -> HttpResponse {
//!     HttpResponse::Ok().body(format!("Hello, {}", user.email_address.as_str()))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() {
//! let app = TestApp::with(|config| { config.route("/hello", web::get().to(hello)); }).await;
//! let user = app.create_user("one@example.com", "password").await;
//! let token = app.sign_in_as(&user).await;
//!
//! assert_eq!(app.get("/hello").send().await.status, 401);
//! assert_eq!(app.get("/hello").bearer(&token).send().await.text(), "Hello, one@example.com");
//! # }
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[cfg(feature = "validate-replies")]
mod reply_check;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::Service as _;
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{App, HttpResponse};
use serde_json::Value;
use tempfile::TempDir;

use crate::config::{Environment, Settings};
use crate::context::{Context, Hooks};
use crate::crypto::password::Password;
use crate::crypto::token::{PlainToken, TokenKind, random_hex};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::scope::Scopes;
use crate::domain::{AuthMethod, EmailAddress, User};
use crate::features;
use crate::http::auth::cookie;
use crate::http::routes;
use crate::mail::Transport;
pub use crate::mail::transport::SentEmail;
use crate::server::Cloakroom;
use crate::store::api_keys::{self, NewKey};
use crate::store::sessions::{self, NewSession};
use crate::store::{TestSchema, passwords, users};

/// The initial time of a [`TestApp`]'s clock: 2026-01-31T09:30:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_769_851_800_000);

type Service = dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = Reply>>>;

/// An app in process: the server's routes, alone or beside your own.
#[derive(Clone)]
pub struct TestApp {
    cloakroom: Cloakroom,
    service: Rc<Service>,
    schema: Option<Rc<TestSchema>>,
    _folder: Rc<TempDir>,
}

impl TestApp {
    /// The server's routes.
    pub async fn new() -> Self {
        Self::builder().build().await
    }

    /// The server's routes and yours.
    pub async fn with(configure: impl FnOnce(&mut ServiceConfig) + 'static) -> Self {
        Self::builder().routes(configure).build().await
    }

    /// The server's routes with changed settings.
    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::builder().settings(change).build().await
    }

    /// An app with settings and routes of your own.
    pub fn builder() -> TestAppBuilder {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut settings = Settings::for_env(Environment::Test).expect("the settings for tests");
        settings.database.path = folder.path().join("cloakroom.db");
        settings.mail.directory = folder.path().join("mail");
        let schema = TestSchema::from_environment();
        if let Some(schema) = &schema {
            schema.set_in(&mut settings.database);
        }
        TestAppBuilder {
            folder,
            schema,
            settings,
            routes: Vec::new(),
            hooks: Hooks::new(),
            prefix: String::new(),
        }
    }

    /// What its handlers reach.
    pub fn context(&self) -> &Context {
        self.cloakroom.context()
    }

    /// Its schema, on PostgreSQL.
    #[doc(hidden)]
    pub fn schema(&self) -> Option<&TestSchema> {
        self.schema.as_deref()
    }

    /// The manual clock.
    pub fn clock(&self) -> &Clock {
        &self.context().clock
    }

    /// The figures for Prometheus.
    pub fn metrics(&self) -> String {
        self.cloakroom.metrics()
    }

    /// Delivers due mails; returns all mails sent so far, oldest first.
    pub async fn mails(&self) -> Vec<SentEmail> {
        while self
            .context()
            .mail_worker
            .deliver_due()
            .await
            .expect("a delivery")
            > 0
        {}
        self.context().mail_worker.transport().sent()
    }

    /// Creates a user with a password.
    pub async fn create_user(&self, email_address: &str, password: &str) -> User {
        let context = self.context();
        let password = Password::offered(password).expect("a usable password");
        let slot = context.passwords.reserve(IpAddr::from(Ipv4Addr::LOCALHOST));
        let slot = slot.expect("a place in the queue");
        let digest = slot.hash(password).await.expect("a digest");
        let address = EmailAddress::parse(email_address).expect("an email address");
        let now = context.clock.now();
        let inserted = context
            .database
            .write(move |tx| {
                let user = users::insert(tx, &address, None, now)?;
                if let Some(user) = &user {
                    passwords::insert(tx, user.id, &digest, now)?;
                }
                Ok(user)
            })
            .await;
        inserted.expect("a write").expect("a free address")
    }

    /// Starts a session for a user, without a password; returns the bearer token.
    pub async fn sign_in_as(&self, user: &User) -> String {
        sign_in_as(self.context(), user).await
    }

    /// Creates an API key of a user with these scopes, separated by spaces; returns the key, for [`Call::bearer`].
    pub async fn create_api_key(&self, user: &User, scopes: &str) -> String {
        let context = self.context();
        let key = PlainToken::generate(TokenKind::ApiKey).expect("randomness");
        let scopes = Scopes::parse(scopes).expect("scopes");
        let (digest, last_four) = (key.digest(), key.last_four().to_owned());
        let (user_id, now) = (Some(user.id), context.clock.now());
        let inserted = context.database.write(move |tx| {
            let new = NewKey {
                user_id,
                name: "test",
                token_digest: digest,
                last_four: &last_four,
                scopes: &scopes,
                expires_at: None,
            };
            api_keys::insert(tx, &new, u32::MAX, now)
        });
        inserted.await.expect("a write").expect("no limit");
        key.reveal().to_owned()
    }

    /// A `GET` request.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A `POST` request.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A `PUT` request.
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// A `PATCH` request.
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// A `DELETE` request.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Any request.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            service: Rc::clone(&self.service),
            request: TestRequest::with_uri(path).method(method),
            cookie_name: cookie::name(&self.context().settings),
        }
    }
}

/// Adds the routes of an embedding app.
type AddRoutes = Box<dyn FnOnce(&mut ServiceConfig)>;

/// An app under construction.
///
/// ```
/// # use actix_web::{HttpResponse, web};
/// use cloakroom::Caller;
/// use cloakroom::testing::TestApp;
///
/// async fn orders(caller: Caller) -> cloakroom::Result<HttpResponse> {
///     caller.require("orders:read")?;
///     Ok(HttpResponse::Ok().finish())
/// }
///
/// # #[actix_web::main]
/// # async fn main() {
/// let app = TestApp::builder()
///     .settings(|settings| settings.registration.open = false)
///     .routes(|config| { config.route("/orders", web::get().to(orders)); })
///     .build()
///     .await;
/// let user = app.create_user("one@example.com", "password").await;
/// let (reader, writer) = (app.create_api_key(&user, "orders:read").await, app.create_api_key(&user, "orders:write").await);
///
/// assert_eq!(app.get("/orders").bearer(&reader).send().await.status, 200);
/// assert_eq!(app.get("/orders").bearer(&writer).send().await.status, 403);
/// # }
/// ```
pub struct TestAppBuilder {
    folder: TempDir,
    schema: Option<TestSchema>,
    settings: Settings,
    routes: Vec<AddRoutes>,
    hooks: Hooks,
    prefix: String,
}

impl TestAppBuilder {
    /// Changes settings.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Adds routes.
    pub fn routes(mut self, configure: impl FnOnce(&mut ServiceConfig) + 'static) -> Self {
        self.routes.push(Box::new(configure));
        self
    }

    /// Adds functions that run at each sign-up.
    pub fn hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
        self
    }

    /// Mounts the server's routes below a path.
    pub fn at(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Builds it; panics when the settings are not valid.
    pub async fn build(self) -> TestApp {
        let Self {
            folder,
            schema,
            settings,
            routes: own,
            hooks,
            prefix,
        } = self;
        let mut context = Context::assemble(settings, Clock::manual(START), Transport::memory())
            .expect("valid settings");
        context.hooks = hooks;
        let routes = features::enabled_routes(&context.settings);
        let documented: Rc<[_]> = routes.iter().map(|route| route.path).collect();
        let cloakroom = Cloakroom::new(context).at(&prefix);
        let prefix: Rc<str> = prefix.trim_end_matches('/').into();
        let app = App::new()
            .wrap(cloakroom.middleware())
            .configure(cloakroom.mount())
            .configure(|config| own.into_iter().for_each(|routes| routes(config)))
            .default_service(web::to(routes::not_found));
        let service = Rc::new(test::init_service(app).await);
        let service: Rc<Service> = Rc::new(move |request| {
            let (service, documented) = (Rc::clone(&service), Rc::clone(&documented));
            let prefix = Rc::clone(&prefix);
            Box::pin(async move {
                let request = request.to_request();
                let (method, path) = (request.method().clone(), request.path().to_owned());
                let reply = match service.call(request).await {
                    Ok(reply) => Reply::read(reply.into_parts().1).await,
                    // As the server does: with what the middleware around the failure adds.
                    Err(failure) => Reply::read(failure.error_response()).await,
                };
                // Described without the prefix; other paths are the app's own.
                if let Some(path) = path.strip_prefix(&*prefix) {
                    reply.assert_documented(&documented, &method, path);
                }
                reply
            })
        });
        TestApp {
            cloakroom,
            service,
            schema: schema.map(Rc::new),
            _folder: Rc::new(folder),
        }
    }
}

/// Starts a session for a user, without a password, in an app that you build yourself; returns the bearer token.
pub async fn sign_in_as(context: &Context, user: &User) -> String {
    let token = PlainToken::generate(TokenKind::Session).expect("randomness");
    let now = context.clock.now();
    let new = NewSession {
        token_digest: token.digest(),
        ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        expires_at: now + context.settings.session.lifetime,
        remembered: false,
        nonce: random_hex().expect("randomness"),
    };
    let user_id = user.id;
    context
        .database
        .write(move |tx| {
            sessions::insert(tx, user_id, &new, (&AuthMethod::Password.into(), now), now)
        })
        .await
        .expect("a session");
    token.reveal().to_owned()
}

/// A request under construction.
pub struct Call {
    service: Rc<Service>,
    request: TestRequest,
    cookie_name: &'static str,
}

impl Call {
    /// Presents a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Presents a token in the session cookie, as a browser does.
    pub fn cookie(self, token: &str) -> Self {
        let cookie = format!("{}={token}", self.cookie_name);
        self.header("Cookie", &cookie)
    }

    /// Marks the request as same-origin, as a browser does.
    pub fn same_origin(self) -> Self {
        self.header("Sec-Fetch-Site", "same-origin")
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.append_header((name, value));
        self
    }

    /// Sets the peer address.
    pub fn from(mut self, peer: SocketAddr) -> Self {
        self.request = self.request.peer_addr(peer);
        self
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.set_json(body);
        self
    }

    /// Sets a form body.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.set_form(fields);
        self
    }

    /// Sets any body.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.request = self
            .request
            .insert_header(("Content-Type", content_type))
            .set_payload(body);
        self
    }

    /// Sends it.
    pub async fn send(self) -> Reply {
        (self.service)(self.request).await
    }
}

/// A complete reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    async fn read(response: HttpResponse<impl MessageBody>) -> Self {
        let (head, body) = response.into_parts();
        let body = actix_web::body::to_bytes(body)
            .await
            .ok()
            .expect("a whole body");
        Self {
            status: head.status().as_u16(),
            headers: head.headers().clone(),
            body,
        }
    }

    /// Panics if it is of one of these routes and differs from the OpenAPI document.
    #[cfg(feature = "validate-replies")]
    fn assert_documented(&self, patterns: &[&str], method: &Method, path: &str) {
        let is_ours = |pattern: &&str| reply_check::matches(pattern, path);
        if !patterns.iter().any(is_ours) {
            return;
        }
        if let Err(fault) = reply_check::check(method, path, self) {
            let body = String::from_utf8_lossy(&self.body);
            panic!("{fault}\n{body}\nfix the reply or its row in the route table");
        }
    }

    #[cfg(not(feature = "validate-replies"))]
    fn assert_documented(&self, _: &[&str], _: &Method, _: &str) {}

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
