//! The doctor's checks of the database file and the files beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Report;
use crate::cli::explain;
use crate::config::{Settings, Sources};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::private_file;
use crate::domain::error::{Error, UnavailableReason};
use crate::store::{self, Inspection, LARGEST_WAL, SCHEMA_VERSION};

/// Less free space than this is reported.
const LEAST_ROOM: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;
/// The mode bits that must be clear on Cloakroom's own files: group and others.
const OTHERS: u32 = 0o077;
/// The same for files that the operator chose: the server may read them through a group.
const STRANGERS: u32 = 0o027;
const RESTORE: &str = "stop the server, keep a copy of the file and its -wal, restore a backup";

/// Returns the opened file if its schema is current.
pub(super) fn examine(
    settings: &Settings,
    sources: &Sources,
    report: &mut Report,
) -> Option<Inspection> {
    let path = &settings.database.path;
    key_base(settings, sources, report);
    room(path, report);
    if let Err(error) = fs::metadata(path) {
        let advice = "correct database.path, or make the database with `cloakroom migrate`";
        report.fail("file", format!("{}: {error}", path.display()), advice);
        return None;
    }
    privacy("file", path, OTHERS, report);
    write_ahead_log(path, report);
    let file = schema(path, report);
    integrity(path, report);
    file
}

fn key_base(settings: &Settings, sources: &Sources, report: &mut Report) {
    let ours =
        [KeyRing::file(settings), KeyRing::previous_file(settings)].map(|path| (path, OTHERS));
    let named = ["secrets.key_base", "secrets.previous"]
        .map(|key| (sources.file_of(key).map(Path::to_owned), STRANGERS));
    let files = ours
        .into_iter()
        .chain(named)
        .filter_map(|(path, shut_out)| Some((path?, shut_out)));
    for (path, shut_out) in files {
        if path.exists() {
            privacy("keys", &path, shut_out, report);
        }
        // An unreadable folder is reported elsewhere.
        for draft in private_file::drafts_of(&path).unwrap_or_default() {
            let what = format!(
                "{} contains a key base, left by a run that was killed",
                draft.display()
            );
            report.warn(
                "keys",
                what,
                "`cloakroom secret rotate` or `secret forget` removes it, or delete it",
            );
        }
    }
    let again = "run `cloakroom secret rotate` again, or remove it from the previous ones";
    match KeyRing::find(settings) {
        Ok(Some(keys)) if keys.lists_current_as_previous() => {
            report.warn(
                "keys",
                "the current key base is also listed as previous: a rotation was interrupted",
                again,
            );
        }
        Ok(Some(keys)) => {
            let source = if settings.secrets.key_base.is_some() {
                "configured"
            } else {
                "created here"
            };
            report.ok(
                "keys",
                format!("{source}, with {} previous", keys.previous_count()),
            );
        }
        Ok(None) => report.ok("keys", "created at the first start"),
        Err(error) => report.fail(
            "keys",
            error.to_string(),
            "restore it, or delete it (invalidates what it signed)",
        ),
    }
}

/// Whether other users of the machine have no access to a file.
#[cfg(unix)]
fn privacy(topic: &'static str, path: &Path, shut_out: u32, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;

    let shown = path.display();
    match fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777) {
        Ok(mode) if mode & OTHERS == 0 => report.ok(topic, format!("{shown}, owner only")),
        Ok(mode) if mode & shut_out == 0 => {
            report.ok(topic, format!("{shown}, owner and group only"));
        }
        Ok(mode) => {
            let what =
                format!("{shown} is accessible to other users of this machine (mode {mode:04o})");
            report.fail(topic, what, format!("chmod 600 {shown}"));
        }
        Err(error) => report.fail(
            topic,
            format!("{shown}: {error}"),
            "run this as the server's user",
        ),
    }
}

#[cfg(not(unix))]
fn privacy(topic: &'static str, path: &Path, _: u32, report: &mut Report) {
    report.ok(topic, path.display().to_string());
}

fn write_ahead_log(database: &Path, report: &mut Report) {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let size = fs::metadata(PathBuf::from(path)).map_or(0, |metadata| metadata.len());
    let what = format!("{} MiB in the write-ahead log", size.div_ceil(MIB));
    if size > LARGEST_WAL {
        report.warn(
            "file",
            what,
            "stop the process that holds a read transaction, or restart the server",
        );
    } else {
        report.ok("file", what);
    }
}

#[cfg(unix)]
fn room(database: &Path, report: &mut Report) {
    let folder = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // A missing folder is reported elsewhere.
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return;
    };
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let what = format!("{} MiB free in {}", room / MIB, folder.display());
    if room < LEAST_ROOM {
        report.warn(
            "disk",
            what,
            "free space: with a full disk the server answers 503",
        );
    } else {
        report.ok("disk", what);
    }
}

#[cfg(not(unix))]
fn room(_: &Path, _: &mut Report) {}

fn schema(path: &Path, report: &mut Report) -> Option<Inspection> {
    let inspected = Inspection::open(path).and_then(|file| Ok((file.schema_version()?, file)));
    let (version, file) = match inspected {
        Ok(found) => found,
        Err(error) => {
            report_unreadable("schema", &error, report);
            return None;
        }
    };
    if version < SCHEMA_VERSION {
        let what = format!("version {version}, and this program's is {SCHEMA_VERSION}");
        report.warn(
            "schema",
            what,
            "run `cloakroom migrate`, or start the server",
        );
        return None;
    }
    report.ok("schema", format!("version {version}"));
    Some(file)
}

fn integrity(path: &Path, report: &mut Report) {
    match store::integrity(path) {
        Ok(checks) if checks.is_empty() => report.ok("integrity", "sound"),
        Ok(checks) => {
            for line in checks.iter().flat_map(|text| text.lines()) {
                if !line.starts_with("***") {
                    report.fail("integrity", line, RESTORE);
                }
            }
        }
        Err(error) => report_unreadable("integrity", &error, report),
    }
}

fn report_unreadable(topic: &'static str, error: &Error, report: &mut Report) {
    let text = explain(error);
    match error {
        Error::Unavailable {
            reason: UnavailableReason::DatabaseDamaged,
            ..
        } => report.fail(topic, text, RESTORE),
        Error::Unavailable { .. } => report.fail(topic, text, "run this as the server's user"),
        // A file of a newer version or of another program: the sentence ends in its own advice.
        _ => {
            let (what, advice) = text.split_once("; ").unwrap_or((&text, RESTORE));
            report.fail(topic, what, advice);
        }
    }
}
