//! The table of contents: all features, in reading order.

pub mod account;
pub mod account_unlock;
pub mod api_keys;
pub mod email_verification;
pub mod events;
pub mod forward_auth;
pub mod health;
pub mod mail_code;
pub mod passkey_sign_in;
pub mod passkeys;
pub mod password_removal;
pub mod password_reset;
pub mod projects;
pub mod provider_sign_in;
pub mod reauthentication;
pub mod recovery_codes;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod tokens;
pub mod totp;

use crate::config::Settings;
use crate::http::Routes;

/// The heading of the sample.
const PROJECTS: &str = "Projects";
/// The heading of what `sign_in.mail_code` enables.
const CODES_BY_MAIL: &str = "Codes by mail";
/// The heading of passkeys.
const PASSKEYS: &str = "Passkeys";

/// The routes of a server with these settings.
pub fn enabled_routes(settings: &Settings) -> Routes {
    let mut routes = routes();
    if !settings.samples.enabled {
        routes.groups.retain(|group| group.tag != PROJECTS);
    }
    if !settings.sign_in.mail_code {
        routes.groups.retain(|group| group.tag != CODES_BY_MAIL);
    }
    if settings.passkeys.domain(&settings.server).is_none() {
        routes.groups.retain(|group| group.tag != PASSKEYS);
    }
    routes
}

/// Every route that a server can have, under the headings of the OpenAPI document.
pub fn routes() -> Routes {
    Routes::default()
        .group(
            "Health",
            "Probes for load balancers and monitors",
            [health::routes()],
        )
        .group("Sign-up", "Create an account", [sign_up::routes()])
        .group(
            "Email verification",
            "Verify an email address by a mailed link",
            [email_verification::routes()],
        )
        .group(
            "Sessions",
            "Sign in, sign out and manage sessions",
            [
                sign_in::routes(),
                sessions::routes(),
                reauthentication::routes(),
            ],
        )
        .group(
            CODES_BY_MAIL,
            "Sign in by a mailed code or link; absent unless `sign_in.mail_code` is true",
            [mail_code::routes()],
        )
        .group(
            "Second factors",
            "Sign in with a password and a code of an authenticator app",
            [
                second_factor::routes(),
                totp::routes(),
                recovery_codes::routes(),
            ],
        )
        .group(
            "Sign-in by other providers",
            "Sign in with an account at another provider",
            [provider_sign_in::routes()],
        )
        .group(
            PASSKEYS,
            "Sign in without a password; absent where `passkeys.rp_id` and `server.frontend_url` name no domain",
            [passkey_sign_in::routes(), passkeys::routes()],
        )
        .group(
            "Password reset",
            "Reset a forgotten password by a mailed link",
            [password_reset::routes()],
        )
        .group(
            "Account unlock",
            "Unlock sign-in after too many failed attempts by a mailed link",
            [account_unlock::routes()],
        )
        .group(
            "Account",
            "Manage the user's own account",
            [
                account::routes(),
                password_removal::routes(),
                events::routes(),
            ],
        )
        .group(
            PROJECTS,
            "Example of a resource that belongs to a user; absent where `samples.enabled` is false, as in production",
            [projects::routes()],
        )
        .group(
            "API keys",
            "Credentials for the user's own programs",
            [api_keys::routes()],
        )
        .group(
            "Tokens",
            "Access tokens that services verify by themselves, refresh tokens, revocation and introspection",
            [tokens::routes()],
        )
        .group(
            "Forward auth",
            "Verify requests for reverse proxies",
            [forward_auth::routes()],
        )
}
