//! Mail into a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cloakroom::config::{Mail, MailTransport};
use cloakroom::mail::Transport;
use cloakroom::mail::send_error::SendError;

use super::{ADDRESS, LINK, letter_to, settings};

fn into(folder: &Path) -> Transport {
    let settings = Mail {
        transport: MailTransport::File,
        directory: folder.to_owned(),
        ..settings()
    };
    Transport::from_settings(&settings).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[actix_web::test]
async fn a_mail_becomes_one_complete_private_file() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("storage/mail");
    into(&folder)
        .send("password_reset-42", &letter_to(ADDRESS))
        .await
        .unwrap();

    assert_eq!(
        names(&folder),
        ["20260131T093000123Z-password_reset-42.eml"]
    );
    let file = folder.join(&names(&folder)[0]);
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

    let mail = fs::read_to_string(file).unwrap();
    assert!(mail.contains("To: one@example.com\r\n"));
    assert!(
        mail.lines()
            .any(|line| line == format!("You can reset your password here: {LINK}"))
    );
    assert!(mail.trim_end().ends_with("--"), "the closing boundary");
}

#[actix_web::test]
async fn a_name_cannot_escape_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mail");
    into(&folder)
        .send("../../etc/x", &letter_to(ADDRESS))
        .await
        .unwrap();
    assert_eq!(names(&folder), ["20260131T093000123Z-------etc-x.eml"]);
}

#[actix_web::test]
async fn an_unwritable_folder_is_a_transient_failure() {
    let root = tempfile::tempdir().unwrap();
    let blocked = root.path().join("a file");
    fs::write(&blocked, "in the way").unwrap();
    let transport = into(&blocked.join("mail"));

    let failure = transport
        .send("password_reset-1", &letter_to(ADDRESS))
        .await
        .unwrap_err();
    assert!(matches!(failure, SendError::Transient(_)) && !failure.reason().contains(ADDRESS));
    let advice = transport.probe().await.unwrap_err();
    assert!(advice.contains("mail.directory"), "{advice}");
}

#[actix_web::test]
async fn a_probe_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    into(root.path()).probe().await.unwrap();
    assert_eq!(names(root.path()), [""; 0]);
}
