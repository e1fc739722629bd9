//! `kill -9` in the middle of everything, again and again: what was acknowledged is still true afterwards.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{House, Server, agent, link_token, request};

const ROUNDS: usize = 30;
const WORKERS: usize = 4;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("CRASH_SEED={seed}");
    let mut dice = Dice(seed);
    let house = House::new();
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, dice.roll())).collect();
    for _ in 0..ROUNDS {
        let mut server = house.serve();
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for worker in &mut workers {
                scope.spawn(|| worker.work(&house, &server, &ended));
            }
            // The moment of the crash: nothing to wait for.
            thread::sleep(Duration::from_millis(10 + dice.roll() % 190));
            server.signal("KILL");
            ended.store(true, Ordering::Relaxed);
        });
        server.kill();
        let server = house.serve();
        assert_sound(&house);
        verify_all(&mut workers, &server, Scope::Latest);
    }
    let server = house.serve();
    verify_all(&mut workers, &server, Scope::All);
    let told: [usize; 4] = ["sign-ups", "resets", "sign-outs", "projects"]
        .map(|what| workers.iter().map(|worker| worker.told(what)).sum());
    println!("sign-ups, resets, sign-outs, projects: {told:?}");
    assert!(told.iter().all(|&count| count > 0), "something was never under way: {told:?}");
}

fn assert_sound(house: &House) {
    let found: String =
        house.open_database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
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

/// One client and all that it was told.
struct Worker {
    number: usize,
    dice: Dice,
    accounts: Vec<Account>,
    verified: usize,
    read: HashSet<PathBuf>,
    resets: usize,
}

/// What is known for sure, and what was asked for when the server died.
struct Account {
    address: String,
    /// More than one when a reset got no answer.
    passwords: Vec<String>,
    alive: Vec<String>,
    dead: Vec<String>,
    projects: Vec<i64>,
}

impl Worker {
    fn new(number: usize, seed: u64) -> Self {
        Self { number, dice: Dice(seed), accounts: Vec::new(), verified: 0, read: HashSet::new(), resets: 0 }
    }

    fn told(&self, what: &str) -> usize {
        match what {
            "sign-ups" => self.accounts.len(),
            "resets" => self.resets,
            "sign-outs" => self.accounts.iter().map(|account| account.dead.len()).sum(),
            _ => self.accounts.iter().map(|account| account.projects.len()).sum(),
        }
    }

    /// Works until the server is gone.
    fn work(&mut self, house: &House, server: &Server, ended: &AtomicBool) {
        let agent = agent();
        let call = |method: &str, path: &str, token: Option<&str>, body: Value| {
            let answer = request(&agent, &server.url(path), method, token, Some(&body)).ok();
            assert!(answer.as_ref().is_none_or(|(status, _)| *status < 500), "{answer:?}");
            answer
        };
        let steps = |worker: &mut Self| -> Option<()> {
            loop {
                worker.sign_up(&call)?;
                for _ in 0..worker.dice.roll() % 3 {
                    worker.add_project(&call)?;
                }
                match worker.dice.roll() % 3 {
                    0 => worker.sign_out(&call)?,
                    1 => worker.reset(house, &call, ended)?,
                    _ => {}
                }
            }
        };
        steps(self);
    }

    fn sign_up(
        &mut self,
        call: &impl Fn(&str, &str, Option<&str>, Value) -> Option<(u16, Value)>,
    ) -> Option<()> {
        let unique = self.dice.roll();
        let (address, password) =
            (format!("w{}-{unique}@example.com", self.number), format!("first {unique}"));
        let credentials = json!({ "email_address": address, "password": password });
        let (status, reply) = call("POST", "/v1/registrations", None, credentials)?;
        assert_eq!(status, 201, "{reply}");
        self.accounts.push(Account {
            address,
            passwords: vec![password],
            alive: vec![reply["token"].as_str()?.to_owned()],
            dead: Vec::new(),
            projects: Vec::new(),
        });
        Some(())
    }

    fn add_project(
        &mut self,
        call: &impl Fn(&str, &str, Option<&str>, Value) -> Option<(u16, Value)>,
    ) -> Option<()> {
        let account = self.accounts.last_mut()?;
        let (status, reply) =
            call("POST", "/v1/projects", Some(&account.alive[0]), json!({ "title": "Ours" }))?;
        assert_eq!(status, 201, "{reply}");
        account.projects.push(reply["project"]["id"].as_i64()?);
        Some(())
    }

    fn sign_out(
        &mut self,
        call: &impl Fn(&str, &str, Option<&str>, Value) -> Option<(u16, Value)>,
    ) -> Option<()> {
        let account = self.accounts.last_mut()?;
        // Without an answer nobody knows.
        let token = account.alive.pop()?;
        let (status, reply) = call("DELETE", "/v1/session", Some(&token), json!({}))?;
        assert_eq!(status, 200, "{reply}");
        account.dead.push(token);
        Some(())
    }

    fn reset(
        &mut self,
        house: &House,
        call: &impl Fn(&str, &str, Option<&str>, Value) -> Option<(u16, Value)>,
        ended: &AtomicBool,
    ) -> Option<()> {
        let account = self.accounts.last_mut()?;
        call("POST", "/v1/passwords", None, json!({ "email_address": account.address }))?;
        let link = loop {
            if let Some(letter) = unread_letter(house, &mut self.read, &account.address) {
                break link_token(&letter);
            }
            if ended.load(Ordering::Relaxed) {
                return None;
            }
            thread::yield_now();
        };
        let password = format!("second {}", self.dice.roll());
        account.passwords.push(password.clone());
        let alive = std::mem::take(&mut account.alive);
        let body = json!({ "password": password, "password_confirmation": password });
        let (status, reply) = call("PUT", &format!("/v1/passwords/{link}"), None, body)?;
        assert_eq!(status, 200, "{reply}");
        account.passwords.remove(0);
        account.dead.extend(alive);
        self.resets += 1;
        Some(())
    }

    fn verify(&mut self, server: &Server, scope: Scope) {
        let agent = agent();
        let from = if scope == Scope::All { 0 } else { self.verified };
        for account in &mut self.accounts[from..] {
            account.verify(|method, path, token, body| {
                request(&agent, &server.url(path), method, token, body).unwrap()
            });
        }
        self.verified = self.accounts.len();
    }
}

impl Account {
    fn verify(&mut self, call: impl Fn(&str, &str, Option<&str>, Option<&Value>) -> (u16, Value)) {
        let address = &self.address;
        for token in &self.alive {
            assert_eq!(call("GET", "/v1/session", Some(token), None).0, 200, "{address} was signed in");
        }
        for token in &self.dead {
            assert_eq!(call("GET", "/v1/session", Some(token), None).0, 401, "{address} was signed out");
        }
        let mut right = None;
        for password in &self.passwords {
            let credentials = json!({ "email_address": address, "password": password });
            let (status, reply) = call("POST", "/v1/session", None, Some(&credentials));
            if status == 200 {
                right = Some((password.clone(), reply["token"].as_str().unwrap().to_owned()));
            }
        }
        let (password, token) = right.unwrap_or_else(|| panic!("{address} had a password"));
        let (_, reply) = call("GET", "/v1/projects", Some(&token), None);
        let listed: Vec<i64> = reply["projects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|project| project["id"].as_i64().unwrap())
            .collect();
        for project in &self.projects {
            assert!(listed.contains(project), "{address} had project {project}");
        }
        self.passwords = vec![password];
    }
}

fn unread_letter(house: &House, read: &mut HashSet<PathBuf>, address: &str) -> Option<String> {
    for entry in std::fs::read_dir(house.mails()).ok()? {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // Written to its end, and none that tells of a password that was changed.
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
