//! `sweep`: what is over goes at the operator's word, beside a running server, and by itself.

use serde_json::json;

use super::{create, run, status_of, token};
use crate::support::app::count;
use crate::support::process::{House, eventually};

/// Puts a session of the first user, a counter, a mail and a device into the file that have been over for long.
fn add_what_is_over(house: &House) {
    let file = house.open_database();
    for sql in [
        "INSERT INTO sessions (user_id, token_digest, ip_address, created_at, last_active_at, expires_at)
         VALUES (1, randomblob(32), '127.0.0.1', 0, 0, 0)",
        "INSERT INTO throttles (name, count, expires_at) VALUES ('over', 1, 0)",
        "INSERT INTO outbox (kind, email_address, created_at, expires_at, next_attempt_at, sent_at)
         VALUES ('password_reset', 'one@example.com', 0, 0, 0, 0)",
        "INSERT INTO devices (user_id, fingerprint, seen_at) VALUES (1, 'over', 0)",
    ] {
        file.execute(sql, []).unwrap();
    }
}

#[test]
fn what_is_over_goes_and_what_lives_stays() {
    let house = House::new();
    create(&house, "one@example.com");
    let server = house.serve();
    let live = token(&server, "one@example.com");
    add_what_is_over(&house);

    let swept = run(&house, &["sweep", "--json"]).json();
    assert_eq!(swept, json!({ "sessions": 1, "counters": 1, "mails": 1, "devices": 1 }));
    assert_eq!(status_of(&server, &live), 200);
    let swept = run(&house, &["sweep", "--json"]).json();
    assert_eq!(swept, json!({ "sessions": 0, "counters": 0, "mails": 0, "devices": 0 }));

    add_what_is_over(&house);
    let table = run(&house, &["sweep"]).done();
    assert_eq!(table, "WHAT      DELETED\nsessions  1\ncounters  1\nmails     1\ndevices   1\n");
}

#[test]
fn how_long_things_are_kept_is_read_from_the_settings() {
    let mut house = House::new();
    create(&house, "one@example.com");
    add_what_is_over(&house);
    let an_hour_ago = "(unixepoch() - 3600) * 1000";
    let file = house.open_database();
    file.execute(
        &format!("UPDATE sessions SET last_active_at = {an_hour_ago}, expires_at = {an_hour_ago}"),
        [],
    )
    .unwrap();
    file.execute(&format!("UPDATE outbox SET sent_at = {an_hour_ago}"), []).unwrap();
    let swept = run(&house, &["sweep", "--json"]).json();
    assert_eq!(swept, json!({ "sessions": 0, "counters": 1, "mails": 0, "devices": 1 }));
    house.set("CLOAKROOM__SWEEP__KEEP_SESSIONS", "0s").set("CLOAKROOM__SWEEP__KEEP_MAILS", "59m");
    let swept = run(&house, &["sweep", "--json"]).json();
    assert_eq!(swept, json!({ "sessions": 1, "counters": 0, "mails": 1, "devices": 0 }));
}

#[test]
fn a_server_sweeps_by_itself_soon_after_its_start() {
    let house = House::new();
    create(&house, "one@example.com");
    add_what_is_over(&house);
    let _server = house.serve();
    for table in ["sessions", "throttles", "outbox", "devices"] {
        let left = format!("SELECT count(*) FROM {table}");
        eventually(|| (count(&house.database(), &left) == 0).then_some(()));
    }
}
