//! Any text as a signed message: only the text that was signed verifies, for its purpose, until it expires.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use cloakroom::config::Secret;
use cloakroom::crypto::key_ring::{KeyRing, Purpose};
use cloakroom::crypto::signed_message::{sign, verify};
use cloakroom::domain::UserId;
use cloakroom::domain::clock::Timestamp;
use cloakroom_fuzz::edited;
use libfuzzer_sys::fuzz_target;

static KEY_RING: LazyLock<KeyRing> = LazyLock::new(|| {
    KeyRing::new(
        Secret::from("c".repeat(32)),
        vec![Secret::from("p".repeat(32))],
    )
});

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    subject: i64,
    expires_at: i64,
    now: i64,
    parts: Vec<&'a str>,
    other_parts: Vec<&'a str>,
    edits: Vec<(usize, char)>,
    text: &'a str,
}

fuzz_target!(|input: Input| {
    let (subject, expires_at) = (
        UserId(input.subject),
        Timestamp::from_millis(input.expires_at),
    );
    let now = Timestamp::from_millis(input.now);
    let link = sign(
        &KEY_RING,
        Purpose::PasswordReset,
        subject,
        expires_at,
        &input.parts,
    );

    match verify(
        &KEY_RING,
        Purpose::PasswordReset,
        &link,
        Duration::ZERO,
        now,
    ) {
        Some(message) => {
            assert!(now < expires_at);
            assert_eq!((message.subject, message.expires_at), (subject, expires_at));
            assert!(message.is_bound_to(&input.parts));
            assert!(input.parts == input.other_parts || !message.is_bound_to(&input.other_parts));
        }
        None => assert!(now >= expires_at),
    }
    assert!(verify(&KEY_RING, Purpose::Unlock, &link, Duration::ZERO, now).is_none());

    for text in [edited(&link, &input.edits), input.text.to_owned()] {
        if text != link {
            assert!(
                verify(
                    &KEY_RING,
                    Purpose::PasswordReset,
                    &text,
                    Duration::ZERO,
                    now
                )
                .is_none()
            );
        }
    }
});
