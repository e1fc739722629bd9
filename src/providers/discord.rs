//! Discord, whose ID tokens have no address, and whose discovery document did not name UserInfo
//! (discord/discord-api-docs#7377). UserInfo states the name as `nickname`, or as `preferred_username`.

use serde_json::Value;
use url::Url;

use super::claims::StatedClaims;
use super::connector::Preset;
use super::flow::Answer;

const USERINFO: &str = "/api/oauth2/userinfo";

pub(super) struct Discord {
    /// Of Discord.
    pub url: Option<Url>,
}

impl Preset for Discord {
    fn userinfo(&self, named: Option<&Url>) -> Option<Url> {
        let known = || self.url.as_ref()?.join(USERINFO).ok();
        named.cloned().or_else(known)
    }

    fn adapt(&self, claims: &mut StatedClaims, _: &Answer) {
        let names = ["name", "nickname", "preferred_username"];
        let name = names.iter().find_map(|name| claims.as_text(name));
        if let Some(name) = name.map(str::to_owned) {
            claims.set("name", Value::String(name));
        }
    }
}
