//! Clients that change accounts while servers are killed, and remember what was acknowledged: all of it must be true
//! afterwards, and what got no answer must be done or not done.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::flows::link_token;
use super::process::eventually;

/// What the workers do; resets only with a folder of mails.
pub const STEPS: [&str; 9] = [
    "sign-ups",
    "projects",
    "look-ups",
    "sign-outs",
    "resets",
    "password changes",
    "rotations",
    "refreshes",
    "revocations",
];
/// Counts sessions whose start is not in the audit trail: the event is of their transaction.
pub const SESSIONS_WITHOUT_EVENT: &str = "SELECT count(*) FROM sessions s WHERE NOT EXISTS
    (SELECT 1 FROM audit_events e WHERE e.session_id = s.id AND e.kind IN ('signed_in', 'signed_up'))";
const PAUSE: Duration = Duration::from_millis(20);

/// Method, path, token and body; nothing when there was no answer, or one that leaves the outcome open.
pub type Call<'a> = &'a (dyn Fn(&str, &str, Option<&str>, Option<&Value>) -> Answer + Sync);
/// Status and body.
pub type Answer = Option<(u16, Value)>;

#[derive(Clone, Copy, PartialEq)]
pub enum Scope {
    /// The accounts made since the last time.
    Latest,
    All,
}

/// How far the workers are, and whether they are to go on.
#[derive(Default)]
pub struct Progress {
    has_ended: AtomicBool,
    steps: AtomicUsize,
}

impl Progress {
    /// Waits until so many more steps were acknowledged.
    pub fn wait_for(&self, steps: usize) {
        let goal = self.steps.load(Ordering::Relaxed) + steps;
        eventually(|| (self.steps.load(Ordering::Relaxed) >= goal).then_some(()));
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }
}

/// One client and all replies that it received.
pub struct Worker {
    number: usize,
    progress: Arc<Progress>,
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
    dead: Vec<Credential>,
    projects: Vec<i64>,
}

struct Session {
    id: i64,
    token: String,
    /// The current one, if one was issued and no refresh got no answer.
    pair: Option<Pair>,
}

struct Pair {
    access: String,
    refresh: String,
}

enum Credential {
    Session(String),
    Access(String),
    Refresh(String),
}

/// Workers with seeds of their own.
pub fn workers(count: usize, dice: &mut Dice) -> Vec<Worker> {
    let progress = Arc::<Progress>::default();
    let worker = |number| Worker {
        number,
        progress: Arc::clone(&progress),
        dice: Dice(dice.roll()),
        accounts: Vec::new(),
        verified: 0,
        read: HashSet::new(),
        told: HashMap::new(),
    };
    (0..count).map(worker).collect()
}

/// Lets all work, each on a thread of its own, while this runs.
pub fn work_beside(
    workers: &mut [Worker],
    call: Call<'_>,
    mails: Option<&Path>,
    run: impl FnOnce(&Progress),
) {
    let progress = Arc::clone(&workers[0].progress);
    progress.has_ended.store(false, Ordering::Relaxed);
    thread::scope(|threads| {
        for worker in workers {
            threads.spawn(|| worker.work(call, mails));
        }
        let _end = End(&progress);
        run(&progress);
    });
}

/// Ends the workers when dropped, also by a panic, which would wait for them.
struct End<'a>(&'a Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.has_ended.store(true, Ordering::Relaxed);
    }
}

/// Checks all that the workers know, each on a thread of its own.
pub fn verify_all(workers: &mut [Worker], call: Call<'_>, scope: Scope) {
    thread::scope(|threads| {
        for worker in workers {
            threads.spawn(|| worker.verify(call, scope));
        }
    });
}

/// How many of each step were acknowledged; each must have been, but for some.
pub fn assert_all_were_under_way(workers: &[Worker], except: &[&str]) {
    let told = STEPS.map(|step| {
        let counts = workers.iter().filter_map(|worker| worker.told.get(step));
        (step, counts.sum::<usize>())
    });
    println!("{told:?}");
    assert!(
        told.iter()
            .all(|(step, count)| *count > 0 || except.contains(step)),
        "something was never under way: {told:?}"
    );
}

impl Worker {
    fn note(&mut self, step: &'static str) {
        *self.told.entry(step).or_default() += 1;
        self.progress.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Works until the end, with another account after each call without an answer. Resets need the folder of mails.
    fn work(&mut self, call: Call<'_>, mails: Option<&Path>) {
        while !self.progress.has_ended() {
            if self.change_one_account(call, mails).is_none() {
                thread::sleep(PAUSE);
            }
        }
    }

    fn change_one_account(&mut self, call: Call<'_>, mails: Option<&Path>) -> Option<()> {
        self.sign_up(call)?;
        for _ in 0..self.dice.roll() % 3 {
            self.add_project(call)?;
        }
        if self.dice.roll().is_multiple_of(2) {
            self.issue_tokens(call)?;
            self.refresh(call)?;
            if self.dice.roll().is_multiple_of(2) {
                self.revoke(call)?;
            }
        }
        match (self.dice.roll() % 5, mails) {
            (0, _) => self.sign_out(call)?,
            (1, Some(mails)) => self.reset(mails, call)?,
            (2, _) => self.change_password(call)?,
            (3, _) => self.rotate(call)?,
            _ => {}
        }
        self.look_up(call)
    }

    fn sign_up(&mut self, call: Call<'_>) -> Option<()> {
        let unique = self.dice.roll();
        let (address, password) = (
            format!("w{}-{unique}@example.com", self.number),
            format!("first {unique}"),
        );
        let credentials = json!({ "email_address": address, "password": password });
        let (status, reply) = call("POST", "/v1/registrations", None, Some(&credentials))?;
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
            Some(&json!({ "title": "Ours" })),
        )?;
        assert_eq!(status, 201, "{reply}");
        account.projects.push(reply["project"]["id"].as_i64()?);
        self.note("projects");
        Some(())
    }

    /// A pair of tokens of the first session.
    fn issue_tokens(&mut self, call: Call<'_>) -> Option<()> {
        let session = self.accounts.last_mut()?.alive.first_mut()?;
        let (status, reply) = call("POST", "/v1/tokens", Some(&session.token), Some(&json!({})))?;
        assert_eq!(status, 200, "{reply}");
        session.pair = Some(Pair::of(&reply));
        Some(())
    }

    fn refresh(&mut self, call: Call<'_>) -> Option<()> {
        let session = self.accounts.last_mut()?.alive.first_mut()?;
        // Without a reply it may be spent, and using it again would end the session.
        let body = json!({ "refresh_token": session.pair.take()?.refresh });
        let (status, reply) = call("POST", "/v1/tokens/refresh", None, Some(&body))?;
        assert_eq!(status, 200, "{reply}");
        session.pair = Some(Pair::of(&reply));
        self.note("refreshes");
        Some(())
    }

    /// Revokes an access token alone.
    fn revoke(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let access = account.alive.first()?.pair.as_ref()?.access.clone();
        let body = json!({ "token": access });
        let (status, reply) = call("POST", "/v1/tokens/revoke", None, Some(&body))?;
        assert_eq!(status, 200, "{reply}");
        account.dead.push(Credential::Access(access));
        self.note("revocations");
        Some(())
    }

    fn sign_out(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        // Without a reply the outcome is unknown.
        let session = account.alive.pop()?;
        let (status, reply) = call(
            "DELETE",
            "/v1/session",
            Some(&session.token),
            Some(&json!({})),
        )?;
        assert_eq!(status, 200, "{reply}");
        account.dead.extend(session.credentials());
        self.note("sign-outs");
        Some(())
    }

    fn reset(&mut self, mails: &Path, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let body = json!({ "email_address": account.address });
        call("POST", "/v1/passwords", None, Some(&body))?;
        let link = loop {
            if let Some(letter) = unread_letter(mails, &mut self.read, &account.address) {
                break link_token(&letter, "/passwords/edit#");
            }
            if self.progress.has_ended() {
                return None;
            }
            thread::yield_now();
        };
        let password = format!("second {}", self.dice.roll());
        let body = json!({ "password": password, "password_confirmation": password });
        account.ask_for(password);
        let (status, reply) = call("PUT", &format!("/v1/passwords/{link}"), None, Some(&body))?;
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
        let (status, reply) = call("POST", "/v1/session", None, Some(&credentials))?;
        assert_eq!(status, 200, "{reply}");
        account.alive.push(Session::of(&reply));

        let kept = account.rotating.insert(account.alive.pop()?);
        let token = kept.token.clone();
        let password = format!("third {}", self.dice.roll());
        let body = json!({ "password_challenge": old, "password": password, "password_confirmation": password });
        account.ask_for(password);
        let (status, reply) = call("PUT", "/v1/user/password", Some(&token), Some(&body))?;
        assert_eq!(status, 200, "{reply}");
        account.replace_password();
        account.alive.push(Session::of(&reply));
        account.end_rotation();
        self.note("password changes");
        Some(())
    }

    fn rotate(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let Session { id, token, .. } = account.rotating.insert(account.alive.pop()?);
        let (status, reply) = call("POST", "/v1/session/rotate", Some(token), Some(&json!({})))?;
        assert_eq!(status, 200, "{reply}");
        let rotated = Session::of(&reply);
        assert_eq!(rotated.id, *id, "{reply}");
        account.alive.push(rotated);
        account.end_rotation();
        self.note("rotations");
        Some(())
    }

    /// Sessions are what was acknowledged, at every moment.
    fn look_up(&mut self, call: Call<'_>) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let alive = account.alive.iter().map(|session| (&session.token, 200));
        let dead = account
            .dead
            .iter()
            .filter_map(|credential| match credential {
                Credential::Session(token) => Some((token, 401)),
                _ => None,
            });
        for (token, expected) in alive.chain(dead) {
            let (status, reply) = call("GET", "/v1/session", Some(token), None)?;
            assert_eq!(status, expected, "{}: {reply}", account.address);
        }
        self.note("look-ups");
        Some(())
    }

    fn verify(&mut self, call: Call<'_>, scope: Scope) {
        let from = if scope == Scope::All {
            0
        } else {
            self.verified
        };
        for account in &mut self.accounts[from..] {
            account.verify(|method, path, token, body| {
                call(method, path, token, body).expect("an answer")
            });
        }
        self.verified = self.accounts.len();
    }
}

impl Account {
    /// A new password is requested, which ends the other sessions.
    fn ask_for(&mut self, password: String) {
        self.passwords.push(password);
        self.doubtful = std::mem::take(&mut self.alive);
    }

    /// The new password is the right one.
    fn replace_password(&mut self) {
        self.outdated.push(self.passwords.remove(0));
        let ended = self.doubtful.drain(..).flat_map(Session::credentials);
        self.dead.extend(ended);
    }

    /// It is not.
    fn keep_password(&mut self) {
        self.outdated.extend(self.passwords.drain(1..));
        self.alive.append(&mut self.doubtful);
    }

    /// The session has a new token.
    fn end_rotation(&mut self) {
        let old = self.rotating.take();
        self.dead
            .extend(old.map(|session| Credential::Session(session.token)));
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
        let refresh = |token: &str| {
            let body = json!({ "refresh_token": token });
            call("POST", "/v1/tokens/refresh", None, Some(&body))
        };
        let opens = |access: &str| call("GET", "/v1/projects", Some(access), None).0;

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
                    self.dead.push(Credential::Session(session.token));
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
        for session in &mut self.alive {
            assert_eq!(status(&session.token), 200, "{address} was signed in");
            if let Some(pair) = &mut session.pair {
                let (status, reply) = refresh(&pair.refresh);
                assert_eq!(status, 200, "{address} had a refresh token: {reply}");
                *pair = Pair::of(&reply);
                assert_eq!(opens(&pair.access), 200, "{address}");
            }
        }
        for credential in &self.dead {
            match credential {
                Credential::Session(token) => {
                    assert_eq!(status(token), 401, "{address} was signed out");
                }
                Credential::Access(token) => {
                    assert_eq!(opens(token), 401, "{address} had it revoked");
                }
                Credential::Refresh(token) => {
                    assert_eq!(refresh(token).0, 400, "{address} was signed out");
                }
            }
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
            pair: None,
        }
    }

    /// All that is invalid once it has ended.
    fn credentials(self) -> impl Iterator<Item = Credential> {
        let pair = self.pair.into_iter();
        let of_pair = pair.flat_map(|pair| {
            [
                Credential::Access(pair.access),
                Credential::Refresh(pair.refresh),
            ]
        });
        of_pair.chain([Credential::Session(self.token)])
    }
}

impl Pair {
    fn of(reply: &Value) -> Self {
        let text = |name: &str| reply[name].as_str().unwrap().to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }
}

fn unread_letter(mails: &Path, read: &mut HashSet<PathBuf>, address: &str) -> Option<String> {
    for entry in std::fs::read_dir(mails).ok()? {
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
pub struct Dice(u64);

impl Dice {
    /// From `CRASH_SEED`, or a new seed, which is printed.
    pub fn from_environment() -> Self {
        let seed = match std::env::var("CRASH_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => RandomState::new().build_hasher().finish(),
        };
        println!("CRASH_SEED={seed}");
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 11
    }
}
