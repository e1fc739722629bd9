//! What a provider is: `kind` in `[providers.NAME]`. It decides which settings there are, and their defaults.

use serde::{Deserialize, Serialize};

/// A known provider, or any of OpenID Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Any provider of OpenID Connect.
    Oidc,
    /// Google.
    Google,
    /// Microsoft Entra ID, and personal accounts of Microsoft.
    Microsoft,
    /// Sign in with Apple.
    Apple,
    /// GitLab.com, or a GitLab of one's own.
    Gitlab,
    /// Discord.
    Discord,
    /// GitHub, which has no ID tokens: its API is asked.
    Github,
}

/// Where the settings say who a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `issuer`, which must be given.
    Issuer,
    /// `issuer`, or this one.
    IssuerOr(&'static str),
    /// This issuer. Another one, such as an emulator's, is for development and tests.
    Known(&'static str),
    /// `tenant`, below `base_url` or this URL.
    Tenant(&'static str),
    /// `base_url`, or this URL.
    BaseUrl(&'static str),
}

impl ProviderKind {
    /// Its name in the settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Google => "google",
            Self::Microsoft => "microsoft",
            Self::Apple => "apple",
            Self::Gitlab => "gitlab",
            Self::Discord => "discord",
            Self::Github => "github",
        }
    }

    pub(super) const fn origin(self) -> Origin {
        match self {
            Self::Oidc => Origin::Issuer,
            Self::Google => Origin::Known("https://accounts.google.com"),
            Self::Microsoft => Origin::Tenant("https://login.microsoftonline.com"),
            Self::Apple => Origin::Known("https://appleid.apple.com"),
            Self::Gitlab => Origin::IssuerOr("https://gitlab.com"),
            Self::Discord => Origin::Known("https://discord.com"),
            Self::Github => Origin::BaseUrl("https://github.com"),
        }
    }

    /// The scopes that are requested where the settings list none.
    pub(super) const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Oidc | Self::Google | Self::Microsoft | Self::Gitlab => {
                &["openid", "email", "profile"]
            }
            Self::Apple => &["openid", "email", "name"],
            // Discord refuses scopes that it does not know, such as `profile`.
            Self::Discord => &["openid", "email", "identify"],
            Self::Github => &["read:user", "user:email"],
        }
    }

    /// The scopes without which no user is recognised.
    pub(super) const fn needed_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Oidc | Self::Google | Self::Apple | Self::Gitlab | Self::Discord => &["openid"],
            // `oid` is in the token with `profile` only.
            Self::Microsoft => &["openid", "profile"],
            Self::Github => &["user:email"],
        }
    }

    /// Whether the secret is a token that a private key signs.
    pub(super) const fn signs_its_secret(self) -> bool {
        matches!(self, Self::Apple)
    }
}
