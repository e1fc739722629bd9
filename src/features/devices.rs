//! Where one is signed in: the list of one's sessions, and ending one, the others or all of them.

use crate::http::Routes;

pub(super) fn routes(_: &mut Routes) {}
