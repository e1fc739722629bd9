//! A mail server for tests: it listens on a free port of 127.0.0.1, speaks SMTP (mailin's state machine) with
//! or without TLS under certificates of its own making, keeps what it receives, and misbehaves on demand. It
//! runs on threads of its own, so it serves tests with and without a runtime, and other processes.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use super::certificates::{Authority, Certificate};

mod conversation;

/// A running server; it stops with this value.
pub struct SmtpServer {
    pub addr: SocketAddr,
    /// The authority behind its certificates, except [`Certificate::UnknownIssuer`].
    pub ca_pem_path: PathBuf,
    state: Arc<State>,
    _folder: TempDir,
}

/// What the server does. It may change while it runs: refusals at once, the rest with the next connection.
#[derive(Clone, Default)]
pub struct Behaviour {
    pub tls: Tls,
    pub certificate: Certificate,
    /// Asks for this user and password before it takes mail.
    pub credentials: Option<(&'static str, &'static str)>,
    /// Answers instead of the usual ones, each given once, in this order: `(At::Recipient, "550 5.1.1 no")`.
    pub refusals: Vec<(At, String)>,
    pub misbehaviour: Option<Misbehaviour>,
    /// An unusual but valid form of the reply to each of these commands.
    pub reply_forms: Vec<(&'static str, ReplyForm)>,
    /// Offers `AUTH LOGIN` instead of `AUTH PLAIN`.
    pub login: bool,
}

/// Valid forms of a reply (RFC 5321, 2.4 and 4.2). In a reply to `EHLO`, the keywords remain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplyForm {
    /// `250`
    NoText,
    /// `250` and a space
    OnlySpace,
    /// `250-`, `250-`, `250`
    LinesWithoutText,
    /// A bare line feed for the line end.
    LineFeed,
    /// Text that is not UTF-8.
    Binary,
    LowerCase,
    MixedCase,
}

impl ReplyForm {
    pub const ALL: [Self; 7] = [
        Self::NoText,
        Self::OnlySpace,
        Self::LinesWithoutText,
        Self::LineFeed,
        Self::Binary,
        Self::LowerCase,
        Self::MixedCase,
    ];
}

#[derive(Clone, Copy, Default, PartialEq)]
pub enum Tls {
    #[default]
    None,
    Implicit,
    Starttls,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    Hello,
    Sender,
    Recipient,
    Data,
    Content,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Misbehaviour {
    /// Accepts connections and never sends anything.
    Silent,
    /// Greets without end, a line at a time.
    GreetsEndlessly,
    /// Has no answer to a recipient.
    SilentAtRecipient,
    /// Has no answer to recipients whose address contains this.
    SilentAtRecipientsOf(&'static str),
    /// Lets so much time pass before each answer.
    Delays(Duration),
    /// Closes the connection at the mail's first line.
    ClosesInData,
    /// Closes the connection after each mail, without a word.
    ClosesAfterData,
    /// Takes the mail and never acknowledges it.
    SilentAfterData,
    /// Puts an answer of its own behind the one to STARTTLS, as an attacker on the path could.
    AnswersAheadOfTls,
}

/// A mail that was accepted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub tls: bool,
    pub authenticated: bool,
}

struct State {
    behaviour: Mutex<Behaviour>,
    received: watch::Sender<Vec<Received>>,
    /// Every command that came in the clear.
    cleartext_commands: Mutex<Vec<String>>,
    /// Every connection ever made.
    lines: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

impl SmtpServer {
    pub fn start(behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca_pem_path = folder.path().join("ca.pem");
        let authority = Authority::new("Tests");
        std::fs::write(&ca_pem_path, &authority.pem).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            behaviour: Mutex::new(behaviour),
            received: watch::Sender::default(),
            cleartext_commands: Mutex::default(),
            lines: Mutex::default(),
            stopping: AtomicBool::default(),
        });
        thread::spawn({
            let state = state.clone();
            move || accept(&listener, &state, &authority)
        });
        Self {
            addr,
            ca_pem_path,
            state,
            _folder: folder,
        }
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.behaviour.lock().unwrap());
    }

    /// Answers `answer` to the next `times` of these commands, then as usual.
    pub fn refuse(&self, at: At, answer: &str, times: usize) {
        self.behave(|behaviour| {
            let refusals = std::iter::repeat_n((at, answer.to_owned()), times);
            behaviour.refusals.extend(refusals);
        });
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.borrow().clone()
    }

    /// Waits until `n` mails were accepted, and returns them all.
    pub async fn wait_for(&self, n: usize) -> Vec<Received> {
        let mut watched = self.state.received.subscribe();
        let enough = watched.wait_for(|received| received.len() >= n);
        let received = tokio::time::timeout(Duration::from_secs(60), enough).await;
        received.expect("the mails came").unwrap().clone()
    }

    /// Every command that came in the clear, without its line end.
    pub fn cleartext_commands(&self) -> Vec<String> {
        self.state.cleartext_commands.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.state.lines.lock().unwrap().len()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        for line in self.state.lines.lock().unwrap().iter() {
            let _ = line.shutdown(Shutdown::Both);
        }
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.addr);
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, authority: &Authority) {
    for stream in listener.incoming() {
        if state.stopping.load(Ordering::SeqCst) {
            return;
        }
        let stream = stream.unwrap();
        state
            .lines
            .lock()
            .unwrap()
            .push(stream.try_clone().unwrap());
        let behaviour = state.behaviour.lock().unwrap().clone();
        let tls = authority.server_config(behaviour.certificate);
        let state = state.clone();
        // A client that hangs up in the middle ends its thread, and is no fault of the server.
        thread::spawn(move || conversation::converse(stream, &state, &behaviour, tls));
    }
}
