//! The same of API keys, refresh tokens and ended access tokens.

use super::*;
use crate::crypto::token::ReplaySeed;
use crate::domain::scope::Scopes;
use crate::domain::{ApiKey, ApiKeyId};
use crate::store::api_keys::NewKey;
use crate::store::refresh_tokens::{GRACE, NewRefresh, Spent};

const MOMENT: Duration = Duration::from_millis(1);

fn scopes() -> Scopes {
    Scopes::parse("projects:read introspect").unwrap()
}

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

/// A refresh token of a session, and of the family of another if that is given.
fn add_refresh(
    tx: &Transaction<'_>,
    session: SessionId,
    family: Option<&PlainToken>,
) -> PlainToken {
    let token = match family {
        Some(token) => token
            .successor(
                ReplaySeed::generate()
                    .unwrap()
                    .as_bytes()
                    .repeat(4)
                    .as_slice(),
            )
            .unwrap(),
        None => PlainToken::generate(TokenKind::Refresh).unwrap(),
    };
    let new = NewRefresh {
        family_digest: token.family(),
        token_digest: token.digest(),
        scopes: &scopes(),
        expires_at: NOW + HOUR,
    };
    refresh_tokens::insert(tx, session, &new, NOW).unwrap();
    token
}

fn spend(tx: &Transaction<'_>, token: &PlainToken, at: Timestamp) -> bool {
    let (seed, successor) = (ReplaySeed::generate().unwrap(), TokenKind::Refresh);
    let successor = PlainToken::generate(successor).unwrap().digest();
    refresh_tokens::spend(tx, &token.digest(), &seed, &successor, at + HOUR, at).unwrap()
}

fn is_kept(tx: &Transaction<'_>, token: &PlainToken) -> bool {
    refresh_tokens::find(tx, &token.digest()).unwrap().is_some()
}

/// Session, the one token if it is one, and until when.
fn ended(tx: &Transaction<'_>) -> Vec<(SessionId, Option<String>, Timestamp)> {
    let all = revocations::list_after(tx, 0, 100).unwrap();
    all.into_iter()
        .map(|entry| (entry.session_id, entry.jti, entry.until))
        .collect()
}

#[test]
fn only_user_keys_read_back_with_a_user() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (key, digest) = add_key(tx, Some(user), Some(NOW + HOUR));
        let (found, owner) = api_keys::find_by_digest(tx, &digest).unwrap().unwrap();
        assert_eq!((&found, owner.unwrap().id), (&key, user));
        assert_eq!(
            (key.scopes, key.created_at, key.expires_at),
            (scopes(), NOW, Some(NOW + HOUR))
        );
        assert_eq!((key.last_used_at, key.revoked_at), (None, None));
        let (service, digest) = add_key(tx, None, None);
        assert_eq!(
            api_keys::find_by_digest(tx, &digest).unwrap(),
            Some((service, None))
        );
        assert_eq!(api_keys::find_by_digest(tx, &token()).unwrap(), None);
    });
}

#[test]
fn only_valid_user_keys_count_towards_the_limit() {
    within(|tx| {
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
    });
}

#[test]
fn a_key_is_managed_only_by_its_owner() {
    within(|tx| {
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
    });
}

#[test]
fn revoking_keys_leaves_those_of_other_users() {
    within(|tx| {
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
    });
}

#[test]
fn a_key_needs_an_enabled_user_and_time_left() {
    within(|tx| {
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
    });
}

#[test]
fn the_use_of_a_key_never_goes_back_in_time() {
    within(|tx| {
        let (key, digest) = add_key(tx, None, None);
        for at in [NOW + HOUR, NOW] {
            api_keys::touch(tx, key.id, at).unwrap();
            let (key, _) = api_keys::find_by_digest(tx, &digest).unwrap().unwrap();
            assert_eq!(key.last_used_at, Some(NOW + HOUR));
        }
    });
}

#[test]
fn a_refresh_token_is_spent_once_and_names_its_session() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (session, _) = add_session(tx, user);
        let token = add_refresh(tx, session, None);
        let good = refresh_tokens::find(tx, &token.digest()).unwrap().unwrap();
        assert_eq!(
            (good.session_id, good.scopes, good.expires_at),
            (session, scopes(), NOW + HOUR)
        );
        assert_eq!(good.spent, None);

        let (seed, successor) = (ReplaySeed::generate().unwrap(), super::token());
        let spend = |at| {
            let digest = token.digest();
            refresh_tokens::spend(tx, &digest, &seed, &successor, NOW + 2 * HOUR, at).unwrap()
        };
        assert!(spend(NOW));
        assert!(!spend(NOW + MOMENT));
        let spent = refresh_tokens::find(tx, &token.digest())
            .unwrap()
            .unwrap()
            .spent;
        let expected = Spent {
            at: NOW,
            seed: Some(seed),
            successor,
            access_until: NOW + 2 * HOUR,
        };
        assert_eq!(spent, Some(expected));
        assert_eq!(refresh_tokens::find(tx, &successor).unwrap(), None);
    });
}

#[test]
fn a_family_is_known_while_any_token_is_kept() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (session, _) = add_session(tx, user);
        let first = add_refresh(tx, session, None);
        spend(tx, &first, NOW);
        let second = add_refresh(tx, session, Some(&first));
        let (other, _) = add_session(tx, user);
        let stranger = add_refresh(tx, other, None);
        spend(tx, &stranger, NOW);

        let family = first.family();
        assert_eq!(
            refresh_tokens::forget_spent(tx, &family, NOW - MOMENT).unwrap(),
            0
        );
        assert_eq!(refresh_tokens::forget_spent(tx, &family, NOW).unwrap(), 1);
        assert!(!is_kept(tx, &first) && is_kept(tx, &second) && is_kept(tx, &stranger));
        assert_eq!(
            refresh_tokens::session_of_family(tx, &family).unwrap(),
            Some(session)
        );
        assert_eq!(
            refresh_tokens::forget_spent_everywhere(tx, NOW + GRACE, 10).unwrap(),
            1
        );
        assert!(!is_kept(tx, &stranger) && is_kept(tx, &second));

        sessions::delete(tx, session).unwrap();
        assert_eq!(
            refresh_tokens::session_of_family(tx, &family).unwrap(),
            None
        );
    });
}

#[test]
fn excess_families_are_deleted_with_all_their_tokens() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let [(session, _), (other, _)] = [add_session(tx, user), add_session(tx, user)];
        let elsewhere = add_refresh(tx, other, None);
        let [first, second, third] = std::array::from_fn(|_| add_refresh(tx, session, None));
        // The first was refreshed last.
        spend(tx, &first, NOW);
        let successor = add_refresh(tx, session, Some(&first));
        spend(tx, &second, NOW);
        let dropped = add_refresh(tx, session, Some(&second));
        spend(tx, &third, NOW);
        let newest = add_refresh(tx, session, Some(&third));
        spend(tx, &successor, NOW);
        let newer = add_refresh(tx, session, Some(&successor));

        assert_eq!(refresh_tokens::delete_beyond(tx, session, 2).unwrap(), 2);
        assert!(
            !is_kept(tx, &second) && !is_kept(tx, &dropped),
            "or its successor would look stolen"
        );
        assert_eq!(
            refresh_tokens::session_of_family(tx, &second.family()).unwrap(),
            None
        );
        for kept in [&first, &successor, &newer, &third, &newest, &elsewhere] {
            assert!(is_kept(tx, kept));
        }
        assert_eq!(refresh_tokens::delete_for_session(tx, session).unwrap(), 5);
        assert!(!is_kept(tx, &newer) && is_kept(tx, &elsewhere));
    });
}

#[test]
fn access_expiry_never_moves_back_and_counts_as_use() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, digest) = add_session(tx, user);
        let last = || {
            sessions::find_by_digest(tx, &digest)
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
        assert_eq!(ended(tx), [(id, None, NOW + 2 * HOUR)]);
        assert!(!sessions::note_access(tx, id, NOW + 3 * HOUR, NOW).unwrap());
    });
}

#[test]
fn deleted_sessions_always_revoke_their_access_tokens() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let mut until = NOW;
        let mut expected = Vec::new();
        let mut check = |delete: &dyn Fn(SessionId, &TokenDigest) -> usize| {
            let (id, digest) = add_session(tx, user);
            until = until + HOUR;
            sessions::note_access(tx, id, until, NOW).unwrap();
            assert_eq!(delete(id, &digest), 1);
            expected.push((id, None, until));
            assert_eq!(ended(tx), expected);
        };
        check(&|id, _| usize::from(sessions::delete(tx, id).unwrap()));
        check(&|id, _| usize::from(sessions::delete_for_user(tx, user, id).unwrap()));
        check(&|_, digest| usize::from(sessions::delete_by_digest(tx, digest).unwrap()));
        check(&|_, _| sessions::delete_all_but(tx, user, SessionId(99)).unwrap());
        check(&|_, _| sessions::delete_all_for_user(tx, user).unwrap());
        check(&|_, _| sessions::delete_beyond(tx, user, SessionId(99), 1, NOW).unwrap());
        check(&|_, _| usize::from(users::delete(tx, user).unwrap()));
    });
}

#[test]
fn sessions_without_access_tokens_leave_no_revocation() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, _) = add_session(tx, user);
        sessions::delete(tx, id).unwrap();
        assert_eq!(ended(tx), []);
    });
}

#[test]
fn a_token_is_revoked_alone_or_with_its_session() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, _) = add_session(tx, user);
        sessions::note_access(tx, id, NOW + HOUR, NOW).unwrap();
        revocations::insert_token(tx, id, "aa", NOW + HOUR).unwrap();
        revocations::insert_token(tx, id, "aa", NOW + 2 * HOUR).unwrap();
        assert_eq!(ended(tx), [(id, Some("aa".to_owned()), NOW + HOUR)]);
        let has = |id, jti| {
            let list = RevocationList::new(Clock::manual(NOW));
            list.load(tx).unwrap();
            list.contains(id, jti)
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
        revocations::insert_token(tx, id, "ac", NOW + HOUR).unwrap();
        let after = revocations::list_after(tx, entries[1].seq, 10).unwrap();
        assert_eq!(after.len(), 1, "no place in the order is given out twice");
    });
}

#[test]
fn a_session_is_found_by_its_id_with_its_user() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, digest) = add_session(tx, user);
        assert_eq!(
            sessions::find_with_user(tx, id).unwrap(),
            sessions::find_by_digest(tx, &digest).unwrap()
        );
        assert!(sessions::belongs_to(tx, id, user).unwrap());
        let stranger = add_user(tx, "two@example.com");
        assert!(!sessions::belongs_to(tx, id, stranger).unwrap());
        sessions::delete(tx, id).unwrap();
        assert_eq!(sessions::find_with_user(tx, id).unwrap(), None);
        assert!(!sessions::belongs_to(tx, id, user).unwrap());
    });
}

#[test]
fn expired_rows_are_found_by_index() {
    within(|tx| {
        for sql in [api_keys::DELETE_ENDED, revocations::DELETE_EXPIRED] {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let steps = tx
                .all(&sql, &[NOW.into(), 500_u32.into()], |row| {
                    row.get::<String>(3)
                })
                .unwrap();
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN")),
                "{steps:?}"
            );
        }
    });
}
