//! Files that hold key bases.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::generate_base;
use crate::config::{self, Secret};
use crate::crypto::private_file::{Draft, at};

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

fn create(path: &Path) -> io::Result<Secret> {
    let base = generate_base().map_err(io::Error::other)?;
    // Linking fails if the file exists: of two concurrent first starts one wins.
    let mut draft = Draft::start(path)?;
    draft.file().write_all(base.expose().as_bytes())?;
    match draft.put_first() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::private_file::tests::{mode, names};

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
    fn only_a_missing_file_is_read_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("missing")).unwrap().is_none());
        assert!(read(folder.path()).is_err());
    }
}
