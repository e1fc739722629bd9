//! Microsoft Entra ID.
//!
//! # Threats
//! - an address that an administrator of any tenant writes into `email` (nOAuth): only the addresses of users whose tenant
//!   has verified the domain count, which the optional claim `xms_edov` states
//!   (<https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference>)
//! - a token of another tenant: `iss` contains the tenant, and `tid` must be the same
//! - `sub` differs from application to application, and `oid` is unique in a tenant: the user is known by both ids

use serde_json::Value;
use url::Url;

use super::claims::StatedClaims;
use super::connector::Preset;
use super::flow::Answer;
use super::id_token::IdToken;
use super::refusal::Refusal;
use crate::config::is_tenant_id;

pub(super) struct Microsoft;

impl Preset for Microsoft {
    /// It states neither `xms_edov` nor the tenant.
    fn userinfo(&self, _: Option<&Url>) -> Option<Url> {
        None
    }

    fn adapt(&self, claims: &mut StatedClaims, _: &Answer) {
        // It is sent as `true` and as `"1"` (supabase/auth, internal/api/provider/azure.go).
        let is_verified = match claims.get("xms_edov") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "1" || text == "true",
            _ => false,
        };
        claims.set("email_verified", Value::Bool(is_verified));
    }

    fn subject(&self, token: &IdToken) -> Result<String, Refusal> {
        let [tenant, user] = ["tid", "oid"].map(|name| token.claims.as_text(name));
        let tenant = tenant.filter(|id| is_tenant_id(id));
        let user = user.filter(|id| is_tenant_id(id));
        let (Some(tenant), Some(user)) = (tenant, user) else {
            return Err(Refusal::IdTokenMalformed);
        };
        match token.iss.contains(&format!("/{tenant}/")) {
            true => Ok(format!("{tenant}.{user}")),
            false => Err(Refusal::IdTokenIssuer),
        }
    }
}
