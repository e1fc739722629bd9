//! Files with many sessions. Of these, some have tokens that are known; the others have random digests, which SQLite makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use cloakroom::crypto::token::{PlainToken, TokenKind};
use rusqlite::Connection;

use crate::credentials::{add_keys, mint_access_tokens};
use crate::support::{database, empty_database, now_ms};
use crate::wrk::{API_KEY, BEARER, write_script, write_script_of};

/// Sessions whose tokens are known, spread over all.
const KNOWN: u64 = 100_000;
/// Fewer, since a service has a handful of callers, and each calls often.
const KEYS: usize = 10_000;
const ACCESS_TOKENS: i64 = 1_000;
/// Users with projects.
const OWNERS: u64 = 2_000;
const AT_RANDOM: &str = "math.random(#tokens)";

/// A route, and the requests for it.
pub struct Variant {
    pub name: &'static str,
    pub path: &'static str,
    pub script: PathBuf,
    pub is_bare: bool,
}

pub struct Seeded {
    pub variants: Vec<Variant>,
}

impl Seeded {
    /// Makes the file, unless it is there already.
    pub fn in_folder(folder: &Path, sessions: u64) -> Self {
        if !folder.join("complete").exists() {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).expect("a folder");
            seed(folder, sessions);
            fs::write(folder.join("complete"), "").expect("a mark");
        }
        let script = |name: &str| folder.join(format!("{name}.lua"));
        let variant = |name, path, requests: &str| Variant {
            name,
            path,
            script: script(requests),
            is_bare: false,
        };
        let bare = Variant {
            is_bare: true,
            ..variant("bare", "/up", "sessions")
        };
        let variants = vec![
            bare,
            variant("up", "/up", "sessions"),
            variant("session", "/v1/session", "sessions"),
            variant("session by cookie", "/v1/session", "cookies"),
            variant("session by API key", "/v1/session", "keys"),
            variant("session by access token", "/v1/session", "access"),
            variant("user", "/v1/user", "sessions"),
            variant("verify", "/v1/verify", "sessions"),
            variant("verify API key", "/v1/verify", "keys"),
            variant("verify access token", "/v1/verify", "access"),
            variant("introspect", "/v1/introspect", "introspections"),
            variant("projects", "/v1/projects?limit=10", "owners"),
        ];
        Self { variants }
    }
}

fn seed(folder: &Path, sessions: u64) {
    let mut file = empty_database(folder);
    let settings = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -4000000;";
    // The threads that created it are closing it.
    while file.execute_batch(settings).is_err() {
        sleep(Duration::from_millis(10));
    }
    let now = now_ms();
    let numbers =
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)";
    for insert in [
        // In the order of the index on addresses.
        "INSERT INTO users (id, email_address, created_at, updated_at)
         SELECT n, printf('user%09d@example.com', n), ?2, ?2 FROM numbers",
        // Unused for an hour.
        "INSERT INTO sessions (id, user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
         SELECT n, n, randomblob(32), '127.0.0.1', ?2 - 3600000, ?2 - 3600000, ?2 + 86400000 FROM numbers",
    ] {
        file.execute(&format!("{numbers} {insert}"), (sessions as i64, now))
            .expect("the rows");
    }
    let known = give_tokens(&mut file, sessions);
    let owners: Vec<String> = add_projects(&mut file, &known);
    let tokens: Vec<String> = known.into_iter().map(|(_, token)| token).collect();
    let keys = add_keys(&mut file, KEYS.min(sessions as usize));
    let access = mint_access_tokens(1..=ACCESS_TOKENS);
    let get = |name, header, tokens: &[String]| {
        write_script(folder, name, "GET", header, tokens, AT_RANDOM);
    };
    get("sessions", BEARER, &tokens);
    get("owners", BEARER, &owners);
    get("keys", API_KEY, &keys);
    get("access", BEARER, &access);
    let cookie = r#"wrk.format("GET", nil, { ["Cookie"] = "cloakroom=" .. token })"#;
    write_script_of(folder, "cookies", cookie, &tokens, AT_RANDOM);
    let introspection = format!(
        r#"wrk.format("POST", nil, {{ ["X-API-Key"] = "{}", ["Content-Type"] = "application/x-www-form-urlencoded" }}, "token=" .. token)"#,
        keys[0]
    );
    write_script_of(folder, "introspections", &introspection, &tokens, AT_RANDOM);
    drop(file);
    Connection::open(database(folder))
        .and_then(|file| file.execute_batch("PRAGMA journal_mode = WAL"))
        .expect("a file that the server opens");
}

/// Gives some sessions known tokens; returns their ids and tokens.
fn give_tokens(file: &mut Connection, sessions: u64) -> Vec<(i64, String)> {
    let known = KNOWN.min(sessions);
    let transaction = file.transaction().expect("a transaction");
    let tokens = (0..known)
        .map(|number| {
            let id = (1 + number * sessions / known) as i64;
            let token = PlainToken::generate(TokenKind::Session).expect("randomness");
            transaction
                .prepare_cached("UPDATE sessions SET token_digest = ?1 WHERE id = ?2")
                .expect("a statement")
                .execute((token.digest().as_bytes(), id))
                .expect("a token");
            (id, token.reveal().to_owned())
        })
        .collect();
    transaction.commit().expect("the tokens");
    tokens
}

/// A dozen for each of some users; returns the tokens of these.
fn add_projects(file: &mut Connection, known: &[(i64, String)]) -> Vec<String> {
    let now = now_ms();
    let owners = known
        .iter()
        .step_by((known.len() / OWNERS.min(known.len() as u64) as usize).max(1));
    let transaction = file.transaction().expect("a transaction");
    let tokens = owners
        .map(|(owner, token)| {
            for number in 0..12 {
                transaction
                    .prepare_cached(
                        "INSERT INTO projects (user_id, title, description, created_at, updated_at)
                         VALUES (?1, ?2, 'A few words about what it is for', ?3, ?3)",
                    )
                    .expect("a statement")
                    .execute((owner, format!("Project {number}"), now))
                    .expect("a project");
            }
            token.clone()
        })
        .collect();
    transaction.commit().expect("the projects");
    tokens
}
