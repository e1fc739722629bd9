//! Libraries of other languages verify our access tokens from the JWKS alone, and refuse what is none.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::forgery::forgeries;
use crate::support::issuer::Issuer;
use crate::support::process::eventually;

#[test]
#[ignore = "needs Python with PyJWT: .ci/recipes"]
fn pyjwt_accepts_only_genuine_tokens() {
    takes_good_tokens_alone("target/python/bin/python", "pyjwt.py");
}

#[test]
#[ignore = "needs Node with jose: .ci/recipes"]
fn jose_accepts_only_genuine_tokens() {
    takes_good_tokens_alone("node", "jose.mjs");
}

#[test]
#[ignore = "needs Ruby with ruby-jwt: .ci/recipes"]
fn ruby_jwt_accepts_only_genuine_tokens() {
    takes_good_tokens_alone("ruby", "jwt.rb");
}

fn takes_good_tokens_alone(program: &str, script: &str) {
    let issuer = Issuer::open();
    let user = issuer.sign_up("one@example.com");
    let good = issuer.access_token(&user.token, None);
    let narrow = issuer.access_token(&user.token, Some("orders:read"));
    let brief = issuer.access_token_about_to_expire(&issuer.sign_in("one@example.com"));
    eventually(|| (issuer.server.session_status(&brief) == 401).then_some(()));

    let mut tokens = vec![
        ("a good one", good.clone()),
        ("a narrow one", narrow),
        ("an expired one", brief),
    ];
    tokens.push(("a session's token", user.token));
    tokens.extend(forgeries(&good, &issuer.jwks()));
    let verdicts = verdicts(program, script, &issuer.name(), &tokens);
    assert_eq!(verdicts.len(), tokens.len(), "{verdicts:?}");
    for (number, ((what, _), verdict)) in tokens.iter().zip(&verdicts).enumerate() {
        assert_eq!(verdict == "yes", number < 2, "{what}: {verdict}");
    }

    // Good tokens, and not for a verifier that expects another issuer's: its JWKS is the same, its name is not.
    let elsewhere = issuer.name().replace("127.0.0.1", "localhost");
    let verdicts = self::verdicts(program, script, &elsewhere, &tokens[..2]);
    assert!(
        verdicts.len() == 2 && verdicts.iter().all(|verdict| verdict.starts_with("no")),
        "{verdicts:?}"
    );
}

/// The verdict of the script in `tests/verifiers` on each token.
fn verdicts(program: &str, script: &str, issuer: &str, tokens: &[(&str, String)]) -> Vec<String> {
    let script = Path::new("tests/verifiers").join(script);
    let mut child = Command::new(program)
        .arg(script)
        .arg(issuer)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for (_, token) in tokens {
        writeln!(stdin, "{token}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}
