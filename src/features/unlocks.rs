//! Opening sign-in to an address again after too many failures, by a link in a mail to it.

use crate::http::Routes;

pub(super) fn routes(_: &mut Routes) {}
