//! What a request's address says besides the path: its query, and ids in its path.

use crate::domain::error::{Error, Result};

/// A query string, read: names and values in their order.
#[derive(Clone, Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads one.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is none.
    pub fn read(text: &str) -> Result<Self> {
        serde_urlencoded::from_str(text)
            .map(Self)
            .map_err(|_| Error::Malformed("The query cannot be read"))
    }

    /// The name of each parameter.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The value of a parameter; `None` when it is not there.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is there twice: which of the two is meant, nobody knows.
    pub fn one(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Error::Malformed("The query has a parameter twice")),
            (value, None) => Ok(value),
        }
    }
}

/// The id in a path. What is no number is nothing's id.
///
/// # Errors
/// [`Error::NotFound`].
pub fn path_id(text: &str) -> Result<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(Error::NotFound)
}
