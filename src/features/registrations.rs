//! Signing up. A new user is signed in at once.
//!
//! Fears: two racing sign-ups with one address (the database's unique index decides, and the loser reads the same
//! as who came late); a flood of them, each costing a bcrypt (limited by client); fields that nobody offered
//! (only the named ones are read).

use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use super::sessions::{Opening, Started, hand_over, transport};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::error::{Error, Invalid, Result};
use crate::http::{Input, Routes, Visit, audit};
use crate::model::{EmailAddress, PasswordDigest, Session, User};
use crate::password::Password;
use crate::store::{Transaction, users};

pub(super) fn routes(routes: &mut Routes) {
    routes.public(Method::POST, "/v1/registrations", create);
}

async fn create(context: web::Data<Context>, visit: Visit, input: Input) -> Result<HttpResponse> {
    if !context.settings.registration.open {
        return Err(Error::Forbidden("Registration is closed"));
    }
    let ticket = transport(&input, &visit)?;
    let SignUp { email_address, password } = SignUp::read(&context, &input)?;
    visit.admit(&context, vec![context.throttle.sign_up(visit.ip)]).await?;

    let words = context.settings.guessable_words(email_address.as_str());
    let digest = context.passwords.hash_choice(password, &words).await?;
    let now = context.clock.now();
    let (opening, token) = Opening::prepare(&context, &visit, false, now)?;
    let database = context.database.clone();
    let (user, session) = audit::see_through(async move {
        let registered =
            database.write(move |tx| register(tx, &email_address, &digest, &opening, now)).await?;
        let (user, session) = registered.ok_or_else(|| {
            Invalid::summary("account_not_created", "There was a problem creating your account")
        })?;
        audit::signed_up(&visit, user.id, session.id);
        Ok((user, session))
    })
    .await?;
    hand_over(HttpResponse::Created(), &context, ticket, &token, &user, &session)
}

/// What a sign-up needs, checked.
struct SignUp {
    email_address: EmailAddress,
    password: Password,
}

impl SignUp {
    /// Refuses wrong types first, then everything else at once.
    fn read(context: &Context, input: &Input) -> Result<Self> {
        let mut invalid = Invalid::default();
        let address = input.text("email_address", &mut invalid);
        let password = input.text("password", &mut invalid);
        let confirmation = input.text("password_confirmation", &mut invalid);
        invalid.clone().into_result()?;

        let password = Password::choose(&context.settings.password, password, confirmation);
        let email_address = invalid.keep(EmailAddress::parse(address.unwrap_or_default()));
        match (email_address, invalid.keep(password)) {
            (Some(email_address), Some(password)) => Ok(Self { email_address, password }),
            _ => Err(invalid.into()),
        }
    }
}

/// Gives `None` when the address is taken.
fn register(
    tx: &Transaction<'_>,
    email_address: &EmailAddress,
    digest: &PasswordDigest,
    opening: &Opening,
    now: Timestamp,
) -> Result<Option<(User, Session)>> {
    let Some(user) = users::insert(tx, email_address, digest, now)? else {
        return Ok(None);
    };
    let Started { session, .. } = opening.start(tx, user.id, now)?;
    Ok(Some((user, session)))
}
