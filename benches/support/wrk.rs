//! Runs wrk, with requests that are made of a list of tokens.

#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How a credential is presented.
#[derive(Clone, Copy)]
pub struct Header {
    name: &'static str,
    /// The text before the credential.
    before: &'static str,
}

pub const BEARER: Header = Header {
    name: "Authorization",
    before: "Bearer ",
};
pub const API_KEY: Header = Header {
    name: "X-API-Key",
    before: "",
};

/// What wrk saw.
#[derive(Clone, Copy)]
pub struct Load {
    pub requests: u64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
}

pub fn is_installed() -> bool {
    let asked = Command::new("wrk")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok()
}

/// A script for wrk with a request for each token; `pick` (Lua) chooses among them.
pub fn write_script(
    folder: &Path,
    name: &str,
    method: &str,
    header: Header,
    tokens: &[String],
    pick: &str,
) -> PathBuf {
    let Header {
        name: header,
        before,
    } = header;
    let request =
        format!(r#"wrk.format("{method}", nil, {{ ["{header}"] = "{before}" .. token }})"#);
    write_script_of(folder, name, &request, tokens, pick)
}

/// The same with a request as Lua makes it of `token`. It is made once and the tokens are put into it, since a thread
/// that makes many delays the next one's start; so tokens in bodies have one length.
pub fn write_script_of(
    folder: &Path,
    name: &str,
    request: &str,
    tokens: &[String],
    pick: &str,
) -> PathBuf {
    let list = folder.join(format!("{name}.tokens"));
    fs::write(&list, tokens.join("\n")).expect("the tokens");
    let script = folder.join(format!("{name}.lua"));
    let mut file = File::create(&script).expect("a script");
    write!(
        file,
        r#"local tokens, nodes, threads, last = {{}}, {{}}, 0, nil
local before, after
number, count = 1, 1
for host, port in os.getenv("NODES"):gmatch("(%S+):(%d+)") do
  nodes[#nodes + 1] = {{ host, port }}
end
function setup(thread)
  threads = threads + 1
  thread.addr = wrk.lookup(unpack(nodes[(threads - 1) % #nodes + 1]))[1]
  thread:set("number", threads)
  thread:set("count", tonumber(os.getenv("THREADS")))
end
function next_one()
  last = last and last + count or number
  return last
end
function init()
  math.randomseed(os.time() + number)
  for token in io.lines("{}") do
    tokens[#tokens + 1] = token
  end
  local token = ("@"):rep(#tokens[1])
  local text = {request}
  local first, last = text:find(token, 1, true)
  before, after = text:sub(1, first - 1), text:sub(last + 1)
end
function request()
  return before .. tokens[{pick}] .. after
end
function done(_, latency)
  for _, percent in ipairs({{ 50, 95, 99 }}) do
    print("latency " .. percent .. ": " .. latency:percentile(percent))
  end
end
"#,
        list.display()
    )
    .expect("a script");
    script
}

/// Sends the requests of a script to a path, on so many connections, for so long. All must succeed.
pub fn run(address: &str, path: &str, script: &Path, connections: usize, span: Duration) -> Load {
    run_on(&[address], 1, path, script, connections, span)
}

/// The same to several nodes in turn, by so many threads.
pub fn run_on(
    nodes: &[&str],
    threads: usize,
    path: &str,
    script: &Path,
    connections: usize,
    span: Duration,
) -> Load {
    let output = Command::new("wrk")
        .env("NODES", nodes.join(" "))
        .env("THREADS", threads.to_string())
        .arg("--timeout=30s")
        .arg(format!("-t{threads}"))
        .arg(format!("-c{connections}"))
        .arg(format!("-d{}s", span.as_secs()))
        .arg("-s")
        .arg(script)
        .arg(format!("http://{}{path}", nodes[0]))
        .output()
        .expect("wrk");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed =
        text.contains("Non-2xx") || text.contains("Socket errors") || !output.status.success();
    assert!(
        !failed,
        "requests failed: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let find = |label: &str| {
        let line = text.lines().find(|line| line.contains(label));
        line.expect(label).trim().to_owned()
    };
    let after = |label: &str| find(label).trim_start_matches(label).trim().to_owned();
    let microseconds = |label: &str| -> f64 { after(label).parse().expect("a time") };
    let requests = find(" requests in ");
    Load {
        requests: requests
            .split(' ')
            .next()
            .and_then(|count| count.parse().ok())
            .expect("a count"),
        per_second: after("Requests/sec:").parse().expect("a rate"),
        p50_ms: microseconds("latency 50:") / 1e3,
        p95_ms: microseconds("latency 95:") / 1e3,
        p99_ms: microseconds("latency 99:") / 1e3,
    }
}
