//! Circuit breakers, one for each host: after some failures in a row a host is not asked for a while, and then by one
//! request that finds out whether it answers again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long it stays open.
const REST: Duration = Duration::from_secs(30);
/// Hosts that are remembered; those of the settings are fewer.
const MOST_HOSTS: usize = 64;

/// What is known of each host that failed last.
#[derive(Debug, Default)]
pub struct Breaker {
    hosts: Mutex<HashMap<String, Circuit>>,
}

#[derive(Debug)]
struct Circuit {
    failures: u32,
    /// No request before.
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether a host may be asked now. While it rests, one request is admitted at each end of the rest.
    pub fn admits(&self, host: &str, now: Instant) -> bool {
        let mut hosts = self.hosts.lock();
        let Some(circuit) = hosts.get_mut(host) else {
            return true;
        };
        match circuit.rests_until {
            Some(until) if now < until => false,
            Some(_) => {
                circuit.rests_until = Some(now + REST);
                true
            }
            None => true,
        }
    }

    /// How many hosts are not asked now.
    pub fn resting(&self, now: Instant) -> usize {
        let hosts = self.hosts.lock();
        let rests = |circuit: &&Circuit| circuit.rests_until.is_some_and(|until| now < until);
        hosts.values().filter(rests).count()
    }

    /// Notes the outcome of a request: whether the host answered at all.
    pub fn note(&self, host: &str, answered: bool, now: Instant) {
        let mut hosts = self.hosts.lock();
        if answered {
            hosts.remove(host);
            return;
        }
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(host) {
            hosts.clear();
        }
        let circuit = hosts.entry(host.to_owned()).or_insert(Circuit {
            failures: 0,
            rests_until: None,
        });
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= FAILURES {
            circuit.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::{Clock, Timestamp};

    #[test]
    fn a_host_that_fails_is_asked_once_after_a_rest() {
        let start = Clock::manual(Timestamp::from_millis(0)).monotonic();
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker.note("host", false, start);
            assert!(breaker.admits("host", start));
        }
        breaker.note("host", false, start);
        assert!(!breaker.admits("host", start + REST / 2));
        assert_eq!(breaker.resting(start + REST / 2), 1);
        assert!(breaker.admits("other", start));
        assert!(breaker.admits("host", start + REST));
        assert!(!breaker.admits("host", start + REST));
        breaker.note("host", true, start + REST);
        assert_eq!(breaker.resting(start + REST), 0);
        assert!(breaker.admits("host", start + REST));
    }

    #[test]
    fn an_answer_between_failures_starts_the_count_again() {
        let start = Clock::manual(Timestamp::from_millis(0)).monotonic();
        let breaker = Breaker::default();
        for turn in 0..4 * FAILURES {
            breaker.note("host", turn % FAILURES == 0, start);
            assert!(breaker.admits("host", start));
        }
    }

    #[test]
    fn the_number_of_remembered_hosts_is_bounded() {
        let start = Clock::manual(Timestamp::from_millis(0)).monotonic();
        let breaker = Breaker::default();
        for host in 0..10 * MOST_HOSTS {
            breaker.note(&host.to_string(), false, start);
        }
        assert!(breaker.hosts.lock().len() <= MOST_HOSTS);
    }
}
