//! Passkeys, the handles of users, and used challenges.

use super::*;
use crate::store::passkeys::{Holder, Removed};

fn new_passkey(letter: u8) -> NewPasskey {
    let cose = [&b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"[..], &[letter; 32]].concat();
    NewPasskey {
        credential_id: vec![letter; 20],
        public_key: PublicKey::from_cose(&cose).unwrap(),
        sign_count: 3,
        backup_eligible: true,
        backed_up: false,
        aaguid: [7; 16],
        transports: vec!["hybrid".to_owned(), "internal".to_owned()],
    }
}

fn handle(letter: u8) -> UserHandle {
    UserHandle::new([letter; 32])
}

fn add(tx: &Transaction<'_>, user: UserId, letter: u8) -> PasskeyId {
    passkeys::handle_or(tx, user, &handle(letter)).unwrap();
    let added = passkeys::insert(tx, user, &new_passkey(letter), "One", 9, NOW).unwrap();
    added.unwrap().id
}

fn assertion(sign_count: u32) -> Assertion {
    Assertion {
        sign_count,
        backed_up: true,
        counter_went_back: false,
    }
}

fn ids(tx: &Transaction<'_>, user: UserId) -> Vec<PasskeyId> {
    let found = passkeys::list_for_user(tx, user).unwrap();
    found.iter().map(|passkey| passkey.id).collect()
}

fn remove(tx: &Transaction<'_>, user: UserId, id: PasskeyId) -> Removed {
    passkeys::remove(tx, user, id, false, NOW).unwrap()
}

fn give_password(tx: &Transaction<'_>, user: UserId) {
    let digest = PasswordDigest::new("$2b$04$x".to_owned());
    assert!(passwords::insert(tx, user, &digest, NOW).unwrap());
}

pub(super) fn a_credential_is_registered_once_for_all_users(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let id = add(tx, user, 1);
    let again = |user| passkeys::insert(tx, user, &new_passkey(1), "Two", 9, NOW).unwrap();
    assert_eq!((again(user), again(other)), (None, None));
    let holder = |letter: u8| passkeys::find_holder(tx, &[letter; 20]).unwrap();
    let expected = Holder { passkey: id, user, is_verified: false };
    assert_eq!((holder(1), holder(2)), (Some(expected), None));
    let address = EmailAddress::parse("one@example.com").unwrap();
    users::confirm_address(tx, user, &address, NOW).unwrap();
    assert!(holder(1).unwrap().is_verified);
    assert_eq!(ids(tx, user), [id]);
    passkeys::delete(tx, other, id).unwrap();
    assert!(holder(1).is_some());
    passkeys::delete(tx, user, id).unwrap();
    assert_eq!(holder(1), None);
    assert_eq!(passkeys::count(tx, other).unwrap(), 0);
}

pub(super) fn a_user_has_no_more_passkeys_than_allowed(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let insert = |user, letter| {
        let new = new_passkey(letter);
        passkeys::insert(tx, user, &new, "One", 2, NOW).unwrap().is_some()
    };
    let inserted = [insert(user, 1), insert(user, 2), insert(user, 3), insert(other, 4)];
    assert_eq!(inserted, [true, true, false, true]);
    assert_eq!(passkeys::count(tx, user).unwrap(), 2);
}

pub(super) fn a_passkey_is_found_by_its_credential_with_its_handle(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let id = add(tx, user, 1);
    let found = passkeys::find_key(tx, &[1; 20]).unwrap().unwrap();
    assert_eq!((found.id, found.user_id, found.handle), (id, user, handle(1)));
    let new = new_passkey(1);
    assert_eq!(found.stored.public_key, new.public_key);
    assert_eq!((found.stored.sign_count, found.stored.backup_eligible), (3, true));
    assert_eq!(passkeys::find_key(tx, &[2; 20]).unwrap(), None);
    let shown = &passkeys::list_for_user(tx, user).unwrap()[0];
    assert_eq!(shown.credential_id, [1; 20]);
    assert_eq!((shown.transports.as_str(), shown.backed_up), ("hybrid internal", false));
}

pub(super) fn the_use_of_a_passkey_is_noted_until_it_is_removed(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let id = add(tx, user, 1);
    let at = |user, count| passkeys::note_use(tx, user, id, &assertion(count), NOW + HOUR).unwrap();
    assert!(at(user, 9) && at(user, 4) && !at(other, 10));
    let shown = &passkeys::list_for_user(tx, user).unwrap()[0];
    assert_eq!((shown.last_used_at, shown.backed_up), (Some(NOW + HOUR), true));
    let found = passkeys::find_key(tx, &[1; 20]).unwrap().unwrap();
    assert_eq!(found.stored.sign_count, 9, "the count never goes back");
    passkeys::remove_all(tx, user).unwrap();
    assert!(!at(user, 11));
}

pub(super) fn a_passkey_is_managed_only_by_its_owner(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let id = add(tx, user, 1);
    let rename = |user| passkeys::rename(tx, user, id, "Two").unwrap();
    assert_eq!(rename(other), None);
    assert_eq!(rename(user).unwrap().name, "Two");
    let remove = |user| remove(tx, user, id);
    assert_eq!(remove(other), Removed::Unknown);
    assert_eq!(remove(user), Removed::Done);
    assert_eq!(remove(user), Removed::Unknown);
}

pub(super) fn the_last_way_to_sign_in_is_not_removed(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    add(tx, other, 9);
    let remove_password = || passwords::remove(tx, user, NOW).unwrap();
    assert!(!remove_password(), "there is no passkey");
    let [first, second] = [1, 2].map(|letter| add(tx, user, letter));
    assert!(remove_password() && !remove_password());
    let remove = |id| remove(tx, user, id);
    assert_eq!((remove(first), remove(second)), (Removed::Done, Removed::Last));
    give_password(tx, user);
    assert_eq!(remove(second), Removed::Done);
    assert!(!remove_password());
    passwords::delete(tx, user).unwrap();
    let third = add(tx, user, 3);
    assert_eq!(remove(third), Removed::Last);
    let removed = passkeys::remove(tx, user, third, true, NOW).unwrap();
    assert_eq!(removed, Removed::Done, "an identity signs in");
}

pub(super) fn passkeys_from_before_a_time_are_removed(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    add(tx, user, 1);
    add(tx, other, 2);
    let delete = |before| passkeys::delete_older(tx, user, before).unwrap();
    assert_eq!([delete(NOW), delete(NOW + MOMENT), delete(NOW + MOMENT)], [0, 1, 0]);
    assert_eq!(passkeys::handle(tx, user).unwrap(), Some(handle(1)));
    assert_eq!(ids(tx, other).len(), 1);
}

pub(super) fn a_handle_is_kept(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    assert_eq!(passkeys::handle(tx, user).unwrap(), None);
    let of = |letter| passkeys::handle_or(tx, user, &handle(letter)).unwrap();
    assert_eq!((of(1), of(2)), (handle(1), handle(1)));
    add(tx, user, 3);
    assert_eq!(passkeys::remove_all(tx, user).unwrap(), 1);
    assert_eq!(passkeys::handle(tx, user).unwrap(), None);
}

pub(super) fn a_challenge_is_used_once_and_swept(tx: &Transaction<'_>) {
    let [first, second] = [token(), token()];
    let use_once = |digest, end| used_challenges::use_once(tx, digest, end).unwrap();
    assert!(use_once(&first, NOW) && use_once(&second, NOW + HOUR));
    assert!(!use_once(&first, NOW));
    assert_eq!(used_challenges::delete_expired(tx, NOW, 10).unwrap(), 1);
    assert!(use_once(&first, NOW) && !use_once(&second, NOW + HOUR));
}

pub(super) fn passkeys_end_with_their_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    add(tx, user, 1);
    add(tx, other, 2);
    users::delete(tx, user).unwrap();
    let is_registered = |letter: u8| passkeys::find_holder(tx, &[letter; 20]).unwrap().is_some();
    assert!(!is_registered(1) && is_registered(2));
    assert_eq!(passkeys::handle(tx, user).unwrap(), None);
}
