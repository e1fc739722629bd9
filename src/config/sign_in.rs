//! `[sign_in]`: ways to sign in besides the password.

use super::declare::section;

section! {
    /// Ways to sign in besides the password.
    SignIn {
        /// Whether users can sign in by a code or a link that is mailed to their address. An attacker who reads a user's
        /// mail can then sign in, as by a reset link; a second factor is still asked for. Without it `/v1/session/code` and
        /// the routes below it are 404, and in no list of routes.
        mail_code: bool = false,
    }
}
