//! Programs that are not ours, run beside a server: a proxy, a service in another language.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::process::eventually;

/// A free loopback address, for a program that does not accept port 0. Its port is below those that systems hand out
/// themselves, so that no other connection takes it before the program does.
pub fn free_address() -> SocketAddr {
    loop {
        let random = RandomState::new().build_hasher().finish();
        let port = u16::try_from(20_000 + random % 10_000).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// A running program, killed when dropped.
pub struct Program {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Program {
    /// Starts it and waits until it takes connections at this address. Its output goes into a file of this folder.
    pub fn start(command: &mut Command, address: SocketAddr, folder: &Path) -> Self {
        let said = folder.join(format!("said-at-{}", address.port()));
        let file = File::create(&said).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let child = command
            .spawn()
            .unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
        let mut program = Self { address, child };
        eventually(|| {
            let ended = program.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{command:?} ended: {}",
                fs::read_to_string(&said).unwrap()
            );
            TcpStream::connect(address).ok()
        });
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
