//! PostgreSQL servers of a test's own, which it may kill, and nodes on them.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cloakroom::store::TestSchema;
use postgres::{Client, NoTls};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::acknowledged::Answer;
use super::process::{Server, TestServer, agent, eventually, request};
use super::program::free_address;

/// The folder of its programs; `.ci/postgres` sets it.
pub const PROGRAMS: &str = "POSTGRES_BIN";

/// Of all nodes of a database.
pub const KEY_BASE: &str = "one base for all nodes of this database";

/// A program that runs as the user postgres if this is root, as PostgreSQL demands.
pub fn as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    command.arg(program);
    command
}

/// An empty folder that the user postgres may write.
pub fn folder_of_postgres() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if rustix::process::geteuid().is_root() {
        let mut chown = Command::new("chown");
        let changed = chown.arg("postgres:").arg(folder.path()).status();
        assert!(changed.unwrap().success());
    }
    folder
}

/// Sends a signal to processes, some of which may be gone.
pub fn signal(signal: Signal, processes: &[u32]) {
    for id in processes {
        let id = Pid::from_raw(i32::try_from(*id).unwrap()).unwrap();
        let _ = kill_process(id, signal);
    }
}

/// A process and all its descendants.
pub fn family(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().map(|id| id.parse().unwrap());
    std::iter::once(process)
        .chain(children.flat_map(family))
        .collect()
}

/// A server that keeps what it has committed, killed when dropped.
pub struct Postgres {
    _folder: TempDir,
    data: PathBuf,
    programs: PathBuf,
    address: SocketAddr,
    server: Option<Child>,
}

impl Postgres {
    /// Starts one, where PostgreSQL is to be tested.
    pub fn from_environment() -> Option<Self> {
        let programs = PathBuf::from(std::env::var_os(PROGRAMS)?);
        let folder = folder_of_postgres();
        let data = folder.path().join("data");
        let mut initdb = as_postgres(programs.join("initdb"));
        initdb.arg("-D").arg(&data).current_dir(folder.path());
        initdb.args(["-A", "trust", "-U", "postgres", "--no-sync"]);
        initdb.args(["--locale=C.UTF-8", "--encoding=UTF8"]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut postgres = Self {
            _folder: folder,
            data,
            programs,
            address: free_address(),
            server: None,
        };
        postgres.start();
        Some(postgres)
    }

    /// Its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    /// Starts it again, and waits until it takes connections.
    pub fn start(&mut self) {
        eventually(|| {
            let mut server = self.command().spawn().unwrap();
            // It ends when processes of the one before still run.
            let is_up = loop {
                if server.try_wait().unwrap().is_some() {
                    break false;
                }
                if self.accepts() {
                    break true;
                }
                thread::sleep(Duration::from_millis(5));
            };
            self.server = Some(server);
            is_up.then_some(())
        });
    }

    fn command(&self) -> Command {
        let mut command = as_postgres(self.programs.join("postgres"));
        command.arg("-D").arg(&self.data).current_dir(&self.data);
        command.args(["-p", &self.address.port().to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
        ] {
            command.args(["-c", setting]);
        }
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.data.with_extension("log"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(log.unwrap());
        command
    }

    fn accepts(&self) -> bool {
        Client::connect(&self.url(), NoTls).is_ok()
    }

    /// The server and its processes, the server first.
    pub fn processes(&self) -> Vec<u32> {
        self.server
            .as_ref()
            .map(|server| family(server.id()))
            .unwrap_or_default()
    }

    /// Kills all its processes at once.
    pub fn kill(&mut self) {
        signal(Signal::KILL, &self.processes());
        if let Some(mut server) = self.server.take() {
            server.wait().unwrap();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        signal(Signal::CONT, &self.processes());
        self.kill();
    }
}

/// A node's folder and settings, on this database.
pub fn node(url: &str) -> TestServer {
    let mut node = TestServer::on_file();
    node.set("CLOAKROOM__DATABASE__URL", url)
        .set("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE);
    node
}

/// The same, on a schema.
pub fn node_in(schema: &TestSchema) -> TestServer {
    let mut node = node(schema.url().expose());
    let prepares = schema.prepares().to_string();
    node.set("CLOAKROOM__DATABASE__PREPARE", prepares);
    node
}

/// Nodes of one database, each of which may be killed and started again.
pub struct Nodes {
    nodes: Vec<(TestServer, RwLock<Server>)>,
    agent: ureq::Agent,
    next: AtomicUsize,
}

impl Nodes {
    /// Starts so many.
    pub fn start(count: usize, url: &str) -> Self {
        let start = |_| {
            let node = node(url);
            let server = RwLock::new(node.serve());
            (node, server)
        };
        Self {
            nodes: (0..count).map(start).collect(),
            agent: agent(),
            next: AtomicUsize::new(0),
        }
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let servers = self.nodes.iter();
        servers
            .map(|(_, server)| server.read().unwrap().address)
            .collect()
    }

    /// Asks one node after another; nothing when it is gone, or cannot reach the database.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.nodes.len();
        let url = self.nodes[number].1.read().unwrap().url(path);
        let (status, reply) = request(&self.agent, &url, method, token, body).ok()?;
        assert!(
            status < 500 || status == 503,
            "{method} {path}: {status} {reply}\n{}",
            self.nodes[number].1.read().unwrap().log()
        );
        (status != 503).then_some((status, reply))
    }

    /// Kills one node while others ask it.
    pub fn kill(&self, number: usize) {
        let server = self.nodes[number].1.read().unwrap();
        signal(Signal::KILL, &[server.id()]);
    }

    /// Starts a node again.
    pub fn restart(&self, number: usize) {
        let (node, server) = &self.nodes[number];
        let new = node.serve();
        *server.write().unwrap() = new;
    }

    /// Waits until all say that they are ready.
    pub fn wait_until_ready(&self) {
        for (_, server) in &self.nodes {
            let server = server.read().unwrap();
            eventually(|| (server.request("GET", "/ready", None, None).0 == 200).then_some(()));
        }
    }
}
