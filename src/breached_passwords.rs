//! New passwords that attackers try first: those on lists, and those that a service knows from data breaches.
//!
//! The lists hold digests only. The service learns the first 20 bits of the SHA-1 of the password, which about one in a
//! million passwords shares (k-anonymity, as Have I Been Pwned defined it).
//!
//! # Threats
//! - a password revealed to the service or its network: 20 bits of its digest leave the process, over https
//! - a service that is slow or down would stop sign-ups: after 500 ms the password is accepted, and that is logged
//!   with the number of passwords accepted so since the start
//! - a list that is damaged or cut off: the start is refused

mod build;
mod list;
mod service;

pub use self::build::{Input, build};
use self::list::List;
use self::service::Service;
use crate::config::Settings;
use crate::crypto::password::Password;
use crate::domain::error::{Error, Result, ValidationErrors};

/// The shipped list: the 19,640 most common passwords that Django refuses (`common-passwords.txt` of Django 5.2, by
/// Royce Williams, BSD-3-Clause), as `cloakroom passwords build --plain` makes it.
const COMMON: &[u8] = include_bytes!("breached_passwords/common.bin");

/// Where new passwords are looked up.
pub struct BreachedPasswords {
    common: Option<List>,
    breached: Option<List>,
    service: Option<Service>,
}

impl BreachedPasswords {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// [`Error::Internal`], with the setting's name, if the list cannot be used.
    pub fn open(settings: &Settings) -> Result<Self> {
        let password = &settings.password;
        let common = password.reject_common.then(|| List::embedded(COMMON));
        let breached = password.breached_list.as_deref().map(List::open);
        let named = |why| Error::internal(format!("password.breached_list: {why}"));
        let service = password.breached_service.as_deref();
        Ok(Self {
            common: common.transpose().map_err(named)?,
            breached: breached.transpose().map_err(named)?,
            service: service
                .map(|url| Service::start(url, &settings.outbound))
                .transpose()?,
        })
    }

    /// Whether it is on the shipped list, and the settings refuse that.
    ///
    /// # Errors
    /// [`Error::Internal`] if the list cannot be read.
    pub fn is_common(&self, password: &Password) -> Result<bool> {
        Self::lists(self.common.as_ref(), &password.sha1())
    }

    /// Refuses a password that is on the operator's list or that the service knows.
    ///
    /// # Errors
    /// [`Error::Validation`] if it is; [`Error::Internal`] if the list cannot be read.
    pub async fn refuse_breached(&self, password: &Password) -> Result<()> {
        let digest = password.sha1();
        if Self::lists(self.breached.as_ref(), &digest)? {
            return Err(breached());
        }
        match &self.service {
            Some(service) if service.knows(&digest).await => Err(breached()),
            _ => Ok(()),
        }
    }

    fn lists(list: Option<&List>, digest: &[u8; 20]) -> Result<bool> {
        list.map_or(Ok(false), |list| list.contains(digest))
            .map_err(|why| Error::internal(format!("a list of passwords cannot be read: {why}")))
    }
}

fn breached() -> Error {
    ValidationErrors::field("password", "has appeared in a data breach").into()
}
