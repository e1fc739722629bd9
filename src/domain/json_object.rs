//! JSON objects that users and operators attach to an account.

use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::ValidationErrors;

/// A JSON object of at most 4 KiB, kept as its text: a look-up does not parse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonObject(String);

impl JsonObject {
    const MAX_BYTES: usize = 4096;

    /// Validates an object as the value of `attribute`.
    pub fn parse(
        attribute: &'static str,
        object: &Map<String, Value>,
    ) -> Result<Self, ValidationErrors> {
        let text = serde_json::to_string(object)
            .map_err(|_| ValidationErrors::field(attribute, "is invalid"))?;
        if text.len() > Self::MAX_BYTES {
            let message = format!("is too long (maximum is {} bytes)", Self::MAX_BYTES);
            return Err(ValidationErrors::field(attribute, message));
        }
        Ok(Self(text))
    }

    /// The text, without white space.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Wraps a text from the database, which was valid when it was stored.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl Default for JsonObject {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        object.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<JsonObject, ValidationErrors> {
        JsonObject::parse("profile", value.as_object().unwrap())
    }

    #[test]
    fn an_object_reads_back_as_it_was() {
        let value = json!({ "a": [1, null, "ü"], "b": { "c": true } });
        let object = parse(&value).unwrap();
        assert_eq!(serde_json::to_value(&object).unwrap(), value);
        assert_eq!(serde_json::to_string(&JsonObject::default()).unwrap(), "{}");
    }

    #[test]
    fn an_object_has_at_most_4096_bytes() {
        let of = |length: usize| parse(&json!({ "a": "x".repeat(length) }));
        assert_eq!(of(4088).unwrap().as_str().len(), 4096);
        assert_eq!(
            of(4089).unwrap_err(),
            ValidationErrors::field("profile", "is too long (maximum is 4096 bytes)")
        );
    }
}
