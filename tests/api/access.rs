//! Every route of the house, tried as nobody, as another user, as the owner and as a disabled user, and with API keys.
//! A route that does not stand in the table makes the test fail.

use actix_web::http::Method;
use cloakroom::features;
use cloakroom::http::{Access, Verb};
use cloakroom::links;
use cloakroom::model::{EmailAddress, User};
use cloakroom::scope::Scopes;
use cloakroom::store::api_keys::{self, NewKey};
use cloakroom::store::users;
use cloakroom::testing::TestApp;
use cloakroom::throttle::Admission;
use cloakroom::token::{PlainToken, TokenKind};
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_refused, confirmation_token, disable, reset_token, write};

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
    /// The methods that it is tried with.
    fn methods(&self) -> Vec<Method> {
        match &self.method {
            Verb::One(method) => vec![method.clone()],
            Verb::Any => vec![Method::GET, Method::POST, Method::DELETE, Method::OPTIONS, Method::TRACE],
        }
    }
}

fn case(method: Method, path: &'static str, body: Value, statuses: [u16; 4]) -> Case {
    row(Verb::One(method), path, body, statuses)
}

fn row(method: Verb, path: &'static str, body: Value, [nobody, another, owner, disabled]: [u16; 4]) -> Case {
    Case { method, path, body, nobody, another, owner, disabled }
}

fn cases() -> Vec<Case> {
    let none = || json!({});
    let credentials = json!({ "email_address": ONE, "password": PASSWORD });
    let newcomer = json!({ "email_address": "new@example.com", "password": PASSWORD });
    let password = json!({ "password": "another password" });
    let new_password = json!({ "password_challenge": PASSWORD, "password": "another password" });
    let new_address = json!({ "password_challenge": PASSWORD, "email_address": "moved@example.com" });
    let title = || json!({ "title": "A title" });
    let key = json!({ "name": "A key", "scopes": ["other:thing"] });
    let link = "/v1/passwords/{token}";
    vec![
        case(Method::GET, "/up", none(), [200; 4]),
        case(Method::GET, "/ready", none(), [200; 4]),
        case(Method::POST, "/v1/registrations", newcomer, [201; 4]),
        case(Method::POST, "/v1/confirmations", json!({ "email_address": ONE }), [200; 4]),
        case(Method::PUT, "/v1/confirmations/{token}", none(), [200; 4]),
        case(Method::POST, "/v1/session", credentials.clone(), [200; 4]),
        case(Method::GET, "/v1/session", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/session", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/session/confirm", json!({ "password": PASSWORD }), [401, 200, 200, 401]),
        case(Method::POST, "/v1/session/rotate", none(), [401, 200, 200, 401]),
        case(Method::GET, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/sessions", none(), [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/sessions/{id}", none(), [401, 404, 204, 401]),
        case(Method::POST, "/v1/passwords", json!({ "email_address": ONE }), [200; 4]),
        case(Method::GET, link, none(), [200; 4]),
        case(Method::PUT, link, password.clone(), [200; 4]),
        case(Method::PATCH, link, password, [200; 4]),
        case(Method::GET, "/v1/user", none(), [401, 200, 200, 401]),
        case(Method::PUT, "/v1/user/password", new_password, [401, 200, 200, 401]),
        case(Method::PUT, "/v1/user/email_address", new_address, [401, 200, 200, 401]),
        case(Method::DELETE, "/v1/user", json!({ "password_challenge": PASSWORD }), [401, 200, 200, 401]),
        case(Method::PUT, "/v1/unlocks/{token}", none(), [200; 4]),
        case(Method::GET, "/v1/projects", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/projects", title(), [401, 201, 201, 401]),
        case(Method::GET, "/v1/projects/{id}", none(), [401, 404, 200, 401]),
        case(Method::PATCH, "/v1/projects/{id}", title(), [401, 404, 200, 401]),
        case(Method::PUT, "/v1/projects/{id}", title(), [401, 404, 200, 401]),
        case(Method::DELETE, "/v1/projects/{id}", none(), [401, 404, 204, 401]),
        case(Method::GET, "/v1/api_keys", none(), [401, 200, 200, 401]),
        case(Method::POST, "/v1/api_keys", key, [401, 201, 201, 401]),
        case(Method::PATCH, "/v1/api_keys/{id}", json!({ "name": "Another" }), [401, 404, 200, 401]),
        case(Method::DELETE, "/v1/api_keys/{id}", none(), [401, 404, 204, 401]),
        case(Method::POST, "/v1/tokens", credentials, [200; 4]),
        case(Method::POST, "/v1/tokens/refresh", none(), [400; 4]),
        case(Method::POST, "/v1/tokens/revoke", none(), [400; 4]),
        case(Method::POST, "/v1/introspect", none(), [401, 403, 403, 401]),
        case(Method::GET, "/.well-known/jwks.json", none(), [200; 4]),
        row(Verb::Any, "/v1/verify", none(), [401, 200, 200, 401]),
    ]
}

#[test]
fn every_route_stands_in_the_table() {
    let mut declared: Vec<String> =
        features::routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let mut tried: Vec<String> =
        cases().iter().map(|case| format!("{} {}", case.method, case.path)).collect();
    declared.sort();
    tried.sort();
    assert_eq!(declared, tried);
}

#[test]
fn what_is_declared_public_and_no_more_is_open_to_nobody() {
    for case in cases() {
        let routes = features::routes();
        let route = routes.iter().find(|route| route.method == case.method && route.path == case.path);
        let open = case.nobody != 401;
        assert_eq!(route.unwrap().access == Access::Public, open, "{} {}", case.method, case.path);
    }
}

#[actix_web::test]
async fn every_caller_gets_what_is_theirs_and_no_more() {
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
                assert_eq!(reply.status, expected, "{who}: {method} {}: {}", case.path, reply.text());
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
async fn a_key_does_what_its_scopes_say_and_never_manages_the_account() {
    for case in cases().iter().filter(|case| case.nobody == 401) {
        let stage = Stage::set().await;
        let whole = stage.key(Some(&stage.user), "projects:read projects:write introspect").await;
        let narrow = stage.key(Some(&stage.user), "other:thing").await;
        let service = stage.key(None, "projects:read projects:write introspect").await;
        let shut = stage.key(Some(&stage.shut), "projects:read projects:write introspect").await;
        let routes = features::routes();
        let route =
            routes.iter().find(|route| route.method == case.method && route.path == case.path).unwrap();
        let call = |key: &str| {
            let call = stage.app.call(case.methods()[0].clone(), &stage.path(case.path));
            call.header("X-API-Key", key).json(&case.body)
        };
        let what = format!("{} {}", case.method, case.path);

        assert_refused(&call(&shut).send().await, 401, "invalid_api_key");
        let reply = call(&narrow).send().await;
        match route.access {
            Access::Session => assert_refused(&reply, 403, "forbidden"),
            Access::Scope(scope) | Access::ApiKey(scope) => {
                assert_refused(&reply, 403, "insufficient_scope");
                let challenge = reply.header("www-authenticate").unwrap();
                assert!(challenge.ends_with(&format!("scope=\"{scope}\"")), "{what}: {challenge}");
            }
            _ => assert_eq!(reply.status, case.owner, "{what}: {}", reply.text()),
        }
        let reply = call(&service).send().await;
        match route.access {
            Access::Session => assert_refused(&reply, 403, "forbidden"),
            Access::Scope(_) => assert_refused(&reply, 403, "forbidden"),
            _ => {}
        }
        let reply = call(&whole).send().await;
        match route.access {
            Access::Session => assert_refused(&reply, 403, "forbidden"),
            Access::ApiKey(_) => assert!(![401, 403].contains(&reply.status), "{what}: {}", reply.text()),
            _ => assert_eq!(reply.status, case.owner, "{what}: {}", reply.text()),
        }
    }
}

#[actix_web::test]
async fn nobody_is_refused_before_their_body_is_looked_at() {
    let stage = Stage::set().await;
    for case in cases().into_iter().filter(|case| case.nobody == 401) {
        let call = stage.app.call(case.methods()[0].clone(), &stage.path(case.path));
        let reply = call.body("text/plain", "a".repeat(100_000)).send().await;
        assert_refused(&reply, 401, "unauthorized");
    }
}

/// An owner with a project and a link of each kind, somebody else, and somebody whose account is shut.
struct Stage {
    app: TestApp,
    user: User,
    shut: User,
    owner: String,
    another: String,
    disabled: String,
    link: String,
    confirmation: String,
    unlock: String,
    project: String,
    session: String,
    key_id: String,
}

impl Stage {
    async fn set() -> Self {
        let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
        let user = app.create_user(ONE, PASSWORD).await;
        let another = app.create_user("two@example.com", PASSWORD).await;
        let shut = app.create_user("three@example.com", PASSWORD).await;
        let disabled = app.sign_in_as(&shut).await;
        disable(&app, &shut).await;
        let (owner, another) = (app.sign_in_as(&user).await, app.sign_in_as(&another).await);
        let made = app.post("/v1/projects").bearer(&owner).json(&json!({ "title": "A title" })).send().await;
        let key = json!({ "name": "A key", "scopes": ["other:thing"] });
        let keyed = app.post("/v1/api_keys").bearer(&owner).json(&key).send().await;
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
            shut,
            owner,
            another,
            disabled,
            link,
            confirmation,
            unlock,
            project,
            session,
            key_id,
        }
    }

    /// A new key with these scopes, somebody's or a service's.
    async fn key(&self, user: Option<&User>, scopes: &str) -> String {
        let (key, user_id) = (PlainToken::generate(TokenKind::ApiKey).unwrap(), user.map(|user| user.id));
        let (digest, scopes, now) =
            (key.digest(), Scopes::parse(scopes).unwrap(), self.app.context().clock.now());
        write(&self.app, move |tx| {
            let new = NewKey {
                user_id,
                name: "A key",
                token_digest: digest,
                last_four: "1111",
                scopes: &scopes,
                expires_at: None,
            };
            api_keys::insert(tx, &new, 10, now)
        })
        .await
        .unwrap();
        key.reveal().to_owned()
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
    let rule = context.throttle.address_failures(ONE, [192, 0, 2, 1].into());
    let counted = context.throttle.admit(&context.database, vec![rule], context.clock.now()).await.unwrap();
    let Admission::Admitted(tallies) = counted else { panic!("{counted:?}") };
    let address = EmailAddress::parse(ONE).unwrap();
    let owner = context.database.read(move |reader| users::find_by_address(reader, &address)).await.unwrap();
    links::sign_unlock(&context.keys, &owner.unwrap(), tallies[0].expires_at)
}
