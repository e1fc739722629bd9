//! Kinds of credentials.

/// What a caller presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A session's token.
    Session,
    /// An API key.
    ApiKey,
    /// An access token.
    AccessToken,
}

impl CredentialKind {
    /// As headers, replies and logs have it: `session`, `api_key`, `access_token`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::ApiKey => "api_key",
            Self::AccessToken => "access_token",
        }
    }
}
