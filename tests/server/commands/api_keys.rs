//! `api-keys`: keys of services and of users, beside a running server.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{Ran, create, is_rfc3339, run, token};
use crate::support::process::{TestServer, eventually};

const PATH: &str = "/v1/projects";

#[test]
fn an_operator_manages_service_and_user_keys() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let make = |more: &[&str]| -> Value {
        run(
            &test_server,
            &[&["api-keys", "create", "--name", "A key", "--json"], more].concat(),
        )
        .json()
    };
    let service = make(&["--scope", "introspect", "--scope", "orders:read"]);
    let users = make(&[
        "--user",
        "one@example.com",
        "--scope",
        "projects:read",
        "projects:write",
    ]);
    let view = &service["api_key"];
    assert_eq!(
        (&view["user_id"], &view["scopes"]),
        (&Value::Null, &json!(["introspect", "orders:read"]))
    );
    assert!(is_rfc3339(&view["created_at"]) && is_rfc3339(&view["expires_at"]));
    assert_eq!(
        (&users["api_key"]["user_id"], &users["api_key"]["id"]),
        (&json!(1), &json!(2))
    );

    let status = |made: &Value| server.request("GET", PATH, made["key"].as_str(), None).0;
    assert_eq!((status(&service), status(&users)), (403, 200));
    let ids = |more: &[&str]| -> Vec<i64> {
        let listed = run(
            &test_server,
            &[&["api-keys", "list", "--json"], more].concat(),
        )
        .json();
        assert!(
            !listed
                .to_string()
                .contains(&users["key"].as_str().unwrap()[4..36])
        );
        listed["api_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(
        (ids(&[]), ids(&["--services"]), ids(&["--user", "1"])),
        (vec![1, 2], vec![1], vec![2])
    );
    assert_eq!(
        (ids(&["--limit", "1"]), ids(&["--after", "1"])),
        (vec![1], vec![2])
    );
    let more = run(&test_server, &["api-keys", "list", "--limit", "1"]);
    assert_eq!(more.err, "more: --after 1\n");
    let table = run(&test_server, &["api-keys", "list"]).done();
    assert!(
        table.starts_with("ID ") && table.lines().count() == 3,
        "{table}"
    );
    assert!(
        table.contains(users["api_key"]["last_four"].as_str().unwrap()),
        "{table}"
    );

    let revoke = |more: &[&str]| run(&test_server, &[&["api-keys", "revoke"], more].concat());
    assert_eq!(
        revoke(&["2", "--json"]).json(),
        json!({ "api_keys_revoked": 1 })
    );
    assert_eq!((status(&service), status(&users)), (403, 401));
    assert_eq!(revoke(&["2"]).done(), "revoked 0 API keys\n");
    assert_eq!(revoke(&["1"]).done(), "revoked 1 API key\n");
    assert_eq!(status(&service), 401);
    assert_eq!(revoke(&["9"]).refused(), "no API key with id 9");
    assert!(
        run(&test_server, &["api-keys", "list"])
            .done()
            .contains("revoked at ")
    );

    // Their owner sees them, and a user's are revoked together.
    for _ in 0..2 {
        make(&["--user", "1", "--scope", "orders:read"]);
    }
    let session = token(&server, "one@example.com");
    let (_, seen) = server.request("GET", "/v1/api_keys", Some(&session), None);
    assert_eq!(seen["api_keys"].as_array().unwrap().len(), 3);
    assert_eq!(
        revoke(&["--user", "one@example.com"]).done(),
        "revoked 2 API keys\n"
    );
    for command in [&["list", "--user", "7"][..], &["revoke", "--user", "7"]] {
        let refusal = run(&test_server, &[&["api-keys"], command].concat()).refused();
        assert_eq!(refusal, "no user with id 7");
    }
}

#[test]
fn revoking_all_keys_asks_for_confirmation() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let server = test_server.serve();
    let make = |more: &[&str]| {
        let made = run(
            &test_server,
            &[&["api-keys", "create", "--name", "A key", "--json"], more].concat(),
        )
        .json();
        made["key"].as_str().unwrap().to_owned()
    };
    let keys = [
        make(&["--scope", "introspect"]),
        make(&["--scope", "projects:read", "--user", "1"]),
    ];
    let status = || {
        keys.each_ref()
            .map(|key| server.request("GET", PATH, Some(key), None).0)
    };
    let revoke = |more: &[&str]| {
        run(
            &test_server,
            &[&["api-keys", "revoke", "--all"], more].concat(),
        )
    };
    assert_eq!(revoke(&[]).refused(), "not a terminal: pass --yes");
    assert_eq!(status(), [403, 200]);
    revoke(&["1", "--yes"]).misused();
    run(&test_server, &["api-keys", "revoke", "1", "--yes"]).misused();

    // More than are revoked at once.
    let store = test_server.store();
    store.execute(&format!(
        "INSERT INTO api_keys (user_id, name, token_digest, last_four, scopes, created_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         SELECT 1, 'A key', {}, 'abcd', 'a:b', 0 FROM n",
        store.random_blob()
    ));
    assert_eq!(
        revoke(&["--yes", "--json"]).json(),
        json!({ "api_keys_revoked": 1002 })
    );
    assert_eq!(status(), [401, 401]);
    assert_eq!(revoke(&["--yes"]).done(), "revoked 0 API keys\n");
}

/// Waits until a command's writer thread polls for a lock: each poll is a switch, and an idle thread makes none.
#[cfg(target_os = "linux")]
fn wait_for_writer(command: u32) {
    let switches = || -> Option<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{command}/task")).ok()?;
        let mut writers = tasks.filter_map(|task| {
            let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
            status.contains("Name:\twriter\n").then_some(status)
        });
        let status = writers.next()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line?.trim().parse().ok()
    };
    eventually(|| switches().filter(|count| *count > 10));
}

/// On Linux alone: others do not show what a thread of another process waits for.
#[cfg(target_os = "linux")]
#[test]
fn a_user_disabled_meanwhile_gets_no_key() {
    let test_server = TestServer::on_file();
    create(&test_server, "one@example.com");
    let other = test_server.open_database();
    for (change, refusal) in [
        (
            "UPDATE users SET disabled_at = 1",
            "the user with id 1 is disabled: the key would not work",
        ),
        ("DELETE FROM users", "no user with id 1"),
    ] {
        other
            .execute_batch("UPDATE users SET disabled_at = NULL; BEGIN IMMEDIATE")
            .unwrap();
        other.execute_batch(change).unwrap();
        let made = [
            "api-keys", "create", "--name", "A key", "--scope", "a:b", "--user", "1",
        ];
        let mut command = test_server.command(&made);
        let waiting = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_writer(waiting.id());
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(
            Ran::from(waiting.wait_with_output().unwrap()).refused(),
            refusal
        );
    }
}

#[test]
fn only_the_key_is_on_standard_output() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let made = run(
        &test_server,
        &[
            "api-keys",
            "create",
            "--name",
            "A key",
            "--scope",
            "introspect",
            "--expires-in",
            "never",
        ],
    );
    let (event, note) = made.err.split_once('\n').unwrap();
    assert!(
        event.contains("api_key_created") && event.contains("operator"),
        "{event}"
    );
    assert_eq!(
        note,
        "key 1 of a service, scopes introspect, does not expire; it is not shown again\n"
    );
    let key = made.done();
    let key = key.strip_suffix('\n').unwrap();
    assert!(key.starts_with("crk_") && key.len() == 42, "{key}");

    let ending = [
        "api-keys",
        "create",
        "--name",
        "B",
        "--scope",
        "a:b",
        "--user",
        "1",
        "--expires-in",
        "90d",
    ];
    let made = run(&test_server, &ending);
    assert!(
        made.err
            .contains("\nkey 2 of user 1, scopes a:b, expires at 2"),
        "{}",
        made.err
    );
}

#[test]
fn an_invalid_key_is_not_created() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__TOKENS__MAX_KEYS_PER_USER", "1");
    create(&test_server, "one@example.com");
    let make = |name: &str, more: &[&str]| {
        run(
            &test_server,
            &[&["api-keys", "create", "--name", name], more].concat(),
        )
    };
    let refused = |name: &str, more: &[&str]| make(name, more).refused();
    assert_eq!(refused(" ", &["--scope", "a:b"]), "Name can't be blank");
    assert!(
        refused("A key", &["--scope", "Orders"])
            .starts_with("invalid --scope: use `introspect` or name:action")
    );
    assert!(
        refused("A key", &["--scope", ""])
            .starts_with("invalid --scope: use `introspect` or name:action")
    );
    let refusal = refused("A key", &["--scope", "a:b", "projects:read"]);
    assert_eq!(
        refusal,
        "a service owns no projects: pass --user, or other scopes"
    );
    let refusal = refused("A key", &["--scope", "a:b", "--expires-in", "3651d"]);
    assert_eq!(refusal, "Expires at must be within ten years");
    assert_eq!(
        refused("A key", &["--scope", "a:b", "--user", "7"]),
        "no user with id 7"
    );
    for more in [
        &[][..],
        &["--scope"],
        &["--scope", "a:b", "--expires-in", "soon"],
        &["--scope", "a:b", "--user", "x"],
    ] {
        make("A key", more).misused();
    }
    run(&test_server, &["api-keys", "revoke"]).misused();
    run(&test_server, &["api-keys", "revoke", "1", "--user", "1"]).misused();
    run(
        &test_server,
        &["api-keys", "list", "--services", "--user", "1"],
    )
    .misused();

    let mine = ["--scope", "a:b", "--user", "1"];
    make("A key", &mine).done();
    assert_eq!(
        refused("A key", &mine),
        "the user already has 1 keys (tokens.max_keys_per_user)"
    );
    run(&test_server, &["users", "disable", "1"]).done();
    assert_eq!(
        refused("A key", &mine),
        "the user with id 1 is disabled: the key would not work"
    );
    // Services are not counted.
    for _ in 0..2 {
        make("A key", &["--scope", "a:b"]).done();
    }
    let listed = run(&test_server, &["api-keys", "list", "--json"]).json();
    assert_eq!(listed["api_keys"].as_array().unwrap().len(), 3);
}

#[test]
fn key_commands_create_no_database() {
    let test_server = TestServer::on_file();
    for arguments in [
        &["list"][..],
        &["revoke", "1"],
        &["create", "--name", "A key", "--scope", "introspect"],
    ] {
        let refusal = run(&test_server, &[&["api-keys"], arguments].concat()).refused();
        assert!(refusal.contains("no database here"), "{refusal}");
    }
    assert_eq!(std::fs::read_dir(test_server.path()).unwrap().count(), 0);
}

#[test]
fn a_key_made_by_an_operator_expires_in_a_year() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    for owner in [&[][..], &["--user", "1"]] {
        let make = ["api-keys", "create", "--name", "A key", "--scope", "a:b"];
        run(&test_server, &[&make, owner].concat()).done();
    }
    let lasting = "SELECT count(*) FROM api_keys WHERE expires_at - created_at = 31536000000";
    assert_eq!(test_server.store().count(lasting), 2);
}

#[test]
fn a_user_is_notified_of_a_key_made_by_an_operator() {
    let mut test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let make = |test_server: &TestServer, owner: &[&str]| {
        let make = ["api-keys", "create", "--name", "A key", "--scope", "a:b"];
        run(test_server, &[&make, owner].concat()).done()
    };
    make(&test_server, &[]);
    let mails = "SELECT count(*) FROM outbox";
    assert_eq!(test_server.store().count(mails), 0);
    let key = make(&test_server, &["--user", "1"]);
    assert_eq!(test_server.store().count(mails), 1);
    test_server.set("CLOAKROOM__NOTICES__API_KEY_CREATED", "false");
    make(&test_server, &["--user", "1"]);
    assert_eq!(test_server.store().count(mails), 1);

    let _server = test_server.serve();
    let mail = test_server.wait_for_mails(1).remove(0);
    let last_four = &key.trim_end()[38..];
    assert!(
        mail.contains(&format!("that ends in {last_four}")),
        "{mail}"
    );
    assert!(mail.contains("By: an operator of Cloakroom"), "{mail}");
}

#[test]
fn revoking_a_key_records_its_user() {
    let test_server = TestServer::new();
    create(&test_server, "one@example.com");
    let make = ["api-keys", "create", "--name", "A key", "--scope", "a:b"];
    run(&test_server, &make).done();
    run(&test_server, &[&make[..], &["--user", "1"]].concat()).done();
    let revoked = |id: &str| run(&test_server, &["api-keys", "revoke", id]).err;
    let service = revoked("1");
    assert!(
        service.contains("api_key_revoked") && !service.contains("user"),
        "{service}"
    );
    let users = revoked("2");
    assert!(
        users.contains("user=1") && users.contains("key=2"),
        "{users}"
    );
}
