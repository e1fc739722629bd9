//! The listener of `metrics.bind`: apart from the public one, and in no worker's way.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::support::process::{Server, TestServer, agent};

/// A server with such a listener, and its address.
fn with_metrics(test_server: &mut TestServer) -> (Server, SocketAddr) {
    let server = test_server
        .set("CLOAKROOM__METRICS__BIND", "127.0.0.1:0")
        .set("CLOAKROOM__LOG__FORMAT", "json")
        .serve();
    let log = server.wait_for_log("serving metrics");
    let line = log.lines().find(|line| line.contains("serving metrics"));
    let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    (server, line["address"].as_str().unwrap().parse().unwrap())
}

fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    let url = format!("http://{address}{path}");
    let mut reply = agent().get(url).call().unwrap();
    let media_type = reply.headers().get("content-type");
    let media_type = media_type.map(|value| value.to_str().unwrap().to_owned());
    let text = reply.body_mut().read_to_string().unwrap();
    (
        reply.status().as_u16(),
        media_type.unwrap_or_default(),
        text,
    )
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let mut test_server = TestServer::new();
    let (server, metrics) = with_metrics(&mut test_server);
    let (status, media_type, text) = get(metrics, "/metrics");
    assert_eq!(status, 200);
    assert_eq!(media_type, "text/plain; version=0.0.4; charset=utf-8");
    for name in [
        "cloakroom_build_info{",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
    ] {
        assert!(
            text.contains(&format!("\n{name}")) || text.starts_with(name),
            "{name}: {text}"
        );
    }
    assert_eq!(server.request("GET", "/metrics", None, None).0, 404);
    assert_eq!(get(metrics, "/up").0, 404);
    // Neither is a scrape counted as a request.
    assert!(!text.contains("route=\"/metrics\""));
}

#[test]
fn without_the_setting_nothing_listens() {
    let test_server = TestServer::new();
    let server = test_server.serve();
    assert_eq!(server.request("GET", "/metrics", None, None).0, 404);
    assert!(!server.log().contains("serving metrics"));
}

#[test]
fn an_address_in_use_stops_the_start_with_its_name() {
    let mut test_server = TestServer::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = test_server
        .set("CLOAKROOM__METRICS__BIND", &address)
        .run(&["serve"]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("metrics.bind {address}: ")),
        "{said}"
    );
}

#[test]
fn idle_scrapes_hold_no_worker() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__WORKERS", "1");
    let (server, metrics) = with_metrics(&mut test_server);
    let half_sent: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut connection = TcpStream::connect(metrics).unwrap();
            connection.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
            connection
        })
        .collect();
    assert_eq!(server.request("GET", "/up", None, None).0, 200);
    assert_eq!(get(metrics, "/metrics").0, 200);
    drop(half_sent);
}

#[test]
fn counts_of_all_workers_are_added() {
    let mut test_server = TestServer::new();
    test_server.set("CLOAKROOM__SERVER__WORKERS", "4");
    let (server, metrics) = with_metrics(&mut test_server);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(server.request("GET", "/up", None, None).0, 200);
                }
            });
        }
    });
    let (_, _, text) = get(metrics, "/metrics");
    let counted =
        "cloakroom_http_requests_total{route=\"/up\",method=\"GET\",status=\"200\"} 200\n";
    assert!(text.contains(counted), "{text}");
}

#[test]
fn a_stop_ends_the_listener_too() {
    let mut test_server = TestServer::new();
    let (mut server, metrics) = with_metrics(&mut test_server);
    let _idle = TcpStream::connect(metrics).unwrap();
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(TcpStream::connect(metrics).is_err());
}
