//! Domain types and the errors every layer shares. Nothing here does I/O, and no other folder is imported.

mod api_key;
pub mod clock;
mod email_address;
pub mod error;
pub mod mail_kind;
mod project;
pub mod scope;
mod second_factor;
mod session;
mod user;

pub use api_key::{ApiKey, ApiKeyId};
pub use email_address::EmailAddress;
pub use project::{Project, ProjectId};
pub use second_factor::SecondFactor;
pub use session::{Session, SessionId};
pub use user::{Account, PasswordDigest, User, UserId};
