//! Retired key bases.

use super::*;

pub(super) fn a_key_base_is_retired_once_until_it_signs_again(tx: &Transaction<'_>) {
    assert_eq!(key_bases::retired_at(tx, "one").unwrap(), None);
    assert_eq!(key_bases::retire(tx, "one", NOW).unwrap(), NOW);
    assert_eq!(key_bases::retire(tx, "one", NOW + HOUR).unwrap(), NOW);
    assert_eq!(key_bases::retire(tx, "two", NOW + HOUR).unwrap(), NOW + HOUR);
    assert_eq!(key_bases::retired_at(tx, "one").unwrap(), Some(NOW));
    // The clock was ahead.
    assert_eq!(key_bases::retire(tx, "two", NOW).unwrap(), NOW);
    key_bases::reinstate(tx, "one").unwrap();
    assert_eq!(key_bases::retired_at(tx, "one").unwrap(), None);
    assert_eq!(key_bases::retired_at(tx, "two").unwrap(), Some(NOW));
}
