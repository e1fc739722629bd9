//! Mail into a folder, one `.eml` a mail, as any mail program opens it. The folder is made for its owner only,
//! a file appears complete or not at all, and only its path is logged.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;
use tracing::info;

use super::{Email, Failure};
use crate::domain::clock::Timestamp;

/// A folder that mails are written to.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder; it is made when the first mail comes.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) async fn send(&self, name: &str, letter: &Email) -> Result<(), Failure> {
        let path = self.path.join(file_name(letter.at, name));
        let mail = letter.message.formatted();
        match blocking(move || write(&path, &mail).map(|()| path)).await {
            Ok(path) => {
                info!(target: "cloakroom::mail", path = %path.display(), "mail written");
                Ok(())
            }
            Err(fault) => Err(Failure::Transient(format!(
                "writing into {} failed: {fault}",
                self.path.display()
            ))),
        }
    }

    pub(super) async fn probe(&self) -> Result<(), String> {
        let path = self.path.join("probe");
        let tried = blocking(move || write(&path, b"").and_then(|()| fs::remove_file(&path))).await;
        tried.map_err(|fault| {
            format!(
                "mail cannot be written into {} ({fault}): set mail.directory to a folder that this user may write to",
                self.path.display()
            )
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|fault| Err(io::Error::other(fault)))
}

/// `20260131T093000123Z-password_reset-42.eml`: sorted by name is sorted by time.
fn file_name(at: Timestamp, name: &str) -> String {
    let stamp = at.to_utc();
    let name = name.replace(
        |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-',
        "-",
    );
    format!("{}-{name}.eml", stamp.format("%Y%m%dT%H%M%S%3fZ"))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;

    let unfinished = path.with_extension("part");
    let written = write_new(&unfinished, content).and_then(|()| fs::rename(&unfinished, path));
    if let Err(fault) = written {
        // Whether or not it can be removed, the first fault is the one to report.
        let _ = fs::remove_file(&unfinished);
        return Err(fault);
    }
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
