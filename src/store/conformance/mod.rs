//! The tests of every store function, run on each engine.
//!
//! A test takes a transaction on an empty database, or an empty database where it is about reads and writes themselves.
//! It uses types of the store only, so another engine runs the whole suite with one more [`TestEngine`] and one more
//! `on!`. The tests on PostgreSQL need a server, which `.ci/postgres` starts; without one they do nothing.

use std::time::Duration;

use super::api_keys::NewKey;
use super::identities::NewIdentity;
use super::identity_link_requests::IdentityLinkRequest;
use super::mail_codes::{MailCodeRequest, NewMailCode};
use super::outbox::{BusyDomains, Class, NewOutboxEntry};
use super::pending_sign_ins::PendingSignIn;
use super::provider_sign_ins::ProviderSignIn;
use super::refresh_tokens::{GRACE, NewRefresh, Spent};
use super::sessions::NewSession;
use super::users::DetailChanges;
use super::*;
use crate::crypto::sealed::Sealed;
use crate::crypto::token::{PlainToken, ReplaySeed, TokenKind};
use crate::crypto::webauthn::{Assertion, NewPasskey, PublicKey};
use crate::domain::Locale;
use crate::domain::mail_kind::Priority;
use crate::domain::scope::Scopes;
use crate::domain::{
    Account, ApiKey, ApiKeyId, AuthMethod, AuthMethods, EmailAddress, JsonObject, PasskeyId,
    PasswordDigest, ProjectId, Role, SessionId, TokenDigest, UserHandle, UserId,
};

/// The nonce of every session here.
const NONCE: &str = "00112233445566778899aabbccddeeff";

macro_rules! suite {
    (
        rows { $($file:ident: $($test:ident)+;)+ }
        database { $($database_file:ident: $($database_test:ident)+;)+ }
    ) => {
        $(mod $file;)+
        $(mod $database_file;)+

        macro_rules! on {
            ($engine:ty) => {
                use super::TestEngine;

                $($(
                    #[test]
                    fn $test() {
                        <$engine>::with_transaction(super::$file::$test);
                    }
                )+)+

                $($(
                    #[test]
                    fn $database_test() {
                        <$engine>::with_database(super::$database_file::$database_test);
                    }
                )+)+
            };
        }
    };
}

suite! {
    rows {
        user:
            a_user_is_added_once_per_address
            users_are_listed_by_id
            a_disabled_user_can_be_enabled_again
            only_the_current_address_is_verified_and_only_once
            only_the_pending_address_replaces_the_old_one_once
            an_address_taken_meanwhile_is_not_assigned_twice
            revoking_links_withdraws_the_pending_address
            of_two_password_changes_one_wins
            a_user_without_a_password_can_get_one_once
            name_and_profile_change_apart
            metadata_is_replaced
            roles_and_due_times_are_set_apart
            links_of_some_users_end;
        session:
            a_token_is_replaced_once_and_the_old_one_is_invalid
            a_session_is_ended_only_by_its_owner
            all_sessions_end_except_the_kept_one
            authentication_time_is_kept_with_the_session
            a_session_starts_authenticated_by_password
            methods_of_authentication_are_replaced
            access_expiry_never_moves_back_and_counts_as_use
            a_session_is_found_by_its_id_with_its_user
            sessions_are_listed_by_last_activity
            excess_sessions_end_by_expiry_then_activity
            expired_and_idle_sessions_are_listed_in_batches
            live_sessions_are_counted_in_batches;
        known_device:
            a_device_is_new_once
            old_and_excess_devices_are_forgotten
            the_last_use_of_a_device_is_known_to_the_hour
            a_users_devices_are_forgotten_together;
        throttle:
            a_window_is_claimed_once_by_its_end
            a_hit_is_given_back_to_its_window
            a_counter_is_cleared_with_its_kinds
            a_window_longer_than_its_length_is_over
            a_granted_window_starts_at_zero
            hits_are_counted_per_window_and_name
            only_expired_counters_are_swept;
        api_key:
            only_user_keys_read_back_with_a_user
            only_valid_user_keys_count_towards_the_limit
            a_key_is_managed_only_by_its_owner
            revoking_keys_leaves_those_of_other_users
            a_key_needs_an_enabled_user_and_time_left
            the_use_of_a_key_never_goes_back_in_time
            unrevoked_keys_are_listed_in_batches
            invalid_keys_are_deleted_after_a_while
            the_newest_invalid_keys_of_a_user_are_kept;
        refresh_token:
            a_refresh_token_is_spent_once_and_names_its_session
            a_family_is_known_while_any_token_is_kept
            excess_families_are_deleted_with_all_their_tokens
            refresh_tokens_of_all_sessions_end_in_batches;
        revocation:
            deleted_sessions_always_revoke_their_access_tokens
            sessions_without_access_tokens_leave_no_revocation
            a_token_is_revoked_alone_or_with_its_session
            all_tokens_until_a_time_are_revoked
            a_session_that_is_revoked_covers_no_others;
        key_base:
            a_key_base_is_retired_once_until_it_signs_again
            a_base_that_is_still_to_sign_is_not_retired
            a_base_that_no_other_server_has_is_foreign;
        passkey:
            a_credential_is_registered_once_for_all_users
            a_user_has_no_more_passkeys_than_allowed
            a_passkey_is_found_by_its_credential_with_its_handle
            the_use_of_a_passkey_is_noted_until_it_is_removed
            a_passkey_is_managed_only_by_its_owner
            passkeys_from_before_a_time_are_removed
            the_last_way_to_sign_in_is_not_removed
            a_handle_is_kept
            a_challenge_is_used_once_and_swept
            passkeys_end_with_their_user;
        second_factor:
            a_secret_is_a_factor_once_it_is_proved
            a_time_step_is_used_once
            time_steps_of_some_users_are_used_up
            unproved_secrets_are_swept
            secrets_are_sealed_again_once
            a_recovery_code_is_used_once_by_its_user
            recovery_codes_of_all_users_end_in_batches
            a_pending_sign_in_has_tries_and_an_end
            pending_sign_ins_end;
        mail_code:
            a_mail_code_reads_back_as_it_was_added
            a_mail_code_has_tries_and_an_end
            an_open_mail_code_is_not_given_up_for_a_new_one
            expired_mail_codes_are_swept;
        identity:
            an_identity_belongs_to_one_user
            a_user_has_no_more_identities_than_allowed
            the_use_of_an_identity_is_noted
            identities_are_listed_and_deleted_by_their_user
            a_state_and_its_code_work_once
            states_are_swept_when_they_expire
            linking_by_address_stops_for_one_user
            a_request_for_a_link_is_used_once
            requests_for_a_link_are_listed_and_end_by_user
            expired_requests_for_a_link_are_swept;
        project:
            a_project_exists_only_for_its_owner
            projects_are_listed_newest_first
            projects_have_a_limit_per_user;
        mail:
            a_mail_reads_back_as_it_was_added
            a_leased_mail_is_not_leased_again_before_its_end
            mails_of_high_priority_are_leased_first
            waiting_and_given_up_mails_are_counted
            mails_to_busy_domains_are_not_leased
            a_postponed_mail_has_no_attempt
            only_an_untried_mail_is_renewed
            failed_mails_are_retried_from_the_start
            an_account_takes_its_mails_but_not_waiting_notices
            finished_mails_are_swept
            waiting_mails_with_links_end_in_batches;
        audit:
            an_audit_event_reads_back_as_it_was_added
            audit_events_are_listed_by_user_kind_and_time
            an_audit_event_is_sealed_once
            audit_events_are_deleted_from_the_start
            a_copy_of_an_audit_event_is_found
            clients_of_a_deleted_account_are_erased
            the_ends_of_the_chain_are_replaced_once;
        value:
            values_read_back_as_they_were_written
            values_of_another_type_are_errors;
    }
    database {
        transaction:
            a_write_is_all_or_nothing
            a_panic_undoes_its_own_write_alone
            concurrent_writes_fail_alone
            a_write_sees_its_own_changes
            a_revocation_is_known_when_its_write_returns
            a_ready_database_writes_once_a_second;
    }
}

/// An engine under test.
trait TestEngine {
    /// Runs a test in a transaction on an empty database.
    fn with_transaction(test: fn(&Transaction<'_>));

    /// Runs a test on an empty database.
    fn with_database<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F);
}

struct OnSqlite;

impl TestEngine for OnSqlite {
    fn with_transaction(test: fn(&Transaction<'_>)) {
        test(&Transaction::new(&sqlite::in_memory()));
    }

    fn with_database<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = config::Settings::for_env(config::Environment::Test).unwrap();
        settings.database.path = folder.path().join("cloakroom.db");
        let database =
            Database::open(&settings.database, 2, IfMissing::Create, Clock::manual(NOW)).unwrap();
        run(test(database));
    }
}

mod on_sqlite {
    on!(super::OnSqlite);
}

struct OnPostgres;

impl OnPostgres {
    /// On a schema of its own; nothing without a server.
    fn open(test: impl FnOnce(Database)) {
        let Some(schema) = TestSchema::from_environment() else {
            return;
        };
        let mut settings = config::Settings::for_env(config::Environment::Test).unwrap();
        schema.set_in(&mut settings.database);
        let clock = Clock::manual(NOW);
        test(Database::open(&settings.database, 2, IfMissing::Create, clock).unwrap());
    }
}

impl TestEngine for OnPostgres {
    fn with_transaction(test: fn(&Transaction<'_>)) {
        Self::open(|database| {
            run(database.write(move |tx| {
                test(tx);
                Ok(())
            }))
            .unwrap();
        });
    }

    fn with_database<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
        Self::open(|database| run(test(database)));
    }
}

mod on_postgres {
    on!(super::OnPostgres);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(work)
}

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn add_user(tx: &Transaction<'_>, text: &str) -> UserId {
    let digest = PasswordDigest::new("$2b$04$digest".to_owned());
    let user = users::insert(tx, &address(text), None, NOW)
        .unwrap()
        .unwrap();
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
        remembered: false,
        nonce: NONCE.to_owned(),
    };
    let methods = AuthMethod::Password.into();
    let session = sessions::insert(tx, user_id, &new, (&methods, NOW), NOW).unwrap();
    (session.id, digest)
}

fn scopes() -> Scopes {
    Scopes::parse("projects:read introspect").unwrap()
}

/// A store function without a test here would go untested on every engine but SQLite.
#[test]
fn every_store_function_is_in_the_suite() {
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let folder = |name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/store")
            .join(name);
        std::fs::read_dir(path)
            .unwrap()
            .map(|file| file.unwrap().path())
    };
    let suite: String = folder("conformance").map(read).collect();
    let mut functions = 0;
    for file in folder("tables") {
        let table = file.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in read(file).lines() {
            let public = ["pub fn ", "pub(in crate::store) fn "];
            let Some(rest) = public.iter().find_map(|start| line.strip_prefix(start)) else {
                continue;
            };
            let name = rest.split('(').next().unwrap();
            let calls = [format!("{table}::{name}("), format!("{table}::{name},")];
            assert!(
                calls.iter().any(|call| suite.contains(call)),
                "{table}::{name}"
            );
            functions += 1;
        }
    }
    assert!(functions > 80, "{functions} functions");
}
