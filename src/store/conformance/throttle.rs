//! Counters of limits.

use super::*;

pub(super) fn a_window_is_cleared_once_by_its_end(tx: &Transaction<'_>) {
    let count = throttles::hit(tx, "x", HOUR, NOW).unwrap();
    let later = count.expires_at + Duration::from_millis(1);
    assert!(!throttles::clear_window(tx, "x", later).unwrap());
    assert!(throttles::clear_window(tx, "x", count.expires_at).unwrap());
    assert!(!throttles::clear_window(tx, "x", count.expires_at).unwrap());
    assert_eq!(throttles::find(tx, "x", NOW).unwrap(), None);
}

pub(super) fn a_granted_window_starts_at_zero(tx: &Transaction<'_>) {
    throttles::hit(tx, "x", HOUR, NOW).unwrap();
    throttles::grant(tx, "x", HOUR, NOW + HOUR / 2).unwrap();
    let count = throttles::find(tx, "x", NOW + HOUR / 2).unwrap().unwrap();
    assert_eq!((count.count, count.expires_at), (0, NOW + HOUR / 2 + HOUR));
    assert_eq!(throttles::hit(tx, "x", HOUR, NOW + HOUR).unwrap().count, 1);
}

pub(super) fn hits_are_counted_per_window_and_name(tx: &Transaction<'_>) {
    let hit = |name, now| throttles::hit(tx, name, HOUR, now).unwrap();
    assert_eq!((hit("x", NOW).count, hit("x", NOW).count, hit("y", NOW).count), (1, 2, 1));
    let last = hit("x", NOW + HOUR - MOMENT);
    assert_eq!((last.count, last.expires_at), (3, NOW + HOUR));
    assert_eq!(throttles::find(tx, "x", NOW + HOUR - MOMENT).unwrap(), Some(last));
    assert_eq!(throttles::find(tx, "x", NOW + HOUR).unwrap(), None);
    let first = hit("x", NOW + HOUR);
    assert_eq!((first.count, first.expires_at), (1, NOW + 2 * HOUR));
    throttles::clear(tx, "x").unwrap();
    assert_eq!(throttles::find(tx, "x", NOW + HOUR).unwrap(), None);
    assert_eq!(throttles::find(tx, "y", NOW).unwrap().unwrap().count, 1);
}

pub(super) fn only_expired_counters_are_swept(tx: &Transaction<'_>) {
    for (name, at) in [("a", NOW), ("b", NOW), ("c", NOW + MOMENT)] {
        throttles::hit(tx, name, HOUR, at).unwrap();
    }
    assert_eq!(throttles::delete_expired(tx, NOW + HOUR, 1).unwrap(), 1);
    assert_eq!(throttles::delete_expired(tx, NOW + HOUR, 9).unwrap(), 1);
    assert_eq!(throttles::find(tx, "c", NOW + HOUR).unwrap().unwrap().count, 1);
}
