//! Adding, listing, renaming and removing passkeys.

use std::time::Duration;

use cloakroom::config::Required;
use cloakroom::domain::User;
use cloakroom::testing::{Reply, TestApp};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::docs::blocks::blocks_in;
use crate::support::app::{
    ONE, PASSWORD, assert_faults, assert_refused, column_in, confirmation_token, count_in, disable,
    execute_sql, has_mail, new_token, reset_token, session_is_valid, signed_in,
};
use crate::support::flows::Flows;
use crate::support::passkeys::{
    Device, add, add_device, assertion, base64url, creation_options, device_of, present,
    reauthenticate_with, request_options, sign_in_with, sign_up_options, signed_up,
};
use crate::support::second_factor::{assert_second_factor_due, enrol, pending_sign_in};

const INVALID: &[(&str, &str)] = &[("credential", "could not be verified")];

async fn remove(app: &TestApp, session: &str, id: &Value) -> Reply {
    let body = json!({ "password_challenge": PASSWORD });
    let call = app.delete(&format!("/v1/user/passkeys/{id}"));
    call.bearer(session).json(&body).send().await
}

async fn list(app: &TestApp, session: &str) -> Value {
    let reply = app.get("/v1/user/passkeys").bearer(session).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[actix_web::test]
async fn options_are_those_of_web_authentication() {
    let (app, _, token) = signed_in().await;
    let (device, _) = add_device(&app, &token).await;
    let options = creation_options(&app, &token).await;
    assert_eq!(
        options["rp"],
        json!({ "id": "localhost", "name": "Cloakroom" })
    );
    assert_eq!(options["user"]["name"], ONE);
    assert_eq!(options["user"]["displayName"], ONE);
    assert_eq!(options["user"]["id"], device.handle.as_str());
    assert_eq!(device.handle.len(), 43);
    assert_eq!(options["timeout"], 300_000);
    assert_eq!(options["attestation"], "none");
    let algorithms = options["pubKeyCredParams"].as_array().unwrap();
    assert_eq!(algorithms.len(), 3);
    assert!(algorithms.contains(&json!({ "type": "public-key", "alg": -7 })));
    let selection = json!({
        "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
    });
    assert_eq!(options["authenticatorSelection"], selection);
    let excluded = &options["excludeCredentials"];
    assert_eq!(excluded[0]["id"], base64url(&device.credential_id));
    assert_eq!(excluded[0]["transports"], json!(["internal"]));
}

#[actix_web::test]
async fn an_added_passkey_is_listed_and_reported() {
    let (app, _, token) = signed_in().await;
    let (device, reply) = add_device(&app, &token).await;
    let added = reply.json()["passkey"].clone();
    assert_eq!(added["name"], "A phone");
    assert_eq!(
        (&added["last_used_at"], &added["backed_up"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(
        reply.header("location"),
        Some(format!("/v1/user/passkeys/{}", added["id"]).as_str())
    );
    let listed = list(&app, &token).await;
    assert_eq!(listed["passkeys"], json!([added]));
    assert_eq!(listed["rp_id"], "localhost");
    assert_eq!(listed["user_handle"], device.handle.as_str());
    let factors = app
        .get("/v1/user/factors")
        .bearer(&token)
        .send()
        .await
        .json();
    assert_eq!(factors["factors"][0]["kind"], "passkey");
    assert_eq!(factors["factors"][0]["name"], "A phone");
    assert!(has_mail(&app, "A passkey was added to your account").await);
}

#[actix_web::test]
async fn a_passkey_without_a_name_gets_one_and_is_renamed() {
    let (app, _, token) = signed_in().await;
    let mut device = Device::new();
    let options = creation_options(&app, &token).await;
    let body = json!({
        "credential": device.create(&options), "name": "  ", "password_challenge": PASSWORD,
    });
    let added = app
        .post("/v1/user/passkeys")
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(added.json()["passkey"]["name"], "Passkey");
    let path = format!("/v1/user/passkeys/{}", added.json()["passkey"]["id"]);
    let rename = |name: &str| {
        let body = json!({ "name": name, "password_challenge": PASSWORD });
        app.patch(&path).bearer(&token).json(&body).send()
    };
    assert_eq!(
        rename(" My phone ").await.json()["passkey"]["name"],
        "My phone"
    );
    assert_faults(&rename(" ").await, &[("name", "can't be blank")]);
    assert_faults(
        &rename(&"a".repeat(256)).await,
        &[("name", "is too long (maximum is 255 characters)")],
    );
}

#[actix_web::test]
async fn changes_of_passkeys_need_a_reauthentication() {
    let (app, user, token) = signed_in().await;
    let (_, passkey) = device_of(&app, &user).await;
    let credential = Device::new().create(&creation_options(&app, &token).await);
    let path = format!("/v1/user/passkeys/{}", passkey.id.0);
    for (body, fault) in [
        (json!({}), "can't be blank"),
        (json!({ "password_challenge": "wrong" }), "is incorrect"),
    ] {
        let with = |name: &str, value: Value| {
            let mut body = body.clone();
            body[name] = value;
            body
        };
        for (call, body) in [
            (app.post("/v1/user/passkeys/options"), body.clone()),
            (
                app.post("/v1/user/passkeys"),
                with("credential", credential.clone()),
            ),
            (app.patch(&path), with("name", json!("Mine"))),
            (app.delete(&path), body.clone()),
            (app.delete("/v1/user/password"), body.clone()),
        ] {
            let reply = call.bearer(&token).json(&body).send().await;
            assert_faults(&reply, &[("password_challenge", fault)]);
        }
    }
    assert_eq!(count_in(&app, "SELECT count(*) FROM passkeys"), 1);
}

#[actix_web::test]
async fn a_session_with_one_factor_changes_no_passkey() {
    let (app, _, token) = signed_in().await;
    let older = new_token(&app.sign_in(ONE, PASSWORD).await);
    let (_, added) = add_device(&app, &token).await;
    let id = added.json()["passkey"]["id"].clone();
    let options = creation_options(&app, &older).await;
    enrol(&app, &token).await;
    let mut device = Device::new();
    let body = json!({ "password_challenge": PASSWORD });
    let started = app
        .post("/v1/user/passkeys/options")
        .bearer(&older)
        .json(&body)
        .send()
        .await;
    for refused in [
        started,
        add(&app, &older, &device.create(&options)).await,
        remove(&app, &older, &id).await,
    ] {
        assert_eq!(refused.status, 401, "{}", refused.text());
        assert_eq!(refused.json()["code"], "insufficient_user_authentication");
    }
    assert_eq!(remove(&app, &token, &id).await.status, 204);
}

#[actix_web::test]
async fn an_answer_is_accepted_only_for_its_user_and_session() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let [another, own] = [app.sign_in_as(&other).await, app.sign_in_as(&user).await];
    let credential = Device::new().create(&creation_options(&app, &token).await);
    for session in [&another, &own] {
        assert_faults(&add(&app, session, &credential).await, INVALID);
    }
    assert_eq!(add(&app, &token, &credential).await.status, 201);
    assert_faults(&add(&app, &token, &credential).await, INVALID);
}

#[actix_web::test]
async fn a_challenge_of_another_ceremony_adds_no_passkey() {
    let (app, _, token) = signed_in().await;
    let sign_in = request_options(&app).await;
    let sign_up = sign_up_options(&app, ONE).await.json();
    for challenge in [&sign_in["challenge"], &sign_up["challenge"], &json!("AAAA")] {
        let mut options = creation_options(&app, &token).await;
        options["challenge"] = challenge.clone();
        let credential = Device::new().create(&options);
        assert_faults(&add(&app, &token, &credential).await, INVALID);
    }
    let used = "SELECT count(*) FROM used_webauthn_challenges";
    assert_eq!(count_in(&app, used), 0);
}

#[actix_web::test]
async fn an_answer_cannot_be_left_out() {
    let (app, _, token) = signed_in().await;
    let blank = [("credential", "can't be blank")];
    let added = add(&app, &token, &Value::Null).await;
    assert_faults(&added, &blank);
    assert_faults(&present(&app, &Value::Null).await, &blank);
}

#[actix_web::test]
async fn an_answer_after_five_minutes_adds_no_passkey() {
    let (app, _, token) = signed_in().await;
    let credential = Device::new().create(&creation_options(&app, &token).await);
    app.clock().advance(Duration::from_secs(300));
    assert_faults(&add(&app, &token, &credential).await, INVALID);
}

#[actix_web::test]
async fn a_credential_is_registered_for_one_user() {
    let (app, _, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let another = app.sign_in_as(&other).await;
    let (mut device, _) = add_device(&app, &token).await;
    for session in [&another, &token] {
        let options = creation_options(&app, session).await;
        let handle = device.handle.clone();
        let credential = device.create(&options);
        device.handle = handle;
        assert_faults(&add(&app, session, &credential).await, INVALID);
    }
    assert_eq!(
        sign_in_with(&app, &device).await.json()["user"]["email_address"],
        ONE
    );
}

#[actix_web::test]
async fn of_two_registrations_of_one_credential_one_wins() {
    let (app, _, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let another = app.sign_in_as(&other).await;
    let mut device = Device::new();
    let [first, second] = [
        device.create(&creation_options(&app, &token).await),
        device.create(&creation_options(&app, &another).await),
    ];
    let both = (add(&app, &token, &first), add(&app, &another, &second));
    let (one, two) = join(both.0, both.1).await;
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    assert_eq!(count_in(&app, "SELECT count(*) FROM passkeys"), 1);
}

#[actix_web::test]
async fn a_user_has_at_most_twenty_passkeys() {
    let (app, user, token) = signed_in().await;
    for _ in 0..19 {
        device_of(&app, &user).await;
    }
    let [first, second] = [
        Device::new().create(&creation_options(&app, &token).await),
        Device::new().create(&creation_options(&app, &token).await),
    ];
    assert_eq!(add(&app, &token, &first).await.status, 201);
    assert_refused(&add(&app, &token, &second).await, 422, "too_many_passkeys");
    let body = json!({ "password_challenge": PASSWORD });
    let options = app
        .post("/v1/user/passkeys/options")
        .bearer(&token)
        .json(&body)
        .send()
        .await;
    assert_refused(&options, 422, "too_many_passkeys");
}

#[actix_web::test]
async fn a_removed_passkey_signs_in_no_more_and_is_reported() {
    let (app, _, token) = signed_in().await;
    let (device, added) = add_device(&app, &token).await;
    let id = added.json()["passkey"]["id"].clone();
    assert_eq!(remove(&app, &token, &id).await.status, 204);
    assert_refused(&remove(&app, &token, &id).await, 404, "not_found");
    assert_refused(&sign_in_with(&app, &device).await, 401, "passkey_unknown");
    assert!(has_mail(&app, "A passkey of your account was removed").await);
}

#[actix_web::test]
async fn a_lost_passkey_is_removed_and_the_last_one_stays() {
    let app = TestApp::new().await;
    let (device, token) = signed_up(&app, ONE).await;
    let token = new_token(&reauthenticate_with(&app, &token, &device).await);
    let remove = |id: &Value| {
        let call = app.delete(&format!("/v1/user/passkeys/{id}"));
        call.bearer(&token).json(&json!({})).send()
    };
    let first = list(&app, &token).await["passkeys"][0]["id"].clone();
    assert_refused(&remove(&first).await, 409, "last_sign_in_method");
    let (second, added) = add_device_lately(&app, &token).await;
    assert_eq!(remove(&first).await.status, 204);
    let second_id = &added.json()["passkey"]["id"];
    assert_refused(&remove(second_id).await, 409, "last_sign_in_method");
    assert_eq!(sign_in_with(&app, &second).await.status, 200);
}

/// Adds a passkey on a session that was reauthenticated.
async fn add_device_lately(app: &TestApp, session: &str) -> (Device, Reply) {
    let mut device = Device::new();
    let options = app
        .post("/v1/user/passkeys/options")
        .bearer(session)
        .send()
        .await
        .json();
    let body = json!({ "credential": device.create(&options) });
    let reply = app
        .post("/v1/user/passkeys")
        .bearer(session)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    (device, reply)
}

#[actix_web::test]
async fn of_two_removals_of_the_last_two_ways_one_wins() {
    for _ in 0..5 {
        let app = TestApp::new().await;
        let (device, token) = signed_up(&app, ONE).await;
        let token = new_token(&reauthenticate_with(&app, &token, &device).await);
        let (_, second) = add_device_lately(&app, &token).await;
        let first = list(&app, &token).await["passkeys"][1]["id"].clone();
        let remove = |id: &Value| {
            let call = app.delete(&format!("/v1/user/passkeys/{id}"));
            call.bearer(&token).json(&json!({})).send()
        };
        let second = &second.json()["passkey"]["id"];
        let (one, two) = join(remove(&first), remove(second)).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        assert_eq!(count_in(&app, "SELECT count(*) FROM passkeys"), 1);
    }
}

#[actix_web::test]
async fn a_password_is_removed_and_set_again() {
    let (app, _, token) = signed_in().await;
    let other = new_token(&app.sign_in(ONE, PASSWORD).await);
    let remove = |token: &str| {
        let body = json!({ "password_challenge": PASSWORD });
        app.delete("/v1/user/password")
            .bearer(token)
            .json(&body)
            .send()
    };
    assert_refused(&remove(&token).await, 409, "last_sign_in_method");
    assert!(session_is_valid(&app, &token).await);
    let (device, _) = add_device(&app, &token).await;
    let rotated = new_token(&remove(&token).await);
    assert!(!session_is_valid(&app, &token).await);
    assert!(!session_is_valid(&app, &other).await);
    assert_eq!(count_in(&app, "SELECT count(*) FROM passwords"), 0);
    assert_eq!(app.sign_in(ONE, PASSWORD).await.status, 401);
    assert!(has_mail(&app, "The password of your account was removed").await);
    let listed = app.get("/v1/user/factors").bearer(&rotated).send().await;
    assert_eq!(listed.json()["has_password"], false);

    let proved = new_token(&reauthenticate_with(&app, &rotated, &device).await);
    let again = app
        .delete("/v1/user/password")
        .bearer(&proved)
        .json(&json!({}))
        .send()
        .await;
    assert_refused(&again, 404, "not_found");
    let body = json!({ "password": "another password" });
    let set = app
        .put("/v1/user/password")
        .bearer(&proved)
        .json(&body)
        .send()
        .await;
    new_token(&set);
    assert_eq!(app.sign_in(ONE, "another password").await.status, 200);
}

#[actix_web::test]
async fn an_account_without_a_password_gets_one_by_a_reset() {
    let app = TestApp::new().await;
    let (device, token) = signed_up(&app, ONE).await;
    execute_sql(&app, "UPDATE users SET email_confirmed_at = created_at");
    let link = reset_token(&app, ONE).await;
    assert_eq!(
        app.reset_password(&link, "another password").await.status,
        200
    );
    assert!(!session_is_valid(&app, &token).await);
    assert_eq!(app.sign_in(ONE, "another password").await.status, 200);
    assert_eq!(
        sign_in_with(&app, &device).await.status,
        200,
        "a reset removes no factor"
    );
}

#[actix_web::test]
async fn a_squatters_passkey_ends_with_the_first_reset() {
    let app = TestApp::new().await;
    let (device, _) = signed_up(&app, ONE).await;
    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, PASSWORD).await.status, 200);
    assert_refused(&sign_in_with(&app, &device).await, 401, "passkey_unknown");
    assert_eq!(count_in(&app, "SELECT count(*) FROM passkey_handles"), 0);
    assert!(has_mail(&app, "A passkey of your account was removed").await);
}

#[actix_web::test]
async fn a_reset_ends_passkeys_from_before_the_verification() {
    let app = TestApp::new().await;
    let (squatters, session) = signed_up(&app, ONE).await;
    app.clock().advance(Duration::from_secs(1));
    let link = confirmation_token(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    assert_eq!(sign_in_with(&app, &squatters).await.status, 200);
    app.clock().advance(Duration::from_secs(1));
    let token = new_token(&reauthenticate_with(&app, &session, &squatters).await);
    let (owners, _) = add_device_lately(&app, &token).await;
    for password in ["of the owner", "another one"] {
        let link = reset_token(&app, ONE).await;
        assert_eq!(app.reset_password(&link, password).await.status, 200);
        assert_refused(
            &sign_in_with(&app, &squatters).await,
            401,
            "passkey_unknown",
        );
        assert_eq!(sign_in_with(&app, &owners).await.status, 200);
    }
    assert!(has_mail(&app, "A passkey of your account was removed").await);
}

#[actix_web::test]
async fn a_reset_keeps_passkeys_that_a_sign_in_asks_for() {
    let app = TestApp::with_settings(|settings| {
        settings.second_factor.required = Required::All;
    })
    .await;
    let (device, _) = signed_up(&app, ONE).await;
    app.clock().advance(Duration::from_secs(1));
    let link = confirmation_token(&app, ONE).await;
    assert_eq!(app.verify_email(&link).await.status, 200);
    let link = reset_token(&app, ONE).await;
    assert_eq!(app.reset_password(&link, PASSWORD).await.status, 200);
    assert_second_factor_due(&app.sign_in(ONE, PASSWORD).await);
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
}

#[actix_web::test]
async fn accepted_answers_of_a_user_are_limited() {
    const USED: &str = "SELECT count(*) FROM used_webauthn_challenges";
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.passkey_uses = "4 in 15m".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (device, _) = device_of(&app, &user).await;
    let (others, _) = device_of(&app, &other).await;
    let session = new_token(&sign_in_with(&app, &device).await);
    let answer = assertion(&app, &device).await;
    assert_eq!(present(&app, &answer).await.status, 200);
    // Copies of an answer do not use the limit up.
    for _ in 0..3 {
        let copy = present(&app, &answer).await;
        assert_refused(&copy, 401, "passkey_invalid");
    }
    let rotated = new_token(&reauthenticate_with(&app, &session, &device).await);
    let (second, _) = add_device_lately(&app, &rotated).await;
    assert_eq!(count_in(&app, USED), 4);
    for device in [&device, &second] {
        let reply = sign_in_with(&app, device).await;
        assert_refused(&reply, 401, "passkey_invalid");
    }
    let credential = Device::new().create(&creation_options(&app, &rotated).await);
    assert_faults(&add(&app, &rotated, &credential).await, INVALID);
    assert_eq!(count_in(&app, USED), 4);
    assert_eq!(sign_in_with(&app, &others).await.status, 200);
    app.clock().advance(Duration::from_secs(15 * 60));
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
}

/// An app whose settings have no passkeys, and a user who added two when they had.
async fn without_passkeys(required: Required) -> (TestApp, User, String) {
    let app = TestApp::with_settings(|settings| {
        settings.server.frontend_url = "http://127.0.0.1:3001".parse().unwrap();
        settings.second_factor.required = required;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    device_of(&app, &user).await;
    device_of(&app, &user).await;
    (app, user, session)
}

#[actix_web::test]
async fn passkeys_that_are_off_are_no_way_to_sign_in() {
    let (app, _, session) = without_passkeys(Required::Off).await;
    let body = json!({ "password_challenge": PASSWORD });
    let remove_password = app.delete("/v1/user/password").bearer(&session).json(&body);
    assert_refused(&remove_password.send().await, 409, "last_sign_in_method");
}

#[actix_web::test]
async fn passkeys_that_are_off_are_no_second_factor() {
    let (app, _, session) = without_passkeys(Required::All).await;
    let reply = app.sign_in(ONE, PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    enrol(&app, &session).await;
    let reply = app.sign_in(ONE, PASSWORD).await.json();
    assert_eq!(reply["methods"], json!(["totp_code", "recovery_code"]));
}

#[actix_web::test]
async fn unknown_passkeys_are_limited_by_session() {
    let app = TestApp::with_settings(|settings| {
        settings.throttle.enabled = true;
        settings.throttle.challenges = "3 in 1h".parse().unwrap();
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let session = app.sign_in_as(&user).await;
    let (device, _) = device_of(&app, &user).await;
    let mut unknown = Device::new();
    unknown.handle.clone_from(&device.handle);
    for _ in 0..3 {
        let reply = reauthenticate_with(&app, &session, &unknown).await;
        assert_refused(&reply, 401, "passkey_unknown");
    }
    for device in [&unknown, &device] {
        let reply = reauthenticate_with(&app, &session, device).await;
        assert_refused(&reply, 429, "rate_limited");
    }
}

#[actix_web::test]
async fn passkeys_are_looked_up_behind_a_pending_sign_in() {
    let (app, user, token) = signed_in().await;
    enrol(&app, &token).await;
    let (device, _) = device_of(&app, &user).await;
    let mut unknown = Device::new();
    unknown.handle.clone_from(&device.handle);
    let present = async |pending: &str, device: &Device| {
        let passkey = assertion(&app, device).await;
        let body = json!({ "pending_token": pending, "passkey": passkey });
        let call = app.post("/v1/session/second_factor").json(&body);
        call.send().await
    };
    let forged = "crp_W4zof3ogtKsQXFnNGbeCocgtPZADRjrQ6quxYB";
    for device in [&unknown, &device] {
        let reply = present(forged, device).await;
        assert_refused(&reply, 401, "pending_sign_in_invalid");
    }
    let pending = pending_sign_in(&app, ONE).await;
    for _ in 0..5 {
        let reply = present(&pending, &unknown).await;
        assert_refused(&reply, 401, "passkey_unknown");
    }
    let reply = present(&pending, &device).await;
    assert_refused(&reply, 401, "pending_sign_in_invalid");
}

#[actix_web::test]
async fn a_passkey_reauthenticates_only_its_user() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (device, _) = device_of(&app, &user).await;
    let (foreign, _) = device_of(&app, &other).await;
    let refused = reauthenticate_with(&app, &token, &foreign).await;
    assert_faults(&refused, &[("passkey", "is incorrect")]);
    let reply = reauthenticate_with(&app, &token, &device).await;
    assert!(!session_is_valid(&app, &token).await);
    let methods = json!(["pwd", "pop", "user", "mfa"]);
    assert_eq!(reply.json()["session"]["auth_methods"], methods);
    let rotated = new_token(&reply);
    assert_eq!(
        reauthenticate_with(&app, &rotated, &device).await.status,
        200
    );
}

#[actix_web::test]
async fn a_passkey_finishes_a_sign_in_by_password() {
    let (app, user, token) = signed_in().await;
    enrol(&app, &token).await;
    let (device, _) = device_of(&app, &user).await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (foreign, _) = device_of(&app, &other).await;
    let due = app.sign_in(ONE, PASSWORD).await.json();
    assert_eq!(
        due["methods"],
        json!(["totp_code", "recovery_code", "passkey"])
    );
    let pending = pending_sign_in(&app, ONE).await;
    let finish = |pending: &str, passkey: Value| {
        let body = json!({ "pending_token": pending, "passkey": passkey });
        app.post("/v1/session/second_factor").json(&body).send()
    };
    let refused = finish(&pending, assertion(&app, &foreign).await).await;
    assert_refused(&refused, 401, "passkey_invalid");
    let credential = assertion(&app, &device).await;
    let reply = finish(&pending, credential.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let methods = json!(["pwd", "pop", "user", "mfa"]);
    assert_eq!(reply.json()["session"]["auth_methods"], methods);
    let pending = pending_sign_in(&app, ONE).await;
    assert_refused(&finish(&pending, credential).await, 401, "passkey_invalid");
}

#[actix_web::test]
async fn a_passkey_is_sent_without_another_proof() {
    let (app, user, token) = signed_in().await;
    enrol(&app, &token).await;
    let (device, _) = device_of(&app, &user).await;
    let passkey = assertion(&app, &device).await;
    let pending = pending_sign_in(&app, ONE).await;
    let body = json!({ "pending_token": pending, "totp_code": "123456", "passkey": passkey });
    let reply = app
        .post("/v1/session/second_factor")
        .json(&body)
        .send()
        .await;
    assert_faults(&reply, &[("passkey", "can't be sent with another factor")]);
    let body = json!({ "password": PASSWORD, "passkey": passkey });
    let call = app.post("/v1/session/reauthenticate");
    let reply = call.bearer(&token).json(&body).send().await;
    assert_faults(&reply, &[("password", "can't be sent with another proof")]);
    assert_eq!(present(&app, &passkey).await.status, 200);
}

#[actix_web::test]
async fn without_a_domain_there_are_no_passkeys() {
    let app = TestApp::with_settings(|settings| {
        settings.server.frontend_url = "http://127.0.0.1:3001".parse().unwrap();
    })
    .await;
    let options = app.post("/v1/session/passkey/options").send().await;
    assert_refused(&options, 404, "not_found");
}

#[actix_web::test]
async fn no_key_challenge_or_handle_is_in_a_mail_or_event() {
    let (app, user, token) = signed_in().await;
    let (device, _) = add_device(&app, &token).await;
    sign_in_with(&app, &device).await;
    disable(&app, &user).await;
    let mails: Vec<_> = app
        .mails()
        .await
        .into_iter()
        .map(|mail| mail.text)
        .collect();
    let id = base64url(&device.credential_id);
    assert!(
        mails
            .iter()
            .all(|text| !text.contains(&id) && !text.contains(&device.handle))
    );
    let stored = column_in(&app, "SELECT transports FROM passkeys");
    assert_eq!(stored, [Some("internal".to_owned())]);
}

#[actix_web::test]
async fn the_guide_shows_options_and_a_passkey() {
    let (app, _, token) = signed_in().await;
    let (_, added) = add_device(&app, &token).await;
    let shown = blocks_in("docs/guides/passkeys.md", "json");
    let replies = [request_options(&app).await, added.json()];
    assert_eq!(shown.len(), replies.len());
    for (shown, reply) in shown.iter().zip(&replies) {
        let mut shown: Value = serde_json::from_str(shown).unwrap();
        for path in [
            "/challenge",
            "/passkey/name",
            "/passkey/created_at",
            "/passkey/credential_id",
        ] {
            if let Some(value) = shown.pointer_mut(path) {
                assert!(value.is_string());
                *value = reply.pointer(path).unwrap().clone();
            }
        }
        assert_eq!(&shown, reply);
    }
}
