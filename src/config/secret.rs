//! A setting that must not be printed: only [`Secret::expose`] returns its text.

use std::fmt;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// What stands wherever a secret would be shown.
const HIDDEN: &str = "[hidden]";

/// A secret text. `Debug`, `Display` and `Serialize` write `[hidden]`, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself: for deriving keys and signing in, never for a log or a reply.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_only_when_revealed() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!(
            (format!("{secret:?}"), secret.to_string()),
            (HIDDEN.into(), HIDDEN.into())
        );
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[hidden]""#);
        assert_eq!(secret.expose(), "hunter2");
    }
}
