//! One's own account: the user as they see themselves, a new password, a new address, the end of it all.

use crate::http::Routes;

pub(super) fn routes(_: &mut Routes) {}
