//! The real binary as a process, on a free port and in a folder of its own, called over TCP.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use cloakroom::store::TestSchema;
use serde_json::Value;
use tempfile::TempDir;

use super::beside::Beside;
use super::flows::Flows;
use super::smtp::SmtpServer;

/// Longer than any step takes; a test that waits this long has failed.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The folder and settings of a server, which can be started many times.
pub struct TestServer {
    folder: TempDir,
    /// The database on a server, where tests run on PostgreSQL.
    schema: Option<Box<TestSchema>>,
    variables: Vec<(String, String)>,
}

impl TestServer {
    /// An empty folder and database, under the settings for tests.
    pub fn new() -> Self {
        let mut test_server = Self::on_file();
        if let Some(schema) = TestSchema::from_environment() {
            let (url, prepares) = (schema.url(), schema.prepares().to_string());
            test_server
                .set("CLOAKROOM__DATABASE__URL", url.expose())
                .set("CLOAKROOM__DATABASE__PREPARE", prepares);
            test_server.schema = Some(Box::new(schema));
        }
        test_server
    }

    /// The same with a file, whatever engine the other tests use.
    pub fn on_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut test_server = Self {
            folder,
            schema: None,
            variables: Vec::new(),
        };
        test_server.set("CLOAKROOM_ENV", "test");
        test_server.set(
            "CLOAKROOM__DATABASE__PATH",
            test_server.database().to_str().unwrap().to_owned(),
        );
        test_server.set(
            "CLOAKROOM__MAIL__DIRECTORY",
            test_server.mail_folder().to_str().unwrap().to_owned(),
        );
        test_server
    }

    /// Sets an environment variable for every command that follows.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Lets mails leave by this server, in the clear.
    pub fn send_by(&mut self, mail: &SmtpServer) -> &mut Self {
        self.set("CLOAKROOM__MAIL__TRANSPORT", "smtp")
            .set("CLOAKROOM__MAIL__SMTP__HOST", mail.addr.ip().to_string())
            .set("CLOAKROOM__MAIL__SMTP__PORT", mail.addr.port().to_string())
            .set("CLOAKROOM__MAIL__SMTP__TLS", "none")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database beside the server, to look at what it holds.
    pub fn store(&self) -> Beside<'_> {
        match &self.schema {
            None => Beside::File(self.database()),
            Some(schema) => Beside::Schema(schema),
        }
    }

    /// The database's file, of [`Self::on_file`].
    pub fn database(&self) -> PathBuf {
        self.path().join("cloakroom.db")
    }

    /// Where mails are written.
    pub fn mail_folder(&self) -> PathBuf {
        self.path().join("mail")
    }

    /// The binary with these settings and nothing else from the environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        command
            .env_clear()
            .envs(self.variables.iter().cloned())
            .args(arguments)
            .current_dir(self.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts `cloakroom serve` and waits until it prints its address.
    pub fn serve(&self) -> Server {
        self.serve_as(self.command(&["serve"]))
    }

    /// The same by a command that ends up in `cloakroom serve`.
    pub fn serve_as(&self, mut command: Command) -> Server {
        let mut child = command.spawn().unwrap();
        let log = Log::follow(child.stderr.take().unwrap());
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            panic!("no address but {line:?}; the log: {}", log.text());
        };
        Server {
            address: address.parse().unwrap(),
            child,
            stdout,
            log,
        }
    }

    /// Runs a command that ends by itself.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Every mail in the folder, the oldest first.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.mail_folder()) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        paths.sort();
        paths
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }

    /// Waits until the folder holds `count` mails, and returns them.
    pub fn wait_for_mails(&self, count: usize) -> Vec<String> {
        eventually(|| Some(self.mails()).filter(|letters| letters.len() >= count))
    }

    /// Puts a database in its place that an earlier release wrote; returns its bytes.
    pub fn copy_database_of_schema_3(&self) -> Vec<u8> {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema_3.db");
        let bytes = std::fs::read(fixture).unwrap();
        std::fs::write(self.database(), &bytes).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(self.database(), owner_only).unwrap();
        bytes
    }

    /// Opens the database's file beside the server.
    pub fn open_database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection.busy_timeout(TIMEOUT).unwrap();
        connection
    }
}

/// The same command in the same folder, with this limit of open files.
pub fn with_open_files(command: &Command, limit: u64) -> Command {
    let variables = command.get_envs();
    let mut limited = Command::new("prlimit");
    limited
        .arg(format!("--nofile={limit}:{limit}"))
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .current_dir(command.get_current_dir().unwrap());
    limited
}

/// Polls until there is an answer, for changes without an event.
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running `cloakroom serve`, killed when dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: Log,
}

impl Server {
    /// A URL on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request with an optional token and JSON body; returns status and body (`null` when it is empty).
    pub fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        self.try_request(method, path, token, body).unwrap()
    }

    /// The same, where the server may be gone.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(u16, Value), ureq::Error> {
        request(&agent(), &self.url(path), method, token, body)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name: `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it did not end; the log: {}",
                self.log.text()
            );
            std::thread::yield_now();
        }
    }

    /// What it printed after the line with its address, once it has ended.
    pub fn rest_of_stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Signs a new user up and returns the session's token.
    pub fn sign_up_token(&self, address: &str, password: &str) -> String {
        let (status, reply) = self.sign_up(address, password);
        assert_eq!(status, 201, "{reply}");
        reply["token"].as_str().unwrap().to_owned()
    }

    /// Requests a reset mail, which is accepted.
    pub fn request_reset_mail(&self, address: &str) {
        let (status, reply) = self.request_reset(address);
        assert_eq!(status, 200, "{reply}");
    }

    /// What `GET /v1/session` answers to this token.
    pub fn session_status(&self, token: &str) -> u16 {
        self.request("GET", "/v1/session", Some(token), None).0
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log holds `words`, and returns the log.
    pub fn wait_for_log(&self, words: &str) -> String {
        self.log.wait_for(words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client that takes every status as an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .build()
        .into()
}

/// One request by `agent`; returns status and body (`null` when it is empty).
pub fn request(
    agent: &ureq::Agent,
    url: &str,
    method: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, Value), ureq::Error> {
    let mut builder = ureq::http::Request::builder().method(method).uri(url);
    if let Some(token) = token {
        builder = builder.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = match body {
        Some(body) => agent.run(
            builder
                .header("Content-Type", "application/json")
                .body(body.to_string())
                .unwrap(),
        )?,
        None => agent.run(builder.body(()).unwrap())?,
    };
    let text = response.body_mut().read_to_string()?;
    Ok((
        response.status().as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::Null),
    ))
}

/// A stream that is read as it comes, by a thread of its own.
struct Log {
    text: Arc<(Mutex<String>, Condvar)>,
}

impl Log {
    fn follow(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let shared = Arc::clone(&text);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                shared
                    .0
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..read]));
                shared.1.notify_all();
            }
        });
        Self { text }
    }

    fn text(&self) -> String {
        self.text.0.lock().unwrap().clone()
    }

    fn wait_for(&self, words: &str) -> String {
        let text = self.text.0.lock().unwrap();
        let (text, timeout) = self
            .text
            .1
            .wait_timeout_while(text, TIMEOUT, |text| !text.contains(words))
            .unwrap();
        assert!(!timeout.timed_out(), "no {words:?} in the log: {text}");
        text.clone()
    }
}
