//! A provider of OpenID Connect in process, which follows the rules unless a test makes it break one; and a browser that
//! signs in by it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cloakroom::accounts::identities::MAX_IDENTITIES;
use cloakroom::config::{Provider, ProviderKind, Secret, Settings};
use cloakroom::crypto::jws::{Jws, KeySet};
use cloakroom::crypto::s256;
use cloakroom::crypto::signed_link::{IDENTITY_LINK_LIFETIME, sign_identity_link};
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::User;
use cloakroom::providers::{BoundTo, Identity, STATE_LIFETIME};
use cloakroom::store::identities::{self, NewIdentity};
use cloakroom::store::identity_link_requests::{self, IdentityLinkRequest};
use cloakroom::store::provider_sign_ins::{self, ProviderSignIn};
use cloakroom::store::users;
use cloakroom::testing::{Call, Reply, START, TestApp};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Map, Value, json};
use url::Url;

use super::app::write;
use super::flows::link_token;

/// The name of the provider in the settings.
pub const ACME: &str = "acme";
pub const CLIENT_ID: &str = "cloakroom@acme";
pub const CLIENT_SECRET: &str = "a:secret%with&signs";
/// Of an app.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RSA_KEY: &[u8] = include_bytes!("../fixtures/rsa_key.p8");

/// The provider.
pub struct FakeProvider {
    /// Its issuer.
    pub url: String,
    shared: Arc<Mutex<Script>>,
}

/// What it answers. Members replace those of an honest answer; `null` removes one.
pub struct Script {
    pub discovery: Value,
    /// The header of ID tokens.
    pub header: Value,
    /// The claims of ID tokens.
    pub claims: Value,
    /// The reply of the token endpoint.
    pub token: Value,
    /// The reply of UserInfo.
    pub userinfo: Value,
    /// The parameters of the callback.
    pub callback: Value,
    /// The algorithm that signs.
    pub algorithm: &'static str,
    /// The JWK set; `null` for the honest one.
    pub keys: Value,
    /// Changes an ID token after it is signed.
    pub after_signing: fn(String) -> String,
    /// The public key that verifies the secret of the client, where a token stands for it.
    pub client_key: Value,
    /// `GET /user` of GitHub.
    pub github_user: Value,
    /// `GET /user/emails` of GitHub.
    pub github_emails: Value,
    /// Whole replies by path.
    pub raw: HashMap<&'static str, String>,
    /// Paths that are never answered.
    pub hangs: Vec<&'static str>,
    /// Paths that were requested.
    pub requests: Vec<String>,
    url: String,
    /// Seconds since 1970.
    pub now: i64,
    /// By authorization code: nonce, challenge and redirect URI.
    codes: HashMap<String, [String; 3]>,
    keys_of: Keys,
    open: Vec<TcpStream>,
}

struct Keys {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

struct Request {
    path: String,
    authorization: String,
    body: String,
}

impl FakeProvider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Script {
            discovery: json!({}),
            header: json!({}),
            claims: json!({}),
            token: json!({}),
            userinfo: json!({}),
            callback: json!({}),
            algorithm: "EdDSA",
            keys: Value::Null,
            after_signing: |token| token,
            client_key: Value::Null,
            github_user: json!({ "id": 583231, "login": "octocat", "name": "Mona" }),
            github_emails: json!([
                { "email": "other@example.com", "primary": false, "verified": true },
                { "email": "Mona@Example.com", "primary": true, "verified": true },
            ]),
            raw: HashMap::new(),
            hangs: Vec::new(),
            requests: Vec::new(),
            url: url.clone(),
            now: START.as_millis() / 1000,
            codes: HashMap::new(),
            keys_of: Keys::new(),
            open: Vec::new(),
        };
        let shared = Arc::new(Mutex::new(script));
        let script = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let script = Arc::clone(&script);
                thread::spawn(move || answer(connection.unwrap(), &script));
            }
        });
        Self { url, shared }
    }

    /// What it answers.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.lock().unwrap()
    }

    /// Adds it to the settings.
    pub fn configure(&self, settings: &mut Settings) {
        provider_settings(settings, &self.url);
        settings.outbound.private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    }

    /// Adds it to the settings as a provider of this kind.
    pub fn configure_as(
        &self,
        settings: &mut Settings,
        kind: ProviderKind,
        change: impl FnOnce(&mut Provider),
    ) {
        self.configure(settings);
        let provider = settings.providers.get_mut(ACME).unwrap();
        (provider.kind, provider.scopes) = (kind, vec![]);
        change(provider);
    }

    /// An app with it.
    pub async fn app(&self) -> TestApp {
        TestApp::with_settings(|settings| self.configure(settings)).await
    }

    /// An app with it as a provider of this kind.
    pub async fn app_as(&self, kind: ProviderKind, change: impl FnOnce(&mut Provider)) -> TestApp {
        TestApp::with_settings(|settings| self.configure_as(settings, kind, change)).await
    }

    /// The user consents: the path and query to which the browser is sent back.
    pub fn consent(&self, authorization_url: &Url) -> String {
        let mut script = self.script();
        let query: HashMap<String, String> = authorization_url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT_ID);
        assert_eq!(query["code_challenge_method"], "S256");
        let code = format!("code-{}", script.codes.len());
        let facts = ["nonce", "code_challenge", "redirect_uri"]
            .map(|name| query.get(name).cloned().unwrap_or_default());
        let mut callback = Url::parse(&facts[2]).unwrap();
        script.codes.insert(code.clone(), facts);
        let honest = json!({ "code": code, "state": query["state"], "iss": self.url });
        for (name, value) in merged(honest, &script.callback) {
            callback
                .query_pairs_mut()
                .append_pair(&name, value.as_str().unwrap());
        }
        callback[url::Position::BeforePath..].to_owned()
    }

    /// How often a path was requested.
    pub fn count(&self, path: &str) -> usize {
        let script = self.script();
        script.requests.iter().filter(|it| *it == path).count()
    }
}

impl Keys {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                p256.as_ref(),
                &random,
            )
            .unwrap(),
            rsa: RsaKeyPair::from_pkcs8(RSA_KEY).unwrap(),
        }
    }

    /// The public halves.
    fn set(&self) -> Value {
        let rsa: RsaPublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let point = self.p256.public_key().as_ref();
        json!({ "keys": [
            { "kty": "oct", "kid": "secret", "k": "AAAA" },
            { "kty": "RSA", "kid": "rsa", "use": "sig", "n": encode(&rsa.n), "e": encode(&rsa.e) },
            { "kty": "EC", "kid": "p256", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
            { "kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "alg": "EdDSA", "x": encode(self.ed25519.public_key()) },
        ] })
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let by_rsa = |padding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa
                .sign(padding, &random, message, &mut signature)
                .unwrap();
            signature
        };
        match algorithm {
            "RS256" => by_rsa(&RSA_PKCS1_SHA256),
            "PS256" => by_rsa(&RSA_PSS_SHA256),
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "HS256" => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            "none" => Vec::new(),
            _ => self.ed25519.sign(message).as_ref().to_vec(),
        }
    }
}

impl Script {
    /// Closes the connections of requests that are never answered.
    pub fn hang_up(&mut self) {
        self.open.clear();
    }

    fn reply(&mut self, request: &Request) -> String {
        match &*request.path {
            path if path.ends_with("/.well-known/openid-configuration") => {
                let url = |path: &str| format!("{}{path}", self.url);
                let honest = json!({
                    "issuer": self.url,
                    "authorization_endpoint": url("/authorize?tenant=1"),
                    "token_endpoint": url("/token"),
                    "userinfo_endpoint": url("/userinfo"),
                    "jwks_uri": url("/keys"),
                    "authorization_response_iss_parameter_supported": true,
                });
                ok(&Value::Object(merged(honest, &self.discovery)))
            }
            "/keys" if self.keys.is_null() => ok(&self.keys_of.set()),
            "/keys" => ok(&self.keys),
            "/token" => self.token_reply(request),
            "/userinfo" if request.authorization == "Bearer access-token" => {
                let honest =
                    json!({ "sub": "user-1", "email": "info@example.com", "email_verified": true });
                ok(&Value::Object(merged(honest, &self.userinfo)))
            }
            "/login/oauth/access_token" => self.github_token(request),
            "/api/v3/user" if request.authorization == "Bearer access-token" => {
                ok(&self.github_user)
            }
            "/api/v3/user/emails?per_page=100"
                if request.authorization == "Bearer access-token" =>
            {
                ok(&self.github_emails)
            }
            _ => whole("401 Unauthorized", "application/json", "{}"),
        }
    }

    /// GitHub refuses with the status 200.
    fn github_token(&mut self, request: &Request) -> String {
        let form = fields(request);
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let refused = |error: &str| ok(&json!({ "error": error }));
        if field("client_id") != CLIENT_ID || field("client_secret") != CLIENT_SECRET {
            return refused("incorrect_client_credentials");
        }
        let Some([_, challenge, redirect_uri]) = self.codes.remove(&field("code")) else {
            return refused("bad_verification_code");
        };
        let is_bound = s256(&field("code_verifier")) == challenge;
        if !is_bound || field("redirect_uri") != redirect_uri {
            return refused("bad_verification_code");
        }
        let honest = json!({
            "access_token": "access-token", "token_type": "bearer", "scope": "read:user,user:email",
        });
        ok(&Value::Object(merged(honest, &self.token)))
    }

    /// Whether a token stands for the secret, as Apple requires it.
    fn is_signed(&self, secret: &str) -> bool {
        let keys = KeySet::from_json(&json!({ "keys": [self.client_key] })).unwrap();
        let payload = Jws::parse(secret).and_then(|token| token.verify(&keys));
        let Ok(claims) = payload.map(|text| serde_json::from_slice::<Value>(&text).unwrap()) else {
            return false;
        };
        let [made, end] = ["iat", "exp"].map(|name| claims[name].as_i64().unwrap());
        claims["iss"] == "TEAM"
            && claims["sub"] == CLIENT_ID
            && claims["aud"] == self.url
            && (made..end).contains(&self.now)
            && end - made <= 15_777_000
    }

    fn token_reply(&mut self, request: &Request) -> String {
        let form = fields(request);
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let encoded =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET));
        let by_basic = request.authorization == format!("Basic {}", BASE64_STANDARD.encode(pair));
        let is_secret = match self.client_key.is_null() {
            true => field("client_secret") == CLIENT_SECRET,
            false => self.is_signed(&field("client_secret")),
        };
        let by_form = field("client_id") == CLIENT_ID && is_secret;
        if by_basic == by_form {
            return refused("invalid_client");
        }
        // A code works once.
        let Some([nonce, challenge, redirect_uri]) = self.codes.remove(&field("code")) else {
            return refused("invalid_grant");
        };
        let verifier = field("code_verifier");
        if s256(&verifier) != challenge || field("redirect_uri") != redirect_uri {
            return refused("invalid_grant");
        }
        let honest = json!({
            "access_token": "access-token",
            "token_type": "Bearer",
            "id_token": self.id_token(&nonce),
        });
        ok(&Value::Object(merged(honest, &self.token)))
    }

    fn id_token(&self, nonce: &str) -> String {
        let kid = match self.algorithm {
            "RS256" | "PS256" => "rsa",
            "ES256" => "p256",
            _ => "ed25519",
        };
        let header = json!({ "alg": self.algorithm, "typ": "JWT", "kid": kid });
        let claims = json!({
            "iss": self.url, "sub": "user-1", "aud": CLIENT_ID, "nonce": nonce,
            "iat": self.now, "exp": self.now + 300,
            "email": "One@Example.com", "email_verified": true, "name": "One",
        });
        let part = |honest, changes| {
            encode(
                Value::Object(merged(honest, changes))
                    .to_string()
                    .as_bytes(),
            )
        };
        let message = format!(
            "{}.{}",
            part(header, &self.header),
            part(claims, &self.claims)
        );
        let signature = self.keys_of.sign(self.algorithm, message.as_bytes());
        (self.after_signing)(format!("{message}.{}", encode(&signature)))
    }
}

/// A browser, with the cookie that it has from the app.
#[derive(Default)]
pub struct Browser {
    pub cookie: Option<String>,
}

impl Browser {
    /// Starts a sign-in, as a page of the application does.
    pub async fn start(&mut self, app: &TestApp, body: &Value) -> Reply {
        let call = app.post(&format!("/v1/session/identity/{ACME}"));
        self.send(call.json(body)).await
    }

    /// Starts to link the identity to the user of a session.
    pub async fn link(&mut self, app: &TestApp, session: &str, body: &Value) -> Reply {
        let call = app.post(&format!("/v1/user/identities/{ACME}"));
        self.send(call.bearer(session).json(body)).await
    }

    /// Finishes that with the code of a fragment.
    pub async fn finish(&mut self, app: &TestApp, session: &str, fragment: &str) -> Reply {
        let code = fragment.strip_prefix("exchange_code=");
        let body = json!({ "exchange_code": code.unwrap_or_else(|| panic!("{fragment}")) });
        let call = app.post("/v1/user/identities").bearer(session).json(&body);
        self.send(call).await
    }

    /// A sign-in by another provider of the settings, which is the same server.
    pub async fn sign_in_by(
        &mut self,
        app: &TestApp,
        provider: &FakeProvider,
        name: &str,
    ) -> Reply {
        let call = app.post(&format!("/v1/session/identity/{name}"));
        let started = self.send(call.json(&json!({}))).await;
        let callback = provider.consent(&authorization_url(&started));
        let fragment = self.open(app, &callback).await.unwrap();
        self.exchange(app, &fragment).await
    }

    /// Opens the page of a mailed link.
    pub async fn check_link(&self, app: &TestApp, token: &str) -> Reply {
        let call = app.post("/v1/session/identity_link/check").same_origin();
        let call = call.json(&json!({ "token": token }));
        self.with_cookie(call).send().await
    }

    /// Presses its button.
    pub async fn use_link(&self, app: &TestApp, token: &str) -> Reply {
        let call = app.post("/v1/session/identity_link").same_origin();
        let call = call.json(&json!({ "token": token }));
        self.with_cookie(call).send().await
    }

    /// The call with the cookie that the browser has.
    pub fn with_cookie(&self, call: Call) -> Call {
        match &self.cookie {
            Some(cookie) => call.header("Cookie", cookie),
            None => call,
        }
    }

    async fn send(&mut self, call: Call) -> Reply {
        let reply = self.with_cookie(call.same_origin()).send().await;
        if let Some(cookie) = reply.header("set-cookie") {
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        reply
    }

    /// The same, which succeeds: where the provider is.
    pub async fn started(&mut self, app: &TestApp) -> Url {
        authorization_url(&self.start(app, &json!({})).await)
    }

    /// Opens a path, as when a provider sends it back: the fragment of the page that it ends at, or the reply.
    pub async fn open(&self, app: &TestApp, path: &str) -> Result<String, Reply> {
        let reply = self.with_cookie(app.get(path)).send().await;
        match (reply.status, reply.header("location")) {
            (303, Some(location)) => {
                let (page, fragment) = location.split_once('#').unwrap();
                assert_eq!(page, "http://localhost:3001/sign-in/provider");
                Ok(fragment.to_owned())
            }
            _ => Err(reply),
        }
    }

    /// Exchanges the code of a fragment.
    pub async fn exchange(&self, app: &TestApp, fragment: &str) -> Reply {
        let code = fragment.strip_prefix("exchange_code=");
        let body = json!({ "exchange_code": code.unwrap_or_else(|| panic!("{fragment}")) });
        self.exchange_with(app, &body).await
    }

    /// The same with any body.
    pub async fn exchange_with(&self, app: &TestApp, body: &Value) -> Reply {
        let call = app.post("/v1/session/exchange").same_origin().json(body);
        self.with_cookie(call).send().await
    }

    /// A sign-in up to the fragment.
    pub async fn return_from(&mut self, app: &TestApp, provider: &FakeProvider) -> String {
        let url = self.started(app).await;
        let opened = self.open(app, &provider.consent(&url)).await;
        opened.unwrap_or_else(|reply| panic!("{}", reply.text()))
    }

    /// A whole sign-in.
    pub async fn sign_in(&mut self, app: &TestApp, provider: &FakeProvider) -> Reply {
        let fragment = self.return_from(app, provider).await;
        self.exchange(app, &fragment).await
    }
}

/// Where the provider is, by a reply that starts a sign-in.
#[track_caller]
pub fn authorization_url(reply: &Reply) -> Url {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let url = reply.json()["authorization_url"]
        .as_str()
        .unwrap()
        .to_owned();
    Url::parse(&url).unwrap()
}

/// Adds a provider to the settings.
pub fn provider_settings(settings: &mut Settings, issuer: &str) {
    let provider = Provider {
        kind: ProviderKind::Oidc,
        name: "Acme".to_owned(),
        issuer: issuer.to_owned(),
        tenant: String::new(),
        base_url: String::new(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(Secret::from(CLIENT_SECRET.to_owned())),
        team_id: String::new(),
        key_id: String::new(),
        private_key: None,
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        allowed_domains: vec![],
        authoritative_domains: vec![],
        sign_up: true,
        trust_email: true,
        name_claim: "name".to_owned(),
        profile_claims: vec![],
        metadata_claims: vec![],
    };
    settings.providers.insert(ACME.to_owned(), provider);
}

/// An identity that the provider has confirmed, for what it is bound to: its exchange code.
pub async fn confirmed_code(app: &TestApp, subject: &str, bound_to: BoundTo) -> String {
    let code = PlainToken::generate(TokenKind::ExchangeCode).unwrap();
    let identity = Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: subject.to_owned(),
        email: Some("provided@example.com".to_owned()),
        email_verified: true,
        is_authoritative: false,
        name: None,
        profile: Map::new(),
        metadata: Map::new(),
    };
    let confirmed = ProviderSignIn {
        provider: ACME.to_owned(),
        bound_to: bound_to.as_str().to_owned(),
        identity: serde_json::to_string(&identity).unwrap(),
    };
    let (digest, end) = (code.digest(), app.clock().now() + STATE_LIFETIME);
    write(app, move |tx| {
        provider_sign_ins::claim(tx, &digest, end)?;
        provider_sign_ins::confirm(tx, &digest, &digest, &confirmed, end)
    })
    .await;
    code.reveal().to_owned()
}

/// The path of the mailed link that links an identity.
pub const LINK_PATH: &str = "/sign-in/link#";

/// The tokens of such links that an address got, the newest last.
pub async fn mailed_links(app: &TestApp, address: &str) -> Vec<String> {
    let mails = app.mails().await;
    let to_address = mails.iter().filter(|mail| mail.to == address);
    let links = to_address.filter(|mail| mail.text.contains(LINK_PATH));
    links
        .map(|mail| link_token(&mail.text, LINK_PATH))
        .collect()
}

/// A request for such a link for a user, made by an app: the token of the link.
pub async fn identity_link(app: &TestApp, user: &User, subject: &str) -> String {
    let (id, expires_at) = (user.id, app.clock().now() + IDENTITY_LINK_LIFETIME);
    let identity = Identity {
        issuer: "https://id.example.com".to_owned(),
        subject: subject.to_owned(),
        email: Some(user.email_address.as_str().to_owned()),
        email_verified: true,
        name: None,
        is_authoritative: false,
        profile: Default::default(),
        metadata: Default::default(),
    };
    let request = IdentityLinkRequest {
        user_id: id,
        provider: ACME.to_owned(),
        bound_to: BoundTo::app_with(VERIFIER).as_str().to_owned(),
        identity: serde_json::to_string(&identity).unwrap(),
        remembered: false,
        expires_at,
    };
    let identity = request.identity.clone();
    let added = write(app, move |tx| {
        let request = identity_link_requests::insert(tx, &request)?;
        Ok((request, users::find(tx, id)?.unwrap()))
    });
    let (request, account) = added.await;
    let key_ring = &app.context().key_ring;
    sign_identity_link(key_ring, &account, (request, &identity), expires_at)
}

/// Links an identity to a user; returns its id.
pub async fn linked(app: &TestApp, user: &User, subject: &str) -> String {
    let (id, now, subject) = (user.id, app.clock().now(), subject.to_owned());
    let issuer = app.context().settings.providers[ACME].issuer.clone();
    let added = write(app, move |tx| {
        let new = NewIdentity {
            provider: ACME,
            issuer: &issuer,
            subject: &subject,
            email: None,
        };
        identities::insert(tx, id, &new, MAX_IDENTITIES, now)
    });
    added.await.unwrap().id.0.to_string()
}

fn answer(mut connection: TcpStream, script: &Mutex<Script>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let Some(request) = read(&mut reader) else {
        return;
    };
    let mut script = script.lock().unwrap();
    script.requests.push(request.path.clone());
    let path = &*request.path;
    if script.hangs.contains(&path) {
        script.open.push(connection);
        return;
    }
    let raw = script.raw.get(path).cloned();
    let reply = raw.unwrap_or_else(|| script.reply(&request));
    drop(script);
    let _ = connection.write_all(reply.as_bytes());
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let field = |name: &str| {
        let line = head.lines().find(|line| {
            line.split_once(':')
                .is_some_and(|(it, _)| it.eq_ignore_ascii_case(name))
        });
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length = field("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        path: head.split(' ').nth(1)?.to_owned(),
        authorization: field("authorization").unwrap_or_default(),
        body: String::from_utf8(body).ok()?,
    })
}

/// A reply of JSON.
pub fn ok(body: &Value) -> String {
    whole("200 OK", "application/json", &body.to_string())
}

/// A whole reply.
pub fn whole(status: &str, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn refused(error: &str) -> String {
    let body = json!({ "error": error }).to_string();
    whole("400 Bad Request", "application/json", &body)
}

fn merged(honest: Value, changes: &Value) -> Map<String, Value> {
    let Value::Object(mut members) = honest else {
        panic!("{honest}")
    };
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    members
}

fn fields(request: &Request) -> HashMap<String, String> {
    let form = url::form_urlencoded::parse(request.body.as_bytes());
    form.into_owned().collect()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
