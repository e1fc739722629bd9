//! The `password_challenge` of a body, which proves a sensitive change.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{CurrentSession, SecretText, filled_in};
use crate::accounts::reauthentication::{PasswordChallenge, Reauthenticated};
use crate::context::Context;
use crate::domain::ClientInfo;
use crate::domain::error::{Result, ValidationErrors};

/// A body with the challenge alone.
#[derive(Deserialize, ToSchema)]
pub struct ChallengeInput {
    /// The current password. Needed unless the session was reauthenticated within the last 15 minutes.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    pub password_challenge: Option<SecretText>,
}

impl ChallengeInput {
    /// Verifies the challenge.
    pub async fn verify(
        &self,
        context: &Arc<Context>,
        client: &ClientInfo,
        session: &CurrentSession,
    ) -> Result<Reauthenticated> {
        let offered = self.password_challenge.as_ref();
        let (challenge, ()) = challenge_beside(Ok(()), context, session, offered)?;
        challenge.verify(context, client, session.standing()).await
    }
}

/// The challenge, beside the other values that the change needs: the faults of both are returned at once.
pub fn challenge_beside<T>(
    value: Result<T, ValidationErrors>,
    context: &Context,
    session: &CurrentSession,
    offered: Option<&SecretText>,
) -> Result<(PasswordChallenge, T), ValidationErrors> {
    const FIELD: &str = "password_challenge";
    let (password, now) = (filled_in(offered), context.clock.now());
    let challenge = PasswordChallenge::lately_or(FIELD, password, session, now);
    let mut invalid = ValidationErrors::default();
    match (invalid.keep(challenge), invalid.keep(value)) {
        (Some(challenge), Some(value)) => Ok((challenge, value)),
        _ => Err(invalid),
    }
}
