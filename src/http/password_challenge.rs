//! The `password_challenge` of a body, which proves a sensitive change.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{CurrentSession, SecretText};
use crate::accounts::reauthentication::Reauthentication;
use crate::context::Context;
use crate::domain::error::{Result, ValidationErrors};

/// A body with the challenge alone.
#[derive(Deserialize, ToSchema)]
pub struct ChallengeInput {
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    pub password_challenge: Option<SecretText>,
}

/// The challenge, beside the other values that the change needs: the faults of both are returned at once.
pub fn challenge_beside<T>(
    value: Result<T, ValidationErrors>,
    context: &Context,
    session: &CurrentSession,
    challenge: Option<&SecretText>,
) -> Result<(Reauthentication, T), ValidationErrors> {
    const FIELD: &str = "password_challenge";
    let (password, now) = (challenge.map(SecretText::expose), context.clock.now());
    let offered = Reauthentication::lately_or(FIELD, password, session, now);
    let mut invalid = ValidationErrors::default();
    match (invalid.keep(offered), invalid.keep(value)) {
        (Some(reauthentication), Some(value)) => Ok((reauthentication, value)),
        _ => Err(invalid),
    }
}
