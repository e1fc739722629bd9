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
    assert!(identities::insert(tx, user, &new("a"), NOW).unwrap().is_some());
    assert!(identities::insert(tx, other, &new("a"), NOW).unwrap().is_none());
    assert!(identities::insert(tx, other, &new("A"), NOW).unwrap().is_some());
    let elsewhere = NewIdentity {
        issuer: "https://id.example.com/",
        ..new("a")
    };
    assert!(identities::insert(tx, other, &elsewhere, NOW).unwrap().is_some());
    let find = |subject| identities::find_user(tx, ISSUER, subject).unwrap();
    assert_eq!([find("a"), find("A"), find("b")], [Some(user), Some(other), None]);
    users::delete(tx, user).unwrap();
    assert_eq!(find("a"), None);
}

pub(super) fn the_use_of_an_identity_is_noted(tx: &Transaction<'_>) {
    let user = add_user(tx, "one@example.com");
    for subject in ["a", "b"] {
        identities::insert(tx, user, &new(subject), NOW).unwrap();
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
        identities::insert(tx, user, &new(subject), NOW).unwrap();
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
    assert_eq!(identities::delete_all_for_user(tx, other).unwrap(), 2);
    assert_eq!((list(user).len(), list(other).len()), (1, 0));
}
