//! Domain types and the errors every layer shares. Nothing here does I/O, and no other folder is imported.

mod api_key;
mod auth_method;
mod claims;
mod client_info;
pub mod clock;
mod credential_kind;
mod email_address;
pub mod error;
mod identity;
mod json_object;
mod locale;
#[doc(hidden)]
pub mod mail_kind;
mod network;
#[doc(hidden)]
pub mod one_line;
mod passkey;
mod project;
pub mod scope;
mod second_factor;
mod session;
mod token_digest;
mod user;

pub use api_key::{ApiKey, ApiKeyId};
pub use auth_method::{AAL2, AuthMethod, AuthMethods};
pub use claims::Claims;
pub use client_info::ClientInfo;
pub use credential_kind::CredentialKind;
pub use email_address::EmailAddress;
#[doc(hidden)]
pub use identity::{IdentityId, LinkedIdentity};
pub use json_object::JsonObject;
pub use locale::Locale;
#[doc(hidden)]
pub use network::Network;
#[doc(hidden)]
pub use passkey::{Passkey, PasskeyId, UserHandle};
pub use project::{Project, ProjectId};
#[doc(hidden)]
pub use second_factor::{SecondFactor, SecondFactorDue};
pub use session::{Session, SessionId};
pub use token_digest::TokenDigest;
pub use user::{Account, PasswordDigest, Role, User, UserId};
