//! Sessions.

use super::*;

pub(super) fn a_token_is_replaced_once_and_the_old_one_is_invalid(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, old) = add_session(tx, user);
    let (new, another) = (token(), token());
    assert!(sessions::is_open_by(tx, id, &old).unwrap());
    assert!(sessions::rotate(tx, id, &old, &new).unwrap());
    assert!(!sessions::rotate(tx, id, &old, &another).unwrap());
    assert!(!sessions::is_open_by(tx, id, &old).unwrap());
    assert!(sessions::is_open_by(tx, id, &new).unwrap());
    assert!(tx.look_up(&sessions::by_digest(old)).unwrap().is_none());
    assert_eq!(
        tx.look_up(&sessions::by_digest(new)).unwrap().unwrap().0.id,
        id
    );
}

pub(super) fn a_session_is_ended_only_by_its_owner(tx: &Transaction<'_>) {
    let (owner, stranger) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let (id, _) = add_session(tx, owner);
    assert!(!sessions::delete_for_user(tx, stranger, id).unwrap());
    assert!(sessions::delete_for_user(tx, owner, id).unwrap());
    assert!(!sessions::delete_for_user(tx, owner, id).unwrap());
}

pub(super) fn all_sessions_end_except_the_kept_one(tx: &Transaction<'_>) {
    let (owner, stranger) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let [kept, (_, replaced), _] = [(); 3].map(|()| add_session(tx, owner));
    add_session(tx, stranger);
    assert_eq!(sessions::count_for_user(tx, owner).unwrap(), 3);
    assert!(sessions::delete_by_digest(tx, &replaced).unwrap());
    assert!(!sessions::delete_by_digest(tx, &replaced).unwrap());
    assert_eq!(sessions::delete_all_but(tx, owner, kept.0).unwrap(), 1);
    assert_eq!(sessions::count_for_user(tx, owner).unwrap(), 1);
    assert!(sessions::is_open_by(tx, kept.0, &kept.1).unwrap());
    assert_eq!(sessions::count_for_user(tx, stranger).unwrap(), 1);
}

pub(super) fn authentication_time_is_kept_with_the_session(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, digest) = add_session(tx, user);
    assert_eq!(
        sessions::reauthenticated_at(tx, id).unwrap(),
        Some(None),
        "signing in is none"
    );
    assert!(sessions::set_reauthenticated(tx, id, Some(NOW)).unwrap());
    assert_eq!(
        sessions::reauthenticated_at(tx, id).unwrap(),
        Some(Some(NOW))
    );
    let (session, user) = tx.look_up(&sessions::by_digest(digest)).unwrap().unwrap();
    assert_eq!(
        (session.reauthenticated_at, user.email_address),
        (Some(NOW), address("one@example.com"))
    );
    assert!(sessions::set_reauthenticated(tx, id, None).unwrap());
    assert_eq!(sessions::reauthenticated_at(tx, id).unwrap(), Some(None));
    sessions::delete(tx, id).unwrap();
    assert!(!sessions::set_reauthenticated(tx, id, Some(NOW)).unwrap());
    assert_eq!(sessions::reauthenticated_at(tx, id).unwrap(), None);
}

pub(super) fn methods_of_authentication_are_replaced(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, _) = add_session(tx, user);
    let both = AuthMethods::from(AuthMethod::Password).with_second_factor(AuthMethod::OneTimeCode);
    assert!(sessions::set_auth_methods(tx, id, &both).unwrap());
    let (session, _) = tx.look_up(&sessions::by_id(id)).unwrap().unwrap();
    assert_eq!(session.auth_methods, both);
    sessions::delete(tx, id).unwrap();
    assert!(!sessions::set_auth_methods(tx, id, &both).unwrap());
}

pub(super) fn a_session_starts_authenticated_by_password(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, _) = add_session(tx, user);
    let session = || tx.look_up(&sessions::by_id(id)).unwrap().unwrap().0;
    assert_eq!(session().auth_methods, AuthMethod::Password.into());
    assert_eq!(session().authenticated_at, NOW);
    sessions::set_reauthenticated(tx, id, Some(NOW + HOUR)).unwrap();
    assert_eq!(session().authenticated_at, NOW + HOUR);
    sessions::set_reauthenticated(tx, id, None).unwrap();
    assert_eq!(session().authenticated_at, NOW + HOUR);
}

pub(super) fn access_expiry_never_moves_back_and_counts_as_use(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, digest) = add_session(tx, user);
    let last = || {
        tx.look_up(&sessions::by_digest(digest))
            .unwrap()
            .unwrap()
            .0
            .last_active_at
    };
    assert!(sessions::note_access(tx, id, NOW + 2 * HOUR, NOW + HOUR).unwrap());
    assert_eq!(last(), NOW + HOUR);
    assert!(sessions::note_access(tx, id, NOW + HOUR, NOW).unwrap());
    assert_eq!(last(), NOW + HOUR);
    assert!(sessions::delete(tx, id).unwrap());
    assert_eq!(super::revocation::revoked(tx), [(id, None, NOW + 2 * HOUR)]);
    assert!(!sessions::note_access(tx, id, NOW + 3 * HOUR, NOW).unwrap());
}

pub(super) fn a_session_is_found_by_its_id_with_its_user(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, digest) = add_session(tx, user);
    assert_eq!(
        tx.look_up(&sessions::by_id(id)).unwrap(),
        tx.look_up(&sessions::by_digest(digest)).unwrap()
    );
    assert!(sessions::belongs_to(tx, id, NONCE, user).unwrap());
    assert!(!sessions::belongs_to(tx, id, "another", user).unwrap());
    let stranger = add_user(tx, "two@example.com");
    assert!(!sessions::belongs_to(tx, id, NONCE, stranger).unwrap());
    sessions::delete(tx, id).unwrap();
    assert_eq!(tx.look_up(&sessions::by_id(id)).unwrap(), None);
    assert!(!sessions::belongs_to(tx, id, NONCE, user).unwrap());
}

pub(super) fn sessions_are_listed_by_last_activity(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let [(first, _), (second, _), (third, _)] = [(); 3].map(|()| add_session(tx, user));
    add_session(tx, other);
    sessions::touch(tx, first, NOW + HOUR).unwrap();
    sessions::touch(tx, first, NOW).unwrap();
    let list = || {
        let sessions = sessions::list_for_user(tx, user).unwrap();
        sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(list(), [first, third, second]);
    assert_eq!(sessions::delete_some(tx, 2).unwrap(), 2);
    assert_eq!(list(), [third], "the oldest of all users");
    assert_eq!(sessions::delete_all_for_user(tx, user).unwrap(), 1);
    assert_eq!(list(), []);
    assert_eq!(sessions::count_for_user(tx, other).unwrap(), 1);
}

pub(super) fn excess_sessions_end_by_expiry_then_activity(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let [(expired, _), (idle, _), (active, _), (newest, _)] = [(); 4].map(|()| add_session(tx, user));
    tx.execute("UPDATE sessions SET expires_at = $1 WHERE id = $2", &[NOW.into(), expired.into()])
        .unwrap();
    sessions::touch(tx, expired, NOW + 2 * HOUR).unwrap();
    sessions::touch(tx, active, NOW + MOMENT).unwrap();
    let left = || {
        let sessions = sessions::list_for_user(tx, user).unwrap();
        let mut ids: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(sessions::delete_beyond(tx, user, newest, 4, NOW).unwrap(), 0);
    assert_eq!(sessions::delete_beyond(tx, user, newest, 3, NOW).unwrap(), 1);
    assert_eq!(left(), [idle, active, newest]);
    assert_eq!(sessions::delete_beyond(tx, user, newest, 2, NOW).unwrap(), 1);
    assert_eq!(left(), [active, newest]);
    assert_eq!(sessions::delete_beyond(tx, user, newest, 0, NOW).unwrap(), 1);
    assert_eq!(left(), [newest], "the newest always stays");
}

pub(super) fn expired_and_idle_sessions_are_listed_in_batches(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let [(first, _), (second, _), (third, _)] = [(); 3].map(|()| add_session(tx, user));
    sessions::touch(tx, second, NOW + HOUR).unwrap();
    let list = |moment, idle_since, after, limit| {
        sessions::list_expired(tx, moment, idle_since, after, limit).unwrap()
    };
    let (none, start) = (NOW - HOUR, SessionId(0));
    assert_eq!(list(NOW + HOUR - MOMENT, none, start, 9), []);
    assert_eq!(list(NOW + HOUR, none, start, 2), [first, second]);
    assert_eq!(list(NOW + HOUR, none, second, 2), [third]);
    assert_eq!(list(none, NOW, start, 9), [first, third]);
}

pub(super) fn live_sessions_are_counted_in_batches(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let [(first, _), (second, _), (third, _)] = [(); 3].map(|()| add_session(tx, user));
    sessions::touch(tx, second, NOW + HOUR).unwrap();
    let count = |moment, idle_since, after, limit| {
        sessions::count_live(tx, moment, idle_since, after, limit).unwrap()
    };
    let (none, start) = (NOW - HOUR, SessionId(0));
    assert_eq!(count(NOW, none, start, 9), Some((3, third)));
    assert_eq!(count(NOW, none, start, 2), Some((2, second)));
    assert_eq!(count(NOW, none, first, 2), Some((2, third)));
    assert_eq!(count(NOW, none, third, 2), None);
    assert_eq!(count(NOW, NOW, start, 9), Some((1, third)));
    assert_eq!(count(NOW + HOUR, none, start, 9), Some((0, third)));
}
