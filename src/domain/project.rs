//! Projects: the example of a resource that belongs to a user.

use serde::Serialize;
use utoipa::ToSchema;

use super::clock::Timestamp;

/// The id of a project, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ProjectId(pub i64);

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Project {
    /// The id.
    #[schema(value_type = i64, minimum = 1)]
    pub id: ProjectId,
    /// One line of at most 255 characters.
    pub title: String,
    /// Free text.
    #[schema(required)]
    pub description: Option<String>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}
