//! What the doctor asks of the database's file and of what lies beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Report;
use crate::cli::explain;
use crate::config::{Settings, Sources};
use crate::crypto::key_ring::{KeyRing, file};
use crate::domain::error::Error;
use crate::store::{self, Inspection, LARGEST_WAL, SCHEMA_VERSION};

/// With less room than this a disk is about to be full.
const LEAST_ROOM: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;
/// Who has no business in a file of ours: everybody but its owner.
const OTHERS: u32 = 0o077;
/// The same of a file that the operator chose: a group may be how the server reads it.
const STRANGERS: u32 = 0o027;
const RESTORE: &str = "stop the server, keep a copy of the file and its -wal, restore a backup";

/// Gives the file, where its schema is ours.
pub(super) fn examine(
    settings: &Settings,
    sources: &Sources,
    report: &mut Report,
) -> Option<Inspection> {
    let path = &settings.database.path;
    key_base(settings, sources, report);
    room(path, report);
    if let Err(fault) = fs::metadata(path) {
        let advice = "correct database.path, or make the database with `cloakroom migrate`";
        report.fail("file", format!("{}: {fault}", path.display()), advice);
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
        // A folder that cannot be looked into is not the finding here.
        for draft in file::drafts_of(&path).unwrap_or_default() {
            let what = format!(
                "{} holds a key base, left by a run that was killed",
                draft.display()
            );
            report.warn(
                "keys",
                what,
                "`cloakroom secret rotate` or `secret forget` removes it, or delete it",
            );
        }
    }
    let again = "run `cloakroom secret rotate` again, or take it from among them";
    match KeyRing::find(settings) {
        Ok(Some(keys)) if keys.lists_current_as_previous() => {
            report.warn(
                "keys",
                "the present key base is a previous one too: a rotation was cut short",
                again,
            );
        }
        Ok(Some(keys)) => {
            let source = if settings.secrets.key_base.is_some() {
                "configured"
            } else {
                "made here"
            };
            report.ok(
                "keys",
                format!("{source}, with {} previous", keys.previous_count()),
            );
        }
        Ok(None) => report.ok("keys", "will be made at the first start"),
        Err(fault) => report.fail(
            "keys",
            fault.to_string(),
            "restore it, or delete it: what it signed ends then",
        ),
    }
}

/// Whether those who have no business in a file can do nothing with it.
#[cfg(unix)]
fn privacy(topic: &'static str, path: &Path, shut_out: u32, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;

    let shown = path.display();
    match fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777) {
        Ok(mode) if mode & OTHERS == 0 => report.ok(topic, format!("{shown}, for its owner alone")),
        Ok(mode) if mode & shut_out == 0 => {
            report.ok(topic, format!("{shown}, for its owner and its group"))
        }
        Ok(mode) => {
            let what = format!("{shown} is open to other users of this machine (mode {mode:04o})");
            report.fail(topic, what, format!("chmod 600 {shown}"));
        }
        Err(fault) => report.fail(
            topic,
            format!("{shown}: {fault}"),
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
            "end the process that keeps reading, or restart the server",
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
    // A folder that is not there yet is not the finding here.
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return;
    };
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    let what = format!("{} MiB free in {}", room / MIB, folder.display());
    if room < LEAST_ROOM {
        report.warn("disk", what, "make room: a full disk answers 503");
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
        Err(fault) => {
            report_unreadable("schema", &fault, report);
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
        Ok(findings) if findings.is_empty() => report.ok("integrity", "sound"),
        Ok(findings) => {
            for line in findings.iter().flat_map(|text| text.lines()) {
                if !line.starts_with("***") {
                    report.fail("integrity", line, RESTORE);
                }
            }
        }
        Err(fault) => report_unreadable("integrity", &fault, report),
    }
}

fn report_unreadable(topic: &'static str, fault: &Error, report: &mut Report) {
    let text = explain(fault);
    match fault {
        Error::Unavailable {
            reason: "database_damaged",
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
