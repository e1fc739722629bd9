//! The scripts in `tests/curl`, run against the real binary.

use std::path::Path;
use std::process::Command;

use crate::support::process::TestServer;

fn tell(story: &str) {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__THROTTLE__ENABLED", "true");
    let server = test_server.serve();
    let output = Command::new("sh")
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/curl")
                .join(story),
        )
        .env("BASE", server.url(""))
        .env("MAILS", test_server.mail_folder())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn sign_up_to_sign_out() {
    tell("sign_up_to_sign_out.sh");
}

#[test]
fn password_reset() {
    tell("password_reset.sh");
}

#[test]
fn projects() {
    tell("projects.sh");
}

#[test]
fn throttled() {
    tell("throttled.sh");
}

#[test]
fn cors() {
    tell("cors.sh");
}

#[test]
fn cookie() {
    tell("cookie.sh");
}

#[test]
fn account() {
    tell("account.sh");
}

#[test]
fn tokens() {
    tell("tokens.sh");
}

#[test]
fn every_curl_script_is_run() {
    let here = include_str!("curl.rs");
    for entry in
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/curl")).unwrap()
    {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "lib.sh" || here.contains(&format!("tell(\"{name}\")")),
            "{name}"
        );
    }
}
