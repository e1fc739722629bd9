//! What it costs to record when sessions were last used, if all are used once a minute: each in memory, and a third of them
//! written by each round of maintenance.

use std::path::Path;
use std::time::{Duration, Instant};

use cloakroom::activity::Activity;
use cloakroom::config::{Environment, Settings};
use cloakroom::domain::SessionId;
use cloakroom::domain::clock::{Clock, Timestamp};
use cloakroom::store::{Database, IfMissing, sessions};

use crate::cpu_seconds;
use crate::support::{database, now_ms};

const IDLE_TIMEOUT: Duration = Duration::from_secs(14 * 86_400);
/// Rounds of maintenance in a minute.
const ROUNDS: i64 = 3;
/// A step that has no factor in common with the numbers of sessions: they are used in no order.
const STEP: i64 = 7_368_787;

/// Prints the times.
pub fn measure(folder: &Path, count: i64) {
    let mut settings = Settings::for_env(Environment::Test).expect("settings");
    settings.database.path = database(folder);
    let database = Database::open(&settings.database, 1, IfMissing::Refuse, Clock::System)
        .expect("the database");
    actix_web::rt::System::new().block_on(async {
        let first = database.read(|reader| reader.look_up(&sessions::by_id(SessionId(1))));
        let (mut session, _) = first.await.expect("a reading").expect("a session");
        let (activity, active) = (Activity::default(), count / ROUNDS);
        for round in 0..ROUNDS {
            let now = Timestamp::from_millis(now_ms());
            let started = Instant::now();
            for number in 0..active {
                session.id = SessionId(1 + (number * ROUNDS + round) * STEP % count);
                activity.note(&session, IDLE_TIMEOUT, now);
            }
            let noting = started.elapsed().as_secs_f64() * 1e9 / active as f64;
            let (started, before) = (Instant::now(), cpu_seconds(std::process::id()));
            activity.flush(&database).await.expect("a flush");
            let cpu = cpu_seconds(std::process::id()) - before;
            println!(
                "{active} of {count} sessions: {noting:.0} ns to note one; written in {:.2} s, {cpu:.2} s of the processor, {:.1} µs each",
                started.elapsed().as_secs_f64(),
                cpu * 1e6 / active as f64
            );
        }
    });
}
