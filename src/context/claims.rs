//! The claims of a user, out of their metadata and the functions of an embedding app.

use super::Context;
use crate::domain::error::{Error, Result};
use crate::domain::{Claims, User, UserId};
use crate::store::users;

impl Context {
    /// The claims of a user.
    ///
    /// # Errors
    /// [`Error::Internal`] if they do not fit [`Claims::MAX_BYTES`], and those of the embedding app's functions and of
    /// reading the database.
    #[doc(hidden)]
    pub async fn claims(&self, user: &User) -> Result<Claims> {
        let mut claims = Claims::of(user, &self.settings.tokens.claims)?;
        self.hooks
            .add_claims(&self.database, user, &mut claims)
            .await?;
        if !claims.fit() {
            let (id, most) = (user.id.0, Claims::MAX_BYTES);
            let fault = format!("the claims of user {id} are longer than {most} bytes");
            return Err(Error::internal(fault));
        }
        Ok(claims)
    }

    /// The same by id; none if the user was deleted.
    ///
    /// # Errors
    /// Those of [`Self::claims`].
    #[doc(hidden)]
    pub async fn claims_of(&self, user: UserId) -> Result<Claims> {
        if self.settings.tokens.claims.is_empty() && !self.hooks.have_claims() {
            return Ok(Claims::default());
        }
        let found = self
            .database
            .read(move |reader| users::find(reader, user))
            .await?;
        match found {
            Some(account) => self.claims(&account.user).await,
            None => Ok(Claims::default()),
        }
    }
}
