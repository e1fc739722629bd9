//! Nodes on PostgreSQL: what one revokes the other refuses, commands work beside them, and an outage passes. Without a
//! server (`.ci/postgres`) these tests do nothing.

#![expect(clippy::disallowed_methods, reason = "measures other processes")]

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cloakroom::store::TestSchema;
use serde_json::json;
use url::Url;

use crate::support::flows::Flows;
use crate::support::postgresql::node_in;
use crate::support::process::{Server, TestServer, eventually};

const PASSWORD: &str = "correct horse battery";

/// Commands print no password.
fn run(node: &TestServer, arguments: &[&str]) -> (bool, String) {
    let output = node.run(arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("postgres://"), "{text}");
    (output.status.success(), text)
}

/// An access token of a new session.
fn access_token(server: &Server) -> String {
    let body = json!({ "email_address": "one@example.com", "password": PASSWORD });
    let (status, pair) = server.request("POST", "/v1/tokens", None, Some(&body));
    assert_eq!(status, 200, "{pair}");
    pair["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn strict_nodes_refuse_a_revoked_access_token_at_once() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let [one, other] = [(); 2].map(|()| {
        let mut node = node_in(&schema);
        node.set("CLOAKROOM__TOKENS__REVOCATION", "strict");
        node.serve()
    });
    one.sign_up_token("one@example.com", PASSWORD);
    for number in 0..20 {
        let access = &access_token(&one);
        let opens = |node: &Server| node.request("GET", "/v1/projects", Some(access), None).0;
        assert_eq!(opens(&other), 200, "{number}");
        let body = json!({ "token": access });
        assert_eq!(
            one.request("POST", "/v1/tokens/revoke", None, Some(&body))
                .0,
            200
        );
        assert_eq!(opens(&other), 401, "{number}");
    }
}

/// A node with these key bases.
fn node_with(schema: &TestSchema, base: &str, previous: &[&str]) -> TestServer {
    let mut node = node_in(schema);
    let previous: Vec<String> = previous.iter().map(|base| base.repeat(40)).collect();
    node.set("CLOAKROOM__SECRETS__KEY_BASE", base.repeat(40))
        .set("CLOAKROOM__SECRETS__PREVIOUS", previous.join(","));
    node
}

#[test]
fn a_node_with_another_key_base_does_not_start() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let first = node_with(&schema, "a", &[]);
    let running = first.serve();
    let stranger = node_with(&schema, "b", &["c"]);
    let (started, said) = run(&stranger, &["serve"]);
    assert!(
        !started && said.contains("is not the key base of this database"),
        "{said}"
    );
    let (sound, said) = run(&stranger, &["doctor"]);
    assert!(
        !sound && said.contains("is not the key base of this database"),
        "{said}"
    );
    assert!(run(&first, &["doctor"]).0);
    // The nodes would refuse the link.
    running.sign_up_token("one@example.com", PASSWORD);
    let reset = ["users", "reset-password", "one@example.com"];
    let (printed, said) = run(&stranger, &reset);
    assert!(
        !printed && said.contains("is not the key base of this database"),
        "{said}"
    );
    assert!(!said.contains("reset_link_printed"), "{said}");
    assert!(run(&first, &reset).0);

    // The first one is lost.
    let (done, said) = run(&stranger, &["secret", "adopt"]);
    assert!(!done && said.contains("pass --yes"), "{said}");
    let (done, said) = run(&stranger, &["secret", "adopt", "--yes"]);
    assert!(done && said.contains("1 other key base retired"), "{said}");
    assert!(said.contains("key_base_adopted"), "{said}");
    stranger.serve();
}

#[test]
fn a_new_key_base_is_rolled_out_node_by_node() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let opens =
        |node: &Server, access: &str| node.request("GET", "/v1/projects", Some(access), None).0;
    let before = node_with(&schema, "a", &[]);
    let [first, second] = [before.serve(), before.serve()];
    first.sign_up_token("one@example.com", PASSWORD);
    let old = &access_token(&first);
    // All nodes verify the new one before any signs with it.
    let prepared = node_with(&schema, "a", &["b"]);
    drop(first);
    let first = prepared.serve();
    drop(second);
    let second = prepared.serve();
    let after = node_with(&schema, "b", &["a"]);
    drop(first);
    let first = after.serve();
    let new = &access_token(&first);
    for node in [&first, &second] {
        assert_eq!((opens(node, old), opens(node, new)), (200, 200));
    }
    // A node that was not replaced yet restarts; then it is replaced.
    drop(second);
    let second = before.serve();
    assert_eq!((opens(&second, old), opens(&second, new)), (200, 401));
    drop(second);
    let second = after.serve();
    let alone = node_with(&schema, "b", &[]);
    drop(first);
    let first = alone.serve();
    assert_eq!((opens(&second, old), opens(&second, new)), (200, 200));
    assert_eq!((opens(&first, old), opens(&first, new)), (401, 200));
}

#[test]
fn commands_work_on_the_database_of_the_nodes() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let node = node_in(&schema);
    let (done, said) = run(&node, &["users", "list"]);
    assert!(!done && said.contains("run `cloakroom migrate`"), "{said}");
    let (done, said) = run(&node, &["migrate", "--check"]);
    assert!(!done && said.contains("pending: schema"), "{said}");
    let (done, said) = run(&node, &["migrate"]);
    assert!(done && said.contains("migrated schema from 0 to"), "{said}");

    let server = node.serve();
    let session = server.sign_up_token("one@example.com", PASSWORD);
    for (arguments, expected) in [
        (&["migrate", "--check"][..], "is current"),
        (&["users", "list"], "one@example.com"),
        (&["sessions", "list", "one@example.com"], "127.0.0.1"),
        (&["mail", "list"], ""),
        (&["limits", "list"], ""),
        (&["sweep"], "sessions"),
        (&["doctor"], "version"),
    ] {
        let (done, said) = run(&node, arguments);
        assert!(done && said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(server.session_status(&session), 200);
    let (done, said) = run(&node, &["users", "disable", "one@example.com"]);
    assert!(done, "{said}");
    assert_eq!(server.session_status(&session), 401);
    assert!(!node.database().exists(), "no file");
}

#[test]
fn an_outage_of_the_database_is_503_and_passes() {
    let Some(schema) = TestSchema::from_environment() else {
        return;
    };
    let url = Url::parse(schema.url().expose()).unwrap();
    let way = Way::to((url.host_str().unwrap().to_owned(), url.port().unwrap()));
    let mut through = url.clone();
    through.set_port(Some(way.port())).unwrap();
    let mut node = node_in(&schema);
    node.set("CLOAKROOM__DATABASE__URL", through.as_str());
    let server = node.serve();
    let session = server.sign_up_token("one@example.com", PASSWORD);
    for _ in 0..3 {
        way.cut();
        let started = Instant::now();
        let ready = || {
            let (status, reply) = server.request("GET", "/ready", None, None);
            (status, reply["code"].as_str().map(str::to_owned))
        };
        let unreachable = (503, Some("database_unreachable".to_owned()));
        // It may have written a moment ago.
        eventually(|| (ready() == unreachable).then_some(()));
        for _ in 0..20 {
            assert_eq!(server.session_status(&session), 503);
            assert_eq!(ready(), unreachable);
        }
        // No request waits.
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
        way.open();
        eventually(|| (server.request("GET", "/ready", None, None).0 == 200).then_some(()));
        eventually(|| (server.session_status(&session) == 200).then_some(()));
        assert_eq!(server.sign_in("one@example.com", PASSWORD).0, 200);
    }
    server.wait_for_log("the database cannot be reached");
    server.wait_for_log("the database is back");
    assert!(!server.log().contains("postgres://"));
}

/// A way to the database that can be cut.
struct Way {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    streams: Vec<TcpStream>,
}

impl Way {
    fn to(database: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, state) = (
            listener.local_addr().unwrap().port(),
            Arc::<Mutex<State>>::default(),
        );
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let mut state = shared.lock().unwrap();
                if state.is_cut {
                    continue;
                }
                let far = TcpStream::connect((database.0.as_str(), database.1)).unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                state.streams.extend([near, far]);
            }
        });
        Self { port, state }
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_cut = true;
        for stream in state.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) {
        self.state.lock().unwrap().is_cut = false;
    }
}
