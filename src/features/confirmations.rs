//! Proving that an address is one's own, by a link in a mail to it.

use crate::http::Routes;

pub(super) fn routes(_: &mut Routes) {}
