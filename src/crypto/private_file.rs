//! Files with secrets: readable by their owner only, and replaced atomically.
//!
//! # Threats
//! - a crash during a write: the content is written and synced to a draft, which is then renamed or linked
//! - other users of the machine: a new file is readable by its owner only, before it has content
//! - a file of root's that the server cannot read: what root creates belongs to the owner of its folder
//! - a symbolic link in the place of the file: refused

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::token::fill_random;

/// Takes an exclusive lock on the folder of this file, which ends when it is dropped or with the process.
pub fn lock(path: &Path) -> io::Result<File> {
    let folder = File::open(folder_of(path)).map_err(|fault| at(folder_of(path), fault))?;
    flock(&folder, FlockOperation::LockExclusive)?;
    Ok(folder)
}

/// Takes an exclusive lock on a file of its own, which is created; `None` if another process has it. It ends as that of
/// [`lock`].
pub fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(|fault| at(path, fault))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(fault) => Err(at(path, fault)),
    }
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
    file: File,
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
        let mut draft = Self::start(path)?;
        let made = draft.file.metadata()?;
        if (made.uid(), made.gid()) != (model.uid(), model.gid()) {
            fchown(&draft.file, Some(model.uid()), Some(model.gid())).map_err(|_| {
                at(
                    path,
                    "belongs to another user: run this as root, or as that user",
                )
            })?;
        }
        // Before the file has content.
        draft.file.set_permissions(model.permissions())?;
        draft.file.write_all(text.as_bytes())?;
        Ok(draft)
    }

    /// Creates an empty file beside `path` with access for its owner only. If root creates it, it belongs to the owner
    /// of the folder, who is to use it.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn start(path: &Path) -> io::Result<Self> {
        let mut suffix = [0; 8];
        fill_random(&mut suffix).map_err(io::Error::other)?;
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{:016x}", u64::from_be_bytes(suffix)));
        let aside = PathBuf::from(aside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&aside).map_err(|fault| at(path, fault))?;
        let draft = Self {
            path: path.to_owned(),
            aside,
            file,
        };
        give_to_owner_of_folder(&draft.aside)?;
        Ok(draft)
    }

    /// The same for a run that takes long: other runs see that it is in use, and it removes what killed ones left.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn start_long(path: &Path) -> io::Result<Self> {
        let _folder = lock(path)?;
        for draft in drafts_of(path)? {
            let file = File::open(&draft).map_err(|fault| at(&draft, fault))?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                remove_with_companions(&draft)?;
            }
        }
        let draft = Self::start(path)?;
        flock(&draft.file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(draft)
    }

    /// Its open file, to be written.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Where it is until [`Draft::put`].
    pub fn aside(&self) -> &Path {
        &self.aside
    }

    /// The file to be replaced.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file, and returns when that is on disk.
    ///
    /// # Errors
    /// The draft cannot be written or renamed.
    pub fn put(self) -> io::Result<()> {
        self.file
            .sync_all()
            .map_err(|fault| at(&self.path, fault))?;
        fs::rename(&self.aside, &self.path).map_err(|fault| at(&self.path, fault))?;
        File::open(folder_of(&self.path))?.sync_all()
    }

    /// The same where there is no file yet.
    ///
    /// # Errors
    /// There is one, or the draft cannot be written.
    pub fn put_first(self) -> io::Result<()> {
        let path = self.path.clone();
        self.put_first_at(&path)
    }

    /// The same at another path of the folder.
    ///
    /// # Errors
    /// There is a file, or the draft cannot be written.
    pub fn put_first_at(self, path: &Path) -> io::Result<()> {
        self.file.sync_all().map_err(|fault| at(path, fault))?;
        fs::hard_link(&self.aside, path).map_err(|fault| at(path, fault))?;
        File::open(folder_of(path))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `put` there is nothing to delete.
        let _ = remove_with_companions(&self.aside);
    }
}

/// Removes a draft and what its program had beside it, such as the journal of a database. The draft is the last: a next run
/// finds it.
fn remove_with_companions(draft: &Path) -> io::Result<()> {
    let own = draft.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(folder_of(draft))? {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.as_encoded_bytes().strip_prefix(own);
        if rest.is_some_and(|rest| rest.starts_with(b"-")) {
            fs::remove_file(entry.path()).map_err(|fault| at(&entry.path(), fault))?;
        }
    }
    fs::remove_file(draft).map_err(|fault| at(draft, fault))
}

/// If root created this file or folder, gives it to the owner of the folder that it is in.
///
/// # Errors
/// The owner cannot be changed.
pub fn give_to_owner_of_folder(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = fs::metadata(folder_of(path))?;
    chown(path, Some(folder.uid()), Some(folder.gid())).map_err(|fault| at(path, fault))
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A failure with the path that it is about.
pub(super) fn at(path: &Path, fault: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {fault}", path.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    pub(in crate::crypto) fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    pub(in crate::crypto) fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
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
    fn a_long_run_removes_drafts_that_are_not_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let in_use = Draft::start_long(&path).unwrap();
        for left in ["copy.0123456789abcdef", "copy.0123456789abcdef-journal"] {
            fs::write(folder.path().join(left), "left").unwrap();
        }
        let next = Draft::start_long(&path).unwrap();
        let mut drafts = vec![in_use.aside.clone(), next.aside.clone()];
        drafts.sort();
        assert_eq!(drafts_of(&path).unwrap(), drafts);
        assert_eq!(names(folder.path()).len(), 2);
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
    fn drafts_are_found_beside_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("base");
        fs::write(&path, "old").unwrap();
        assert!(drafts_of(&path).unwrap().is_empty());
        let draft = Draft::write(&path, "new", &path).unwrap();
        assert_eq!(
            drafts_of(&path).unwrap(),
            std::slice::from_ref(&draft.aside)
        );
        assert_eq!(folder_of(Path::new("base")), Path::new("."));
    }
}
