//! Counters of limits.

use super::*;

pub(super) fn a_window_is_claimed_once_by_its_end(tx: &Transaction<'_>) {
    assert!(throttles::claim(tx, "x", NOW + HOUR).unwrap());
    assert!(!throttles::claim(tx, "x", NOW + HOUR).unwrap());
    assert!(throttles::claim(tx, "x", NOW + HOUR + MOMENT).unwrap());
    assert!(throttles::claim(tx, "y", NOW + HOUR).unwrap());
}

pub(super) fn a_hit_is_given_back_to_its_window(tx: &Transaction<'_>) {
    let count = |now| throttles::find(tx, "x", HOUR, now).unwrap().unwrap().count;
    let hit = throttles::hit(tx, "x", HOUR, NOW).unwrap();
    throttles::hit(tx, "x", HOUR, NOW).unwrap();
    throttles::give_back(tx, "x", hit.expires_at + MOMENT).unwrap();
    assert_eq!(count(NOW), 2);
    for left in [1, 0, 0] {
        throttles::give_back(tx, "x", hit.expires_at).unwrap();
        assert_eq!(count(NOW), left);
    }
    throttles::hit(tx, "x", HOUR, NOW + HOUR).unwrap();
    throttles::give_back(tx, "x", hit.expires_at).unwrap();
    assert_eq!(count(NOW + HOUR), 1);
}

pub(super) fn a_window_longer_than_its_length_is_over(tx: &Transaction<'_>) {
    for name in ["x", "y"] {
        throttles::hit(tx, name, HOUR, NOW + 24 * HOUR).unwrap();
    }
    assert_eq!(throttles::find(tx, "x", HOUR, NOW).unwrap(), None);
    let first = throttles::hit(tx, "x", HOUR, NOW).unwrap();
    assert_eq!((first.count, first.expires_at), (1, NOW + HOUR));
    assert_eq!(throttles::delete_expired(tx, HOUR, NOW, 9).unwrap(), 1);
    assert!(throttles::find(tx, "x", HOUR, NOW).unwrap().is_some());
}

pub(super) fn a_granted_window_starts_at_zero(tx: &Transaction<'_>) {
    throttles::hit(tx, "x", HOUR, NOW).unwrap();
    throttles::grant(tx, "x", HOUR, NOW + HOUR / 2).unwrap();
    let count = throttles::find(tx, "x", HOUR, NOW + HOUR / 2).unwrap().unwrap();
    assert_eq!((count.count, count.expires_at), (0, NOW + HOUR / 2 + HOUR));
    assert_eq!(throttles::hit(tx, "x", HOUR, NOW + HOUR).unwrap().count, 1);
}

pub(super) fn hits_are_counted_per_window_and_name(tx: &Transaction<'_>) {
    let hit = |name, now| throttles::hit(tx, name, HOUR, now).unwrap();
    assert_eq!((hit("x", NOW).count, hit("x", NOW).count, hit("y", NOW).count), (1, 2, 1));
    let last = hit("x", NOW + HOUR - MOMENT);
    assert_eq!((last.count, last.expires_at), (3, NOW + HOUR));
    assert_eq!(throttles::find(tx, "x", HOUR, NOW + HOUR - MOMENT).unwrap(), Some(last));
    assert_eq!(throttles::find(tx, "x", HOUR, NOW + HOUR).unwrap(), None);
    let first = hit("x", NOW + HOUR);
    assert_eq!((first.count, first.expires_at), (1, NOW + 2 * HOUR));
    throttles::clear(tx, "x").unwrap();
    assert_eq!(throttles::find(tx, "x", HOUR, NOW + HOUR).unwrap(), None);
    assert_eq!(throttles::find(tx, "y", HOUR, NOW).unwrap().unwrap().count, 1);
}

pub(super) fn only_expired_counters_are_swept(tx: &Transaction<'_>) {
    for (name, at) in [("a", NOW), ("b", NOW), ("c", NOW + MOMENT)] {
        throttles::hit(tx, name, HOUR, at).unwrap();
    }
    assert_eq!(throttles::delete_expired(tx, HOUR, NOW + HOUR, 1).unwrap(), 1);
    assert_eq!(throttles::delete_expired(tx, HOUR, NOW + HOUR, 9).unwrap(), 1);
    assert_eq!(throttles::find(tx, "c", HOUR, NOW + HOUR).unwrap().unwrap().count, 1);
}

pub(super) fn a_counter_is_cleared_with_its_kinds(tx: &Transaction<'_>) {
    for name in ["x", "x:a", "x:b", "xy", "xy:a"] {
        throttles::hit(tx, name, HOUR, NOW).unwrap();
    }
    assert_eq!(throttles::clear_with_kinds(tx, "x").unwrap(), 3);
    let names = |now| -> Vec<String> {
        let listed = throttles::list(tx, now, 9).unwrap();
        listed.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(NOW), ["xy", "xy:a"]);
    assert!(names(NOW + HOUR).is_empty());
    assert_eq!(throttles::clear_subjects(tx).unwrap(), 1);
}
