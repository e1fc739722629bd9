//! Log lines of the server leave it whatever reads standard error does.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr};

use serde_json::Value;

use crate::support::process::{TestServer, agent};
use crate::support::raw_connection::RawConnection;

/// More lines than the queue and a pipe hold.
const MANY: usize = 6_000;
/// Requests that are sent without waiting for their answers.
const AT_ONCE: usize = 100;

struct Unread {
    child: Child,
    connection: RawConnection,
    /// Dropped, if its reader is gone.
    stderr: Option<ChildStderr>,
}

/// A server whose standard error is not read yet.
fn unread(test_server: &mut TestServer) -> Unread {
    test_server.set("CLOAKROOM__LOG__FORMAT", "json");
    let mut child = test_server.command(&["serve"]).spawn().unwrap();
    let stderr = child.stderr.take();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    Unread {
        connection: RawConnection::at(address.parse().unwrap()),
        child,
        stderr,
    }
}

impl Unread {
    fn ask(&mut self, count: usize, path: &str, headers: &str, status: u16) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.connection.send(&request.repeat(count));
        for _ in 0..count {
            assert_eq!(self.connection.receive().status, status);
        }
    }

    /// Stops it, and reads its log to the end.
    fn stop(mut self) -> Vec<Value> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        if let Some(mut stderr) = self.stderr {
            stderr.read_to_string(&mut log).unwrap();
        }
        assert!(self.child.wait().unwrap().success(), "{log}");
        log.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn count(log: &[Value], is_counted: impl Fn(&Value) -> bool) -> usize {
    log.iter().filter(|line| is_counted(line)).count()
}

#[test]
fn a_stop_writes_every_line() {
    let mut server = unread(&mut TestServer::new());
    server.ask(AT_ONCE, "/up", "", 200);
    let log = server.stop();
    assert_eq!(count(&log, |line| line["route"] == "/up"), AT_ONCE);
}

#[test]
fn a_stalled_reader_costs_counted_lines_and_no_request() {
    let mut test_server = TestServer::new();
    let mut server = unread(&mut test_server);
    for _ in 0..MANY / AT_ONCE {
        server.ask(AT_ONCE, "/up", "", 200);
    }
    let invalid = "X-API-Key: invalid\r\n";
    server.ask(AT_ONCE, "/v1/session", invalid, 401);
    let log = server.stop();
    let refused = |line: &Value| line["event"] == "credential_refused";
    assert_eq!(count(&log, refused), AT_ONCE, "no security event is lost");
    let requests = count(&log, |line| line["target"] == "cloakroom::request");
    let lost: u64 = log
        .iter()
        .filter(|line| line["target"] == "cloakroom::log")
        .map(|line| line["lines"].as_u64().unwrap())
        .sum();
    assert!(lost > 0);
    // Others may be lost at the stop.
    assert!(
        (requests as u64 + lost) >= (MANY + AT_ONCE) as u64,
        "{requests} {lost}"
    );
}

#[test]
fn a_server_whose_log_has_no_reader_answers_and_stops() {
    let mut server = unread(&mut TestServer::new());
    server.stderr = None;
    server.ask(AT_ONCE, "/up", "", 200);
    assert!(server.stop().is_empty());
}

#[test]
fn the_line_of_a_request_has_its_trace() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__LOG__FORMAT", "json");
    let server = test_server.serve();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for traceparent in [
        format!("00-{trace}-00f067aa0ba902b7-01"),
        "00-canary-00f067aa0ba902b7-01".to_owned(),
    ] {
        let call = agent()
            .get(server.url("/up"))
            .header("traceparent", &traceparent);
        call.call().unwrap();
    }
    assert_eq!(server.request("GET", "/v1/user", None, None).0, 401);
    let log = server.wait_for_log("/v1/user");
    assert_eq!(log.matches(&format!("\"trace_id\":\"{trace}\"")).count(), 1);
    assert_eq!(log.matches("trace_id").count(), 1, "{log}");
    assert!(!log.contains("canary"));
}
