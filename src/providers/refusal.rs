//! Why a sign-in by a provider is refused, one row each. The page that the sign-in returns to gets the code, and the audit
//! event has it as its reason.

macro_rules! refusals {
    ($($(#[doc = $when:literal])+ $variant:ident $code:literal;)+) => {
        /// Why a sign-in by a provider is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[doc = $when])+ $variant,)+
        }

        impl Refusal {
            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// Each code, and when it comes.
            #[cfg(test)]
            const ALL: &'static [(&'static str, &'static [&'static str])] =
                &[$(($code, &[$($when),+]),)+];
        }
    };
}

refusals! {
    /// The user cancelled at the provider.
    AccessDenied "access_denied";
    /// The provider reported another error.
    ProviderError "provider_error";
    /// The provider does not answer, or not in time.
    ProviderUnavailable "provider_unavailable";
    /// A reply of the provider cannot be used: a redirect, no JSON, or a wrong type.
    ReplyInvalid "provider_reply_invalid";
    /// The discovery document is of another issuer, or lacks what is needed.
    DiscoveryInvalid "provider_discovery_invalid";
    /// The provider does not accept this server: `client_id` or `client_secret` is wrong.
    ClientRefused "provider_client_refused";
    /// The provider does not accept the authorization code.
    CodeRefused "code_refused";
    /// The provider sent the browser back without a code.
    CodeMissing "code_missing";
    /// The sign-in took more than ten minutes.
    StateExpired "state_expired";
    /// The sign-in came back before: the page was loaded again, or the address was copied.
    StateUsed "state_used";
    /// The sign-in was started in another browser.
    BrowserMismatch "browser_mismatch";
    /// The sign-in was started for another provider.
    ProviderMismatch "provider_mismatch";
    /// The `iss` of the callback is not the issuer (RFC 9207), or is missing where the provider promises it.
    IssuerMismatch "issuer_mismatch";
    /// The token reply has no ID token.
    IdTokenMissing "id_token_missing";
    /// The ID token cannot be read, or lacks a claim.
    IdTokenMalformed "id_token_malformed";
    /// The algorithm of the ID token is none of RS256, PS256, ES256 and EdDSA.
    IdTokenAlgorithm "id_token_algorithm";
    /// No key of the provider has the id, type and algorithm of the ID token.
    IdTokenKey "id_token_key";
    /// The signature of the ID token is wrong.
    IdTokenSignature "id_token_signature";
    /// The ID token is of another issuer.
    IdTokenIssuer "id_token_issuer";
    /// The ID token is for another client, or for several without `azp`.
    IdTokenAudience "id_token_audience";
    /// The ID token was issued to another client (`azp`).
    IdTokenParty "id_token_party";
    /// The nonce of the ID token is not that of this sign-in.
    IdTokenNonce "id_token_nonce";
    /// The ID token has expired.
    IdTokenExpired "id_token_expired";
    /// The ID token is not valid yet: check the clocks.
    IdTokenFuture "id_token_future";
    /// The access token is not the one of the ID token (`at_hash`).
    AccessTokenMismatch "access_token_mismatch";
    /// UserInfo is about another user than the ID token.
    UserInfoSubject "userinfo_subject";
    /// A claim about the user has a wrong type, such as `email_verified` as a text.
    ClaimsInvalid "claims_invalid";
    /// The domain of the email address is not among `allowed_domains`, or the address is not verified.
    DomainNotAllowed "domain_not_allowed";
    /// Too many sign-ins came back to this network.
    RateLimited "rate_limited";
    /// A fault of the server: its log has more.
    Internal "internal_error";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::generated_file::assert_up_to_date;

    const GUIDE: &str = "docs/guides/providers.md";
    const START: &str = "<!-- refusals -->\n";
    const END: &str = "<!-- /refusals -->";

    /// `UPDATE=1 cargo test --lib refusal` writes the table.
    #[test]
    fn the_guide_has_every_refusal() {
        let rows = Refusal::ALL.iter().map(|(code, when)| {
            let when: String = when.concat();
            format!("| `{code}` | {} |\n", when.trim().trim_end_matches('.'))
        });
        let table: String = rows.collect();
        let page = std::fs::read_to_string(GUIDE).unwrap();
        let (before, rest) = page.split_once(START).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let head = "| `error` | when |\n|---|---|\n";
        let generated = format!("{before}{START}{head}{table}{END}{after}");
        assert_up_to_date(GUIDE, &generated);
    }
}
