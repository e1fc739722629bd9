//! Types of fields: partial updates, and texts that are not empty.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// A field of a partial update: absent leaves what is there, `null` clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is not in the body.
    Absent,
    /// It is `null`.
    Null,
    /// It has this value.
    Value(T),
}

impl<T> Patch<T> {
    /// The value after the update.
    pub fn or(self, current: impl FnOnce() -> Option<T>) -> Option<T> {
        match self {
            Self::Absent => current(),
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Field<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Field<T> {
            type Value = Patch<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E>(self) -> Result<Patch<T>, E> {
                Ok(Patch::Absent)
            }

            fn visit_unit<E>(self) -> Result<Patch<T>, E> {
                Ok(Patch::Null)
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Patch<T>, D::Error> {
                T::deserialize(value).map(Patch::Value)
            }
        }

        deserializer.deserialize_option(Field(std::marker::PhantomData))
    }
}

/// A text that is not empty, so that an input of a form that was left empty is absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NonEmpty(String);

impl NonEmpty {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NonEmpty {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.is_empty() {
            true => Err("empty"),
            false => Ok(Self(text)),
        }
    }
}
