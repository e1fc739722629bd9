//! The doctor's checks of a PostgreSQL server.

use crate::cli::report::Report;
use crate::config::{Secret, Settings};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::store::{self, Content, FOREIGN_KEY_BASE, SCHEMA_VERSION};

/// Returns what the database contains if its schema is current.
pub(super) fn examine(settings: &Settings, url: &Secret, report: &mut Report) -> Option<Content> {
    let found = match store::examine_server(&settings.database, url) {
        Ok(found) => found,
        Err(error) => {
            let text = error.to_string();
            let advice = "correct database.url, or start the database server";
            let (what, advice) = text.split_once("; ").unwrap_or((&text, advice));
            report.fail("database", what, advice);
            return None;
        }
    };
    report.ok("database", store::describe(&settings.database));
    report.ok("database", found.program);
    for risk in found.risks {
        let what = format!("{risk}: a crash loses acknowledged changes, such as revocations");
        report.warn("database", what, "turn it on");
    }
    if found.schema_version < SCHEMA_VERSION {
        let what = format!(
            "version {}, and this program's is {SCHEMA_VERSION}",
            found.schema_version
        );
        report.warn("schema", what, "run `cloakroom migrate`");
        return None;
    }
    if let Err(error) = found.completeness {
        let text = error.to_string();
        let (what, advice) = text.split_once("; ").unwrap_or((&text, "restore a backup"));
        report.fail("schema", what, advice);
        return None;
    }
    report.ok("schema", format!("version {}", found.schema_version));
    // An unreadable base is reported elsewhere.
    if let Ok(Some(key_ring)) = KeyRing::find(settings) {
        let is_foreign = found
            .content
            .is_foreign_base(&key_ring.names(), Clock::System.now());
        if is_foreign.is_ok_and(|is_foreign| is_foreign) {
            let (what, advice) = FOREIGN_KEY_BASE.split_once(": ").unwrap_or_default();
            report.fail("keys", what, advice);
        }
    }
    Some(found.content)
}
