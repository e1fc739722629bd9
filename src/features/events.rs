//! What happened to the user's own account, from the audit trail.
//!
//! # Threats
//! - another user's events: the statement names the user
//! - an API key or access token that tells where its user is: events have addresses, so they need a session, as the list
//!   of sessions does
//! - what is not the user's to know: address and user agent of an operator are left out
//! - a page of any size: at most 100 events by cursor

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::error::Result;
use crate::domain::{ApiKeyId, SessionId};
use crate::http::page;
use crate::http::{Access, CurrentUser, Query, Route};
use crate::store::audit_events::{self, AuditEvent, Filter, Origin};

/// Bytes of an event without its texts, at most.
const EVENT_BYTES: usize = 512;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/user/events", Access::Session, index)
            .operation("listEvents", "List events of the account")
            .description(
                "Sign-ins, failed ones too, and changes of the account and its credentials, the newest first.",
            )
            .returns::<EventList>(200, "One page"),
    ]
}

async fn index(
    context: web::Data<Context>,
    user: CurrentUser,
    Query(query): Query<ListEvents>,
) -> Result<HttpResponse> {
    let (before, limit) = page::bounds(query.limit, query.cursor)?;
    let filter = Filter {
        user_id: Some(user.id),
        ..Filter::default()
    };
    // One more than requested shows whether there is a next page.
    let mut events = context
        .database
        .read(move |reader| audit_events::list(reader, &filter, before, limit + 1))
        .await?;
    let count = page::count_that_fits(&events, size).min(limit as usize);
    let next_cursor = page::end(&mut events, count, |last| last.id);
    Ok(HttpResponse::Ok().json(EventList {
        events: events.into_iter().map(AccountEvent::of).collect(),
        next_cursor,
    }))
}

/// The bytes of an event in JSON, at most.
fn size(row: &AuditEvent) -> usize {
    let user_agent = row.event.origin.user_agent.as_deref().unwrap_or_default();
    EVENT_BYTES + row.event.told.details.len() + page::LONGEST_ESCAPE * user_agent.len()
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
struct ListEvents {
    /// Maximum number of events.
    #[param(minimum = 1, maximum = 100, default = 50, nullable = false)]
    limit: Option<u32>,
    /// The previous page's `next_cursor`.
    #[param(value_type = Option<String>, nullable = false)]
    cursor: Option<i64>,
}

/// An event of the account.
#[derive(Serialize, ToSchema)]
struct AccountEvent {
    id: i64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened, such as `signed_in`. Clients should expect further kinds.
    event: String,
    /// `success` or `refused`.
    outcome: String,
    /// Who acted: `user`, `api_key`, `operator` or `system`; `null` for a client without a credential.
    #[schema(required)]
    actor: Option<String>,
    #[schema(required, value_type = Option<i64>)]
    session_id: Option<SessionId>,
    #[schema(required, value_type = Option<i64>)]
    api_key_id: Option<ApiKeyId>,
    /// Further fields of the event, such as the `methods` of a sign-in.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// How many refusals alike this event stands for; else 1.
    repeats: i64,
    /// Of the client; `null` for operators, and if there was none.
    #[schema(required)]
    ip_address: Option<String>,
    /// As `ip_address`.
    #[schema(required)]
    user_agent: Option<String>,
    /// Of the request, as in `X-Request-Id`.
    #[schema(required)]
    request_id: Option<String>,
}

impl AccountEvent {
    fn of(row: AuditEvent) -> Self {
        let told = row.event.told;
        let is_operator = told.actor.as_deref() == Some("operator");
        let mut details: Map<String, Value> =
            serde_json::from_str(&told.details).unwrap_or_default();
        // The Unix user and the host of an operator.
        if is_operator {
            details.remove("uid");
            details.remove("host");
        }
        let origin = match is_operator {
            true => Origin::default(),
            false => row.event.origin,
        };
        Self {
            id: row.id,
            at: told.at,
            event: told.kind,
            outcome: told.outcome,
            actor: told.actor,
            session_id: told.session_id,
            api_key_id: told.api_key_id,
            details,
            repeats: told.repeats,
            ip_address: origin.ip_address,
            user_agent: origin.user_agent,
            request_id: told.request_id,
        }
    }
}

/// One page of the account's events.
#[derive(Serialize, ToSchema)]
struct EventList {
    /// The newest first.
    events: Vec<AccountEvent>,
    /// The `cursor` of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}
