//! A file that an earlier release wrote: every credential, link, mail and limit in it keeps its meaning.
//!
//! Each check works on its own copy of `tests/fixtures/schema_3.db`; its content is described in the README there.

use std::collections::BTreeMap;
use std::time::Duration;

use cloakroom::config::{Confirm, Secret, Settings};
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::scope::Scopes;
use cloakroom::testing::{Reply, TestApp};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{assert_refused, count_in};
use crate::support::credentials::claims;
use crate::support::limits::peer;

/// The network and the browser that the fixture's users signed in from.
const KNOWN_NETWORK: &str = "192.0.2.1";
const BROWSER: &str = "Firefox/144.0 (fixture)";
/// Tables of the fixture that have another name today.
const RENAMED_TABLES: &[(&str, &str)] = &[
    ("devices", "known_devices"),
    ("ended_access", "revoked_access_tokens"),
    ("heartbeat", "write_probe"),
];

/// `tests/fixtures/schema_3.json`: what the release that wrote the file answered.
#[derive(Deserialize)]
struct Manifest {
    /// The time at which all of it holds.
    instant: String,
    key_base: String,
    users: BTreeMap<String, i64>,
    /// Rows by table, under the names of schema 3.
    rows: BTreeMap<String, i64>,
    /// Plaintext tokens by kind and name: `session/ordinary`.
    secrets: BTreeMap<String, String>,
    /// Mails that are due at the instant.
    mails_due: Vec<Mail>,
    /// Mails that are leased or put off then, and due ten minutes later.
    mails_later: Vec<Mail>,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Mail {
    to: String,
    message_id: String,
    /// The token of its link.
    link: Option<String>,
}

/// A request and its reply. `{session/ordinary}` in path or body stands for that secret.
#[derive(Deserialize)]
struct Check {
    name: String,
    /// Method and path.
    request: String,
    /// Name of the secret to present; empty for none.
    credential: String,
    body: Value,
    status: u16,
    /// The fields that do not vary, without texts for people.
    reply: Value,
    retry_after: Option<String>,
}

/// An app on a copy of the fixture, its clock at the instant.
struct Upgraded {
    app: TestApp,
    manifest: Manifest,
    _folder: TempDir,
}

impl Upgraded {
    async fn open() -> Self {
        Self::with_settings(|_| ()).await
    }

    async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        let manifest: Manifest =
            serde_json::from_str(include_str!("../fixtures/schema_3.json")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cloakroom.db");
        std::fs::write(&file, include_bytes!("../fixtures/schema_3.db")).unwrap();
        let app = TestApp::with_settings(|settings| {
            // A file, whatever engine the other tests use.
            (settings.database.path, settings.database.url) = (file, None);
            settings.secrets.key_base = Some(Secret::from(manifest.key_base.clone()));
            settings.throttle.enabled = true;
            // As every reply of that program did.
            settings.tokens.show_unverified_email = true;
            settings.tokens.scopes = Scopes::parse("projects:read projects:write").unwrap();
            change(settings);
        })
        .await;
        app.clock()
            .set(Timestamp::parse(&manifest.instant).unwrap());
        Self {
            app,
            manifest,
            _folder: folder,
        }
    }

    fn secret(&self, name: &str) -> &str {
        &self.manifest.secrets[name]
    }

    /// Replaces `{name}` by the secret of that name.
    fn fill_in(&self, text: &str) -> String {
        let secrets = self.manifest.secrets.iter();
        secrets.fold(text.to_owned(), |text, (name, secret)| {
            text.replace(&format!("{{{name}}}"), secret)
        })
    }

    async fn send(&self, request: &str, credential: &str, ip: &str, body: &Value) -> Reply {
        let (method, path) = request.split_once(' ').unwrap();
        let mut call = self
            .app
            .call(method.parse().unwrap(), &self.fill_in(path))
            .from(peer(ip))
            .header("User-Agent", BROWSER);
        if credential == "session/cookie" {
            call = call.cookie(self.secret(credential)).same_origin();
        } else if !credential.is_empty() {
            call = call.bearer(self.secret(credential));
        }
        if !body.is_null() {
            call = call.body("application/json", self.fill_in(&body.to_string()));
        }
        call.send().await
    }

    async fn sign_in(&self, user: &str, password: &str, ip: &str) -> Reply {
        let address = format!("{user}@example.com");
        let body = json!({ "email_address": address, "password": password });
        self.send("POST /v1/session", "", ip, &body).await
    }

    async fn refresh(&self, name: &str) -> Reply {
        let body = json!({ "refresh_token": format!("{{{name}}}") });
        self.send("POST /v1/tokens/refresh", "", KNOWN_NETWORK, &body)
            .await
    }

    /// Delivers what is due; returns the mails delivered since the `skip` first.
    async fn delivered_after(&self, skip: usize) -> Vec<Mail> {
        let sent = self.app.mails().await.split_off(skip);
        sent.into_iter()
            .map(|mail| Mail {
                link: token_of_link(&mail.text),
                to: mail.to,
                message_id: mail.message_id,
            })
            .collect()
    }
}

fn token_of_link(text: &str) -> Option<String> {
    let paths = ["/passwords/edit#", "/confirmations#", "/unlocks#"];
    let (_, rest) = paths.iter().find_map(|path| text.split_once(path))?;
    let end = |c: char| c == '/' || c.is_whitespace();
    rest.split(end).next().map(str::to_owned)
}

/// Whether a reply still has all that it had; it may have more by now.
fn includes(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected.iter().all(|(name, value)| {
            actual
                .get(name)
                .is_some_and(|actual| includes(actual, value))
        }),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected)
                    .all(|(actual, expected)| includes(actual, expected))
        }
        _ => actual == expected,
    }
}

/// Sends the checks of one kind; those that change nothing share one copy.
async fn assert_checks_hold(kind: &str) {
    let shared = Upgraded::open().await;
    let mut held = 0;
    // A token whose successor was used as well is refused since, and creating a key needs the password; both have a test
    // of their own.
    let changed = ["refresh/spent twice", "sign-up/no key id comes twice"];
    let of_kind = |check: &&Check| {
        check.name.split('/').next() == Some(kind) && !changed.contains(&check.name.as_str())
    };
    for check in shared.manifest.checks.iter().filter(of_kind) {
        let own;
        let upgraded = if check.request == "POST /v1/introspect" {
            &shared
        } else {
            own = Upgraded::open().await;
            &own
        };
        let reply = upgraded.send(
            &check.request,
            &check.credential,
            KNOWN_NETWORK,
            &check.body,
        );
        let reply = reply.await;
        let name = &check.name;
        held += 1;
        // No credential of that release had the scope that this needs since.
        let is_scoped = ["access/", "key/"]
            .iter()
            .any(|kind| check.credential.starts_with(kind));
        let reads_user = ["GET /v1/session", "GET /v1/user"].contains(&&*check.request);
        if is_scoped && check.status == 200 && reads_user {
            assert_refused(&reply, 403, "insufficient_scope");
            continue;
        }
        assert_eq!(reply.status, check.status, "{name}: {}", reply.text());
        assert_eq!(
            reply.header("retry-after"),
            check.retry_after.as_deref(),
            "{name}"
        );
        let (replied, recorded) = (with_claims(reply.json()), with_claims(check.reply.clone()));
        assert!(
            includes(&replied, &recorded),
            "{name}: {replied} lacks some of {recorded}"
        );
    }
    assert!(held > 0, "no check is of the kind {kind}");
}

/// A reply whose access token is replaced by its claims: later releases add some.
fn with_claims(mut reply: Value) -> Value {
    if let Some(token) = reply.get_mut("access_token")
        && let Some(text) = token.as_str()
    {
        *token = claims(text);
    }
    reply
}

#[actix_web::test]
async fn an_upgrade_keeps_every_session() {
    assert_checks_hold("session").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_every_api_key() {
    assert_checks_hold("key").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_every_access_token() {
    assert_checks_hold("access").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_every_refresh_token() {
    assert_checks_hold("refresh").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_every_mailed_link() {
    assert_checks_hold("link").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_passwords_and_locked_addresses() {
    assert_checks_hold("sign-in").await;
}

#[actix_web::test]
async fn an_upgrade_reuses_no_id_and_no_address() {
    assert_checks_hold("sign-up").await;
}

#[actix_web::test]
async fn an_upgrade_reuses_no_key_id() {
    let upgraded = Upgraded::open().await;
    let body = json!({
        "name": "Next", "scopes": ["projects:read"], "password_challenge": "password",
    });
    let (path, credential) = ("POST /v1/api_keys", "session/ordinary");
    let reply = upgraded.send(path, credential, KNOWN_NETWORK, &body).await;
    assert_eq!(reply.json()["api_key"]["id"], 13, "{}", reply.text());
}

#[actix_web::test]
async fn an_upgrade_keeps_lists_and_verification_keys() {
    assert_checks_hold("lists").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_reauthentication() {
    assert_checks_hold("sudo").await;
}

#[actix_web::test]
async fn an_upgrade_keeps_every_row() {
    let upgraded = Upgraded::open().await;
    for (table, rows) in &upgraded.manifest.rows {
        let renamed = RENAMED_TABLES.iter().find(|(before, _)| before == table);
        let name = renamed.map_or(table.as_str(), |(_, now)| now);
        let counted = count_in(&upgraded.app, &format!("SELECT count(*) FROM {name}"));
        assert_eq!(counted, *rows, "{table}");
    }
}

#[actix_web::test]
async fn after_an_upgrade_refreshing_goes_on() {
    let upgraded = Upgraded::open().await;
    for name in ["ordinary", "third generation", "successor"] {
        let reply = upgraded.refresh(&format!("refresh/{name}")).await.json();
        let access = reply["access_token"].as_str().unwrap();
        let opened = upgraded.app.get("/v1/projects").bearer(access).send().await;
        assert_eq!(opened.status, 200, "{name}");
        let body = json!({ "refresh_token": reply["refresh_token"] });
        let again = upgraded.send("POST /v1/tokens/refresh", "", KNOWN_NETWORK, &body);
        assert_eq!(again.await.status, 200, "{name}");
    }
}

#[actix_web::test]
async fn a_token_spent_before_an_upgrade_has_one_successor() {
    let upgraded = Upgraded::open().await;
    for (spent, successor) in [
        ("spent", "successor"),
        ("successor, spent", "second successor"),
    ] {
        let reply = upgraded.refresh(&format!("refresh/{spent}")).await.json();
        let kept = json!({
            "access_token": upgraded.secret(&format!("access/{successor}")),
            "refresh_token": upgraded.secret(&format!("refresh/{successor}")),
        });
        assert!(includes(&with_claims(reply), &with_claims(kept)), "{spent}");
    }
    let used = upgraded.refresh("refresh/spent twice").await;
    assert_refused(&used, 400, "invalid_grant");
    // Ten seconds after it was spent it counts as stolen.
    upgraded.app.clock().advance(Duration::from_secs(4));
    assert_refused(
        &upgraded.refresh("refresh/spent").await,
        400,
        "invalid_grant",
    );
    let ended = upgraded.send(
        "GET /v1/session",
        "session/ordinary",
        KNOWN_NETWORK,
        &Value::Null,
    );
    assert_refused(&ended.await, 401, "token_invalid");
}

#[actix_web::test]
async fn mails_waiting_during_an_upgrade_are_delivered() {
    let upgraded = Upgraded::open().await;
    let due = upgraded.delivered_after(0).await;
    // The order has changed: mails that a sign-up causes are sent last.
    assert_eq!(sorted(&due), sorted(&upgraded.manifest.mails_due));
    upgraded.app.clock().advance(Duration::from_secs(600));
    let later = upgraded.delivered_after(due.len()).await;
    assert_eq!(sorted(&later), sorted(&upgraded.manifest.mails_later));
}

fn sorted(mails: &[Mail]) -> Vec<&Mail> {
    let mut mails: Vec<&Mail> = mails.iter().collect();
    mails.sort_by(|a, b| a.message_id.cmp(&b.message_id));
    mails
}

#[actix_web::test]
async fn links_mailed_after_an_upgrade_work() {
    let passwords =
        json!({ "password": "another password", "password_confirmation": "another password" });
    for (to, path, body) in [
        ("one", "passwords", &passwords),
        ("two", "passwords", &passwords),
        ("squatted", "confirmations", &Value::Null),
        ("waiting-new", "confirmations", &Value::Null),
        ("waiting", "unlocks", &Value::Null),
    ] {
        let upgraded = Upgraded::open().await;
        let address = format!("{to}@example.com");
        let mails = upgraded.delivered_after(0).await;
        let linked = mails.iter().filter(|mail| mail.to == address);
        let token = linked.filter_map(|mail| mail.link.as_ref()).next().unwrap();
        let request = format!("PUT /v1/{path}/{token}");
        let reply = upgraded.send(&request, "", KNOWN_NETWORK, body).await;
        assert_eq!(reply.status, 200, "{to}: {}", reply.text());
    }
}

#[actix_web::test]
async fn a_reset_link_mailed_before_an_upgrade_resets() {
    let upgraded = Upgraded::open().await;
    let body =
        json!({ "password": "another password", "password_confirmation": "another password" });
    let request = "PUT /v1/passwords/{link/reset of reset}";
    let reply = upgraded.send(request, "", KNOWN_NETWORK, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let old = upgraded.send(
        "GET /v1/session",
        "session/reset",
        KNOWN_NETWORK,
        &Value::Null,
    );
    assert_refused(&old.await, 401, "token_invalid");
    for (password, status) in [("password", 401), ("another password", 200)] {
        let reply = upgraded.sign_in("reset", password, KNOWN_NETWORK).await;
        assert_eq!(reply.status, status, "{password}");
    }
}

#[actix_web::test]
async fn an_unlock_link_mailed_before_an_upgrade_unlocks() {
    let upgraded = Upgraded::open().await;
    let locked = upgraded.sign_in("locked", "password", KNOWN_NETWORK).await;
    assert_refused(&locked, 429, "rate_limited");
    let request = "PUT /v1/unlocks/{link/unlock of locked}";
    let reply = upgraded
        .send(request, "", KNOWN_NETWORK, &Value::Null)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let unlocked = upgraded.sign_in("locked", "password", KNOWN_NETWORK).await;
    assert_eq!(unlocked.status, 200, "{}", unlocked.text());
}

#[actix_web::test]
async fn an_upgrade_resets_no_limit_of_a_network() {
    let upgraded = Upgraded::open().await;
    let refused = upgraded.sign_in("one", "password", "203.0.113.99").await;
    assert_refused(&refused, 429, "rate_limited");
    // Its window began 40 seconds before the instant.
    assert_eq!(refused.header("retry-after"), Some("140"));
    let another = upgraded.sign_in("one", "password", "203.0.113.98").await;
    assert_eq!(another.status, 200, "{}", another.text());
}

#[actix_web::test]
async fn an_upgrade_remembers_known_devices() {
    for (ip, mails) in [(KNOWN_NETWORK, 0), ("198.51.100.9", 0), ("203.0.113.98", 1)] {
        let upgraded = Upgraded::open().await;
        let before = upgraded.delivered_after(0).await.len();
        let reply = upgraded.sign_in("one", "password", ip).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let sent = upgraded.delivered_after(before).await;
        assert_eq!(sent.len(), mails, "{ip}: {sent:?}");
    }
}

#[actix_web::test]
async fn an_upgrade_keeps_which_addresses_are_verified() {
    let upgraded =
        Upgraded::with_settings(|settings| settings.registration.confirm = Confirm::Required).await;
    for (user, password, status) in [
        ("one", "password", 200),
        ("moved-new", "password", 200),
        ("two", "password", 403),
        ("pending", "password", 403),
        ("squatted", "the squatter's", 403),
    ] {
        let reply = upgraded.sign_in(user, password, KNOWN_NETWORK).await;
        assert_eq!(reply.status, status, "{user}: {}", reply.text());
    }
}

#[actix_web::test]
async fn an_upgrade_keeps_each_users_id() {
    let upgraded = Upgraded::open().await;
    for (user, password, address) in [
        ("one", "password", "one"),
        ("moved", "password", "moved-new"),
        ("rails", "password", "rails"),
        ("changed", "a new password", "changed"),
    ] {
        let reply = upgraded.sign_in(address, password, KNOWN_NETWORK).await;
        let id = &reply.json()["user"]["id"];
        assert_eq!(id, &json!(upgraded.manifest.users[user]), "{user}");
    }
}
