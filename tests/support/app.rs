//! Shared steps and assertions of the API tests: a signed-in user, the shape of an error, a link from a mail.

use super::beside::Beside;
use super::flows::link_token;
use cloakroom::accounts::credentials_changed::{KeepSessions, credentials_changed};
use cloakroom::accounts::restored::{AfterRestore, end_after_restore};
use cloakroom::domain::error::Result;
use cloakroom::domain::{EmailAddress, PasswordDigest, User};
use cloakroom::store::{Transaction, passwords, users};
use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

/// The address of the user in most tests.
pub const ONE: &str = "one@example.com";
/// Their password.
pub const PASSWORD: &str = "password";

/// An app with one signed-in user, the user and the session's token.
pub async fn signed_in() -> (TestApp, User, String) {
    let app = TestApp::new().await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    (app, user, token)
}

/// A valid address.
pub fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Writes into the app's database.
pub async fn write<T: Send + 'static>(
    app: &TestApp,
    work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
) -> T {
    app.context().database.write(work).await.unwrap()
}

/// Whether a session's token is accepted.
pub async fn session_is_valid(app: &TestApp, token: &str) -> bool {
    match app.get("/v1/session").bearer(token).send().await.status {
        200 => true,
        401 => false,
        other => panic!("unexpected status {other}"),
    }
}

/// The session's new token, which a successful change of credentials returns.
#[track_caller]
pub fn new_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// Requests a reset mail and returns the token of its link.
pub async fn reset_token(app: &TestApp, email_address: &str) -> String {
    let body = json!({ "email_address": email_address });
    let asked = app.post("/v1/passwords").json(&body).send().await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    let mails = app.mails().await;
    let mail = mails
        .iter()
        .rfind(|mail| mail.text.contains("/passwords/edit#"))
        .expect("a mail with a link");
    assert_eq!(mail.to, address(email_address).as_str());
    link_token(&mail.text, "/passwords/edit#")
}

/// Whether a mail with this subject was sent to any address.
pub async fn has_mail(app: &TestApp, subject: &str) -> bool {
    app.mails().await.iter().any(|mail| mail.subject == subject)
}

/// Requests a verification mail and returns the token of its link.
pub async fn confirmation_token(app: &TestApp, email_address: &str) -> String {
    let body = json!({ "email_address": email_address });
    let asked = app.post("/v1/confirmations").json(&body).send().await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    last_confirmation(app, email_address).await
}

/// The token of the last verification link that was sent to this address.
pub async fn last_confirmation(app: &TestApp, email_address: &str) -> String {
    let (mails, to) = (app.mails().await, address(email_address));
    let mail = mails
        .iter()
        .rfind(|mail| mail.to == to.as_str() && mail.text.contains("/confirmations#"))
        .expect("a mail with a link");
    link_token(&mail.text, "/confirmations#")
}

/// The token of the last unlock link.
pub async fn last_unlock(app: &TestApp) -> String {
    let mails = app.mails().await;
    let mail = mails
        .iter()
        .rfind(|mail| mail.text.contains("/unlocks#"))
        .expect("a mail with a link");
    link_token(&mail.text, "/unlocks#")
}

/// A user with a digest written by another program.
pub async fn create_user_with_digest(app: &TestApp, email_address: &str, digest: &str) -> User {
    let (address, digest) = (
        address(email_address),
        PasswordDigest::new(digest.to_owned()),
    );
    let now = app.clock().now();
    let create = move |tx: &Transaction<'_>| {
        let user = users::insert(tx, &address, None, now)?;
        if let Some(user) = &user {
            passwords::insert(tx, user.id, &digest, now)?;
        }
        Ok(user)
    };
    write(app, create).await.unwrap()
}

/// Disables an account, as the operator's command does.
pub async fn disable(app: &TestApp, user: &User) {
    let (id, now) = (user.id, app.clock().now());
    let shut = move |tx: &Transaction<'_>| {
        credentials_changed(tx, id, KeepSessions::None, now)?;
        users::set_disabled(tx, id, Some(now), now)
    };
    assert!(write(app, shut).await);
}

/// Deletes an account.
pub async fn delete(app: &TestApp, user: &User) {
    let id = user.id;
    assert!(write(app, move |tx| users::delete(tx, id)).await);
}

/// The database of an app in process.
pub fn beside(app: &TestApp) -> Beside<'_> {
    match (&app.context().database.path(), app.schema()) {
        (None, Some(schema)) => Beside::Schema(schema),
        (path, _) => Beside::File(path.unwrap().to_owned()),
    }
}

/// The first column of each row, as text, from the database of an app in process.
pub fn column_in(app: &TestApp, sql: &str) -> Vec<Option<String>> {
    beside(app).column(sql)
}

/// One text from the database of an app in process.
pub fn text_in(app: &TestApp, sql: &str) -> Option<String> {
    beside(app).text(sql)
}

/// One number from the database of an app in process.
pub fn count_in(app: &TestApp, sql: &str) -> i64 {
    beside(app).count(sql)
}

/// The stored digest of a user.
pub fn digest_of(app: &TestApp, user: &User) -> String {
    let sql = format!("SELECT digest FROM passwords WHERE user_id = {}", user.id.0);
    text_in(app, &sql).unwrap()
}

/// Bytes for a statement.
pub fn blob(app: &TestApp, bytes: &[u8]) -> String {
    beside(app).blob(bytes)
}

/// Changes the database beside the server.
pub fn execute_sql(app: &TestApp, sql: &str) {
    beside(app).execute(sql);
}

/// Makes a kind of statement (`INSERT ON outbox`) fail until [`make_succeed`].
pub fn make_fail(app: &TestApp, statement: &str) {
    let sql = match beside(app) {
        Beside::File(_) => format!(
            "CREATE TRIGGER broken BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'broken'); END"
        ),
        Beside::Schema(_) => {
            let (event, condition) = statement
                .split_once(" WHEN ")
                .unwrap_or((statement, "true"));
            format!(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
                 CREATE TRIGGER broken BEFORE {event} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION fail()"
            )
        }
    };
    execute_sql(app, &sql);
}

/// Undoes [`make_fail`].
pub fn make_succeed(app: &TestApp) {
    let sql = match beside(app) {
        Beside::File(_) => "DROP TRIGGER broken",
        Beside::Schema(_) => "DROP FUNCTION fail() CASCADE",
    };
    execute_sql(app, sql);
}

/// Status, body and headers of a reply without the request's id.
pub fn seen(reply: &Reply) -> (u16, Value, Vec<String>) {
    let mut body = reply.json();
    if let Some(id) = body.get_mut("request_id") {
        *id = json!("");
    }
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id");
    let mut headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (reply.status, body, headers)
}

/// Asserts that a reply is this error, in the shape and with the headers that all errors have.
#[track_caller]
pub fn assert_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body["code"], code, "{body}");
    assert!(
        body["error"].as_str().is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    let id = reply.header("x-request-id").expect("a request id");
    assert_eq!(body["request_id"], id, "{body}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let known = ["error", "code", "errors", "fields", "request_id"];
    let keys = body.as_object().unwrap().keys();
    assert_eq!(
        keys.filter(|key| !known.contains(&key.as_str())).count(),
        0,
        "{body}"
    );
    assert_eq!(body.get("fields").is_some(), status == 422, "{body}");
    let listed = status == 422 || code == "link_invalid";
    assert_eq!(body.get("errors").is_some(), listed, "{body}");
}

/// Asserts that a reply is 422 with exactly these errors: field and message.
#[track_caller]
pub fn assert_faults(reply: &Reply, faults: &[(&str, &str)]) {
    assert_refused(reply, 422, "validation_failed");
    let mut fields = json!({});
    let mut errors = Vec::new();
    for (attribute, message) in faults {
        match &mut fields[*attribute] {
            Value::Array(messages) => messages.push(json!(message)),
            empty => *empty = json!([message]),
        }
        let name = attribute.replace('_', " ");
        errors.push(format!(
            "{}{} {message}",
            name[..1].to_uppercase(),
            &name[1..]
        ));
    }
    assert_eq!(
        (&reply.json()["fields"], &reply.json()["errors"]),
        (&fields, &json!(errors))
    );
}

/// Values of the wrong JSON type for a text.
pub fn not_text() -> [Value; 4] {
    [json!(1), json!([PASSWORD]), json!({ "a": 1 }), json!(true)]
}

/// Asserts that a request for a mail rejects blank and malformed addresses without revealing accounts.
pub async fn assert_unusable_addresses_are_refused(app: &TestApp, path: &str) {
    for (body, message) in [
        (json!({}), "can't be blank"),
        (json!({ "email_address": null }), "can't be blank"),
        (json!({ "email_address": "  " }), "can't be blank"),
        (json!({ "email_address": "no address" }), "is invalid"),
        (json!({ "email_address": "one＠example.com" }), "is invalid"),
    ] {
        let reply = app.post(path).json(&body).send().await;
        assert_faults(&reply, &[("email_address", message)]);
    }
}

/// Does what follows a restore.
pub async fn restored(app: &TestApp) {
    let (database, now) = (&app.context().database, app.context().clock.now());
    let options = AfterRestore {
        ends_sessions: false,
        keeps_recovery_codes: false,
    };
    end_after_restore(database, options, now).await.unwrap();
}
