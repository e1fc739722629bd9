//! Signing up: `POST /v1/registrations`. A new user is signed in at once, unless their address must be verified first.
//!
//! # Threats
//! - concurrent sign-ups with one address: the unique index decides, and the loser gets the answer of a taken address
//! - a flood of sign-ups, each costing a hash: limited by client
//! - enumeration, where the settings hide who has an account: a free and a taken address get one answer and cost one hash
//!   and as many statements; only the mail differs
//! - a second sign-up that makes the owner verify what a squatter chose: the mail shows the way to a new password instead
//! - rules of an embedding app that reveal accounts: those before a sign-up run for free and taken addresses alike
//! - mass assignment: only the named fields are read

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::authentication::Authentication;
use crate::accounts::new_password::NewPasswords;
use crate::accounts::start_session::{SessionDraft, SessionStart, StartedSession, start_session};
use crate::audit::{Event, Source};
use crate::config::{self, Confirm};
use crate::context::{Change, Context, Hooks, SignUp};
use crate::crypto::password::{HashSlot, Password};
use crate::crypto::token::PlainToken;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{ClientInfo, EmailAddress, Locale, PasswordDigest, Session, User};
use crate::http::error_codes::{ACCOUNT_NOT_CREATED, FORBIDDEN};
use crate::http::session_reply::{SessionView, Transport, carrier, respond_with_session};
use crate::http::{Access, Body, Languages, Message, Route, SecretText, location};
use crate::mail;
use crate::store::{passwords, users};
use crate::throttle::Throttle;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/registrations", Access::Public, create)
            .operation("signUp", "Create an account")
            .description("Also signs in, unless the email address must be verified first.")
            .returns::<SignedUp>(201, "Account created")
            .returns::<Message>(
                202,
                "With `registration.private`: same reply for a taken address",
            )
            .errors(&[FORBIDDEN, ACCOUNT_NOT_CREATED])
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    languages: Languages,
    body: Result<Body<SignUpInput>>,
) -> Result<HttpResponse> {
    let settings = &context.settings.registration;
    if !settings.open {
        return Err(Error::Forbidden("Registration is closed"));
    }
    let Body(input) = body?;
    let carrier = carrier(&context, &client, input.transport)?;
    let (email_address, password) = input.checked(&context)?;
    let limits = vec![context.throttle.sign_up(client.ip)];
    let (slot, admission) = context.admit_hashing(&client, limits).await?;
    let sign_up = SignUp::new(email_address, client);
    let locale = context.locale(&languages.0);
    let registered = register(&context, &slot, sign_up, locale, password);
    let (registered, token) = context.counted(&admission, registered).await?;

    if settings.private {
        // A free and a taken address have cost the same by now, and get the same answer.
        return Ok(HttpResponse::Accepted().json(Message::new("Confirmation instructions sent")));
    }
    let (user, session) = registered.ok_or_else(|| ACCOUNT_NOT_CREATED.refusal())?;
    let mut reply = HttpResponse::Created();
    reply.insert_header(location(&context.settings, "/v1/user"));
    match session.zip(token) {
        Some((session, token)) => {
            respond_with_session(reply, &context, carrier, &token, &user, &session)
        }
        None => Ok(reply.json(SignedUp {
            user: &user,
            token: None,
            expires_at: None,
            session: None,
        })),
    }
}

/// The account and its first session, `None` when the address is taken; and the session's token.
async fn register(
    context: &Arc<Context>,
    slot: &HashSlot,
    sign_up: SignUp,
    locale: Option<Locale>,
    password: Password,
) -> Result<(Option<(User, Option<Session>)>, Option<PlainToken>)> {
    let rules = &context.settings.registration;
    let hooks = &context.hooks;
    hooks.check_sign_up(&context.database, &sign_up).await?;
    let digest = NewPasswords::of(context, slot)
        .digest(password, &sign_up.email_address)
        .await?;
    let now = context.clock.now();
    let (draft, token) = match rules.confirm {
        Confirm::Required => None,
        Confirm::Off | Confirm::Remind => {
            Some(SessionDraft::new(context, &sign_up.client, false, now)?)
        }
    }
    .unzip();
    let source = Source::from(&sign_up.client);
    let registration = Registration {
        sign_up,
        locale,
        digest,
        draft,
        rules: rules.clone(),
        throttle: context.throttle.clone(),
        hooks: hooks.clone(),
    };
    let registered = context.commit(source, move |change| registration.write(change, now));
    Ok((registered.await?, token))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
struct SignUpInput {
    #[schema(format = "email", max_length = 254)]
    email_address: String,
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: SecretText,
    /// Not checked when absent.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password_confirmation: Option<SecretText>,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

impl SignUpInput {
    fn checked(&self, context: &Context) -> Result<(EmailAddress, Password), ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let confirmation = self.password_confirmation.as_ref().map(SecretText::expose);
        let rules = &context.settings.password;
        let password = Password::choose(rules, Some(self.password.expose()), confirmation);
        let address = invalid.keep(EmailAddress::parse(&self.email_address));
        match (address, invalid.keep(password)) {
            (Some(address), Some(password)) => Ok((address, password)),
            _ => Err(invalid),
        }
    }
}

/// A new account and its first session, if it has one yet.
#[derive(Serialize, ToSchema)]
struct SignedUp<'a> {
    user: &'a User,
    /// Absent with `"transport": "cookie"`, and where the address must be verified first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<&'a str>,
    /// Absent where the address must be verified first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    expires_at: Option<Timestamp>,
    /// Absent where the address must be verified first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session: Option<SessionView<'a>>,
}

/// An account to be created.
struct Registration {
    sign_up: SignUp,
    locale: Option<Locale>,
    digest: PasswordDigest,
    /// `None` where the address must be verified first.
    draft: Option<SessionDraft>,
    rules: config::Registration,
    throttle: Throttle,
    hooks: Hooks,
}

impl Registration {
    /// Returns `None` when the address is taken. Enqueues the mail that the settings require.
    fn write(
        &self,
        change: &Change<'_>,
        now: Timestamp,
    ) -> Result<Option<(User, Option<Session>)>> {
        let (address, locale) = (&self.sign_up.email_address, self.locale.as_ref());
        let user = users::insert(change, address, locale, now)?;
        if let Some(user) = &user {
            passwords::insert(change, user.id, &self.digest, now)?;
        }
        let by_address = self.throttle.sign_up_mails(address);
        let admit = || self.throttle.admits(change, &by_address, now);
        match user {
            Some(_) if self.rules.confirm != Confirm::Off => {
                mail::enqueue_link(change, MailKind::Confirmation, address, locale, now, admit)?;
            }
            None if self.rules.private => {
                mail::enqueue_link(
                    change,
                    MailKind::AlreadyRegistered,
                    address,
                    locale,
                    now,
                    admit,
                )?;
            }
            _ => {}
        }
        let Some(user) = user else {
            return Ok(None);
        };
        let started = self.start_session(change, &user, now)?;
        change.record(Event::SignedUp {
            user: user.id,
            session: started.as_ref().map(|started| started.session.id),
        });
        let user = User {
            second_factor_due_at: started.as_ref().and_then(|started| started.enrol_until),
            ..user
        };
        self.hooks.signed_up(change, &self.sign_up, &user)?;
        Ok(Some((user, started.map(|started| started.session))))
    }

    /// Where no session starts, the user signs in by themselves.
    fn start_session(
        &self,
        change: &Change<'_>,
        user: &User,
        now: Timestamp,
    ) -> Result<Option<StartedSession>> {
        let Some(draft) = &self.draft else {
            return Ok(None);
        };
        let authentication = Authentication::by_password(user.id, self.digest.clone(), now);
        match start_session(change, &authentication, draft, now)? {
            SessionStart::Session(started) => Ok(Some(started)),
            SessionStart::SecondFactorDue(_)
            | SessionStart::EnrolmentOverdue
            | SessionStart::Outdated => Ok(None),
        }
    }
}
