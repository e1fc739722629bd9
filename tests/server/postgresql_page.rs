//! The page about PostgreSQL, on a database of its own. Without a server (`.ci/postgres`) this test does nothing.

use std::process::Command;

use url::Url;

use crate::docs::blocks::blocks_in;
use crate::support::flows::Flows;
use crate::support::process::TestServer;

const PAGE: &str = "docs/operations/postgresql.md";
const ADDRESS: &str = "one@example.com";
const PASSWORD: &str = "correct horse battery";

fn block(info: &str) -> String {
    let [block]: [String; 1] = blocks_in(PAGE, info).try_into().unwrap();
    block
}

/// Runs a program on this database.
fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn postgresql_is_set_up_as_shown() {
    let Ok(server) = std::env::var("CLOAKROOM_TEST_DATABASE_URL") else {
        return;
    };
    let sql = |statements: &str| {
        run(
            "psql",
            &["-qX", "-v", "ON_ERROR_STOP=1", "-c", statements, &server],
        );
    };
    let remove = || {
        sql("DROP DATABASE IF EXISTS cloakroom WITH (FORCE)");
        sql("DROP ROLE IF EXISTS cloakroom");
    };
    remove();
    let create = blocks_in(PAGE, "sql").concat();
    for statement in create.lines() {
        sql(statement);
    }
    let settings: toml::Table = block("toml").parse().unwrap();
    let mut url = Url::parse(settings["database"]["url"].as_str().unwrap()).unwrap();
    let real = Url::parse(&server).unwrap();
    url.set_host(real.host_str()).unwrap();
    url.set_port(real.port()).unwrap();

    let mut node = TestServer::new();
    node.set("CLOAKROOM__DATABASE__URL", url.as_str());
    node.set(
        "CLOAKROOM__SECRETS__KEY_BASE",
        "one base for all nodes of this database",
    );
    let console = block("console");
    let mut commands = console
        .split("$ cloakroom ")
        .skip(1)
        .map(|step| step.split_once('\n').unwrap());
    for (arguments, printed) in commands.by_ref().take(2) {
        let output = node.run(&arguments.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{arguments}: {output:?}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let (printed, _) = printed.split_once('…').unwrap_or((printed, ""));
        assert!(said.contains(printed.trim()), "{arguments}: {said}");
    }
    assert_eq!(commands.collect::<Vec<_>>(), [("serve", "")]);
    let cloakroom = node.serve();
    let session = cloakroom.sign_up_token(ADDRESS, PASSWORD);
    let (status, pair) = cloakroom.issue_tokens(&session, "projects:read");
    assert_eq!(status, 200, "{pair}");
    let text = |name: &str| pair[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));

    let script = block("sh");
    let [dump, restore, after]: [&str; 3] = script.lines().collect::<Vec<_>>().try_into().unwrap();
    let shell = |line: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", line])
            .env("URL", url.as_str())
            .current_dir(node.path());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    };
    shell(dump);
    drop(cloakroom);
    sql("DROP DATABASE cloakroom WITH (FORCE)");
    sql(create.lines().nth(1).unwrap());
    shell(restore);
    let arguments: Vec<&str> = after.split(' ').skip(1).collect();
    let output = node.run(&arguments);
    assert!(output.status.success(), "{after}: {output:?}");
    let cloakroom = node.serve();
    assert_eq!(cloakroom.session_status(&session), 200);
    let opened = cloakroom.request("GET", "/v1/projects", Some(&access), None);
    assert_eq!(opened.0, 401);
    assert_eq!(cloakroom.refresh(&refresh).0, 400);
    assert_eq!(cloakroom.sign_in(ADDRESS, PASSWORD).0, 200);
    drop(cloakroom);
    remove();
}
