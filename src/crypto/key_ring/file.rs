//! Files that hold key bases: created once and replaced atomically.
//!
//! # Threats
//! - a crash during a write: the text is written and synced to a draft, which is then renamed or linked
//! - other users of the machine: a new file is readable by its owner only, before it has content
//! - a symbolic link in the place of the file: refused

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use super::generate_base;
use crate::config::{self, Secret};
use crate::crypto::token::fill_random;

/// 256 bits: no fewer can be the root of every key.
const SHORTEST: usize = config::Secrets::MIN_BYTES;

/// The base in a file; `None` if there is no file.
///
/// # Errors
/// The file cannot be read, or is too short.
pub fn read(path: &Path) -> io::Result<Option<Secret>> {
    let Some(text) = read_text(path)? else {
        return Ok(None);
    };
    let base = text.trim_end();
    if base.len() < SHORTEST {
        return Err(at(
            path,
            "holds less than 32 bytes: delete it to get a new one",
        ));
    }
    Ok(Some(Secret::from(base.to_owned())))
}

/// The base in a file, which is created if it is missing.
pub(super) fn read_or_create(path: &Path) -> io::Result<Secret> {
    match read(path)? {
        Some(base) => Ok(base),
        None => create(path),
    }
}

/// The bases in a file, one a line; none if there is no file.
///
/// # Errors
/// The file cannot be read, or a line is too short.
pub fn read_lines(path: &Path) -> io::Result<Vec<Secret>> {
    let text = read_text(path)?.unwrap_or_default();
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let bases: Vec<Secret> = lines.map(|line| Secret::from(line.to_owned())).collect();
    if bases.iter().any(|base| base.expose().len() < SHORTEST) {
        return Err(at(
            path,
            "holds a line of less than 32 bytes, which is no key base",
        ));
    }
    Ok(bases)
}

/// Takes an exclusive lock on the folder of this file, which ends when it is dropped or with the process.
pub fn lock(path: &Path) -> io::Result<File> {
    let folder = File::open(folder_of(path)).map_err(|fault| at(folder_of(path), fault))?;
    flock(&folder, FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// The drafts that killed processes left beside a file.
pub fn drafts_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let is_draft = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        let suffix = path
            .file_name()
            .and_then(|own| name.strip_prefix(own.as_encoded_bytes()));
        let digits = suffix.and_then(|suffix| suffix.strip_prefix(b"."));
        digits.is_some_and(|text| {
            text.len() == 16 && text.iter().all(|b| b"0123456789abcdef".contains(b))
        })
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(path)).map_err(|fault| at(folder_of(path), fault))? {
        let entry = entry?;
        if is_draft(&entry.file_name()) && entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The next content of a file, written beside it until [`Draft::put`]. Dropping it deletes it.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    aside: PathBuf,
}

impl Draft {
    /// Writes the text beside `path` with the mode and owner of `like`, which holds the same secrets for the same
    /// process, whatever those of a file at `path` are.
    ///
    /// # Errors
    /// `path` is not a regular file, `like` is missing, the folder is not writable, or the owner cannot be changed.
    pub fn write(path: &Path, text: &str, like: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => {
                return Err(at(
                    path,
                    "is no plain file: change the key base where it comes from",
                ));
            }
            Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(at(path, fault)),
            _ => {}
        }
        let model = fs::metadata(like).map_err(|fault| at(like, fault))?;
        let (draft, mut file) = Self::start(path)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (model.uid(), model.gid()) {
            fchown(&file, Some(model.uid()), Some(model.gid())).map_err(|_| {
                at(
                    path,
                    "belongs to another user: run this as root, or as that user",
                )
            })?;
        }
        // Before the file has content.
        file.set_permissions(model.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(draft)
    }

    /// Creates an empty file beside `path` with access for its owner only.
    fn start(path: &Path) -> io::Result<(Self, File)> {
        let mut suffix = [0; 8];
        fill_random(&mut suffix).map_err(io::Error::other)?;
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{:016x}", u64::from_be_bytes(suffix)));
        let aside = PathBuf::from(aside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&aside).map_err(|fault| at(path, fault))?;
        Ok((
            Self {
                path: path.to_owned(),
                aside,
            },
            file,
        ))
    }

    /// The file to be replaced.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file, and returns when that is on disk.
    pub fn put(self) -> io::Result<()> {
        fs::rename(&self.aside, &self.path).map_err(|fault| at(&self.path, fault))?;
        File::open(folder_of(&self.path))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `put` there is nothing to delete.
        let _ = fs::remove_file(&self.aside);
    }
}

fn create(path: &Path) -> io::Result<Secret> {
    let base = generate_base().map_err(io::Error::other)?;
    // Linking fails if the file exists: of two concurrent first starts one wins.
    let (draft, mut file) = Draft::start(path)?;
    file.write_all(base.expose().as_bytes())?;
    file.sync_all()?;
    match fs::hard_link(&draft.aside, path) {
        Ok(()) => Ok(base),
        // Another start has won, or a rotation has deleted the draft as an abandoned one.
        Err(other) => read(path)?.ok_or(other),
    }
}

fn read_text(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(missing) if missing.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(at(path, fault)),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn at(path: &Path, fault: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {fault}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_is_created_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.key_base");
        let first = read_or_create(&path).unwrap();
        assert_eq!(first.expose(), read_or_create(&path).unwrap().expose());
        assert_eq!((mode(&path), names(folder.path()).len()), (0o600, 1));
    }

    #[test]
    fn truncated_files_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloakroom.key_base");
        fs::write(&path, "b".repeat(SHORTEST)).unwrap();
        assert!(read_or_create(&path).is_ok());
        fs::write(&path, "b".repeat(SHORTEST - 1)).unwrap();
        assert!(
            read_or_create(&path)
                .unwrap_err()
                .to_string()
                .contains("less than 32 bytes")
        );
        assert!(
            read_lines(&path)
                .unwrap_err()
                .to_string()
                .contains("less than 32 bytes")
        );
    }

    #[test]
    fn each_line_is_a_base_and_empty_files_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("previous");
        assert!(read_lines(&path).unwrap().is_empty());
        fs::write(&path, format!("{}\r\n\n{}", "a".repeat(32), "b".repeat(32))).unwrap();
        let found: Vec<String> = read_lines(&path)
            .unwrap()
            .iter()
            .map(|base| base.expose().to_owned())
            .collect();
        assert_eq!(found, ["a".repeat(32), "b".repeat(32)]);
    }

    #[test]
    fn drafts_take_effect_when_committed_or_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

        let dropped = Draft::write(&path, "new", &path).unwrap();
        assert_eq!(
            (
                fs::read_to_string(&path).unwrap().as_str(),
                names(folder.path()).len()
            ),
            ("old", 2)
        );
        drop(dropped);
        assert_eq!(names(folder.path()), ["base"]);

        Draft::write(&path, "new", &path).unwrap().put().unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap().as_str(), mode(&path)),
            ("new", 0o640)
        );
        Draft::write(&folder.path().join("other"), "one more", &path)
            .unwrap()
            .put()
            .unwrap();
        assert_eq!(mode(&folder.path().join("other")), 0o640);

        // A world-readable file does not stay so.
        fs::set_permissions(
            folder.path().join("other"),
            fs::Permissions::from_mode(0o666),
        )
        .unwrap();
        Draft::write(&folder.path().join("other"), "again", &path)
            .unwrap()
            .put()
            .unwrap();
        assert_eq!(mode(&folder.path().join("other")), 0o640);
        assert_eq!(names(folder.path()), ["base", "other"]);
    }

    #[test]
    fn only_plain_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("base"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let refusal = Draft::write(&link, "new", &path).unwrap_err().to_string();
        assert!(refusal.contains("link: is no plain file"), "{refusal}");
        assert_eq!(names(folder.path()), ["base", "link"]);
    }

    #[test]
    fn only_a_missing_file_is_read_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("missing")).unwrap().is_none());
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn drafts_are_found_beside_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base");
        fs::write(&path, "old").unwrap();
        assert!(drafts_of(&path).unwrap().is_empty());
        let draft = Draft::write(&path, "new", &path).unwrap();
        assert_eq!(drafts_of(&path).unwrap(), [draft.aside.clone()]);
        assert_eq!(folder_of(Path::new("base")), Path::new("."));
    }
}
