//! Proving again who one is: `POST /v1/session/reauthenticate`. For 15 minutes after, sensitive changes on the session
//! need no `password_challenge`. The rules are in [`accounts::reauthentication`](crate::accounts::reauthentication).

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::mail_code::PresentedCode;
use crate::accounts::reauthentication::{PasswordChallenge, Reauthentication};
use crate::accounts::second_factor::Presented;
use crate::audit::Event;
use crate::config::Settings;
use crate::context::{Change, Context};
use crate::domain::clock::Timestamp;
use crate::domain::error::{Result, ValidationErrors};
use crate::domain::{Account, AuthMethod, ClientInfo};
use crate::http::session_reply::{SignedIn, respond_with_rotated};
use crate::http::{Access, Body, CurrentSession, CurrentUser, Route, SecretText};
use crate::store::sessions;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/reauthenticate", Access::Session, create)
            .operation("reauthenticate", "Reauthenticate")
            .description(
                "For 15 minutes, sensitive changes on this session need no `password_challenge`. Revokes the session's \
                 token and returns a new one, by the same transport. Also revokes the session's refresh tokens; access \
                 tokens stay valid until they expire.",
            )
            .returns::<SignedIn>(200, "Session with its new token")
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    user: CurrentUser,
    current: CurrentSession,
    Body(input): Body<ProofInput>,
) -> Result<HttpResponse> {
    let offered = input.offered(&context.settings)?;
    let mut methods = current.auth_methods.clone();
    if let Reauthentication::SecondFactor(_) = &offered {
        methods = methods.with_second_factor(AuthMethod::OneTimeCode);
    }
    let reauthenticated = offered
        .verify(&context, &client, current.standing())
        .await?;
    let id = current.id;
    let record = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        sessions::set_reauthenticated(change, id, Some(now))?;
        sessions::set_auth_methods(change, id, &methods)?;
        change.record(Event::Reauthenticated {
            user: account.user.id,
            session: id,
        });
        Ok(())
    };
    let rotated =
        reauthenticated.commit_and_rotate(&context, &client, *current.presented(), record);
    let (token, ()) = rotated.await?;
    respond_with_rotated(&context, &current, &token, &user)
}

/// One of the proofs.
#[derive(Deserialize, ToSchema)]
struct ProofInput {
    /// The current password.
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    password: Option<SecretText>,
    /// Six digits that the authenticator app shows.
    #[schema(value_type = Option<String>, nullable = false)]
    totp_code: Option<SecretText>,
    /// A recovery code; it works once.
    #[schema(value_type = Option<String>, nullable = false)]
    recovery_code: Option<SecretText>,
    /// Eight digits from a mail, for a user without a password and a second factor, where `sign_in.mail_code` is true.
    #[schema(value_type = Option<String>, nullable = false)]
    mail_code: Option<SecretText>,
    /// From the reply to the request for the mail; it belongs to `mail_code`.
    #[schema(value_type = Option<String>, nullable = false)]
    request_token: Option<SecretText>,
}

impl ProofInput {
    fn offered(&self, settings: &Settings) -> Result<Reauthentication, ValidationErrors> {
        let fields = [
            &self.password,
            &self.totp_code,
            &self.recovery_code,
            &self.mail_code,
        ];
        let [password, totp_code, recovery_code, mail_code] = fields
            .map(|field| field.as_ref().map(SecretText::expose))
            // An empty text is none: a form sends an input that was left empty.
            .map(|text| text.filter(|text| !text.is_empty()));
        let mail_code = mail_code.filter(|_| settings.sign_in.mail_code);
        match (password, totp_code, recovery_code, mail_code) {
            (password, None, None, None) => {
                PasswordChallenge::now("password", password).map(Reauthentication::Password)
            }
            (None, Some(code), None, None) => {
                Ok(Reauthentication::SecondFactor(Presented::totp_code(code)))
            }
            (None, None, Some(code), None) => Ok(Reauthentication::SecondFactor(
                Presented::recovery_code(code),
            )),
            (None, None, None, Some(code)) => {
                let request = self.request_token.as_ref().map_or("", SecretText::expose);
                let presented = PresentedCode::new(request, code);
                Ok(Reauthentication::MailCode(presented))
            }
            _ => Err(ValidationErrors::field(
                "password",
                "can't be sent with another proof",
            )),
        }
    }
}
