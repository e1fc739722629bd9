//! How the threads share the work. Hashes that never end stand for those that take long.

use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::{join, join_all};
use tokio::task::JoinSet;

use super::*;
use crate::config::{Environment, Settings};

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

/// Starts hashes that never end. They do when what is returned is dropped.
fn endless(pool: &Arc<PasswordPool>, count: usize) -> JoinSet<()> {
    (0..count)
        .map(|_| {
            let pool = Arc::clone(pool);
            async move { drop(pool.submit(|| Input::dummy(ENDLESS)).await) }
        })
        .collect()
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
    in_time(pool.verify(Some(password(offered)), Some(digest))).await
}

#[actix_web::test]
async fn digests_are_interchangeable_with_plain_bcrypt() {
    let pool = pool(1, 4);
    let written = pool.hash(password("swordfish")).await.unwrap();
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
    let written = pool.hash(password(&longer)).await.unwrap();
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
        pool.verify(
            Some(password(&format!("password {}", number % 5))),
            Some(digest),
        )
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
    let refusals = join_all((0..20).map(|_| pool.hash_choice(password("password1"), &[], false)));
    let (refusals, verdict) = in_time(join(refusals, check(&pool, "a", digest("a", 4)))).await;
    assert!(verdict.unwrap());
    assert!(
        refusals
            .iter()
            .all(|refusal| matches!(refusal, Err(Error::Validation(_))))
    );
}

#[actix_web::test]
async fn a_panicking_job_does_not_affect_others() {
    let pool = pool(1, 2);
    let _endless = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    assert!(matches!(
        pool.submit(|| panic!("the test panics")).await,
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
    let _waiting = endless(&pool, pool.queue_limit);
    until(|| pool.shared.waiting.load(Relaxed) == pool.queue_limit).await;
    let refused = check(&pool, "a", digest("a", 4)).await;
    assert!(
        matches!(refused, Err(Error::Unavailable { .. })),
        "{refused:?}"
    );
}

#[actix_web::test]
async fn cancelled_callers_do_not_occupy_the_queue() {
    let pool = pool(1, 1);
    let under_way = endless(&pool, 1);
    until(|| loads(&pool) == [1]).await;
    let mut gone = endless(&pool, pool.queue_limit);
    until(|| pool.shared.waiting.load(Relaxed) == pool.queue_limit).await;
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
            pool.expected_wait(waiting),
            Duration::from_millis(rounds * 1_500)
        );
    }
    pool.shared.last_hash_ms.store(10, Relaxed);
    assert_eq!(pool.expected_wait(8), Duration::from_secs(1));
}

#[actix_web::test]
async fn queued_hashes_finish_when_the_pool_is_dropped() {
    let pool = pool(1, 1);
    let shared = Arc::clone(&pool.shared);
    let mut answers = Vec::new();
    for cost in [8, 4] {
        let (reply, answer) = oneshot::channel();
        shared.lock().jobs.push_back(Job {
            prepare: Box::new(move || Input::dummy(cost)),
            reply,
        });
        answers.push(answer);
    }
    shared.arrived.notify_one();
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
