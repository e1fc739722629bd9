//! An empty schema for one test.

#![expect(clippy::expect_used, reason = "a test without its server fails")]

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use postgres::{Client, NoTls, SimpleQueryMessage};

use super::client::Fault;
use super::session::describe;
use crate::config::Secret;
use crate::crypto::token::random_hex;
use crate::domain::error::{Error, Result};

/// Names a server for tests, where they are to run on PostgreSQL.
pub const VARIABLE: &str = "CLOAKROOM_TEST_DATABASE_URL";

/// A schema that is dropped with this.
#[derive(Debug)]
pub struct TestSchema {
    server: String,
    name: String,
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
        let (requests, received) = mpsc::channel::<Request>();
        let (url, first) = (
            server.clone(),
            format!("CREATE SCHEMA {name}; SET search_path = {name}"),
        );
        // The client blocks, which is refused on the thread of a runtime.
        let work = move || {
            let mut client = Client::connect(&url, NoTls).expect("the server for tests");
            client.batch_execute(&first).expect("a new schema");
            for request in received {
                request(&mut client);
            }
            // A server that a test has stopped needs no tidying.
            let _ = client.batch_execute("SET lock_timeout = '10s'");
            let _ = client.batch_execute(
                "DO $$ BEGIN EXECUTE 'DROP SCHEMA ' || current_schema() || ' CASCADE'; END $$",
            );
        };
        Some(Self {
            server,
            name,
            requests: Some(requests),
            thread: Some(thread::spawn(work)),
        })
    }

    /// The URL of a database that is this schema.
    pub fn url(&self) -> Secret {
        // The schema is there.
        self.execute("").expect("a schema");
        let start = if self.server.contains('?') { '&' } else { '?' };
        let (server, name) = (&self.server, &self.name);
        Secret::from(format!("{server}{start}options=-csearch_path%3D{name}"))
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
