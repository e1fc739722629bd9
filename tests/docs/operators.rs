//! Commands on the pages for operators, run on a machine that is a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use super::blocks::blocks_in;
use super::{between, root, run_command, text};
use crate::support::machine::Machine;
use crate::support::process::{TestServer, eventually};

#[test]
fn a_server_is_installed_as_shown() {
    let machine = Machine::new();
    let blocks: Vec<String> = blocks_in("docs/operations/production.md", "sh");
    let [install, migrate, doctor, variables] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    assert!(variables.starts_with("CLOAKROOM_ENV=production\n"));
    let password = machine.path("password");
    fs::write(&password, "secret\n").unwrap();
    for line in install.lines() {
        let mut command = machine.command(line);
        let output = command
            .stdin(fs::File::open(&password).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}\n{output:?}");
    }
    for secret in ["key_base", "previous_key_bases", "smtp_password"] {
        let mode = fs::metadata(machine.path("etc/cloakroom").join(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    // No mail server answers here.
    let settings =
        text("packaging/cloakroom.toml").replace("\"mail.example.com\"", "\"127.0.0.1\"");
    fs::write(
        machine.path("etc/cloakroom/cloakroom.toml"),
        machine.here(&settings),
    )
    .unwrap();
    machine.run(migrate);
    let output = machine.command(doctor).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = String::from_utf8(output.stdout).unwrap();
    let failed: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("fail"))
        .collect();
    assert!(failed.len() == 1 && failed[0].contains("mail"), "{report}");

    let server = machine.serve();
    assert_eq!(server.request("GET", "/ready", None, None).0, 200);
}

#[test]
fn commands_of_operators_run_as_shown() {
    for (page, expected) in [
        ("docs/concepts/tokens.md", 2),
        ("docs/operations/monitoring.md", 1),
    ] {
        let test_server = TestServer::new();
        let server = test_server.serve();
        server.sign_up_token("one@example.com", "password");
        let commands = blocks_in(page, "sh");
        assert_eq!(commands.len(), expected, "{page}");
        for command in commands {
            run_command(&test_server, &command);
        }
    }
}

#[test]
fn the_audit_trail_is_read_and_verified_as_shown() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    server.sign_up_token("ada@example.com", "password");
    let head = eventually(|| {
        let output = test_server.run(&["audit", "head"]);
        output.status.success().then_some(output.stdout)
    });
    let head = String::from_utf8(head).unwrap();
    for line in blocks_in("docs/operations/audit-trail.md", "sh")
        .concat()
        .lines()
    {
        // The page has an anchor of another database.
        let line = match line.split_once("--anchor ") {
            Some((command, _)) => format!("{command}--anchor {head}"),
            None => line.to_owned(),
        };
        run_command(&test_server, &line);
    }
}

#[test]
fn breached_passwords_are_tried_out_as_shown() {
    let page = text("docs/operations/passwords.md");
    let lines = blocks_in("docs/operations/passwords.md", "sh").concat();
    let lines: Vec<&str> = lines.lines().collect();
    let [words, build, serve, sign_up] = lines[..] else {
        panic!("{lines:?}");
    };
    let mut test_server = TestServer::new();
    run_command(&test_server, words);
    run_command(&test_server, build);
    let (setting, serve) = serve.split_once(' ').unwrap();
    assert_eq!(serve, "cloakroom serve");
    let (name, value) = setting.split_once('=').unwrap();
    test_server.set(name, value);
    let server = test_server.serve();
    let sign_up = sign_up.replace("http://localhost:3000", &server.url(""));
    let reply = run_command(
        &test_server,
        &sign_up.replace("curl", "curl -sw ' %{http_code}'"),
    );
    let fields = between(&page, "422, with `", "`");
    assert!(reply.contains(fields), "{reply}\n{fields}");
    assert!(reply.ends_with(" 422"), "{reply}");
}

#[test]
fn mails_are_changed_as_shown() {
    let [english, german]: [String; 2] = blocks_in("docs/guides/mails.md", "jinja")
        .try_into()
        .unwrap();
    let [files, refusal]: [String; 2] = blocks_in("docs/guides/mails.md", "text")
        .try_into()
        .unwrap();
    let [list]: [String; 1] = blocks_in("docs/guides/mails.md", "sh").try_into().unwrap();
    let mut test_server = TestServer::new();
    let folder = test_server.path().join("mails");
    let built_in = root().join("src/mail/templates");
    fs::create_dir_all(folder.join("de")).unwrap();
    for entry in fs::read_dir(&built_in).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name)
            .extension()
            .is_some_and(|it| it == "txt" || it == "html")
        {
            fs::copy(built_in.join(&name), folder.join("de").join(&name)).unwrap();
        }
    }
    for file in files.lines().filter(|line| *line != "…") {
        let name = file.strip_prefix("/etc/cloakroom/mails/").unwrap();
        assert!(folder.join(name).exists(), "{name}");
    }
    fs::write(folder.join("password_reset.txt"), &english).unwrap();
    fs::write(folder.join("de/password_reset.txt"), &german).unwrap();
    test_server
        .set("CLOAKROOM__MAIL__TEMPLATES", folder.to_str().unwrap())
        .set("CLOAKROOM__MAIL__DIRECTORY", "storage/mail");
    {
        let server = test_server.serve();
        for (language, address) in [("en", "one@example.com"), ("de", "two@example.com")] {
            let url = server.url("/v1/registrations");
            let sign_up = format!(
                "curl -sSf {url} -H 'Accept-Language: {language}' -d email_address={address} -d password=correct-horse-battery"
            );
            run_command(&test_server, &sign_up);
            server.request_reset_mail(address);
        }
        let mails = eventually(|| {
            let list = list.replace("ls ", "ls 2>/dev/null ").trim().to_owned() + " || true";
            let names = run_command(&test_server, &list);
            (names.lines().count() == 2).then_some(names)
        });
        let mails: String = mails
            .lines()
            .map(|name| fs::read_to_string(test_server.path().join(name)).unwrap())
            .collect();
        assert!(mails.contains("Subject: A new password for "), "{mails}");
        assert!(
            mails.contains("Subject: Neues Passwort ") || mails.contains("Neues_Passwort"),
            "{mails}"
        );
    }
    fs::write(
        folder.join("password_reset.txt"),
        english.replace("{{ link }}", "{{ lnk }}"),
    )
    .unwrap();
    for command in ["doctor", "serve"] {
        let Output {
            status,
            stdout,
            stderr,
        } = test_server.run(&[command]);
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(
            !status.success() && said.contains(refusal.trim()),
            "{command}: {said}"
        );
    }
}
