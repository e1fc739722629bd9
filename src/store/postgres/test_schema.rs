//! An empty schema for one test.

#![expect(clippy::expect_used, reason = "a test without its server fails")]

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use postgres::{Client, NoTls, SimpleQueryMessage};
use url::Url;

use super::client::Fault;
use super::session::describe;
use crate::config::{self, Secret};
use crate::crypto::token::random_hex;
use crate::domain::error::{Error, Result};

/// Names a server for tests, where they are to run on PostgreSQL. Its user is a superuser.
pub const VARIABLE: &str = "CLOAKROOM_TEST_DATABASE_URL";
/// Names the port of a pooler before it, on the same host.
const POOLER: &str = "CLOAKROOM_TEST_POOLER_PORT";
/// Whether the pooler supports prepared statements.
const PREPARE: &str = "CLOAKROOM_TEST_POOLER_PREPARES";

/// A schema of a role without further rights. Both are dropped with this.
#[derive(Debug)]
pub struct TestSchema {
    url: Url,
    /// Whether the URL leads to a pooler.
    is_pooled: bool,
    /// Whether statements may be prepared.
    prepares: bool,
    /// What a session beside the program is to do.
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

type Request = Box<dyn FnOnce(&mut Client) + Send>;

impl TestSchema {
    /// Creates one on the server that the environment names, if it names one.
    ///
    /// # Panics
    /// The server cannot be used.
    pub fn from_environment() -> Option<Self> {
        let server = std::env::var(VARIABLE).ok()?;
        let name = format!("test_{}", random_hex().expect("randomness"));
        let mut url = Url::parse(&server).expect("a URL");
        url.set_username(&name).expect("a host");
        url.set_password(Some(&name)).expect("a host");
        url.set_query(Some("sslmode=disable"));
        let pooler = std::env::var(POOLER).ok();
        if let Some(port) = &pooler {
            let port = port.parse().expect("a port");
            url.set_port(Some(port)).expect("a host");
        }
        let prepares = pooler.is_none() || std::env::var_os(PREPARE).is_some();
        let (requests, received) = mpsc::channel::<Request>();
        // The schema that has the name of the role is the first of its search path.
        let first = format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{name}'; CREATE SCHEMA AUTHORIZATION {name};
             SET ROLE {name}; SET search_path = {name}"
        );
        let last = format!(
            "SET lock_timeout = '10s'; DROP SCHEMA {name} CASCADE; RESET ROLE; DROP ROLE {name}"
        );
        // The client blocks, which is refused on the thread of a runtime.
        let work = move || {
            let mut client = Client::connect(&server, NoTls).expect("the server for tests");
            client.batch_execute(&first).expect("a new schema");
            for request in received {
                request(&mut client);
            }
            // A server that a test has stopped needs no tidying.
            let _ = client.batch_execute(&last);
        };
        Some(Self {
            url,
            is_pooled: pooler.is_some(),
            prepares,
            requests: Some(requests),
            thread: Some(thread::spawn(work)),
        })
    }

    /// The URL of a database that is this schema.
    pub fn url(&self) -> Secret {
        // The schema is there.
        self.execute("").expect("a schema");
        Secret::from(self.url.to_string())
    }

    /// Whether a pooler hides which sessions are whose.
    pub fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// The URL for a move from it. Idle sessions of a pooler look like a node's, but have another name.
    pub fn source_url(&self) -> Secret {
        let mut url = self.url.clone();
        if self.is_pooled {
            url.query_pairs_mut()
                .append_pair("application_name", "move");
        }
        Secret::from(url.to_string())
    }

    /// What `database.prepare` must be.
    pub fn prepares(&self) -> bool {
        self.prepares
    }

    /// Uses it as the database.
    pub fn set_in(&self, settings: &mut config::Database) {
        settings.url = Some(self.url());
        settings.prepare = self.prepares;
    }

    /// Runs statements beside the program.
    ///
    /// # Errors
    /// What the server answers.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.query(sql).map(drop)
    }

    /// The first column of each row of a query beside the program, as text.
    ///
    /// # Errors
    /// What the server answers.
    pub fn query(&self, sql: &str) -> Result<Vec<Option<String>>> {
        let (reply, answer) = mpsc::channel();
        let sql = sql.to_owned();
        let request = move |client: &mut Client| {
            let _ = reply.send(client.simple_query(&sql));
        };
        let requests = self.requests.as_ref().expect("not dropped");
        let sent = requests.send(Box::new(request));
        sent.map_err(|_| Error::internal("the session for tests ended"))?;
        let messages = answer.recv().map_err(Error::internal)?;
        let rows =
            messages.map_err(|failure| Error::internal(describe(&Fault::Client(failure))))?;
        let rows = rows.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        Ok(rows.collect())
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
