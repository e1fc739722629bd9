//! `GET /v1/providers`: the providers of the settings, for buttons.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::domain::error::Result;
use crate::providers::Provider;

pub(super) async fn index(context: web::Data<Context>) -> Result<HttpResponse> {
    let providers = context.providers.iter().map(ShownProvider::of);
    Ok(HttpResponse::Ok().json(ProviderList {
        providers: providers.collect(),
    }))
}

/// The providers by which users sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct ProviderList<'a> {
    /// In the order of their ids.
    providers: Vec<ShownProvider<'a>>,
}

/// A provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(super) struct ShownProvider<'a> {
    /// Its name in paths.
    id: &'a str,
    /// Its name for users.
    name: &'a str,
    /// What it is, for its icon: `oidc`, `google`, `microsoft`, `apple`, `gitlab`, `discord` or `github`.
    kind: &'a str,
}

impl<'a> ShownProvider<'a> {
    /// As the settings have it.
    pub(super) fn of(provider: &'a Provider) -> Self {
        Self {
            id: &provider.name,
            name: provider.shown_name(),
            kind: provider.kind().as_str(),
        }
    }
}
