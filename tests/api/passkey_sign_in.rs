//! Signing in by a passkey.

use std::net::Ipv4Addr;
use std::time::Duration;

use cloakroom::accounts::passkeys::{VerifiedAssertion, accept, verify_assertion};
use cloakroom::audit::Source;
use cloakroom::config::Confirm;
use cloakroom::context::{Change, commit};
use cloakroom::domain::ClientInfo;
use cloakroom::testing::TestApp;
use serde_json::{Value, json};

use crate::support::app::{
    ONE, PASSWORD, assert_refused, count_in, disable, execute_sql, new_token, restored, seen,
    signed_in,
};
use crate::support::passkeys::{
    Device, assertion, base64url, creation_options, device_of, present, request_options,
    sign_in_with, sign_up_options,
};
use crate::support::second_factor::enrol;

const USED: &str = "SELECT count(*) FROM used_webauthn_challenges";

/// An answer that a request has verified, and no transaction has used yet.
async fn verified(app: &TestApp, device: &Device) -> VerifiedAssertion {
    let client = ClientInfo {
        ip: Ipv4Addr::LOCALHOST.into(),
        user_agent: None,
        request_id: String::new(),
        same_origin: false,
        cookie: None,
    };
    let response = serde_json::from_value(assertion(app, device).await).unwrap();
    let verified = verify_assertion(app.context(), &client, &response).await;
    verified.unwrap().expect("a genuine answer")
}

/// Uses it in a transaction.
async fn is_accepted(app: &TestApp, verified: VerifiedAssertion) -> bool {
    let (throttle, now) = (app.context().throttle.clone(), app.clock().now());
    let work = move |change: &Change<'_>| {
        let authentication = accept(change, &throttle, &verified, now)?;
        Ok(authentication.is_some())
    };
    let committed = commit(
        &app.context().database,
        &app.context().recorder,
        Source::OPERATOR,
        work,
    )
    .await;
    committed.unwrap().value
}

#[actix_web::test]
async fn options_name_no_credential() {
    let (app, user, _) = signed_in().await;
    device_of(&app, &user).await;
    let options = request_options(&app).await;
    let fields: Vec<_> = options.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["challenge", "rpId", "timeout", "userVerification"]);
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["userVerification"], "required");
    assert_ne!(
        options["challenge"],
        request_options(&app).await["challenge"]
    );
    assert_eq!(count_in(&app, USED), 0, "options write nothing");
}

#[actix_web::test]
async fn a_passkey_signs_in_with_two_factors() {
    let (app, user, token) = signed_in().await;
    enrol(&app, &token).await;
    let (device, _) = device_of(&app, &user).await;
    let reply = sign_in_with(&app, &device).await;
    let session = new_token(&reply);
    assert_eq!(
        reply.json()["session"]["auth_methods"],
        json!(["pop", "user", "mfa"])
    );
    let call = app.get("/v1/verify?acr=aal2&max_age=60").bearer(&session);
    assert_eq!(call.send().await.status, 200);
    let listed = app
        .get("/v1/user/passkeys")
        .bearer(&session)
        .send()
        .await
        .json();
    assert!(listed["passkeys"][0]["last_used_at"].is_string());
}

#[actix_web::test]
async fn a_sign_in_by_passkey_takes_remember_and_transport() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    let body = json!({
        "credential": assertion(&app, &device).await, "remember": true, "transport": "cookie",
    });
    let call = app.post("/v1/session/passkey").same_origin();
    let reply = call.json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json().get("token"), None);
    let cookie = reply.header("set-cookie").unwrap();
    let half_a_year = 180 * 24 * 3600;
    assert!(
        cookie.contains(&format!("Max-Age={half_a_year}")),
        "{cookie}"
    );
}

#[actix_web::test]
async fn every_refusal_gets_one_answer() {
    let (app, user, token) = signed_in().await;
    let other = app.create_user("two@example.com", PASSWORD).await;
    let (device, _) = device_of(&app, &user).await;
    let (foreign, _) = device_of(&app, &other).await;
    let disabled = app.create_user("three@example.com", PASSWORD).await;
    let (disabled_device, _) = device_of(&app, &disabled).await;
    disable(&app, &disabled).await;
    let options = || request_options(&app);
    let twisted = |twist: fn(&mut Device)| {
        let mut twisted = device.clone();
        twist(&mut twisted);
        twisted
    };
    let forged = |part: &str, with: &str| (part.to_owned(), with.to_owned());
    let mut answers = Vec::new();
    for device in [
        twisted(|device| device.origin = "https://localhost:3001".to_owned()),
        twisted(|device| device.rp_id = "example.com".to_owned()),
        twisted(|device| device.user_verified = false),
        Device {
            handle: foreign.handle.clone(),
            ..device.clone()
        },
        Device {
            credential_id: foreign.credential_id.clone(),
            ..device.clone()
        },
        disabled_device,
    ] {
        answers.push(present(&app, &device.get(&options().await)).await);
    }
    for (part, with) in [
        forged("signature", "AAAA"),
        forged("signature", "?"),
        forged("userHandle", "AAAA"),
        forged("clientDataJSON", "AAAA"),
        forged("authenticatorData", ""),
    ] {
        let mut credential = device.get(&options().await);
        credential["response"][part] = json!(with);
        answers.push(present(&app, &credential).await);
    }
    let mut without_handle = device.get(&options().await);
    without_handle["response"]["userHandle"] = Value::Null;
    answers.push(present(&app, &without_handle).await);
    for challenge in [
        creation_options(&app, &token).await["challenge"].clone(),
        sign_up_options(&app, ONE).await.json()["challenge"].clone(),
        json!("AAAA"),
        json!(base64url(&[7; 73])),
    ] {
        let options = json!({ "challenge": challenge });
        answers.push(present(&app, &device.get(&options)).await);
    }
    let first = seen(&answers[0]);
    for answer in &answers {
        assert_refused(answer, 401, "passkey_invalid");
        assert_eq!(seen(answer), first);
    }
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
}

#[actix_web::test]
async fn an_answer_is_accepted_once() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    let credential = assertion(&app, &device).await;
    let tries = (0..20).map(|_| present(&app, &credential));
    let replies = futures_util::future::join_all(tries).await;
    let accepted = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(accepted, 1);
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        assert_refused(refused, 401, "passkey_invalid");
    }
    assert_eq!(count_in(&app, USED), 1);
}

#[actix_web::test]
async fn an_answer_is_valid_for_five_minutes() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    let [first, second] = [
        assertion(&app, &device).await,
        assertion(&app, &device).await,
    ];
    app.clock().advance(Duration::from_secs(299));
    assert_eq!(present(&app, &first).await.status, 200);
    app.clock().advance(Duration::from_secs(1));
    assert_refused(&present(&app, &second).await, 401, "passkey_invalid");
}

#[actix_web::test]
async fn an_answer_that_expires_before_its_use_is_refused() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    // The sweep removes used challenges that are expired: from then on nothing else stops a second use.
    for (wait, is_used) in [(299_999, true), (300_000, false)] {
        let verified = verified(&app, &device).await;
        app.clock().advance(Duration::from_millis(wait));
        assert_eq!(is_accepted(&app, verified).await, is_used, "{wait}");
    }
}

#[actix_web::test]
async fn a_passkey_that_is_removed_before_its_use_is_refused() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    let [first, second] = [verified(&app, &device).await, verified(&app, &device).await];
    assert!(is_accepted(&app, first).await);
    execute_sql(&app, "DELETE FROM passkeys");
    assert!(!is_accepted(&app, second).await);
}

#[actix_web::test]
async fn unverified_accounts_sign_in_as_by_password() {
    for (private, status, code) in [
        (false, 403, "email_unconfirmed"),
        (true, 401, "passkey_invalid"),
    ] {
        let app = TestApp::with_settings(|settings| {
            settings.registration.confirm = Confirm::Required;
            settings.registration.private = private;
        })
        .await;
        let user = app.create_user(ONE, PASSWORD).await;
        let (device, _) = device_of(&app, &user).await;
        execute_sql(&app, "UPDATE users SET email_confirmed_at = NULL");
        assert_refused(&sign_in_with(&app, &device).await, status, code);
        execute_sql(&app, "UPDATE users SET email_confirmed_at = created_at");
        assert_eq!(sign_in_with(&app, &device).await.status, 200);
    }
}

#[actix_web::test]
async fn a_counter_that_does_not_rise_is_no_obstacle() {
    let (app, user, _) = signed_in().await;
    let (mut device, _) = device_of(&app, &user).await;
    for count in [5, 5, 3, 9] {
        device.sign_count = count;
        assert_eq!(sign_in_with(&app, &device).await.status, 200);
    }
    assert_eq!(count_in(&app, "SELECT sign_count FROM passkeys"), 9);
}

#[actix_web::test]
async fn refused_answers_are_limited_and_options_are_not() {
    let app = TestApp::with_settings(|settings| settings.throttle.enabled = true).await;
    let user = app.create_user(ONE, PASSWORD).await;
    let (device, _) = device_of(&app, &user).await;
    let unknown = Device {
        handle: device.handle.clone(),
        ..Device::new()
    };
    for _ in 0..20 {
        assert_eq!(sign_in_with(&app, &device).await.status, 200);
    }
    for _ in 0..10 {
        assert_refused(&sign_in_with(&app, &unknown).await, 401, "passkey_unknown");
    }
    assert_refused(&sign_in_with(&app, &device).await, 429, "rate_limited");
}

#[actix_web::test]
async fn a_challenge_of_before_a_restore_is_refused() {
    let (app, user, _) = signed_in().await;
    let (device, _) = device_of(&app, &user).await;
    let credential = assertion(&app, &device).await;
    restored(&app).await;
    let body = json!({ "credential": credential });
    let reply = app.post("/v1/session/passkey").json(&body).send().await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(sign_in_with(&app, &device).await.status, 200);
}
