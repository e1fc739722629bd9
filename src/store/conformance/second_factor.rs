//! Authenticator apps, recovery codes and pending sign-ins.

use super::*;

fn sealed(key_base: &str, letter: u8) -> Sealed {
    Sealed {
        key_base: key_base.to_owned(),
        bytes: vec![letter; 40],
    }
}

fn enrol(tx: &Transaction<'_>, user: UserId) {
    assert!(totp_factors::insert(tx, user, &sealed("now", 1), NOW).unwrap());
    assert!(totp_factors::enrol(tx, user, 5, NOW).unwrap());
}

pub(super) fn a_secret_is_a_factor_once_it_is_proved(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let insert = |letter| totp_factors::insert(tx, user, &sealed("now", letter), NOW).unwrap();
    assert!(!totp_factors::enrol(tx, user, 5, NOW).unwrap());
    assert!(insert(1) && insert(2));
    let found = totp_factors::find(tx, user).unwrap().unwrap();
    assert_eq!((found.secret, found.enrolled_at), (sealed("now", 2), None));
    assert_eq!(totp_factors::enrolled_at(tx, user).unwrap(), None);
    assert!(!totp_factors::use_step(tx, user, 9).unwrap());
    assert!(totp_factors::enrol(tx, user, 5, NOW + HOUR).unwrap());
    assert!(!totp_factors::enrol(tx, user, 6, NOW + HOUR).unwrap());
    assert!(!insert(3), "a factor is not replaced");
    assert_eq!(totp_factors::enrolled_at(tx, user).unwrap(), Some(NOW + HOUR));
    assert!(totp_factors::delete(tx, user).unwrap());
    assert!(!totp_factors::delete(tx, user).unwrap());
    insert(4);
    assert!(!totp_factors::delete(tx, user).unwrap());
    assert!(totp_factors::find(tx, user).unwrap().is_none());
}

pub(super) fn a_time_step_is_used_once(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    enrol(tx, user);
    enrol(tx, other);
    let used = [5, 6, 6, 4, 7].map(|step| totp_factors::use_step(tx, user, step).unwrap());
    assert_eq!(used, [false, true, false, false, true]);
    assert!(totp_factors::use_step(tx, other, 6).unwrap());
}

pub(super) fn time_steps_of_some_users_are_used_up(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    enrol(tx, user);
    enrol(tx, other);
    let use_up = |step| totp_factors::use_steps_until(tx, UserId(0), user, step).unwrap();
    assert_eq!([8, 7].map(use_up), [1, 0], "it never goes back");
    let used = [8, 9].map(|step| totp_factors::use_step(tx, user, step).unwrap());
    assert_eq!(used, [false, true]);
    assert!(totp_factors::use_step(tx, other, 8).unwrap());
}

pub(super) fn unproved_secrets_are_swept(tx: &Transaction<'_>) {
    let [proved, old, new] = ["one@example.com", "two@example.com", "three@example.com"]
        .map(|text| add_user(tx, text));
    enrol(tx, proved);
    totp_factors::insert(tx, old, &sealed("now", 1), NOW).unwrap();
    totp_factors::insert(tx, new, &sealed("now", 1), NOW + HOUR).unwrap();
    assert_eq!(totp_factors::delete_unproved(tx, NOW, 10).unwrap(), 1);
    let left = [proved, old, new].map(|user| totp_factors::find(tx, user).unwrap().is_some());
    assert_eq!(left, [true, false, true]);
}

pub(super) fn secrets_are_sealed_again_once(tx: &Transaction<'_>) {
    let [first, second, third] = ["one@example.com", "two@example.com", "three@example.com"]
        .map(|text| add_user(tx, text));
    for (user, key_base) in [(first, "old"), (second, "new"), (third, "old")] {
        totp_factors::insert(tx, user, &sealed(key_base, 1), NOW).unwrap();
    }
    let list = |after, limit| {
        totp_factors::list_sealed_otherwise(tx, "new", after, limit).unwrap()
    };
    assert_eq!(list(UserId(0), 1), [(first, sealed("old", 1))]);
    assert_eq!(list(first, 9), [(third, sealed("old", 1))]);
    let reseal = || totp_factors::reseal(tx, first, &sealed("old", 1), &sealed("new", 2)).unwrap();
    assert!(reseal());
    assert!(!reseal());
    let counts = totp_factors::count_by_key_base(tx).unwrap();
    assert_eq!(counts, [("new".to_owned(), 2), ("old".to_owned(), 1)]);
    let found = totp_factors::find(tx, first).unwrap().unwrap();
    assert_eq!(found.secret, sealed("new", 2));
}

pub(super) fn a_recovery_code_is_used_once_by_its_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let codes = [token(), token()];
    recovery_codes::replace(tx, user, &codes, NOW).unwrap();
    assert!(!recovery_codes::take(tx, other, &codes[0]).unwrap());
    assert!(recovery_codes::take(tx, user, &codes[0]).unwrap());
    assert!(!recovery_codes::take(tx, user, &codes[0]).unwrap());
    assert_eq!(recovery_codes::count(tx, user).unwrap(), 1);
    recovery_codes::replace(tx, user, &[token(), token(), token()], NOW).unwrap();
    assert!(!recovery_codes::take(tx, user, &codes[1]).unwrap());
    assert_eq!(recovery_codes::delete_all(tx, user).unwrap(), 3);
    assert_eq!(recovery_codes::count(tx, user).unwrap(), 0);
}

pub(super) fn recovery_codes_of_all_users_end_in_batches(tx: &Transaction<'_>) {
    for address in ["one@example.com", "two@example.com", "three@example.com"] {
        let user = add_user(tx, address);
        recovery_codes::replace(tx, user, &[token(), token()], NOW).unwrap();
    }
    let deleted = [(); 3].map(|()| recovery_codes::delete_some(tx, 2).unwrap());
    assert_eq!(deleted, [4, 2, 0]);
}

fn pending(user_id: UserId) -> PendingSignIn {
    PendingSignIn {
        user_id,
        auth_methods: AuthMethod::Password.into(),
        credentials_version: 7,
        remembered: true,
        expires_at: NOW + HOUR,
    }
}

pub(super) fn a_pending_sign_in_has_tries_and_an_end(tx: &Transaction<'_>) {
    let (user, token) = (add_user(tx, "one@example.com"), token());
    pending_sign_ins::insert(tx, &token, &pending(user)).unwrap();
    let find = |at| pending_sign_ins::find(tx, &token, 2, at).unwrap();
    let try_at = |at| pending_sign_ins::try_once(tx, &token, 2, at).unwrap();
    assert_eq!(find(NOW), Some(pending(user)));
    assert_eq!((find(NOW + HOUR), try_at(NOW + HOUR)), (None, None));
    assert_eq!(try_at(NOW + HOUR - MOMENT), Some(pending(user)));
    assert_eq!(try_at(NOW), Some(pending(user)));
    assert_eq!((find(NOW), try_at(NOW)), (None, None));
}

pub(super) fn pending_sign_ins_end(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let tokens: [TokenDigest; 3] = std::array::from_fn(|_| token());
    let add = |token, user_id, end| {
        let expires_at = NOW + end;
        let new = PendingSignIn { expires_at, ..pending(user_id) };
        pending_sign_ins::insert(tx, token, &new).unwrap();
    };
    add(&tokens[0], user, HOUR);
    add(&tokens[1], user, 2 * HOUR);
    add(&tokens[2], other, HOUR);
    let left = || {
        tokens.map(|token| pending_sign_ins::find(tx, &token, 9, NOW).unwrap().is_some())
    };
    assert_eq!(left(), [true, true, true]);
    assert_eq!(pending_sign_ins::delete_expired(tx, NOW + HOUR, 1).unwrap(), 1);
    assert_eq!(pending_sign_ins::delete_expired(tx, NOW + HOUR, 10).unwrap(), 1);
    assert_eq!(left(), [false, true, false]);
    pending_sign_ins::delete(tx, &tokens[1]).unwrap();
    assert_eq!(left(), [false, false, false]);
    add(&tokens[0], user, HOUR);
    add(&tokens[1], other, HOUR);
    assert_eq!(pending_sign_ins::delete_all_for_user(tx, user).unwrap(), 1);
    assert_eq!(left(), [false, true, false]);
    pending_sign_ins::delete(tx, &tokens[1]).unwrap();
    add(&tokens[0], user, HOUR);
    users::delete(tx, user).unwrap();
    assert_eq!(left(), [false, false, false]);
    add(&tokens[0], other, HOUR);
    add(&tokens[1], other, HOUR);
    let delete_some = || pending_sign_ins::delete_some(tx, 1).unwrap();
    assert_eq!([delete_some(), delete_some(), delete_some()], [1, 1, 0]);
}
