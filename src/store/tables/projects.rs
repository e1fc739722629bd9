//! The `projects` table. Every function takes the owner: another user's project counts as absent.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Project, ProjectId, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, title, description, created_at, updated_at"
    };
}

/// Adds a project; `None` if its owner has `most`.
pub fn insert(
    tx: &Transaction<'_>,
    owner: UserId,
    title: &str,
    description: Option<&str>,
    most: u32,
    now: Timestamp,
) -> Result<Option<Project>> {
    let sql = concat!(
        "INSERT INTO projects (user_id, title, description, created_at, updated_at) SELECT $1, $2, $3, $4, $4
         WHERE (SELECT count(*) FROM projects WHERE user_id = $1) < $5 RETURNING ",
        columns!()
    );
    tx.one(
        sql,
        &[
            owner.into(),
            title.into(),
            description.into(),
            now.into(),
            most.into(),
        ],
        read,
    )
}

/// A project by its id.
pub fn find(reader: &Reader<'_>, owner: UserId, id: ProjectId) -> Result<Option<Project>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM projects WHERE user_id = $1 AND id = $2"
    );
    reader.one(sql, &[owner.into(), id.into()], read)
}

/// Up to `limit` projects with ids below `before`, the newest first.
pub fn list(
    reader: &Reader<'_>,
    owner: UserId,
    before: ProjectId,
    limit: u32,
) -> Result<Vec<Project>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM projects WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
    );
    reader.all(sql, &[owner.into(), before.into(), limit.into()], read)
}

/// Replaces title and description; `None` if there is no such project.
pub fn update(
    tx: &Transaction<'_>,
    owner: UserId,
    id: ProjectId,
    title: &str,
    description: Option<&str>,
    now: Timestamp,
) -> Result<Option<Project>> {
    let sql = concat!(
        "UPDATE projects SET title = $1, description = $2, updated_at = $3 WHERE user_id = $4 AND id = $5 RETURNING ",
        columns!()
    );
    tx.one(
        sql,
        &[
            title.into(),
            description.into(),
            now.into(),
            owner.into(),
            id.into(),
        ],
        read,
    )
}

/// Deletes a project; `false` if there is no such project.
pub fn delete(tx: &Transaction<'_>, owner: UserId, id: ProjectId) -> Result<bool> {
    Ok(tx.execute(
        "DELETE FROM projects WHERE user_id = $1 AND id = $2",
        &[owner.into(), id.into()],
    )? == 1)
}

fn read(row: &Row<'_>) -> Result<Project> {
    Ok(Project {
        id: row.get(0)?,
        title: row.get(1)?,
        description: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
    })
}
