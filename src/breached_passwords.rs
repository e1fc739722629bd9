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

use std::sync::Arc;

pub use self::build::{Input, build};
use self::list::List;
use self::service::Service;
use crate::config::Settings;
use crate::crypto::password::Password;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::metrics::Counters;
use crate::outbound::Outbound;

/// The shipped list: the 19,640 most common passwords that Django refuses (`common-passwords.txt` of Django 5.2, by
/// Royce Williams, BSD-3-Clause), as `cloakroom passwords build --plain` makes it.
const COMMON: &[u8] = include_bytes!("breached_passwords/common.bin");

/// Where new passwords are looked up.
pub struct BreachedPasswords {
    lists: Arc<Lists>,
    service: Option<Service>,
}

/// The lists. A look-up may read the disk, so it belongs to the thread that hashes.
pub struct Lists {
    common: Option<List>,
    breached: Option<List>,
}

impl BreachedPasswords {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// [`Error::Internal`], with the setting's name, if the list cannot be used.
    pub fn open(settings: &Settings, outbound: &Outbound) -> Result<Self> {
        let password = &settings.password;
        let common = password.reject_common.then(|| List::embedded(COMMON));
        let breached = password.breached_list.as_deref().map(List::open);
        let named = |why| Error::internal(format!("password.breached_list: {why}"));
        let service = password.breached_service.as_deref();
        Ok(Self {
            lists: Arc::new(Lists {
                common: common.transpose().map_err(named)?,
                breached: breached.transpose().map_err(named)?,
            }),
            service: service
                .map(|url| Service::open(url, &settings.outbound, outbound))
                .transpose()?,
        })
    }

    /// The lists.
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists)
    }

    /// How calls of the service ended, since the start; `None` without a service.
    pub fn outcomes(&self) -> Option<Arc<Counters>> {
        self.service.as_ref().map(Service::outcomes)
    }

    /// Refuses a password that the service knows.
    ///
    /// # Errors
    /// [`Error::Validation`] if it does.
    pub async fn refuse_known(&self, password: &Password) -> Result<()> {
        match &self.service {
            Some(service) if service.knows(&password.sha1()).await => Err(breached()),
            _ => Ok(()),
        }
    }
}

impl Lists {
    /// Whether a password is on the shipped list, and the settings refuse that.
    ///
    /// # Errors
    /// [`Error::Validation`] if it is on the operator's list; [`Error::Internal`] if a list cannot be read.
    pub fn check(&self, password: &Password) -> Result<bool> {
        let digest = password.sha1();
        let has = |list: Option<&List>| {
            list.map_or(Ok(false), |list| list.contains(&digest))
                .map_err(|why| {
                    Error::internal(format!("a list of passwords cannot be read: {why}"))
                })
        };
        match has(self.breached.as_ref())? {
            true => Err(breached()),
            false => has(self.common.as_ref()),
        }
    }
}

fn breached() -> Error {
    ValidationErrors::field("password", "has appeared in a data breach").into()
}
