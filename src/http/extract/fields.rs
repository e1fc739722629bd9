//! The fields of a body or a query, and a serde deserializer that reads a struct from them.
//!
//! A form and a query hold text only, so each scalar is also read from its text form: `true`, `1` or `on`; `false`, `0`
//! or `off`; digits; words with spaces between. An absent field and a `null` read as `None`, as the empty text, as no
//! items or as `false`; [`Patch`](super::field_types::Patch) tells them apart. A missing required text is thereby blank, which the check of its value
//! reports. Unknown fields are ignored, unless the struct has `#[serde(deny_unknown_fields)]`.
//!
//! HTML forms send an input that was left empty: it counts as absent where the type has no empty text. They send a
//! checkbox after a hidden field of its name: of a repeated flag the last counts. A repeated list is joined. Any other
//! repeated field is refused.

use std::collections::HashMap;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use zeroize::Zeroize;

use crate::domain::error::{Error, Result, ValidationErrors};

/// Fields by name. Texts are wiped on drop: passwords came in them.
pub(in crate::http) struct Fields {
    values: HashMap<String, FieldValue>,
    source: Source,
}

/// Where fields come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Json,
    Form,
    Query,
}

/// The value of a field.
enum FieldValue {
    Json(Value),
    /// From a form or a query: at least one text.
    Texts(Vec<String>),
}

impl Fields {
    /// The decoded pairs of a form or a query.
    pub(super) fn from_pairs(pairs: Vec<(String, String)>, source: Source) -> Self {
        let mut values = HashMap::new();
        for (name, text) in pairs {
            let input = values.entry(name).or_insert(FieldValue::Texts(Vec::new()));
            if let FieldValue::Texts(texts) = input {
                texts.push(text);
            }
        }
        Self { values, source }
    }

    /// Without any field.
    pub(super) fn none() -> Self {
        Self::from_pairs(Vec::new(), Source::Form)
    }

    /// Reads a struct.
    ///
    /// # Errors
    /// [`Error::Validation`] with every field of a wrong type; [`Error::Malformed`] for a repeated field, and for one that
    /// the struct refuses.
    pub(super) fn read<T: DeserializeOwned>(mut self) -> Result<T> {
        let mut invalid = ValidationErrors::default();
        loop {
            match T::deserialize(Struct(&self)) {
                Ok(value) => return Ok(invalid.into_result().map(|()| value)?),
                Err(Fault::Unknown) => return Err(Error::Malformed(self.source.unknown())),
                Err(Fault::Repeated) => return Err(Error::Malformed(self.source.repeated())),
                Err(Fault::Type) => return Err(Error::internal("a body must be a struct")),
                // Without the field, the rest is read again: serde stops at the first fault, and all are reported.
                Err(Fault::Field(name)) => {
                    let was_empty = self.is_left_empty(name);
                    if !was_empty {
                        invalid.add(name, "is invalid");
                    }
                    if self.values.remove(name).is_none() {
                        return Err(invalid.into());
                    }
                }
            }
        }
    }

    /// Whether it is an input of a form that was left empty. In a query an empty parameter is a client's fault, and
    /// leaving it out could ask for more than was meant.
    fn is_left_empty(&self, name: &str) -> bool {
        self.source == Source::Form
            && matches!(self.values.get(name), Some(FieldValue::Texts(texts)) if texts.iter().all(String::is_empty))
    }
}

impl Source {
    fn unknown(self) -> &'static str {
        match self {
            Self::Json | Self::Form => "The body has an unknown field",
            Self::Query => "The query has an unknown parameter",
        }
    }

    fn repeated(self) -> &'static str {
        match self {
            Self::Json | Self::Form => "The form has a field twice",
            Self::Query => "The query has a parameter twice",
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields([hidden])")
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        for input in self.values.values_mut() {
            match input {
                FieldValue::Json(Value::String(text)) => text.zeroize(),
                FieldValue::Json(_) => {}
                FieldValue::Texts(texts) => texts.zeroize(),
            }
        }
    }
}

/// A JSON object in which no key occurs twice: two readers could take two different ones.
impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields {
                    values: HashMap::new(),
                    source: Source::Json,
                };
                while let Some((name, value)) = map.next_entry()? {
                    if fields
                        .values
                        .insert(name, FieldValue::Json(value))
                        .is_some()
                    {
                        return Err(de::Error::custom("duplicate key"));
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Why a struct cannot be read.
#[derive(Debug)]
enum Fault {
    /// A value has another type; serde does not say of which field.
    Type,
    /// This field has another type.
    Field(&'static str),
    /// A field that has one value occurs twice.
    Repeated,
    /// There is a field that the struct refuses.
    Unknown,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Type
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::Type
    }
}

/// Reads the fields in the order in which the struct declares them, then the unknown ones.
struct Struct<'de>(&'de Fields);

impl<'de> Deserializer<'de> for Struct<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Type)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        declared: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let unknown = self.0.values.keys().map(String::as_str);
        let unknown = unknown.filter(|name| !declared.contains(name));
        visitor.visit_map(Entries {
            fields: self.0,
            declared: declared.iter(),
            unknown: unknown.collect(),
            next: None,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'de> {
    fields: &'de Fields,
    declared: std::slice::Iter<'static, &'static str>,
    unknown: Vec<&'de str>,
    next: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.next = self.declared.next().copied();
        match self.next {
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
            None => match self.unknown.pop() {
                Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
                None => Ok(None),
            },
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(name) = self.next else {
            return seed.deserialize(Field::Absent);
        };
        let field = match self.fields.values.get(name) {
            None => Field::Absent,
            Some(FieldValue::Json(value)) => Field::Json(value),
            Some(FieldValue::Texts(texts)) => Field::Texts(texts),
        };
        seed.deserialize(field).map_err(|fault| match fault {
            Fault::Repeated => Fault::Repeated,
            _ => Fault::Field(name),
        })
    }
}

/// One value, or none.
enum Field<'de> {
    Absent,
    Json(&'de Value),
    Texts(&'de [String]),
}

impl<'de> Field<'de> {
    /// The one text; `None` if the field is absent or `null`.
    fn text(&self) -> Result<Option<&'de str>, Fault> {
        match self {
            Self::Absent | Self::Json(Value::Null) => Ok(None),
            Self::Json(Value::String(text)) => Ok(Some(text)),
            Self::Json(_) => Err(Fault::Type),
            Self::Texts([text]) => Ok(Some(text)),
            Self::Texts(_) => Err(Fault::Repeated),
        }
    }

    /// A number, or the text of one.
    fn number<T: std::str::FromStr>(&self) -> Result<T, Fault> {
        let number = match self {
            Self::Json(Value::Number(number)) => number.to_string().parse().ok(),
            _ => self.text()?.and_then(|text| text.parse().ok()),
        };
        number.ok_or(Fault::Type)
    }

    fn flag(&self) -> Result<bool, Fault> {
        let text = match self {
            Self::Json(Value::Bool(flag)) => return Ok(*flag),
            Self::Texts(texts) => texts.last().map(String::as_str),
            _ => self.text()?,
        };
        match text {
            Some("true" | "1" | "on") => Ok(true),
            None | Some("false" | "0" | "off" | "") => Ok(false),
            Some(_) => Err(Fault::Type),
        }
    }
}

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Json(value) => value.deserialize_any(visitor).map_err(|_| Fault::Type),
            _ => match self.text()? {
                Some(text) => visitor.visit_borrowed_str(text),
                None => visitor.visit_unit(),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Absent => visitor.visit_none(),
            Self::Json(Value::Null) => visitor.visit_unit(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.text()?.unwrap_or_default())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool(self.flag()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let texts = match &self {
            Self::Json(Value::Array(_)) => return self.deserialize_any(visitor),
            Self::Texts(texts) => texts.iter().map(String::as_str).collect(),
            _ => Vec::from_iter(self.text()?),
        };
        let words = texts.into_iter().flat_map(|text| text.split(' '));
        let words = words.filter(|word| !word.is_empty());
        visitor.visit_seq(de::value::SeqDeserializer::new(words))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let text = self.text()?.ok_or(Fault::Type)?;
        let variant: de::value::StrDeserializer<'_, Fault> = text.into_deserializer();
        variant.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::field_types::{NonEmpty, Patch};
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Form {
        title: String,
        note: Option<String>,
        #[serde(default)]
        remember: bool,
        scopes: Vec<String>,
        limit: Option<u32>,
    }

    fn read<T: DeserializeOwned>(body: Value) -> Result<T, String> {
        let fields: Fields = serde_json::from_value(body).unwrap();
        fields.read().map_err(|error| error.to_string())
    }

    fn read_pairs<T: DeserializeOwned>(encoded: &str, source: Source) -> Result<T, String> {
        let pairs = serde_urlencoded::from_str(encoded).unwrap();
        let read = Fields::from_pairs(pairs, source).read();
        read.map_err(|error: Error| error.to_string())
    }

    fn read_form<T: DeserializeOwned>(encoded: &str) -> Result<T, String> {
        read_pairs(encoded, Source::Form)
    }

    #[test]
    fn absent_fields_and_null_read_as_empty() {
        let null =
            json!({ "title": null, "note": null, "remember": null, "scopes": null, "limit": null });
        for body in [json!({}), null, json!({ "is_admin": true })] {
            assert_eq!(read(body), Ok(Form::default()));
        }
    }

    #[test]
    fn text_forms_of_flags_numbers_and_lists_are_read() {
        for (remember, scopes, limit) in [
            (json!(true), json!(["a:b", "c:d"]), json!(7)),
            (json!("1"), json!(" a:b  c:d "), json!("7")),
            (json!("on"), json!("a:b c:d"), json!("7")),
            (json!("true"), json!("a:b c:d"), json!("7")),
        ] {
            let form: Form =
                read(json!({ "remember": remember, "scopes": scopes, "limit": limit })).unwrap();
            assert!(form.remember);
            assert_eq!(form.scopes, ["a:b", "c:d"]);
            assert_eq!(form.limit, Some(7));
        }
        for off in [
            false.into(),
            json!("0"),
            json!("false"),
            json!("off"),
            json!(""),
        ] {
            assert!(!read::<Form>(json!({ "remember": off })).unwrap().remember);
        }
        // One that is no word stays one fault for what checks it.
        let form: Form = read(json!({ "scopes": ["a:b c:d"] })).unwrap();
        assert_eq!(form.scopes, ["a:b c:d"]);
    }

    #[test]
    fn checkboxes_of_forms_are_flags() {
        for (encoded, remember) in [
            ("remember=on", true),
            ("remember=0&remember=1", true),
            ("remember=&remember=on", true),
            ("remember=1&remember=0", false),
            ("remember=off", false),
            ("", false),
        ] {
            let form: Form = read_form(encoded).unwrap();
            assert_eq!(form.remember, remember, "{encoded}");
        }
    }

    #[test]
    fn inputs_of_forms_that_were_left_empty_are_absent() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Expiry {
            end: Option<NonEmpty>,
        }
        let end = |text: &str| NonEmpty::try_from(text.to_owned()).ok();
        assert_eq!(read_form("end="), Ok(Expiry { end: None }));
        assert_eq!(read_form("end=soon"), Ok(Expiry { end: end("soon") }));
        let empty = read::<Expiry>(json!({ "end": "" }));
        assert_eq!(empty, Err("End is invalid".into()));
        let form: Form = read_form("title=&note=&remember=&scopes=&limit=").unwrap();
        let empty = Form {
            note: Some(String::new()),
            ..Form::default()
        };
        assert_eq!(form, empty, "a text has an empty text");
        assert_eq!(
            read_pairs::<Form>("limit=", Source::Query),
            Err("Limit is invalid".into())
        );
        assert_eq!(
            read::<Form>(json!({ "limit": "" })),
            Err("Limit is invalid".into())
        );
    }

    #[test]
    fn repeated_lists_are_joined_and_other_repeated_fields_refused() {
        let form: Form = read_form("scopes=a:b&scopes=c:d+e:f&unknown=1&unknown=2").unwrap();
        assert_eq!(form.scopes, ["a:b", "c:d", "e:f"]);
        for (encoded, source, refusal) in [
            (
                "title=a&title=a",
                Source::Form,
                "The form has a field twice",
            ),
            ("limit=&limit=1", Source::Form, "The form has a field twice"),
            (
                "limit=1&limit=1",
                Source::Query,
                "The query has a parameter twice",
            ),
        ] {
            let read = read_pairs::<Form>(encoded, source);
            assert_eq!(read, Err(refusal.to_owned()), "{encoded}");
        }
    }

    #[test]
    fn every_field_of_a_wrong_type_is_reported_in_order() {
        let body =
            json!({ "limit": "x", "scopes": [1], "title": 1, "remember": "yes", "note": {} });
        assert_eq!(
            read::<Form>(body),
            Err("Title is invalid, Note is invalid, Remember is invalid, Scopes is invalid, Limit is invalid".into())
        );
        for scopes in [json!(1), json!({}), json!([["a:b"]]), json!([null])] {
            let seen = read::<Form>(json!({ "scopes": scopes }));
            assert_eq!(seen, Err("Scopes is invalid".into()));
        }
    }

    #[test]
    fn a_patch_tells_absent_from_null() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Changes {
            note: Patch<String>,
        }
        for (body, note) in [
            (json!({}), Patch::Absent),
            (json!({ "note": null }), Patch::Null),
            (json!({ "note": "" }), Patch::Value(String::new())),
        ] {
            assert_eq!(read(body), Ok(Changes { note }));
        }
        assert_eq!(
            read::<Changes>(json!({ "note": 1 })),
            Err("Note is invalid".into())
        );
    }

    #[test]
    fn unknown_fields_are_refused_only_where_the_struct_says_so() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(deny_unknown_fields)]
        struct Strict {
            scope: Option<String>,
        }
        assert_eq!(
            read(json!({ "scope": "a" })),
            Ok(Strict {
                scope: Some("a".into())
            })
        );
        assert_eq!(
            read::<Strict>(json!({ "scopes": "a" })),
            Err("The body has an unknown field".into())
        );
    }

    #[test]
    fn a_required_enum_that_is_absent_is_invalid() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(rename_all = "snake_case")]
        enum Transport {
            Bearer,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Form {
            transport: Transport,
        }
        assert_eq!(
            read::<Form>(json!({})),
            Err("Transport is invalid".to_owned())
        );
        let transport = Transport::Bearer;
        assert_eq!(
            read(json!({ "transport": "bearer" })),
            Ok(Form { transport })
        );
    }
}
