//! A backup that becomes the database again.
//!
//! # Threats
//! - a database that is replaced unasked: an existing one is moved aside, and only if the caller says so
//! - a restore that is killed: the copy has another name until it is complete and was verified. The file before it is moved
//!   first, so that a start finds all of a database, or refuses what is left of it
//! - a server that goes on with the file before: a file that any process has open is refused
//! - a backup that is cut off, changed or another program's: it is verified before anything is moved

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::backup::{BackupProgress, check, of_backup};
use super::inspect::Inspection;
use super::open::named;
use super::place;
use crate::config;
use crate::crypto::private_file::{self, Draft};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};

const CHUNK: usize = 1 << 20;

/// A verified copy of a backup beside the path of the database, which has another name until [`Restoring::finish`]. Dropping
/// it deletes it.
pub struct Restoring {
    path: PathBuf,
    draft: Draft,
    replaces: bool,
}

impl Restoring {
    /// Copies a backup and verifies the copy. It waits on the calling thread.
    ///
    /// # Errors
    /// For the operator: the backup cannot be used, there is a database already and `replaces` is not set, or a process has
    /// it open.
    pub fn start(
        settings: &config::Database,
        backup: &Path,
        replaces: bool,
        report: &mut dyn FnMut(BackupProgress),
    ) -> Result<Self> {
        let prepare = || {
            let path = place::resolve(&settings.path)?;
            check_place(&path, replaces)?;
            place::create_folders(private_file::folder_of(&path)).map_err(Error::internal)?;
            let draft = Draft::start_long(&beside(&path, ".restored")).map_err(Error::internal)?;
            Ok((path, draft))
        };
        let (path, mut draft) =
            prepare().map_err(|failure: Error| named(&settings.path, &failure))?;
        let mut fill = || {
            // A refusal before much is read.
            Inspection::open_backup(backup)?.schema_version()?;
            copy(backup, &mut draft, report)?;
            check(draft.aside())
        };
        fill().map_err(|failure| of_backup(backup, &failure))?;
        Ok(Self {
            path,
            draft,
            replaces,
        })
    }

    /// The settings that open the copy.
    pub fn database(&self, settings: &config::Database) -> config::Database {
        config::Database {
            path: self.draft.aside().to_owned(),
            ..settings.clone()
        }
    }

    /// Makes the copy the database. Returns where the one before it is now.
    ///
    /// # Errors
    /// For the operator: a process has opened the database meanwhile, or a file cannot be renamed.
    pub fn finish(self, now: Timestamp) -> Result<Option<PathBuf>> {
        let Self {
            path,
            draft,
            replaces,
        } = self;
        let finish = || {
            let _folder = private_file::lock(&path).map_err(Error::internal)?;
            check_place(&path, replaces)?;
            if place::files(draft.aside()).len() > 1 {
                return Err(Error::internal("the copy is still open"));
            }
            let aside = move_aside(&path, now)?;
            draft.put_first_at(&path).map_err(|failure| {
                let before = aside.as_ref().map_or_else(String::new, |aside| {
                    format!("; the database before is {}", aside.display())
                });
                Error::internal(format!("{failure}{before}"))
            })?;
            Ok(aside)
        };
        finish().map_err(|failure: Error| named(&path, &failure))
    }
}

/// # Errors
/// A process has the database open, or there is one and `replaces` is not set.
fn check_place(path: &Path, replaces: bool) -> Result<()> {
    if let Some(user) = place::user_of(path)? {
        return Err(Error::internal(format!(
            "{user} has this file open: stop the server first"
        )));
    }
    match place::files(path).is_empty() || replaces {
        true => Ok(()),
        false => Err(Error::internal(
            "there is a database already; --replace keeps it under another name and restores",
        )),
    }
}

/// Gives the files of a database another name, itself first: what is left without it is refused by a start.
fn move_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    let files = place::files(path);
    if files.is_empty() {
        return Ok(None);
    }
    let stamp = now.to_utc().format("%Y%m%dT%H%M%S%.3fZ");
    let aside = beside(path, &format!(".before-restore-{stamp}"));
    for file in files {
        let suffix = file.as_os_str().as_encoded_bytes();
        let suffix = &suffix[path.as_os_str().len()..];
        let to = beside(&aside, &String::from_utf8_lossy(suffix));
        if to.exists() {
            return Err(Error::internal(format!("{} exists already", to.display())));
        }
        fs::rename(&file, &to).map_err(Error::internal)?;
    }
    Ok(Some(aside))
}

fn copy(backup: &Path, draft: &mut Draft, report: &mut dyn FnMut(BackupProgress)) -> Result<()> {
    let mut source = fs::File::open(backup).map_err(Error::internal)?;
    let of = source.metadata().map_err(Error::internal)?.len();
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let length = source.read(&mut chunk).map_err(Error::internal)?;
        if length == 0 {
            return Ok(());
        }
        let written = draft.file().write_all(&chunk[..length]);
        written.map_err(Error::internal)?;
        done += length as u64;
        report(BackupProgress { done, of });
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
