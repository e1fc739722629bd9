//! Counts the instructions of a request by valgrind's callgrind, by thread: they hardly change from run to run, whatever
//! else the machine does. docs/contributing/profiling.md shows how to read the profiles that it leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::credentials::KEY_BASE;
use crate::seed::Seeded;
use crate::support::Server;
use crate::wrk;

/// Few, so that each reads its answer before the next request comes.
const CONNECTIONS: usize = 4;
const SPAN: Duration = Duration::from_secs(4);
/// The check of the file ends, and whatever else starts with the server.
const SETTLING: Duration = Duration::from_secs(10);

/// Prints the instructions of each route, and leaves its profile in the folder.
pub fn count(folder: &Path, seeded: &Seeded) {
    let profile = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args([
            "--quiet",
            "--tool=callgrind",
            "--separate-threads=yes",
            "--instr-atstart=no",
        ])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env!("CARGO_BIN_EXE_cloakroom"));
    let variables = [
        ("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE),
        ("CLOAKROOM__SERVER__WORKERS", "1"),
    ];
    let server = Server::start_by(valgrind, folder, &variables);
    let process = server.child.id().to_string();
    let control = |argument: &str| {
        let status = Command::new("callgrind_control")
            .args([argument, &process])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("callgrind_control").success());
    };
    sleep(SETTLING);
    for variant in seeded.variants.iter().filter(|variant| !variant.is_bare) {
        let send = || {
            let (path, script) = (variant.path, &variant.script);
            wrk::run(&server.address, path, script, CONNECTIONS, SPAN)
        };
        send();
        control("--zero");
        control("--instr=on");
        let requests = send().requests;
        control("--instr=off");
        control("--dump");
        sleep(Duration::from_secs(1));
        let threads = threads(&profile);
        let (file, most) = threads.first().expect("a profile of the worker");
        let kept = folder.join(format!("{}.callgrind", variant.name.replace(' ', "-")));
        fs::rename(file, kept).expect("the worker's profile");
        let all: u64 = threads.iter().map(|(_, count)| count).sum();
        println!(
            "{:<24} {:>8} instructions by the worker, {:>8} by all threads ({requests} requests)",
            variant.name,
            most / requests,
            all / requests
        );
    }
}

/// The profiles of the threads with their instructions, the largest first. The empty ones are removed.
fn threads(profile: &Path) -> Vec<(PathBuf, u64)> {
    let folder = profile.parent().expect("a folder");
    let mut threads = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("callgrind.out") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        match totals.and_then(|count| count.trim().parse().ok()) {
            Some(count @ 1..) => threads.push((path, count)),
            _ => drop(fs::remove_file(path)),
        }
    }
    threads.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    threads
}
