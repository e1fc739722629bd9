//! The page about the audit events, generated from their rows: `docs/reference/events.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::event::{ALL, Level};
use crate::config::generated_file::assert_up_to_date;

const FILE: &str = "docs/reference/events.md";

const HEAD: &str = r#"# Events

The audit trail: what happened to accounts and credentials, who did it and from where. This page is generated from the
rows in `src/audit/event.rs`. Each event is a row of the table `audit_events`, which `cloakroom events` lists, and one log
line under the target `cloakroom::security`; here with `log.format = "json"`:

```json
{"timestamp":"2026-11-29T19:42:35.975827Z","level":"WARN","event":"sign_in_failed","client":"127.0.0.1","request_id":"b06f5a7b923104de9cf50d33b0190e19","target":"cloakroom::security"}
```

An event that changes something is added to the table in the transaction of the change, and logged after its commit and
before the caller is answered. A refusal without a change is logged at once, and written to the table within five seconds:
those alike are one row, whose `repeats` counts them. Commands write the same events. No event has a token, a password, an email address or the name of an API key.

In the table, an event also has its time, its outcome (`success` or `refused`), and the user agent of the client; the actor
is named also where it is a user; and fields without a column are in the JSON object `details`.

| field | meaning |
|---|---|
| `event` | the name below |
| `user`, `session`, `key`, `passkey` | ids of the user, of the session, of the API key and of the passkey that it concerns; absent where there is none |
| `actor` | `api_key`, `operator` (at the command line) or `system`; absent for a user and for a client without a credential |
| `actor_key` | the id of the API key that acted |
| `uid`, `host` | of an operator: the Unix user and the host that ran the command |
| `client` | the address of the client; absent for commands |
| `request_id` | the id of the request, as in `X-Request-Id` |
| `credential` | the kind of credential that was presented |
| `limit` | the name of the [limit](limits.md) that was reached |
| `reason` | why a sign-in by another provider was refused, a [code](../guides/providers.md#errors); or why a passkey was, a [reason](../guides/passkeys.md#refusals) |
| `methods` | how the user authenticated: values of [RFC 8176](https://www.rfc-editor.org/rfc/rfc8176), in the log separated by spaces |
| `sessions_ended`, `keys_revoked` | how many |
| `sessions_evicted` | how many of the user's other sessions were ended to stay within `session.max_per_user` |
| `session_replaced` | whether the session of the request's cookie was ended |
| `new_device` | whether the account was never used from this device before |

| event | level | outcome | fields | when |
|---|---|---|---|---|
"#;

/// `UPDATE=1 cargo test --lib reference` writes the page.
#[test]
fn the_page_about_events_is_up_to_date() {
    let mut page = HEAD.to_owned();
    for (level, outcome, name, about, fields) in ALL {
        let level = match level {
            Level::Info => "info",
            Level::Warn => "warn",
        };
        let outcome = outcome.as_str();
        let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
        let (fields, about) = (fields.join(", "), about.concat());
        writeln!(
            page,
            "| `{name}` | {level} | {outcome} | {fields} | {} |",
            about.trim()
        )
        .unwrap();
    }
    assert_up_to_date(FILE, &page);
}

#[test]
fn every_field_of_an_event_is_described() {
    for (_, _, name, _, fields) in ALL {
        for field in *fields {
            assert!(HEAD.contains(&format!("`{field}`")), "{name}: {field}");
        }
    }
}

#[test]
fn no_two_events_have_the_same_name() {
    let names: BTreeSet<&str> = ALL.iter().map(|(_, _, name, ..)| *name).collect();
    assert_eq!(names.len(), ALL.len());
}
