//! Access levels of routes.

use std::fmt;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every client.
    Public,
    /// A session.
    Session,
    /// Any valid credential.
    Credential,
    /// A session, or an API key or access token with this scope.
    Scope(&'static str),
    /// An API key with this scope.
    ApiKey(&'static str),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Session => f.write_str("session"),
            Self::Credential => f.write_str("any credential"),
            Self::Scope(scope) => write!(f, "scope {scope}"),
            Self::ApiKey(scope) => write!(f, "API key with {scope}"),
        }
    }
}
