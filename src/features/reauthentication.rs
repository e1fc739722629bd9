//! Proving again who one is: `POST /v1/session/reauthenticate`. For 15 minutes after, sensitive changes on the session
//! need no `password_challenge`. The rules are in [`accounts::reauthentication`](crate::accounts::reauthentication).

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::mail_code::PresentedCode;
use crate::accounts::reauthentication::{PasswordChallenge, Reauthentication};
use crate::accounts::second_factor::Offered;
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::webauthn::AuthenticationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Result, ValidationErrors};
use crate::domain::{Account, ClientInfo, Session};
use crate::http::error_codes::PASSKEY_UNKNOWN;
use crate::http::session_reply::{SignedIn, respond_with_rotated};
use crate::http::{Access, Body, CurrentSession, CurrentUser, Route, SecretText, filled_in};
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
            .errors(&[PASSKEY_UNKNOWN])
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
    let offered = input.offered(&context)?;
    let mut methods = current.auth_methods.clone();
    if let Reauthentication::SecondFactor(factor) = &offered {
        methods = methods.with_second_factor(factor.method());
    }
    let reauthenticated = offered
        .verify(&context, &client, current.standing())
        .await?;
    let id = current.id;
    let stored = methods.clone();
    let record = move |change: &Change<'_>, account: &Account, now: Timestamp| {
        sessions::set_reauthenticated(change, id, Some(now))?;
        sessions::set_auth_methods(change, id, &stored)?;
        change.record(Event::Reauthenticated {
            user: account.user.id,
            session: id,
        });
        Ok(now)
    };
    let rotated =
        reauthenticated.commit_and_rotate(&context, &client, *current.presented(), record);
    let (token, authenticated_at) = rotated.await?;
    let session = Session {
        auth_methods: methods,
        authenticated_at,
        ..Session::clone(&current)
    };
    respond_with_rotated(&context, (&current, session), &token, &user)
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
    /// What a passkey of the user returned for the options of `POST /v1/session/passkey/options`.
    #[schema(nullable = false)]
    passkey: Option<AuthenticationResponse>,
}

impl ProofInput {
    fn offered(&self, context: &Context) -> Result<Reauthentication<'_>, ValidationErrors> {
        let fields = [
            &self.password,
            &self.totp_code,
            &self.recovery_code,
            &self.mail_code,
        ];
        let [password, totp_code, recovery_code, mail_code] =
            fields.map(|field| filled_in(field.as_ref()));
        let mail_code = mail_code.filter(|_| context.settings.sign_in.mail_code);
        Ok(
            match (password, totp_code, recovery_code, mail_code, &self.passkey) {
                (password, None, None, None, None) => {
                    Reauthentication::Password(PasswordChallenge::now("password", password)?)
                }
                (None, Some(code), None, None, None) => {
                    Reauthentication::SecondFactor(Offered::totp_code(code))
                }
                (None, None, Some(code), None, None) => {
                    Reauthentication::SecondFactor(Offered::recovery_code(code))
                }
                (None, None, None, Some(code), None) => {
                    let request = self.request_token.as_ref().map_or("", SecretText::expose);
                    Reauthentication::MailCode(PresentedCode::new(request, code))
                }
                (None, None, None, None, Some(response)) => {
                    Reauthentication::SecondFactor(Offered::Passkey(response))
                }
                _ => {
                    let message = "can't be sent with another proof";
                    return Err(ValidationErrors::field("password", message));
                }
            },
        )
    }
}
