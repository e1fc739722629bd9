//! Known devices.

use super::*;

pub(super) fn a_device_is_first_or_new_and_known_afterwards(tx: &Transaction<'_>) {
    let (id, other) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let note = |user, device| known_devices::note(tx, user, device, NOW).unwrap();
    assert_eq!(note(id, "laptop"), Sighting::First);
    assert_eq!(note(id, "laptop"), Sighting::Known);
    assert_eq!(note(id, "phone"), Sighting::New);
    assert_eq!(note(id, "phone"), Sighting::Known);
    assert_eq!(
        note(other, "phone"),
        Sighting::First,
        "what is known is known of one user"
    );
}

pub(super) fn old_and_excess_devices_are_forgotten(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let note = |device, at| known_devices::note(tx, id, device, at).unwrap();
    note("oldest", NOW);
    note("old", NOW + HOUR);
    note("new", NOW + 2 * HOUR);
    note("oldest", NOW + 3 * HOUR);
    assert_eq!(known_devices::delete_beyond(tx, id, 2).unwrap(), 1);
    assert_eq!(note("oldest", NOW + 3 * HOUR), Sighting::Known);
    assert_eq!(
        known_devices::delete_unseen(tx, NOW + 2 * HOUR - Duration::from_millis(1), 10)
            .unwrap(),
        0
    );
    assert_eq!(
        known_devices::delete_unseen(tx, NOW + 2 * HOUR, 10).unwrap(),
        1
    );
    assert_eq!(note("old", NOW + 4 * HOUR), Sighting::New);
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
    assert_eq!(known_devices::note(tx, user, "phone", NOW).unwrap(), Sighting::First);
    assert_eq!(known_devices::note(tx, other, "phone", NOW).unwrap(), Sighting::Known);
}
