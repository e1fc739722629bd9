//! The test cases of the article that the first flows come from, under the names that they bear there, each in process
//! and over TCP on the real binary.

#![expect(
    clippy::disallowed_methods,
    reason = "waits in real time for another process"
)]

use cloakroom::testing::TestApp;
use serde_json::{Value, json};

use crate::support::app::{PASSWORD, count_in};
use crate::support::flows::link_token;
use crate::support::process::{Server, TIMEOUT, TestServer, agent};

/// Where a case is run.
enum Target {
    InProcess(TestApp),
    OverTcp(TestServer, Server),
}

macro_rules! cases {
    ($($name:ident)+) => {
        mod in_process {
            $(
                #[actix_web::test]
                async fn $name() {
                    super::$name(&super::Target::in_process().await).await;
                }
            )+
        }

        mod over_tcp {
            $(
                #[actix_web::test]
                async fn $name() {
                    super::$name(&super::Target::over_tcp().await).await;
                }
            )+
        }
    };
}

cases! {
    should_create_session
    should_not_create_session_with_invalid_credentials
    should_destroy_session
    should_not_destroy_session_with_invalid_token
    should_create_user
    should_not_create_user_with_non_matching_passwords
    should_not_create_user_with_duplicated_email_address
    should_send_password_reset_instructions
    should_not_send_password_reset_instructions_if_user_does_not_exist
    should_reset_password
    should_not_reset_password_if_passwords_do_not_match
    should_get_index_for_authenticated_user
}

async fn should_create_session(target: &Target) {
    let credentials = [("email_address", "one@example.com"), ("password", PASSWORD)];
    let (status, body) = target.send("POST", "/v1/session", None, &credentials).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["token"].is_string());
}

async fn should_not_create_session_with_invalid_credentials(target: &Target) {
    let credentials = [
        ("email_address", "one@example.com"),
        ("password", "invalid"),
    ];
    let (status, body) = target.send("POST", "/v1/session", None, &credentials).await;
    assert_eq!(
        (status, &body["error"]),
        (401, &json!("Invalid email address or password"))
    );
}

async fn should_destroy_session(target: &Target) {
    let token = target.sign_in("one@example.com", PASSWORD).await.unwrap();
    let before = target.count("SELECT count(*) FROM sessions");
    let (status, body) = target
        .send("DELETE", "/v1/session", Some(&token), &[])
        .await;
    assert_eq!((status, body), (200, json!({ "message": "Logged out" })));
    assert_eq!(target.count("SELECT count(*) FROM sessions"), before - 1);
}

async fn should_not_destroy_session_with_invalid_token(target: &Target) {
    let before = target.count("SELECT count(*) FROM sessions");
    let (status, _) = target
        .send("DELETE", "/v1/session", Some("invalid"), &[])
        .await;
    assert_eq!(status, 401);
    assert_eq!(target.count("SELECT count(*) FROM sessions"), before);
}

async fn should_create_user(target: &Target) {
    let before = target.count("SELECT count(*) FROM users");
    let (status, body) = target.sign_up("test@example.com", PASSWORD, PASSWORD).await;
    assert_eq!(
        (status, &body["user"]["email_address"]),
        (201, &json!("test@example.com"))
    );
    assert!(body["token"].is_string());
    assert_eq!(target.count("SELECT count(*) FROM users"), before + 1);
    let last = "SELECT count(*) FROM users WHERE email_address = 'test@example.com' AND id = (SELECT max(id) FROM users)";
    assert_eq!(target.count(last), 1);
}

async fn should_not_create_user_with_non_matching_passwords(target: &Target) {
    let before = target.count("SELECT count(*) FROM users");
    let (status, _) = target.sign_up("test@example.com", PASSWORD, "pass").await;
    assert_eq!(status, 422);
    assert_eq!(target.count("SELECT count(*) FROM users"), before);
}

async fn should_not_create_user_with_duplicated_email_address(target: &Target) {
    let (status, _) = target.sign_up("test@example.com", PASSWORD, PASSWORD).await;
    assert_eq!(status, 201);
    let before = target.count("SELECT count(*) FROM users");
    let (status, body) = target.sign_up("test@example.com", PASSWORD, PASSWORD).await;
    let sentence = "There was a problem creating your account";
    assert_eq!((status, &body["errors"]), (422, &json!([sentence])));
    assert_eq!(target.count("SELECT count(*) FROM users"), before);
}

async fn should_send_password_reset_instructions(target: &Target) {
    let address = [("email_address", "one@example.com")];
    let (status, body) = target.send("POST", "/v1/passwords", None, &address).await;
    assert_eq!(
        (status, body),
        (
            200,
            json!({ "message": "Password reset instructions sent" })
        )
    );
    let mails = target.mails().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("one@example.com"));
}

async fn should_not_send_password_reset_instructions_if_user_does_not_exist(target: &Target) {
    let address = [("email_address", "nonexistent@example.com")];
    let (status, _) = target.send("POST", "/v1/passwords", None, &address).await;
    assert_eq!(status, 200);
    assert!(target.mails().await.is_empty());
}

async fn should_reset_password(target: &Target) {
    let token = target.sign_in("one@example.com", PASSWORD).await.unwrap();
    let path = target.reset_path("one@example.com").await;
    let passwords = [
        ("password", "newpassword"),
        ("password_confirmation", "newpassword"),
    ];
    let (status, body) = target.send("PUT", &path, None, &passwords).await;
    assert_eq!(
        (status, body),
        (200, json!({ "message": "Password has been reset." }))
    );

    let ones = "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email_address = 'one@example.com'";
    assert_eq!(target.count(ones), 0);
    let (status, _) = target.send("GET", "/v1/session", Some(&token), &[]).await;
    assert_eq!(status, 401);
    assert!(
        target
            .sign_in("one@example.com", "newpassword")
            .await
            .is_some()
    );
    assert!(target.sign_in("one@example.com", PASSWORD).await.is_none());
}

async fn should_not_reset_password_if_passwords_do_not_match(target: &Target) {
    let path = target.reset_path("one@example.com").await;
    let passwords = [
        ("password", "newpassword"),
        ("password_confirmation", "wrongpassword"),
    ];
    let (status, body) = target.send("PUT", &path, None, &passwords).await;
    let sentence = "Password confirmation doesn't match Password";
    assert_eq!((status, &body["errors"]), (422, &json!([sentence])));
}

async fn should_get_index_for_authenticated_user(target: &Target) {
    let token = target.sign_in("one@example.com", PASSWORD).await.unwrap();
    for title in ["First", "Second"] {
        let (status, _) = target
            .send("POST", "/v1/projects", Some(&token), &[("title", title)])
            .await;
        assert_eq!(status, 201);
    }
    let (status, body) = target.send("GET", "/v1/projects", Some(&token), &[]).await;
    let listed = body["projects"].as_array().unwrap().len() as i64;
    assert_eq!(
        (status, listed),
        (200, target.count("SELECT count(*) FROM projects"))
    );
}

impl Target {
    async fn in_process() -> Self {
        Self::InProcess(TestApp::new().await).with_fixtures().await
    }

    async fn over_tcp() -> Self {
        let test_server = TestServer::new();
        let server = test_server.serve();
        Self::OverTcp(test_server, server).with_fixtures().await
    }

    /// Users one and two, as the article's fixtures have them.
    async fn with_fixtures(self) -> Self {
        for address in ["one@example.com", "two@example.com"] {
            let (status, body) = self.sign_up(address, PASSWORD, PASSWORD).await;
            assert_eq!(status, 201, "{body}");
        }
        self
    }

    /// Sends a form, as the article's tests do.
    async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        fields: &[(&str, &str)],
    ) -> (u16, Value) {
        match self {
            Self::InProcess(app) => {
                let mut call = app.call(method.parse().unwrap(), path);
                if let Some(token) = token {
                    call = call.bearer(token);
                }
                if !fields.is_empty() {
                    call = call.form(fields);
                }
                let reply = call.send().await;
                (reply.status, reply.json())
            }
            Self::OverTcp(_, server) => {
                let mut request = ureq::http::Request::builder()
                    .method(method)
                    .uri(server.url(path));
                if let Some(token) = token {
                    request = request.header("Authorization", format!("Bearer {token}"));
                }
                let form = serde_urlencoded::to_string(fields).unwrap();
                let mut reply = match fields {
                    [] => agent().run(request.body(()).unwrap()),
                    _ => {
                        let kind = "application/x-www-form-urlencoded";
                        agent().run(request.header("Content-Type", kind).body(form).unwrap())
                    }
                }
                .unwrap();
                let text = reply.body_mut().read_to_string().unwrap();
                (
                    reply.status().as_u16(),
                    serde_json::from_str(&text).unwrap(),
                )
            }
        }
    }

    async fn sign_up(&self, address: &str, password: &str, confirmation: &str) -> (u16, Value) {
        let fields = [
            ("email_address", address),
            ("password", password),
            ("password_confirmation", confirmation),
        ];
        self.send("POST", "/v1/registrations", None, &fields).await
    }

    async fn sign_in(&self, address: &str, password: &str) -> Option<String> {
        let fields = [("email_address", address), ("password", password)];
        let (_, body) = self.send("POST", "/v1/session", None, &fields).await;
        body["token"].as_str().map(str::to_owned)
    }

    /// The path of a reset link from a mail.
    async fn reset_path(&self, address: &str) -> String {
        let (status, _) = self
            .send("POST", "/v1/passwords", None, &[("email_address", address)])
            .await;
        assert_eq!(status, 200);
        let mails = self.mails().await;
        let mail = mails
            .iter()
            .rfind(|mail| mail.contains("/passwords/edit#"))
            .unwrap();
        format!("/v1/passwords/{}", link_token(mail, "/passwords/edit#"))
    }

    /// One number, from the database itself.
    fn count(&self, sql: &str) -> i64 {
        match self {
            Self::InProcess(app) => count_in(app, sql),
            Self::OverTcp(test_server, _) => test_server.store().count(sql),
        }
    }

    /// Every mail that was sent, once nothing waits to be: its recipient and text.
    async fn mails(&self) -> Vec<String> {
        match self {
            Self::InProcess(app) => {
                let mails = app.mails().await;
                mails
                    .into_iter()
                    .map(|mail| format!("{} {}", mail.to, mail.text))
                    .collect()
            }
            Self::OverTcp(test_server, _) => {
                let deadline = std::time::Instant::now() + TIMEOUT;
                while self
                    .count("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL")
                    > 0
                {
                    assert!(std::time::Instant::now() < deadline, "a mail still waits");
                    std::thread::yield_now();
                }
                let Ok(files) = std::fs::read_dir(test_server.mail_folder()) else {
                    return Vec::new();
                };
                files
                    .map(|file| unfold(&std::fs::read_to_string(file.unwrap().path()).unwrap()))
                    .collect()
            }
        }
    }
}

/// Quoted-printable, as far as our mails use it.
fn unfold(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=")
}
