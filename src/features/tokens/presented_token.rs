//! A token in a body, to be introspected or revoked. Its form shows its kind, so `token_type_hint` is not needed.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::crypto::token::{PlainToken, TokenKind};
use crate::domain::TokenDigest;
use crate::domain::error::{Error, Result};
use crate::http::SecretText;

/// A token of any kind.
#[derive(Deserialize, ToSchema)]
pub(super) struct TokenInput {
    #[schema(value_type = String)]
    token: SecretText,
    /// Accepted and not used.
    #[serde(rename = "token_type_hint")]
    _token_type_hint: Option<String>,
}

/// A token with the form of one of ours.
pub(super) enum PresentedToken<'a> {
    /// By its digest.
    Session(TokenDigest),
    /// By its digest.
    ApiKey(TokenDigest),
    /// By its digest.
    Refresh(TokenDigest),
    /// Possibly an access token.
    Access(&'a str),
}

impl<'a> PresentedToken<'a> {
    /// `None` for a text that cannot be a token of ours.
    ///
    /// # Errors
    /// [`Error::Malformed`] without a token (RFC 7009, 2.2.1).
    pub(super) fn read(input: &'a TokenInput) -> Result<Option<Self>> {
        // The last line of a file ends with a newline, which must not keep the token in it from being revoked.
        let token = input.token.expose().trim();
        if token.is_empty() {
            return Err(Error::Malformed("The token is missing"));
        }
        Ok(Self::by_form(token))
    }

    fn by_form(text: &'a str) -> Option<Self> {
        let of = |kind| PlainToken::parse(kind, text);
        if let Some(token) = of(TokenKind::Session) {
            Some(Self::Session(token.digest()))
        } else if let Some(token) = of(TokenKind::ApiKey) {
            Some(Self::ApiKey(token.digest()))
        } else if let Some(token) = of(TokenKind::Refresh) {
            Some(Self::Refresh(token.digest()))
        } else {
            text.contains('.').then_some(Self::Access(text))
        }
    }
}
