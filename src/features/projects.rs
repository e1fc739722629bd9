//! Projects: the example of a resource that is protected by default and belongs to somebody.
//!
//! Fears: somebody else's project (every query asks whose; a stranger's is as absent as none); a key or
//! token that does more than its scopes name (each route names the one that it asks for); a field that nobody
//! offered (only title and description are read); a page of a million (at most 100, by cursor, and no
//! more text than a reply should hold); an account that fills the disk (so many projects, so many characters).

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::{Project, ProjectId, UserId};
use crate::http::extract::raw_query::{Query, path_id};
use crate::http::{Caller, ClientInfo, Input, Routes};
use crate::store::{Transaction, projects};

const READ: &str = "projects:read";
const WRITE: &str = "projects:write";

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;
const MAX_TITLE_CHARACTERS: usize = 255;
const MAX_DESCRIPTION_CHARACTERS: usize = 4000;
/// So that one account cannot fill the disk.
const MAX_PER_USER: u32 = 1000;
/// A page ends early rather than hold more text than this.
const MAX_PAGE_BYTES: usize = 256 * 1024;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .scoped(Method::GET, "/v1/projects", READ, index)
        .scoped(Method::POST, "/v1/projects", WRITE, create)
        .scoped(Method::GET, "/v1/projects/{id}", READ, show)
        .scoped(Method::PATCH, "/v1/projects/{id}", WRITE, update)
        .scoped(Method::PUT, "/v1/projects/{id}", WRITE, update)
        .scoped(Method::DELETE, "/v1/projects/{id}", WRITE, destroy);
}

async fn index(
    context: web::Data<Context>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let owner = caller.owner()?;
    let Page { before, limit } = Page::read(request.query_string())?;
    // One more than asked for tells whether there is a next page.
    let mut found = context
        .database
        .read(move |reader| projects::list(reader, owner, before, limit + 1))
        .await?;
    let fits = fitting(&found).min(limit as usize);
    let more = found.len() > fits;
    found.truncate(fits);
    let next_cursor = found
        .last()
        .filter(|_| more)
        .map(|last| last.id.0.to_string());
    Ok(HttpResponse::Ok().json(json!({ "projects": found, "next_cursor": next_cursor })))
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    input: Input,
) -> Result<HttpResponse> {
    let (owner, now) = (caller.owner()?, context.clock.now());
    let Draft { title, description } = Draft::read(&input, None)?;
    let project = caller
        .commit(&context, &client, move |tx| {
            projects::insert(tx, owner, &title, description.as_deref(), MAX_PER_USER, now)
        })
        .await?
        .ok_or_else(|| {
            ValidationErrors::summary(
                "too_many_projects",
                "You have as many projects as there may be",
            )
        })?;
    Ok(HttpResponse::Created().json(json!({ "project": project })))
}

async fn show(
    context: web::Data<Context>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (owner, id) = (caller.owner()?, ProjectId(path_id(&id)?));
    let project = context
        .database
        .read(move |reader| projects::find(reader, owner, id))
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "project": project.ok_or(Error::NotFound)? })))
}

/// `PUT` changes what it names and leaves the rest, like `PATCH`, as in Rails.
async fn update(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    id: web::Path<String>,
    input: Input,
) -> Result<HttpResponse> {
    let (owner, id, now) = (
        caller.owner()?,
        ProjectId(path_id(&id)?),
        context.clock.now(),
    );
    let revised = caller
        .commit(&context, &client, move |tx| {
            revise(tx, owner, id, &input, now)
        })
        .await??;
    Ok(HttpResponse::Ok().json(json!({ "project": revised.ok_or(Error::NotFound)? })))
}

/// Gives `Ok(None)` when there is no such project, and the faults when the input cannot be used.
fn revise(
    tx: &Transaction<'_>,
    owner: UserId,
    id: ProjectId,
    input: &Input,
    now: Timestamp,
) -> Result<Result<Option<Project>, ValidationErrors>> {
    let Some(current) = projects::find(tx, owner, id)? else {
        return Ok(Ok(None));
    };
    match Draft::read(input, Some(&current)) {
        Ok(Draft { title, description }) => {
            projects::update(tx, owner, id, &title, description.as_deref(), now).map(Ok)
        }
        Err(invalid) => Ok(Err(invalid)),
    }
}

async fn destroy(
    context: web::Data<Context>,
    client: ClientInfo,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let (owner, id) = (caller.owner()?, ProjectId(path_id(&id)?));
    match caller
        .commit(&context, &client, move |tx| projects::delete(tx, owner, id))
        .await?
    {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Error::NotFound),
    }
}

/// How many of these one page may hold; always one, so that a list comes to its end.
fn fitting(found: &[Project]) -> usize {
    let mut bytes = 0;
    let end = found.iter().position(|project| {
        bytes += project.title.len() + project.description.as_ref().map_or(0, String::len);
        bytes > MAX_PAGE_BYTES
    });
    end.unwrap_or(found.len()).max(1)
}

/// What a project is to be.
struct Draft {
    title: String,
    description: Option<String>,
}

impl Draft {
    /// What the input names, and for the rest what is there already.
    fn read(input: &Input, current: Option<&Project>) -> Result<Self, ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let title = match current {
            Some(current) if !input.has("title") => Some(current.title.as_str()),
            _ => input.text("title", &mut invalid),
        };
        let description = match current {
            Some(current) if !input.has("description") => current.description.as_deref(),
            _ => input.text("description", &mut invalid),
        };
        if invalid
            .faults
            .iter()
            .all(|(attribute, _)| *attribute != "title")
        {
            match title.map(str::trim).unwrap_or_default() {
                "" => invalid.add("title", "can't be blank"),
                text if text.chars().count() > MAX_TITLE_CHARACTERS => {
                    invalid.add(
                        "title",
                        format!("is too long (maximum is {MAX_TITLE_CHARACTERS} characters)"),
                    );
                }
                text if text.contains('\0') => invalid.add("title", "is invalid"),
                _ => {}
            }
        }
        match description.unwrap_or_default() {
            text if text.chars().count() > MAX_DESCRIPTION_CHARACTERS => {
                invalid.add(
                    "description",
                    format!("is too long (maximum is {MAX_DESCRIPTION_CHARACTERS} characters)"),
                );
            }
            text if text.contains('\0') => invalid.add("description", "is invalid"),
            _ => {}
        }
        invalid.into_result()?;
        Ok(Self {
            title: title.map(str::trim).unwrap_or_default().to_owned(),
            description: description.map(str::to_owned),
        })
    }
}

/// Which part of a list is asked for.
struct Page {
    before: ProjectId,
    limit: u32,
}

impl Page {
    fn read(query: &str) -> Result<Self> {
        let query = Query::read(query)?;
        let mut invalid = ValidationErrors::default();
        let mut number = |name: &'static str, default: i64, most: i64| {
            let value = query.one(name)?;
            let number = value
                .map_or(Ok(default), str::parse)
                .ok()
                .filter(|number| (1..=most).contains(number));
            if number.is_none() {
                invalid.add(name, "is invalid");
            }
            Ok::<i64, Error>(number.unwrap_or(default))
        };
        let limit = number("limit", DEFAULT_LIMIT.into(), MAX_LIMIT.into())?;
        let before = number("cursor", i64::MAX, i64::MAX)?;
        invalid.into_result()?;
        Ok(Self {
            before: ProjectId(before),
            limit: u32::try_from(limit).unwrap_or(DEFAULT_LIMIT),
        })
    }
}
