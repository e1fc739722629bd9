//! How the threads share the work. Hashes that never end stand for those that take long.

use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::{join, join_all};
use tokio::task::JoinSet;

use super::*;
use crate::config::{Environment, Settings};
use crate::crypto::password::Password;
use crate::domain::clock::Clock;

/// More rounds than this machine will ever do.
const ENDLESS: u32 = 31;

fn pool(threads: usize, lanes: usize) -> Arc<PasswordPool> {
    let settings = Settings::for_env(Environment::Test).unwrap().password;
    Arc::new(
        PasswordPool::start(&config::Password {
            threads,
            lanes,
            ..settings
        })
        .unwrap(),
    )
}

fn password(text: &str) -> Password {
    Password::offered(text).unwrap()
}

fn digest(text: &str, cost: u32) -> PasswordDigest {
    PasswordDigest::new(bcrypt::hash(text, cost).unwrap())
}

/// A client in a network of its own.
fn client(network: usize) -> IpAddr {
    let [high, low] = u16::try_from(network).unwrap().to_be_bytes();
    IpAddr::from([10, high, low, 1])
}

fn slot(pool: &PasswordPool) -> HashSlot {
    pool.reserve(client(0)).unwrap()
}

/// Starts hashes that never end. They do when what is returned is dropped.
fn endless(pool: &Arc<PasswordPool>, count: usize) -> JoinSet<()> {
    (0..count).map(|_| endless_in(slot(pool))).collect()
}

async fn endless_in(slot: HashSlot) {
    drop(slot.submit(|| Input::dummy(ENDLESS)).await);
}

/// Fills the queue, each place by another network.
async fn fill(pool: &PasswordPool) -> JoinSet<()> {
    let limit = queue_limit();
    let waiting = (1..=limit)
        .map(|network| endless_in(pool.reserve(client(network)).unwrap()))
        .collect();
    until(|| pool.shared.waiting.load(Relaxed) == limit).await;
    waiting
}

fn queue_limit() -> usize {
    Settings::for_env(Environment::Test)
        .unwrap()
        .password
        .queue_limit
}

fn is_unavailable(outcome: &Result<HashSlot>) -> bool {
    matches!(outcome, Err(Error::Unavailable { .. }))
}

/// Waits for what the threads do, and fails where they do not.
async fn until(condition: impl Fn() -> bool) {
    in_time(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("an end within a minute")
}

fn loads(pool: &PasswordPool) -> Vec<usize> {
    pool.shared
        .loads
        .iter()
        .map(|load| load.load(Relaxed))
        .collect()
}

async fn check(pool: &PasswordPool, offered: &str, digest: PasswordDigest) -> Result<bool> {
    in_time(slot(pool).verify(Some(password(offered)), Some(digest))).await
}

#[actix_web::test]
async fn digests_are_interchangeable_with_plain_bcrypt() {
    let pool = pool(1, 4);
    let written = slot(&pool).hash(password("swordfish")).await.unwrap();
    assert!(written.as_str().starts_with("$2b$04$"));
    assert!(bcrypt::verify("swordfish", written.as_str()).unwrap());
    let parts: HashParts = digest("swordfish", 5).as_str().parse().unwrap();
    for version in [
        bcrypt::Version::TwoA,
        bcrypt::Version::TwoB,
        bcrypt::Version::TwoY,
    ] {
        let digest = PasswordDigest::new(parts.format_for_version(version));
        assert!(check(&pool, "swordfish", digest.clone()).await.unwrap());
        assert!(!check(&pool, "swordfisH", digest).await.unwrap());
    }
}

#[actix_web::test]
async fn passwords_are_truncated_as_bcrypt_does() {
    let pool = pool(1, 4);
    for length in [1, 71, 72] {
        let text = "ä".repeat(length / 2) + &"a".repeat(length % 2);
        assert!(
            check(&pool, &text, digest(&text, 4)).await.unwrap(),
            "{length} bytes"
        );
    }
    let longer = "a".repeat(73);
    let written = slot(&pool).hash(password(&longer)).await.unwrap();
    assert!(check(&pool, &longer, written.clone()).await.unwrap());
    assert!(!check(&pool, &longer[..72], written).await.unwrap());
    assert!(
        !check(&pool, &longer, digest(&longer, 4)).await.unwrap(),
        "bcrypt alone cuts it off"
    );
}

#[actix_web::test]
async fn concurrent_callers_get_their_own_results() {
    let pool = pool(2, 4);
    let checks = (0..40).map(|number| {
        let digest = digest(&format!("password {}", number % 7), 4 + number % 3);
        let slot = pool.reserve(client(number as usize)).unwrap();
        let offered = password(&format!("password {}", number % 5));
        async move { slot.verify(Some(offered), Some(digest)).await }
    });
    for (number, verdict) in join_all(checks).await.into_iter().enumerate() {
        assert_eq!(verdict.unwrap(), number % 7 == number % 5);
    }
}

#[actix_web::test]
async fn an_endless_hash_does_not_delay_others() {
    let pool = pool(1, 2);
    let _endless = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    for _ in 0..3 {
        assert!(check(&pool, "a", digest("a", 4)).await.unwrap());
    }
}

#[actix_web::test]
async fn an_abandoned_hash_frees_its_lane() {
    let pool = pool(1, 1);
    let given_up = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    drop(given_up);
    assert!(check(&pool, "a", digest("a", 4)).await.unwrap());
}

#[actix_web::test]
async fn an_abandoned_hash_does_not_corrupt_others() {
    let pool = pool(1, 3);
    let [first, second] = [endless(&pool, 1), endless(&pool, 1)];
    until(|| loads(&pool) == [2]).await;
    let (verdict, ()) = join(check(&pool, "a", digest("a", 10)), async {
        until(|| loads(&pool) == [3]).await;
        drop(first);
        until(|| loads(&pool) == [2]).await;
    })
    .await;
    assert!(verdict.unwrap());
    drop(second);
}

#[actix_web::test]
async fn a_disabled_lane_stays_empty() {
    let pool = pool(1, 1);
    let _endless = endless(&pool, 2);
    until(|| loads(&pool) == [1] && pool.shared.waiting.load(Relaxed) == 1).await;
    assert!(pool.shared.one_more(0).is_none());
}

#[actix_web::test]
async fn rejected_costs_do_not_delay_others() {
    let settings = Settings::for_env(Environment::Test).unwrap().password;
    let strict = config::Password {
        threads: 1,
        lanes: 2,
        reject_common: true,
        ..settings
    };
    let pool = Arc::new(PasswordPool::start(&strict).unwrap());
    let _endless = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let slots: Vec<HashSlot> = (0..20).map(|_| slot(&pool)).collect();
    let refusals = join_all(
        slots
            .iter()
            .map(|slot| slot.hash_choice(password("password1"), &[], |_| Ok(false))),
    );
    let (refusals, verdict) = in_time(join(refusals, check(&pool, "a", digest("a", 4)))).await;
    assert!(verdict.unwrap());
    assert!(
        refusals
            .iter()
            .all(|refusal| matches!(refusal, Err(Error::Validation(_))))
    );
}

#[actix_web::test]
async fn lists_are_read_on_the_thread_that_hashes() {
    let pool = pool(1, 1);
    let on = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&on);
    let is_common = move |_: &Password| {
        *seen.lock() = std::thread::current().name().unwrap_or_default().to_owned();
        Ok(false)
    };
    let slot = slot(&pool);
    let hashed = slot.hash_choice(password("a"), &[], is_common).await;
    hashed.unwrap();
    assert_eq!(*on.lock(), "bcrypt-0");
}

#[actix_web::test]
async fn a_panicking_job_does_not_affect_others() {
    let pool = pool(1, 2);
    let _endless = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    assert!(matches!(
        slot(&pool).submit(|| panic!("the test panics")).await,
        Err(Error::Internal(_))
    ));
    assert!(check(&pool, "a", digest("a", 4)).await.unwrap());
    until(|| loads(&pool) == [1]).await;
}

#[actix_web::test]
async fn an_invalid_digest_does_not_affect_others() {
    let pool = pool(1, 2);
    let _endless = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let good = digest("a", 4);
    let [free, dear, short] =
        ["$2b$00$", "$2b$99$", ""].map(|start| format!("{start}{}", &good.as_str()[7..]));
    for bad in [free, dear, short, "$2b$04$ö".repeat(7)] {
        let refused = check(&pool, "a", PasswordDigest::new(bad)).await;
        assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    }
    assert!(check(&pool, "a", good).await.unwrap());
    until(|| loads(&pool) == [1]).await;
}

#[actix_web::test]
async fn hashes_spread_over_the_threads_before_they_share_one() {
    let pool = pool(2, 4);
    let mut endless_ones = Vec::new();
    for spread in [[1, 1], [2, 2], [4, 4]] {
        let more = spread.iter().sum::<usize>() - loads(&pool).iter().sum::<usize>();
        endless_ones.push(endless(&pool, more));
        until(|| loads(&pool) == spread).await;
    }
}

#[actix_web::test]
async fn the_queue_is_bounded_regardless_of_running_hashes() {
    let pool = pool(1, 2);
    let _under_way = endless(&pool, 2);
    until(|| loads(&pool) == [2]).await;
    let _waiting = fill(&pool).await;
    assert!(is_unavailable(&pool.reserve(client(0))));
    assert!(is_unavailable(&pool.reserve(client(queue_limit() + 1))));
}

#[actix_web::test]
async fn a_network_holds_as_many_places_as_are_free() {
    let pool = pool(1, 1);
    let mut held = Vec::new();
    let mut take = |network: usize| {
        let before = held.len();
        held.extend(std::iter::from_fn(|| pool.reserve(client(network)).ok()));
        held.len() - before
    };
    let limit = queue_limit();
    for part in [2, 4, 8, 16] {
        assert_eq!(take(part), limit / part);
    }
    // The next network finds a place still.
    assert!(take(5) > 0);
    drop(held);
    assert!(pool.reserve(client(1)).is_ok());
    assert_eq!(pool.shared.lock().taken(), 0);
}

#[actix_web::test]
async fn addresses_of_one_customer_share_its_places() {
    let pool = pool(1, 1);
    let from = |subnet: u16| IpAddr::from([0x2001, 0xdb8, 1, subnet, 0, 0, 0, 1]);
    let held: Vec<HashSlot> = (0..u16::MAX)
        .map_while(|subnet| pool.reserve(from(subnet)).ok())
        .collect();
    assert_eq!(held.len(), queue_limit() / 2);
    let neighbour = IpAddr::from([0x2001, 0xdb8, 2, 0, 0, 0, 0, 1]);
    assert!(pool.reserve(neighbour).is_ok());
}

#[actix_web::test]
async fn networks_are_served_in_turn() {
    let pool = pool(1, 1);
    let under_way = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut jobs = JoinSet::new();
    for network in [1, 1, 1, 2, 2, 3] {
        let (slot, order) = (pool.reserve(client(network)).unwrap(), Arc::clone(&order));
        jobs.spawn(async move {
            let note = move || {
                order.lock().push(network);
                Input::dummy(4)
            };
            slot.submit(note).await.unwrap();
        });
        let waiting = jobs.len();
        until(|| pool.shared.waiting.load(Relaxed) == waiting).await;
    }
    drop(under_way);
    in_time(jobs.join_all()).await;
    assert_eq!(*order.lock(), [1, 2, 3, 1, 2, 1]);
}

#[actix_web::test]
async fn an_admitted_request_is_not_refused_halfway() {
    let pool = pool(1, 1);
    let slot = slot(&pool);
    in_time(slot.hash(password("first"))).await.unwrap();
    // The digest is sent before the thread counts itself as free.
    until(|| loads(&pool) == [0]).await;
    let under_way = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let waiting = fill(&pool).await;
    let second = actix_web::rt::spawn(async move { slot.hash(password("second")).await });
    until(|| pool.shared.waiting.load(Relaxed) == queue_limit() + 1).await;
    drop((under_way, waiting));
    assert!(in_time(second).await.unwrap().is_ok());
}

#[actix_web::test]
async fn cancelled_callers_do_not_occupy_the_queue() {
    let pool = pool(1, 1);
    let under_way = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let mut gone = fill(&pool).await;
    gone.shutdown().await;
    let next = {
        let pool = Arc::clone(&pool);
        actix_web::rt::spawn(async move { check(&pool, "a", digest("a", 4)).await })
    };
    until(|| pool.shared.waiting.load(Relaxed) == 1).await;
    drop(under_way);
    assert!(next.await.unwrap().unwrap());
}

#[actix_web::test]
async fn the_expected_wait_accounts_for_parallel_lanes() {
    let pool = pool(2, 4);
    pool.shared.last_hash_ms.store(1_500, Relaxed);
    for (waiting, rounds) in [(1, 1), (8, 1), (9, 2), (17, 3)] {
        assert_eq!(
            pool.shared.expected_wait(waiting),
            Duration::from_millis(rounds * 1_500)
        );
    }
    pool.shared.last_hash_ms.store(10, Relaxed);
    assert_eq!(pool.shared.expected_wait(8), Duration::from_secs(1));
}

#[actix_web::test]
async fn queued_hashes_finish_when_the_pool_is_dropped() {
    let pool = pool(1, 1);
    let shared = Arc::clone(&pool.shared);
    let mut answers = Vec::new();
    for cost in [8, 4] {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            queued: Clock::System.monotonic(),
            prepare: Box::new(move || Input::dummy(cost)),
            reply,
        };
        shared.push(Network::of_customer(client(0)), job, false);
        answers.push(answer);
    }
    until(|| loads(&pool) == [1]).await;
    drop(pool);
    for answer in answers {
        assert!(matches!(
            in_time(answer).await,
            Ok(Ok(Outcome::Verdict(false)))
        ));
    }
    until(|| Arc::strong_count(&shared) == 1).await;
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn hashing_has_the_priority_of_the_settings() {
    let settings = Settings::for_env(Environment::Test).unwrap().password;
    // Other tests have threads with the default.
    for niceness in [settings.niceness, 7, 19] {
        let settings = config::Password {
            threads: 1,
            niceness,
            ..settings.clone()
        };
        let pool = Arc::new(PasswordPool::start(&settings).unwrap());
        slot(&pool).hash(password("a")).await.unwrap();
        assert!(niceness_of_threads().contains(&niceness), "{niceness}");
    }
}

/// The niceness of each thread of this process that hashes.
#[cfg(target_os = "linux")]
fn niceness_of_threads() -> Vec<u32> {
    let niceness = |task: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).ok()?;
        let (name, fields) = stat.rsplit_once(") ")?;
        name.contains("(bcrypt-").then_some(())?;
        fields.split(' ').nth(16)?.parse().ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(niceness).collect()
}
