//! `secret`, `config` and `migrate`.

use serde_json::{Value, json};

use super::{create, run};
use crate::support::process::TestServer;

#[test]
fn generated_secrets_are_unique_and_valid() {
    let mut test_server = TestServer::on_file();
    let [first, second] = [(); 2].map(|()| run(&test_server, &["secret"]).done());
    assert_ne!(first, second);
    let secret = first.strip_suffix('\n').unwrap();
    assert!(
        secret.len() >= 64 && !secret.contains(char::is_whitespace),
        "{secret}"
    );

    test_server
        .set("CLOAKROOM_ENV", "production")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com")
        .set("CLOAKROOM__MAIL__FROM", "no-reply@example.com")
        .set("CLOAKROOM__SECRETS__KEY_BASE", secret);
    run(&test_server, &["config"]).done();
}

#[test]
fn effective_settings_are_shown_as_a_readable_file() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__SESSION__LIFETIME", "12h");
    let shown = run(&test_server, &["config"]).done();
    assert!(
        shown.starts_with("# Effective settings with CLOAKROOM_ENV=test.\n"),
        "{shown}"
    );
    assert!(shown.contains("lifetime = \"12h\""), "{shown}");
    let json = run(&test_server, &["config", "--json"]).json();
    assert_eq!(json["session"]["lifetime"], "12h");

    let file = test_server.path().join("shown.toml");
    std::fs::write(&file, &shown).unwrap();
    let mut other = TestServer::on_file();
    for name in ["DATABASE__PATH", "MAIL__DIRECTORY"] {
        let value = if name == "MAIL__DIRECTORY" {
            test_server.mail_folder()
        } else {
            test_server.database()
        };
        other.set(&format!("CLOAKROOM__{name}"), value.to_str().unwrap());
    }
    let again = run(&other, &["config", "--config", file.to_str().unwrap()]).done();
    assert_eq!(again, shown);
}

#[test]
fn no_secret_is_shown() {
    let mut test_server = TestServer::on_file();
    test_server
        .set("CLOAKROOM__SECRETS__KEY_BASE", "swordfish".repeat(8))
        .set("CLOAKROOM__SECRETS__PREVIOUS", "swordfish".repeat(9))
        .set("CLOAKROOM__MAIL__SMTP__USERNAME", "mailer")
        .set("CLOAKROOM__MAIL__SMTP__PASSWORD", "swordfish");
    for arguments in [
        &["config"][..],
        &["config", "--json"],
        &["doctor", "--json"],
    ] {
        let ran = run(&test_server, arguments);
        assert!(
            !ran.out.contains("swordfish") && !ran.err.contains("swordfish"),
            "{}",
            ran.out
        );
    }
    let shown = run(&test_server, &["config", "--json"]).json();
    assert_eq!(
        shown["secrets"],
        json!({ "key_base": "[hidden]", "previous": ["[hidden]"] })
    );
    assert_eq!(shown["mail"]["smtp"]["password"], "[hidden]");
}

#[test]
fn every_invalid_setting_is_named_together() {
    let mut test_server = TestServer::on_file();
    test_server
        .set("CLOAKROOM__SERVER__BINND", "127.0.0.1:0")
        .set("CLOAKROOM__PASSWORD__BCRYPT_COST", "99");
    let ran = run(&test_server, &["config"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let problems: Vec<&str> = ran.err.lines().collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("cloakroom: server.binnd: is not a setting"),
        "{problems:?}"
    );
    assert!(
        problems[1].starts_with("cloakroom: password.bcrypt_cost: must be"),
        "{problems:?}"
    );
}

#[test]
fn migrate_reports_versions_and_check_changes_nothing() {
    let test_server = TestServer::on_file();
    let refusal = run(&test_server, &["migrate", "--check"]).refused();
    assert!(refusal.contains("no database"), "{refusal}");
    assert!(!test_server.database().exists());

    let before = test_server.copy_database_of_schema_3();
    let check = run(&test_server, &["migrate", "--check"]);
    assert_eq!(check.code, 1);
    assert!(
        check.out.contains("pending: schema from 3 to"),
        "{}",
        check.out
    );
    assert!(std::fs::read(test_server.database()).unwrap() == before);

    let report: Value = run(&test_server, &["migrate", "--json"]).json();
    assert_eq!(report["from"], 3);
    assert!(report["to"].as_u64().unwrap() >= 1);
    let current = format!("schema {} is current\n", report["to"]);
    assert_eq!(run(&test_server, &["migrate"]).done(), current);
    assert_eq!(run(&test_server, &["migrate", "--check"]).done(), current);
    create(&test_server, "new@example.com");
}

/// Only root can give files away.
#[test]
fn what_root_creates_belongs_to_the_owner_of_the_folder() {
    use std::os::unix::fs::{MetadataExt, chown};

    let mut test_server = TestServer::on_file();
    if chown(test_server.path(), Some(65534), Some(65534)).is_err() {
        return;
    }
    let folder = test_server.path().join("made");
    let database = folder.join("cloakroom.db");
    test_server.set("CLOAKROOM__DATABASE__PATH", database.to_str().unwrap());
    run(&test_server, &["migrate"]).done();
    let key_base = folder.join("cloakroom.key_base");
    let (status, log) = {
        let server = test_server.serve();
        (server.request("GET", "/ready", None, None).0, server.log())
    };
    assert_eq!(status, 200, "{log}");
    for made in [&folder, &database, &key_base] {
        let found = std::fs::metadata(made).unwrap();
        assert_eq!(
            (found.uid(), found.gid()),
            (65534, 65534),
            "{}",
            made.display()
        );
    }
}

#[test]
fn a_settings_file_alone_finds_the_servers_database() {
    let mut test_server = TestServer::on_file();
    run(&test_server, &["migrate"]).done();
    let (toml, key_base) = (
        test_server.path().join("cloakroom.toml"),
        test_server.path().join("key_base"),
    );
    std::fs::write(&key_base, run(&test_server, &["secret"]).done()).unwrap();
    let text = format!(
        "env = \"production\"\n[server]\npublic_url = \"https://auth.example.com\"\n\
         frontend_url = \"https://app.example.com\"\n[database]\npath = {:?}\n\
         [secrets]\nkey_base__file = {key_base:?}\n[mail]\nfrom = \"no-reply@example.com\"\n",
        test_server.database()
    );
    std::fs::write(&toml, text).unwrap();
    let here = ["--config", toml.to_str().unwrap()];
    let elsewhere = |server: &TestServer, arguments: &[&str]| {
        let mut command = server.command(&[&here[..], arguments].concat());
        command.env_clear().output().unwrap().into()
    };
    let shown: super::Ran = elsewhere(&test_server, &["config"]);
    assert!(
        shown
            .out
            .starts_with("# Effective settings with CLOAKROOM_ENV=production.\n"),
        "{}{}",
        shown.out,
        shown.err
    );
    let listed: super::Ran = elsewhere(&test_server, &["users", "list", "--json"]);
    assert_eq!(listed.json()["users"], json!([]));

    // A variable comes before the file's, which is then not read: the server may have no access to it.
    std::fs::remove_file(&key_base).unwrap();
    let refusal: super::Ran = elsewhere(&test_server, &["config"]);
    assert!(
        refusal
            .refused()
            .starts_with("secrets.key_base: cannot be read from")
    );
    let mut command = test_server.command(&[&here[..], &["config"]].concat());
    command.env_clear().env(
        "CLOAKROOM__SECRETS__KEY_BASE",
        "0123456789abcdefghijklmnopqrstuv",
    );
    assert!(command.output().unwrap().status.success());

    test_server.set("CLOAKROOM_CONFIG", toml.to_str().unwrap());
    let refusal = run(&test_server, &["users", "list"]).refused();
    assert_eq!(
        refusal,
        "CLOAKROOM_ENV: is test, and the settings file says production: remove one of them"
    );
}

#[test]
fn a_missing_database_is_named_with_its_settings() {
    let test_server = TestServer::on_file();
    let refusal = run(&test_server, &["users", "list"]).refused();
    assert!(
        refusal.contains("no database here")
            && refusal.contains("environment test, no settings file")
            && refusal.contains("--config"),
        "{refusal}"
    );
}

#[test]
fn commands_create_no_database() {
    let test_server = TestServer::on_file();
    for arguments in [
        &["users", "list"][..],
        &["users", "create", "one@example.com"],
        &["users", "show", "1"],
        &["users", "disable", "1"],
        &["users", "reset-password", "1"],
        &["sessions", "list", "1"],
        &["sessions", "revoke", "1"],
        &["sweep"],
        &["mail", "list"],
        &["mail", "retry", "1"],
    ] {
        let refusal = run(&test_server, arguments).refused();
        assert!(
            refusal.contains(test_server.database().to_str().unwrap())
                && refusal.contains("no database here"),
            "{refusal}"
        );
    }
    assert_eq!(std::fs::read_dir(test_server.path()).unwrap().count(), 0);
}

#[test]
fn a_sender_that_no_mail_can_have_stops_the_start() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__MAIL__FROM", "no-reply@a..b");
    let refusal = run(&test_server, &["serve"]).refused();
    assert!(refusal.contains("mail.from"), "{refusal}");
}
