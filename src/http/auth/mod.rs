//! Who sends a request: the credential it presents, and the extractors that hand it to handlers.

pub mod access;
pub mod asking_browser;
pub mod browser_cookie;
pub mod caller;
pub mod cookie;
pub mod credential;
pub mod current_user;
pub mod guard;
pub mod same_origin;
