//! What a request may reach. Handlers get it as `web::Data<Context>`; there is no global state beside it.

use crate::activity::Activity;
use crate::config::Settings;
use crate::crypto::access_token::AccessTokens;
use crate::crypto::key_ring::KeyRing;
use crate::crypto::password::PasswordPool;
use crate::domain::clock::Clock;
use crate::domain::error::Result;
use crate::mail::{MailWorker, Transport};
use crate::store::Database;
use crate::throttle::Throttle;

/// Everything that is shared between requests.
pub struct Context {
    /// The settings, checked.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub database: Database,
    /// What signs links.
    pub key_ring: KeyRing,
    /// What signs and verifies access tokens.
    pub access_tokens: AccessTokens,
    /// Where passwords are hashed.
    pub passwords: PasswordPool,
    /// What delivers mails.
    pub mail_worker: MailWorker,
    /// Limits on guessing.
    pub throttle: Throttle,
    /// When sessions were last used, until that is written.
    pub activity: Activity,
}

impl Context {
    /// Opens everything that the settings name. Nothing runs in the background yet.
    pub fn open(settings: Settings) -> Result<Self> {
        let transport = Transport::from_settings(&settings.mail)?;
        Self::assemble(settings, Clock::System, transport)
    }

    /// The same with a clock and a transport of the caller's, as tests want it.
    pub fn assemble(settings: Settings, clock: Clock, transport: Transport) -> Result<Self> {
        let database = Database::open(&settings.database, settings.server.worker_threads())?;
        let key_ring = KeyRing::open(&settings)?;
        Ok(Self {
            access_tokens: AccessTokens::open(&key_ring, &settings)?,
            passwords: PasswordPool::start(&settings.password)?,
            mail_worker: MailWorker::new(
                &settings,
                database.clone(),
                key_ring.clone(),
                clock.clone(),
                transport,
            )?,
            throttle: Throttle::new(settings.throttle.clone(), key_ring.clone()),
            activity: Activity::default(),
            clock,
            database,
            key_ring,
            settings,
        })
    }
}
