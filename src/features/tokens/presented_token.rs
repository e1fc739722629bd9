//! A token that a body hands in, to be looked into or ended. Its form tells of what kind it is, so that there is nothing
//! left for `token_type_hint` to say.

use crate::crypto::token::{PlainToken, TokenDigest, TokenKind};
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::http::Input;

/// One that has the form of ours.
pub(super) enum PresentedToken<'a> {
    /// By its digest.
    Session(TokenDigest),
    /// By its digest.
    ApiKey(TokenDigest),
    /// By its digest.
    Refresh(TokenDigest),
    /// What may be an access token.
    Access(&'a str),
}

impl<'a> PresentedToken<'a> {
    /// `None` for what cannot be a token of ours.
    ///
    /// # Errors
    /// [`Error::Malformed`] when there is none (RFC 7009, 2.2.1), and faults of the input.
    pub(super) fn read(input: &'a Input) -> Result<Option<Self>> {
        let mut invalid = ValidationErrors::default();
        // A file's last line ends with a newline, and who revokes what stands in it must not be told so in vain.
        let token = input.text("token", &mut invalid).unwrap_or_default().trim();
        input.text("token_type_hint", &mut invalid);
        invalid.into_result()?;
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
