//! The list of revoked access tokens in memory, which requests ask.
//!
//! It is complete for this process: it reads the table after each commit, before the commit's callers are answered.
//! What another process revoked is seen within [`POLL_INTERVAL`]: a later question reads the table first; or within
//! [`POLL_TIMEOUT`], while another thread's reading is slow. If reading fails, the question fails: nothing is accepted
//! on a list that may be incomplete.
//!
//! SQLite numbers the rows of the table in the order of commits, so that only rows above the last known number are read.
//! PostgreSQL does not: its engine reads new rows in a way of its own, and adds them here.
//!
//! # Threats
//! - a client that revokes many tokens: beyond 16 of one session, the table has one row for all that were issued until the
//!   oldest of them
//! - many sessions that are ended: limits bound how fast, and above [`MAX_SESSIONS`] the list is given up for one time, until
//!   which all tokens were issued that it refuses; clients then obtain others. The list never forgets to save memory

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::engine::{AfterCommit, Reader};
use super::tables::revocations::{ALL_SESSIONS, KEEP, Revocation, list_after};
use crate::domain::SessionId;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::error::Result;

/// How old the list may be for questions.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// From this age on, a question waits for the thread that is reading: its earlier attempts have failed.
const POLL_TIMEOUT: Duration = Duration::from_secs(1);
/// How often expired entries are dropped from memory.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// The most rows of one statement.
const BATCH: u32 = 1000;
/// The most sessions with revoked tokens, of some hundred bytes each.
const MAX_SESSIONS: usize = 500_000;

/// Revoked access tokens.
#[derive(Debug)]
pub(super) struct RevocationList {
    entries: RwLock<Entries>,
    clock: Clock,
    started: Instant,
    /// When the table was last read, in milliseconds since `started`.
    read_at: AtomicU64,
    /// A commit of this process may be missing.
    stale: AtomicBool,
    polling: Mutex<()>,
}

#[derive(Debug)]
struct Entries {
    /// The highest known number.
    last: i64,
    sessions: HashMap<SessionId, OfSession>,
    /// Tokens of any session that were issued until then are revoked.
    issued_until: Option<Timestamp>,
    pruned_at: Timestamp,
}

/// The revoked tokens of a session.
#[derive(Debug, Default)]
struct OfSession {
    /// All of them, and when the last one expires.
    all: Option<Timestamp>,
    /// Those that were issued until the first time; the second is when the last one expires.
    issued_until: Option<(Timestamp, Timestamp)>,
    /// Single ones.
    tokens: Vec<SingleToken>,
}

/// A token that was revoked alone.
#[derive(Debug)]
struct SingleToken {
    jti: Box<str>,
    issued_at: Timestamp,
    until: Timestamp,
}

impl RevocationList {
    /// An empty list, to be completed by [`Self::load`].
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            entries: RwLock::new(Entries {
                last: 0,
                sessions: HashMap::new(),
                issued_until: None,
                pruned_at: Timestamp::from_millis(0),
            }),
            started: clock.monotonic(),
            clock,
            read_at: AtomicU64::new(0),
            stale: AtomicBool::new(false),
            polling: Mutex::new(()),
        }
    }

    /// Whether a token is on the list, alone or with others of its session.
    pub(super) fn contains(&self, session_id: SessionId, jti: &str, issued_at: Timestamp) -> bool {
        let entries = self.entries();
        let session = entries.sessions.get(&session_id);
        session.is_some_and(|session| session.has(jti, issued_at))
            || entries.issued_until.is_some_and(|until| issued_at <= until)
    }

    /// The right, and the duty, to read the table before asking, when the list is too old.
    pub(super) fn poll_due(&self) -> Option<Poll<'_>> {
        if !self.is_older_than(POLL_INTERVAL) {
            return None;
        }
        let guard = match self.polling.try_lock() {
            Some(guard) => guard,
            None if !self.is_older_than(POLL_TIMEOUT) => return None,
            None => self.polling.lock(),
        };
        // Another thread may have read the table while this one waited.
        self.is_older_than(POLL_INTERVAL).then_some(Poll {
            list: self,
            _guard: guard,
        })
    }

    /// Whether the list is too old for questions.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_older_than(POLL_INTERVAL)
    }

    fn is_older_than(&self, age: Duration) -> bool {
        let read_at = Duration::from_millis(self.read_at.load(Ordering::SeqCst));
        self.stale.load(Ordering::SeqCst) || self.elapsed().saturating_sub(read_at) >= age
    }

    fn elapsed(&self) -> Duration {
        self.clock
            .monotonic()
            .saturating_duration_since(self.started)
    }

    /// How many sessions have revoked tokens, and how long ago the table was read.
    pub(super) fn figures(&self) -> (usize, Duration) {
        let read_at = Duration::from_millis(self.read_at.load(Ordering::SeqCst));
        let age = self.elapsed().saturating_sub(read_at);
        (self.entries().sessions.len(), age)
    }

    /// Adds the rows that the list does not know yet.
    pub(super) fn load(&self, reader: &Reader<'_>) -> Result<()> {
        loop {
            let last = self.entries().last;
            let rows = list_after(reader, last, BATCH)?;
            let is_last_batch = rows.len() < BATCH as usize;
            self.add(rows);
            if is_last_batch {
                return Ok(());
            }
        }
    }

    /// Makes the next question read the table: a commit may be missing.
    pub(super) fn note_missing(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }

    /// Adds rows. They may be known.
    pub(super) fn add(&self, rows: Vec<Revocation>) {
        if !rows.is_empty() {
            self.entries_mut().add(rows, MAX_SESSIONS, self.clock.now());
        }
    }

    /// Brings the list up to date by `load`. After a failure the next question does it again.
    pub(super) fn refresh(&self, now: Timestamp, load: impl FnOnce() -> Result<()>) -> Result<()> {
        let asked_at = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        let was_stale = self.stale.swap(false, Ordering::SeqCst);
        let outcome = load();
        if outcome.is_ok() {
            self.read_at.fetch_max(asked_at, Ordering::SeqCst);
            self.prune(now);
        } else if was_stale {
            self.note_missing();
        }
        outcome
    }

    fn prune(&self, now: Timestamp) {
        let due = self.entries().pruned_at + PRUNE_INTERVAL;
        if now >= due {
            self.entries_mut().prune(now);
        }
    }

    fn entries(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read()
    }

    fn entries_mut(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write()
    }
}

impl AfterCommit for RevocationList {
    fn committed(&self, reader: &Reader<'_>) {
        if let Err(error) = self.load(reader) {
            tracing::error!(%error, "cannot read revoked access tokens");
            self.commit_failed();
        }
        self.prune(self.clock.now());
    }

    fn commit_failed(&self) {
        self.note_missing();
    }
}

/// One reading of the table, by one thread at a time.
pub(super) struct Poll<'l> {
    list: &'l RevocationList,
    _guard: MutexGuard<'l, ()>,
}

impl Poll<'_> {
    /// Reads the table. After a failure the next question does it again.
    pub(super) fn run(&self, reader: &Reader<'_>, now: Timestamp) -> Result<()> {
        self.list.refresh(now, || self.list.load(reader))
    }
}

impl Entries {
    fn add(&mut self, rows: Vec<Revocation>, most: usize, now: Timestamp) {
        for row in rows {
            self.last = self.last.max(row.seq);
            if row.session_id == ALL_SESSIONS {
                self.issued_until = self.issued_until.max(row.issued_until);
                continue;
            }
            self.sessions.entry(row.session_id).or_default().add(row);
        }
        if self.sessions.len() > most {
            self.prune(now);
        }
        if self.sessions.len() > most {
            tracing::warn!(
                sessions = most,
                "too many revoked access tokens: refusing all that were issued until now"
            );
            self.sessions = HashMap::new();
            self.issued_until = self.issued_until.max(Some(now));
        }
    }

    fn prune(&mut self, now: Timestamp) {
        self.sessions.retain(|_, session| session.prune(now));
        self.sessions.shrink_to(2 * self.sessions.len());
        self.pruned_at = now;
    }
}

impl OfSession {
    fn has(&self, jti: &str, issued_at: Timestamp) -> bool {
        self.all.is_some()
            || self.issued_until.is_some_and(|(last, _)| issued_at <= last)
            || self.tokens.iter().any(|token| *token.jti == *jti)
    }

    fn add(&mut self, row: Revocation) {
        match (row.jti, row.issued_until) {
            // Concurrent readings of PostgreSQL may find the same row.
            (Some(jti), _) if self.tokens.iter().any(|token| *token.jti == *jti) => {}
            (Some(jti), issued_until) => self.tokens.push(SingleToken {
                jti: jti.into(),
                issued_at: issued_until.unwrap_or(row.until),
                until: row.until,
            }),
            (None, None) => self.all = self.all.max(Some(row.until)),
            (None, Some(last)) => {
                let (earlier, until) = self.issued_until.unwrap_or((last, row.until));
                self.issued_until = Some((last.max(earlier), until.max(row.until)));
                // The row stands for them.
                self.tokens.retain(|token| last < token.issued_at);
            }
        }
    }

    /// Drops what expired long ago; whether anything is left.
    fn prune(&mut self, now: Timestamp) -> bool {
        let is_kept = |until: Timestamp| now < until + KEEP;
        self.all = self.all.filter(|until| is_kept(*until));
        self.issued_until = self.issued_until.filter(|(_, until)| is_kept(*until));
        self.tokens.retain(|token| is_kept(token.until));
        self.all.is_some() || self.issued_until.is_some() || !self.tokens.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Transaction;
    use crate::store::sqlite;
    use crate::store::tables::revocations::{MAX_SINGLE, delete_expired, has_token, insert_token};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const ONE: SessionId = SessionId(1);

    fn within(test: impl FnOnce(&Transaction<'_>)) {
        test(&Transaction::new(&sqlite::in_memory()));
    }

    fn revoke(tx: &Transaction<'_>, session_id: SessionId, jti: Option<&str>, until: Timestamp) {
        tx.execute(
            "INSERT INTO revoked_access_tokens (session_id, jti, until) VALUES ($1, $2, $3)",
            &[session_id.into(), jti.into(), until.into()],
        )
        .unwrap();
    }

    fn load(tx: &Transaction<'_>) -> (RevocationList, Clock) {
        let clock = Clock::manual(NOW);
        let list = RevocationList::new(clock.clone());
        list.load(tx).unwrap();
        (list, clock)
    }

    #[test]
    fn it_starts_with_all_rows_of_the_table() {
        within(|tx| {
            for id in 1..=2 * i64::from(BATCH) + 1 {
                revoke(tx, SessionId(id), None, NOW);
            }
            revoke(tx, SessionId(5000), Some("alone"), NOW);
            let (list, _) = load(tx);
            assert!((1..=2 * i64::from(BATCH) + 1).all(|id| list.contains(
                SessionId(id),
                "any",
                NOW
            )));
            assert!(list.contains(SessionId(5000), "alone", NOW));
            assert!(!list.contains(SessionId(5000), "another", NOW));
        });
    }

    #[test]
    fn a_commit_of_this_process_is_known_at_once() {
        within(|tx| {
            let (list, _) = load(tx);
            assert!(list.poll_due().is_none(), "it was read just now");
            revoke(tx, ONE, None, NOW);
            assert!(!list.contains(ONE, "any", NOW));
            list.committed(tx);
            assert!(list.contains(ONE, "any", NOW));
        });
    }

    #[test]
    fn one_thread_polls_while_others_go_on_until_it_is_overdue() {
        within(|tx| {
            let (list, clock) = load(tx);
            clock.advance(POLL_INTERVAL);
            let poll = list.poll_due().unwrap();
            assert!(list.poll_due().is_none());
            revoke(tx, ONE, None, NOW);
            poll.run(tx, NOW).unwrap();
            drop(poll);
            assert!(list.contains(ONE, "any", NOW) && list.poll_due().is_none());
            clock.advance(POLL_TIMEOUT);
            let poll = list.poll_due().unwrap();
            std::thread::scope(|scope| {
                let other = scope.spawn(|| list.poll_due().is_some());
                // Time for the other thread to reach the lock: that it waits shows when it gets its turn.
                std::thread::sleep(Duration::from_millis(50));
                drop(poll);
                assert!(other.join().unwrap(), "an overdue poll is waited for");
            });
            list.poll_due().unwrap().run(tx, NOW).unwrap();
            assert!(
                list.poll_due().is_none(),
                "a poll that was done is not done again"
            );
        });
    }

    #[test]
    fn a_failed_poll_is_due_again() {
        within(|tx| {
            let (list, clock) = load(tx);
            tx.execute("ALTER TABLE revoked_access_tokens RENAME TO away", &[])
                .unwrap();
            clock.advance(POLL_INTERVAL);
            for _ in 0..2 {
                let poll = list.poll_due().expect("it is still due");
                assert!(poll.run(tx, NOW).is_err());
            }
            list.committed(tx);
            assert!(list.poll_due().unwrap().run(tx, NOW).is_err());
            tx.execute("ALTER TABLE away RENAME TO revoked_access_tokens", &[])
                .unwrap();
            revoke(tx, ONE, None, NOW);
            list.poll_due().unwrap().run(tx, NOW).unwrap();
            assert!(list.contains(ONE, "any", NOW) && list.poll_due().is_none());
        });
    }

    #[test]
    fn a_failed_commit_makes_a_poll_due() {
        within(|tx| {
            let (list, _) = load(tx);
            revoke(tx, ONE, None, NOW);
            list.commit_failed();
            let poll = list.poll_due().expect("at once");
            poll.run(tx, NOW).unwrap();
            drop(poll);
            assert!(list.contains(ONE, "any", NOW) && list.poll_due().is_none());
        });
    }

    #[test]
    fn entries_are_dropped_a_day_after_their_tokens_expired() {
        within(|tx| {
            revoke(tx, ONE, None, NOW + HOUR);
            revoke(tx, SessionId(2), Some("alone"), NOW + HOUR);
            let (list, _) = load(tx);
            let poll = |now| {
                list.commit_failed();
                list.poll_due().unwrap().run(tx, now).unwrap();
                (
                    list.contains(ONE, "any", NOW),
                    list.contains(SessionId(2), "alone", NOW),
                )
            };
            let expired = NOW + HOUR + KEEP;
            assert_eq!(poll(expired - PRUNE_INTERVAL), (true, true));
            assert_eq!(poll(expired - Duration::from_millis(1)), (true, true));
            assert_eq!(poll(expired), (false, false));
            assert_eq!(
                poll(NOW),
                (false, false),
                "setting the clock back restores none"
            );
        });
    }

    #[test]
    fn commits_drop_expired_entries_without_a_question() {
        within(|tx| {
            revoke(tx, ONE, Some("alone"), NOW + HOUR);
            let (list, clock) = load(tx);
            clock.advance(HOUR + KEEP + PRUNE_INTERVAL);
            list.committed(tx);
            assert_eq!(list.entries().sessions.capacity(), 0);
        });
    }

    #[test]
    fn the_later_expiry_of_two_rows_counts() {
        within(|tx| {
            revoke(tx, ONE, None, NOW + 2 * HOUR);
            revoke(tx, ONE, None, NOW);
            let (list, _) = load(tx);
            list.commit_failed();
            list.poll_due().unwrap().run(tx, NOW + HOUR + KEEP).unwrap();
            assert!(list.contains(ONE, "any", NOW));
        });
    }

    #[test]
    fn a_token_is_revoked_once_and_its_row_expires() {
        within(|tx| {
            insert_token(tx, ONE, "alone", NOW, NOW).unwrap();
            insert_token(tx, ONE, "alone", NOW, NOW + HOUR).unwrap();
            assert_eq!(list_after(tx, 0, 9).unwrap().len(), 1);
            assert!(
                has_token(tx, ONE, "alone", NOW).unwrap()
                    && !has_token(tx, ONE, "another", NOW).unwrap()
            );
            assert_eq!(delete_expired(tx, NOW - HOUR, 9).unwrap(), 0);
            assert_eq!(delete_expired(tx, NOW, 9).unwrap(), 1);
        });
    }

    #[test]
    fn many_single_revocations_of_a_session_are_one_entry() {
        within(|tx| {
            let at = |second: u64| NOW + Duration::from_secs(second);
            let (list, _) = load(tx);
            for second in 0..100 {
                let jti = format!("token {second}");
                insert_token(tx, ONE, &jti, at(second), at(second) + HOUR).unwrap();
                list.load(tx).unwrap();
                assert!(list_after(tx, 0, 1000).unwrap().len() <= MAX_SINGLE + 1);
                assert!(list.entries().sessions[&ONE].tokens.len() <= MAX_SINGLE);
                for earlier in 0..=second {
                    let jti = format!("token {earlier}");
                    assert!(list.contains(ONE, &jti, at(earlier)), "{jti}");
                    assert!(has_token(tx, ONE, &jti, at(earlier)).unwrap());
                }
                // A token that the client obtains afterwards is valid.
                assert!(!list.contains(ONE, "next", at(second + 1)));
                assert!(!list.contains(SessionId(2), "another", at(0)));
            }
            let (fresh, _) = load(tx);
            assert!(fresh.contains(ONE, "token 0", at(0)));
            assert!(fresh.contains(ONE, "token 99", at(99)));
        });
    }

    #[test]
    fn a_token_of_the_second_of_a_revocation_stays_valid() {
        within(|tx| {
            let (list, _) = load(tx);
            let earlier = NOW - HOUR;
            for number in 0..=MAX_SINGLE {
                // The oldest alone is of another second.
                let issued_at = if number == 5 { earlier } else { NOW };
                let jti = format!("token {number}");
                insert_token(tx, ONE, &jti, issued_at, NOW + HOUR).unwrap();
            }
            list.load(tx).unwrap();
            for number in 0..=MAX_SINGLE {
                let issued_at = if number == 5 { earlier } else { NOW };
                let jti = format!("token {number}");
                assert!(list.contains(ONE, &jti, issued_at), "{jti}");
                assert!(has_token(tx, ONE, &jti, issued_at).unwrap(), "{jti}");
            }
            assert!(!list.contains(ONE, "next", NOW));
            assert!(!has_token(tx, ONE, "next", NOW).unwrap());
            assert_eq!(list_after(tx, 0, 100).unwrap().len(), MAX_SINGLE + 1);
        });
    }

    #[test]
    fn above_its_bound_the_list_refuses_all_issued_until_now() {
        let (list, now) = (RevocationList::new(Clock::manual(NOW)), NOW + HOUR);
        let row = |id| Revocation {
            seq: id,
            session_id: SessionId(id),
            jti: None,
            issued_until: None,
            until: now,
        };
        list.entries_mut().add((1..=3).map(row).collect(), 3, now);
        assert!(!list.contains(SessionId(9), "any", now));
        list.entries_mut().add(vec![row(4)], 3, now);
        assert!(list.entries().sessions.is_empty());
        for id in [1, 4, 9] {
            assert!(list.contains(SessionId(id), "any", now));
            assert!(!list.contains(SessionId(id), "any", now + Duration::from_secs(1)));
        }
        // Those that expired long ago make room first.
        let list = RevocationList::new(Clock::manual(NOW));
        list.entries_mut().add((1..=3).map(row).collect(), 3, now);
        let later = Revocation {
            until: now + KEEP + HOUR,
            ..row(4)
        };
        list.entries_mut().add(vec![later], 3, now + KEEP);
        assert_eq!(list.entries().sessions.len(), 1);
        assert!(!list.contains(SessionId(9), "any", now));
    }
}
