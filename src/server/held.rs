//! Counts what the database holds, for the metrics: in the background and in small steps, since a count of millions of rows
//! takes seconds.

use crate::context::Context;
use crate::domain::SessionId;
use crate::domain::error::Result;
use crate::store::{outbox, sessions};

/// Rows of one step.
const STEP: u32 = 5_000;

/// Counts the mails that wait, by their index.
pub async fn count_waiting(context: &Context) -> Result<()> {
    let waiting = context.database.read(outbox::waiting).await?;
    context
        .metrics
        .note_held(|held| held.waiting_mails = Some(waiting));
    Ok(())
}

/// Counts what no index answers: live sessions, and mails that were given up.
pub async fn count_tables(context: &Context) -> Result<()> {
    let dead = context.database.read(outbox::count_dead).await?;
    let now = context.clock.now();
    let idle_since = now - context.settings.session.idle_timeout;
    let (mut last, mut live) = (SessionId(0), 0);
    loop {
        let step = context
            .database
            .read(move |reader| sessions::count_live(reader, now, idle_since, last, STEP));
        let Some((count, next)) = step.await? else {
            break;
        };
        (last, live) = (next, live + count);
    }
    context.metrics.note_held(|held| {
        held.dead_mails = Some(dead);
        held.live_sessions = Some(live);
    });
    Ok(())
}
