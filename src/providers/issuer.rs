//! Who a provider is: where its discovery document lies, and what that document and ID tokens state.

use crate::config::{self, ANY_TENANT, is_tenant_id};

/// The issuer of a provider: one, or one for each of its tenants.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    /// The URL below which the discovery document lies.
    pub url: String,
    stated: String,
}

impl Issuer {
    pub(super) fn of(settings: &config::Provider) -> Self {
        Self {
            url: settings.issuer_url(),
            stated: settings.stated_issuer(),
        }
    }

    /// Whether a discovery document states it, character by character.
    pub(super) fn is_of_document(&self, issuer: &str) -> bool {
        self.stated == issuer
    }

    /// Whether the `iss` of a token or of a callback is it, or that of one of its tenants.
    pub(super) fn is(&self, iss: &str) -> bool {
        match self.stated.split_once(ANY_TENANT) {
            None => iss == self.stated,
            Some((before, after)) => {
                let rest = iss.strip_prefix(before);
                let tenant = rest.and_then(|rest| rest.strip_suffix(after));
                tenant.is_some_and(is_tenant_id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_of_tenants_is_one_with_the_id_of_a_tenant() {
        let issuer = Issuer {
            url: String::new(),
            stated: "https://id.example.com/{tenantid}/v2.0".to_owned(),
        };
        let id = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        assert!(issuer.is(&format!("https://id.example.com/{id}/v2.0")));
        for other in [
            "https://id.example.com/{tenantid}/v2.0".to_owned(),
            "https://id.example.com//v2.0".to_owned(),
            format!("https://id.example.com/{id}"),
            format!("https://id.example.com/{}/v2.0", id.to_uppercase()),
            format!("https://id.example.com/{id}/{id}/v2.0"),
            format!("https://evil.example/{id}/v2.0"),
            format!("https://id.example.com/{id}?/v2.0"),
        ] {
            assert!(!issuer.is(&other), "{other}");
        }
    }
}
