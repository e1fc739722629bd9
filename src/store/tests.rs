//! What the conditional statements change, and what they leave: of two that race one wins.

mod tokens;

use std::time::Duration;

use super::known_devices::Sighting;
use super::sessions::NewSession;
use super::users::DetailChanges;
use super::*;
use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::{
    Account, AuthMethod, EmailAddress, JsonObject, PasswordDigest, SessionId, TokenDigest, UserId,
};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// Runs `work` on an empty database of this version's schema.
pub(super) fn within(work: impl FnOnce(&Transaction<'_>)) {
    work(&Transaction::new(&sqlite::in_memory()));
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn add_user(tx: &Transaction<'_>, text: &str) -> UserId {
    let digest = PasswordDigest::new("$2b$04$digest".to_owned());
    let user = users::insert(tx, &address(text), NOW).unwrap().unwrap();
    assert!(passwords::insert(tx, user.id, &digest, NOW).unwrap());
    user.id
}

fn account(tx: &Transaction<'_>, id: UserId) -> Account {
    users::find(tx, id).unwrap().unwrap()
}

fn token() -> TokenDigest {
    PlainToken::generate(TokenKind::Session).unwrap().digest()
}

fn add_session(tx: &Transaction<'_>, user_id: UserId) -> (SessionId, TokenDigest) {
    let digest = token();
    let new = NewSession {
        token_digest: digest,
        ip_address: "192.0.2.1".to_owned(),
        user_agent: None,
        expires_at: NOW + HOUR,
    };
    let methods = AuthMethod::Password.into();
    let session = sessions::insert(tx, user_id, &new, (&methods, NOW), NOW).unwrap();
    (session.id, digest)
}

#[test]
fn only_the_current_address_is_verified_and_only_once() {
    within(|tx| {
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
    });
}

#[test]
fn only_the_pending_address_replaces_the_old_one_once() {
    within(|tx| {
        let id = add_user(tx, "one@example.com");
        let [old, first, second] =
            ["one@example.com", "first@example.com", "second@example.com"].map(address);
        assert!(
            !users::change_address(tx, id, &old, &first, NOW).unwrap(),
            "nobody asked for it"
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
    });
}

#[test]
fn an_address_taken_meanwhile_is_not_assigned_twice() {
    within(|tx| {
        let id = add_user(tx, "one@example.com");
        let [old, wanted] = ["one@example.com", "two@example.com"].map(address);
        users::set_pending_address(tx, id, Some(&wanted)).unwrap();
        add_user(tx, "two@example.com");
        assert!(!users::change_address(tx, id, &old, &wanted, NOW).unwrap());
        assert_eq!(account(tx, id).user.email_address, old);
    });
}

#[test]
fn revoking_links_withdraws_the_pending_address() {
    within(|tx| {
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
    });
}

#[test]
fn a_token_is_replaced_once_and_the_old_one_is_invalid() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, old) = add_session(tx, user);
        let (new, another) = (token(), token());
        assert!(sessions::is_open_by(tx, id, &old).unwrap());
        assert!(sessions::rotate(tx, id, &old, &new).unwrap());
        assert!(!sessions::rotate(tx, id, &old, &another).unwrap());
        assert!(!sessions::is_open_by(tx, id, &old).unwrap());
        assert!(sessions::is_open_by(tx, id, &new).unwrap());
        assert!(sessions::find_by_digest(tx, &old).unwrap().is_none());
        assert_eq!(
            sessions::find_by_digest(tx, &new).unwrap().unwrap().0.id,
            id
        );
    });
}

#[test]
fn a_session_is_ended_only_by_its_owner() {
    within(|tx| {
        let (owner, stranger) = (
            add_user(tx, "one@example.com"),
            add_user(tx, "two@example.com"),
        );
        let (id, _) = add_session(tx, owner);
        assert!(!sessions::delete_for_user(tx, stranger, id).unwrap());
        assert!(sessions::delete_for_user(tx, owner, id).unwrap());
        assert!(!sessions::delete_for_user(tx, owner, id).unwrap());
    });
}

#[test]
fn all_sessions_end_except_the_kept_one() {
    within(|tx| {
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
    });
}

#[test]
fn authentication_time_is_kept_with_the_session() {
    within(|tx| {
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
        let (session, user) = sessions::find_by_digest(tx, &digest).unwrap().unwrap();
        assert_eq!(
            (session.reauthenticated_at, user.email_address),
            (Some(NOW), address("one@example.com"))
        );
        assert!(sessions::set_reauthenticated(tx, id, None).unwrap());
        assert_eq!(sessions::reauthenticated_at(tx, id).unwrap(), Some(None));
        sessions::delete(tx, id).unwrap();
        assert!(!sessions::set_reauthenticated(tx, id, Some(NOW)).unwrap());
        assert_eq!(sessions::reauthenticated_at(tx, id).unwrap(), None);
    });
}

#[test]
fn a_device_is_first_or_new_and_known_afterwards() {
    within(|tx| {
        let (id, other) = (
            add_user(tx, "one@example.com"),
            add_user(tx, "two@example.com"),
        );
        let note = |user, device| known_devices::note(tx, user, device, NOW).unwrap();
        assert_eq!(note(id, "laptop"), Sighting::First);
        assert_eq!(note(id, "laptop"), Sighting::Known);
        assert_eq!(note(id, "phone"), Sighting::New);
        assert_eq!(note(id, "phone"), Sighting::Known);
        assert_eq!(
            note(other, "phone"),
            Sighting::First,
            "what is known is known of one user"
        );
    });
}

#[test]
fn old_and_excess_devices_are_forgotten() {
    within(|tx| {
        let id = add_user(tx, "one@example.com");
        let note = |device, at| known_devices::note(tx, id, device, at).unwrap();
        note("oldest", NOW);
        note("old", NOW + HOUR);
        note("new", NOW + 2 * HOUR);
        note("oldest", NOW + 3 * HOUR);
        assert_eq!(known_devices::delete_beyond(tx, id, 2).unwrap(), 1);
        assert_eq!(note("oldest", NOW + 3 * HOUR), Sighting::Known);
        assert_eq!(
            known_devices::delete_unseen(tx, NOW + 2 * HOUR - Duration::from_millis(1), 10)
                .unwrap(),
            0
        );
        assert_eq!(
            known_devices::delete_unseen(tx, NOW + 2 * HOUR, 10).unwrap(),
            1
        );
        assert_eq!(note("old", NOW + 4 * HOUR), Sighting::New);
        users::delete(tx, id).unwrap();
        assert_eq!(
            known_devices::delete_unseen(tx, NOW + 9 * HOUR, 10).unwrap(),
            0,
            "they go with the account"
        );
    });
}

#[test]
fn a_window_is_cleared_once_by_its_end() {
    within(|tx| {
        let count = throttles::hit(tx, "x", HOUR, NOW).unwrap();
        let later = count.expires_at + Duration::from_millis(1);
        assert!(!throttles::clear_window(tx, "x", later).unwrap());
        assert!(throttles::clear_window(tx, "x", count.expires_at).unwrap());
        assert!(!throttles::clear_window(tx, "x", count.expires_at).unwrap());
        assert_eq!(throttles::find(tx, "x", NOW).unwrap(), None);
    });
}

#[test]
fn a_granted_window_starts_at_zero() {
    within(|tx| {
        throttles::hit(tx, "x", HOUR, NOW).unwrap();
        throttles::grant(tx, "x", HOUR, NOW + HOUR / 2).unwrap();
        let count = throttles::find(tx, "x", NOW + HOUR / 2).unwrap().unwrap();
        assert_eq!((count.count, count.expires_at), (0, NOW + HOUR / 2 + HOUR));
        assert_eq!(throttles::hit(tx, "x", HOUR, NOW + HOUR).unwrap().count, 1);
    });
}

#[test]
fn of_two_password_changes_one_wins() {
    within(|tx| {
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
    });
}

#[test]
fn a_user_without_a_password_can_get_one_once() {
    within(|tx| {
        let one = address("one@example.com");
        let id = users::insert(tx, &one, NOW).unwrap().unwrap().id;
        assert_eq!(account(tx, id).password_digest, None);
        let by_address = users::find_by_address(tx, &one).unwrap().unwrap();
        assert_eq!(by_address.password_digest, None);
        let digest = PasswordDigest::new("$2b$04$digest".to_owned());
        assert!(!passwords::replace(tx, id, Some(&digest), &digest, NOW).unwrap());
        assert!(passwords::replace(tx, id, None, &digest, NOW).unwrap());
        assert!(!passwords::replace(tx, id, None, &digest, NOW).unwrap());
        assert_eq!(account(tx, id).password_digest, Some(digest));
    });
}

#[test]
fn a_session_starts_authenticated_by_password() {
    within(|tx| {
        let user = add_user(tx, "one@example.com");
        let (id, _) = add_session(tx, user);
        let session = || sessions::find_with_user(tx, id).unwrap().unwrap().0;
        assert_eq!(session().auth_methods, AuthMethod::Password.into());
        assert_eq!(session().authenticated_at, NOW);
        sessions::set_reauthenticated(tx, id, Some(NOW + HOUR)).unwrap();
        assert_eq!(session().authenticated_at, NOW + HOUR);
        sessions::set_reauthenticated(tx, id, None).unwrap();
        assert_eq!(session().authenticated_at, NOW + HOUR);
    });
}

#[test]
fn name_and_profile_change_apart() {
    within(|tx| {
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
        let nobody = users::update_details(tx, UserId(99), &DetailChanges::default(), NOW);
        assert_eq!(nobody.unwrap(), None);
    });
}
