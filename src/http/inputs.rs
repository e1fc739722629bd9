//! What a handler reads from a request, taken from the types of its parameters: so a route is described by what it reads,
//! and cannot be described otherwise.

use std::collections::BTreeMap;

use actix_web::{FromRequest, HttpRequest, web};
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::context::Context;

/// Schemas by name, as the components of the document.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Adds the schema of one type, with those it refers to, and returns a reference to it.
pub type SchemaOf = fn(&mut Schemas) -> Ref;

/// The [`SchemaOf`] of `T`.
pub fn schema_of<T: ToSchema>(schemas: &mut Schemas) -> Ref {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    schemas.extend(found);
    Ref::from_schema_name(T::name())
}

/// What a handler reads besides the credential and the path.
#[derive(Clone, Copy, Default)]
pub struct Inputs {
    /// The type of the body.
    pub body: Option<SchemaOf>,
    /// The parameters of the query.
    pub query: Option<fn() -> Vec<Parameter>>,
}

/// A parameter of a handler, or all of them.
pub trait Input: FromRequest + 'static {
    /// Adds what it reads; nothing by default.
    fn describe(_: &mut Inputs) {}
}

impl Input for web::Data<Context> {}
impl Input for HttpRequest {}
impl Input for web::Path<String> {}

/// For a handler that chooses when a fault of its input counts.
impl<T: Input> Input for Result<T, T::Error> {
    fn describe(inputs: &mut Inputs) {
        T::describe(inputs);
    }
}

impl Input for () {}

macro_rules! input_tuples {
    ($($($name:ident)+,)+) => {
        $(impl<$($name: Input),+> Input for ($($name,)+) {
            fn describe(inputs: &mut Inputs) {
                $($name::describe(inputs);)+
            }
        })+
    };
}

input_tuples! { A, A B, A B C, A B C D, A B C D E, A B C D E F, }
