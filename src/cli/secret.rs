//! `cloakroom secret`: a new key base, and nothing else, on standard output.

use super::output::say;
use crate::keys::generate_base;

pub(super) fn run() -> super::Outcome {
    Ok(say(generate_base()?.expose())?)
}
