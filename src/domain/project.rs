//! Projects: the example of a resource that belongs to a user.

use serde::Serialize;

use super::clock::Timestamp;

/// The id of a project, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ProjectId(pub i64);

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// One line of at most 255 characters.
    pub title: String,
    /// Free text.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
