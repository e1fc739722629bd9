//! Pages of a list: which rows a client asks for, and where the page ends.

use crate::domain::error::{Result, ValidationErrors};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;
/// A page ends before it has more text than this: a client that does not read its responses holds one in memory.
pub const MAX_BYTES: usize = 64 * 1024;
/// Bytes of a control character in JSON.
pub const LONGEST_ESCAPE: usize = 6;

/// The id before which a page begins, and how many rows it may hold.
///
/// # Errors
/// The limit or the cursor is out of range.
pub fn bounds(limit: Option<u32>, cursor: Option<i64>) -> Result<(i64, u32), ValidationErrors> {
    let mut invalid = ValidationErrors::default();
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        invalid.add("limit", "is invalid");
    }
    let before = cursor.unwrap_or(i64::MAX);
    if before < 1 {
        invalid.add("cursor", "is invalid");
    }
    invalid.into_result().map(|()| (before, limit))
}

/// How many of these fit on one page; at least one, so that a list comes to its end.
pub fn count_that_fits<T>(rows: &[T], size: impl Fn(&T) -> usize) -> usize {
    let mut bytes = 0;
    let end = rows.iter().position(|row| {
        bytes += size(row);
        bytes > MAX_BYTES
    });
    end.unwrap_or(rows.len()).max(1)
}

/// Ends a page after so many rows; returns the cursor of the next one, if rows are left for it.
pub fn end<T>(rows: &mut Vec<T>, count: usize, id: impl Fn(&T) -> i64) -> Option<String> {
    let has_more = rows.len() > count;
    rows.truncate(count);
    rows.last()
        .filter(|_| has_more)
        .map(|last| id(last).to_string())
}
