//! Every route of the house, tried as nobody, as another user, as the owner and as a disabled user. A route that does
//! not stand in the table makes the test fail.

use actix_web::http::Method;
use cloakroom::features;
use cloakroom::http::Access;
use cloakroom::links;
use cloakroom::model::EmailAddress;
use cloakroom::store::users;
use cloakroom::testing::TestApp;
use cloakroom::throttle::Admission;
use serde_json::{Value, json};

use crate::support::app::{ONE, PASSWORD, assert_refused, confirmation_token, disable, reset_token};

/// A route with a body that it takes, and the status that each caller gets.
struct Case {
    method: Method,
    path: &'static str,
    body: Value,
    nobody: u16,
    another: u16,
    owner: u16,
    disabled: u16,
}

fn case(
    method: Method,
    path: &'static str,
    body: Value,
    [nobody, another, owner, disabled]: [u16; 4],
) -> Case {
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
    let link = "/v1/passwords/{token}";
    vec![
        case(Method::GET, "/up", none(), [200; 4]),
        case(Method::GET, "/ready", none(), [200; 4]),
        case(Method::POST, "/v1/registrations", newcomer, [201; 4]),
        case(Method::POST, "/v1/confirmations", json!({ "email_address": ONE }), [200; 4]),
        case(Method::PUT, "/v1/confirmations/{token}", none(), [200; 4]),
        case(Method::POST, "/v1/session", credentials, [200; 4]),
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
            let call = stage.app.call(case.method.clone(), &stage.path(case.path));
            let call = match who {
                "another" => call.bearer(&stage.another),
                "owner" => call.bearer(&stage.owner),
                "disabled" => call.bearer(&stage.disabled),
                _ => call,
            };
            let reply = call.json(&case.body).send().await;
            assert_eq!(reply.status, expected, "{who}: {} {}: {}", case.method, case.path, reply.text());
            match (who, expected) {
                ("nobody", 401) => assert_refused(&reply, 401, "unauthorized"),
                ("disabled", 401) => assert_refused(&reply, 401, "token_invalid"),
                (_, 404) => assert_refused(&reply, 404, "not_found"),
                _ => {}
            }
        }
    }
}

#[actix_web::test]
async fn nobody_is_refused_before_their_body_is_looked_at() {
    let stage = Stage::set().await;
    for case in cases().into_iter().filter(|case| case.nobody == 401) {
        let call = stage.app.call(case.method.clone(), &stage.path(case.path));
        let reply = call.body("text/plain", "a".repeat(100_000)).send().await;
        assert_refused(&reply, 401, "unauthorized");
    }
}

/// An owner with a project and a link of each kind, somebody else, and somebody whose account is shut.
struct Stage {
    app: TestApp,
    owner: String,
    another: String,
    disabled: String,
    link: String,
    confirmation: String,
    unlock: String,
    project: String,
    session: String,
}

impl Stage {
    async fn set() -> Self {
        let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
        let owner = app.create_user(ONE, PASSWORD).await;
        let another = app.create_user("two@example.com", PASSWORD).await;
        let shut = app.create_user("three@example.com", PASSWORD).await;
        let disabled = app.sign_in_as(&shut).await;
        disable(&app, &shut).await;
        let (owner, another) = (app.sign_in_as(&owner).await, app.sign_in_as(&another).await);
        let made = app.post("/v1/projects").bearer(&owner).json(&json!({ "title": "A title" })).send().await;
        let link = reset_token(&app, ONE).await;
        let confirmation = confirmation_token(&app, ONE).await;
        let unlock = unlock_token(&app).await;
        let project = made.json()["project"]["id"].to_string();
        let shown = app.get("/v1/session").bearer(&owner).send().await;
        let session = shown.json()["session"]["id"].to_string();
        Self { app, owner, another, disabled, link, confirmation, unlock, project, session }
    }

    fn path(&self, pattern: &str) -> String {
        let link = match pattern.split('/').nth(2) {
            Some("confirmations") => &self.confirmation,
            Some("unlocks") => &self.unlock,
            _ => &self.link,
        };
        let id = if pattern.starts_with("/v1/sessions/") { &self.session } else { &self.project };
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
