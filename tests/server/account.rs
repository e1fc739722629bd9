//! The life of a session and an account over TCP, and fifty concurrent requests for the same change.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::{Answer, RawConnection};

const RACERS: usize = 50;
const ONE: &str = "one@example.com";
const MOVED: &str = "moved@example.com";
const PASSWORD: &str = "password";
const NEW: &str = "another password";

#[test]
fn an_account_lives_from_sign_up_to_deletion() {
    let mut test_server = TestServer::new();
    test_server
        .set("CLOAKROOM__THROTTLE__ENABLED", "true")
        // All here comes from one client: the limit by address is the one to be met.
        .set("CLOAKROOM__THROTTLE__SIGN_IN", "1000 in 3m");
    let server = test_server.serve();
    let first = server.sign_up_token(ONE, PASSWORD);
    confirm_address(&test_server, &server, &first);
    list_and_end_sessions(&server, &first);
    let token = rotate(&server, &sign_in(&server, ONE, PASSWORD));
    let token = change_password(&test_server, &server, &token);
    let token = change_address(&test_server, &server, &token);
    shut_and_unlock(&test_server, &server, &token);
    carry_a_cookie(&server);
    delete_account(&test_server, &server, &token);
}

fn sign_in(server: &Server, address: &str, password: &str) -> String {
    let (status, reply) = server.sign_in(address, password);
    assert_eq!(status, 200, "{reply}");
    reply["token"].as_str().unwrap().to_owned()
}

fn get(server: &Server, path: &str, token: &str) -> Value {
    let (status, reply) = server.request("GET", path, Some(token), None);
    assert_eq!(status, 200, "{reply}");
    reply
}

fn id_of(server: &Server, token: &str) -> i64 {
    get(server, "/v1/session", token)["session"]["id"]
        .as_i64()
        .unwrap()
}

#[track_caller]
fn assert_dead(server: &Server, token: &str) {
    let (status, reply) = server.request("GET", "/v1/session", Some(token), None);
    assert_eq!((status, &reply["code"]), (401, &json!("token_invalid")));
}

#[track_caller]
fn assert_done(answer: (u16, Value), message: &str) {
    assert_eq!(answer, (200, json!({ "message": message })));
}

/// Returns the session's new token.
#[track_caller]
fn assert_changed((status, reply): (u16, Value), message: &str) -> String {
    assert_eq!((status, &reply["message"]), (200, &json!(message)));
    reply["token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_link_is_dead(answer: &(u16, Value), sentence: &str) {
    let (status, reply) = answer;
    assert_eq!(
        (*status, &reply["code"], &reply["errors"]),
        (401, &json!("link_invalid"), &json!([sentence]))
    );
}

#[track_caller]
fn assert_challenged(answer: &(u16, Value), message: &str) {
    let (status, reply) = answer;
    assert_eq!(
        (*status, &reply["fields"]),
        (422, &json!({ "password_challenge": [message] }))
    );
}

/// The last letter to an address that holds these words.
fn letter(test_server: &TestServer, to: &str, words: &str) -> String {
    let to = format!("To: {to}");
    eventually(|| {
        let mut letters = test_server.mails().into_iter();
        letters.rfind(|letter| letter.lines().any(|line| line == to) && letter.contains(words))
    })
}

fn confirm_address(test_server: &TestServer, server: &Server, token: &str) {
    for address in ["nobody@example.com", ONE] {
        let body = json!({ "email_address": address });
        let asked = server.request("POST", "/v1/confirmations", None, Some(&body));
        assert_done(asked, "Confirmation instructions sent");
    }
    let path = format!(
        "/v1/confirmations/{}",
        link_token(
            &letter(test_server, ONE, "/confirmations#"),
            "/confirmations#"
        )
    );
    assert_eq!(
        get(server, "/v1/user", token)["user"]["email_confirmed"],
        false
    );
    assert_done(
        server.request("PUT", &path, None, None),
        "Email address has been confirmed.",
    );
    let user = &get(server, "/v1/user", token)["user"];
    assert_eq!(
        (&user["email_confirmed"], &user["email_address"]),
        (&json!(true), &json!(ONE))
    );
    assert_done(
        server.request("PUT", &path, None, None),
        "Email address has been confirmed.",
    );
    assert_eq!(
        test_server.mails().len(),
        1,
        "an unknown address gets no mail"
    );
}

fn list_and_end_sessions(server: &Server, first: &str) {
    let stranger = server.sign_up_token("stranger@example.com", PASSWORD);
    let others: Vec<String> = (0..3).map(|_| sign_in(server, ONE, PASSWORD)).collect();
    let listed = get(server, "/v1/sessions", first);
    let listed = listed["sessions"].as_array().unwrap();
    assert_eq!(listed.len(), 4);
    let active: Vec<&str> = listed
        .iter()
        .map(|one| one["last_active_at"].as_str().unwrap())
        .collect();
    assert!(
        active.is_sorted_by(|newer, older| newer >= older),
        "{active:?}"
    );
    let current: Vec<&Value> = listed.iter().filter(|one| one["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], id_of(server, first));
    for one in listed {
        let fields: Vec<&str> = one
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "auth_methods",
            "authenticated_at",
            "created_at",
            "current",
            "expires_at",
            "id",
            "ip_address",
            "last_active_at",
            "user_agent",
        ];
        assert_eq!(fields, expected);
    }

    let end = |path: &str, token: &str| server.request("DELETE", path, Some(token), None);
    let one = format!("/v1/sessions/{}", id_of(server, &others[0]));
    assert_eq!(end(&one, &stranger).0, 404);
    assert_eq!(server.session_status(&others[0]), 200);
    assert_eq!(end(&one, first).0, 204);
    assert_dead(server, &others[0]);
    assert_eq!(end(&one, first).0, 404);

    let ended = |count: i64| {
        (
            200,
            json!({ "message": "Sessions ended", "sessions_ended": count }),
        )
    };
    assert_eq!(end("/v1/sessions?except=current", first), ended(2));
    others.iter().for_each(|other| assert_dead(server, other));
    let second = sign_in(server, ONE, PASSWORD);
    assert_eq!(end("/v1/sessions", first), ended(2));
    [first, &second]
        .into_iter()
        .for_each(|token| assert_dead(server, token));
    assert_eq!(server.session_status(&stranger), 200);
}

/// Gives the new token.
fn rotate(server: &Server, old: &str) -> String {
    let before = get(server, "/v1/session", old);
    let (status, reply) = server.request("POST", "/v1/session/rotate", Some(old), None);
    assert_eq!(status, 200, "{reply}");
    let new = reply["token"].as_str().unwrap().to_owned();
    assert_dead(server, old);
    assert_eq!(
        get(server, "/v1/session", &new),
        before,
        "the same session, user and end"
    );
    assert_eq!(reply["expires_at"], before["session"]["expires_at"]);
    assert_eq!(
        server
            .request("POST", "/v1/session/rotate", Some(old), None)
            .0,
        401
    );
    new
}

/// Returns the session's new token.
fn change_password(test_server: &TestServer, server: &Server, token: &str) -> String {
    let other = sign_in(server, ONE, PASSWORD);
    server.request_reset_mail(ONE);
    let reset = format!(
        "/v1/passwords/{}",
        link_token(
            &letter(test_server, ONE, "/passwords/edit#"),
            "/passwords/edit#"
        )
    );
    let put = |body: &Value| server.request("PUT", "/v1/user/password", Some(token), Some(body));
    let mut body = json!({ "password": NEW, "password_confirmation": NEW });
    assert_challenged(&put(&body), "can't be blank");
    body["password_challenge"] = json!("wrong");
    assert_challenged(&put(&body), "is incorrect");
    assert_eq!(server.session_status(&other), 200);

    body["password_challenge"] = json!(PASSWORD);
    let new = assert_changed(put(&body), "Password has been changed.");
    assert_dead(server, &other);
    assert_dead(server, token);
    assert_eq!(server.session_status(&new), 200);
    assert_eq!(server.sign_in(ONE, PASSWORD).0, 401);
    sign_in(server, ONE, NEW);
    let void = server.request("PUT", &reset, None, Some(&json!({ "password": PASSWORD })));
    assert_link_is_dead(&void, "Password reset link is invalid or has expired.");
    letter(test_server, ONE, "Subject: Your password was changed");
    new
}

/// Returns the session's new token.
fn change_address(test_server: &TestServer, server: &Server, token: &str) -> String {
    let put =
        |body: &Value| server.request("PUT", "/v1/user/email_address", Some(token), Some(body));
    let mut body = json!({ "email_address": MOVED });
    assert_challenged(&put(&body), "can't be blank");
    body["password_challenge"] = json!("wrong");
    assert_challenged(&put(&body), "is incorrect");
    body["password_challenge"] = json!(NEW);
    let new = assert_changed(put(&body), "Confirmation instructions sent");
    assert_dead(server, token);
    let token = &*new;
    letter(
        test_server,
        ONE,
        "Subject: A new email address for your account",
    );
    let path = format!(
        "/v1/confirmations/{}",
        link_token(
            &letter(test_server, MOVED, "/confirmations#"),
            "/confirmations#"
        )
    );
    assert_eq!(
        get(server, "/v1/user", token)["user"]["email_address"],
        ONE,
        "not before it"
    );
    assert_eq!(server.sign_in(MOVED, NEW).0, 401);

    assert_done(
        server.request("PUT", &path, None, None),
        "Email address has been confirmed.",
    );
    assert_eq!(
        get(server, "/v1/user", token)["user"]["email_address"],
        MOVED
    );
    assert_eq!(server.sign_in(ONE, NEW).0, 401);
    sign_in(server, MOVED, NEW);
    let again = server.request("PUT", &path, None, None);
    assert_link_is_dead(&again, "Confirmation link is invalid or has expired.");
    letter(test_server, ONE, "Subject: Your email address was changed");
    new
}

fn shut_and_unlock(test_server: &TestServer, server: &Server, token: &str) {
    eventually(|| (server.sign_in(MOVED, "wrong").0 == 429).then_some(()));
    let (status, reply) = server.sign_in(MOVED, NEW);
    assert_eq!(
        (status, &reply["code"], &reply["error"]),
        (429, &json!("rate_limited"), &json!("Try again later."))
    );
    assert_eq!(
        server.session_status(token),
        200,
        "sessions that exist go on"
    );
    let path = format!(
        "/v1/unlocks/{}",
        link_token(&letter(test_server, MOVED, "/unlocks#"), "/unlocks#")
    );
    assert_done(
        server.request("PUT", &path, None, None),
        "Sign-in is possible again.",
    );
    sign_in(server, MOVED, NEW);
    let again = server.request("PUT", &path, None, None);
    assert_link_is_dead(&again, "Unlock link is invalid or has expired.");
}

/// As a browser does it that knows of no token.
fn carry_a_cookie(server: &Server) {
    let ask = |method: &str, path: &str, headers: &str, body: &Value| {
        let mut connection = RawConnection::to(server);
        connection.ask(method, path, headers, &body.to_string());
        connection.receive()
    };
    let ours = "Sec-Fetch-Site: same-origin\r\n";
    let body = json!({ "email_address": MOVED, "password": NEW, "transport": "cookie" });
    let signed_in = ask("POST", "/v1/session", ours, &body);
    assert_eq!(signed_in.status, 200);
    assert_eq!(signed_in.json().get("token"), None);
    let line = signed_in.header("Set-Cookie").unwrap();
    assert!(line.ends_with("; HttpOnly; SameSite=Lax"), "{line}");
    let cookie = format!("Cookie: {}\r\n", line.split_once(';').unwrap().0);

    assert_eq!(ask("GET", "/v1/session", &cookie, &json!({})).status, 200);
    let refused = ask("DELETE", "/v1/session", &cookie, &json!({}));
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (403, &json!("cross_origin"))
    );
    let ended = ask(
        "DELETE",
        "/v1/session",
        &format!("{cookie}{ours}"),
        &json!({}),
    );
    assert_eq!(ended.status, 200);
    assert!(ended.header("Set-Cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(ask("GET", "/v1/session", &cookie, &json!({})).status, 401);
}

fn delete_account(test_server: &TestServer, server: &Server, token: &str) {
    let call = |method: &str, path: &str, body: &Value| {
        server.request(method, path, Some(token), Some(body))
    };
    assert_eq!(
        call("POST", "/v1/projects", &json!({ "title": "A title" })).0,
        201
    );
    let other = sign_in(server, MOVED, NEW);
    let id = get(server, "/v1/user", token)["user"]["id"]
        .as_i64()
        .unwrap();
    assert_challenged(&call("DELETE", "/v1/user", &json!({})), "can't be blank");
    assert_challenged(
        &call(
            "DELETE",
            "/v1/user",
            &json!({ "password_challenge": "wrong" }),
        ),
        "is incorrect",
    );
    let wrong = call(
        "POST",
        "/v1/session/reauthenticate",
        &json!({ "password": "wrong" }),
    );
    assert_eq!(
        (wrong.0, &wrong.1["fields"]),
        (422, &json!({ "password": ["is incorrect"] }))
    );
    // A reauthentication a moment ago serves, under the new token.
    let path = "/v1/session/reauthenticate";
    let (status, reply) = call("POST", path, &json!({ "password": NEW }));
    assert_eq!(status, 200, "{reply}");
    let renewed = reply["token"].as_str().unwrap().to_owned();
    assert_dead(server, token);
    assert_challenged(
        &server.request("DELETE", "/v1/user", Some(&other), Some(&json!({}))),
        "can't be blank",
    );
    assert_done(
        server.request("DELETE", "/v1/user", Some(&renewed), Some(&json!({}))),
        "Account has been deleted.",
    );
    [&renewed, &other]
        .into_iter()
        .for_each(|token| assert_dead(server, token));
    assert_eq!(server.sign_in(MOVED, NEW).0, 401);
    letter(test_server, MOVED, "Subject: Your account was deleted");
    assert_nothing_is_left_of(test_server, id);
    // The address is free; the user who takes it next has another id.
    let next = server.sign_up_token(MOVED, PASSWORD);
    assert!(
        get(server, "/v1/user", &next)["user"]["id"]
            .as_i64()
            .unwrap()
            > id
    );
}

fn assert_nothing_is_left_of(test_server: &TestServer, id: i64) {
    for (table, column) in [
        ("users", "id"),
        ("sessions", "user_id"),
        ("projects", "user_id"),
        ("known_devices", "user_id"),
        ("passwords", "user_id"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = {id}");
        assert_eq!(test_server.store().count(&sql), 0, "{table}");
    }
}

/// What the racers are answered, who all ask at the same time, each on a connection of their own: `(method, path, token,
/// body)` by number.
fn race(
    server: &Server,
    request: impl Fn(usize) -> (&'static str, String, String, Value) + Sync,
) -> Vec<Answer> {
    let start = Barrier::new(RACERS);
    thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|number| {
                let (start, request) = (&start, &request);
                scope.spawn(move || {
                    let (method, path, token, body) = request(number);
                    let credential = if token.is_empty() {
                        token
                    } else {
                        format!("Authorization: Bearer {token}\r\n")
                    };
                    let mut connection = RawConnection::to(server);
                    start.wait();
                    connection.ask(method, &path, &credential, &body.to_string());
                    connection.receive()
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    })
}

/// The one that won; all others must have been refused like this.
#[track_caller]
fn winner(answers: &[Answer], refusal: (u16, &str)) -> usize {
    let winners: Vec<usize> = (0..RACERS)
        .filter(|number| answers[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (refusal.0, &json!(refusal.1))
        );
    }
    winners[0]
}

#[test]
fn concurrent_rotations_have_one_winner() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let id = id_of(&server, &token);
    let answers = race(&server, |_| {
        (
            "POST",
            "/v1/session/rotate".to_owned(),
            token.clone(),
            json!({}),
        )
    });
    let winner = winner(&answers, (401, "token_invalid"));
    assert_dead(&server, &token);
    let new = answers[winner].json()["token"].as_str().unwrap().to_owned();
    assert_eq!(id_of(&server, &new), id);
    assert_eq!(
        test_server.store().count("SELECT count(*) FROM sessions"),
        1
    );
}

#[test]
fn concurrent_password_changes_have_one_winner() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let others: Vec<String> = (0..3).map(|_| sign_in(&server, ONE, PASSWORD)).collect();
    let password = |number: usize| format!("password {number}");
    let answers = race(&server, |number| {
        let body = json!({ "password_challenge": PASSWORD, "password": password(number) });
        ("PUT", "/v1/user/password".to_owned(), token.clone(), body)
    });
    let won = |number: &usize| answers[*number].status == 200;
    let winners: Vec<usize> = (0..RACERS).filter(won).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for (number, answer) in answers.iter().enumerate() {
        // Of the others the token was replaced, or the password was before it was verified.
        assert!([200, 401, 422].contains(&answer.status), "{answer:?}");
        let expected = if number == winners[0] { 200 } else { 401 };
        assert_eq!(server.sign_in(ONE, &password(number)).0, expected);
    }
    let new = answers[winners[0]].json()["token"].clone();
    assert_eq!(server.session_status(new.as_str().unwrap()), 200);
    assert_dead(&server, &token);
    others.iter().for_each(|other| assert_dead(&server, other));
    assert_eq!(
        test_server
            .store()
            .count("SELECT credentials_version FROM users"),
        1
    );
    assert_eq!(letters_told(&test_server, "Your password was changed"), 1);
}

#[test]
fn concurrent_address_verifications_have_one_winner() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let body = json!({ "password_challenge": PASSWORD, "email_address": MOVED });
    let asked = server.request("PUT", "/v1/user/email_address", Some(&token), Some(&body));
    let token = assert_changed(asked, "Confirmation instructions sent");
    let link = link_token(
        &letter(&test_server, MOVED, "/confirmations#"),
        "/confirmations#",
    );
    let answers = race(&server, |_| {
        (
            "PUT",
            format!("/v1/confirmations/{link}"),
            String::new(),
            json!({}),
        )
    });
    winner(&answers, (401, "link_invalid"));
    let changed = format!(
        "SELECT count(*) FROM users WHERE email_address = '{MOVED}' AND email_confirmed_at IS NOT NULL
         AND pending_email_address IS NULL AND credentials_version = 1"
    );
    assert_eq!(test_server.store().count(&changed), 1);
    assert_eq!(
        letters_told(&test_server, "Your email address was changed"),
        1
    );
    assert_eq!(server.session_status(&token), 200);
    sign_in(&server, MOVED, PASSWORD);
}

#[test]
fn concurrent_deletions_have_one_winner() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let token = server.sign_up_token(ONE, PASSWORD);
    let neighbour = server.sign_up_token("neighbour@example.com", PASSWORD);
    let body = json!({ "title": "A title" });
    assert_eq!(
        server
            .request("POST", "/v1/projects", Some(&token), Some(&body))
            .0,
        201
    );
    let id = get(&server, "/v1/user", &token)["user"]["id"]
        .as_i64()
        .unwrap();
    let answers = race(&server, |_| {
        (
            "DELETE",
            "/v1/user".to_owned(),
            token.clone(),
            json!({ "password_challenge": PASSWORD }),
        )
    });
    winner(&answers, (401, "token_invalid"));
    assert_nothing_is_left_of(&test_server, id);
    assert_eq!(letters_told(&test_server, "Your account was deleted"), 1);
    assert_eq!(server.session_status(&neighbour), 200);
}

/// How many mails with this subject went out, once all did.
fn letters_told(test_server: &TestServer, subject: &str) -> usize {
    let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL";
    eventually(|| (test_server.store().count(waiting) == 0).then_some(()));
    let subject = format!("Subject: {subject}");
    test_server
        .mails()
        .iter()
        .filter(|letter| letter.lines().any(|line| line == subject))
        .count()
}
