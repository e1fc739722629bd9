//! The table of contents: every feature's routes, in the order in which a newcomer would read them.

pub mod account;
pub mod api_keys;
pub mod confirmations;
pub mod devices;
pub mod health;
pub mod passwords;
pub mod projects;
pub mod registrations;
pub mod sessions;
pub mod tokens;
pub mod unlocks;
pub mod verify;

use crate::http::Routes;

/// Every route of the server, with who may call it.
pub fn routes() -> Routes {
    let mut routes = Routes::default();
    health::routes(&mut routes);
    registrations::routes(&mut routes);
    confirmations::routes(&mut routes);
    sessions::routes(&mut routes);
    devices::routes(&mut routes);
    passwords::routes(&mut routes);
    unlocks::routes(&mut routes);
    account::routes(&mut routes);
    projects::routes(&mut routes);
    api_keys::routes(&mut routes);
    tokens::routes(&mut routes);
    verify::routes(&mut routes);
    routes
}
