//! Signing up: `POST /v1/registrations`. A new user is signed in at once, unless their address must be verified first.
//!
//! # Threats
//! - concurrent sign-ups with one address: the unique index decides, and the loser gets the answer of a taken address
//! - a flood of sign-ups, each costing a hash: limited by client
//! - enumeration, where the settings hide who has an account: a free and a taken address get one answer and cost one hash
//!   and as many statements; only the mail differs
//! - a second sign-up that makes the owner verify what a squatter chose: the mail shows the way to a new password instead
//! - rules of an embedding app that reveal accounts: those before a sign-up run for free and taken addresses alike
//! - enumeration by a passkey that is registered already: it is refused before the address is looked at
//! - a passkey for one address used for another: its challenge is bound to the address
//! - mass assignment: only the named fields are read

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::authentication::Authentication;
use crate::accounts::new_password::NewPasswords;
use crate::accounts::passkeys::{VerifiedRegistration, refused_field, verify_registration};
use crate::accounts::start_session::{SessionDraft, SessionStart, StartedSession, start_session};
use crate::audit::{Event, Source};
use crate::config::{self, Confirm};
use crate::context::{Change, Context, Hooks, SignUp};
use crate::crypto::passkey_challenge::{Ceremony, Challenge};
use crate::crypto::password::{HashSlot, Password};
use crate::crypto::token::PlainToken;
use crate::crypto::webauthn::RegistrationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{ClientInfo, EmailAddress, Locale, PasswordDigest, Session, User, UserId};
use crate::http::error_codes::{ACCOUNT_NOT_CREATED, FORBIDDEN};
use crate::http::passkey_options::{CreationOptions, NewUser};
use crate::http::session_reply::{SessionView, Transport, carrier, respond_with_session};
use crate::http::{
    Access, AddressInput, Body, Languages, Message, Route, SecretText, filled_in, location,
};
use crate::mail;
use crate::store::{passwords, users};
use crate::throttle::Throttle;

/// The field of a new passkey.
const PASSKEY: &str = "passkey";

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
        Route::post("/v1/registrations/passkey/options", Access::Public, start)
            .operation("startPasskeySignUp", "Start to create an account with a passkey")
            .description(
                "Returns the options for `navigator.credentials.create`, the same for a taken address. `POST \
                 /v1/registrations` takes what the browser returns as `passkey`, for the same address within five minutes.",
            )
            .returns::<CreationOptions<'_>>(200, "Options for the browser")
            .errors(&[FORBIDDEN]),
    ]
}

async fn start(
    context: web::Data<Context>,
    body: Result<Body<AddressInput>>,
) -> Result<HttpResponse> {
    refuse_closed(&context)?;
    let Body(input) = body?;
    let address = input.parse()?;
    let ceremony = Ceremony::SignUp(&address);
    let challenge = Challenge::issue(&context.key_ring, ceremony, context.clock.now())?;
    let new_user = NewUser {
        handle: challenge.handle(),
        email_address: address.as_str(),
        name: None,
        passkeys: &[],
    };
    let options = CreationOptions::new(&context, &challenge, &new_user)?;
    Ok(HttpResponse::Ok().json(options))
}

fn refuse_closed(context: &Context) -> Result<()> {
    match context.settings.registration.open {
        true => Ok(()),
        false => Err(Error::Forbidden("Registration is closed")),
    }
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    languages: Languages,
    body: Result<Body<SignUpInput>>,
) -> Result<HttpResponse> {
    refuse_closed(&context)?;
    let Body(input) = body?;
    let carrier = carrier(&context, &client, input.transport)?;
    let (email_address, offered) = input.checked(&context, &client)?;
    let limits = vec![context.throttle.sign_up(client.ip)];
    let (offered, admission) = match offered {
        Offered::Password(password) => {
            let (slot, admission) = context.admit_hashing(&client, limits).await?;
            (Admitted::Password(password, slot), admission)
        }
        Offered::Passkey(verified) => {
            let admission = context.admit(&client, limits).await?;
            (Admitted::Passkey(verified), admission)
        }
    };
    let sign_up = SignUp::new(email_address, client);
    let locale = context.locale(&languages.0);
    let registered = register(&context, sign_up, locale, offered);
    let (registered, token) = context.counted(&admission, registered).await?;
    let registered = match registered {
        Registered::Done(registered) => Some(*registered),
        Registered::Taken => None,
        Registered::PasskeyRefused => return Err(refused_field(PASSKEY).into()),
    };

    if context.settings.registration.private {
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

/// The account and its first session; and the session's token.
async fn register(
    context: &Arc<Context>,
    sign_up: SignUp,
    locale: Option<Locale>,
    offered: Admitted,
) -> Result<(Registered, Option<PlainToken>)> {
    let rules = &context.settings.registration;
    let hooks = &context.hooks;
    hooks.check_sign_up(&context.database, &sign_up).await?;
    let credential = match offered {
        Admitted::Password(password, slot) => {
            let passwords = NewPasswords::of(context, &slot);
            Credential::Password(passwords.digest(password, &sign_up.email_address).await?)
        }
        Admitted::Passkey(verified) => Credential::Passkey(verified),
    };
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
        credential,
        draft,
        rules: rules.clone(),
        throttle: context.throttle.clone(),
        hooks: hooks.clone(),
    };
    let registered = context.commit(source, move |change| registration.write(change, now));
    Ok((registered.await?, token))
}

/// What the user will sign in with.
enum Offered {
    Password(Password),
    Passkey(Box<VerifiedRegistration>),
}

/// The same, counted; a password with its place in the queue of hashes.
enum Admitted {
    Password(Password, HashSlot),
    Passkey(Box<VerifiedRegistration>),
}

/// A new account.
#[derive(Deserialize, ToSchema)]
struct SignUpInput {
    #[schema(format = "email", max_length = 254)]
    email_address: String,
    /// Needed without `passkey`.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password: Option<SecretText>,
    /// Not checked when absent.
    #[schema(value_type = Option<String>, format = Password, nullable = false, max_length = 256)]
    password_confirmation: Option<SecretText>,
    /// In place of `password`.
    #[schema(nullable = false)]
    passkey: Option<NewPasskeyInput>,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

/// The passkey of a new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignUpPasskeyInput)]
struct NewPasskeyInput {
    /// What the browser returned for the options of `POST /v1/registrations/passkey/options`.
    credential: RegistrationResponse,
    /// "Passkey" when absent or blank.
    #[schema(max_length = 255, nullable = false)]
    name: Option<String>,
}

impl SignUpInput {
    fn checked(
        &self,
        context: &Context,
        client: &ClientInfo,
    ) -> Result<(EmailAddress, Offered), ValidationErrors> {
        let mut invalid = ValidationErrors::default();
        let address = invalid.keep(EmailAddress::parse(&self.email_address));
        let password = filled_in(self.password.as_ref());
        let offered = match (&self.passkey, password, &address) {
            (None, password, _) => {
                let confirmation = self.password_confirmation.as_ref().map(SecretText::expose);
                let rules = &context.settings.password;
                let chosen = Password::choose(rules, password, confirmation);
                invalid.keep(chosen).map(Offered::Password)
            }
            (Some(_), Some(_), _) => {
                invalid.add(PASSKEY, "can't be sent with a password");
                None
            }
            (Some(new), None, Some(address)) => {
                let new = (&new.credential, new.name.as_deref());
                let ceremony = Ceremony::SignUp(address);
                let verified = verify_registration(context, client, ceremony, PASSKEY, new);
                invalid
                    .keep(verified)
                    .map(|new| Offered::Passkey(Box::new(new)))
            }
            (Some(_), None, None) => None,
        };
        match (address, offered) {
            (Some(address), Some(offered)) => Ok((address, offered)),
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
    credential: Credential,
    /// `None` where the address must be verified first.
    draft: Option<SessionDraft>,
    rules: config::Registration,
    throttle: Throttle,
    hooks: Hooks,
}

/// What the user will sign in with.
enum Credential {
    Password(PasswordDigest),
    Passkey(Box<VerifiedRegistration>),
}

/// What came of a registration.
enum Registered {
    Done(Box<(User, Option<Session>)>),
    /// The address is taken.
    Taken,
    PasskeyRefused,
}

impl Registration {
    /// Enqueues the mail that the settings require.
    fn write(&self, change: &Change<'_>, now: Timestamp) -> Result<Registered> {
        if let Credential::Passkey(verified) = &self.credential
            && !verified.claim(change, &self.throttle, None, now)?
        {
            return Ok(Registered::PasskeyRefused);
        }
        let (address, locale) = (&self.sign_up.email_address, self.locale.as_ref());
        let user = users::insert(change, address, locale, now)?;
        if let Some(user) = &user {
            self.credential.insert(change, user.id, now)?;
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
            return Ok(Registered::Taken);
        };
        let started = self.start_session(change, &user, now)?;
        change.record(Event::SignedUp {
            user: user.id,
            session: started.as_ref().map(|started| started.session.id),
        });
        let (user, session) = match started {
            Some(started) => (started.user, Some(started.session)),
            None => (user, None),
        };
        self.hooks.signed_up(change, &self.sign_up, &user)?;
        Ok(Registered::Done(Box::new((user, session))))
    }

    /// Where no session starts, the user signs in by themselves.
    fn start_session(
        &self,
        change: &Change<'_>,
        user: &User,
        now: Timestamp,
    ) -> Result<Option<Box<StartedSession>>> {
        let Some(draft) = &self.draft else {
            return Ok(None);
        };
        let authentication = match &self.credential {
            Credential::Password(digest) => {
                Authentication::by_password(user.id, digest.clone(), now)
            }
            Credential::Passkey(_) => Authentication::by_passkey(user.id, now),
        };
        match start_session(change, &authentication, draft, now)? {
            SessionStart::Session(started) => Ok(Some(started)),
            SessionStart::SecondFactorDue(_)
            | SessionStart::EnrolmentOverdue
            | SessionStart::Outdated => Ok(None),
        }
    }
}

impl Credential {
    fn insert(&self, change: &Change<'_>, user: UserId, now: Timestamp) -> Result<()> {
        match self {
            Self::Password(digest) => passwords::insert(change, user, digest, now).map(drop),
            Self::Passkey(verified) => verified.insert_first(change, user, now),
        }
    }
}
