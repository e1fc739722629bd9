//! Google. A Google account can have any address; Google gives out those of Gmail, and of the domains of Workspace
//! customers, whose users have the claim `hd`. Only of these it is known that the user still owns the address
//! (<https://developers.google.com/identity/gsi/web/guides/verify-google-id-token>).

use super::claims::StatedClaims;
use super::connector::Preset;

const GMAIL: &str = "gmail.com";

pub(super) struct Google;

impl Preset for Google {
    fn gives_out(&self, claims: &StatedClaims, domain: &str) -> bool {
        domain == GMAIL || claims.as_text("hd") == Some(domain)
    }
}
