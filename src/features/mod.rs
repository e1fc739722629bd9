//! The table of contents: every feature's routes, in the order in which a newcomer would read them.

pub mod account;
pub mod account_unlock;
pub mod api_keys;
pub mod email_verification;
pub mod forward_auth;
pub mod health;
pub mod password_reset;
pub mod projects;
pub mod reauthentication;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod tokens;

use crate::http::Routes;

/// Every route of the server, with who may call it.
pub fn routes() -> Routes {
    let mut routes = Routes::default();
    health::routes(&mut routes);
    sign_up::routes(&mut routes);
    email_verification::routes(&mut routes);
    sign_in::routes(&mut routes);
    sessions::routes(&mut routes);
    reauthentication::routes(&mut routes);
    password_reset::routes(&mut routes);
    account_unlock::routes(&mut routes);
    account::routes(&mut routes);
    projects::routes(&mut routes);
    api_keys::routes(&mut routes);
    tokens::routes(&mut routes);
    forward_auth::routes(&mut routes);
    routes
}
