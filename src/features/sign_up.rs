//! Signing up. A new user is signed in at once, unless their address has to be confirmed first.
//!
//! Fears: two racing sign-ups with one address (the database's unique index decides, and the loser reads the same
//! as who came late); a flood of them, each costing a bcrypt (limited by client); telling who has an account, where that
//! is private (one reply, one bcrypt and as many statements for a free address as for a taken one; only the mail differs);
//! a second sign-up that makes the owner confirm what a squatter chose (they are mailed the way to a new password, not a
//! confirmation); fields that nobody offered (only the named ones are read).

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::sessions::{SessionStart, StartedSession, respond_with_session, transport};
use crate::audit::Event;
use crate::config::{self, Confirm};
use crate::context::{Change, Context};
use crate::crypto::password::Password;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{EmailAddress, PasswordDigest, Session, User};
use crate::http::{ClientInfo, Input, Routes};
use crate::mail;
use crate::store::users;
use crate::throttle::Throttle;

pub(super) fn routes(routes: &mut Routes) {
    routes.public(Method::POST, "/v1/registrations", create);
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    input: Input,
) -> Result<HttpResponse> {
    let settings = &context.settings.registration;
    if !settings.open {
        return Err(Error::Forbidden("Registration is closed"));
    }
    let carrier = transport(&context, &client, &input)?;
    let SignUp {
        email_address,
        password,
    } = SignUp::read(&context, &input)?;
    let limits = vec![context.throttle.sign_up(client.ip)];
    context.admit(&client, limits).await?;

    let words = context.settings.guessable_words(email_address.as_str());
    let digest = context.passwords.hash_choice(password, &words).await?;
    let now = context.clock.now();
    let private = settings.private;
    let opening = match settings.confirm {
        Confirm::Required => None,
        Confirm::Off | Confirm::Remind => {
            Some(SessionStart::prepare(&context, &client, false, now)?)
        }
    };
    let (opening, token) = opening.unzip();
    let (rules, throttle) = (settings.clone(), context.throttle.clone());
    let registered = context.commit(&client, move |change| {
        register(
            change,
            &rules,
            &throttle,
            &email_address,
            &digest,
            opening.as_ref(),
            now,
        )
    });
    let registered = registered.await?;

    if private {
        // Only now: a free address and a taken one have cost the same, and are answered alike.
        return Ok(
            HttpResponse::Accepted().json(json!({ "message": "Confirmation instructions sent" }))
        );
    }
    let (user, session) = registered.ok_or_else(|| {
        ValidationErrors::summary(
            "account_not_created",
            "There was a problem creating your account",
        )
    })?;
    match session.zip(token) {
        Some((session, token)) => respond_with_session(
            HttpResponse::Created(),
            &context,
            carrier,
            &token,
            &user,
            &session,
        ),
        None => Ok(HttpResponse::Created().json(json!({ "user": user }))),
    }
}

/// What a sign-up needs, checked.
struct SignUp {
    email_address: EmailAddress,
    password: Password,
}

impl SignUp {
    /// Refuses wrong types first, then everything else at once.
    fn read(context: &Context, input: &Input) -> Result<Self> {
        let mut invalid = ValidationErrors::default();
        let address = input.text("email_address", &mut invalid);
        let password = input.text("password", &mut invalid);
        let confirmation = input.text("password_confirmation", &mut invalid);
        invalid.clone().into_result()?;

        let password = Password::choose(&context.settings.password, password, confirmation);
        let email_address = invalid.keep(EmailAddress::parse(address.unwrap_or_default()));
        match (email_address, invalid.keep(password)) {
            (Some(email_address), Some(password)) => Ok(Self {
                email_address,
                password,
            }),
            _ => Err(invalid.into()),
        }
    }
}

/// Gives `None` when the address is taken. Asks for the mail that the settings want, and starts a session if there is an
/// opening for one.
fn register(
    change: &Change<'_>,
    rules: &config::Registration,
    throttle: &Throttle,
    email_address: &EmailAddress,
    digest: &PasswordDigest,
    opening: Option<&SessionStart>,
    now: Timestamp,
) -> Result<Option<(User, Option<Session>)>> {
    let user = users::insert(change, email_address, digest, now)?;
    let by_address = throttle.sign_up_mails(email_address.as_str());
    let admit = || throttle.admits(change, &by_address, now);
    match user {
        Some(_) if rules.confirm != Confirm::Off => {
            mail::enqueue_link(change, MailKind::Confirmation, email_address, now, admit)?;
        }
        None if rules.private => mail::enqueue_link(
            change,
            MailKind::AlreadyRegistered,
            email_address,
            now,
            admit,
        )?,
        _ => {}
    }
    let Some(user) = user else {
        return Ok(None);
    };
    let started = opening
        .map(|opening| opening.start(change, user.id, now))
        .transpose()?;
    let session = started.map(|StartedSession { session, .. }| session);
    change.record(Event::SignedUp {
        user: user.id,
        session: session.as_ref().map(|session| session.id),
    });
    Ok(Some((user, session)))
}
