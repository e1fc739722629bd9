//! The connection threads: each owns one session, and they take jobs from one queue.
//!
//! The client of the library blocks, and must not run on a thread of a runtime. A job goes to a thread and its answer comes
//! back, as with the writer of SQLite; a session is never shared, so its statements stay prepared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::client::Fault;
use super::feed::Feed;
use super::queue::{Next, Queue, Queued, Wake, unavailable};
use super::session::{self, Session};
use super::target::Target;
use crate::domain::error::{Error, Result, UnavailableReason};
use crate::store::engine::Reader;

/// After so long without a job, a session is tested: the server or a firewall may have ended it.
pub(super) const IDLE: Duration = Duration::from_secs(1);
/// The pause between attempts to connect.
pub(super) const RECONNECT: Duration = Duration::from_millis(250);

/// Half of what the list of revocations may be behind: the other half is for reading.
const FEED_INTERVAL: Duration = Duration::from_millis(100);

/// How sessions are opened.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    pub target: Target,
    /// Whether statements are prepared by name.
    pub prepare: bool,
    pub lock_timeout: Duration,
    /// How many were lost. Another loss makes all doubtful, since a server seldom ends one alone.
    pub losses: Arc<AtomicU64>,
}

impl Sessions {
    pub fn open(&self) -> Result<Session, Fault> {
        let losses = Arc::clone(&self.losses);
        Session::connect(&self.target, self.prepare, self.lock_timeout, losses)
    }
}

/// The session of one thread.
pub(super) struct Connector {
    sessions: Sessions,
    feed: Arc<Feed>,
    session: Option<Session>,
    /// Whether there was a session before.
    has_lost_one: bool,
}

impl Connector {
    pub fn new(sessions: Sessions, feed: Arc<Feed>) -> Self {
        Self {
            sessions,
            feed,
            session: None,
            has_lost_one: false,
        }
    }

    /// The session, which is opened if there is none.
    pub fn session(&mut self) -> Result<&Session, Fault> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let session = self.sessions.open()?;
                if self.has_lost_one {
                    self.feed.restart();
                }
                session
            }
        };
        Ok(self.session.insert(session))
    }

    /// Drops the session if it cannot be used; whether it was dropped.
    pub fn drop_if_lost(&mut self) -> bool {
        let was_lost = self.session.take_if(|session| session.is_lost()).is_some();
        self.has_lost_one |= was_lost;
        was_lost
    }

    /// Drops the session if the server does not answer; whether it was dropped.
    fn drop_if_dead(&mut self) -> bool {
        let is_dead = |session: &mut Session| !session.is_alive();
        let was_lost = self.session.take_if(is_dead).is_some();
        self.has_lost_one |= was_lost;
        was_lost
    }
}

/// Starts a thread, which connects by itself.
pub(super) fn start(queue: Arc<Queue>, connector: Connector) -> Result<thread::JoinHandle<()>> {
    thread::Builder::new()
        .name("database".into())
        .spawn(move || run(&queue, connector))
        .map_err(Error::internal)
}

/// Starts the thread that reads new revocations, on a session of its own, so that other work does not delay it.
pub(super) fn start_reading(
    queue: Arc<Queue>,
    feed: Arc<Feed>,
    mut connector: Connector,
) -> Result<()> {
    let run = move || {
        loop {
            // Failures are those of the other threads, which report them; questions read by themselves meanwhile.
            if let Ok(session) = connector.session() {
                let _ = feed.read(&Reader::new(session));
                connector.drop_if_lost();
            }
            if !queue.pause(FEED_INTERVAL) {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("revocations".into())
        .spawn(run)
        .map(drop)
        .map_err(Error::internal)
}

fn run(queue: &Queue, mut connector: Connector) {
    loop {
        if let Err(failure) = connector.session() {
            if queue.unreachable(UnavailableReason::DatabaseUnreachable) {
                let reason = session::describe(&failure);
                tracing::error!(reason, "the database cannot be reached");
            }
            if queue.pause(RECONNECT) {
                continue;
            }
            queue.unreachable(UnavailableReason::DatabaseStopped);
            return;
        }
        queue.connected();
        let is_closed = serve(queue, &mut connector);
        queue.disconnected();
        if is_closed {
            return;
        }
    }
}

/// Does jobs until the session is lost; `true` when the engine is closed.
fn serve(queue: &Queue, connector: &mut Connector) -> bool {
    let lost = Arc::clone(&connector.sessions.losses);
    let mut losses = lost.load(Ordering::SeqCst);
    let wake = Wake::default();
    loop {
        let next = queue.next(&wake, IDLE);
        let known = std::mem::replace(&mut losses, lost.load(Ordering::SeqCst));
        let is_doubtful = losses != known;
        match next {
            Next::Job(queued) if is_doubtful && connector.drop_if_dead() => {
                queue.put_back(queued);
                return false;
            }
            Next::Job(Queued { job, .. }) => {
                let writes = job.writes();
                match &connector.session {
                    Some(session) => job.run(session),
                    None => job.refuse(unavailable(UnavailableReason::DatabaseUnreachable)),
                }
                if writes {
                    queue.finished();
                }
            }
            Next::Nothing if connector.drop_if_dead() => return false,
            Next::Nothing => {}
            Next::Closed => return true,
        }
        if connector.drop_if_lost() {
            return false;
        }
    }
}
