//! Access to every route: anonymous callers, the owner, another user, a disabled user, and API keys and tokens of every
//! kind. A route that is missing from the table fails the test.

use cloakroom::features;
use cloakroom::http::Access;
use cloakroom::testing::Call;

use crate::support::app::assert_refused;
use crate::support::callers::{Fixture, MACHINE_CALLERS, Owner};
use crate::support::route_cases::cases;

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
        let open = case.anonymous != 401;
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
        let refusing = Fixture::new().await;
        for (who, expected) in [
            ("anonymous", case.anonymous),
            ("another", case.another),
            ("owner", case.owner),
            ("disabled", case.disabled),
        ] {
            // An accepted request may change the fixture.
            let fixture = match expected {
                401 | 403 | 404 => &refusing,
                _ => &Fixture::new().await,
            };
            for method in case.methods() {
                let call = fixture.app.call(method.clone(), &fixture.path(case.path));
                let call = match who {
                    "another" => call.bearer(&fixture.another),
                    "owner" => call.bearer(&fixture.owner),
                    "disabled" => call.bearer(&fixture.disabled),
                    _ => call,
                };
                let reply = call.json(&fixture.body(&case)).send().await;
                assert_eq!(
                    reply.status,
                    expected,
                    "{who}: {method} {}: {}",
                    case.path,
                    reply.text()
                );
                match (who, expected) {
                    ("anonymous", 401) => assert_refused(&reply, 401, "unauthorized"),
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
        let refusing = Fixture::new().await;
        for machine in MACHINE_CALLERS
            .iter()
            .filter(|machine| machine.is_tried_on(access))
        {
            let (status, code) = machine.verdict(access, &case);
            // An accepted request may change the fixture.
            let fixture = if code.is_some() {
                &refusing
            } else {
                &Fixture::new().await
            };
            let credential = fixture.credential(machine).await;
            for method in case.methods() {
                let call = fixture.app.call(method.clone(), &fixture.path(case.path));
                let reply = machine
                    .present(call, &credential)
                    .json(&fixture.body(&case))
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
    for case in cases().into_iter().filter(|case| case.anonymous == 401) {
        let fixture = Fixture::new().await;
        let access = case.access();
        let send = |call: Call| call.body("text/plain", "a".repeat(100_000)).send();
        let call = || {
            fixture
                .app
                .call(case.methods()[0].clone(), &fixture.path(case.path))
        };
        assert_refused(&send(call()).await, 401, "unauthorized");
        for machine in MACHINE_CALLERS {
            let (status, Some(code)) = machine.verdict(access, &case) else {
                continue;
            };
            // Ownership is checked by the handler, after the body.
            let needs_the_owner = machine.owner == Owner::Service && code == "forbidden";
            if status != 404 && (!needs_the_owner || access == Access::Session) {
                let credential = fixture.credential(machine).await;
                let reply = send(machine.present(call(), &credential)).await;
                assert_refused(&reply, status, code);
            }
        }
    }
}
