//! `users`: what an operator does to accounts, and that it holds at once.

use serde_json::{Value, json};

use super::{PASSWORD, create, is_rfc3339, run, run_with_input, status_of, token};
use crate::support::credentials::claims;
use crate::support::flows::Flows;
use crate::support::process::TestServer;

#[test]
fn a_user_created_by_command_signs_in_at_once() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let created = create(&test_server, " One@Example.COM ");
    assert_eq!(created["email_address"], "one@example.com");
    let (status, body) = server.sign_in("one@example.com", PASSWORD);
    assert_eq!((status, &body["user"]["id"]), (200, &created["id"]));
}

#[test]
fn the_password_is_read_from_standard_input() {
    let test_server = TestServer::new();
    run(&test_server, &["migrate"]).done();
    let input = format!("{PASSWORD}\r\nanother line\n");
    let ran = run_with_input(
        &test_server,
        &["users", "create", "one@example.com"],
        input.as_bytes(),
    );
    assert_eq!(ran.done(), "created user 1 (one@example.com)\n");
    let server = test_server.serve();
    assert_eq!(server.sign_in("one@example.com", PASSWORD).0, 200);
}

#[test]
fn a_password_is_never_an_argument() {
    let test_server = TestServer::new();
    run(
        &test_server,
        &["users", "create", "one@example.com", PASSWORD],
    )
    .misused();
    run(
        &test_server,
        &["users", "create", "one@example.com", "--password", PASSWORD],
    )
    .misused();
    assert!(!test_server.store().exists());
}

#[test]
fn an_invalid_user_is_not_created() {
    let mut test_server = TestServer::new();
    run(&test_server, &["migrate"]).done();
    test_server.set("CLOAKROOM__PASSWORD__REJECT_COMMON", "true");
    let try_with = |input: &[u8]| {
        run_with_input(&test_server, &["users", "create", "one@example.com"], input).refused()
    };
    assert_eq!(try_with(b""), "Password can't be blank");
    assert_eq!(
        try_with(b"\ncorrect horse battery"),
        "Password can't be blank"
    );
    assert_eq!(
        try_with(b"short"),
        "Password is too short (minimum is 8 characters)"
    );
    assert_eq!(
        try_with(b"password1"),
        "Password is too common, Password needs another word or two"
    );
    assert_eq!(
        try_with("a".repeat(10_000).as_bytes()),
        "Password is too long (maximum is 256 characters)"
    );
    assert!(try_with(b"\xff\xff\xff\xff\xff\xff\xff\xff\n").contains("UTF-8"));
    let misuse = run_with_input(
        &test_server,
        &["users", "create", "one@@example.com"],
        PASSWORD.as_bytes(),
    )
    .misused();
    assert!(misuse.contains("Email address is invalid"), "{misuse}");
    assert_eq!(
        run(&test_server, &["users", "list", "--json"]).json()["users"],
        json!([])
    );
}

#[test]
fn an_address_is_assigned_once() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let again = run_with_input(
        &test_server,
        &["users", "create", "ONE@example.com"],
        b"another password",
    );
    assert_eq!(again.refused(), "one@example.com is already taken");
    let server = test_server.serve();
    assert_eq!(server.sign_in("one@example.com", PASSWORD).0, 200);
}

#[test]
fn users_are_found_by_id_and_by_address() {
    let test_server = TestServer::new();
    let created = create(&test_server, "one@example.com");
    for user in [created["id"].to_string(), "ONE@example.com".to_owned()] {
        let shown = run(&test_server, &["users", "show", &user, "--json"]).json();
        let mut expected = json!({ "user": created });
        let more = [
            ("pending_email_address", Value::Null),
            ("has_password", json!(true)),
            ("totp_enrolled_at", Value::Null),
            ("recovery_codes_left", json!(0)),
            ("passkeys", json!([])),
            ("identities", json!([])),
        ];
        for (name, value) in more {
            expected["user"][name] = value;
        }
        assert_eq!(shown, expected);
    }
    assert!(is_rfc3339(&created["created_at"]) && created["disabled_at"].is_null());
    let members: Vec<&String> = created.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "created_at",
            "disabled_at",
            "email_address",
            "email_confirmed",
            "id",
            "metadata",
            "name",
            "profile",
            "role",
            "second_factor_due_at",
            "updated_at"
        ]
    );
    let shown = run(&test_server, &["users", "show", "1"]).done();
    assert!(
        shown.contains("email address    one@example.com\n"),
        "{shown}"
    );
}

#[test]
fn a_user_is_shown_with_all_ways_to_sign_in() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let store = test_server.store();
    let secret = store.blob(b"a secret, sealed");
    for sql in [
        format!(
            "INSERT INTO totp_factors (user_id, sealed_secret, key_base, created_at, enrolled_at, last_step)
             VALUES (1, {secret}, 'k', 0, 1000, 0)"
        ),
        format!("INSERT INTO recovery_codes (user_id, code_digest, created_at) VALUES (1, {}, 0)", store.random_blob()),
        format!(
            "INSERT INTO passkeys (user_id, credential_id, public_key, sign_count, backup_eligible, backed_up, aaguid,
             transports, name, created_at) VALUES (1, {secret}, {secret}, 0, 1, 1, {}, 'internal', 'My phone', 2000)",
            store.blob(&[0; 16])
        ),
        "INSERT INTO identities (user_id, provider, issuer, subject, email, created_at, last_used_at)
         VALUES (1, 'acme', 'https://id.example.com', 'a subject', 'one@id.example.com', 3000, 4000)"
            .to_owned(),
        "DELETE FROM passwords".to_owned(),
    ] {
        store.execute(&sql);
    }
    let shown = run(&test_server, &["users", "show", "1", "--json"]).json();
    let user = &shown["user"];
    assert_eq!(user["has_password"], false);
    assert_eq!(user["totp_enrolled_at"], "1970-01-01T00:00:01.000Z");
    assert_eq!(user["recovery_codes_left"], 1);
    let passkeys = json!([{
        "id": 1, "name": "My phone", "created_at": "1970-01-01T00:00:02.000Z", "last_used_at": null,
        "backed_up": true,
    }]);
    assert_eq!(user["passkeys"], passkeys);
    let identities = json!([{
        "id": 1, "provider": "acme", "email": "one@id.example.com", "created_at": "1970-01-01T00:00:03.000Z",
        "last_used_at": "1970-01-01T00:00:04.000Z",
    }]);
    assert_eq!(user["identities"], identities);
    let text = run(&test_server, &["users", "show", "1"]).done();
    for line in [
        "password         no\n",
        "app enrolled at  1970-01-01T00:00:01.000Z\n",
        "recovery codes   1\n",
        "passkey          1 \"My phone\", added 1970-01-01T00:00:02.000Z, last used -\n",
        "identity         1 acme one@id.example.com, linked 1970-01-01T00:00:03.000Z, last used 1970-01-01T00:00:04.000Z\n",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

#[test]
fn an_unknown_user_is_an_error() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    for command in [
        "show",
        "disable",
        "enable",
        "confirm",
        "delete",
        "reset-password",
    ] {
        let refusal = run(&test_server, &["users", command, "7"]).refused();
        assert_eq!(refusal, "no user with id 7", "{command}");
        let refusal = run(&test_server, &["users", command, "two@example.com"]).refused();
        assert_eq!(refusal, "no user with address two@example.com", "{command}");
        run(&test_server, &["users", command, "somebody"]).misused();
    }
}

#[test]
fn a_list_is_read_page_by_page() {
    let test_server = TestServer::new();
    let created =
        ["one", "two", "three"].map(|name| create(&test_server, &format!("{name}@example.com")));
    let page = |after: &Value| {
        let after = after.to_string();
        run(
            &test_server,
            &["users", "list", "--limit", "2", "--after", &after, "--json"],
        )
        .json()
    };
    let first = page(&json!(0));
    assert_eq!(first["users"], json!(created[..2]));
    assert_eq!(first["next_after"], created[1]["id"]);
    let second = page(&first["next_after"]);
    assert_eq!(second, json!({ "users": created[2..], "next_after": null }));

    let table = run(&test_server, &["users", "list", "--limit", "2"]);
    assert_eq!(table.err, format!("more: --after {}\n", created[1]["id"]));
    assert_eq!(table.done().lines().count(), 3);
}

#[test]
fn disabling_ends_sessions_and_enabling_permits_sign_in() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    create(&test_server, "two@example.com");
    let server = test_server.serve();
    let (one, two) = (
        token(&server, "one@example.com"),
        token(&server, "two@example.com"),
    );
    assert_eq!(status_of(&server, &one), 200);

    let disabled = run(
        &test_server,
        &["users", "disable", "one@example.com", "--json"],
    )
    .json();
    assert_eq!(disabled["sessions_ended"], 1);
    assert!(is_rfc3339(&disabled["user"]["disabled_at"]));
    assert_eq!(
        (status_of(&server, &one), status_of(&server, &two)),
        (401, 200)
    );
    assert_eq!(server.sign_in("one@example.com", PASSWORD).0, 401);

    // A second time changes nothing.
    let again = run(
        &test_server,
        &["users", "disable", "one@example.com", "--json"],
    )
    .json();
    assert_eq!(again["user"], disabled["user"]);

    assert!(
        run(&test_server, &["users", "enable", "one@example.com"])
            .done()
            .contains("enabled user")
    );
    assert_eq!(status_of(&server, &one), 401);
    assert_eq!(server.sign_in("one@example.com", PASSWORD).0, 200);
}

#[test]
fn an_operator_verifies_an_address() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", "required");
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let (status, body) = server.sign_in("one@example.com", PASSWORD);
    assert_eq!((status, &body["code"]), (403, &json!("email_unconfirmed")));

    let confirmed = run(&test_server, &["users", "confirm", "one@example.com"]).done();
    assert_eq!(
        confirmed,
        "verified the address of user 1 (one@example.com)\n"
    );
    let (status, body) = server.sign_in("one@example.com", PASSWORD);
    assert_eq!(
        (status, &body["user"]["email_confirmed"]),
        (200, &json!(true))
    );
    // A second time changes nothing.
    let before = run(&test_server, &["users", "show", "1", "--json"]).json();
    run(&test_server, &["users", "confirm", "1"]).done();
    assert_eq!(
        run(&test_server, &["users", "show", "1", "--json"]).json(),
        before
    );

    let create = [
        "users",
        "create",
        "two@example.com",
        "--confirmed",
        "--json",
    ];
    let created = run_with_input(&test_server, &create, PASSWORD.as_bytes()).json();
    assert_eq!(created["user"]["email_confirmed"], true);
    assert_eq!(server.sign_in("two@example.com", PASSWORD).0, 200);
}

#[test]
fn an_operator_sets_metadata_that_tokens_carry() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__TOKENS__CLAIMS", "plan,role");
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let session = token(&server, "one@example.com");
    let metadata = r#"{"plan":"pro","note":"late payer"}"#;
    let changed = run(&test_server, &["users", "metadata", "1", metadata]);
    assert_eq!(
        changed.done(),
        "changed the metadata of user 1 (one@example.com)\n"
    );
    let (_, body) = server.request("GET", "/v1/user", Some(&session), None);
    assert_eq!(body["user"]["metadata"]["note"], "late payer");
    let (_, pair) = server.request("POST", "/v1/tokens", Some(&session), None);
    let claims = claims(pair["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["plan"], &claims["role"], &claims["note"]),
        (&json!("pro"), &json!("user"), &Value::Null)
    );
    let shown = run(&test_server, &["users", "show", "1"]).done();
    assert!(shown.contains("late payer"), "{shown}");
}

#[test]
fn an_operator_needs_a_second_factor_after_the_grace() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SECOND_FACTOR__REQUIRED", "operators");
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    run(&test_server, &["users", "set-role", "1", "admin"]).misused();
    let changed = run(&test_server, &["users", "set-role", "1", "operator"]);
    assert!(changed.err.contains("role_changed"), "{}", changed.err);
    assert_eq!(
        changed.done(),
        "user 1 (one@example.com) has the role operator\n"
    );
    let again = run(&test_server, &["users", "set-role", "1", "operator"]);
    assert!(!again.err.contains("role_changed"), "{}", again.err);
    let sign_in = || server.sign_in("one@example.com", PASSWORD);
    assert_eq!(sign_in().0, 200);
    test_server
        .store()
        .execute("UPDATE users SET second_factor_due_at = 1");
    let (status, refused) = sign_in();
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("second_factor_enrolment_required"))
    );
    let event = "second_factor_overdue";
    assert!(server.wait_for_log(event).contains(event));
    let reset = run(&test_server, &["users", "reset-factors", "1", "--yes"]).done();
    assert_eq!(
        reset,
        "user 1 (one@example.com) has no second factors and no passkeys; the grace to set one up starts again\n"
    );
    let (status, reply) = sign_in();
    assert_eq!(status, 200, "{reply}");
    assert!(is_rfc3339(&reply["session"]["enrol_until"]));
}

#[test]
fn metadata_that_does_not_fit_is_not_set() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__TOKENS__CLAIMS", "plan");
    create(&test_server, "one@example.com");
    for text in ["", "pro", "[]", "null", "1"] {
        run(&test_server, &["users", "metadata", "1", text]).misused();
    }
    let of = |name: &str, length: usize| json!({ name: "x".repeat(length) }).to_string();
    for (text, message) in [
        (of("plan", 1014), "more than 1024 bytes"),
        (of("note", 4096), "maximum is 4096 bytes"),
    ] {
        let refused = run(&test_server, &["users", "metadata", "1", &text]).refused();
        assert!(refused.contains(message), "{refused}");
    }
    let shown = run(&test_server, &["users", "show", "1", "--json"]).json();
    assert_eq!(shown["user"]["metadata"], json!({}));
    run(&test_server, &["users", "metadata", "1", &of("plan", 1013)]).done();
    run(&test_server, &["users", "metadata", "9", "{}"]).refused();
}

#[test]
fn deleting_a_user_asks_first_and_ends_sessions() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let one = token(&server, "one@example.com");

    let refusal = run_with_input(&test_server, &["users", "delete", "1"], b"y\n").refused();
    assert!(refusal.contains("--yes"), "{refusal}");
    assert_eq!(status_of(&server, &one), 200);

    let deleted = run(&test_server, &["users", "delete", "1", "--yes"]).done();
    assert_eq!(deleted, "deleted user 1 (one@example.com)\n");
    assert_eq!(status_of(&server, &one), 401);
    run(&test_server, &["users", "show", "1"]).refused();
    // The address is free, the id is not.
    assert_ne!(create(&test_server, "one@example.com")["id"], 1);
}

#[test]
fn a_pending_address_is_shown_and_deleted_with_the_user() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    create(&test_server, "two@example.com");
    let server = test_server.serve();
    for (address, moved) in [
        ("one@example.com", "new@example.com"),
        ("two@example.com", "other@example.com"),
    ] {
        let session = token(&server, address);
        let body = json!({ "password_challenge": PASSWORD, "email_address": moved });
        assert_eq!(
            server
                .request("PUT", "/v1/user/email_address", Some(&session), Some(&body))
                .0,
            200
        );
    }
    let shown = run(&test_server, &["users", "show", "1", "--json"]).json();
    assert_eq!(shown["user"]["pending_email_address"], "new@example.com");
    let shown = run(&test_server, &["users", "show", "1"]).done();
    assert!(
        shown.contains("pending address  new@example.com\n"),
        "{shown}"
    );

    run(&test_server, &["users", "delete", "1", "--yes"]).done();
    let kept = test_server
        .store()
        .column("SELECT DISTINCT user_id FROM outbox");
    assert_eq!(kept, [Some("2".to_owned())]);
}

#[test]
fn a_printed_reset_link_works_once() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let session = token(&server, "one@example.com");
    let ran = run(
        &test_server,
        &["users", "reset-password", "one@example.com"],
    );
    assert!(ran.err.contains("single use, valid until"), "{}", ran.err);
    let printed = ran.done();
    let reset = printed
        .strip_prefix("http://localhost:3001/passwords/edit#")
        .and_then(|rest| rest.strip_suffix('\n'))
        .unwrap();

    let path = format!("/v1/passwords/{reset}");
    let body =
        json!({ "password": "another password", "password_confirmation": "another password" });
    assert_eq!(server.request("PUT", &path, None, Some(&body)).0, 200);
    assert_eq!(server.request("PUT", &path, None, Some(&body)).0, 401);
    assert_eq!(status_of(&server, &session), 401);
    assert_eq!(server.sign_in("one@example.com", "another password").0, 200);
}

#[test]
fn a_printed_reset_link_that_replaces_an_account_says_so() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__REGISTRATION__CONFIRM", "remind");
    create(&test_server, "one@example.com");
    let err = |test_server: &TestServer| run(test_server, &["users", "reset-password", "1"]).err;
    assert!(!err(&test_server).contains("was never verified"));
    test_server.set("CLOAKROOM__REGISTRATION__UNVERIFIED_RESET", "replace");
    assert!(err(&test_server).contains("was never verified: the link deletes the account"));
    run(&test_server, &["users", "confirm", "1"]).done();
    assert!(!err(&test_server).contains("was never verified"));
}

#[test]
fn creating_a_verified_user_records_both() {
    let test_server = TestServer::new();
    run(&test_server, &["migrate"]).done();
    let command = ["users", "create", "one@example.com", "--confirmed"];
    let err = run_with_input(&test_server, &command, PASSWORD.as_bytes()).err;
    assert!(
        err.contains("user_created") && err.contains("address_verified"),
        "{err}"
    );
}

#[test]
fn a_reset_link_in_json_has_its_expiry() {
    let test_server = TestServer::new();
    let created = create(&test_server, "one@example.com");
    let printed = run(&test_server, &["users", "reset-password", "1", "--json"]).json();
    assert!(is_rfc3339(&printed["expires_at"]));
    assert!(
        printed["link"]
            .as_str()
            .unwrap()
            .starts_with("http://localhost:3001/passwords/edit#")
    );
    assert_eq!(printed["user"], created);
    run(&test_server, &["users", "disable", "1"]).done();
    let refusal = run(&test_server, &["users", "reset-password", "1"]).refused();
    assert!(refusal.contains("is disabled"), "{refusal}");
}

#[test]
fn an_older_schema_is_left_to_migrate() {
    let test_server = TestServer::on_file();
    let before = test_server.copy_database_of_schema_3();
    let refusal = run(&test_server, &["users", "list"]).refused();
    assert!(
        refusal.contains("schema 3 is older") && refusal.contains("`cloakroom migrate`"),
        "{refusal}"
    );
    assert!(std::fs::read(test_server.database()).unwrap() == before);
    assert_eq!(run(&test_server, &["migrate"]).code, 0);
    assert_eq!(run(&test_server, &["users", "list"]).code, 0);
}
