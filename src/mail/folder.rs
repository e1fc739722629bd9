//! Writes mails into a folder, one `.eml` file each, which any mail program opens. The folder is created for its owner
//! only, a file appears complete or not at all, and only its path is logged.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;
use tracing::info;

use super::message::Email;
use super::send_error::SendError;
use crate::domain::clock::Timestamp;

/// A folder for mails.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder, created with the first mail.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) async fn send(&self, name: &str, email: &Email) -> Result<(), SendError> {
        let path = self.path.join(file_name(email.at, name));
        let mail = email.message.formatted();
        match blocking(move || write(&path, &mail).map(|()| path)).await {
            Ok(path) => {
                info!(target: "cloakroom::mail", path = %path.display(), "mail written");
                Ok(())
            }
            Err(error) => Err(SendError::Transient(format!(
                "writing into {} failed: {error}",
                self.path.display()
            ))),
        }
    }

    pub(super) async fn probe(&self) -> Result<(), String> {
        let path = self.path.join("probe");
        let tried = blocking(move || write(&path, b"").and_then(|()| fs::remove_file(&path))).await;
        tried.map_err(|error| {
            format!(
                "mail cannot be written into {} ({error}): set mail.directory to a folder that this user may write to",
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
        .unwrap_or_else(|error| Err(io::Error::other(error)))
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
    if let Err(error) = written {
        // Whether or not it can be removed, the first error is the one to report.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
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
