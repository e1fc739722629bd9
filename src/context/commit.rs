//! The one way to change something: a transaction whose audit events are recorded with it.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Deref;

use crate::audit::{Entry, Event, Recorder, Source};
use crate::domain::error::{Error, Result};
use crate::store::{Database, Transaction};

/// A transaction and the audit events of its work.
pub struct Change<'t> {
    tx: &'t Transaction<'t>,
    source: &'t Source,
    entries: RefCell<Vec<Entry>>,
}

impl Change<'_> {
    /// Records an event with this change: it is in the audit trail if, and only if, the change is committed.
    pub fn record(&self, event: Event) {
        self.entries
            .borrow_mut()
            .push(Entry::new(self.source, event));
    }
}

impl<'t> Deref for Change<'t> {
    type Target = Transaction<'t>;

    fn deref(&self) -> &Self::Target {
        self.tx
    }
}

/// What a committed change returned.
#[derive(Debug)]
pub struct Committed<T> {
    /// The value of its work.
    pub value: T,
    /// Whether it added mails to the outbox.
    pub has_mail: bool,
    /// The names of its audit events.
    pub events: Vec<&'static str>,
}

/// Runs `work` in one transaction, adds its audit events to the trail with it, and logs them after the commit. For
/// commands, which have no [`Context`](super::Context) and no client that hangs up.
///
/// `work` has no effect but through the change, since it may run again after a fault. A refusal that a client can cause
/// is an `Ok` value: an `Err` undoes the change, and the whole batch of the writer thread with it.
///
/// # Errors
/// Those of [`Database::write`].
pub async fn commit<T, F>(
    database: &Database,
    recorder: &Recorder,
    source: Source,
    mut work: F,
) -> Result<Committed<T>>
where
    T: Send + 'static,
    F: FnMut(&Change<'_>) -> Result<T> + Send + 'static,
{
    let recorder = recorder.clone();
    let (value, has_mail, entries) = database
        .write(move |tx| {
            let mails_before = tx.mails_enqueued();
            let change = Change {
                tx,
                source: &source,
                entries: RefCell::default(),
            };
            let value = work(&change)?;
            let entries = change.entries.into_inner();
            recorder.record(tx, &entries)?;
            let has_mail = tx.mails_enqueued() > mails_before;
            Ok((value, has_mail, entries))
        })
        .await?;
    entries.iter().for_each(Entry::write);
    Ok(Committed {
        value,
        has_mail,
        events: entries.iter().map(|entry| entry.event.name()).collect(),
    })
}

/// Runs a future on a task of its own: actix drops a handler when its client hangs up.
///
/// # Errors
/// Those of the future; [`Error::Internal`] when it panics.
pub(super) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)?
}
