//! Revoked access tokens.

use super::*;

/// Session, single token and expiry of each row.
pub(super) fn revoked(tx: &Transaction<'_>) -> Vec<(SessionId, Option<String>, Timestamp)> {
    let all = revocations::list_after(tx, 0, 100).unwrap();
    all.into_iter()
        .map(|entry| (entry.session_id, entry.jti, entry.until))
        .collect()
}

pub(super) fn deleted_sessions_always_revoke_their_access_tokens(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let mut until = NOW;
    let mut expected = Vec::new();
    let mut check = |delete: &dyn Fn(SessionId, &TokenDigest) -> usize| {
        let (id, digest) = add_session(tx, user);
        until = until + HOUR;
        sessions::note_access(tx, id, until, NOW).unwrap();
        assert_eq!(delete(id, &digest), 1);
        expected.push((id, None, until));
        assert_eq!(revoked(tx), expected);
    };
    check(&|id, _| usize::from(sessions::delete(tx, id).unwrap()));
    check(&|id, _| usize::from(sessions::delete_for_user(tx, user, id).unwrap()));
    check(&|_, digest| usize::from(sessions::delete_by_digest(tx, digest).unwrap()));
    check(&|_, _| sessions::delete_all_but(tx, user, SessionId(99)).unwrap());
    check(&|_, _| sessions::delete_all_for_user(tx, user).unwrap());
    check(&|_, _| sessions::delete_beyond(tx, user, SessionId(99), 1, NOW).unwrap());
    check(&|_, _| usize::from(users::delete(tx, user).unwrap()));
}

pub(super) fn sessions_without_access_tokens_leave_no_revocation(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, _) = add_session(tx, user);
    sessions::delete(tx, id).unwrap();
    assert_eq!(revoked(tx), []);
}

pub(super) fn a_token_is_revoked_alone_or_with_its_session(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (id, _) = add_session(tx, user);
    sessions::note_access(tx, id, NOW + HOUR, NOW).unwrap();
    revocations::insert_token(tx, id, "aa", NOW, NOW + HOUR).unwrap();
    revocations::insert_token(tx, id, "aa", NOW, NOW + 2 * HOUR).unwrap();
    assert_eq!(revoked(tx), [(id, Some("aa".to_owned()), NOW + HOUR)]);
    assert!(revocations::has_token(tx, id, "aa", NOW).unwrap() && !revocations::has_token(tx, id, "ab", NOW).unwrap());
    let has = |id, jti| {
        let list = RevocationList::new(Clock::manual(NOW));
        list.load(tx).unwrap();
        let is_listed = list.contains(id, jti, NOW);
        assert_eq!(revocations::covers(tx, id, jti, NOW).unwrap(), is_listed);
        is_listed
    };
    assert!(has(id, "aa") && !has(id, "ab"));

    sessions::delete(tx, id).unwrap();
    assert!(has(id, "ab") && !has(SessionId(99), "ab"));
    let entries = revocations::list_after(tx, 0, 10).unwrap();
    assert_eq!(
        revocations::list_after(tx, entries[0].seq, 10).unwrap(),
        entries[1..]
    );
    assert_eq!(revocations::list_after(tx, 0, 1).unwrap(), entries[..1]);

    assert_eq!(
        revocations::delete_expired(tx, NOW + HOUR - MOMENT, 10).unwrap(),
        0
    );
    assert_eq!(revocations::delete_expired(tx, NOW + HOUR, 10).unwrap(), 2);
    revocations::insert_token(tx, id, "ac", NOW, NOW + HOUR).unwrap();
    let after = revocations::list_after(tx, entries[1].seq, 10).unwrap();
    assert_eq!(after.len(), 1, "no place in the order is given out twice");
}

pub(super) fn all_tokens_until_a_time_are_revoked(tx: &Transaction<'_>) {
    let session = SessionId(7);
    revocations::insert_all_until(tx, NOW, NOW + HOUR).unwrap();
    for (issued_at, revoked) in [(NOW - HOUR, true), (NOW, true), (NOW + MOMENT, false)] {
        assert_eq!(revocations::covers(tx, session, "one", issued_at).unwrap(), revoked);
        assert_eq!(revocations::has_token(tx, session, "one", issued_at).unwrap(), revoked);
        assert_eq!(revocations::covers_all(tx, issued_at).unwrap(), revoked);
    }
    let [row] = &revocations::list_after(tx, 0, 10).unwrap()[..] else {
        panic!("one row");
    };
    assert_eq!(row.session_id, revocations::ALL_SESSIONS);
}

pub(super) fn a_session_that_is_revoked_covers_no_others(tx: &Transaction<'_>) {
    revocations::insert_token(tx, SessionId(7), "one", NOW, NOW + HOUR).unwrap();
    assert!(!revocations::covers_all(tx, NOW - HOUR).unwrap());
}
