//! Key bases.

use super::key_bases::State;
use super::*;
use crate::crypto::key_ring::BaseNames;

fn names(current: &str, previous: &[&str]) -> BaseNames {
    BaseNames {
        current: current.to_owned(),
        previous: previous.iter().map(|name| (*name).to_owned()).collect(),
    }
}

pub(super) fn a_key_base_is_retired_once_until_it_signs_again(tx: &Transaction<'_>) {
    let state = |name| key_bases::state(tx, name).unwrap();
    let record = |names: &BaseNames, now| {
        let times = key_bases::record(tx, names, now).unwrap();
        assert_eq!(
            key_bases::recorded(tx, names, now).unwrap(),
            Some(times.clone())
        );
        times
    };
    assert_eq!(state("one"), State::Unknown);
    assert_eq!(key_bases::recorded(tx, &names("one", &[]), NOW).unwrap(), None);
    assert_eq!(record(&names("one", &[]), NOW), []);
    assert_eq!(state("one"), State::Signs);
    assert_eq!(key_bases::signing(tx).unwrap(), ["one"]);

    let rotated = names("two", &["one", "older"]);
    assert_eq!(key_bases::recorded(tx, &rotated, NOW).unwrap(), None);
    assert_eq!(record(&rotated, NOW + HOUR), [Some(NOW + HOUR); 2]);
    assert_eq!(key_bases::signing(tx).unwrap(), ["two"]);
    assert_eq!(record(&rotated, NOW + 2 * HOUR), [Some(NOW + HOUR); 2]);
    // The clock was ahead.
    assert_eq!(key_bases::recorded(tx, &rotated, NOW).unwrap(), None);
    assert_eq!(record(&rotated, NOW), [Some(NOW); 2]);
    assert_eq!(
        (state("two"), state("one")),
        (State::Signs, State::Retired(NOW))
    );
    assert_eq!(record(&names("one", &["two"]), NOW), [Some(NOW)]);
    assert_eq!(
        (state("two"), state("one")),
        (State::Retired(NOW), State::Signs)
    );
}

pub(super) fn a_base_that_is_still_to_sign_is_not_retired(tx: &Transaction<'_>) {
    key_bases::record(tx, &names("one", &[]), NOW).unwrap();
    let both = names("one", &["two"]);
    assert_eq!(
        key_bases::recorded(tx, &both, NOW).unwrap(),
        Some(vec![None])
    );
    assert_eq!(key_bases::record(tx, &both, NOW).unwrap(), [None]);
    assert_eq!(key_bases::state(tx, "two").unwrap(), State::Unknown);
    let times = key_bases::record(tx, &names("two", &["one"]), NOW).unwrap();
    assert_eq!(times, [Some(NOW)]);
}

pub(super) fn a_base_that_no_other_server_has_is_foreign(tx: &Transaction<'_>) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let is_foreign =
        |names: &BaseNames, now| key_bases::are_foreign(tx, names, now).unwrap();
    assert!(!is_foreign(&names("one", &[]), NOW), "the first");
    key_bases::record(tx, &names("one", &[]), NOW).unwrap();
    assert!(!is_foreign(&names("one", &["two"]), NOW));
    assert!(!is_foreign(&names("two", &["one"]), NOW));
    assert!(is_foreign(&names("two", &["three"]), NOW));

    // During a rollout, servers with the old one may start.
    key_bases::record(tx, &names("two", &["one"]), NOW).unwrap();
    assert!(!is_foreign(&names("one", &[]), NOW + DAY - HOUR));
    assert!(is_foreign(&names("one", &[]), NOW + DAY));
    assert!(!is_foreign(&names("one", &["two"]), NOW + DAY));

    let lost = names("three", &[]);
    assert_eq!(key_bases::retire_foreign(tx, &lost, NOW).unwrap(), 1);
    assert_eq!(key_bases::retire_foreign(tx, &lost, NOW).unwrap(), 0);
    assert!(!is_foreign(&lost, NOW));
}
