//! Mails in the languages of a folder.

use std::fs;
use std::path::Path;

use cloakroom::config::Confirm;
use cloakroom::domain::mail_kind::MailKind;
use cloakroom::mail::Templates;
use cloakroom::store::users;
use cloakroom::testing::{Call, TestApp};
use serde_json::json;
use tempfile::TempDir;

use crate::support::app::{ONE, PASSWORD, address, count_in, execute_sql};

/// A folder with every kind in these languages. Each subject is the language and the kind.
fn folder(languages: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for language in languages {
        let texts = folder.path().join(language);
        fs::create_dir(&texts).unwrap();
        for kind in MailKind::ALL {
            let name = kind.as_str();
            let text = format!("Subject: {language} {name}\n\n{{{{ service_name }}}}\n");
            fs::write(texts.join(format!("{name}.txt")), text).unwrap();
            fs::write(texts.join(format!("{name}.html")), "<p></p>\n").unwrap();
        }
    }
    folder
}

async fn app(folder: &TempDir) -> TestApp {
    let folder = folder.path().to_owned();
    TestApp::with_settings(move |settings| {
        settings.mail.templates = Some(folder);
        settings.registration.confirm = Confirm::Remind;
    })
    .await
}

fn fault_of(folder: &Path) -> String {
    let fault = Templates::load(Some(folder)).err();
    fault.map(|fault| fault.to_string()).unwrap_or_default()
}

async fn sign_up(app: &TestApp, language: &str) {
    let body = json!({ "email_address": ONE, "password": PASSWORD });
    let reply = send(app.post("/v1/registrations"), language, &body).await;
    assert_eq!(reply, 201);
}

async fn request_reset(app: &TestApp, language: &str) {
    let body = json!({ "email_address": ONE });
    assert_eq!(send(app.post("/v1/passwords"), language, &body).await, 200);
}

async fn send(call: Call, language: &str, body: &serde_json::Value) -> u16 {
    let call = call.header("Accept-Language", language);
    call.json(body).send().await.status
}

async fn last_subject(app: &TestApp) -> String {
    app.mails().await.pop().expect("a mail").subject
}

#[actix_web::test]
async fn mails_are_in_the_language_of_the_sign_up() {
    let folder = folder(&["de", "pt-BR"]);
    let app = app(&folder).await;
    sign_up(&app, "de-CH, en;q=0.5").await;
    assert_eq!(last_subject(&app).await, "de confirmation");

    // The account's language counts, not that of a request that anyone can send.
    for language in ["pt-BR", "en", "zh", ""] {
        request_reset(&app, language).await;
        assert_eq!(last_subject(&app).await, "de password_reset", "{language}");
    }
}

#[actix_web::test]
async fn a_notice_is_in_the_language_of_the_user() {
    let folder = folder(&["de", "pt-BR"]);
    let app = app(&folder).await;
    sign_up(&app, "de").await;
    app.mails().await;
    let user = address(ONE);
    let account = app
        .context()
        .database
        .read(move |reader| users::find_by_address(reader, &user));
    let user = account.await.unwrap().unwrap().user;
    for (set, subject) in [
        ("SELECT 1", "de password_changed"),
        (
            "UPDATE users SET locale = NULL",
            "Your password was changed",
        ),
    ] {
        execute_sql(&app, set);
        let session = app.sign_in_as(&user).await;
        let body = json!({ "password_challenge": PASSWORD, "password": PASSWORD });
        let call = app.put("/v1/user/password").bearer(&session);
        assert_eq!(send(call, "pt-BR", &body).await, 200);
        assert_eq!(last_subject(&app).await, subject);
    }
}

#[actix_web::test]
async fn a_user_without_a_language_gets_that_of_the_request() {
    let folder = folder(&["de"]);
    let app = app(&folder).await;
    app.create_user(ONE, PASSWORD).await;
    for (language, subject) in [
        ("fr, de;q=0.8", "de password_reset"),
        ("fr, en;q=0.8, de;q=0.7", "Reset your password"),
        ("fr", "Reset your password"),
        ("rubbish;;;", "Reset your password"),
    ] {
        request_reset(&app, language).await;
        assert_eq!(last_subject(&app).await, subject, "{language}");
    }
}

#[actix_web::test]
async fn known_and_unknown_addresses_leave_the_same_row() {
    let folder = folder(&["de"]);
    let app = app(&folder).await;
    sign_up(&app, "pl").await;
    app.mails().await;
    for address in [ONE, "two@example.com"] {
        let body = json!({ "email_address": address });
        assert_eq!(send(app.post("/v1/passwords"), "de-AT", &body).await, 200);
    }
    let rows = "SELECT count(*) FROM outbox WHERE kind = 'password_reset' AND locale = 'de-AT'";
    assert_eq!(count_in(&app, rows), 2);
    let users = "SELECT count(*) FROM users WHERE locale = 'pl'";
    assert_eq!(count_in(&app, users), 1);
}

#[test]
fn a_language_needs_every_kind_of_mail() {
    for name in ["unlock.txt", "new_device.html"] {
        let folder = folder(&["de", "pt-BR"]);
        fs::remove_file(folder.path().join("pt-BR").join(name)).unwrap();
        let fault = fault_of(folder.path());
        assert!(fault.contains(&format!("pt-BR/{name} ")), "{fault}");
        assert!(fault.contains("the file is missing"), "{fault}");
    }
}

#[test]
fn faults_of_a_language_name_file_and_line() {
    let folder = folder(&["de"]);
    let path = folder.path().join("de/unlock.txt");
    let subject = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{subject}\n{{{{ lnik }}}}\n")).unwrap();
    let fault = fault_of(folder.path());
    assert!(fault.contains("de/unlock.txt, line 5 "), "{fault}");
    fs::write(&path, subject).unwrap();
    assert_eq!(fault_of(folder.path()), "");

    fs::write(folder.path().join("de/unlok.txt"), "Subject: a\n\n").unwrap();
    let fault = fault_of(folder.path());
    assert!(fault.contains("de/unlok.txt "), "{fault}");
}

#[test]
fn a_folder_of_templates_is_named_by_a_language() {
    let folder = folder(&["de"]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert_eq!(fault_of(folder.path()), "");
    for name in ["deutsch", "DE", "pt-br", "de_DE"] {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        let fault = fault_of(folder.path());
        assert!(fault.contains(&format!("{name} ")), "{fault}");
        fs::remove_dir(&path).unwrap();
    }
}

#[actix_web::test]
async fn english_texts_are_replaced_beside_a_language() {
    let folder = folder(&["de"]);
    let text = "Subject: Ours\n\n{{ link }}\n";
    fs::write(folder.path().join("password_reset.txt"), text).unwrap();
    let app = app(&folder).await;
    app.create_user(ONE, PASSWORD).await;
    for (language, subject) in [("en", "Ours"), ("de", "de password_reset")] {
        request_reset(&app, language).await;
        assert_eq!(last_subject(&app).await, subject);
    }
}
