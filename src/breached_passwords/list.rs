//! A list of digests: 8 bytes of magic, the number of entries (64 bits, big-endian), then the first 8 bytes of the SHA-1
//! of each password, sorted, each once. One look-up reads a few entries; nothing is kept in memory.
//!
//! A password that is not listed shares 8 bytes with one of a billion entries once in 18 billion times.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(super) const MAGIC: [u8; 8] = *b"crpw-1\r\n";
pub(super) const HEADER: u64 = 16;
pub(super) const ENTRY: usize = 8;

/// The first 8 bytes of a SHA-1.
pub(super) type Prefix = [u8; ENTRY];

/// A list, open for look-ups.
#[derive(Debug)]
pub(super) struct List {
    bytes: Bytes,
    entries: u64,
}

#[derive(Debug)]
enum Bytes {
    Embedded(&'static [u8]),
    File(File),
}

impl List {
    /// Opens a list in a file.
    ///
    /// # Errors
    /// Why it cannot be used, in words for the operator.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let in_words = |error: io::Error| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(in_words)?;
        let length = file.metadata().map_err(in_words)?.len();
        Self::checked(Bytes::File(file), length).map_err(in_words)
    }

    /// The list that is compiled in.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn embedded(bytes: &'static [u8]) -> Result<Self, String> {
        Self::checked(Bytes::Embedded(bytes), bytes.len() as u64).map_err(|why| why.to_string())
    }

    fn checked(bytes: Bytes, length: u64) -> io::Result<Self> {
        let (magic, count) = (bytes.read(0), bytes.read(ENTRY as u64));
        let unusable = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        if magic.ok() != Some(MAGIC) {
            return Err(unusable(
                "not a list of passwords: `cloakroom passwords build` makes one",
            ));
        }
        let entries = u64::from_be_bytes(count?);
        let expected = entries.checked_mul(ENTRY as u64);
        if expected.and_then(|body| body.checked_add(HEADER)) != Some(length) {
            return Err(unusable("cut off or damaged: build it again"));
        }
        Ok(Self { bytes, entries })
    }

    /// Whether a password with this SHA-1 is listed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn contains(&self, digest: &[u8; 20]) -> io::Result<bool> {
        let Some(wanted) = digest.first_chunk::<ENTRY>() else {
            return Ok(false);
        };
        let (mut from, mut to) = (0, self.entries);
        while from < to {
            let middle = from + (to - from) / 2;
            let entry = self.bytes.read(HEADER + middle * ENTRY as u64)?;
            match entry.cmp(wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        Ok(false)
    }
}

impl Bytes {
    fn read(&self, at: u64) -> io::Result<Prefix> {
        let mut entry = [0; ENTRY];
        match self {
            Self::File(file) => file.read_exact_at(&mut entry, at)?,
            Self::Embedded(bytes) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX);
                let found = bytes.get(start..).and_then(<[u8]>::first_chunk);
                entry = *found.ok_or(io::ErrorKind::UnexpectedEof)?;
            }
        }
        Ok(entry)
    }
}
