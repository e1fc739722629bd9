//! Projects: the example of a resource that belongs to its user.
//!
//! # Threats
//! - another user's project: every query names the owner, and theirs is not found
//! - a credential beyond its scopes: each route names the scope that it needs
//! - mass assignment: only title and description are read
//! - a page of any size: at most 100 projects by cursor, and no more text than a reply should hold
//! - an account that fills the disk: limits on the number of projects and the length of their texts
//! - an account, or a network of many, that keeps the writer busy: writes are limited by user and by client network,
//!   including those that change nothing

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::one_line;
use crate::domain::{ClientInfo, Project, ProjectId, UserId};
use crate::http::error_codes::TOO_MANY_PROJECTS;
use crate::http::page;
use crate::http::{Access, Body, Caller, Patch, PathId, Query, Route, location};
use crate::store::projects;

const READ: &str = "projects:read";
const WRITE: &str = "projects:write";

const MAX_DESCRIPTION_CHARACTERS: usize = 4000;
/// So that one account cannot fill the disk.
const MAX_PER_USER: u32 = 1000;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/projects", Access::Scope(READ), index)
            .operation("listProjects", "List projects")
            .returns::<ProjectList>(200, "One page"),
        Route::post("/v1/projects", Access::Scope(WRITE), create)
            .operation("createProject", "Create a project")
            .returns::<ShownProject>(201, "The new project")
            .errors(&[TOO_MANY_PROJECTS])
            .rate_limited(),
        Route::get("/v1/projects/{id}", Access::Scope(READ), show)
            .operation("showProject", "Get a project")
            .returns::<ShownProject>(200, "The project"),
        Route::patch("/v1/projects/{id}", Access::Scope(WRITE), update)
            .operation("updateProject", "Update a project")
            .returns::<ShownProject>(200, "The updated project")
            .rate_limited(),
        Route::put("/v1/projects/{id}", Access::Scope(WRITE), update)
            .operation("replaceProject", "Update a project")
            .description("Like `PATCH`: absent fields keep their values.")
            .returns::<ShownProject>(200, "The updated project")
            .rate_limited(),
        Route::delete("/v1/projects/{id}", Access::Scope(WRITE), destroy)
            .operation("deleteProject", "Delete a project")
            .returns_no_body(204, "Project deleted")
            .rate_limited(),
    ]
}

async fn index(
    context: web::Data<Context>,
    caller: Caller,
    Query(query): Query<ListProjects>,
) -> Result<HttpResponse> {
    let owner = caller.owner()?;
    let (before, limit) = page::bounds(query.limit, query.cursor)?;
    // One more than requested shows whether there is a next page.
    let mut projects = context
        .database
        .read(move |reader| projects::list(reader, owner, ProjectId(before), limit + 1))
        .await?;
    let count = count_that_fits(&projects).min(limit as usize);
    let next_cursor = page::end(&mut projects, count, |last| last.id.0);
    Ok(HttpResponse::Ok().json(ProjectList {
        projects,
        next_cursor,
    }))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    Body(input): Body<ProjectInput>,
) -> Result<HttpResponse> {
    let input = input.checked()?;
    let inserted = write(&context, &client, &caller, move |change, owner, now| {
        let description = input.description.as_deref();
        projects::insert(change, owner, &input.title, description, MAX_PER_USER, now)
    });
    let project = inserted.await?.ok_or_else(|| TOO_MANY_PROJECTS.refusal())?;
    let path = format!("/v1/projects/{}", project.id.0);
    Ok(HttpResponse::Created()
        .insert_header(location(&context.settings, &path))
        .json(ShownProject { project }))
}

async fn show(context: web::Data<Context>, caller: Caller, id: PathId) -> Result<HttpResponse> {
    let (owner, id) = (caller.owner()?, ProjectId(id.0));
    let project = context
        .database
        .read(move |reader| projects::find(reader, owner, id))
        .await?
        .ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().json(ShownProject { project }))
}

/// `PUT` changes the fields that it names and leaves the rest, like `PATCH`, as in Rails.
async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    id: PathId,
    Body(changes): Body<ProjectChangesInput>,
) -> Result<HttpResponse> {
    let id = ProjectId(id.0);
    let updated = write(&context, &client, &caller, move |change, owner, now| {
        let Some(current) = projects::find(change, owner, id)? else {
            return Ok(Ok(None));
        };
        match changes.clone().applied_to(current).checked() {
            Ok(input) => {
                let description = input.description.as_deref();
                projects::update(change, owner, id, &input.title, description, now).map(Ok)
            }
            Err(invalid) => Ok(Err(invalid)),
        }
    });
    let project = updated.await??.ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().json(ShownProject { project }))
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    id: PathId,
) -> Result<HttpResponse> {
    let id = ProjectId(id.0);
    let deleted = write(&context, &client, &caller, move |change, owner, _| {
        projects::delete(change, owner, id)
    });
    match deleted.await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Error::NotFound),
    }
}

/// Commits a write of the caller's user, counted against the limits in the same transaction. What `work` refuses must be
/// an outcome: an error would undo the count.
async fn write<T: Send + 'static>(
    context: &Arc<Context>,
    client: &ClientInfo,
    caller: &Caller,
    mut work: impl FnMut(&Change<'_>, UserId, Timestamp) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (owner, now) = (caller.owner()?, context.clock.now());
    let throttle = context.throttle.clone();
    let limits = [
        throttle.project_writes(owner),
        throttle.project_writes_of_client(client.ip),
    ];
    let written = caller.commit(context, client, move |change| {
        throttle.within(change, &limits, now, || work(change, owner, now))
    });
    written
        .await?
        .map_err(|throttled| context.throttled(client, throttled))
}

/// As [`page::count_that_fits`].
fn count_that_fits(projects: &[Project]) -> usize {
    let length = |project: &Project| {
        project.title.len() + project.description.as_ref().map_or(0, String::len)
    };
    // Most pages are far from the limit, whatever has to be escaped.
    if projects.iter().map(length).sum::<usize>() * page::LONGEST_ESCAPE <= page::MAX_BYTES {
        return projects.len();
    }
    page::count_that_fits(projects, |project| {
        json_length(&project.title) + project.description.as_deref().map_or(0, json_length)
    })
}

/// The length of a text as JSON, where a control character takes six bytes.
fn json_length(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => page::LONGEST_ESCAPE,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
struct ListProjects {
    /// Maximum number of projects.
    #[param(minimum = 1, maximum = 100, default = 50, nullable = false)]
    limit: Option<u32>,
    /// The previous page's `next_cursor`.
    #[param(value_type = Option<String>, nullable = false)]
    cursor: Option<i64>,
}

/// A new project.
#[derive(Clone, Deserialize, ToSchema)]
struct ProjectInput {
    #[schema(max_length = 255)]
    title: String,
    #[schema(max_length = 4000)]
    description: Option<String>,
}

impl ProjectInput {
    /// With the title trimmed.
    fn checked(self) -> Result<Self, ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let title = invalid.keep(one_line::parse_required("title", &self.title));
        let title = title.unwrap_or_default().to_owned();
        check_description(self.description.as_deref(), &mut invalid);
        invalid.into_result().map(|()| Self { title, ..self })
    }
}

fn check_description(text: Option<&str>, invalid: &mut ValidationErrors) {
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_DESCRIPTION_CHARACTERS {
        let message = format!("is too long (maximum is {MAX_DESCRIPTION_CHARACTERS} characters)");
        invalid.add("description", message);
    } else if text.contains('\0') {
        invalid.add("description", "is invalid");
    }
}

/// Changes to a project; absent fields keep their values.
#[derive(Clone, Deserialize, ToSchema)]
struct ProjectChangesInput {
    #[schema(value_type = Option<String>, nullable = false, max_length = 255)]
    title: Patch<String>,
    #[schema(value_type = Option<String>, max_length = 4000)]
    description: Patch<String>,
}

impl ProjectChangesInput {
    fn applied_to(self, current: Project) -> ProjectInput {
        ProjectInput {
            title: self.title.or(|| Some(current.title)).unwrap_or_default(),
            description: self.description.or(|| current.description),
        }
    }
}

/// One project.
#[derive(Serialize, ToSchema)]
struct ShownProject {
    project: Project,
}

/// One page of the user's projects.
#[derive(Serialize, ToSchema)]
struct ProjectList {
    /// The newest first.
    projects: Vec<Project>,
    /// The `cursor` of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}
