//! Refresh tokens.

use super::*;

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
        audience: Some("https://orders.example.com"),
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

pub(super) fn a_refresh_token_is_spent_once_and_names_its_session(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let (session, _) = add_session(tx, user);
    let token = add_refresh(tx, session, None);
    let good = refresh_tokens::find(tx, &token.digest()).unwrap().unwrap();
    assert_eq!(
        (good.session_id, good.scopes, good.expires_at),
        (session, scopes(), NOW + HOUR)
    );
    assert_eq!(good.spent, None);
    assert_eq!(good.audience.as_deref(), Some("https://orders.example.com"));

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
}

pub(super) fn a_family_is_known_while_any_token_is_kept(tx: &Transaction<'_>) {
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
        refresh_tokens::delete_spent(tx, &family, NOW - MOMENT).unwrap(),
        0
    );
    assert_eq!(refresh_tokens::delete_spent(tx, &family, NOW).unwrap(), 1);
    assert!(!is_kept(tx, &first) && is_kept(tx, &second) && is_kept(tx, &stranger));
    assert_eq!(
        refresh_tokens::session_of_family(tx, &family).unwrap(),
        Some(session)
    );
    assert_eq!(
        refresh_tokens::delete_spent_everywhere(tx, NOW + GRACE, 10).unwrap(),
        1
    );
    assert!(!is_kept(tx, &stranger) && is_kept(tx, &second));

    sessions::delete(tx, session).unwrap();
    assert_eq!(
        refresh_tokens::session_of_family(tx, &family).unwrap(),
        None
    );
}

pub(super) fn excess_families_are_deleted_with_all_their_tokens(tx: &Transaction<'_>) {
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
}

pub(super) fn refresh_tokens_of_all_sessions_end_in_batches(tx: &Transaction<'_>) {
    for address in ["one@example.com", "two@example.com", "three@example.com"] {
        let user = add_user(tx, address);
        add_refresh(tx, add_session(tx, user).0, None);
    }
    let deleted = [(); 3].map(|()| refresh_tokens::delete_some(tx, 2).unwrap());
    assert_eq!(deleted, [2, 1, 0]);
}
