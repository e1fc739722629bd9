//! The work beside requests, on one thread: mail delivery, last uses of credentials, the audit trail, sweeping.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::backups::{self, Made};
use super::{held, sweep};
use crate::accounts::second_factor;
use crate::audit;
use crate::config::MAINTENANCE_TICK as TICK;
use crate::context::Context;
use crate::domain::error::{Error, Result};
use crate::store::key_bases;

/// How long shutdown waits for mails in delivery. Later ones are sent after the next start.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How often the database file is looked for.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// How often refusals are written to the audit trail, and its new rows are sealed.
const SEAL_INTERVAL: Duration = Duration::from_secs(5);

/// The pause of background work after a panic.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// How long after a scheduled backup that failed the next one is tried.
const BACKUP_RETRY: Duration = Duration::from_secs(10 * 60);

/// The background work, on its own thread. It ends with [`Background::stop`] or when dropped.
pub struct Background {
    context: Arc<Context>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(super) fn start(context: Arc<Context>) -> Result<Self> {
        context.database.check_in_background();
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::internal)?;
        let shared = Arc::clone(&context);
        let thread = std::thread::Builder::new()
            .name("background".into())
            .spawn(move || {
                // A panic must not end mail delivery while requests go on.
                let run = || runtime.block_on(work(&shared, stopped.clone()));
                while catch_unwind(AssertUnwindSafe(run)).is_err() {
                    std::thread::sleep(AFTER_A_PANIC);
                }
            })
            .map_err(Error::internal)?;
        Ok(Self {
            context,
            stop,
            thread: Some(thread),
        })
    }

    /// Ends it: waits briefly for mails in delivery, and writes activity.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.context.mail_worker.stop();
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the background thread had panicked");
        }
    }
}

async fn work(context: &Context, stop: watch::Receiver<bool>) {
    futures_util::future::join5(
        deliver(context, stop.clone()),
        watch_files(context, stop.clone()),
        back_up(context, stop.clone()),
        seal_audit_trail(context, stop.clone()),
        maintenance(context, stop),
    )
    .await;
}

/// Logs within a second that the database file was removed or replaced, though nothing is written meanwhile.
async fn watch_files(context: &Context, mut stop: watch::Receiver<bool>) {
    while tokio::time::timeout(WATCH_INTERVAL, stop.changed())
        .await
        .is_err()
    {
        // The log has the failure.
        let _ = context.database.check_files();
    }
}

async fn deliver(context: &Context, mut stop: watch::Receiver<bool>) {
    let out_of_time = async {
        let _ = stop.wait_for(|asked| *asked).await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    futures_util::future::select(pin!(context.mail_worker.run()), pin!(out_of_time)).await;
}

/// Makes a backup whenever one is due, on a thread of its own. Failures are logged with their number in a row.
async fn back_up(context: &Context, mut stop: watch::Receiver<bool>) {
    let Some(directory) = &context.settings.backup.directory else {
        return;
    };
    let mut failures = 0_u32;
    loop {
        let now = context.clock.now();
        let mut pause = TICK;
        // A folder that cannot be read fails the backup, which says so.
        if backups::is_due(directory, context.settings.backup.every, now).unwrap_or(true) {
            match make_backup(context, &mut stop).await {
                Ok(Some(Made {
                    path,
                    bytes,
                    deleted,
                })) => {
                    failures = 0;
                    tracing::info!(file = %path.display(), bytes, deleted, "backup made");
                }
                Ok(None) => {}
                Err(_) if *stop.borrow() => {}
                Err(failure) => {
                    failures += 1;
                    pause = BACKUP_RETRY;
                    tracing::error!(%failure, failures, "a scheduled backup failed");
                }
            }
        }
        let _ = tokio::time::timeout(pause, stop.wait_for(|asked| *asked)).await;
        if *stop.borrow() {
            return;
        }
    }
}

/// When the server stops, the copy is interrupted: its reading would keep the write-ahead log from being removed.
async fn make_backup(context: &Context, stop: &mut watch::Receiver<bool>) -> Result<Option<Made>> {
    let (settings, now) = (context.settings.clone(), context.clock.now());
    let is_stopped = Arc::new(AtomicBool::new(false));
    let (ended, mut outcome) = oneshot::channel();
    let asked = Arc::clone(&is_stopped);
    std::thread::Builder::new()
        .name("backup".into())
        .spawn(move || {
            // After the end of the server there is no receiver.
            let _ = ended.send(backups::make_if_due(&settings, now, &asked));
        })
        .map_err(Error::internal)?;
    let first = {
        let stopping = pin!(stop.wait_for(|asked| *asked));
        match futures_util::future::select(&mut outcome, stopping).await {
            futures_util::future::Either::Left((outcome, _)) => Some(outcome),
            futures_util::future::Either::Right(_) => None,
        }
    };
    let made = match first {
        Some(outcome) => outcome,
        None => {
            is_stopped.store(true, Ordering::Relaxed);
            match tokio::time::timeout(SHUTDOWN_GRACE, outcome).await {
                Ok(outcome) => outcome,
                Err(_) => return Ok(None),
            }
        }
    };
    made.unwrap_or_else(|_| Err(Error::internal("the backup thread panicked")))
}

async fn maintenance(context: &Context, mut stop: watch::Receiver<bool>) {
    // The first tick sweeps: else a server that is restarted daily would never sweep.
    let ticks_to_sweep = ticks_in(context.settings.sweep.interval);
    // After a rotation of the key base.
    seal_again(context, &stop).await;
    for tick in 0_u64.. {
        let _ = tokio::time::timeout(TICK, stop.changed()).await;
        if let Err(failure) = context.activity.flush(&context.database).await {
            tracing::warn!(%failure, "cannot write activity");
        }
        if *stop.borrow() {
            return;
        }
        if tick.is_multiple_of(ticks_to_sweep)
            && let Err(failure) =
                sweep::run(&context.database, &context.settings, context.clock.now()).await
        {
            tracing::warn!(%failure, "sweep failed");
        }
        count(context, tick.is_multiple_of(ticks_to_sweep)).await;
        // What a node with the key base before sealed meanwhile.
        if tick.is_multiple_of(ticks_to_sweep) {
            trim_audit_trail(context).await;
            seal_again(context, &stop).await;
        }
    }
}

/// Nothing reads the figures without a listener, and an embedding app that mounts them gets those of counters.
async fn count(context: &Context, also_tables: bool) {
    if context.settings.metrics.bind.is_none() {
        return;
    }
    let counted = async {
        held::count_waiting(context).await?;
        match also_tables {
            true => held::count_tables(context).await,
            false => Ok(()),
        }
    };
    if let Err(failure) = counted.await {
        tracing::debug!(%failure, "cannot count rows for the metrics");
    }
}

async fn trim_audit_trail(context: &Context) {
    if !signs(context).await {
        return;
    }
    let (keys, settings) = (&context.audit_keys, &context.settings.audit);
    let trimmed = audit::trim(&context.database, keys, settings, context.clock.now());
    if let Err(failure) = trimmed.await {
        tracing::warn!(%failure, "cannot delete old rows of the audit trail");
    }
}

/// Writes refusals to the audit trail and seals its new rows; once more before it ends.
async fn seal_audit_trail(context: &Context, mut stop: watch::Receiver<bool>) {
    let mut reported = None;
    loop {
        let is_last = tokio::time::timeout(SEAL_INTERVAL, stop.changed())
            .await
            .is_ok();
        let flushed = context.refusals.flush(&context.database, &context.recorder);
        if let Err(failure) = flushed.await {
            tracing::warn!(%failure, "cannot write refusals to the audit trail");
        }
        if signs(context).await {
            let now = context.clock.now();
            let outcome = match audit::seal(&context.database, &context.audit_keys, now).await {
                Ok(audit::Sealed { unknown: 0, .. }) => None,
                Ok(audit::Sealed { unknown, .. }) => Some(format!(
                    "{unknown} rows were not added by a server with a known key base: see `cloakroom audit verify`"
                )),
                Err(failure) => Some(failure.to_string()),
            };
            // Not every few seconds.
            if outcome != reported
                && let Some(failure) = &outcome
            {
                tracing::warn!(failure, "cannot seal the audit trail");
            }
            reported = outcome;
        }
        if is_last {
            return;
        }
    }
}

/// Whether the key base of this node is the one that signs: while a new one is rolled out, nodes with the one before must
/// not undo it.
async fn signs(context: &Context) -> bool {
    let current = context.key_ring.names().current;
    let state = context
        .database
        .read(move |reader| key_bases::state(reader, &current));
    matches!(state.await, Ok(key_bases::State::Signs))
}

async fn seal_again(context: &Context, stop: &watch::Receiver<bool>) {
    if !signs(context).await {
        return;
    }
    let sealed = second_factor::seal_again(&context.database, &context.key_ring, || *stop.borrow());
    if let Err(failure) = sealed.await {
        tracing::warn!(%failure, "cannot seal the secrets of authenticator apps anew");
    }
}

/// How many ticks start in an interval.
fn ticks_in(interval: Duration) -> u64 {
    interval.as_secs().div_ceil(TICK.as_secs()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_intervals_are_whole_ticks() {
        for (seconds, ticks) in [(20, 1), (21, 2), (40, 2), (600, 30), (86_400, 4_320)] {
            assert_eq!(ticks_in(Duration::from_secs(seconds)), ticks, "{seconds}s");
        }
    }
}
