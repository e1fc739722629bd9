//! The fields of a body or a query, and a serde deserializer that reads a struct from them.
//!
//! A form and a query hold text only, so each scalar is also read from its text form: `true` or `1`, `false` or `0`;
//! digits; words with spaces between. An absent field and a `null` read as `None`, as the empty text, as no items or as
//! `false`; [`Patch`] tells them apart. A missing required text is thereby blank, which the check of its value reports.
//! Unknown fields are ignored, unless the struct has `#[serde(deny_unknown_fields)]`.

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
#[derive(Default)]
pub(in crate::http) struct Fields(HashMap<String, Value>);

impl Fields {
    /// Adds a field; `false` if there is one of this name already.
    pub(super) fn insert(&mut self, name: String, value: Value) -> bool {
        self.0.insert(name, value).is_none()
    }

    /// Reads a struct.
    ///
    /// # Errors
    /// [`Error::Validation`] with every field of a wrong type; `unknown` for a field that the struct refuses.
    pub(super) fn read<T: DeserializeOwned>(mut self, unknown: &'static str) -> Result<T> {
        let mut invalid = ValidationErrors::default();
        loop {
            match T::deserialize(Struct(&self)) {
                Ok(value) => return Ok(invalid.into_result().map(|()| value)?),
                Err(Fault::Unknown) => return Err(Error::Malformed(unknown)),
                Err(Fault::Type) => return Err(Error::internal("a body must be a struct")),
                // Without the field, the rest is read again: serde stops at the first fault, and all are reported.
                Err(Fault::Field(name)) => {
                    invalid.add(name, "is invalid");
                    if self.0.remove(name).is_none() {
                        return Err(invalid.into());
                    }
                }
            }
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
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
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
                let mut fields = Fields::default();
                while let Some((name, value)) = map.next_entry()? {
                    if !fields.insert(name, value) {
                        return Err(de::Error::custom("duplicate key"));
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

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

/// Why a struct cannot be read.
#[derive(Debug)]
enum Fault {
    /// A value has another type; serde does not say of which field.
    Type,
    /// This field has another type.
    Field(&'static str),
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
        let unknown = self.0.0.iter();
        let unknown = unknown.filter(|(name, _)| !declared.contains(&name.as_str()));
        visitor.visit_map(Entries {
            fields: self.0,
            declared: declared.iter(),
            unknown: unknown.map(|(name, _)| name.as_str()).collect(),
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
            return seed.deserialize(Field(None));
        };
        let value = self.fields.0.get(name);
        seed.deserialize(Field(value))
            .map_err(|_| Fault::Field(name))
    }
}

/// One value, or none.
struct Field<'de>(Option<&'de Value>);

impl Field<'_> {
    /// A number, or the text of one.
    fn number<T: std::str::FromStr>(&self) -> Result<T, Fault> {
        let number = match self.0 {
            Some(Value::Number(number)) => number.to_string().parse().ok(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        number.ok_or(Fault::Type)
    }
}

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.0.unwrap_or(&Value::Null);
        value.deserialize_any(visitor).map_err(|_| Fault::Type)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            None => visitor.visit_none(),
            Some(Value::Null) => visitor.visit_unit(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_str(""),
            Some(Value::String(text)) => visitor.visit_str(text),
            Some(_) => Err(Fault::Type),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_bool(false),
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::String(text)) => match text.as_str() {
                "true" | "1" => visitor.visit_bool(true),
                "false" | "0" | "" => visitor.visit_bool(false),
                _ => Err(Fault::Type),
            },
            Some(_) => Err(Fault::Type),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Some(Value::String(text)) => {
                let words = text.split(' ').filter(|word| !word.is_empty());
                visitor.visit_seq(de::value::SeqDeserializer::new(words))
            }
            None | Some(Value::Null) => {
                visitor.visit_seq(de::value::SeqDeserializer::new(std::iter::empty::<&str>()))
            }
            Some(Value::Array(_)) => self.deserialize_any(visitor),
            Some(_) => Err(Fault::Type),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Some(Value::String(text)) = self.0 else {
            return Err(Fault::Type);
        };
        let variant: de::value::StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
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
        fields.read("unknown").map_err(|error| error.to_string())
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
            (json!("true"), json!("a:b c:d"), json!("7")),
        ] {
            let form: Form =
                read(json!({ "remember": remember, "scopes": scopes, "limit": limit })).unwrap();
            assert!(form.remember);
            assert_eq!(form.scopes, ["a:b", "c:d"]);
            assert_eq!(form.limit, Some(7));
        }
        for off in [json!(false), json!("0"), json!("false"), json!("")] {
            assert!(!read::<Form>(json!({ "remember": off })).unwrap().remember);
        }
        // One that is no word stays one fault for what checks it.
        let form: Form = read(json!({ "scopes": ["a:b c:d"] })).unwrap();
        assert_eq!(form.scopes, ["a:b c:d"]);
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
            Err("unknown".into())
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
