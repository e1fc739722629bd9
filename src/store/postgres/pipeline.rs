//! Look-ups on the thread that asks, by a session of its own on which many wait for their answers at the same time.
//!
//! Those that one turn of the thread's event loop brings go to the server together, and no other thread is woken. By the
//! queue, each would wake a thread, whose session it has for itself, and be woken by it.
//!
//! A pipeline is an addition: while it is opened, tested after a rest, or lost, look-ups go by the queue, which also knows
//! whether the server is away.
//!
//! # Threats
//! - a session whose server does not answer any more: as those of the queue, it is given up after a limit or the loss of
//!   another, and tested before use when it has rested
//! - many requests: each has one look-up in a pipeline at a time, so no more wait than there are connections

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use thread_local::ThreadLocal;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, Row, Statement};

use super::client::{self, Fault};
use super::session::{self, ANSWER_TIMEOUT, Failure};
use super::threads::{IDLE, RECONNECT, Sessions};
use crate::domain::error::Result;
use crate::store::engine::{self, LookUp};

/// The pipelines, one for each thread that asks.
pub(super) struct Pipelines {
    sessions: Arc<Sessions>,
    of_threads: ThreadLocal<Arc<Mutex<State>>>,
}

enum State {
    /// There is none, and no attempt to open one before that time.
    Closed(Option<Instant>),
    /// A task opens or tests one.
    Busy(JoinHandle<()>),
    /// It was used last at that time.
    Open(Arc<Pipeline>, Instant),
}

struct Pipeline {
    client: Client,
    /// By their text; `None` if statements are not prepared by name.
    statements: Option<Mutex<HashMap<&'static str, Statement>>>,
    /// [`Sessions::losses`] when it was opened or tested.
    losses: u64,
}

impl std::fmt::Debug for Pipelines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pipelines")
    }
}

impl Pipelines {
    pub fn new(sessions: Sessions) -> Self {
        Self {
            sessions: Arc::new(sessions),
            of_threads: ThreadLocal::new(),
        }
    }

    /// The answer of this thread's pipeline; `None` if it has none now, and the look-up goes by the queue.
    ///
    /// # Errors
    /// Those of [`Session`](super::Session).
    pub async fn look_up<T>(&self, asked: &LookUp<T>) -> Option<Result<Option<T>>> {
        let closed = || Arc::new(Mutex::new(State::Closed(None)));
        let state = self.of_threads.get_or(closed);
        let pipeline = self.pipeline(state)?;
        let answer = timeout(ANSWER_TIMEOUT, pipeline.ask(asked)).await;
        let failure = match answer {
            Ok(Ok(rows)) => {
                let first = rows.first().map(|row| (asked.read)(&engine::Row::new(row)));
                return Some(first.transpose());
            }
            Ok(Err(failure)) => Fault::Client(failure),
            Err(_) => Fault::Silence,
        };
        let is_lost = session::kind_of(&failure) == Failure::Lost;
        if is_lost {
            self.close(state, &pipeline, &failure);
        }
        // Another session may answer at once; but not where the server let the caller wait already.
        let waits_no_more = matches!(failure, Fault::Silence) || !is_lost;
        waits_no_more.then(|| Err(session::error(&failure)))
    }

    /// The pipeline, if it can be used now; else a task prepares that, if it is time.
    fn pipeline(&self, shared: &Arc<Mutex<State>>) -> Option<Arc<Pipeline>> {
        let now = Instant::now();
        let mut state = shared.lock();
        let rested = match &mut *state {
            State::Open(pipeline, used_at) if self.is_sound(pipeline) => {
                if now.duration_since(*used_at) < IDLE {
                    *used_at = now;
                    return Some(Arc::clone(pipeline));
                }
                Some(Arc::clone(pipeline))
            }
            State::Closed(Some(later)) if now < *later => return None,
            State::Busy(task) if !task.is_finished() => return None,
            // A finished task has left another state, unless its runtime ended.
            State::Open(..) | State::Closed(_) | State::Busy(_) => None,
        };
        // Callers are on a runtime; without one, the queue is as good.
        let runtime = Handle::try_current().ok()?;
        let (shared, sessions) = (Arc::clone(shared), Arc::clone(&self.sessions));
        *state = State::Busy(runtime.spawn(async move {
            let pipeline = match rested {
                Some(pipeline) if client::is_alive(&pipeline.client).await => Some(pipeline),
                _ => Pipeline::open(&sessions).await.ok().map(Arc::new),
            };
            let now = Instant::now();
            *shared.lock() = match pipeline {
                Some(pipeline) => State::Open(pipeline, now),
                // The threads of the queue report what is at fault.
                None => State::Closed(Some(now + RECONNECT)),
            };
        }));
        None
    }

    fn is_sound(&self, pipeline: &Pipeline) -> bool {
        !pipeline.client.is_closed()
            && pipeline.losses == self.sessions.losses.load(Ordering::SeqCst)
    }

    /// Gives a pipeline up, unless it was given up before.
    fn close(&self, state: &Mutex<State>, lost: &Arc<Pipeline>, failure: &Fault) {
        let mut state = state.lock();
        if matches!(&*state, State::Open(open, _) if Arc::ptr_eq(open, lost)) {
            *state = State::Closed(Some(Instant::now() + RECONNECT));
            session::note_loss(&self.sessions.losses, failure);
        }
    }
}

impl Pipeline {
    async fn open(sessions: &Sessions) -> Result<Self, Fault> {
        // Before: a loss meanwhile makes this one doubtful, too.
        let losses = sessions.losses.load(Ordering::SeqCst);
        let (client, connection) = client::connect(&sessions.target).await?;
        // It ends with the client; why it ended, the look-ups are told.
        tokio::spawn(async move { drop(connection.await) });
        if sessions.prepare {
            let limits = session::limits("SET", sessions.lock_timeout);
            let done = timeout(ANSWER_TIMEOUT, client.batch_execute(&limits)).await;
            done.map_err(|_| Fault::Silence)?.map_err(Fault::Client)?;
        }
        Ok(Self {
            client,
            statements: sessions.prepare.then(Mutex::default),
            losses,
        })
    }

    async fn ask<T>(&self, asked: &LookUp<T>) -> Result<Vec<Row>, tokio_postgres::Error> {
        let key = asked.key.value();
        let Some(statements) = &self.statements else {
            let values = [(
                &key as &(dyn tokio_postgres::types::ToSql + Sync),
                session::type_of(&key),
            )];
            return self.client.query_typed(asked.sql, &values).await;
        };
        let known = statements.lock().get(asked.sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(asked.sql).await?;
                statements.lock().insert(asked.sql, statement.clone());
                statement
            }
        };
        self.client.query(&statement, &[&key]).await
    }
}
