//! Facts about the client of a request.

use std::net::IpAddr;

use super::token_digest::TokenDigest;

/// Who sent a request, signed in or not.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// The client's address, behind trusted proxies.
    pub ip: IpAddr,
    /// Its `User-Agent`, without control characters, at most 255 characters.
    pub user_agent: Option<String>,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: String,
    /// Whether a browser reports that the application itself sent the request.
    pub same_origin: bool,
    /// The well-formed token in the session's cookie, unless a credential in a header takes precedence. It may belong to
    /// no session.
    pub cookie: Option<TokenDigest>,
}
