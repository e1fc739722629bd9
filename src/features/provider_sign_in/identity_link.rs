//! The page of the mailed link that links an identity to an account: `POST /v1/session/identity_link/check` shows what
//! it links, and `POST /v1/session/identity_link` does.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::exchange::{bearer, respond_with_start};
use super::provider_list::ShownProvider;
use crate::accounts::identity_link::{Used, open_identity_link, use_identity_link};
use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result};
use crate::domain::{ClientInfo, EmailAddress};
use crate::http::auth::browser_cookie;
use crate::http::error_codes::TOO_MANY_IDENTITIES;
use crate::http::session_reply::{Transport, carrier};
use crate::http::{Body, LinkInput, SecretText, link_token};

pub(super) async fn check(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    Body(input): Body<LinkInput>,
) -> Result<HttpResponse> {
    let opened = open_identity_link(&context, &client, input.token()?).await?;
    let Some(provider) = context.providers.find(&opened.request.provider) else {
        return Err(Error::internal("an opened link has no provider"));
    };
    let browser = browser_cookie::value(request.headers(), &context.settings);
    let browser = bearer(None, browser);
    Ok(HttpResponse::Ok().json(OpenedLink {
        provider: ShownProvider::of(provider),
        identity: StatedIdentity {
            name: opened.identity.name.as_deref(),
            email: opened.identity.email.as_deref(),
        },
        email_address: &opened.account.user.email_address,
        account_created_at: opened.account.user.created_at,
        signs_in: client.same_origin && opened.is_bound_to(browser.as_ref()),
        expires_at: opened.request.expires_at,
    }))
}

pub(super) async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    request: HttpRequest,
    Body(input): Body<IdentityLinkInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let browser = browser_cookie::value(request.headers(), &context.settings);
    let bearer = bearer(input.code_verifier.as_ref(), browser);
    let token = link_token(&input.token)?;
    match use_identity_link(&context, &client, token, bearer.as_ref()).await? {
        Used::Started(start, token) => respond_with_start(&context, carrier, start, &token),
        Used::TooMany => Err(TOO_MANY_IDENTITIES.refusal()),
    }
}

/// A mailed link to be used.
#[derive(Deserialize, ToSchema)]
pub(super) struct IdentityLinkInput {
    /// The token from the mailed link.
    #[schema(value_type = String)]
    token: SecretText,
    /// Of the `code_challenge` that started the sign-in, if one did.
    #[schema(value_type = Option<String>, nullable = false)]
    code_verifier: Option<SecretText>,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

/// A mailed link that is valid, and what it links.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedIdentityLink)]
pub(super) struct OpenedLink<'a> {
    provider: ShownProvider<'a>,
    identity: StatedIdentity<'a>,
    /// The address of the account here.
    #[schema(value_type = String)]
    email_address: &'a EmailAddress,
    /// When the account here was created.
    #[schema(value_type = String, format = DateTime)]
    account_created_at: Timestamp,
    /// Whether this browser signed in at the provider: `POST /v1/session/identity_link` takes the link from it.
    signs_in: bool,
    /// When the link expires.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The account at the provider, as the provider states it.
#[derive(Serialize, ToSchema)]
struct StatedIdentity<'a> {
    #[schema(required)]
    name: Option<&'a str>,
    #[schema(required)]
    email: Option<&'a str>,
}
