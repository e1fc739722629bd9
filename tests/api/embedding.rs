//! What an app that embeds Cloakroom adds: functions at sign-up, rows in the same commit, a prefix.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use cloakroom::config::Confirm;
use cloakroom::domain::error::ValidationErrors;
use cloakroom::testing::{Reply, TestApp};
use cloakroom::{Cloakroom, CurrentUser, Error, Hooks};
use serde_json::json;

use crate::support::app::{ONE, count_in};

const PASSWORD: &str = "correct horse battery";
const TABLE: &str = "CREATE TABLE app_profiles (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    ip TEXT NOT NULL
)";

/// Refuses addresses outside of example.com.
fn only_example_com() -> Hooks {
    Hooks::new().before_sign_up(|_, sign_up| {
        match sign_up.email_address.as_str().ends_with("@example.com") {
            true => Ok(()),
            false => Err(ValidationErrors::field("email_address", "must be at example.com").into()),
        }
    })
}

/// Writes a profile with each account.
fn with_profile() -> Hooks {
    Hooks::new().on_sign_up(|change, sign_up, user| {
        let ip = sign_up.client.ip.to_string();
        let sql = "INSERT INTO app_profiles (user_id, ip) VALUES ($1, $2)";
        let written = change.execute(sql, &[user.id.into(), (&ip).into()])?;
        assert_eq!(written, 1);
        Ok(())
    })
}

async fn app_with(hooks: Hooks, private: bool) -> TestApp {
    let app = TestApp::builder()
        .hooks(hooks)
        .settings(move |settings| {
            settings.registration.private = private;
            if private {
                settings.registration.confirm = Confirm::Required;
            }
        })
        .build()
        .await;
    let created = app
        .context()
        .database
        .write(|tx| tx.execute(TABLE, &[]).map(drop));
    created.await.unwrap();
    app
}

async fn sign_up(app: &TestApp, path: &str, address: &str) -> Reply {
    let body = json!({ "email_address": address, "password": PASSWORD });
    app.post(path).json(&body).send().await
}

fn users(app: &TestApp) -> i64 {
    count_in(app, "SELECT count(*) FROM users")
}

#[actix_web::test]
async fn a_function_before_sign_up_can_refuse_it() {
    let app = app_with(only_example_com(), false).await;
    let refused = sign_up(&app, "/v1/registrations", "one@elsewhere.example").await;
    assert_eq!(refused.status, 422);
    let fields = &refused.json()["fields"];
    assert_eq!(
        fields,
        &json!({ "email_address": ["must be at example.com"] })
    );
    assert_eq!(users(&app), 0);
    assert_eq!(sign_up(&app, "/v1/registrations", ONE).await.status, 201);
}

#[actix_web::test]
async fn refused_sign_ups_reveal_no_account() {
    let app = app_with(only_example_com(), true).await;
    app.create_user("taken@elsewhere.example", PASSWORD).await;
    let free = sign_up(&app, "/v1/registrations", "free@elsewhere.example").await;
    let taken = sign_up(&app, "/v1/registrations", "taken@elsewhere.example").await;
    assert_eq!((free.status, taken.status), (422, 422));
    assert_eq!(free.json()["fields"], taken.json()["fields"]);
}

#[actix_web::test]
async fn functions_before_sign_up_may_read_the_database() {
    let invited = Hooks::new().before_sign_up(|reader, sign_up| {
        let sql = "SELECT 1 FROM app_profiles WHERE ip = $1";
        match reader.exists(sql, &[sign_up.email_address.as_str().into()])? {
            true => Ok(()),
            false => Err(Error::Forbidden("You need an invitation")),
        }
    });
    let app = app_with(invited, false).await;
    let refused = sign_up(&app, "/v1/registrations", ONE).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"], "You need an invitation");
}

#[actix_web::test]
async fn own_rows_are_committed_with_the_account() {
    let app = app_with(with_profile(), false).await;
    let reply = sign_up(&app, "/v1/registrations", ONE).await;
    assert_eq!(reply.status, 201);
    let written = "SELECT count(*) FROM app_profiles p JOIN users u ON u.id = p.user_id WHERE p.ip = '127.0.0.1'";
    assert_eq!(count_in(&app, written), 1);

    let again = sign_up(&app, "/v1/registrations", ONE).await;
    assert_eq!(again.status, 422);
    assert_eq!(count_in(&app, "SELECT count(*) FROM app_profiles"), 1);

    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let body = json!({ "password_challenge": PASSWORD });
    let deleted = app.delete("/v1/user").bearer(&token).json(&body);
    assert_eq!(deleted.send().await.status, 200);
    assert_eq!(count_in(&app, "SELECT count(*) FROM app_profiles"), 0);
}

#[actix_web::test]
async fn a_function_that_fails_undoes_the_account() {
    let full = with_profile().on_sign_up(|_, _, _| Err(Error::Forbidden("No places are left")));
    let app = app_with(full, false).await;
    assert_eq!(sign_up(&app, "/v1/registrations", ONE).await.status, 403);
    assert_eq!(users(&app), 0);
    assert_eq!(count_in(&app, "SELECT count(*) FROM app_profiles"), 0);
    assert!(app.mails().await.is_empty());
}

#[actix_web::test]
async fn a_file_with_own_tables_opens_again() {
    let app = app_with(with_profile(), false).await;
    assert_eq!(sign_up(&app, "/v1/registrations", ONE).await.status, 201);
    let again = Cloakroom::open(app.context().settings.clone()).unwrap();
    let found = again.database().read(|reader| {
        reader.all("SELECT ip FROM app_profiles", &[], |row| {
            row.next::<String>()
        })
    });
    assert_eq!(found.await.unwrap(), ["127.0.0.1"]);
}

async fn hello(user: CurrentUser) -> String {
    format!("Hello, {}", user.email_address.as_str())
}

async fn app_at_auth() -> TestApp {
    let own = |config: &mut ServiceConfig| {
        config.route("/hello", web::get().to(hello));
    };
    TestApp::builder()
        .settings(|settings| {
            settings.server.public_url = "http://localhost:3000/auth".parse().unwrap();
        })
        .routes(own)
        .at("/auth/")
        .build()
        .await
}

#[actix_web::test]
async fn routes_can_be_mounted_below_a_prefix() {
    let app = app_at_auth().await;
    let reply = sign_up(&app, "/auth/v1/registrations", ONE).await;
    assert_eq!(reply.status, 201);
    let token = reply.json()["token"].as_str().unwrap().to_owned();
    let location = reply.header("location").unwrap();
    assert_eq!(location, "/auth/v1/user");
    assert_eq!(app.get(location).bearer(&token).send().await.status, 200);

    // The app's own handlers, outside of the prefix, know the user too.
    let greeted = app.get("/hello").bearer(&token).send().await;
    assert_eq!(greeted.text(), "Hello, one@example.com");
    for (method, path, status) in [
        (Method::POST, "/v1/registrations", 404),
        (Method::GET, "/auth/v1/nothing", 404),
        (Method::PUT, "/auth/v1/session", 405),
    ] {
        let reply = app.call(method, path).send().await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.json()["code"].is_string(), "{path}");
    }
}

#[actix_web::test]
async fn verify_answers_preflights_below_a_prefix() {
    let app = app_at_auth().await;
    let preflight = app
        .call(Method::OPTIONS, "/auth/v1/verify")
        .header("Origin", "http://localhost:3001")
        .header("Access-Control-Request-Method", "GET");
    assert_eq!(preflight.send().await.status, 401);
}
