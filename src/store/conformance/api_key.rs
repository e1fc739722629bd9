//! API keys.

use super::*;

fn key(
    user_id: Option<UserId>,
    expires_at: Option<Timestamp>,
) -> (PlainToken, Option<UserId>, Option<Timestamp>) {
    (
        PlainToken::generate(TokenKind::ApiKey).unwrap(),
        user_id,
        expires_at,
    )
}

fn insert_key(
    tx: &Transaction<'_>,
    (plain, user_id, expires_at): &(PlainToken, Option<UserId>, Option<Timestamp>),
    most: u32,
) -> Option<ApiKey> {
    let new = NewKey {
        user_id: *user_id,
        name: "one",
        token_digest: plain.digest(),
        last_four: plain.last_four(),
        scopes: &scopes(),
        expires_at: *expires_at,
    };
    api_keys::insert(tx, &new, most, NOW).unwrap()
}

fn add_key(
    tx: &Transaction<'_>,
    user_id: Option<UserId>,
    expires_at: Option<Timestamp>,
) -> (ApiKey, TokenDigest) {
    let new = key(user_id, expires_at);
    (insert_key(tx, &new, 100).unwrap(), new.0.digest())
}

fn ids(keys: Vec<ApiKey>) -> Vec<ApiKeyId> {
    keys.into_iter().map(|key| key.id).collect()
}

pub(super) fn only_user_keys_read_back_with_a_user(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (key, digest) = add_key(tx, Some(user), Some(NOW + HOUR));
    let (found, owner) = tx.look_up(&api_keys::by_digest(digest)).unwrap().unwrap();
    assert_eq!((&found, owner.unwrap().id), (&key, user));
    assert_eq!(
        (key.scopes, key.created_at, key.expires_at),
        (scopes(), NOW, Some(NOW + HOUR))
    );
    assert_eq!((key.last_used_at, key.revoked_at), (None, None));
    let (service, digest) = add_key(tx, None, None);
    assert_eq!(
        tx.look_up(&api_keys::by_digest(digest)).unwrap(),
        Some((service, None))
    );
    assert_eq!(tx.look_up(&api_keys::by_digest(token())).unwrap(), None);
}

pub(super) fn only_valid_user_keys_count_towards_the_limit(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    add_key(tx, Some(other), None);
    add_key(tx, Some(user), Some(NOW));
    let (revoked, _) = add_key(tx, Some(user), None);
    api_keys::revoke(tx, revoked.id, NOW).unwrap();
    assert!(insert_key(tx, &key(Some(user), None), 2).is_some());
    assert!(insert_key(tx, &key(Some(user), Some(NOW + MOMENT)), 2).is_some());
    assert!(insert_key(tx, &key(Some(user), None), 2).is_none());
    for _ in 0..3 {
        assert!(insert_key(tx, &key(None, None), 1).is_some());
    }
}

pub(super) fn a_key_is_managed_only_by_its_owner(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let (first, _) = add_key(tx, Some(user), None);
    let (second, _) = add_key(tx, Some(user), None);
    let (service, _) = add_key(tx, None, None);
    assert_eq!(
        ids(api_keys::list_for_user(tx, user).unwrap()),
        [second.id, first.id]
    );
    assert_eq!(api_keys::list_for_user(tx, other).unwrap(), []);
    assert_eq!(
        ids(api_keys::list(tx, first.id, 10).unwrap()),
        [second.id, service.id]
    );
    assert_eq!(ids(api_keys::list(tx, ApiKeyId(0), 1).unwrap()), [first.id]);
    assert_eq!(
        ids(api_keys::list_of_services(tx, ApiKeyId(0), 10).unwrap()),
        [service.id]
    );

    assert_eq!(api_keys::rename(tx, other, first.id, "two").unwrap(), None);
    let renamed = api_keys::rename(tx, user, first.id, "two").unwrap();
    assert_eq!(
        renamed,
        Some(ApiKey {
            name: "two".to_owned(),
            ..first.clone()
        })
    );

    assert_eq!(
        api_keys::revoke_for_user(tx, other, first.id, NOW).unwrap(),
        None
    );
    assert_eq!(
        api_keys::revoke_for_user(tx, user, service.id, NOW).unwrap(),
        None
    );
    assert_eq!(
        api_keys::revoke_for_user(tx, user, first.id, NOW).unwrap(),
        Some(true)
    );
    assert_eq!(
        api_keys::revoke_for_user(tx, user, first.id, NOW + HOUR).unwrap(),
        Some(false)
    );
    assert_eq!(
        api_keys::list_for_user(tx, user).unwrap()[1].revoked_at,
        Some(NOW),
        "as it was"
    );
    assert_eq!(api_keys::revoke(tx, service.id, NOW).unwrap(), Some(true));
    assert_eq!(api_keys::revoke(tx, service.id, NOW).unwrap(), Some(false));
    assert_eq!(api_keys::revoke(tx, ApiKeyId(99), NOW).unwrap(), None);
}

pub(super) fn revoking_keys_leaves_those_of_other_users(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let (first, digest) = add_key(tx, Some(user), None);
    let (second, _) = add_key(tx, Some(user), None);
    let (theirs, _) = add_key(tx, Some(other), None);
    let (service, _) = add_key(tx, None, None);
    let revoked = api_keys::revoke_by_digest(tx, &digest, NOW)
        .unwrap()
        .unwrap();
    assert_eq!((revoked.id, revoked.revoked_at), (first.id, Some(NOW)));
    assert_eq!(api_keys::revoke_by_digest(tx, &digest, NOW).unwrap(), None);
    assert_eq!(api_keys::revoke_by_digest(tx, &token(), NOW).unwrap(), None);
    assert_eq!(api_keys::revoke_all_for_user(tx, user, NOW).unwrap(), 1);
    let live = |key: &ApiKey| api_keys::is_live(tx, key.id, NOW).unwrap();
    assert_eq!(
        [&first, &second, &theirs, &service].map(live),
        [false, false, true, true]
    );
}

pub(super) fn a_key_needs_an_enabled_user_and_time_left(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (key, _) = add_key(tx, Some(user), Some(NOW + HOUR));
    let live = |now| api_keys::is_live(tx, key.id, now).unwrap();
    assert!(live(NOW + HOUR - MOMENT) && !live(NOW + HOUR));
    users::set_disabled(tx, user, Some(NOW), NOW).unwrap();
    assert!(!live(NOW));
    users::set_disabled(tx, user, None, NOW).unwrap();
    assert!(live(NOW));
    users::delete(tx, user).unwrap();
    assert!(!live(NOW));
    assert_eq!(api_keys::list(tx, ApiKeyId(0), 10).unwrap(), []);
}

pub(super) fn the_use_of_a_key_never_goes_back_in_time(tx: &Transaction<'_>) {
    let (key, digest) = add_key(tx, None, None);
    for at in [NOW + HOUR, NOW] {
        api_keys::touch(tx, key.id, at).unwrap();
        let (key, _) = tx.look_up(&api_keys::by_digest(digest)).unwrap().unwrap();
        assert_eq!(key.last_used_at, Some(NOW + HOUR));
    }
}

pub(super) fn unrevoked_keys_are_listed_in_batches(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let [first, revoked, expired] =
        [None, None, Some(NOW)].map(|expires_at| add_key(tx, Some(user), expires_at).0);
    let (service, _) = add_key(tx, None, None);
    api_keys::revoke(tx, revoked.id, NOW).unwrap();
    let list = |after, limit| api_keys::list_unrevoked(tx, after, limit).unwrap();
    assert_eq!(list(ApiKeyId(0), 2), [first.id, expired.id]);
    assert_eq!(list(expired.id, 2), [service.id]);
    assert_eq!(api_keys::find(tx, first.id).unwrap(), Some(first));
    assert_eq!(api_keys::find(tx, ApiKeyId(99)).unwrap(), None);
}

pub(super) fn invalid_keys_are_deleted_after_a_while(tx: &Transaction<'_>) {
    let [(valid, _), (revoked, _), (expired, _), (later, _)] =
        [None, None, Some(NOW), Some(NOW + MOMENT)].map(|expires_at| add_key(tx, None, expires_at));
    api_keys::revoke(tx, revoked.id, NOW).unwrap();
    assert_eq!(api_keys::delete_invalid(tx, NOW - MOMENT, 9).unwrap(), 0);
    assert_eq!(api_keys::delete_invalid(tx, NOW, 1).unwrap(), 1);
    assert_eq!(api_keys::delete_invalid(tx, NOW, 9).unwrap(), 1);
    let left = api_keys::list(tx, ApiKeyId(0), 9).unwrap();
    assert_eq!(ids(left), [valid.id, later.id]);
    assert_eq!(api_keys::find(tx, expired.id).unwrap(), None);
}

pub(super) fn the_newest_invalid_keys_of_a_user_are_kept(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let (valid, _) = add_key(tx, Some(user), None);
    let [_, second, third] = [(); 3].map(|()| add_key(tx, Some(user), Some(NOW)).0);
    add_key(tx, Some(other), Some(NOW));
    api_keys::revoke(tx, second.id, NOW).unwrap();
    assert_eq!(api_keys::delete_invalid_beyond(tx, user, 3, NOW).unwrap(), 0);
    assert_eq!(api_keys::delete_invalid_beyond(tx, user, 2, NOW).unwrap(), 1);
    let left = api_keys::list_for_user(tx, user).unwrap();
    assert_eq!(ids(left), [third.id, second.id, valid.id]);
    assert_eq!(api_keys::delete_invalid_beyond(tx, user, 0, NOW).unwrap(), 2);
    assert_eq!(api_keys::list_for_user(tx, other).unwrap().len(), 1);
}
