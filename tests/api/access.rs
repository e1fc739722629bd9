//! Every route of the house, tried as nobody, as another user, as the owner and as a disabled user, and with API keys and
//! tokens of every kind. A route that does not stand in the table makes the test fail.

use actix_web::http::Method;
use cloakroom::crypto::signed_link;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{EmailAddress, User};
use cloakroom::features;
use cloakroom::http::routes::{Access, Verb};
use cloakroom::store::api_keys;
use cloakroom::store::users;
use cloakroom::testing::{Call, TestApp};
use cloakroom::throttle::Decision;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_refused, confirmation_token, disable, reset_token, write,
};
use crate::support::credentials::{api_key, api_key_until, pair};

/// A route with a body that it takes, and the status that each caller gets.
struct Case {
    method: Verb,
    path: &'static str,
    body: Value,
    nobody: u16,
    another: u16,
    owner: u16,
    disabled: u16,
}

impl Case {
    /// What the route is declared to ask of its callers.
    fn access(&self) -> Access {
        let routes = features::routes();
        let declared = routes
            .iter()
            .find(|route| route.method == self.method && route.path == self.path);
        declared.expect("a route").access
    }

    /// The methods that it is tried with.
    fn methods(&self) -> Vec<Method> {
        match &self.method {
            Verb::One(method) => vec![method.clone()],
            Verb::Any => {
                vec![
                    Method::GET,
                    Method::POST,
                    Method::DELETE,
                    Method::OPTIONS,
                    Method::TRACE,
                ]
            }
        }
    }
}

fn case(method: Method, path: &'static str, body: Value, statuses: [u16; 4]) -> Case {
    row(Verb::One(method), path, body, statuses)
}

fn row(
    method: Verb,
    path: &'static str,
    body: Value,
    [nobody, another, owner, disabled]: [u16; 4],
) -> Case {
    Case {
        method,
        path,
        body,
        nobody,
        another,
        owner,
        disabled,
    }
}

fn cases() -> Vec<Case> {
    let none = || json!({});
    let credentials = json!({ "email_address": ONE, "password": PASSWORD });
    let newcomer = json!({ "email_address": "new@example.com", "password": PASSWORD });
    let password = json!({ "password": "another password" });
    let new_password = json!({ "password_challenge": PASSWORD, "password": "another password" });
    let new_address =
        json!({ "password_challenge": PASSWORD, "email_address": "moved@example.com" });
    let title = || json!({ "title": "A title" });
    let key = json!({ "name": "A key", "scopes": ["other:thing"] });
    let link = "/v1/passwords/{token}";
    vec![
        case(Method::GET, "/up", none(), [200; 4]),
        case(Method::GET, "/ready", none(), [200; 4]),
        case(Method::POST, "/v1/registrations", newcomer, [201; 4]),
        case(
            Method::POST,
            "/v1/confirmations",
            json!({ "email_address": ONE }),
            [200; 4],
        ),
        case(Method::PUT, "/v1/confirmations/{token}", none(), [200; 4]),
        case(Method::POST, "/v1/session", credentials.clone(), [200; 4]),
        case(Method::GET, "/v1/session", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/session", none(), [401, 200, 200, 401]),
        case(
            Method::POST,
            "/v1/session/reauthenticate",
            json!({ "password": PASSWORD }),
            [401, 200, 200, 401],
        ),
        case(
            Method::POST,
            "/v1/session/rotate",
            none(),
            [401, 200, 200, 401],
        ),
        case(Method::GET, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(
            Method::DELETE,
            "/v1/sessions/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(
            Method::POST,
            "/v1/passwords",
            json!({ "email_address": ONE }),
            [200; 4],
        ),
        case(Method::GET, link, none(), [200; 4]),
        case(Method::PUT, link, password.clone(), [200; 4]),
        case(Method::PATCH, link, password, [200; 4]),
        case(Method::GET, "/v1/user", none(), [401, 200, 200, 401]),
        case(
            Method::PUT,
            "/v1/user/password",
            new_password,
            [401, 200, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/user/email_address",
            new_address,
            [401, 200, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/user",
            json!({ "password_challenge": PASSWORD }),
            [401, 200, 200, 401],
        ),
        case(Method::PUT, "/v1/unlocks/{token}", none(), [200; 4]),
        case(Method::GET, "/v1/projects", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/projects", title(), [401, 201, 201, 401]),
        case(
            Method::GET,
            "/v1/projects/{id}",
            none(),
            [401, 404, 200, 401],
        ),
        case(
            Method::PATCH,
            "/v1/projects/{id}",
            title(),
            [401, 404, 200, 401],
        ),
        case(
            Method::PUT,
            "/v1/projects/{id}",
            title(),
            [401, 404, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/projects/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(Method::GET, "/v1/api_keys", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/api_keys", key, [401, 201, 201, 401]),
        case(
            Method::PATCH,
            "/v1/api_keys/{id}",
            json!({ "name": "Another" }),
            [401, 404, 200, 401],
        ),
        case(
            Method::DELETE,
            "/v1/api_keys/{id}",
            none(),
            [401, 404, 204, 401],
        ),
        case(Method::POST, "/v1/tokens", credentials, [200; 4]),
        case(Method::POST, "/v1/tokens/refresh", none(), [400; 4]),
        case(
            Method::POST,
            "/v1/tokens/revoke",
            json!({ "token": "unknown" }),
            [200; 4],
        ),
        case(
            Method::POST,
            "/v1/introspect",
            json!({ "token": "unknown" }),
            [401, 403, 403, 401],
        ),
        case(Method::GET, "/.well-known/jwks.json", none(), [200; 4]),
        row(Verb::Any, "/v1/verify", none(), [401, 200, 200, 401]),
    ]
}

#[test]
fn every_route_is_in_the_table() {
    let mut declared: Vec<String> = features::routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let mut tried: Vec<String> = cases()
        .iter()
        .map(|case| format!("{} {}", case.method, case.path))
        .collect();
    declared.sort();
    tried.sort();
    assert_eq!(declared, tried);
}

#[test]
fn only_public_routes_accept_anonymous_callers() {
    for case in cases() {
        let open = case.nobody != 401;
        assert_eq!(
            case.access() == Access::Public,
            open,
            "{} {}",
            case.method,
            case.path
        );
    }
}

#[actix_web::test]
async fn every_caller_reaches_only_permitted_routes() {
    for case in cases() {
        for (who, expected) in [
            ("nobody", case.nobody),
            ("another", case.another),
            ("owner", case.owner),
            ("disabled", case.disabled),
        ] {
            let stage = Stage::set().await;
            for method in case.methods() {
                let call = stage.app.call(method.clone(), &stage.path(case.path));
                let call = match who {
                    "another" => call.bearer(&stage.another),
                    "owner" => call.bearer(&stage.owner),
                    "disabled" => call.bearer(&stage.disabled),
                    _ => call,
                };
                let reply = call.json(&case.body).send().await;
                assert_eq!(
                    reply.status,
                    expected,
                    "{who}: {method} {}: {}",
                    case.path,
                    reply.text()
                );
                match (who, expected) {
                    ("nobody", 401) => assert_refused(&reply, 401, "unauthorized"),
                    ("disabled", 401) => assert_refused(&reply, 401, "token_invalid"),
                    (_, 404) => assert_refused(&reply, 404, "not_found"),
                    _ => {}
                }
            }
        }
    }
}

#[actix_web::test]
async fn machine_credentials_are_limited_to_their_scopes() {
    for case in cases() {
        let access = case.access();
        let refusing = Stage::set().await;
        for machine in MACHINES
            .iter()
            .filter(|machine| machine.is_tried_at(access))
        {
            let (status, code) = machine.verdict(access, &case);
            // What is let in may change the stage.
            let stage = if code.is_some() {
                &refusing
            } else {
                &Stage::set().await
            };
            let credential = stage.credential(machine).await;
            for method in case.methods() {
                let call = stage.app.call(method.clone(), &stage.path(case.path));
                let reply = machine
                    .present(call, &credential)
                    .json(&case.body)
                    .send()
                    .await;
                let what = format!("{}: {method} {}: {}", machine.name, case.path, reply.text());
                assert_eq!(reply.status, status, "{what}");
                if let Some(code) = code {
                    assert_eq!(reply.json()["code"], code, "{what}");
                    assert_refused(&reply, status, code);
                }
                if code == Some("insufficient_scope") {
                    let challenge = reply.header("www-authenticate").unwrap();
                    let (Access::Scope(scope) | Access::ApiKey(scope)) = access else {
                        panic!("{what}")
                    };
                    assert!(
                        challenge.ends_with(&format!("scope=\"{scope}\"")),
                        "{what}: {challenge}"
                    );
                }
            }
        }
    }
}

#[actix_web::test]
async fn unauthorized_callers_are_rejected_before_the_body() {
    let stage = Stage::set().await;
    for case in cases().into_iter().filter(|case| case.nobody == 401) {
        let access = case.access();
        let send = |call: Call| call.body("text/plain", "a".repeat(100_000)).send();
        let call = || {
            stage
                .app
                .call(case.methods()[0].clone(), &stage.path(case.path))
        };
        assert_refused(&send(call()).await, 401, "unauthorized");
        for machine in MACHINES {
            let (status, Some(code)) = machine.verdict(access, &case) else {
                continue;
            };
            // What belongs to whom, is for the handler to ask.
            let is_about_whose = machine.whose == Whose::Nobodys && code == "forbidden";
            if status != 404 && (!is_about_whose || access == Access::Session) {
                let credential = stage.credential(machine).await;
                let reply = send(machine.present(call(), &credential)).await;
                assert_refused(&reply, status, code);
            }
        }
    }
}

/// A program with a credential of its own.
struct Machine {
    name: &'static str,
    kind: Kind,
    whose: Whose,
    scopes: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    ExpiredKey,
    RevokedKey,
    Access,
    EndedAccess,
    Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Owners,
    Anothers,
    Disableds,
    Nobodys,
}

const EVERY: &str = "projects:read projects:write other:thing introspect";
const GIVEN: &str = "projects:read projects:write other:thing";
const NARROW: &str = "other:thing";

const fn machine(name: &'static str, kind: Kind, whose: Whose, scopes: &'static str) -> Machine {
    Machine {
        name,
        kind,
        whose,
        scopes,
    }
}

const MACHINES: &[Machine] = &[
    machine("key", Kind::Key, Whose::Owners, EVERY),
    machine("reading key", Kind::Key, Whose::Owners, "projects:read"),
    machine("narrow key", Kind::Key, Whose::Owners, NARROW),
    machine("another's key", Kind::Key, Whose::Anothers, EVERY),
    machine("service's key", Kind::Key, Whose::Nobodys, EVERY),
    machine("narrow service's key", Kind::Key, Whose::Nobodys, NARROW),
    machine("disabled user's key", Kind::Key, Whose::Disableds, EVERY),
    machine("expired key", Kind::ExpiredKey, Whose::Owners, EVERY),
    machine("revoked key", Kind::RevokedKey, Whose::Owners, EVERY),
    machine("access token", Kind::Access, Whose::Owners, GIVEN),
    machine("narrow access token", Kind::Access, Whose::Owners, NARROW),
    machine(
        "another's access token",
        Kind::Access,
        Whose::Anothers,
        GIVEN,
    ),
    machine(
        "disabled user's access token",
        Kind::Access,
        Whose::Disableds,
        GIVEN,
    ),
    machine(
        "ended access token",
        Kind::EndedAccess,
        Whose::Owners,
        GIVEN,
    ),
    machine("refresh token", Kind::Refresh, Whose::Owners, GIVEN),
];

impl Machine {
    fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Key | Kind::ExpiredKey | Kind::RevokedKey)
    }

    /// Where nobody is asked who they are, one that is good and one that is not show it.
    fn is_tried_at(&self, access: Access) -> bool {
        access != Access::Public || ["key", "revoked key"].contains(&self.name)
    }

    fn present(&self, call: Call, credential: &str) -> Call {
        if self.is_key() {
            call.header("X-API-Key", credential)
        } else {
            call.bearer(credential)
        }
    }

    /// The status that it gets, and the code where it is refused.
    fn verdict(&self, access: Access, case: &Case) -> (u16, Option<&'static str>) {
        let lacks = |scope: &str| !self.scopes.split(' ').any(|word| word == scope);
        let is_over =
            self.whose == Whose::Disableds || !matches!(self.kind, Kind::Key | Kind::Access);
        match access {
            Access::Public => (case.nobody, None),
            _ if is_over && self.is_key() => (401, Some("invalid_api_key")),
            _ if is_over => (401, Some("token_invalid")),
            Access::Session => (403, Some("forbidden")),
            Access::ApiKey(_) if !self.is_key() => (403, Some("forbidden")),
            Access::Scope(scope) | Access::ApiKey(scope) if lacks(scope) => {
                (403, Some("insufficient_scope"))
            }
            Access::ApiKey(_) => (200, None),
            Access::Scope(_) | Access::Credential => match self.whose {
                Whose::Nobodys if case.path == "/v1/verify" => (200, None),
                Whose::Nobodys => (403, Some("forbidden")),
                Whose::Anothers if case.another == 404 => (404, Some("not_found")),
                Whose::Anothers => (case.another, None),
                _ => (case.owner, None),
            },
        }
    }
}

/// An owner with a project and a link of each kind, somebody else, and somebody whose account is shut.
struct Stage {
    app: TestApp,
    user: User,
    other: User,
    shut: User,
    owner: String,
    another: String,
    disabled: String,
    /// Made while the account was open.
    disabled_access: String,
    link: String,
    confirmation: String,
    unlock: String,
    project: String,
    session: String,
    key_id: String,
}

impl Stage {
    async fn set() -> Self {
        let app = TestApp::with_settings(|settings| {
            settings.throttle.enabled = true;
            settings.tokens.scopes = Scopes::parse(GIVEN).unwrap();
        })
        .await;
        let user = app.create_user(ONE, PASSWORD).await;
        let other = app.create_user("two@example.com", PASSWORD).await;
        let shut = app.create_user("three@example.com", PASSWORD).await;
        let disabled = app.sign_in_as(&shut).await;
        let (disabled_access, _) = pair(&app, &disabled, GIVEN).await;
        disable(&app, &shut).await;
        let (owner, another) = (app.sign_in_as(&user).await, app.sign_in_as(&other).await);
        let made = app
            .post("/v1/projects")
            .bearer(&owner)
            .json(&json!({ "title": "A title" }))
            .send()
            .await;
        let key = json!({ "name": "A key", "scopes": ["other:thing"] });
        let keyed = app
            .post("/v1/api_keys")
            .bearer(&owner)
            .json(&key)
            .send()
            .await;
        let link = reset_token(&app, ONE).await;
        let confirmation = confirmation_token(&app, ONE).await;
        let unlock = unlock_token(&app).await;
        let project = made.json()["project"]["id"].to_string();
        let shown = app.get("/v1/session").bearer(&owner).send().await;
        let session = shown.json()["session"]["id"].to_string();
        let key_id = keyed.json()["api_key"]["id"].to_string();
        Self {
            app,
            user,
            other,
            shut,
            owner,
            another,
            disabled,
            disabled_access,
            link,
            confirmation,
            unlock,
            project,
            session,
            key_id,
        }
    }

    async fn credential(&self, machine: &Machine) -> String {
        let (user, session) = match machine.whose {
            Whose::Owners => (Some(&self.user), &self.owner),
            Whose::Anothers => (Some(&self.other), &self.another),
            Whose::Disableds => (Some(&self.shut), &self.disabled),
            Whose::Nobodys => (None, &self.owner),
        };
        let now = self.app.clock().now();
        match machine.kind {
            Kind::Key => api_key(&self.app, user, machine.scopes).await,
            Kind::ExpiredKey => api_key_until(&self.app, user, machine.scopes, Some(now)).await,
            Kind::RevokedKey => {
                let key = api_key(&self.app, user, machine.scopes).await;
                let digest = PlainToken::parse(TokenKind::ApiKey, &key).unwrap().digest();
                write(&self.app, move |tx| {
                    api_keys::revoke_by_digest(tx, &digest, now)
                })
                .await
                .unwrap();
                key
            }
            Kind::Access if machine.whose == Whose::Disableds => self.disabled_access.clone(),
            Kind::Access => pair(&self.app, session, machine.scopes).await.0,
            Kind::Refresh => pair(&self.app, session, machine.scopes).await.1,
            Kind::EndedAccess => {
                let session = self.app.sign_in_as(&self.user).await;
                let (access, _) = pair(&self.app, &session, machine.scopes).await;
                assert_eq!(
                    self.app
                        .delete("/v1/session")
                        .bearer(&session)
                        .send()
                        .await
                        .status,
                    200
                );
                access
            }
        }
    }

    fn path(&self, pattern: &str) -> String {
        let link = match pattern.split('/').nth(2) {
            Some("confirmations") => &self.confirmation,
            Some("unlocks") => &self.unlock,
            _ => &self.link,
        };
        let id = match pattern.split('/').nth(2) {
            Some("sessions") => &self.session,
            Some("api_keys") => &self.key_id,
            _ => &self.project,
        };
        pattern.replace("{token}", link).replace("{id}", id)
    }
}

/// The token of a link that lifts the limit on the owner's address. One failure has begun the window that it is for.
async fn unlock_token(app: &TestApp) -> String {
    let context = app.context();
    let rule = context
        .throttle
        .address_failures(ONE, [192, 0, 2, 1].into());
    let counted = context
        .throttle
        .admit(&context.database, vec![rule], context.clock.now())
        .await
        .unwrap();
    let Decision::Admitted(counts) = counted else {
        panic!("{counted:?}")
    };
    let address = EmailAddress::parse(ONE).unwrap();
    let owner = context
        .database
        .read(move |reader| users::find_by_address(reader, &address))
        .await
        .unwrap();
    signed_link::sign_unlock(&context.key_ring, &owner.unwrap(), counts[0].expires_at)
}
