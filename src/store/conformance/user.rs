//! Users, passwords and accounts.

use super::*;

pub(super) fn only_the_current_address_is_verified_and_only_once(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let later = NOW + HOUR;
    assert!(!users::confirm_address(tx, id, &address("two@example.com"), later).unwrap());
    assert_eq!(account(tx, id).user.email_confirmed_at, None);
    assert!(users::confirm_address(tx, id, &address("one@example.com"), later).unwrap());
    assert!(
        !users::confirm_address(tx, id, &address("one@example.com"), later + HOUR).unwrap()
    );
    let user = account(tx, id).user;
    assert_eq!(
        (user.email_confirmed_at, user.updated_at),
        (Some(later), later)
    );
}

pub(super) fn only_the_pending_address_replaces_the_old_one_once(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let [old, first, second] =
        ["one@example.com", "first@example.com", "second@example.com"].map(address);
    assert!(
        !users::change_address(tx, id, &old, &first, NOW).unwrap(),
        "it was not requested"
    );
    assert!(users::set_pending_address(tx, id, Some(&first)).unwrap());
    assert!(users::set_pending_address(tx, id, Some(&second)).unwrap());
    assert_eq!(
        account(tx, id).pending_email_address.as_ref(),
        Some(&second)
    );
    assert_eq!(account(tx, id).user.email_address, old);
    assert!(
        !users::change_address(tx, id, &old, &first, NOW).unwrap(),
        "another was asked for since"
    );
    assert!(users::change_address(tx, id, &old, &second, NOW + HOUR).unwrap());
    assert!(!users::change_address(tx, id, &old, &second, NOW + HOUR).unwrap());
    let account = account(tx, id);
    assert_eq!(
        (account.user.email_address, account.pending_email_address),
        (second, None)
    );
    assert_eq!(account.user.email_confirmed_at, Some(NOW + HOUR));
}

pub(super) fn an_address_taken_meanwhile_is_not_assigned_twice(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let [old, wanted] = ["one@example.com", "two@example.com"].map(address);
    users::set_pending_address(tx, id, Some(&wanted)).unwrap();
    add_user(tx, "two@example.com");
    assert!(!users::change_address(tx, id, &old, &wanted, NOW).unwrap());
    assert_eq!(account(tx, id).user.email_address, old);
}

pub(super) fn revoking_links_withdraws_the_pending_address(tx: &Transaction<'_>) {
    let (id, other) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    users::set_pending_address(tx, id, Some(&address("new@example.com"))).unwrap();
    users::invalidate_links(tx, id).unwrap();
    users::invalidate_links(tx, id).unwrap();
    assert_eq!(
        (
            account(tx, id).credentials_version,
            account(tx, id).pending_email_address
        ),
        (2, None)
    );
    assert_eq!(account(tx, other).credentials_version, 0);
}

pub(super) fn of_two_password_changes_one_wins(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let old = account(tx, id).password_digest.unwrap();
    let [first, second] =
        ["$2b$04$first", "$2b$04$second"].map(|text| PasswordDigest::new(text.to_owned()));
    assert!(passwords::replace(tx, id, Some(&old), &first, NOW + HOUR).unwrap());
    assert!(!passwords::replace(tx, id, Some(&old), &second, NOW + 2 * HOUR).unwrap());
    assert!(!passwords::replace(tx, id, None, &second, NOW + 2 * HOUR).unwrap());
    let account = account(tx, id);
    assert_eq!(account.password_digest, Some(first));
    assert_eq!(account.user.updated_at, NOW + HOUR);
}

pub(super) fn a_user_without_a_password_can_get_one_once(tx: &Transaction<'_>) {
    let one = address("one@example.com");
    let id = users::insert(tx, &one, None, NOW).unwrap().unwrap().id;
    assert_eq!(account(tx, id).password_digest, None);
    let by_address = users::find_by_address(tx, &one).unwrap().unwrap();
    assert_eq!(by_address.password_digest, None);
    let digest = PasswordDigest::new("$2b$04$digest".to_owned());
    assert!(!passwords::replace(tx, id, Some(&digest), &digest, NOW).unwrap());
    assert!(passwords::replace(tx, id, None, &digest, NOW).unwrap());
    assert!(!passwords::replace(tx, id, None, &digest, NOW).unwrap());
    assert_eq!(account(tx, id).password_digest, Some(digest));
    assert!(passwords::delete(tx, id).unwrap());
    assert!(!passwords::delete(tx, id).unwrap());
    assert_eq!(account(tx, id).password_digest, None);
}

pub(super) fn name_and_profile_change_apart(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    let profile = serde_json::json!({ "pronouns": "they" });
    let profile = JsonObject::parse("profile", profile.as_object().unwrap()).unwrap();
    let change = |name, profile, at| {
        let changes = DetailChanges { name, profile };
        users::update_details(tx, id, &changes, at)
            .unwrap()
            .unwrap()
    };
    let named = change(Some(Some("Ada")), None, NOW + HOUR);
    assert_eq!(named.name.as_deref(), Some("Ada"));
    assert_eq!(
        (named.profile, named.updated_at),
        (JsonObject::default(), NOW + HOUR)
    );
    let described = change(None, Some(&profile), NOW + HOUR);
    assert_eq!(described.name.as_deref(), Some("Ada"));
    assert_eq!(described.profile, profile);
    assert_eq!(change(Some(None), None, NOW + HOUR).name, None);
    assert_eq!(account(tx, id).user.profile, profile);
    let unknown = users::update_details(tx, UserId(99), &DetailChanges::default(), NOW);
    assert_eq!(unknown.unwrap(), None);
}

pub(super) fn metadata_is_replaced(tx: &Transaction<'_>) {
    let (id, other) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let of = |value: serde_json::Value| {
        JsonObject::parse("metadata", value.as_object().unwrap()).unwrap()
    };
    let (first, second) = (
        of(serde_json::json!({ "plan": "pro", "seats": 5 })),
        of(serde_json::json!({ "plan": "free" })),
    );
    let set = |id, metadata| users::set_metadata(tx, id, metadata, NOW + HOUR).unwrap();
    assert_eq!(set(id, &first).unwrap().metadata, first);
    let user = set(id, &second).unwrap();
    assert_eq!((&user.metadata, user.updated_at), (&second, NOW + HOUR));
    assert_eq!(account(tx, id).user, user);
    assert_eq!(account(tx, other).user.metadata, JsonObject::default());
    assert_eq!(set(UserId(99), &first), None);
}

pub(super) fn a_user_is_added_once_per_address(tx: &Transaction<'_>) {
    let one = address("one@example.com");
    let locale = Locale::parse("pt-BR").unwrap();
    let user = users::insert(tx, &one, Some(&locale), NOW).unwrap().unwrap();
    assert_eq!(user.locale, Some(locale));
    assert_eq!(users::insert(tx, &one, None, NOW + HOUR).unwrap(), None);
    let found = users::find(tx, user.id).unwrap().unwrap();
    assert_eq!(found.user, user);
    assert_eq!((user.email_address, user.email_confirmed_at, user.disabled_at), (one, None, None));
    assert_eq!((user.created_at, user.updated_at), (NOW, NOW));
    assert!(users::delete(tx, user.id).unwrap());
    assert!(!users::delete(tx, user.id).unwrap());
    assert!(users::find(tx, user.id).unwrap().is_none());
    let next = add_user(tx, "one@example.com");
    assert!(next.0 > user.id.0, "ids are not reused");
}

pub(super) fn users_are_listed_by_id(tx: &Transaction<'_>) {
    let [first, second, third] = ["c", "a", "b"].map(|name| add_user(tx, &format!("{name}@example.com")));
    let list = |after, limit| {
        let users = users::list(tx, after, limit).unwrap();
        users.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(list(UserId(0), 2), [first, second]);
    assert_eq!(list(second, 2), [third]);
    assert_eq!(list(third, 2), []);
}

pub(super) fn a_disabled_user_can_be_enabled_again(tx: &Transaction<'_>) {
    let id = add_user(tx, "one@example.com");
    assert!(users::set_disabled(tx, id, Some(NOW), NOW + HOUR).unwrap());
    let user = account(tx, id).user;
    assert_eq!((user.disabled_at, user.updated_at), (Some(NOW), NOW + HOUR));
    assert!(users::set_disabled(tx, id, None, NOW).unwrap());
    assert_eq!(account(tx, id).user.disabled_at, None);
    assert!(!users::set_disabled(tx, UserId(99), None, NOW).unwrap());
}

pub(super) fn roles_and_due_times_are_set_apart(tx: &Transaction<'_>) {
    let (id, other) = (
        add_user(tx, "one@example.com"),
        add_user(tx, "two@example.com"),
    );
    let state = |id| {
        let user = account(tx, id).user;
        (user.role, user.second_factor_due_at, user.updated_at)
    };
    assert!(users::set_role(tx, id, Role::Operator, NOW + HOUR).unwrap());
    assert_eq!(state(id), (Role::Operator, None, NOW + HOUR));
    users::set_second_factor_due(tx, id, Some(NOW)).unwrap();
    assert_eq!(state(id), (Role::Operator, Some(NOW), NOW + HOUR));
    assert!(users::set_role(tx, id, Role::User, NOW).unwrap());
    users::set_second_factor_due(tx, id, None).unwrap();
    assert_eq!((state(id).0, state(id).1), (Role::User, None));
    assert_eq!((state(other).0, state(other).1), (Role::User, None));
    assert!(!users::set_role(tx, UserId(9), Role::Operator, NOW).unwrap());
}

pub(super) fn links_of_some_users_end(tx: &Transaction<'_>) {
    let ids = ["a@b.c", "b@b.c", "c@b.c"].map(|address| add_user(tx, address));
    assert_eq!(users::last_of_next(tx, UserId(0), 2).unwrap(), Some(ids[1]));
    assert_eq!(users::last_of_next(tx, ids[1], 2).unwrap(), Some(ids[2]));
    assert_eq!(users::last_of_next(tx, ids[2], 2).unwrap(), None);
    assert_eq!(users::end_links(tx, ids[0], ids[1], NOW).unwrap(), 1);
    let versions = ids.map(|id| account(tx, id).credentials_version);
    assert_eq!(versions, [0, NOW.as_millis(), 0]);
}
