//! A folder in place of the machine that the pages for operators are about.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::process::{Server, TestServer};

/// Folders of the pages, which are below the machine's folder here.
const FOLDERS: [&str; 5] = [
    "/etc/cloakroom",
    "/usr/local/bin",
    "/var/backups",
    "/var/lib/cloakroom",
    "/etc/nginx/conf.d",
];

/// A machine of the pages: its folders, and `sudo` and `cargo`, which do nothing of their own.
pub struct Machine {
    pub server: TestServer,
}

impl Machine {
    pub fn new() -> Self {
        let machine = Self {
            server: TestServer::new(),
        };
        for folder in [
            "bin",
            "usr/local/bin",
            "var/backups",
            "target/release",
            "etc",
        ] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        for (name, script) in [
            ("sudo", "#!/bin/sh\nexec \"$@\"\n"),
            ("cargo", "#!/bin/sh\n"),
        ] {
            let file = machine.path("bin").join(name);
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let built = machine.path("target/release/cloakroom");
        symlink(env!("CARGO_BIN_EXE_cloakroom"), built).unwrap();
        machine
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.server.path().join(path)
    }

    /// A text of the pages with the folders of this machine.
    pub fn here(&self, text: &str) -> String {
        let folder = self.server.path().display();
        FOLDERS.iter().fold(text.to_owned(), |text, name| {
            text.replace(name, &format!("{folder}{name}"))
        })
    }

    /// A line of the pages, as a command without any variable.
    pub fn command(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        let path = std::env::var("PATH").unwrap();
        let (programs, installed) = (self.path("bin"), self.path("usr/local/bin"));
        shell
            .args(["-c", &self.here(line)])
            .current_dir(self.server.path())
            .env_clear()
            .env(
                "PATH",
                format!("{}:{}:{path}", programs.display(), installed.display()),
            );
        shell
    }

    /// Runs a line; returns what it printed.
    pub fn run(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}\n{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the installed server with its settings file.
    pub fn serve(&self) -> Server {
        let mut serve = self.command("exec cloakroom --config /etc/cloakroom/cloakroom.toml serve");
        serve.env("CLOAKROOM__SERVER__BIND", "127.0.0.1:0");
        serve.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.server.serve_as(serve)
    }
}
