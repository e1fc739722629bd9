//! The `projects` table. Every function asks whose: somebody else's project is as absent as none.

use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{Project, ProjectId, UserId};
use crate::store::{Reader, Row, Transaction};

macro_rules! columns {
    () => {
        "id, title, description, created_at, updated_at"
    };
}

/// Adds a project; `None` when its owner has `most` already.
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

/// One project.
pub fn find(reader: &Reader<'_>, owner: UserId, id: ProjectId) -> Result<Option<Project>> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM projects WHERE user_id = $1 AND id = $2"
    );
    reader.one(sql, &[owner.into(), id.into()], read)
}

/// The newest first, from before `before`.
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

/// Puts a new title and description in the place of the old ones; `None` when there is no such project.
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

/// Deletes a project; `false` when there is no such one.
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
