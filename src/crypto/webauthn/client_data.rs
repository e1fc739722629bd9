//! The client data (5.8.1): what the browser states about the ceremony.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::base64url::decode;
use super::refusal::Refusal;

/// The longest challenge.
const MAX_CHALLENGE: usize = 1024;

/// Members that are not known are ignored: browsers add some on purpose.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    pub(super) ceremony: String,
    challenge: String,
    pub(super) origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<IgnoredAny>,
}

impl ClientData {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // serde reads a list as a struct, too.
        if !json.starts_with(b"{") {
            return Err(Refusal::ClientData);
        }
        serde_json::from_slice(json).map_err(|_| Refusal::ClientData)
    }

    pub(super) fn challenge(&self) -> Result<Vec<u8>, Refusal> {
        decode(&self.challenge, MAX_CHALLENGE)
    }

    /// Whether the page was in a frame of another site.
    pub(super) fn is_cross_origin(&self) -> bool {
        self.cross_origin || self.top_origin.is_some()
    }
}
