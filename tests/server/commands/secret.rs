//! `secret rotate` and `secret forget`: what goes on, what ends, and that no key base is lost on the way.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::{PASSWORD, create, run};
use crate::support::flows::{Flows, link_token};
use crate::support::process::{Server, TestServer};

const ONE: &str = "one@example.com";

/// The file of the base that is made beside the database, and that of those before it.
fn beside(test_server: &TestServer) -> [PathBuf; 2] {
    ["cloakroom.key_base", "cloakroom.key_base.previous"].map(|name| test_server.path().join(name))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn rotate(test_server: &TestServer, more: &[&str]) -> Value {
    run(
        test_server,
        &[&["secret", "rotate", "--json"], more].concat(),
    )
    .json()
}

/// A link that resets the password, signed with the base in force.
fn link(test_server: &TestServer) -> String {
    let printed = run(test_server, &["users", "reset-password", ONE, "--json"]).json();
    let link = printed["link"].as_str().unwrap();
    format!("/v1/passwords/{}", link_token(link, "/passwords/edit#"))
}

fn opens(server: &Server, link: &str) -> bool {
    match server.request("GET", link, None, None).0 {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// A house with a user and a key base, that is made at the first start.
fn test_server() -> TestServer {
    let test_server = TestServer::on_file();
    create(&test_server, ONE);
    test_server.serve();
    test_server
}

/// Lets a variable name a file with this text, for its owner alone.
fn name_file(test_server: &mut TestServer, key: &str, text: &str) -> PathBuf {
    let path = test_server.path().join(key.to_lowercase());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    test_server.set(
        &format!("CLOAKROOM__SECRETS__{key}__FILE"),
        path.to_str().unwrap(),
    );
    path
}

/// The same for the base and those before it.
fn name_files(test_server: &mut TestServer, base: &str, previous: &str) -> [PathBuf; 2] {
    [("KEY_BASE", base), ("PREVIOUS", previous)]
        .map(|(key, text)| name_file(test_server, key, text))
}

#[test]
fn a_rotation_keeps_links_and_sessions_until_expiry() {
    let test_server = test_server();
    let [base, previous] = beside(&test_server);
    let (old, before) = (read(&base), link(&test_server));
    let session = {
        let server = test_server.serve();
        let (status, body) = server.sign_in(ONE, PASSWORD);
        assert_eq!(status, 200);
        body["token"].as_str().unwrap().to_owned()
    };

    let said = rotate(&test_server, &[]);
    let new = read(&base);
    assert!(new != old && new.len() >= 64, "{new}");
    assert_eq!(read(&previous), format!("{old}\n"));
    assert_eq!(
        said["written"],
        json!([previous, base]),
        "the old one first"
    );
    assert_eq!(
        (&said["leaked"], &said["previous_out_of_reach"]),
        (&json!(false), &json!(0))
    );
    for what in [
        "access_tokens",
        "reset_links",
        "confirmation_links",
        "unlock_links",
    ] {
        assert!(super::is_rfc3339(&said["ends"][what]), "{said}");
    }
    assert_eq!(said["forget_after"], said["ends"]["confirmation_links"]);

    let server = test_server.serve();
    let after = link(&test_server);
    assert_ne!(before, after);
    assert!(opens(&server, &before) && opens(&server, &after));
    assert_eq!(server.session_status(&session), 200);

    // And once more: the newest stands first.
    let text = run(&test_server, &["secret", "rotate"]).done();
    assert!(
        text.contains("Restart the server") && text.contains("`cloakroom secret forget`"),
        "{text}"
    );
    assert!(
        !text.contains(&new) && !text.contains(&read(&base)),
        "{text}"
    );
    assert_eq!(read(&previous), format!("{new}\n{old}\n"));
    assert!(
        run(&test_server, &["doctor"])
            .out
            .contains("with 2 previous")
    );
    assert!(text.contains("up to five minutes"), "{text}");
    // The running server still signs and verifies with what it started with.
    assert!(opens(&server, &after) && !opens(&server, &link(&test_server)));
}

#[test]
fn a_leaked_base_is_rejected_after_the_restart() {
    let test_server = test_server();
    let [base, previous] = beside(&test_server);
    let oldest = link(&test_server);
    rotate(&test_server, &[]);
    let (old, newer) = (read(&base), link(&test_server));
    let said = rotate(&test_server, &["--leaked"]);
    assert_eq!(
        (&said["leaked"], &said["written"]),
        (&json!(true), &json!([base, previous]))
    );
    assert!(said.get("ends").is_none());
    assert_ne!(read(&base), old);
    assert_eq!(read(&previous), "");
    let text = run(&test_server, &["secret", "rotate", "--leaked"]).done();
    for command in [
        "`cloakroom sessions revoke --all`",
        "`cloakroom api-keys revoke --all`",
    ] {
        assert!(text.contains(command), "{text}");
    }
    let server = test_server.serve();
    assert!(
        !opens(&server, &oldest) && !opens(&server, &newer) && opens(&server, &link(&test_server))
    );
}

#[test]
fn forgetting_bases_revokes_what_they_signed() {
    let test_server = test_server();
    let [base, previous] = beside(&test_server);
    let nothing = run(&test_server, &["secret", "forget"]).done();
    assert!(nothing.starts_with("no previous key bases"), "{nothing}");
    assert!(!previous.exists());
    let before = link(&test_server);
    rotate(&test_server, &[]);
    let (new, after) = (read(&base), link(&test_server));
    let said = run(&test_server, &["secret", "forget", "--yes", "--json"]).json();
    assert_eq!(
        (&said["dropped"], &said["previous_out_of_reach"]),
        (&json!(1), &json!(0))
    );
    let invalidated = said["invalidated"].as_object().unwrap();
    assert!(invalidated.contains_key("reset_links") && invalidated.contains_key("access_tokens"));
    assert_eq!((read(&base), read(&previous)), (new, String::new()));
    let server = test_server.serve();
    assert!(!opens(&server, &before) && opens(&server, &after));
}

#[test]
fn changes_of_the_key_base_are_recorded() {
    let test_server = test_server();
    for (command, event) in [
        (&["secret", "rotate"][..], "key_base_rotated"),
        (&["secret", "forget", "--yes"], "key_bases_forgotten"),
        (
            &["secret", "rotate", "--leaked"],
            "leaked_key_base_replaced",
        ),
    ] {
        let err = run(&test_server, command).err;
        assert!(err.contains(event) && err.contains("operator"), "{err}");
    }
    // Nothing is left to drop.
    let err = run(&test_server, &["secret", "forget"]).err;
    assert!(!err.contains("key_bases_forgotten"), "{err}");
}

#[test]
fn forgetting_says_what_becomes_invalid_and_asks() {
    let test_server = test_server();
    rotate(&test_server, &[]);
    let [base, previous] = beside(&test_server);
    let kept = read(&previous);
    let ran = run(&test_server, &["secret", "forget"]);
    assert_eq!((ran.code, read(&previous)), (1, kept));
    for words in ["reset links", "access tokens", "still valid", "pass --yes"] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }

    // Long after the rotation nothing is left to ask about.
    let file = fs::File::options().write(true).open(&base).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    let ran = run(&test_server, &["secret", "forget", "--json"]);
    assert_eq!(ran.json()["invalidated"], json!({}));
    assert_eq!(read(&previous), "");
}

#[test]
fn a_base_from_a_file_is_rotated_with_its_list() {
    let mut test_server = test_server();
    let (old, older) = ("a".repeat(40), "b, \"c".repeat(10));
    let listed = serde_json::to_string(&[&older]).unwrap();
    let [base, previous] = name_files(&mut test_server, &format!("{old}\n"), &listed);
    let before = link(&test_server);
    let said = rotate(&test_server, &[]);
    assert_eq!(said["written"], json!([previous, base]));
    let listed: toml::Value = read(&previous).parse().unwrap();
    assert_eq!(listed, toml::Value::from(vec![old, older]));
    let shown = run(&test_server, &["config", "--json"]).json();
    assert_eq!(
        shown["secrets"]["previous"],
        json!(["[hidden]", "[hidden]"])
    );
    let server = test_server.serve();
    assert!(opens(&server, &before) && opens(&server, &link(&test_server)));
    assert!(!beside(&test_server)[1].exists());

    let said = run(&test_server, &["secret", "forget", "--yes", "--json"]).json();
    assert_eq!(
        (&said["dropped"], read(&previous)),
        (&json!(2), String::new())
    );
    let server = test_server.serve();
    assert!(!opens(&server, &before));
}

#[test]
fn rotation_needs_a_file_for_previous_bases_unless_leaked() {
    let mut test_server = TestServer::on_file();
    let base = name_file(&mut test_server, "KEY_BASE", &"a".repeat(40));
    let refusal = run(&test_server, &["secret", "rotate"]).refused();
    assert!(
        refusal.contains("set CLOAKROOM__SECRETS__PREVIOUS__FILE to a file, which may be empty"),
        "{refusal}"
    );
    assert_eq!(read(&base), "a".repeat(40));

    test_server.set("CLOAKROOM__SECRETS__PREVIOUS", "b".repeat(40));
    let said = rotate(&test_server, &["--leaked"]);
    assert_eq!(
        (&said["written"], &said["previous_out_of_reach"]),
        (&json!([base]), &json!(1))
    );
    assert_ne!(read(&base), "a".repeat(40));
    let text = run(&test_server, &["secret", "rotate", "--leaked"]).done();
    assert!(
        text.contains("secrets.previous is set as a value and still lists 1"),
        "{text}"
    );
}

#[test]
fn an_inline_base_is_not_rotated() {
    let mut test_server = TestServer::on_file();
    test_server.set("CLOAKROOM__SECRETS__KEY_BASE", "a".repeat(40));
    for (more, advice) in [
        (&[][..], "put the current one first in secrets.previous"),
        (&["--leaked"], "empty secrets.previous"),
    ] {
        let ran = run(&test_server, &[&["secret", "rotate"], more].concat());
        assert_eq!(ran.code, 1);
        assert!(
            ran.out.trim_end().len() >= 64 && ran.out.lines().count() == 1,
            "{}",
            ran.out
        );
        assert!(
            ran.err.contains("set as a value") && ran.err.contains(advice),
            "{}",
            ran.err
        );
    }
    assert!(
        run(&test_server, &["secret", "forget"])
            .refused()
            .contains("remove its values where it is set")
    );
    assert_eq!(fs::read_dir(test_server.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_base_is_not_rotated() {
    let test_server = TestServer::on_file();
    for more in [&[][..], &["--leaked"]] {
        let refusal = run(&test_server, &[&["secret", "rotate"], more].concat()).refused();
        assert!(refusal.contains("no key base at"), "{refusal}");
    }
    assert_eq!(fs::read_dir(test_server.path()).unwrap().count(), 0);
}

/// The owner, the group and the permissions of a file.
fn rights(path: &Path) -> (u32, u32, u32) {
    let found = fs::metadata(path).unwrap();
    (found.uid(), found.gid(), found.permissions().mode() & 0o777)
}

#[test]
fn rotation_keeps_both_files_private() {
    let mut test_server = test_server();
    let [base, previous] = name_files(&mut test_server, &"a".repeat(40), "");
    fs::set_permissions(&base, fs::Permissions::from_mode(0o640)).unwrap();
    // As `touch` makes it, and only root may give files away.
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o644)).unwrap();
    let _ = chown(&base, Some(65534), Some(65534));
    let before = rights(&base);
    rotate(&test_server, &[]);
    assert_eq!((rights(&base), rights(&previous)), (before, before));
    for command in [&["rotate"][..], &["forget", "--yes"]] {
        fs::set_permissions(&previous, fs::Permissions::from_mode(0o666)).unwrap();
        run(&test_server, &[&["secret"], command].concat()).done();
        assert_eq!(rights(&previous), before, "{command:?}");
    }

    let test_server = self::test_server();
    rotate(&test_server, &[]);
    assert_eq!(
        beside(&test_server).map(|path| rights(&path).2),
        [0o600, 0o600]
    );
}

#[test]
fn a_symlink_stops_a_rotation_before_any_write() {
    let mut test_server = test_server();
    let [base, previous] = name_files(&mut test_server, &"a".repeat(40), "");
    let linked = test_server.path().join("linked");
    symlink(&base, &linked).unwrap();
    test_server.set(
        "CLOAKROOM__SECRETS__KEY_BASE__FILE",
        linked.to_str().unwrap(),
    );
    let entries = fs::read_dir(test_server.path()).unwrap().count();
    let refusal = run(&test_server, &["secret", "rotate"]).refused();
    assert!(refusal.contains("linked: is no plain file"), "{refusal}");
    assert_eq!(
        (read(&base), read(&previous)),
        ("a".repeat(40), String::new())
    );
    assert_eq!(
        fs::read_dir(test_server.path()).unwrap().count(),
        entries,
        "nor is a draft left"
    );
}

#[test]
fn an_interrupted_rotation_is_repeated() {
    let test_server = test_server();
    let [base, previous] = beside(&test_server);
    let (old, before) = (read(&base), link(&test_server));
    // As it is when the process is killed before the new one takes its place.
    fs::write(&previous, format!("{old}\n")).unwrap();
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    let found = run(&test_server, &["doctor"]).done();
    assert!(
        found.contains("warn  keys") && found.contains("a rotation was interrupted"),
        "{found}"
    );
    {
        let server = test_server.serve();
        assert!(opens(&server, &before));
    }
    rotate(&test_server, &[]);
    assert_eq!(read(&previous), format!("{old}\n"));
    let found = run(&test_server, &["doctor"]).done();
    assert!(
        found.contains("created here, with 1 previous") && !found.contains("warn  keys"),
        "{found}"
    );
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(run(&test_server, &["doctor"]).out.contains("fail  keys"));
}

/// A file beside this one.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    format!("{}.{suffix}", path.display()).into()
}

#[test]
fn drafts_of_a_killed_rotation_are_removed() {
    let mut test_server = test_server();
    let mine = beside(&test_server);
    for command in [&["rotate"][..], &["forget", "--yes"]] {
        let drafts = mine
            .clone()
            .map(|path| with_suffix(&path, "0123456789abcdef"));
        let mut others = vec![with_suffix(&mine[0], "0123456789abcde")];
        others.push(with_suffix(&mine[0], "0123456789ABCDEF"));
        others.push(with_suffix(&mine[0], "backup"));
        for path in drafts.iter().chain(&others) {
            fs::write(path, "x".repeat(64)).unwrap();
        }
        let found = run(&test_server, &["doctor"]).done();
        let warned: Vec<&str> = found
            .lines()
            .filter(|line| line.starts_with("warn  keys"))
            .collect();
        assert_eq!(warned.len(), 2, "{found}");
        assert!(
            warned
                .iter()
                .all(|line| line.contains(".0123456789abcdef contains a key base")),
            "{found}"
        );
        assert!(
            drafts.iter().all(|path| path.exists()),
            "a doctor changes nothing"
        );
        let ran = run(&test_server, &[&["secret"], command].concat());
        assert_eq!(ran.err.matches("removed ").count(), 2, "{}", ran.err);
        assert!(
            !drafts.iter().any(|path| path.exists()) && others.iter().all(|path| path.exists())
        );
        assert!(!run(&test_server, &["doctor"]).done().contains("warn  keys"));
    }

    // The same beside files that variables name.
    let [base, _] = name_files(&mut test_server, &"a".repeat(40), "");
    let draft = with_suffix(&base, "fedcba9876543210");
    fs::write(&draft, "x".repeat(64)).unwrap();
    assert!(
        run(&test_server, &["doctor"])
            .done()
            .contains("fedcba9876543210 contains a key base")
    );
    rotate(&test_server, &["--leaked"]);
    assert!(!draft.exists());
}

#[test]
fn concurrent_rotations_lose_no_base() {
    let test_server = test_server();
    let [base, previous] = beside(&test_server);
    let (old, before) = (read(&base), link(&test_server));
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| rotate(&test_server, &[]));
        }
    });
    let listed = read(&previous);
    let mut all: Vec<&str> = listed.lines().collect();
    assert_eq!((all.len(), all.last()), (5, Some(&&*old)));
    let current = read(&base);
    all.push(&current);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
    assert!(opens(&test_server.serve(), &before));
}

#[test]
fn production_starts_with_rotated_bases() {
    let mut test_server = TestServer::on_file();
    test_server
        .set("CLOAKROOM_ENV", "production")
        .set("CLOAKROOM__SERVER__BIND", "127.0.0.1:0")
        .set("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com")
        .set("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com")
        .set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com")
        .set("CLOAKROOM__MAIL__FROM", "no-reply@example.com");
    let secret = run(&test_server, &["secret"]).done();
    name_files(&mut test_server, &secret, "");
    run(&test_server, &["migrate"]).done();
    for more in [&[][..], &[], &["--leaked"]] {
        rotate(&test_server, more);
        test_server.serve();
    }
    run(&test_server, &["secret", "forget", "--yes"]).done();
    test_server.serve();
}
