//! What a provider publishes, kept for a while: one request fetches it, and others wait for that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::refusal::Refusal;
use crate::domain::clock::Clock;

/// After a failure nothing is fetched for so long: those that waited get the same failure.
const PAUSE: Duration = Duration::from_secs(5);
/// A copy that cannot be renewed is used for so long.
const LONGEST_AGE: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Cached<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    copy: Option<(Instant, Arc<T>)>,
    failure: Option<(Instant, Refusal)>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        let state = State {
            copy: None,
            failure: None,
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl<T> Cached<T> {
    /// The copy, fetched again if it is older than `most`.
    ///
    /// # Errors
    /// The failure to fetch it, where there is no copy that is young enough to be used.
    pub(super) async fn get(
        &self,
        most: Duration,
        clock: &Clock,
        fetch: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<Arc<T>, Refusal> {
        let mut state = self.state.lock().await;
        let now = clock.monotonic();
        let age = |at: Instant| now.saturating_duration_since(at);
        if let Some((at, copy)) = &state.copy
            && age(*at) < most
        {
            return Ok(Arc::clone(copy));
        }
        let paused = state.failure.filter(|(at, _)| age(*at) < PAUSE);
        let refusal = match paused {
            Some((_, refusal)) => refusal,
            None => match fetch.await {
                Ok(value) => {
                    let copy = Arc::new(value);
                    state.copy = Some((clock.monotonic(), Arc::clone(&copy)));
                    state.failure = None;
                    return Ok(copy);
                }
                Err(refusal) => {
                    state.failure = Some((clock.monotonic(), refusal));
                    refusal
                }
            },
        };
        match &state.copy {
            Some((at, copy)) if age(*at) < LONGEST_AGE => Ok(Arc::clone(copy)),
            _ => Err(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;
    use crate::domain::clock::Timestamp;

    const HOUR: Duration = Duration::from_secs(3600);
    const FAILED: Result<u32, Refusal> = Err(Refusal::ProviderUnavailable);

    struct Fetcher {
        cached: Cached<u32>,
        clock: Clock,
        calls: Cell<u32>,
    }

    impl Fetcher {
        async fn get(&self, most: Duration, outcome: Result<u32, Refusal>) -> Option<u32> {
            let fetch = async {
                self.calls.set(self.calls.get() + 1);
                ready(outcome).await
            };
            let got = self.cached.get(most, &self.clock, fetch).await;
            got.ok().map(|copy| *copy)
        }
    }

    fn fetcher() -> Fetcher {
        Fetcher {
            cached: Cached::default(),
            clock: Clock::manual(Timestamp::from_millis(0)),
            calls: Cell::new(0),
        }
    }

    #[actix_web::test]
    async fn a_copy_is_fetched_again_when_it_is_too_old() {
        let it = fetcher();
        assert_eq!(it.get(HOUR, Ok(1)).await, Some(1));
        it.clock.advance(HOUR / 2);
        assert_eq!(it.get(HOUR, Ok(2)).await, Some(1));
        assert_eq!(it.get(HOUR / 4, Ok(3)).await, Some(3));
        assert_eq!(it.calls.get(), 2);
    }

    #[actix_web::test]
    async fn an_old_copy_is_used_for_a_day_while_none_is_had() {
        let it = fetcher();
        it.get(HOUR, Ok(1)).await;
        it.clock.advance(LONGEST_AGE - HOUR);
        assert_eq!(it.get(HOUR, FAILED).await, Some(1));
        it.clock.advance(HOUR);
        assert_eq!(it.get(HOUR, FAILED).await, None);
    }

    #[actix_web::test]
    async fn a_failure_is_not_repeated_at_once() {
        let it = fetcher();
        assert_eq!(it.get(HOUR, FAILED).await, None);
        assert_eq!(it.get(HOUR, Ok(1)).await, None);
        it.clock.advance(PAUSE);
        assert_eq!(it.get(HOUR, Ok(1)).await, Some(1));
        assert_eq!(it.calls.get(), 2);
    }
}
