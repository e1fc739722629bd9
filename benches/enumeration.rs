//! `cargo bench --bench enumeration`: whether the replies to a known and to an unknown address can be told apart, by what
//! they say or by how long they take, where registration is private.
//!
//! The real binary, bcrypt at cost 10, one connection. Every try has an address of its own; a known and an unknown one
//! take turns, in random order, so that what drifts on a shared machine drifts for both. A pause behind every try lets the
//! mail worker end what the reply did not wait for. Prints the table that stands in docs/security/limitations.md; exits 1 when status,
//! headers or body differ, or medians by more than 5 %.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom::crypto::token::fill_random;
use serde_json::{Value, json};

use support::{Server, add_password, agent, empty_database, median, now_ms};

mod support;

const TRIES: usize = 300;
const WARM_UP: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);
const COST: u32 = 10;
const PASSWORD: &str = "correct horse battery staple";
const WRONG: &str = "wrong horse battery staple";
/// How far two medians may be apart, in percent.
const BOUND: f64 = 5.0;

/// One question that must not be answered.
struct Question {
    what: &'static str,
    path: &'static str,
    /// Sent with the address; `None` where the address is all.
    password: Option<&'static str>,
    /// Whether those who are known have confirmed their address.
    confirmed: bool,
    /// Whether those who are known have an authenticator app.
    factor: bool,
    /// Whether the others are known as well, without an app.
    others_known: bool,
    /// Whether a code is sent, for a request that is made before.
    has_code: bool,
}

impl Question {
    /// About a user without an app, and an unknown address.
    const fn new(
        what: &'static str,
        path: &'static str,
        password: Option<&'static str>,
        confirmed: bool,
    ) -> Self {
        Self {
            what,
            path,
            password,
            confirmed,
            factor: false,
            others_known: false,
            has_code: false,
        }
    }

    /// About a user with an app.
    const fn with_factor(self) -> Self {
        Self {
            factor: true,
            ..self
        }
    }

    /// With a code for a request that is made before.
    const fn with_code(self) -> Self {
        Self {
            has_code: true,
            ..self
        }
    }

    /// And a user without one.
    const fn against_users(self) -> Self {
        Self {
            others_known: true,
            ..self
        }
    }
}

const QUESTIONS: [Question; 11] = [
    Question::new("sign-in, wrong password", "/v1/session", Some(WRONG), true),
    Question::new(
        "sign-in, wrong password, with a second factor",
        "/v1/session",
        Some(WRONG),
        true,
    )
    .with_factor(),
    Question::new(
        "the same, and a user without one",
        "/v1/session",
        Some(WRONG),
        true,
    )
    .with_factor()
    .against_users(),
    Question::new("reset, with a second factor", "/v1/passwords", None, true).with_factor(),
    Question::new(
        "sign-in, right password, not confirmed",
        "/v1/session",
        Some(PASSWORD),
        false,
    ),
    Question::new("reset", "/v1/passwords", None, true),
    Question::new("resend, not confirmed", "/v1/confirmations", None, false),
    Question::new("resend, confirmed", "/v1/confirmations", None, true),
    Question::new("private sign-up", "/v1/registrations", Some(PASSWORD), true),
    Question::new("code by mail", "/v1/session/code", None, true),
    Question::new("wrong code by mail", "/v1/session", None, true).with_code(),
];

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    seed(folder.path());
    let server = start(folder.path());
    let client = Client::new(&server);

    println!("| question | known, ms | unknown, ms | difference | reply |");
    println!("|---|---|---|---|---|");
    let held: Vec<bool> = QUESTIONS
        .iter()
        .enumerate()
        .map(|(number, question)| ask(&client, number, question))
        .collect();
    if held.iter().all(|held| *held) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Sends one request for every kind of address, prints its row, and returns whether nothing was revealed.
fn ask(client: &Client, number: usize, question: &Question) -> bool {
    let mut times = [Vec::new(), Vec::new()];
    let mut replies: Vec<Reply> = Vec::new();
    for turn in 0..WARM_UP + TRIES {
        let known_first = coin();
        for known in [known_first, !known_first] {
            let (time, reply) = client.ask(question, &address(known, number, turn));
            if turn >= WARM_UP {
                times[usize::from(known)].push(time);
            }
            if !replies.contains(&reply) {
                replies.push(reply);
            }
            std::thread::sleep(PAUSE);
        }
    }
    let [unknown, known] = times.map(|times| median(&times));
    let difference = (known - unknown) / unknown * 100.0;
    let reply = if replies.len() == 1 {
        format!("{}, equal", replies[0].status)
    } else {
        "differs".into()
    };
    println!(
        "| {} | {known:.2} | {unknown:.2} | {difference:+.1} % | {reply} |",
        question.what
    );
    for reply in replies.iter().skip(1) {
        eprintln!("{}: {:?} and {reply:?}", question.what, replies[0]);
    }
    replies.len() == 1 && difference.abs() <= BOUND
}

/// As long for those who are known as for those who are not.
fn address(known: bool, question: usize, turn: usize) -> String {
    let name = if known { "known" } else { "other" };
    format!("{name}{question}-{turn:03}@example.com")
}

/// A file with an account for every known address.
fn seed(folder: &Path) {
    let digest = bcrypt::hash(PASSWORD, COST).expect("a digest");
    let mut connection = empty_database(folder);
    let transaction = connection.transaction().expect("a transaction");
    for (number, question) in QUESTIONS.iter().enumerate() {
        let known: &[bool] = match question.others_known {
            true => &[true, false],
            false => &[true],
        };
        let turns = (0..WARM_UP + TRIES).flat_map(|turn| known.iter().map(move |one| (*one, turn)));
        for (first, turn) in turns {
            transaction
                .execute(
                    "INSERT INTO users (email_address, created_at, updated_at, email_confirmed_at)
                     VALUES (?1, ?2, ?2, ?3)",
                    (
                        address(first, number, turn),
                        now_ms(),
                        question.confirmed.then(now_ms),
                    ),
                )
                .expect("a user");
            let user = transaction.last_insert_rowid();
            add_password(&transaction, user, &digest);
            if question.factor && first {
                add_factor(&transaction, user);
            }
        }
    }
    transaction.commit().expect("the users");
}

/// An authenticator app and recovery codes, which no right password here reaches.
fn add_factor(transaction: &rusqlite::Transaction<'_>, user: i64) {
    transaction
        .execute(
            "INSERT INTO totp_factors (user_id, sealed_secret, key_base, created_at, enrolled_at, last_step)
             VALUES (?1, zeroblob(48), 'unknown', ?2, ?2, 0)",
            (user, now_ms()),
        )
        .expect("an authenticator app");
    for _ in 0..10 {
        transaction
            .execute(
                "INSERT INTO recovery_codes (user_id, code_digest, created_at) VALUES (?1, randomblob(32), ?2)",
                (user, now_ms()),
            )
            .expect("a recovery code");
    }
}

fn start(folder: &Path) -> Server {
    let (cost, many) = (COST.to_string(), "1000000 in 1h");
    Server::start(
        folder,
        &[
            ("CLOAKROOM_ENV", "test"),
            ("CLOAKROOM__PASSWORD__BCRYPT_COST", &cost),
            ("CLOAKROOM__REGISTRATION__CONFIRM", "required"),
            ("CLOAKROOM__REGISTRATION__PRIVATE", "true"),
            ("CLOAKROOM__THROTTLE__ENABLED", "true"),
            // Counted as ever, and never reached by one client.
            ("CLOAKROOM__THROTTLE__SIGN_IN", many),
            ("CLOAKROOM__THROTTLE__SIGN_UP", many),
            ("CLOAKROOM__THROTTLE__RESET", many),
            ("CLOAKROOM__THROTTLE__CONFIRMATION", many),
            ("CLOAKROOM__THROTTLE__MAIL_CODE", many),
        ],
    )
}

/// One connection, kept.
struct Client {
    agent: ureq::Agent,
    base: String,
}

impl Client {
    fn new(server: &Server) -> Self {
        Self {
            agent: agent(),
            base: format!("http://{}", server.address),
        }
    }

    /// Gives the milliseconds until the whole reply was there, and the reply.
    fn ask(&self, question: &Question, address: &str) -> (f64, Reply) {
        let mut body = json!({ "email_address": address });
        if let Some(password) = question.password {
            body["password"] = json!(password);
        }
        if question.has_code {
            let asked = self.post("/v1/session/code", &body).1;
            body["request_token"] = asked["request_token"].clone();
            body["code"] = json!("00000000");
            // The mail is sent meanwhile.
            std::thread::sleep(PAUSE);
        }
        let started = Instant::now();
        let (reply, mut body) = self.post(question.path, &body);
        let time = started.elapsed().as_secs_f64() * 1e3;

        let fields = body.as_object_mut().expect("an object");
        for random in ["request_id", "request_token", "expires_at"] {
            fields.remove(random);
        }
        let headers = reply
            .headers()
            .iter()
            .filter(|(name, _)| *name != "x-request-id" && *name != "date");
        let mut headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort();
        (
            time,
            Reply {
                status: reply.status().as_u16(),
                headers,
                body,
            },
        )
    }

    fn post(&self, path: &str, body: &Value) -> (ureq::http::Response<ureq::Body>, Value) {
        let url = format!("{}{path}", self.base);
        let request = self
            .agent
            .post(&url)
            .header("Content-Type", "application/json");
        let mut reply = request.send(body.to_string()).expect("a reply");
        let text = reply.body_mut().read_to_string().expect("a body");
        let body = serde_json::from_str(&text).expect("a body of JSON");
        (reply, body)
    }
}

/// The content of a reply, without what differs in every one.
#[derive(Debug, PartialEq)]
struct Reply {
    status: u16,
    headers: Vec<String>,
    body: Value,
}

fn coin() -> bool {
    let mut byte = [0];
    fill_random(&mut byte).expect("randomness");
    byte[0] % 2 == 0
}
