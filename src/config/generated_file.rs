//! Files of the repository that are generated from the code, and whose tests fail when they are stale.

use std::fs;
use std::path::Path;

/// Panics unless the file has this text; with `UPDATE=1` in the environment, writes it first.
#[track_caller]
pub fn assert_up_to_date(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{file} is stale: run with UPDATE=1");
}
