//! Builds a list from a download of breached passwords, or from a file of passwords.
//!
//! The download is sorted, so it is copied entry by entry: the largest has more than a billion lines. A file of passwords
//! is sorted in memory.

use std::fs;
use std::io::{self, BufRead, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::list::{ENTRY, MAGIC, Prefix};
use crate::crypto::password::sha1;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 4_096;

/// What the lines of the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `SHA-1:COUNT` in the order of the digests, as the downloaders of Have I Been Pwned write it; passwords that were
    /// seen less often than `least` times are left out.
    Digests { least: u64 },
    /// One password a line.
    Plain,
}

/// What was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Lines read.
    pub lines: u64,
    /// Entries written.
    pub entries: u64,
}

/// Writes the list to `output`, which is replaced only by a complete list.
///
/// # Errors
/// A line that is not of the form, with its number; no entry; what reading and writing meets.
pub fn build(input: impl BufRead, form: Input, output: &Path) -> io::Result<Built> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let part = folder.join(format!(".{name}.{}.part", std::process::id()));
    let built = write(input, form, &part).and_then(|built| {
        fs::rename(&part, output)?;
        fs::File::open(folder)?.sync_all()?;
        Ok(built)
    });
    if built.is_err() {
        let _ = fs::remove_file(&part);
    }
    built
}

fn write(input: impl BufRead, form: Input, part: &Path) -> io::Result<Built> {
    let mut writer = Writer::create(part)?;
    let mut lines = 0;
    let mut plain = Vec::new();
    each_line(input, |line| {
        lines += 1;
        match form {
            Input::Plain => plain.push(prefix(&sha1(line))),
            Input::Digests { least } => {
                let (digest, count) = parse(line).ok_or_else(|| not_a_digest(lines))?;
                if count >= least {
                    writer.push(digest, lines)?;
                }
            }
        }
        Ok(())
    })?;
    plain.sort_unstable();
    for entry in plain {
        writer.push(entry, lines)?;
    }
    let entries = writer.finish()?;
    if entries == 0 {
        return Err(invalid(match lines {
            0 => "it is empty: a list without passwords would refuse none".to_owned(),
            _ => format!(
                "none of its {lines} lines was seen that often: a list without passwords would refuse none"
            ),
        }));
    }
    Ok(Built { lines, entries })
}

/// Calls `take` with each line that is not empty, without its ending.
fn each_line(
    mut input: impl BufRead,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if io::Read::take(&mut input, LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
            return Err(invalid(format!(
                "line {number} is longer than {LONGEST_LINE} bytes"
            )));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.is_empty() {
            take(text)?;
        }
    }
    Ok(())
}

fn parse(line: &[u8]) -> Option<(Prefix, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    let (digest, count) = line.split_once(':')?;
    let hexadecimal = digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let prefix = u64::from_str_radix(digest.get(..2 * ENTRY)?, 16).ok()?;
    hexadecimal.then_some((prefix.to_be_bytes(), count.trim().parse().ok()?))
}

fn prefix(digest: &[u8; 20]) -> Prefix {
    std::array::from_fn(|at| digest[at])
}

fn not_a_digest(line: u64) -> io::Error {
    invalid(format!(
        "line {line} is not SHA-1:COUNT, such as 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824 (pass --plain for passwords)"
    ))
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

struct Writer {
    file: BufWriter<fs::File>,
    last: Option<Prefix>,
    entries: u64,
}

impl Writer {
    fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(fs::File::create_new(path)?);
        // The number of entries is not known yet.
        file.write_all(&MAGIC)?;
        file.write_all(&0_u64.to_be_bytes())?;
        Ok(Self {
            file,
            last: None,
            entries: 0,
        })
    }

    fn push(&mut self, entry: Prefix, line: u64) -> io::Result<()> {
        match self.last.map(|last| entry.cmp(&last)) {
            Some(std::cmp::Ordering::Equal) => return Ok(()),
            Some(std::cmp::Ordering::Less) => {
                return Err(invalid(format!(
                    "line {line} is out of order: sort the file by digest (LC_ALL=C sort)"
                )));
            }
            Some(std::cmp::Ordering::Greater) | None => {}
        }
        self.last = Some(entry);
        self.entries += 1;
        self.file.write_all(&entry)
    }

    fn finish(mut self) -> io::Result<u64> {
        self.file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        self.file.write_all(&self.entries.to_be_bytes())?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.entries)
    }
}
