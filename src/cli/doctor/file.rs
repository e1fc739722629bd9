//! The doctor's checks of the database file and the files beside it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::cli::explain;
use crate::cli::report::Report;
use crate::config::{Backup, MailTransport, Settings, Sources};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::private_file;
use crate::domain::clock::Clock;
use crate::domain::error::{Error, UnavailableReason};
use crate::server::backups;
use crate::store::{self, Content, Inspection, LARGEST_WAL, SCHEMA_VERSION};

/// Less free space than this is reported.
const LEAST_ROOM: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;
/// The mode bits that must be clear on Cloakroom's own files: group and others.
const OTHERS: u32 = 0o077;
/// The same for files that the operator chose: the server may read them through a group.
const STRANGERS: u32 = 0o027;
const RESTORE: &str = "stop the server, keep a copy of the file and its -wal, restore a backup";

/// The files that contain keys, secrets or links.
pub(super) fn private_files(settings: &Settings, sources: &Sources, report: &mut Report) {
    key_base(settings, sources, report);
    secrets(settings, sources, report);
}

/// Returns what the file contains if its schema is current.
pub(super) fn examine(settings: &Settings, report: &mut Report) -> Option<Content> {
    let path = &settings.database.path;
    room(path, report);
    match Inspection::files_of(path) {
        Ok(files) => {
            for file in files {
                privacy("file", &file, OTHERS, report);
                ownership(&file, report);
            }
        }
        Err(error) => {
            let advice = "correct database.path, or make the database with `cloakroom migrate`";
            report.fail("file", format!("{}: {error}", path.display()), advice);
            return None;
        }
    }
    write_ahead_log(path, report);
    let file = schema(path, report);
    integrity(path, report);
    file.map(Inspection::content)
}

/// The files that settings name and that contain secrets or links.
fn secrets(settings: &Settings, sources: &Sources, report: &mut Report) {
    for file in sources.secret_files() {
        privacy("secrets", &file, STRANGERS, report);
    }
    let mails = &settings.mail.directory;
    if settings.mail.transport == MailTransport::File && mails.exists() {
        privacy("mail", mails, OTHERS, report);
    }
}

/// Whether a file contains what other users of this machine can read.
pub(in crate::cli) fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & STRANGERS != 0)
}

/// Whether the server can write a file and create others beside it. Its user is the owner of the folder, if this runs
/// as root.
fn ownership(path: &Path, report: &mut Report) {
    let folder = private_file::folder_of(path);
    let (Ok(file), Ok(around)) = (fs::metadata(path), fs::metadata(folder)) else {
        return;
    };
    let (shown, folder_shown) = (path.display(), folder.display());
    if rustix::process::geteuid().is_root() {
        if file.uid() != around.uid() {
            let what = format!(
                "{shown} belongs to user {}, its folder to user {}: a server of either cannot write both",
                file.uid(),
                around.uid()
            );
            report.fail(
                "file",
                what,
                format!("chown --reference={folder_shown} {shown}"),
            );
        }
        return;
    }
    for place in [path, folder] {
        if rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_err() {
            let what = format!("{} cannot be written by this user", place.display());
            report.fail(
                "file",
                what,
                "run this as the server's user, or change the owner",
            );
        }
    }
}

fn key_base(settings: &Settings, sources: &Sources, report: &mut Report) {
    let ours = [KeyRing::file(settings), KeyRing::previous_file(settings)];
    for path in ours.iter().flatten().filter(|path| path.exists()) {
        privacy("keys", path, OTHERS, report);
    }
    let named = ["secrets.key_base", "secrets.previous"].map(|key| sources.file_of(key));
    for path in ours.into_iter().chain(named).flatten() {
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

/// Whether other users of the machine have no access to a file or folder.
fn privacy(topic: &'static str, path: &Path, shut_out: u32, report: &mut Report) {
    let shown = path.display();
    let found =
        fs::metadata(path).map(|found| (found.permissions().mode() & 0o777, found.is_dir()));
    match found {
        Ok((mode, _)) if mode & OTHERS == 0 => report.ok(topic, format!("{shown}, owner only")),
        Ok((mode, _)) if mode & shut_out == 0 => {
            report.ok(topic, format!("{shown}, owner and group only"));
        }
        Ok((mode, is_folder)) => {
            let what =
                format!("{shown} is accessible to other users of this machine (mode {mode:04o})");
            let private = if is_folder { 700 } else { 600 };
            report.fail(topic, what, format!("chmod {private} {shown}"));
        }
        Err(error) => report.fail(
            topic,
            format!("{shown}: {error}"),
            "run this as the server's user",
        ),
    }
}

/// Whether the scheduled backups are made.
pub(super) fn backups(directory: &Path, settings: &Backup, report: &mut Report) {
    let advice = "the server's log says why; `cloakroom backup FILE` makes one by hand";
    let shown = directory.display();
    let backups = match backups::list(directory) {
        Ok(backups) => backups,
        Err(error) => return report.fail("backup", format!("{shown}: {error}"), advice),
    };
    let Some(newest) = backups.last() else {
        let what = format!("no backup in {shown} yet");
        return report.warn("backup", what, "start the server, which makes one");
    };
    privacy("backup", &newest.path, OTHERS, report);
    let what = format!("{} in {shown}, the newest of {}", backups.len(), newest.at);
    // The next one may be being made.
    match Clock::System.now() > newest.at + 2 * settings.every {
        true => report.fail("backup", what, advice),
        false => report.ok("backup", what),
    }
}

fn write_ahead_log(database: &Path, report: &mut Report) {
    let size = Inspection::wal_size(database);
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

fn room(database: &Path, report: &mut Report) {
    let folder = private_file::folder_of(database);
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
    if let Err(error) = file.check_schema() {
        report_unreadable("schema", &error, report);
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
