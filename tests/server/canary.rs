//! Every flow with secrets that can be recognised; then neither log nor database may hold one.

use cloakroom::crypto::totp::TotpSecret;
use cloakroom::domain::clock::Clock;
use serde_json::{Value, json};

use crate::support::credentials::pair_in;
use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer, eventually};
use crate::support::raw_connection::{Answer, RawConnection};
use crate::support::smtp::{At, Behaviour, Received, SmtpServer};

/// It stands in every password, address and text that a test here sends.
const CANARY: &str = "canary";
const OWNER: &str = "canary-one@example.com";
const PASSWORD: &str = "a canary sings";
const NEW_PASSWORD: &str = "another canary sings";

/// What must not be found: tokens and links as they were handed out.
#[derive(Default)]
struct Secrets {
    tokens: Vec<String>,
    links: Vec<String>,
}

#[test]
fn logs_and_database_hold_no_secret() {
    for (format, level) in [
        ("pretty", "trace"),
        ("json", "trace"),
        ("json", "info,actix_http=trace,mio=trace"),
    ] {
        let mail = SmtpServer::start(Behaviour::default());
        let mut test_server = TestServer::new();
        test_server
            .send_by(&mail)
            .set("CLOAKROOM__LOG__FORMAT", format)
            .set("CLOAKROOM__LOG__LEVEL", level)
            .set("CLOAKROOM__THROTTLE__ENABLED", "true")
            // So that failures shut the address, which mails a link.
            .set("CLOAKROOM__THROTTLE__SIGN_IN", "1000 in 3m");
        let mut server = test_server.serve();
        let mut secrets = Secrets::default();
        sign_up_in_and_out(&server, &mut secrets);
        make_projects(&server, &mut secrets);
        ask_and_reset(&server, &mail, &mut secrets);
        fail_to_send(&test_server, &server, &mail);
        carry_a_cookie(&server, &mut secrets);
        confirm_and_change(&server, &mail, &mut secrets);
        use_tokens(&test_server, &server, &mail, &mut secrets);
        use_second_factors(&server, &mut secrets);
        err_in_every_way(&server, &secrets);
        run_into_limits(&server);
        unlock(&server, &mail, &mut secrets);
        assert_database_is_clean(&test_server, &secrets);
        server.signal("TERM");
        assert!(server.wait().success());
        assert_database_is_clean(&test_server, &secrets);
        assert_log_is_clean(&server.log(), &secrets);
        if format == "json" {
            assert_dependencies_are_discreet(&server.log());
        }
    }
}

fn post(server: &Server, path: &str, body: Value) -> (u16, Value) {
    server.request("POST", path, None, Some(&body))
}

fn sign_up_in_and_out(server: &Server, secrets: &mut Secrets) {
    secrets.tokens.push(server.sign_up_token(OWNER, PASSWORD));
    assert_eq!(
        post(
            server,
            "/v1/registrations",
            json!({ "email_address": OWNER, "password": PASSWORD })
        )
        .0,
        422
    );
    for wrong in ["no canary sings", "", CANARY] {
        assert_eq!(server.sign_in(OWNER, wrong).0, 401);
    }
    assert_eq!(server.sign_in("canary-nobody@example.com", PASSWORD).0, 401);
    let (status, reply) = server.sign_in(OWNER, PASSWORD);
    assert_eq!(status, 200);
    let token = reply["token"].as_str().unwrap().to_owned();
    assert_eq!(server.session_status(&token), 200);
    assert_eq!(
        server
            .request("DELETE", "/v1/session", Some(&token), None)
            .0,
        200
    );
    assert_eq!(server.session_status(&token), 401);
    secrets.tokens.push(token);
}

fn make_projects(server: &Server, secrets: &mut Secrets) {
    let token = server.sign_up_token("canary-two@example.com", PASSWORD);
    let call = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&token), Some(&body))
    };
    let (status, reply) = call(
        "POST",
        "/v1/projects",
        json!({ "title": "canary", "description": "canary" }),
    );
    assert_eq!(status, 201);
    let path = format!("/v1/projects/{}", reply["project"]["id"]);
    assert_eq!(call("PATCH", &path, json!({ "title": "a canary" })).0, 200);
    assert_eq!(call("PATCH", &path, json!({ "title": ["canary"] })).0, 422);
    assert_eq!(call("GET", "/v1/projects?cursor=canary", json!({})).0, 422);
    assert_eq!(call("GET", "/v1/projects/canary", json!({})).0, 404);
    assert_eq!(call("DELETE", &path, json!({})).0, 204);
    secrets.tokens.push(token);
}

fn ask_and_reset(server: &Server, mail: &SmtpServer, secrets: &mut Secrets) {
    server.request_reset_mail(OWNER);
    server.request_reset_mail("canary-nobody@example.com");
    let letter = eventually(|| mail.received().pop());
    assert!(letter.data.contains(OWNER), "the canary stands in the mail");
    let link = link_token(&letter.data, "/passwords/edit#");
    let path = format!("/v1/passwords/{link}");
    let put = |path: &str, password: &str, again: &str| {
        let body = json!({ "password": password, "password_confirmation": again });
        server.request("PUT", path, None, Some(&body)).0
    };
    assert_eq!(server.request("GET", &path, None, None).0, 200);
    let in_body = json!({ "token": link, "password": "canary" });
    let in_body = |method, path| server.request(method, path, None, Some(&in_body)).0;
    assert_eq!(in_body("POST", "/v1/passwords/check"), 200);
    assert_eq!(in_body("PUT", "/v1/passwords"), 422);
    assert_eq!(in_body("PUT", "/v1/confirmations"), 401);
    assert_eq!(in_body("PUT", "/v1/unlocks"), 401);
    assert_eq!(put(&path, NEW_PASSWORD, "a different canary"), 422);
    assert_eq!(put(&path, NEW_PASSWORD, NEW_PASSWORD), 200);
    assert_eq!(put(&path, NEW_PASSWORD, NEW_PASSWORD), 401);
    assert_eq!(put("/v1/passwords/canary", NEW_PASSWORD, NEW_PASSWORD), 401);
    assert_eq!(
        put("/v1/passwords/canary/edit", NEW_PASSWORD, NEW_PASSWORD),
        404
    );
    secrets.links.push(link);
}

/// The server's refusals name the address.
fn fail_to_send(test_server: &TestServer, server: &Server, mail: &SmtpServer) {
    // The notice of the reset has arrived: the refusals are for later mails.
    eventually(|| (mail.received().len() == 2).then_some(()));
    mail.refuse(
        At::Recipient,
        "550 5.1.1 <canary-one@example.com>: no such canary",
        1,
    );
    server.request_reset_mail(OWNER);
    eventually(|| (reasons(test_server) == ["550 5.1.1 at RCPT TO"]).then_some(()));
    mail.refuse(
        At::Content,
        "451 4.7.1 canary-one@example.com is greylisted, canary",
        1,
    );
    server.request_reset_mail(OWNER);
    eventually(|| (reasons(test_server).len() == 2).then_some(()));
    for reason in reasons(test_server) {
        assert!(!reason.contains(CANARY), "{reason}");
    }
}

fn reasons(test_server: &TestServer) -> Vec<String> {
    let reasons = "SELECT last_error FROM outbox WHERE last_error IS NOT NULL ORDER BY id";
    let column = test_server.store().column(reasons);
    column.into_iter().flatten().collect()
}

/// As a browser does it: the token is in no body.
fn carry_a_cookie(server: &Server, secrets: &mut Secrets) {
    let ask = |method: &str, path: &str, headers: &str, body: &Value| {
        let mut connection = RawConnection::to(server);
        connection.ask(method, path, headers, &body.to_string());
        connection.receive()
    };
    let mut take = |answer: &Answer| {
        assert_eq!(answer.status, 200);
        let line = answer.header("Set-Cookie").unwrap();
        let (pair, _) = line.split_once(';').unwrap();
        secrets
            .tokens
            .push(pair.split_once('=').unwrap().1.to_owned());
        format!("Cookie: {pair}\r\n")
    };
    let ours = "Sec-Fetch-Site: same-origin\r\n";
    let body = json!({ "email_address": OWNER, "password": NEW_PASSWORD, "transport": "cookie" });
    assert_eq!(
        ask(
            "POST",
            "/v1/session",
            "Origin: http://canary.example\r\n",
            &body
        )
        .status,
        403
    );
    let first = take(&ask("POST", "/v1/session", ours, &body));
    assert_eq!(ask("GET", "/v1/session", &first, &json!({})).status, 200);
    assert_eq!(ask("DELETE", "/v1/session", &first, &json!({})).status, 403);
    assert_eq!(
        ask("GET", "/v1/session", &format!("{first}{first}"), &json!({})).status,
        400
    );
    let rotated = take(&ask(
        "POST",
        "/v1/session/rotate",
        &format!("{first}{ours}"),
        &json!({}),
    ));
    assert_eq!(ask("GET", "/v1/session", &first, &json!({})).status, 401);
    let replaced = take(&ask(
        "POST",
        "/v1/session",
        &format!("{rotated}{ours}"),
        &body,
    ));
    assert_eq!(
        ask(
            "DELETE",
            "/v1/session",
            &format!("{replaced}{ours}"),
            &json!({})
        )
        .status,
        200
    );
}

/// Proves an address, changes it, changes the password, and deletes it all.
fn confirm_and_change(server: &Server, mail: &SmtpServer, secrets: &mut Secrets) {
    let token = server.sign_up_token("canary-three@example.com", PASSWORD);
    let call = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&token), Some(&body)).0
    };
    let asked = post(
        server,
        "/v1/confirmations",
        json!({ "email_address": "canary-three@example.com" }),
    );
    assert_eq!(asked.0, 200);
    let confirmation = link_after(mail, "canary-three@example.com", "/confirmations#");
    for wrong in ["no canary sings", ""] {
        let body =
            json!({ "password_challenge": wrong, "email_address": "canary-four@example.com" });
        assert_eq!(call("PUT", "/v1/user/email_address", body), 422);
    }
    let confirm = |link: &str| {
        server
            .request("PUT", &format!("/v1/confirmations/{link}"), None, None)
            .0
    };
    assert_eq!(confirm("canary"), 401);
    assert_eq!((confirm(&confirmation), confirm(&confirmation)), (200, 200));

    let body =
        json!({ "password_challenge": PASSWORD, "email_address": "canary-four@example.com" });
    let asked = server.request("PUT", "/v1/user/email_address", Some(&token), Some(&body));
    let second = asked.1["token"].as_str().unwrap().to_owned();
    let change = link_after(mail, "canary-four@example.com", "/confirmations#");
    assert_eq!((confirm(&change), confirm(&change)), (200, 401));

    let body = json!({ "password_challenge": PASSWORD, "password": NEW_PASSWORD });
    let changed = server.request("PUT", "/v1/user/password", Some(&second), Some(&body));
    let third = changed.1["token"].as_str().unwrap().to_owned();
    let wrong = json!({ "password": "no canary sings" });
    let refused = server.request(
        "POST",
        "/v1/session/reauthenticate",
        Some(&third),
        Some(&wrong),
    );
    assert_eq!(refused.0, 422);
    let (status, reply) = server.request(
        "POST",
        "/v1/session/reauthenticate",
        Some(&third),
        Some(&json!({ "password": NEW_PASSWORD })),
    );
    assert_eq!(status, 200);
    let renewed = reply["token"].as_str().unwrap().to_owned();
    let call = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&renewed), Some(&body)).0
    };
    assert_eq!(call("DELETE", "/v1/sessions?except=canary", json!({})), 422);
    assert_eq!(call("DELETE", "/v1/sessions/canary", json!({})), 404);
    assert_eq!(call("DELETE", "/v1/user", json!({})), 200);
    secrets.tokens.extend([token, second, third, renewed]);
    secrets.links.extend([confirmation, change]);
}

/// Pairs and keys, good, spent, stolen, narrow, malformed and ended; each by every way that a token is read.
fn use_tokens(test_server: &TestServer, server: &Server, mail: &SmtpServer, secrets: &mut Secrets) {
    let owner = "canary-five@example.com";
    let session = server.sign_up_token(owner, PASSWORD);
    let mine = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&session), Some(&body))
    };
    let ask = |headers: &str, method: &str, path: &str, body: Value| {
        let mut connection = RawConnection::to(server);
        connection.ask(method, path, headers, &body.to_string());
        connection.receive().status
    };
    let mut take = |(status, reply): (u16, Value)| {
        assert_eq!(status, 200, "{reply}");
        let (access, refresh) = pair_in(&reply);
        secrets.tokens.extend(access.split('.').map(str::to_owned));
        secrets.tokens.push(refresh.clone());
        (access, refresh)
    };
    let by_password = json!({ "email_address": owner, "password": PASSWORD });
    let (first_access, first) = take(post(server, "/v1/tokens", by_password));
    let (access, other) = take(mine("POST", "/v1/tokens", json!({})));
    let refresh = |token: &str| {
        post(
            server,
            "/v1/tokens/refresh",
            json!({ "refresh_token": token }),
        )
    };
    let (_, second) = take(refresh(&first));
    take(refresh(&first));
    for wrong in ["canary", "crr_canary", "", &format!("{second}x")] {
        assert_eq!(refresh(wrong).0, 400);
    }
    assert_eq!(
        mine("POST", "/v1/tokens", json!({ "scope": "canary:read" })).0,
        400
    );

    let key = |name: &str, scopes: &str| {
        let (status, reply) = mine(
            "POST",
            "/v1/api_keys",
            json!({ "name": name, "scopes": scopes, "password_challenge": PASSWORD }),
        );
        assert_eq!(status, 201, "{reply}");
        (
            reply["key"].as_str().unwrap().to_owned(),
            format!("/v1/api_keys/{}", reply["api_key"]["id"]),
        )
    };
    let (key, path) = key("a canary's key", "projects:read introspect");
    assert_eq!(
        mine(
            "POST",
            "/v1/api_keys",
            json!({ "name": CANARY, "scopes": "canary canary" })
        )
        .0,
        422
    );
    assert_eq!(
        mine("PATCH", &path, json!({ "name": "another canary" })).0,
        200
    );
    let by_key = format!("X-API-Key: {key}\r\n");
    for (status, headers) in [
        (200, by_key.clone()),
        (200, format!("Authorization: Bearer {key}\r\n")),
        (400, format!("{by_key}Authorization: Bearer {access}\r\n")),
        (401, "X-API-Key: canary\r\n".to_owned()),
        (401, format!("X-API-Key: {key}x\r\n")),
        (401, format!("X-API-Key: {session}\r\n")),
        (200, format!("Authorization: Bearer {access}\r\n")),
        (401, format!("Authorization: Bearer {access}x\r\n")),
        (
            401,
            "Authorization: Bearer canary.canary.canary\r\n".to_owned(),
        ),
        (401, format!("Authorization: Bearer {other}\r\n")),
    ] {
        for path in ["/v1/projects?token=canary", "/v1/verify"] {
            assert_eq!(
                ask(&headers, "GET", path, json!({})),
                status,
                "{path} {headers}"
            );
        }
    }
    assert_eq!(
        ask(&by_key, "POST", "/v1/verify?scope=canary:read", json!({})),
        403
    );
    for query in ["scope=canary", "canary=canary"] {
        assert_eq!(
            ask(&by_key, "POST", &format!("/v1/verify?{query}"), json!({})),
            400
        );
    }
    for token in [
        &session,
        &key,
        &access,
        &other,
        CANARY,
        "canary.canary.canary",
    ] {
        assert_eq!(
            ask(&by_key, "POST", "/v1/introspect", json!({ "token": token })),
            200
        );
    }

    // As if the ten seconds were over.
    test_server
        .store()
        .execute("UPDATE refresh_tokens SET spent_at = spent_at - 10000");
    assert_eq!(refresh(&first).0, 400);
    let is_told = |letter: &Received| {
        letter
            .data
            .contains("Subject: A session of yours was ended")
    };
    eventually(|| mail.received().iter().any(is_told).then_some(()));
    assert_eq!(
        server
            .request("GET", "/v1/projects", Some(&first_access), None)
            .0,
        401
    );
    for token in [&access, &key, &other, CANARY, "canary.canary.canary"] {
        let body = json!({ "token": token, "token_type_hint": CANARY });
        assert_eq!(post(server, "/v1/tokens/revoke", body).0, 200);
    }
    assert_eq!(ask(&by_key, "GET", "/v1/projects", json!({})), 401);
    secrets.tokens.extend([session, key]);
}

/// Sets up an app and signs in with it: the secret, the recovery codes and the pending tokens, and codes in every place.
fn use_second_factors(server: &Server, secrets: &mut Secrets) {
    let owner = "canary-six@example.com";
    let session = server.sign_up_token(owner, PASSWORD);
    let mine = |method: &str, path: &str, body: Value| {
        server.request(method, path, Some(&session), Some(&body))
    };
    let (status, shown) = mine(
        "POST",
        "/v1/user/totp",
        json!({ "password_challenge": PASSWORD }),
    );
    assert_eq!(status, 200, "{shown}");
    let secret = shown["secret"].as_str().unwrap();
    let totp = TotpSecret::from_base32(secret).unwrap();
    let prove = |code: &str| {
        let body = json!({ "code": code, "password_challenge": PASSWORD });
        mine("PUT", "/v1/user/totp", body)
    };
    assert_eq!(prove(CANARY).0, 422);
    let now = Clock::System.now();
    let (status, reply) = prove(&totp.code_at(now));
    assert_eq!(status, 200, "{reply}");
    let codes: Vec<String> = serde_json::from_value(reply["recovery_codes"].clone()).unwrap();
    let mut pending = || {
        let (status, reply) = server.sign_in(owner, PASSWORD);
        assert_eq!(status, 401);
        let token = reply["pending_token"].as_str().unwrap().to_owned();
        secrets.tokens.push(token.clone());
        token
    };
    let present = |token: &str, field: &str, code: &str| {
        let body = json!({ "pending_token": token, field: code });
        post(server, "/v1/session/second_factor", body)
    };
    let token = pending();
    assert_eq!(present(&token, "totp_code", CANARY).0, 401);
    assert_eq!(present(&token, "recovery_code", CANARY).0, 401);
    assert_eq!(present(CANARY, "recovery_code", &codes[0]).0, 401);
    let (status, reply) = present(&token, "recovery_code", &codes[0]);
    assert_eq!(status, 200, "{reply}");
    let second = reply["token"].as_str().unwrap().to_owned();
    let given_up = pending();
    assert_eq!(server.session_status(&given_up), 401);
    let body = json!({ "recovery_code": codes[1] });
    let path = "/v1/session/reauthenticate";
    let (status, reply) = server.request("POST", path, Some(&second), Some(&body));
    assert_eq!(status, 200, "{reply}");
    let third = reply["token"].as_str().unwrap().to_owned();
    // Codes with and without their dashes, the secret as it is shown.
    secrets
        .tokens
        .extend(codes.iter().map(|code| code.replace('-', "")));
    secrets.tokens.extend(codes);
    secrets
        .tokens
        .extend([secret.to_owned(), session, second, third]);
}

/// Opens an address that failures shut; not the owner's, whose reset link opened a way of their own.
fn unlock(server: &Server, mail: &SmtpServer, secrets: &mut Secrets) {
    let shut = "canary-two@example.com";
    eventually(|| (server.sign_in(shut, "no canary sings").0 == 429).then_some(()));
    let link = link_after(mail, shut, "/unlocks#");
    let put = |link: &str| {
        server
            .request("PUT", &format!("/v1/unlocks/{link}"), None, None)
            .0
    };
    assert_eq!(put("canary"), 401);
    assert_eq!((put(&link), put(&link)), (200, 401));
    secrets.links.push(link);
}

/// The token of the link in a mail to this address, after this part of its path.
fn link_after(mail: &SmtpServer, to: &str, after: &str) -> String {
    let to = format!("To: {to}");
    let letter = eventually(|| {
        let mut letters = mail.received().into_iter();
        letters.rfind(|letter| letter.data.contains(&to) && letter.data.contains(after))
    });
    link_token(&letter.data, after)
}

fn err_in_every_way(server: &Server, secrets: &Secrets) {
    let token = &secrets.tokens[0];
    for (status, method, path, headers, body) in [
        (400, "POST", "/v1/session", "", "{\"password\": \"canary\""),
        (
            400,
            "POST",
            "/v1/session",
            "",
            "{\"password\": \"canary\", \"password\": \"canary\"}",
        ),
        (
            422,
            "POST",
            "/v1/session",
            "",
            "{\"password\": {\"canary\": \"canary\"}}",
        ),
        (
            422,
            "POST",
            "/v1/registrations",
            "",
            "{\"email_address\": \"canary\", \"password\": \"canary\"}",
        ),
        (
            401,
            "GET",
            "/v1/session?token=canary&password=canary",
            "",
            "",
        ),
        (
            401,
            "GET",
            "/v1/session",
            "Authorization: Bearer canary\r\n",
            "",
        ),
        (
            401,
            "GET",
            "/v1/session",
            "Authorization: Basic canary\r\n",
            "",
        ),
        (
            400,
            "GET",
            "/v1/session",
            "Authorization: Bearer canary\r\nAuthorization: Bearer canary\r\n",
            "",
        ),
        (
            404,
            "GET",
            "/canary?token=canary",
            "Cookie: canary=canary\r\n",
            "",
        ),
        (405, "PUT", "/v1/session", "", "{\"password\": \"canary\"}"),
        (
            401,
            "DELETE",
            "/v1/session",
            "X-Request-Id: canary\r\nReferer: http://canary/\r\n",
            "",
        ),
        (
            401,
            "GET",
            "/v1/session",
            &format!("Authorization: Bearer {token}x\r\n"),
            "",
        ),
    ] {
        let mut connection = RawConnection::to(server);
        connection.ask(method, path, headers, body);
        let answer = connection.receive();
        assert_eq!(
            answer.status, status,
            "{method} {path} {headers}{body}: {answer:?}"
        );
    }
    for (status, head, body) in [
        (
            415,
            "POST /v1/session HTTP/1.1\r\nContent-Type: text/canary\r\nContent-Length: 6",
            CANARY,
        ),
        (
            413,
            "POST /v1/session HTTP/1.1\r\nX-Canary: canary\r\nContent-Length: 70000",
            CANARY,
        ),
        (
            400,
            "POST /v1/session HTTP/1.1\r\nContent-Length: canary",
            CANARY,
        ),
        (
            400,
            "POST /v1/session HTTP/1.1\r\nTransfer-Encoding: canary",
            CANARY,
        ),
        (
            400,
            "POST /v1/session HTTP/1.1\r\nTransfer-Encoding: chunked",
            "canary\r\n",
        ),
        (400, "canary canary canary", CANARY),
    ] {
        let mut connection = RawConnection::to(server);
        connection.send(&format!("{head}\r\nHost: x\r\n\r\n{body}"));
        assert_eq!(connection.receive().status, status, "{head}");
    }
}

fn run_into_limits(server: &Server) {
    eventually(|| (server.sign_in(OWNER, "no canary sings").0 == 429).then_some(()));
    let reset = || post(server, "/v1/passwords", json!({ "email_address": OWNER })).0;
    eventually(|| (reset() == 429).then_some(()));
}

fn assert_log_is_clean(log: &str, secrets: &Secrets) {
    for event in [
        "signed_up",
        "signed_in",
        "sign_in_failed",
        "reset_completed",
        "reset_refused",
        "throttled",
        "a mail was given up",
        "session_rotated",
        "cross_origin_refused",
        "reauthentication_failed",
        "address_verified",
        "address_changed",
        "verification_refused",
        "unlocked",
        "unlock_refused",
        "account_deleted",
        "tokens_issued",
        "tokens_refreshed",
        "refresh_refused",
        "refresh_reused",
        "refresh_repeated",
        "credential_refused",
        "token_revoked",
        "api_key_created",
        "api_key_renamed",
        "totp_enrolled",
        "second_factor_due",
        "second_factor_failed",
        "pending_sign_in_refused",
        "recovery_code_used",
    ] {
        assert!(log.contains(event), "{event} was not logged");
    }
    for words in [
        CANARY,
        "crs_",
        "crk_",
        "crr_",
        "crp_",
        "otpauth",
        "eyj0exai",
        "@example.com",
        "reset your password",
        "confirm your",
    ] {
        let found = log.lines().find(|line| line.to_lowercase().contains(words));
        assert_eq!(found, None, "{words}");
    }
    for path in ["/passwords/", "/confirmations/", "/unlocks/"] {
        let mut named = log.split(path).skip(1).peekable();
        assert!(named.peek().is_some(), "{path} was not logged");
        for after in named {
            let is_pattern = after.starts_with("{token}") || after.starts_with("check\"");
            assert!(is_pattern, "{path}{after:.60}");
        }
    }
    for secret in secrets.tokens.iter().chain(&secrets.links) {
        assert!(!log.contains(secret.as_str()), "{secret}");
    }
}

fn assert_dependencies_are_discreet(log: &str) {
    for line in log.lines() {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        let target = event["target"].as_str().unwrap();
        let level = event["level"].as_str().unwrap();
        let detailed = matches!(level, "DEBUG" | "TRACE");
        assert!(
            !detailed || target.split("::").next() == Some("cloakroom"),
            "{line}"
        );
    }
}

fn assert_database_is_clean(test_server: &TestServer, secrets: &Secrets) {
    let content = test_server.store().content();
    assert!(!content.is_empty());
    let secrets = secrets
        .tokens
        .iter()
        .chain(&secrets.links)
        .map(String::as_str);
    for secret in secrets.chain([
        PASSWORD,
        NEW_PASSWORD,
        "no canary sings",
        "crs_",
        "crk_",
        "crr_",
        "crp_",
        "otpauth",
        "eyJ0eXAi",
    ]) {
        let held = content
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!held, "{secret}");
    }
}
