//! Identities at other providers, and sign-ins by them.

use super::*;

const ISSUER: &str = "https://id.example.com";

fn new(subject: &str) -> NewIdentity<'_> {
    NewIdentity {
        provider: "acme",
        issuer: ISSUER,
        subject,
        email: Some("one@example.com"),
    }
}

pub(super) fn an_identity_belongs_to_one_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    assert!(identities::insert(tx, user, &new("a"), 20, NOW).unwrap().is_some());
    assert!(identities::insert(tx, other, &new("a"), 20, NOW).unwrap().is_none());
    assert!(identities::insert(tx, other, &new("A"), 20, NOW).unwrap().is_some());
    let elsewhere = NewIdentity {
        issuer: "https://id.example.com/",
        ..new("a")
    };
    assert!(identities::insert(tx, other, &elsewhere, 20, NOW).unwrap().is_some());
    let has_one_of = |user, issuer| identities::has_one_of(tx, user, issuer).unwrap();
    assert!(has_one_of(user, ISSUER) && has_one_of(other, elsewhere.issuer));
    assert!(!has_one_of(user, elsewhere.issuer));
    let find = |subject| identities::find_user(tx, ISSUER, subject).unwrap();
    assert_eq!([find("a"), find("A"), find("b")], [Some(user), Some(other), None]);
    users::delete(tx, user).unwrap();
    assert_eq!(find("a"), None);
}

pub(super) fn a_user_has_no_more_identities_than_allowed(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let insert = |user, subject| identities::insert(tx, user, &new(subject), 2, NOW).unwrap().is_some();
    assert_eq!([insert(user, "a"), insert(user, "b"), insert(user, "c")], [true, true, false]);
    assert!(insert(other, "c"));
}

pub(super) fn the_use_of_an_identity_is_noted(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    for subject in ["a", "b"] {
        identities::insert(tx, user, &new(subject), 20, NOW).unwrap();
    }
    identities::note_use(tx, ISSUER, "a", None, NOW + HOUR).unwrap();
    let rows = tx.all(
        "SELECT email, last_used_at FROM identities ORDER BY subject",
        &[],
        |row| Ok((row.next::<Option<String>>()?, row.next::<Timestamp>()?)),
    );
    let expected = [(None, NOW + HOUR), (Some("one@example.com".to_owned()), NOW)];
    assert_eq!(rows.unwrap(), expected);
}

fn confirmed() -> ProviderSignIn {
    ProviderSignIn {
        provider: "acme".to_owned(),
        bound_to: "browser".to_owned(),
        identity: "{}".to_owned(),
    }
}

pub(super) fn a_state_and_its_code_work_once(tx: &Transaction<'_>) {
    let (state, code) = (token(), token());
    assert!(provider_sign_ins::claim(tx, &state, NOW + HOUR).unwrap());
    assert!(!provider_sign_ins::claim(tx, &state, NOW + HOUR).unwrap());
    let find = |at| provider_sign_ins::find(tx, &code, at).unwrap();
    let take = |at| provider_sign_ins::take(tx, &code, at).unwrap();
    assert_eq!((find(NOW), take(NOW)), (None, false));
    provider_sign_ins::confirm(tx, &state, &code, &confirmed(), NOW + 2 * MOMENT).unwrap();
    assert_eq!(find(NOW + MOMENT), Some(confirmed()));
    assert_eq!((find(NOW + 2 * MOMENT), take(NOW + 2 * MOMENT)), (None, false));
    assert!(take(NOW + MOMENT));
    assert_eq!((find(NOW), take(NOW)), (None, false));
    provider_sign_ins::confirm(tx, &state, &code, &confirmed(), NOW + 2 * MOMENT).unwrap();
    let void = || provider_sign_ins::void_some(tx, 9).unwrap();
    assert_eq!((void(), void(), find(NOW)), (1, 0, None));
    assert!(!provider_sign_ins::claim(tx, &state, NOW + HOUR).unwrap());
}

pub(super) fn states_are_swept_when_they_expire(tx: &Transaction<'_>) {
    let (old, new) = (token(), token());
    assert!(provider_sign_ins::claim(tx, &old, NOW).unwrap());
    assert!(provider_sign_ins::claim(tx, &new, NOW + MOMENT).unwrap());
    assert_eq!(provider_sign_ins::delete_expired(tx, NOW, 10).unwrap(), 1);
    assert!(provider_sign_ins::claim(tx, &old, NOW).unwrap());
    assert!(!provider_sign_ins::claim(tx, &new, NOW).unwrap());
}

pub(super) fn identities_are_listed_and_deleted_by_their_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    for (user, subject) in [(user, "a"), (user, "b"), (other, "c"), (other, "d")] {
        identities::insert(tx, user, &new(subject), 20, NOW).unwrap();
    }
    let list = |user| identities::list_for_user(tx, user).unwrap();
    let found = list(user);
    assert_eq!(found.len(), 2);
    assert!(found[0].id.0 < found[1].id.0);
    assert_eq!(found[0].provider, "acme");
    assert_eq!(found[0].email.as_deref(), Some("one@example.com"));
    assert_eq!((found[0].created_at, found[0].last_used_at), (NOW, NOW));
    let delete = |user, id| identities::delete(tx, user, id).unwrap();
    let id = found[0].id;
    assert_eq!([delete(other, id), delete(user, id), delete(user, id)], [false, true, false]);
    assert_eq!((list(user).len(), list(other).len()), (1, 2));
    let delete_older = |before| identities::delete_older(tx, user, before).unwrap();
    assert_eq!(delete_older(NOW), 0);
    assert_eq!(identities::delete_all_for_user(tx, other).unwrap(), 2);
    assert_eq!((list(user).len(), list(other).len()), (1, 0));
    assert_eq!((delete_older(NOW + MOMENT), list(user).len()), (1, 0));
}

pub(super) fn linking_by_address_stops_for_one_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let links = |user| account(tx, user).links_by_address;
    assert_eq!((links(user), links(other)), (true, true));
    users::stop_linking_by_address(tx, user).unwrap();
    assert_eq!((links(user), links(other)), (false, true));
}

fn request(user_id: UserId, provider: &str, expires_at: Timestamp) -> IdentityLinkRequest {
    IdentityLinkRequest {
        user_id,
        provider: provider.to_owned(),
        bound_to: "browser".to_owned(),
        identity: "{}".to_owned(),
        remembered: provider == "acme",
        expires_at,
    }
}

pub(super) fn a_request_for_a_link_is_used_once(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let new = request(user, "acme", NOW + HOUR);
    let id = identity_link_requests::insert(tx, &new).unwrap();
    let find = |at| identity_link_requests::find(tx, id, at).unwrap();
    let take = |at| identity_link_requests::take(tx, id, at).unwrap();
    assert_eq!((find(NOW), find(NOW + HOUR)), (Some(new), None));
    assert_eq!([take(NOW + HOUR), take(NOW), take(NOW)], [false, true, false]);
    assert_eq!(find(NOW), None);
}

pub(super) fn requests_for_a_link_are_listed_and_end_by_user(tx: &Transaction<'_>) {
    let [user, other] = ["one@example.com", "two@example.com"].map(|text| add_user(tx, text));
    let [old, mine, theirs] = [
        request(user, "old", NOW),
        request(user, "acme", NOW + HOUR),
        request(other, "other", NOW + HOUR),
    ];
    let [_, id, _] = [&old, &mine, &theirs].map(|new| identity_link_requests::insert(tx, new).unwrap());
    let list = |user| identity_link_requests::list_for_user(tx, user, NOW).unwrap();
    assert_eq!(list(user), [(id, mine)]);
    assert_eq!(identity_link_requests::delete_all_for_user(tx, user).unwrap(), 2);
    assert_eq!((list(user).len(), list(other).len()), (0, 1));
    users::delete(tx, other).unwrap();
    assert!(list(other).is_empty());
}

pub(super) fn expired_requests_for_a_link_are_swept(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    let add = |at| identity_link_requests::insert(tx, &request(user, "acme", at)).unwrap();
    let [_, _, left] = [NOW, NOW, NOW + MOMENT].map(add);
    let delete = |limit| identity_link_requests::delete_expired(tx, NOW, limit).unwrap();
    assert_eq!([delete(1), delete(9), delete(9)], [1, 1, 0]);
    assert!(identity_link_requests::find(tx, left, NOW).unwrap().is_some());
    let delete_some = || identity_link_requests::delete_some(tx, 1).unwrap();
    assert_eq!([delete_some(), delete_some()], [1, 0]);
}
