//! Known devices.

use super::*;

pub(super) fn a_device_is_new_once(tx: &Transaction<'_>) {
    let (id, other) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let note = |user, device| known_devices::note(tx, user, device, NOW).unwrap();
    assert!(note(id, "laptop"));
    assert!(!note(id, "laptop"));
    assert!(!known_devices::has_others(tx, id, "laptop").unwrap());
    assert!(note(id, "phone"));
    assert!(!note(id, "phone"));
    assert!(known_devices::has_others(tx, id, "laptop").unwrap());
    assert!(note(other, "phone"), "what is known is known of one user");
    assert!(!known_devices::has_others(tx, other, "phone").unwrap());
}

pub(super) fn the_last_use_of_a_device_is_known_to_the_hour(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    known_devices::note(tx, id, "phone", NOW).unwrap();
    known_devices::note(tx, id, "laptop", NOW + HOUR).unwrap();
    let is_current = |at| {
        let seen = known_devices::look(tx, id, "laptop", at).unwrap();
        assert_eq!(seen.devices, 2);
        seen.is_current
    };
    assert!(is_current(NOW + HOUR));
    assert!(is_current(NOW + 2 * HOUR - Duration::from_millis(1)));
    assert!(!is_current(NOW + 2 * HOUR));
    assert!(!is_current(NOW), "the clock was wrong");
    known_devices::note(tx, id, "laptop", NOW + 2 * HOUR).unwrap();
    assert!(is_current(NOW + 2 * HOUR));
    let unknown = known_devices::look(tx, id, "television", NOW + 2 * HOUR);
    assert!(!unknown.unwrap().is_current);
}

pub(super) fn old_and_excess_devices_are_forgotten(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let note = |device, at| known_devices::note(tx, id, device, at).unwrap();
    note("oldest", NOW);
    note("old", NOW + HOUR);
    note("new", NOW + 2 * HOUR);
    note("oldest", NOW + 3 * HOUR);
    assert_eq!(known_devices::delete_beyond(tx, id, 2).unwrap(), 1);
    assert!(!note("oldest", NOW + 3 * HOUR));
    assert_eq!(
        known_devices::delete_unseen(tx, NOW + 2 * HOUR - Duration::from_millis(1), 10)
            .unwrap(),
        0
    );
    assert_eq!(
        known_devices::delete_unseen(tx, NOW + 2 * HOUR, 10).unwrap(),
        1
    );
    assert!(note("old", NOW + 4 * HOUR));
    users::delete(tx, id).unwrap();
    assert_eq!(
        known_devices::delete_unseen(tx, NOW + 9 * HOUR, 10).unwrap(),
        0,
        "they go with the account"
    );
}

pub(super) fn a_users_devices_are_forgotten_together(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    for (user, device) in [(user, "laptop"), (user, "phone"), (other, "phone")] {
        known_devices::note(tx, user, device, NOW).unwrap();
    }
    assert_eq!(known_devices::delete_all_for_user(tx, user).unwrap(), 2);
    assert!(known_devices::note(tx, user, "phone", NOW).unwrap());
    assert!(!known_devices::note(tx, other, "phone", NOW).unwrap());
}
