//! The page about the limits, generated from their rows: `docs/reference/limits.md`.

use std::fmt::Write as _;

use super::limits::{ABOUT, By, LIMITS};
use crate::config::generated_file::assert_up_to_date;
use crate::config::{Environment, Settings};

const FILE: &str = "docs/reference/limits.md";

const HEAD: &str = "\
# Table of limits

What is counted, by what, and how often it may happen. This page is generated from the rows in `src/throttle/limits.rs`.
[Limits](../concepts/limits.md) describes what clients and operators see, and the settings of
[`[throttle]`](settings.md#throttle) change the rates.

- **client**: the IPv4 address or IPv6 /64, and the networks around it
- **address**: an email address, registered or not
- **mailbox**: an email address without its tag (`name+tag@`)
- **session**, **user**: by id

| limit | counts by | setting | default | what is counted |
|---|---|---|---|---|
";

/// `UPDATE=1 cargo test --lib reference` writes the page.
#[test]
fn the_page_about_limits_is_up_to_date() {
    let defaults = Settings::for_env(Environment::Development)
        .unwrap()
        .throttle;
    let mut page = HEAD.to_owned();
    for (row, (setting, about)) in LIMITS.iter().zip(ABOUT) {
        let by = match row.by {
            By::Network => "client",
            By::Address => "address",
            By::Mailbox => "mailbox",
            By::Session => "session",
            By::User => "user",
        };
        let (name, rate, about) = (row.name, (row.rate)(&defaults), about.concat());
        let about = about.trim();
        writeln!(page, "| `{name}` | {by} | `{setting}` | {rate} | {about} |").unwrap();
    }
    assert_up_to_date(FILE, &page);
}
