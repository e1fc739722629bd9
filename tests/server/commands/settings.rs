//! `secret`, `config` and `migrate`.

use serde_json::{Value, json};

use super::{create, run};
use crate::support::process::House;

#[test]
fn every_secret_is_a_new_one_that_production_takes() {
    let mut house = House::new();
    let [first, second] = [(); 2].map(|()| run(&house, &["secret"]).done());
    assert_ne!(first, second);
    let secret = first.strip_suffix('\n').unwrap();
    assert!(
        secret.len() >= 64 && !secret.contains(char::is_whitespace),
        "{secret}"
    );

    house
        .set("CLOAKROOM_ENV", "production")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com")
        .set("CLOAKROOM__MAIL__FROM", "no-reply@example.com")
        .set("CLOAKROOM__SECRETS__KEY_BASE", secret);
    run(&house, &["config"]).done();
}

#[test]
fn the_settings_in_force_are_shown_as_a_file_that_can_be_read_again() {
    let mut house = House::new();
    house.set("CLOAKROOM__SESSION__LIFETIME", "12h");
    let shown = run(&house, &["config"]).done();
    assert!(
        shown.starts_with("# Effective settings with CLOAKROOM_ENV=test.\n"),
        "{shown}"
    );
    assert!(shown.contains("lifetime = \"12h\""), "{shown}");
    let json = run(&house, &["config", "--json"]).json();
    assert_eq!(json["session"]["lifetime"], "12h");

    let file = house.path().join("shown.toml");
    std::fs::write(&file, &shown).unwrap();
    let mut other = House::new();
    for name in ["DATABASE__PATH", "MAIL__DIRECTORY"] {
        let value = if name == "MAIL__DIRECTORY" {
            house.mails()
        } else {
            house.database()
        };
        other.set(&format!("CLOAKROOM__{name}"), value.to_str().unwrap());
    }
    let again = run(&other, &["config", "--config", file.to_str().unwrap()]).done();
    assert_eq!(again, shown);
}

#[test]
fn no_secret_is_shown() {
    let mut house = House::new();
    house
        .set("CLOAKROOM__SECRETS__KEY_BASE", "swordfish".repeat(8))
        .set("CLOAKROOM__SECRETS__PREVIOUS", "swordfish".repeat(9))
        .set("CLOAKROOM__MAIL__SMTP__USERNAME", "mailer")
        .set("CLOAKROOM__MAIL__SMTP__PASSWORD", "swordfish");
    for arguments in [
        &["config"][..],
        &["config", "--json"],
        &["doctor", "--json"],
    ] {
        let ran = run(&house, arguments);
        assert!(
            !ran.out.contains("swordfish") && !ran.err.contains("swordfish"),
            "{}",
            ran.out
        );
    }
    let shown = run(&house, &["config", "--json"]).json();
    assert_eq!(
        shown["secrets"],
        json!({ "key_base": "[hidden]", "previous": ["[hidden]"] })
    );
    assert_eq!(shown["mail"]["smtp"]["password"], "[hidden]");
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let mut house = House::new();
    house
        .set("CLOAKROOM__SERVER__BINND", "127.0.0.1:0")
        .set("CLOAKROOM__PASSWORD__BCRYPT_COST", "99");
    let ran = run(&house, &["config"]);
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
fn migrating_says_from_where_to_where_and_a_check_only_tells() {
    let house = House::new();
    let refusal = run(&house, &["migrate", "--check"]).refused();
    assert!(refusal.contains("no database"), "{refusal}");
    assert!(!house.database().exists());

    // An empty file is a database without any step.
    std::fs::write(house.database(), "").unwrap();
    let check = run(&house, &["migrate", "--check"]);
    assert_eq!(check.code, 1);
    assert!(
        check.out.contains("pending: schema from 0 to"),
        "{}",
        check.out
    );
    assert_eq!(std::fs::metadata(house.database()).unwrap().len(), 0);

    let report: Value = run(&house, &["migrate", "--json"]).json();
    assert_eq!(report["from"], 0);
    assert!(report["to"].as_u64().unwrap() >= 1);
    let current = format!("schema {} is current\n", report["to"]);
    assert_eq!(run(&house, &["migrate"]).done(), current);
    assert_eq!(run(&house, &["migrate", "--check"]).done(), current);
    create(&house, "one@example.com");
}

#[test]
fn commands_make_no_database_where_there_is_none() {
    let house = House::new();
    for arguments in [
        &["users", "list"][..],
        &["users", "show", "1"],
        &["users", "disable", "1"],
        &["users", "reset-password", "1"],
        &["sessions", "list", "1"],
        &["sessions", "revoke", "1"],
        &["sweep"],
        &["mail", "list"],
        &["mail", "retry", "1"],
    ] {
        let refusal = run(&house, arguments).refused();
        assert!(refusal.contains("no database at"), "{refusal}");
    }
    assert_eq!(std::fs::read_dir(house.path()).unwrap().count(), 0);
}
