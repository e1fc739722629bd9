//! A client's connection, with limits that actix-http lacks: it times the first head and the pause after a response, and
//! nothing else.
//!
//! A response that is made piece by piece, such as an event stream of an embedder's, takes as long as it takes.
//!
//! # Threats
//! - heads that trickle, idle connections: the time from a response to the next complete head is limited
//! - responses that the client does not read: the time in which it takes no byte is limited
//! - a body that goes on after its response (actix-http reads chunks for as long as they come): [`Activity`] closes the
//!   connection after [`LINGER`], or once [`MAX_UNREAD`] bytes have come
//! - request smuggling: see [`framing`](super::framing)

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Instant, Sleep, sleep_until};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::Framing;

/// How long the rest of a body is read after its response, so that the client can read that.
const LINGER: Duration = Duration::from_secs(1);
/// How many bytes are read between a response and the next request.
const MAX_UNREAD: usize = 256 * 1024;

/// The stream of bytes that actix-http reads and writes.
pub struct Connection {
    io: TcpStream,
    framing: Framing,
    state: Rc<State>,
    /// When the client must take a byte again; `None` while it does.
    stalled_until: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

/// What the middleware reports to the connection; in the connection's data.
#[derive(Clone)]
pub struct Activity(Rc<State>);

struct State {
    /// How long a client may take from a response to the next complete head.
    patience: Duration,
    phase: Cell<Phase>,
    /// Bytes since the last response.
    received: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// No request is answered. The connection is closed at this time.
    Waiting(Instant),
    /// A request is answered, which has time limits of its own.
    Answering,
    /// No further request is answered. The connection is closed at this time.
    Closing(Instant),
}

impl Connection {
    /// Takes over an accepted connection.
    pub fn new(io: TcpStream, patience: Duration) -> Self {
        let deadline = Instant::now() + patience;
        Self {
            io,
            framing: Framing::default(),
            state: Rc::new(State {
                patience,
                phase: Cell::new(Phase::Waiting(deadline)),
                received: Cell::new(0),
                waker: RefCell::new(None),
            }),
            stalled_until: None,
            timer: Box::pin(sleep_until(deadline)),
        }
    }

    /// The handle for the middleware.
    pub fn activity(&self) -> Activity {
        Activity(Rc::clone(&self.state))
    }

    /// Whether the client has used up its time or bytes.
    fn is_over(&mut self, task: &mut Context<'_>) -> bool {
        self.state.remember(task);
        let phase = self.state.phase.get();
        let deadline = match (self.stalled_until, phase) {
            // The response comes first.
            (Some(deadline), _) => deadline,
            (None, Phase::Answering) => return false,
            (None, Phase::Waiting(deadline) | Phase::Closing(deadline)) => deadline,
        };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        let is_flooding =
            !matches!(phase, Phase::Answering) && self.state.received.get() > MAX_UNREAD;
        is_flooding || self.timer.as_mut().poll(task).is_ready()
    }
}

impl AsyncRead for Connection {
    /// The end of the stream, once the client has used up its time or bytes.
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(task) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(task, buffer);
        let received = &mut buffer.filled_mut()[before..];
        self.framing.check(received);
        self.state.received.update(|sum| sum + received.len());
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(task, bytes);
        if written.is_ready() {
            if self.stalled_until.take().is_some() {
                self.state.renew();
            }
            return written;
        }
        let patience = self.state.patience;
        self.stalled_until
            .get_or_insert_with(|| Instant::now() + patience);
        match self.is_over(task) {
            true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            false => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(task)
    }
}

impl State {
    fn remember(&self, task: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        match &*waker {
            Some(known) if known.will_wake(task.waker()) => {}
            _ => *waker = Some(task.waker().clone()),
        }
    }

    /// Counts the time of the phase from now on: the client was still taking the response.
    fn renew(&self) {
        let now = Instant::now();
        self.phase.set(match self.phase.get() {
            Phase::Waiting(_) => Phase::Waiting(now + self.patience),
            Phase::Answering => Phase::Answering,
            Phase::Closing(_) => Phase::Closing(now + LINGER),
        });
    }

    /// Starts a phase; the next read or write uses its deadline.
    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.received.set(0);
        // The timer may run for a later time. In other phases actix-http times the pause.
        if let (Phase::Closing(_), Some(waker)) = (phase, &*self.waker.borrow()) {
            waker.wake_by_ref();
        }
    }
}

impl Activity {
    /// Reports a request; its response is due until the result is dropped. `None` if the connection is closing.
    pub(in crate::http) fn answer(&self) -> Option<Answering> {
        match self.0.phase.get() {
            Phase::Closing(_) => None,
            _ => {
                self.0.phase.set(Phase::Answering);
                Some(Answering {
                    state: Rc::clone(&self.0),
                    closes: false,
                })
            }
        }
    }
}

/// See [`Activity::answer`].
pub(in crate::http) struct Answering {
    state: Rc<State>,
    closes: bool,
}

impl Answering {
    /// Closes the connection soon after the response.
    pub(in crate::http) fn close(&mut self) {
        self.closes = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let now = Instant::now();
        self.state.enter(match self.closes {
            true => Phase::Closing(now + LINGER),
            false => Phase::Waiting(now + self.state.patience),
        });
    }
}
