//! What a request may reach. Handlers get it as `web::Data<Context>`; there is no global state beside it.

use crate::access_tokens::AccessTokens;
use crate::activity::Activity;
use crate::clock::Clock;
use crate::config::Settings;
use crate::error::Result;
use crate::keys::Keys;
use crate::mail::{Courier, Transport};
use crate::password::PasswordPool;
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
    pub keys: Keys,
    /// What signs and verifies access tokens.
    pub access_tokens: AccessTokens,
    /// Where passwords are hashed.
    pub passwords: PasswordPool,
    /// What delivers mails.
    pub courier: Courier,
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
        let keys = Keys::open(&settings)?;
        Ok(Self {
            access_tokens: AccessTokens::open(&keys, &settings)?,
            passwords: PasswordPool::start(&settings.password)?,
            courier: Courier::new(
                &settings,
                database.clone(),
                keys.clone(),
                clock.clone(),
                transport,
            )?,
            throttle: Throttle::new(settings.throttle.clone(), keys.clone()),
            activity: Activity::default(),
            clock,
            database,
            keys,
            settings,
        })
    }
}
