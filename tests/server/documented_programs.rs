//! What the pages show on a machine, with programs that are not ours: backups, proxies, a service and a page in Node.

use std::fs;
use std::process::{Command, Stdio};

use crate::docs::blocks::blocks_in;
use crate::docs::{run_steps, steps};
use crate::support::flows::Flows;
use crate::support::machine::Machine;
use crate::support::process::{TestServer, agent, eventually};
use crate::support::program::{Program, free_address};

use super::proxies::{start_caddy, start_nginx};

const ADDRESS: &str = "one@example.com";
const PASSWORD: &str = "correct-horse-battery";

/// The lines of all shell blocks of a page.
fn lines(page: &str) -> Vec<String> {
    blocks_in(page, "sh")
        .concat()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_backup_is_made_and_restored_as_shown() {
    let lines = lines("docs/operations/backup-and-upgrade.md");
    let [backup, verify, stop, restore, start] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(stop, "sudo systemctl stop cloakroom");
    assert_eq!(start, "sudo systemctl start cloakroom");
    let machine = installed();
    let mut server = machine.serve();
    server.sign_up_token(ADDRESS, PASSWORD);
    machine.run(backup);
    machine.run(verify);
    server.sign_up_token("two@example.com", PASSWORD);
    server.signal("TERM");
    assert!(server.wait().success());
    machine.run(restore);
    let server = machine.serve();
    assert_eq!(server.sign_in(ADDRESS, PASSWORD).0, 200);
    assert_eq!(server.sign_in("two@example.com", PASSWORD).0, 401);
}

#[test]
#[ignore = "needs Litestream: .ci/recipes"]
fn a_litestream_replica_is_restored_as_shown() {
    let lines = lines("docs/operations/litestream.md");
    let [stop, copy, restore, start] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(stop, "sudo systemctl stop cloakroom litestream");
    assert_eq!(start, "sudo systemctl start cloakroom litestream");
    let machine = installed();
    let program =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/litestream");
    std::os::unix::fs::symlink(program, machine.path("usr/local/bin/litestream")).unwrap();
    let config = machine.here(&crate::docs::text("packaging/litestream.yml"));
    fs::write(machine.path("etc/litestream.yml"), config).unwrap();
    let here = |line: &str| {
        let file = machine.path("etc/litestream.yml");
        line.replace("/etc/litestream.yml", file.to_str().unwrap())
    };

    let mut server = machine.serve();
    let mut replicate = machine
        .command(&here(
            "exec litestream replicate -config /etc/litestream.yml",
        ))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let session = server.sign_up_token(ADDRESS, PASSWORD);
    eventually(|| {
        let tried = machine.command(&here(copy)).output().unwrap();
        let file = machine.path("var/backups/restored.db");
        let users = tried.status.success().then(|| {
            let restored = rusqlite::Connection::open(&file).unwrap();
            let count = restored.query_row("SELECT count(*) FROM users", [], |row| row.get(0));
            count.unwrap_or(0_i64)
        });
        if users == Some(1) {
            return Some(());
        }
        let _ = fs::remove_file(file);
        None
    });
    server.kill();
    replicate.kill().unwrap();
    replicate.wait().unwrap();
    for name in ["restored.db-wal", "restored.db-shm"] {
        let _ = fs::remove_file(machine.path("var/backups").join(name));
    }
    machine.run(restore);
    let server = machine.serve();
    assert_eq!(server.session_status(&session), 200);
    assert_eq!(server.sign_in(ADDRESS, PASSWORD).0, 200);
}

/// A machine with the server and its settings.
fn installed() -> Machine {
    let machine = Machine::new();
    machine.run("install -d /etc/cloakroom /var/lib/cloakroom && install target/release/cloakroom /usr/local/bin/");
    let settings = "env = 'test'\n[database]\npath = '/var/lib/cloakroom/cloakroom.db'\n";
    fs::write(
        machine.path("etc/cloakroom/cloakroom.toml"),
        machine.here(settings),
    )
    .unwrap();
    machine
}

/// A server that listens where its public URL says, with the scopes of a line `NAME=value cargo run`.
fn server_of(line: &str) -> TestServer {
    let (setting, command) = line.split_once(' ').unwrap();
    assert_eq!(command, "cargo run");
    let (name, value) = setting.split_once('=').unwrap();
    let address = free_address();
    let mut test_server = TestServer::new();
    test_server
        .set(name, value)
        .set("CLOAKROOM__SERVER__BIND", address.to_string())
        .set("CLOAKROOM__SERVER__PUBLIC_URL", format!("http://{address}"));
    test_server
}

#[test]
#[ignore = "needs nginx and Caddy: .ci/recipes"]
fn a_proxy_is_tried_out_as_shown() {
    let lines = lines("docs/guides/forward-auth.md");
    let [cargo, caddy, nginx, requests @ ..] = &lines[..] else {
        panic!("{lines:?}");
    };
    let recipe = nginx.strip_prefix("sudo cp ").unwrap();
    let recipe = recipe
        .strip_suffix(" /etc/nginx/conf.d/ && sudo nginx -s reload")
        .unwrap();
    let test_server = server_of(cargo);
    let server = test_server.serve();
    let token = server.sign_up_token(ADDRESS, PASSWORD);
    let (service, proxy) = (free_address(), free_address());
    let mut respond = Command::new("sh");
    let caddy = caddy.replace("127.0.0.1:8080", &service.to_string());
    respond
        .args(["-c", &format!("exec {caddy}")])
        .env("HOME", test_server.path());
    let _service = Program::start(&mut respond, service, test_server.path());
    let recipe = crate::docs::text(recipe)
        .replace("127.0.0.1:3000", &server.address.to_string())
        .replace("127.0.0.1:8080", &service.to_string())
        .replace("listen 80;", &format!("listen {proxy};"));
    let _proxy = start_nginx(test_server.path(), &recipe, proxy);
    let requests = steps(&requests.join("\n"));
    assert_eq!(requests.len(), 2);
    run_steps(&requests, test_server.path(), |command| {
        let command = command.replace("http://localhost/", &format!("http://{proxy}/"));
        format!("TOKEN={token}; {command}")
    });
}

#[test]
#[ignore = "needs Node with Express: .ci/recipes"]
fn a_service_is_tried_out_as_shown() {
    let lines = lines("docs/guides/verifying-tokens.md");
    let [cargo, express, requests @ ..] = &lines[..] else {
        panic!("{lines:?}");
    };
    let express = express
        .strip_prefix("(cd examples/express && npm ci && ")
        .unwrap();
    let express = express.strip_suffix(')').unwrap();
    let test_server = server_of(cargo);
    let server = test_server.serve();
    server.sign_up_token(ADDRESS, PASSWORD);
    let service = free_address();
    let mut node = Command::new("sh");
    node.args(["-c", &format!("exec {express}")])
        .current_dir(crate::docs::root().join("examples/express"))
        .env("ISSUER", server.url(""))
        .env("PORT", service.port().to_string());
    let _service = Program::start(&mut node, service, test_server.path());
    let requests = steps(&requests.join("\n"));
    assert_eq!(requests.len(), 2);
    run_steps(&requests, test_server.path(), |command| {
        command
            .replace("http://localhost:3000", &server.url(""))
            .replace("http://localhost:8080", &format!("http://{service}"))
    });
}

#[test]
#[ignore = "needs Node: .ci/recipes"]
fn a_page_signs_in_with_a_cookie_as_shown() {
    let [sign_in]: [String; 1] = blocks_in("docs/guides/cookie-mode.md", "js")
        .try_into()
        .unwrap();
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__CORS__ORIGINS", "https://app.example.com");
    test_server.set("CLOAKROOM__CORS__CREDENTIALS", "true");
    let server = test_server.serve();
    server.sign_up_token(ADDRESS, PASSWORD);
    // A browser adds the origin, and keeps the cookie only where the request includes credentials.
    let around = format!(
        "const [email_address, password] = ['{ADDRESS}', '{PASSWORD}'];
         const send = globalThis.fetch;
         globalThis.fetch = async (url, options) => {{
           const headers = {{ ...options.headers, Origin: 'https://app.example.com' }};
           const reply = await send(url, {{ ...options, headers }});
           console.log(options.credentials, reply.status, reply.headers.get('set-cookie'), await reply.text());
         }};"
    );
    let sign_in = sign_in.replace("https://auth.example.com", &server.url(""));
    let mut node = Command::new("node");
    node.args([
        "--input-type=module",
        "--eval",
        &format!("{around}\n{sign_in}"),
    ]);
    let output = node.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let reply = String::from_utf8(output.stdout).unwrap();
    assert!(reply.starts_with("include 200 "), "{reply}");
    assert!(
        reply.contains("cloakroom=crs_") && reply.contains("Max-Age="),
        "{reply}"
    );
    assert!(reply.matches("crs_").count() == 1, "{reply}");
}

#[test]
#[ignore = "needs Caddy: .ci/recipes"]
fn caddy_balances_nodes_as_shown() {
    let [site]: [String; 1] = blocks_in("docs/operations/postgresql.md", "caddyfile")
        .try_into()
        .unwrap();
    let (first, second) = (TestServer::new(), TestServer::new());
    let nodes = [first.serve(), second.serve()];
    let address = free_address();
    let mut site = site.replace("auth.example.com {\n", &format!("http://{address} {{\n"));
    for (shown, node) in ["192.0.2.11:3000", "192.0.2.12:3000"].iter().zip(&nodes) {
        assert!(site.contains(shown), "{site}");
        site = site.replace(shown, &node.address.to_string());
    }
    let _proxy = start_caddy(first.path(), &site, address);
    let status = |path: &str| {
        let url = format!("http://{address}{path}");
        agent().get(url).call().unwrap().status().as_u16()
    };
    assert_eq!(status("/ready"), 404);
    let [stopped, _other] = nodes;
    drop(stopped);
    for _ in 0..20 {
        assert_eq!(status("/v1/user"), 401);
    }
}

#[test]
#[ignore = "needs Caddy: .ci/recipes"]
fn caddy_takes_the_configuration_of_production() {
    let [site]: [String; 1] = blocks_in("docs/operations/production.md", "caddyfile")
        .try_into()
        .unwrap();
    let test_server = TestServer::new();
    let server = test_server.serve();
    let address = free_address();
    let here = format!("http://{address} {{\n");
    let site = site.replace("auth.example.com {\n", &here);
    let site = site.replace("127.0.0.1:3000", &server.address.to_string());
    let _proxy = start_caddy(test_server.path(), &site, address);
    for (path, expected) in [("/ready", 404), ("/up", 200), ("/v1/user", 401)] {
        let reply = agent()
            .get(format!("http://{address}{path}"))
            .call()
            .unwrap();
        assert_eq!(reply.status(), expected, "{path}");
    }
}
