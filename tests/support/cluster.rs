//! Two PostgreSQL servers with synchronous replication, of which Patroni and etcd make one the primary.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::postgresql::{PROGRAMS, as_postgres, family, folder_of_postgres, signal};
use super::process::{agent, eventually};
use super::program::{Program, free_address};

/// How long Patroni may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The servers, killed when dropped.
pub struct Cluster {
    members: Vec<Member>,
    _etcd: Program,
    _folder: TempDir,
}

/// A server and its Patroni.
struct Member {
    folder: PathBuf,
    address: SocketAddr,
    /// What Patroni is asked at.
    api: SocketAddr,
    patroni: Option<Child>,
    is_hanging: bool,
}

impl Cluster {
    /// Starts it and waits for the replication.
    pub fn start() -> Self {
        let programs = std::env::var(PROGRAMS).expect("run it by .ci/postgres");
        let folder = folder_of_postgres();
        let (clients, peers) = (free_address(), free_address());
        let mut etcd = Command::new("etcd");
        etcd.arg("--data-dir").arg(folder.path().join("etcd"));
        for (name, address) in [
            ("--listen-client-urls", clients),
            ("--advertise-client-urls", clients),
            ("--listen-peer-urls", peers),
            ("--initial-advertise-peer-urls", peers),
        ] {
            etcd.args([name, &format!("http://{address}")]);
        }
        etcd.args(["--initial-cluster", &format!("default=http://{peers}")]);
        let etcd = Program::start(&mut etcd, clients, folder.path());
        let member = |name| Member::configure(name, folder.path(), &programs, clients);
        let mut cluster = Self {
            members: ["one", "two"].map(member).into(),
            _etcd: etcd,
            _folder: folder,
        };
        cluster.members[0].start();
        cluster.primary();
        cluster.members[1].start();
        cluster.wait_for_replication();
        cluster
    }

    /// Both of its servers.
    pub fn url(&self) -> String {
        let (one, two) = (self.members[0].address, self.members[1].address);
        format!("postgres://postgres@{one},{two}/postgres")
    }

    /// Kills the primary with its Patroni, as a power failure does.
    pub fn kill_primary(&mut self) {
        let primary = self.primary();
        self.members[primary].kill();
    }

    /// Lets the primary and its Patroni hang: their machine takes connections and nothing answers.
    pub fn hang_primary(&mut self) {
        let primary = self.primary();
        let member = &mut self.members[primary];
        signal(Signal::STOP, &member.processes());
        member.is_hanging = true;
    }

    /// Brings back what was killed or hangs; it follows the new primary. A machine that hangs is reset, as Patroni's watchdog
    /// does: one that goes on as if nothing had happened may take the lock again and be a second primary for a moment.
    pub fn repair(&mut self) {
        for member in &mut self.members {
            if std::mem::take(&mut member.is_hanging) {
                member.kill();
            }
            if member.patroni.is_none() {
                member.start();
            }
        }
        self.wait_for_replication();
    }

    fn primary(&self) -> usize {
        eventually(|| self.members.iter().position(|member| member.is("primary")))
    }

    fn wait_for_replication(&self) {
        let replicates = || self.members.iter().any(|member| member.is("synchronous"));
        eventually(|| replicates().then_some(()));
    }
}

impl Member {
    fn configure(name: &str, folder: &Path, programs: &str, etcd: SocketAddr) -> Self {
        let (address, api) = (free_address(), free_address());
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let data = folder.join("data");
        // The least that Patroni accepts, so that the drill is short.
        let settings = format!(
            r#"
scope: drill
name: {name}
restapi: {{listen: "{api}", connect_address: "{api}"}}
etcd3: {{hosts: "{etcd}"}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {{max_connections: 100, synchronous_commit: "on", wal_log_hints: "on"}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}]
postgresql:
  listen: "{address}"
  connect_address: "{address}"
  data_dir: "{data}"
  bin_dir: "{programs}"
  pgpass: "{data}.pgpass"
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
    rewind: {{username: rewinder}}
  pg_hba: ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
  parameters: {{unix_socket_directories: ""}}
"#,
            data = data.display()
        );
        fs::write(folder.join("patroni.yml"), settings).unwrap();
        if rustix::process::geteuid().is_root() {
            let mut chown = Command::new("chown");
            let changed = chown.arg("-R").arg("postgres:").arg(&folder).status();
            assert!(changed.unwrap().success());
        }
        Self {
            folder,
            address,
            api,
            patroni: None,
            is_hanging: false,
        }
    }

    fn start(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("patroni.log"))
            .unwrap();
        let mut patroni = as_postgres("patroni");
        patroni
            .arg(self.folder.join("patroni.yml"))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.patroni = Some(patroni.spawn().unwrap());
    }

    /// Whether Patroni says that it is one.
    fn is(&self, role: &str) -> bool {
        let request = agent().get(format!("http://{}/{role}", self.api));
        let limited = request.config().timeout_global(Some(TIMEOUT)).build();
        self.patroni.is_some() && limited.call().is_ok_and(|reply| reply.status() == 200)
    }

    /// Patroni and the server, which is no child of Patroni, so that it outlives it.
    fn processes(&self) -> Vec<u32> {
        let mut processes: Vec<u32> = self
            .patroni
            .iter()
            .map(Child::id)
            .flat_map(family)
            .collect();
        let lock = fs::read_to_string(self.folder.join("data/postmaster.pid"));
        if let Some(server) = lock.unwrap_or_default().lines().next() {
            processes.extend(family(server.parse().unwrap()));
        }
        processes
    }

    fn kill(&mut self) {
        let processes = self.processes();
        if let Some(mut patroni) = self.patroni.take() {
            signal(Signal::KILL, &processes);
            patroni.wait().unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            if std::thread::panicking() {
                let log = fs::read_to_string(member.folder.join("patroni.log"));
                println!("{}", log.unwrap_or_default());
            }
            member.kill();
        }
    }
}
