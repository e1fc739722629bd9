//! The doctor's checks of a PostgreSQL server.

use super::Report;
use crate::config::{Secret, Settings};
use crate::store::{self, Content, SCHEMA_VERSION};

/// Returns what the database contains if its schema is current.
pub(super) fn examine(settings: &Settings, url: &Secret, report: &mut Report) -> Option<Content> {
    let found = match store::examine_server(&settings.database, url) {
        Ok(found) => found,
        Err(error) => {
            let text = error.to_string();
            let advice = "correct database.url, or start the server";
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
    report.ok("schema", format!("version {}", found.schema_version));
    Some(found.content)
}
