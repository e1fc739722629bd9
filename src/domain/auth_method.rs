//! How a user authenticated.

use serde::{Serialize, Serializer};

/// A method of authentication, named as in RFC 8176.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// A password: `pwd`.
    Password,
    /// A one-time code, of an authenticator app, a mail or a recovery code: `otp`.
    OneTimeCode,
    /// Another provider: `fed`, since RFC 8176 has no value for it.
    Provider,
    /// Possession of a key, here a passkey: `pop`. Where the key is, hardware or software, is not attested.
    Key,
    /// A test of the user's presence at the device, as each use of a passkey has: `user`.
    UserPresence,
    /// More than one factor, beside their methods: `mfa`.
    SeveralFactors,
}

impl AuthMethod {
    const ALL: &[Self] = &[
        Self::Password,
        Self::OneTimeCode,
        Self::Provider,
        Self::Key,
        Self::UserPresence,
        Self::SeveralFactors,
    ];

    /// The `amr` value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimeCode => "otp",
            Self::Provider => "fed",
            Self::Key => "pop",
            Self::UserPresence => "user",
            Self::SeveralFactors => "mfa",
        }
    }
}

/// Two factors (NIST SP 800-63B), as an `acr` value.
pub const AAL2: &str = "aal2";

/// The methods of one authentication, in the order of their use. In JSON a list of `amr` values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthMethods(Vec<AuthMethod>);

impl AuthMethods {
    /// By a passkey alone, which is two factors: the key, and what the authenticator verified the user by.
    pub fn by_passkey() -> Self {
        Self::default().with_second_factor(AuthMethod::Key)
    }

    /// The same with a second factor, unless there is one already.
    pub fn with_second_factor(mut self, method: AuthMethod) -> Self {
        if !self.has_several_factors() {
            if !self.0.contains(&method) {
                self.0.push(method);
            }
            if method == AuthMethod::Key {
                self.0.push(AuthMethod::UserPresence);
            }
            self.0.push(AuthMethod::SeveralFactors);
        }
        self
    }

    /// The authentication context class (`acr`), where it is more than one factor.
    pub fn acr(&self) -> Option<&'static str> {
        self.has_several_factors().then_some(AAL2)
    }

    /// Whether several factors were used.
    pub fn has_several_factors(&self) -> bool {
        self.0.contains(&AuthMethod::SeveralFactors)
    }

    /// The `amr` values.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|method| method.as_str())
    }

    /// From `amr` values; `None` if one is unknown.
    pub(crate) fn from_words<'w>(words: impl Iterator<Item = &'w str>) -> Option<Self> {
        let find = |word: &str| {
            let mut all = AuthMethod::ALL.iter().copied();
            all.find(|method| method.as_str() == word)
        };
        words.map(find).collect::<Option<_>>().map(Self)
    }

    /// The text for the database: `amr` values separated by spaces.
    pub fn to_stored(&self) -> String {
        self.words().collect::<Vec<_>>().join(" ")
    }

    /// Reads a text from the database; `None` if it has an unknown word.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        Self::from_words(text.split_ascii_whitespace())
    }
}

impl From<AuthMethod> for AuthMethods {
    fn from(method: AuthMethod) -> Self {
        Self(vec![method])
    }
}

impl Serialize for AuthMethods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_amr_values() {
        let methods = AuthMethods::from(AuthMethod::Password);
        assert_eq!(serde_json::to_string(&methods).unwrap(), r#"["pwd"]"#);
        assert_eq!(
            AuthMethods::from_stored(&methods.to_stored()),
            Some(methods.clone())
        );
        let both = methods.with_second_factor(AuthMethod::OneTimeCode);
        assert_eq!(both.to_stored(), "pwd otp mfa");
        assert_eq!(
            both.clone().with_second_factor(AuthMethod::OneTimeCode),
            both
        );
        let codes = AuthMethods::from(AuthMethod::OneTimeCode);
        let codes = codes.with_second_factor(AuthMethod::OneTimeCode);
        assert_eq!(codes.to_stored(), "otp mfa");
        assert_eq!(AuthMethods::by_passkey().to_stored(), "pop user mfa");
        assert_eq!(AuthMethods::from_stored(""), Some(AuthMethods::default()));
        assert_eq!(AuthMethods::from_stored("pwd telepathy"), None);
    }
}
