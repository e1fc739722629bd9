//! A server whose public URL is where it really listens, so that others can verify what it signs; and its credentials.

use std::path::Path;
use std::time::Duration;

use cloakroom::config::{Environment, Settings};
use cloakroom::crypto::access_token::AccessTokens;
use cloakroom::crypto::jwt::NewAccessToken;
use cloakroom::crypto::key_ring::KeyRing;
use cloakroom::crypto::token::random_hex;
use cloakroom::domain::clock::{Clock, Timestamp};
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, UserId};
use serde_json::{Value, json};

use super::process::{Server, TestServer};
use super::program::free_address;

/// The scope that the recipes and examples demand.
pub const SCOPE: &str = "orders:read";
/// What a user may hand to a token here.
pub const SCOPES: &str = "orders:read orders:write";

/// The server and its folder.
pub struct Issuer {
    pub test_server: TestServer,
    pub server: Server,
}

/// A moment, in seconds before now.
#[derive(Clone, Copy)]
pub enum Ago {
    Issued(i64),
    Expired(i64),
}

/// A user who has signed in.
pub struct SignedIn {
    pub user_id: String,
    pub session_id: String,
    pub token: String,
}

impl Issuer {
    /// Starts one.
    pub fn open() -> Self {
        let mut test_server = TestServer::new();
        let address = free_address();
        test_server.set("CLOAKROOM__SERVER__BIND", address.to_string());
        test_server.set("CLOAKROOM__SERVER__PUBLIC_URL", format!("http://{address}"));
        test_server.set("CLOAKROOM__TOKENS__SCOPES", SCOPES.replace(' ', ","));
        test_server.set("CLOAKROOM__TOKENS__CLAIMS", "role");
        let server = test_server.serve();
        Self {
            test_server,
            server,
        }
    }

    /// What its tokens name as `iss` and `aud`.
    pub fn name(&self) -> String {
        self.server.url("")
    }

    /// A new user, signed in.
    pub fn sign_up(&self, address: &str) -> SignedIn {
        self.signed_in("/v1/registrations", address, 201)
    }

    /// One more session of a user.
    pub fn sign_in(&self, address: &str) -> SignedIn {
        self.signed_in("/v1/session", address, 200)
    }

    fn signed_in(&self, path: &str, address: &str, expected: u16) -> SignedIn {
        let reply = self.post(
            path,
            None,
            &json!({ "email_address": address, "password": "password" }),
            expected,
        );
        SignedIn {
            user_id: reply["user"]["id"].to_string(),
            session_id: reply["session"]["id"].to_string(),
            token: text(&reply["token"]),
        }
    }

    /// An access token of this session, with all scopes or these alone.
    pub fn access_token(&self, session: &str, scope: Option<&str>) -> String {
        let body = scope.map_or(json!({}), |scope| json!({ "scope": scope }));
        text(&self.post("/v1/tokens", Some(session), &body, 200)["access_token"])
    }

    /// An access token that expires with its session, in two seconds at most.
    pub fn access_token_about_to_expire(&self, session: &SignedIn) -> String {
        self.change(&format!(
            "UPDATE sessions SET expires_at = {} WHERE id = {}",
            Clock::System.now().as_millis() / 1000 * 1000 + 2000,
            session.session_id
        ));
        self.access_token(&session.token, None)
    }

    /// An access token of all scopes that is valid for 15 minutes, from another moment than now.
    pub fn signed(&self, session: &SignedIn, at: Ago) -> String {
        const LIFETIME: Duration = Duration::from_secs(15 * 60);
        let mut settings = Settings::for_env(Environment::Test).unwrap();
        settings.database.path = self.test_server.database();
        settings.server.public_url = self.name().parse().unwrap();
        let tokens = AccessTokens::open(&KeyRing::open(&settings).unwrap(), &settings).unwrap();
        let shift =
            |now: Timestamp, seconds: i64| Timestamp::from_millis(now.as_millis() - seconds * 1000);
        let issued_at = match at {
            Ago::Issued(seconds) => shift(Clock::System.now(), seconds),
            Ago::Expired(seconds) => shift(Clock::System.now() - LIFETIME, seconds),
        };
        let token = NewAccessToken {
            auth_methods: &AuthMethods::default(),
            authenticated_at: Timestamp::from_millis(0),
            claims: &Claims::default(),
            audience: None,
            user_id: UserId(session.user_id.parse().unwrap()),
            sid: &session.session_id,
            scopes: &Scopes::parse(SCOPES).unwrap(),
            jti: &random_hex().unwrap(),
            issued_at,
            expires_at: issued_at + LIFETIME,
        };
        tokens.mint(&token).unwrap()
    }

    /// A user's API key: its id and itself.
    pub fn api_key(&self, session: &str, scope: &str) -> (String, String) {
        let reply = self.post(
            "/v1/api_keys",
            Some(session),
            &json!({ "name": "Till", "scopes": [scope], "password_challenge": "password" }),
            201,
        );
        (reply["api_key"]["id"].to_string(), text(&reply["key"]))
    }

    /// An API key of a service, created by the operator.
    pub fn service_key(&self, scope: &str) -> String {
        let output = self
            .test_server
            .run(&["api-keys", "create", "--name", "Till", "--scope", scope]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Ends one token alone.
    pub fn revoke(&self, token: &str) {
        self.post("/v1/tokens/revoke", None, &json!({ "token": token }), 200);
    }

    /// The keys that verify its tokens.
    pub fn jwks(&self) -> Value {
        self.server
            .request("GET", "/.well-known/jwks.json", None, None)
            .1
    }

    /// Changes the database under the running server.
    pub fn change(&self, sql: &str) {
        self.test_server.store().execute(sql);
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.test_server.path()
    }

    fn post(&self, path: &str, token: Option<&str>, body: &Value, expected: u16) -> Value {
        let (status, reply) = self.server.request("POST", path, token, Some(body));
        assert_eq!(status, expected, "{path}: {reply}");
        reply
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
