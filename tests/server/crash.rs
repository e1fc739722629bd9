//! `kill -9` in the middle of everything, again and again: what was acknowledged is still true afterwards.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::flows::link_token;
use crate::support::process::{Server, TestServer, agent, request};

const ROUNDS: usize = 30;
const WORKERS: usize = 4;
/// What the workers do.
const STEPS: [&str; 6] = [
    "sign-ups",
    "projects",
    "sign-outs",
    "resets",
    "password changes",
    "rotations",
];

/// Method, path, token and body; nothing when there was no answer.
type Call<'a> = &'a dyn Fn(&str, &str, Option<&str>, Value) -> Option<(u16, Value)>;

#[test]
fn acknowledged_writes_survive_kill_9() {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("CRASH_SEED={seed}");
    let mut dice = Dice(seed);
    let test_server = TestServer::new();
    let mut workers: Vec<Worker> = (0..WORKERS)
        .map(|number| Worker::new(number, dice.roll()))
        .collect();
    for _ in 0..ROUNDS {
        let mut server = test_server.serve();
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for worker in &mut workers {
                scope.spawn(|| worker.work(&test_server, &server, &ended));
            }
            // The moment of the crash: nothing to wait for.
            thread::sleep(Duration::from_millis(10 + dice.roll() % 190));
            server.signal("KILL");
            ended.store(true, Ordering::Relaxed);
        });
        server.kill();
        let server = test_server.serve();
        assert_sound(&test_server);
        verify_all(&mut workers, &server, Scope::Latest);
    }
    let server = test_server.serve();
    verify_all(&mut workers, &server, Scope::All);
    let told = STEPS.map(|step| {
        (
            step,
            workers
                .iter()
                .filter_map(|worker| worker.told.get(step))
                .sum::<usize>(),
        )
    });
    println!("{told:?}");
    assert!(
        told.iter().all(|&(_, count)| count > 0),
        "something was never under way: {told:?}"
    );
}

fn assert_sound(test_server: &TestServer) {
    let found: String = test_server
        .open_database()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, "ok");
}

fn verify_all(workers: &mut [Worker], server: &Server, scope: Scope) {
    thread::scope(|threads| {
        for worker in workers {
            threads.spawn(|| worker.verify(server, scope));
        }
    });
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// The accounts made since the last time.
    Latest,
    All,
}

/// One client and all replies that it received.
struct Worker {
    number: usize,
    dice: Dice,
    accounts: Vec<Account>,
    verified: usize,
    read: HashSet<PathBuf>,
    /// How many of each step were acknowledged.
    told: HashMap<&'static str, usize>,
}

/// What is certain, and what was requested when the server was killed.
struct Account {
    address: String,
    /// One, or two when a change got no answer: the new one last.
    passwords: Vec<String>,
    outdated: Vec<String>,
    /// The first does the work.
    alive: Vec<Session>,
    /// Valid while the first of two passwords is right, revoked when the new one is.
    doubtful: Vec<Session>,
    /// One whose rotation got no reply: it has this token, or an unknown one.
    rotating: Option<Session>,
    /// Sessions that continue with an unknown token.
    unopened: Vec<i64>,
    /// Tokens.
    dead: Vec<String>,
    projects: Vec<i64>,
}

struct Session {
    id: i64,
    token: String,
}

impl Worker {
    fn new(number: usize, seed: u64) -> Self {
        Self {
            number,
            dice: Dice(seed),
            accounts: Vec::new(),
            verified: 0,
            read: HashSet::new(),
            told: HashMap::new(),
        }
    }

    fn note(&mut self, step: &'static str) {
        *self.told.entry(step).or_default() += 1;
    }

    /// Works until the server is gone.
    fn work(&mut self, test_server: &TestServer, server: &Server, ended: &AtomicBool) {
        let agent = agent();
        let call = |method: &str, path: &str, token: Option<&str>, body: Value| {
            let answer = request(&agent, &server.url(path), method, token, Some(&body)).ok();
            assert!(
                answer.as_ref().is_none_or(|(status, _)| *status < 500),
                "{answer:?}"
            );
            answer
        };
        let steps = |worker: &mut Self| -> Option<()> {
            loop {
                worker.sign_up(&call)?;
                for _ in 0..worker.dice.roll() % 3 {
                    worker.add_project(&call)?;
                }
                match worker.dice.roll() % 5 {
                    0 => worker.sign_out(&call)?,
                    1 => worker.reset(test_server, &call, ended)?,
                    2 => worker.change_password(&call)?,
                    3 => worker.rotate(&call)?,
                    _ => {}
                }
            }
        };
        steps(self);
    }

    fn sign_up(&mut self, call: Call<'_>) -> Option<()> {
        let unique = self.dice.roll();
        let (address, password) = (
            format!("w{}-{unique}@example.com", self.number),
            format!("first {unique}"),
        );
        let credentials = json!({ "email_address": address, "password": password });
        let (status, reply) = call("POST", "/v1/registrations", None, credentials)?;
        assert_eq!(status, 201, "{reply}");
        self.accounts.push(Account {
            address,
            passwords: vec![password],
            outdated: Vec::new(),
            alive: vec![Session::of(&reply)],
            doubtful: Vec::new(),
            rotating: None,
            unopened: Vec::new(),
            dead: Vec::new(),
            projects: Vec::new(),
        });
        self.note("sign-ups");
        Some(())
    }

    fn add_project(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let (status, reply) = call(
            "POST",
            "/v1/projects",
            Some(&account.alive[0].token),
            json!({ "title": "Ours" }),
        )?;
        assert_eq!(status, 201, "{reply}");
        account.projects.push(reply["project"]["id"].as_i64()?);
        self.note("projects");
        Some(())
    }

    fn sign_out(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        // Without a reply the outcome is unknown.
        let token = account.alive.pop()?.token;
        let (status, reply) = call("DELETE", "/v1/session", Some(&token), json!({}))?;
        assert_eq!(status, 200, "{reply}");
        account.dead.push(token);
        self.note("sign-outs");
        Some(())
    }

    fn reset(
        &mut self,
        test_server: &TestServer,
        call: Call<'_>,
        ended: &AtomicBool,
    ) -> Option<()> {
        let account = self.accounts.last_mut()?;
        call(
            "POST",
            "/v1/passwords",
            None,
            json!({ "email_address": account.address }),
        )?;
        let link = loop {
            if let Some(letter) = unread_letter(test_server, &mut self.read, &account.address) {
                break link_token(&letter, "/passwords/edit#");
            }
            if ended.load(Ordering::Relaxed) {
                return None;
            }
            thread::yield_now();
        };
        let password = format!("second {}", self.dice.roll());
        let body = json!({ "password": password, "password_confirmation": password });
        account.ask_for(password, 0);
        let (status, reply) = call("PUT", &format!("/v1/passwords/{link}"), None, body)?;
        assert_eq!(status, 200, "{reply}");
        account.replace_password();
        self.note("resets");
        Some(())
    }

    /// On one of two devices.
    fn change_password(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let old = account.passwords[0].clone();
        let credentials = json!({ "email_address": account.address, "password": old });
        let (status, reply) = call("POST", "/v1/session", None, credentials)?;
        assert_eq!(status, 200, "{reply}");
        account.alive.push(Session::of(&reply));

        let kept = account.rotating.insert(account.alive.remove(0));
        let token = kept.token.clone();
        let password = format!("third {}", self.dice.roll());
        let body = json!({ "password_challenge": old, "password": password, "password_confirmation": password });
        account.ask_for(password, 0);
        let (status, reply) = call("PUT", "/v1/user/password", Some(&token), body)?;
        assert_eq!(status, 200, "{reply}");
        account.replace_password();
        account.alive.push(Session::of(&reply));
        account
            .dead
            .extend(account.rotating.take().map(|session| session.token));
        self.note("password changes");
        Some(())
    }

    fn rotate(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let Session { id, token } = account.rotating.insert(account.alive.pop()?);
        let (status, reply) = call("POST", "/v1/session/rotate", Some(token), json!({}))?;
        assert_eq!(status, 200, "{reply}");
        let rotated = Session::of(&reply);
        assert_eq!(rotated.id, *id, "{reply}");
        account.alive.push(rotated);
        account
            .dead
            .extend(account.rotating.take().map(|session| session.token));
        self.note("rotations");
        Some(())
    }

    fn verify(&mut self, server: &Server, scope: Scope) {
        let agent = agent();
        let from = if scope == Scope::All {
            0
        } else {
            self.verified
        };
        for account in &mut self.accounts[from..] {
            account.verify(|method, path, token, body| {
                request(&agent, &server.url(path), method, token, body).unwrap()
            });
        }
        self.verified = self.accounts.len();
    }
}

impl Account {
    /// A new password is requested, which ends all sessions but so many.
    fn ask_for(&mut self, password: String, keep: usize) {
        self.passwords.push(password);
        self.doubtful = self.alive.split_off(keep);
    }

    /// The new password is the right one.
    fn replace_password(&mut self) {
        self.outdated.push(self.passwords.remove(0));
        self.dead
            .extend(self.doubtful.drain(..).map(|session| session.token));
    }

    /// It is not.
    fn keep_password(&mut self) {
        self.outdated.extend(self.passwords.drain(1..));
        self.alive.append(&mut self.doubtful);
    }

    /// Finds out whether what got no reply was done; from then on it is certain like the rest.
    fn verify(&mut self, call: impl Fn(&str, &str, Option<&str>, Option<&Value>) -> (u16, Value)) {
        let address = self.address.clone();
        let sign_in = |password: &str| {
            let credentials = json!({ "email_address": address, "password": password });
            let (status, reply) = call("POST", "/v1/session", None, Some(&credentials));
            match status {
                200 => Some(Session::of(&reply)),
                401 => None,
                _ => panic!("neither yes nor no but {reply}"),
            }
        };
        let status = |token: &str| call("GET", "/v1/session", Some(token), None).0;

        let mut opened: Vec<Option<Session>> = self
            .passwords
            .iter()
            .map(|password| sign_in(password))
            .collect();
        assert_eq!(
            opened.iter().flatten().count(),
            1,
            "{address} has one password"
        );
        match opened[0] {
            Some(_) => self.keep_password(),
            None => self.replace_password(),
        }
        let Session { token, .. } = opened.drain(..).flatten().next().unwrap();
        if let Some(session) = self.rotating.take() {
            match status(&session.token) {
                200 => self.alive.push(session),
                401 => {
                    self.unopened.push(session.id);
                    self.dead.push(session.token);
                }
                other => panic!("neither yes nor no but {other}"),
            }
        }

        for password in &self.outdated {
            assert!(
                sign_in(password).is_none(),
                "{address} has another password"
            );
        }
        for session in &self.alive {
            assert_eq!(status(&session.token), 200, "{address} was signed in");
        }
        for token in &self.dead {
            assert_eq!(status(token), 401, "{address} was signed out");
        }
        let ids = |path: &str, name: &str| -> Vec<i64> {
            let (_, reply) = call("GET", path, Some(&token), None);
            reply[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_i64().unwrap())
                .collect()
        };
        let sessions = ids("/v1/sessions", "sessions");
        for id in self
            .alive
            .iter()
            .map(|session| &session.id)
            .chain(&self.unopened)
        {
            assert!(sessions.contains(id), "{address} had session {id}");
        }
        let projects = ids("/v1/projects", "projects");
        for project in &self.projects {
            assert!(
                projects.contains(project),
                "{address} had project {project}"
            );
        }
    }
}

impl Session {
    fn of(reply: &Value) -> Self {
        let token = reply["token"].as_str().unwrap().to_owned();
        Self {
            id: reply["session"]["id"].as_i64().unwrap(),
            token,
        }
    }
}

fn unread_letter(
    test_server: &TestServer,
    read: &mut HashSet<PathBuf>,
    address: &str,
) -> Option<String> {
    for entry in std::fs::read_dir(test_server.mail_folder()).ok()? {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Written to its end, and no notice of a changed password.
        let is_letter = name.ends_with(".eml") && name.contains("-password_reset-");
        if !is_letter || !read.insert(path.clone()) {
            continue;
        }
        let letter = std::fs::read_to_string(path).unwrap();
        if letter.contains(&format!("To: {address}\r\n")) {
            return Some(letter);
        }
    }
    None
}

/// Numbers that look random and follow from the seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 11
    }
}
