//! The `ended_access` table: access tokens that are refused before they expire; and the list of them in memory, which
//! is what requests ask.
//!
//! A trigger writes a row for every session that ends, on whatever way. The list knows of it before the answer to that
//! change goes out: the writer looks at the table after each commit. What another process ended is seen within
//! [`POLL_INTERVAL`]: who asks later than that looks first; or within [`POLL_TIMEOUT`], while another thread's look is slow. When a
//! look fails, whoever made it gets the failure and no answer.
//!
//! Numbers are given out in the order of commits, so that a look needs only what is above the last one it knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::model::SessionId;
use crate::store::{Reader, Transaction};

/// How long the list may be believed without a look at the table.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// A look that is overdue by so much is waited for, even if another thread is at it: the last ones have failed.
const POLL_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an entry outlives its tokens: a clock that is set back by up to so much revives none, unless it was set
/// forward before.
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// How often entries that are over are dropped from memory.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// The most rows of one statement.
const BATCH: u32 = 1000;

pub(in crate::store) const DELETE_OVER: &str = "DELETE FROM ended_access WHERE seq IN (SELECT seq FROM ended_access WHERE until <= $1 LIMIT $2)";

/// What was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedAccess {
    /// In the order of commits.
    pub seq: i64,
    /// Whose tokens.
    pub session_id: SessionId,
    /// That one alone; `None`: every one.
    pub jti: Option<String>,
    /// When the last of them expires.
    pub until: Timestamp,
}

/// Rows above `seq`, in order.
pub fn list_after(reader: &Reader<'_>, seq: i64, limit: u32) -> Result<Vec<EndedAccess>> {
    reader.all(
        "SELECT seq, session_id, jti, until FROM ended_access WHERE seq > $1 ORDER BY seq LIMIT $2",
        &[seq.into(), limit.into()],
        |row| {
            Ok(EndedAccess {
                seq: row.get(0)?,
                session_id: row.get(1)?,
                jti: row.get(2)?,
                until: row.get(3)?,
            })
        },
    )
}

/// Whether a token was ended alone, as the table has it: asked in the transaction of a write.
pub fn has_token(reader: &Reader<'_>, jti: &str) -> Result<bool> {
    let found = reader.one(
        "SELECT 1 FROM ended_access WHERE jti = $1",
        &[jti.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Ends one token alone; again changes nothing.
pub fn insert_token(
    tx: &Transaction<'_>,
    session_id: SessionId,
    jti: &str,
    until: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO ended_access (session_id, jti, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[session_id.into(), jti.into(), until.into()],
    )
    .map(drop)
}

/// Deletes some whose tokens expired before `before`; gives how many.
pub fn delete_over(tx: &Transaction<'_>, before: Timestamp, limit: u32) -> Result<usize> {
    tx.execute(DELETE_OVER, &[before.into(), limit.into()])
}

/// The list in memory.
#[derive(Debug)]
pub(in crate::store) struct RevocationList {
    lists: RwLock<Lists>,
    started: Instant,
    /// When the table was last looked at, in milliseconds since `started`.
    looked_at: AtomicU64,
    /// A change of ours may be missing.
    stale: AtomicBool,
    looking: Mutex<()>,
}

#[derive(Debug)]
struct Lists {
    /// The highest number that is known.
    last: i64,
    sessions: HashMap<SessionId, Timestamp>,
    tokens: HashMap<Box<str>, Timestamp>,
    tidied_at: Timestamp,
}

impl RevocationList {
    /// All that the table has.
    pub(in crate::store) fn load(reader: &Reader<'_>) -> Result<Self> {
        let ended = Self {
            lists: RwLock::new(Lists {
                last: 0,
                sessions: HashMap::new(),
                tokens: HashMap::new(),
                tidied_at: Timestamp::from_millis(0),
            }),
            started: Instant::now(),
            looked_at: AtomicU64::new(0),
            stale: AtomicBool::new(false),
            looking: Mutex::new(()),
        };
        ended.reload(reader)?;
        Ok(ended)
    }

    /// After a commit, and before anybody is told of it.
    pub(in crate::store) fn refresh(&self, reader: &Reader<'_>) {
        if let Err(failure) = self.reload(reader) {
            tracing::error!(%failure, "ended access tokens were not read");
            self.invalidate();
        }
    }

    /// Has the next who asks look: something of ours may be missing.
    pub(in crate::store) fn invalidate(&self) {
        self.stale.store(true, Ordering::SeqCst);
    }

    /// Whether a token was ended, as far as the list knows.
    pub(in crate::store) fn has(&self, session_id: SessionId, jti: &str) -> bool {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        lists.sessions.contains_key(&session_id) || lists.tokens.contains_key(jti)
    }

    /// The right, and the duty, to look at the table before asking, when it is time to.
    pub(in crate::store) fn poll_due(&self) -> Option<Turn<'_>> {
        if !self.is_due(POLL_INTERVAL) {
            return None;
        }
        let alone = match self.looking.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::WouldBlock) if !self.is_due(POLL_TIMEOUT) => return None,
            Err(_) => self.looking.lock().unwrap_or_else(PoisonError::into_inner),
        };
        // Another may have looked while this one waited.
        self.is_due(POLL_INTERVAL).then_some(Turn {
            ended: self,
            _alone: alone,
        })
    }

    fn is_due(&self, age: Duration) -> bool {
        let looked_at = Duration::from_millis(self.looked_at.load(Ordering::SeqCst));
        self.stale.load(Ordering::SeqCst) || self.started.elapsed().saturating_sub(looked_at) >= age
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn reload(&self, reader: &Reader<'_>) -> Result<()> {
        loop {
            let last = self
                .lists
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .last;
            let rows = list_after(reader, last, BATCH)?;
            let is_all = rows.len() < BATCH as usize;
            if !rows.is_empty() {
                self.lists
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(rows);
            }
            if is_all {
                return Ok(());
            }
        }
    }

    fn tidy(&self, now: Timestamp) {
        let due = self
            .lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .tidied_at
            + PRUNE_INTERVAL;
        if now >= due {
            self.lists
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .tidy(now);
        }
    }
}

/// One look at the table, by one thread at a time.
pub(in crate::store) struct Turn<'e> {
    ended: &'e RevocationList,
    _alone: MutexGuard<'e, ()>,
}

impl Turn<'_> {
    /// Looks. What fails is due again.
    pub(in crate::store) fn look(&self, reader: &Reader<'_>, now: Timestamp) -> Result<()> {
        let ended = self.ended;
        let asked_at = ended.elapsed();
        let was_stale = ended.stale.swap(false, Ordering::SeqCst);
        let looked = ended.reload(reader);
        if looked.is_ok() {
            ended.looked_at.store(asked_at, Ordering::SeqCst);
            ended.tidy(now);
        } else if was_stale {
            ended.invalidate();
        }
        looked
    }
}

impl Lists {
    fn add(&mut self, rows: Vec<EndedAccess>) {
        for row in rows {
            self.last = self.last.max(row.seq);
            let until = match row.jti {
                Some(jti) => self.tokens.entry(jti.into()).or_insert(row.until),
                None => self.sessions.entry(row.session_id).or_insert(row.until),
            };
            *until = row.until.max(*until);
        }
    }

    fn tidy(&mut self, now: Timestamp) {
        self.sessions.retain(|_, until| now < *until + KEEP);
        self.tokens.retain(|_, until| now < *until + KEEP);
        self.tidied_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{NOW, within};

    const HOUR: Duration = Duration::from_secs(3600);
    const ONE: SessionId = SessionId(1);

    fn end(tx: &Transaction<'_>, session_id: SessionId, jti: Option<&str>, until: Timestamp) {
        tx.execute(
            "INSERT INTO ended_access (session_id, jti, until) VALUES ($1, $2, $3)",
            &[session_id.into(), jti.into(), until.into()],
        )
        .unwrap();
    }

    /// As if nobody had looked for a while.
    fn wait(ended: &RevocationList) {
        ended.looked_at.store(0, Ordering::SeqCst);
        std::thread::sleep(POLL_INTERVAL);
    }

    #[test]
    fn it_starts_with_all_that_the_table_has() {
        within(|tx| {
            for id in 1..=2 * i64::from(BATCH) + 1 {
                end(tx, SessionId(id), None, NOW);
            }
            end(tx, SessionId(5000), Some("alone"), NOW);
            let ended = RevocationList::load(tx).unwrap();
            assert!((1..=2 * i64::from(BATCH) + 1).all(|id| ended.has(SessionId(id), "any")));
            assert!(ended.has(SessionId(5000), "alone") && !ended.has(SessionId(5000), "another"));
        });
    }

    #[test]
    fn what_is_fresh_is_not_looked_at_and_a_commit_of_ours_is_known_at_once() {
        within(|tx| {
            let ended = RevocationList::load(tx).unwrap();
            assert!(ended.poll_due().is_none(), "it was read a moment ago");
            end(tx, ONE, None, NOW);
            assert!(!ended.has(ONE, "any"));
            ended.refresh(tx);
            assert!(ended.has(ONE, "any"));
        });
    }

    #[test]
    fn one_looks_while_others_go_on_until_it_is_overdue() {
        within(|tx| {
            let ended = RevocationList::load(tx).unwrap();
            wait(&ended);
            let turn = ended.poll_due().unwrap();
            assert!(ended.poll_due().is_none());
            end(tx, ONE, None, NOW);
            turn.look(tx, NOW).unwrap();
            drop(turn);
            assert!(ended.has(ONE, "any") && ended.poll_due().is_none());
            std::thread::sleep(POLL_TIMEOUT);
            let turn = ended.poll_due().unwrap();
            std::thread::scope(|scope| {
                let other = scope.spawn(|| ended.poll_due().is_some());
                std::thread::sleep(POLL_INTERVAL / 4);
                assert!(!other.is_finished(), "an overdue look is waited for");
                turn.look(tx, NOW).unwrap();
                drop(turn);
                assert!(!other.join().unwrap(), "and need not be done twice");
            });
        });
    }

    #[test]
    fn a_failing_look_refuses_rather_than_trusts() {
        within(|tx| {
            let ended = RevocationList::load(tx).unwrap();
            tx.execute("ALTER TABLE ended_access RENAME TO away", &[])
                .unwrap();
            wait(&ended);
            for _ in 0..2 {
                let turn = ended.poll_due().expect("it is still due");
                assert!(turn.look(tx, NOW).is_err());
            }
            ended.refresh(tx);
            assert!(ended.poll_due().unwrap().look(tx, NOW).is_err());
            tx.execute("ALTER TABLE away RENAME TO ended_access", &[])
                .unwrap();
            end(tx, ONE, None, NOW);
            ended.poll_due().unwrap().look(tx, NOW).unwrap();
            assert!(ended.has(ONE, "any") && ended.poll_due().is_none());
        });
    }

    #[test]
    fn a_change_of_ours_that_was_not_read_is_looked_for_at_once() {
        within(|tx| {
            let ended = RevocationList::load(tx).unwrap();
            end(tx, ONE, None, NOW);
            ended.invalidate();
            let turn = ended.poll_due().expect("at once");
            turn.look(tx, NOW).unwrap();
            drop(turn);
            assert!(ended.has(ONE, "any") && ended.poll_due().is_none());
        });
    }

    #[test]
    fn entries_go_a_day_after_their_tokens() {
        within(|tx| {
            end(tx, ONE, None, NOW + HOUR);
            end(tx, SessionId(2), Some("alone"), NOW + HOUR);
            let ended = RevocationList::load(tx).unwrap();
            let look = |now| {
                ended.invalidate();
                ended.poll_due().unwrap().look(tx, now).unwrap();
                (ended.has(ONE, "any"), ended.has(SessionId(2), "alone"))
            };
            let over = NOW + HOUR + KEEP;
            assert_eq!(look(over - PRUNE_INTERVAL), (true, true));
            assert_eq!(look(over - Duration::from_millis(1)), (true, true));
            assert_eq!(look(over + PRUNE_INTERVAL), (false, false));
            assert_eq!(
                look(NOW),
                (false, false),
                "a clock set back further brings nothing back"
            );
        });
    }

    #[test]
    fn the_longer_of_two_ends_counts() {
        within(|tx| {
            end(tx, ONE, None, NOW + 2 * HOUR);
            end(tx, ONE, None, NOW);
            let ended = RevocationList::load(tx).unwrap();
            ended.invalidate();
            ended
                .poll_due()
                .unwrap()
                .look(tx, NOW + HOUR + KEEP)
                .unwrap();
            assert!(ended.has(ONE, "any"));
        });
    }

    #[test]
    fn a_token_is_ended_once_and_rows_go_when_they_are_over() {
        within(|tx| {
            insert_token(tx, ONE, "alone", NOW).unwrap();
            insert_token(tx, ONE, "alone", NOW + HOUR).unwrap();
            assert_eq!(list_after(tx, 0, 9).unwrap().len(), 1);
            assert!(has_token(tx, "alone").unwrap() && !has_token(tx, "another").unwrap());
            assert_eq!(delete_over(tx, NOW - HOUR, 9).unwrap(), 0);
            assert_eq!(delete_over(tx, NOW, 9).unwrap(), 1);
        });
    }
}
