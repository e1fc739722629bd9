//! Log lines on their way out: a bounded buffer, and one thread that writes it.
//!
//! A thread that logs copies its line into the buffer and goes on. The writer thread takes all of the buffer at once, so
//! a busy server makes one system call for many lines. Lines keep their order, whatever their kind.
//!
//! If what reads the log stalls, requests go on: lines beyond [`CAPACITY`] are dropped and counted, and a line with their
//! number follows. Warnings and errors may also use [`RESERVE`]. Security events are never dropped: when the reserve is
//! full as well, the thread that logs one waits. Only lines that the system refuses to take are lost, and counted: what
//! reads the log is gone.
//!
//! A stop and a panic wait for the lines before them, up to a time limit. `SIGKILL` loses the lines of the last
//! [`PAUSE`]; those of warnings and security events leave at once.
//!
//! `tracing-appender` was not chosen: it counts lines instead of bytes, makes an allocation and a system call for each,
//! drops security events like any other line, and reports no loss.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::domain::clock::Clock;
use crate::metrics::Counter;

/// Bytes that wait, at most, without those that are being written.
const CAPACITY: usize = 1024 * 1024;
/// Bytes beyond these for warnings and security events.
const RESERVE: usize = 1024 * 1024;
/// How long the writer thread lets lines gather after it has written some.
const PAUSE: Duration = Duration::from_millis(5);

/// What happens to a line while the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is dropped.
    Ordinary,
    /// It is dropped if the reserve is full too.
    Warning,
    /// Its thread waits if the reserve is full too.
    SecurityEvent,
    /// It is added: there is one at a time.
    Loss,
}

/// See the module.
pub(super) struct Queue {
    capacity: usize,
    reserve: usize,
    state: Mutex<State>,
    /// Lines that were lost since the start.
    lost: Arc<Counter>,
    /// Signals the writer thread.
    filled: Condvar,
    /// Signals threads that wait for room, or for their lines to be written.
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// Bytes that were ever added, and those of them that were written or refused.
    added: u64,
    written: u64,
    lost: u64,
    /// The writer thread waits for a line.
    is_idle: bool,
    /// Lines wait that should leave at once.
    is_urgent: bool,
}

impl Queue {
    /// Starts the thread that writes to `sink`; it lives as long as the process. `report` logs how many lines were lost.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(super) fn start(
        sink: impl Write + Send + 'static,
        report: fn(u64),
    ) -> std::io::Result<Arc<Self>> {
        let queue = Arc::new(Self::new(CAPACITY, RESERVE));
        let writing = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("log".into())
            .spawn(move || writing.write_to(sink, report))?;
        Ok(queue)
    }

    fn new(capacity: usize, reserve: usize) -> Self {
        Self {
            capacity,
            reserve,
            state: Mutex::default(),
            lost: Arc::default(),
            filled: Condvar::new(),
            emptied: Condvar::new(),
        }
    }

    /// The number of lines that were lost since the start.
    pub(super) fn lost(&self) -> Arc<Counter> {
        Arc::clone(&self.lost)
    }

    /// Adds a line, which ends with a line break.
    pub(super) fn add(&self, line: &[u8], kind: Kind) {
        let room = match kind {
            Kind::Ordinary => self.capacity,
            Kind::Warning | Kind::SecurityEvent => self.capacity + self.reserve,
            Kind::Loss => usize::MAX,
        };
        let mut state = self.state.lock();
        // A line that is longer than the buffer is added to an empty one.
        while !state.waiting.is_empty() && state.waiting.len() + line.len() > room {
            if kind != Kind::SecurityEvent {
                state.lost += 1;
                self.lost.increment();
                return;
            }
            self.emptied.wait(&mut state);
        }
        state.waiting.extend_from_slice(line);
        state.added += line.len() as u64;
        let is_urgent = kind != Kind::Ordinary || state.waiting.len() > self.capacity / 2;
        if state.is_idle || (is_urgent && !state.is_urgent) {
            state.is_urgent |= is_urgent;
            self.filled.notify_one();
        }
    }

    /// Waits until the lines so far are written; `false` if that takes longer than `longest`.
    pub(super) fn flush(&self, longest: Duration) -> bool {
        let deadline = Clock::System.monotonic() + longest;
        let mut state = self.state.lock();
        let end = state.added;
        while state.written < end {
            state.is_urgent = true;
            self.filled.notify_one();
            if self.emptied.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    fn write_to(&self, mut sink: impl Write, report: fn(u64)) {
        let mut lines = Vec::new();
        loop {
            self.take(&mut lines);
            let refused = write_all(&mut sink, &lines);
            let mut state = self.state.lock();
            state.written += lines.len() as u64;
            state.lost += refused;
            self.lost.add(refused);
            // What refuses lines would refuse the report too.
            let lost = match refused {
                0 => std::mem::take(&mut state.lost),
                _ => 0,
            };
            drop(state);
            self.emptied.notify_all();
            lines.clear();
            if lost > 0 {
                report(lost);
            }
            let mut state = self.state.lock();
            if !state.is_urgent {
                self.filled.wait_for(&mut state, PAUSE);
            }
        }
    }

    /// Waits for lines, and takes all.
    fn take(&self, lines: &mut Vec<u8>) {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            state.is_idle = true;
            self.filled.wait(&mut state);
        }
        (state.is_idle, state.is_urgent) = (false, false);
        std::mem::swap(&mut state.waiting, lines);
        drop(state);
        // There is room again.
        self.emptied.notify_all();
    }
}

/// Returns how many lines were not written.
fn write_all(sink: &mut impl Write, mut lines: &[u8]) -> u64 {
    while !lines.is_empty() {
        match sink.write(lines) {
            Ok(written) if written > 0 => lines = &lines[written..],
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            // Another process made it non-blocking.
            Err(fault) if fault.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Ok(_) | Err(_) => return lines.iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Longer than any step takes.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Passes on what is written, each time after it was allowed to.
    struct Sink {
        allowed: Receiver<io::Result<()>>,
        written: Sender<String>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The test has ended.
            self.allowed.recv().unwrap_or(Ok(()))?;
            let _ = self
                .written
                .send(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Fixture {
        queue: Arc<Queue>,
        allow: Sender<io::Result<()>>,
        written: Receiver<String>,
    }

    impl Fixture {
        fn new(capacity: usize, reserve: usize, report: fn(u64)) -> Self {
            let ((allow, allowed), (written, reader)) = (channel(), channel());
            let queue = Arc::new(Queue::new(capacity, reserve));
            let writing = Arc::clone(&queue);
            std::thread::spawn(move || writing.write_to(Sink { allowed, written }, report));
            Self {
                queue,
                allow,
                written: reader,
            }
        }

        fn add(&self, line: &str, kind: Kind) {
            self.queue.add(line.as_bytes(), kind);
        }

        /// The writer thread holds the first line, and waits to write it.
        fn stall(&self) {
            self.add("first\n", Kind::Ordinary);
            while !self.queue.state.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
        }

        fn next(&self) -> String {
            self.allow.send(Ok(())).unwrap();
            self.written.recv_timeout(TIMEOUT).unwrap()
        }

        fn lost(&self) -> u64 {
            self.queue.state.lock().lost
        }
    }

    fn no_report(_: u64) {}

    #[test]
    fn lines_that_gather_are_written_at_once_and_in_order() {
        let fixture = Fixture::new(100, 100, no_report);
        fixture.stall();
        fixture.add("two\n", Kind::Ordinary);
        fixture.add("three\n", Kind::SecurityEvent);
        fixture.add("four\n", Kind::Warning);
        assert_eq!(fixture.next(), "first\n");
        assert_eq!(fixture.next(), "two\nthree\nfour\n");
    }

    #[test]
    fn ordinary_lines_beyond_the_capacity_are_counted() {
        let fixture = Fixture::new(8, 8, no_report);
        fixture.stall();
        for _ in 0..4 {
            fixture.add("abc\n", Kind::Ordinary);
        }
        assert_eq!(fixture.lost(), 2);
        for _ in 0..4 {
            fixture.add("xyz\n", Kind::Warning);
        }
        assert_eq!(fixture.lost(), 4, "the reserve is for warnings");
        fixture.next();
        assert_eq!(fixture.next(), "abc\nabc\nxyz\nxyz\n");
    }

    #[test]
    fn security_events_wait_when_the_reserve_is_full() {
        let fixture = Fixture::new(4, 4, no_report);
        fixture.stall();
        fixture.add("abc\n", Kind::Ordinary);
        fixture.add("one\n", Kind::SecurityEvent);
        let queue = Arc::clone(&fixture.queue);
        let waiting = std::thread::spawn(move || queue.add(b"two\n", Kind::SecurityEvent));
        assert!(!fixture.queue.flush(Duration::from_millis(1)), "stalled");
        assert_eq!(
            (fixture.next(), fixture.next()),
            ("first\n".into(), "abc\none\n".into())
        );
        waiting.join().unwrap();
        assert_eq!(fixture.next(), "two\n");
        assert_eq!(fixture.lost(), 0);
    }

    #[test]
    fn lost_lines_are_reported_after_the_lines_before_them() {
        static REPORTED: Mutex<Option<u64>> = Mutex::new(None);
        let fixture = Fixture::new(4, 4, |lost| *REPORTED.lock() = Some(lost));
        fixture.stall();
        for _ in 0..3 {
            fixture.add("abc\n", Kind::Ordinary);
        }
        fixture.next();
        while REPORTED.lock().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(*REPORTED.lock(), Some(2));
    }

    #[test]
    fn lines_that_no_reader_takes_are_counted_without_a_report() {
        let fixture = Fixture::new(100, 100, |_| panic!("it would be refused too"));
        let broken = || Err(io::ErrorKind::BrokenPipe.into());
        fixture.allow.send(broken()).unwrap();
        fixture.add("one\ntwo\n", Kind::Ordinary);
        assert!(fixture.queue.flush(TIMEOUT));
        assert_eq!(fixture.lost(), 2);
        fixture.allow.send(broken()).unwrap();
        fixture.add("three\n", Kind::SecurityEvent);
        assert!(fixture.queue.flush(TIMEOUT), "the thread goes on");
        assert_eq!(fixture.lost(), 3);
    }

    #[test]
    fn a_flush_waits_for_the_lines_before_it() {
        let fixture = Fixture::new(100, 100, no_report);
        fixture.stall();
        fixture.add("second\n", Kind::Ordinary);
        let queue = Arc::clone(&fixture.queue);
        let flushed = std::thread::spawn(move || queue.flush(TIMEOUT));
        fixture.next();
        assert!(!flushed.is_finished());
        fixture.next();
        assert!(flushed.join().unwrap());
    }
}
