//! Identities of users at other providers.

use serde::Serialize;
use utoipa::ToSchema;

use super::clock::Timestamp;

/// The id of an identity, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct IdentityId(pub i64);

/// An identity that is linked to a user, as the user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkedIdentity {
    /// The id.
    #[schema(value_type = i64, minimum = 1)]
    pub id: IdentityId,
    /// The id of the provider, as `GET /v1/providers` lists it.
    pub provider: String,
    /// The address that the provider stated last.
    #[schema(required)]
    pub email: Option<String>,
    /// When it was linked.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last signed the user in.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
}
