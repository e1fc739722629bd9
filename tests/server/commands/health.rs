//! `health`, and what packagers print: completions and man pages.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::{Ran, run};
use crate::support::process::{TestServer, eventually};

fn health(test_server: &TestServer, bind: &str) -> Ran {
    let mut command = test_server.command(&["health"]);
    command.env("CLOAKROOM__SERVER__BIND", bind);
    command.output().unwrap().into()
}

#[test]
fn health_is_that_of_the_running_server() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    let bind = server.url("").replace("http://", "");
    assert_eq!(health(&test_server, &bind).done(), "ready\n");

    let everywhere = bind.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(health(&test_server, &everywhere).done(), "ready\n");
}

#[test]
fn health_reports_a_replaced_file() {
    let test_server = TestServer::on_file();
    let server = test_server.serve();
    let bind = server.url("").replace("http://", "");
    let aside = test_server.path().join("aside.db");
    fs::rename(test_server.database(), aside).unwrap();
    eventually(|| {
        let ran = health(&test_server, &bind);
        (ran.code == 1).then(|| assert_eq!(ran.refused(), "not ready: database_replaced"))
    });
}

#[test]
fn health_fails_without_a_server_of_ours() {
    let test_server = TestServer::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = listener.local_addr().unwrap().to_string();
    let other = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 1024]).unwrap();
        let reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        client.write_all(reply.as_bytes()).unwrap();
    });
    let refused = health(&test_server, &bind).refused();
    assert_eq!(refused, "another program answers at server.bind");
    other.join().unwrap();

    let refused = health(&test_server, &bind).refused();
    assert!(refused.starts_with("server.bind 127.0.0.1:"), "{refused}");
}

#[test]
fn completions_and_man_pages_need_no_settings() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM_CONFIG", "/nowhere");
    for shell in ["bash", "zsh", "fish"] {
        let text = run(&test_server, &["completions", shell]).done();
        assert!(text.contains("reset-password"), "{shell}");
    }
    let page = run(&test_server, &["man"]).done();
    assert!(page.contains(".TH cloakroom 1"), "{page}");

    let folder = test_server.path().join("man");
    fs::create_dir(&folder).unwrap();
    let arguments = ["man", "--output", folder.to_str().unwrap()];
    assert_eq!(run(&test_server, &arguments).done(), "");
    let page = fs::read_to_string(folder.join("cloakroom-users-create.1"));
    assert!(page.unwrap().contains("email address"));
    assert!(!folder.join("cloakroom-man.1").exists());
}
