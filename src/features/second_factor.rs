//! The second step of a sign-in: `POST /v1/session/second_factor`; and the list of a user's second factors.
//!
//! # Threats
//! - guessing: five tries for each pending sign-in, and limits by user over all of them, in a quarter of an hour and in a
//!   month
//! - an attacker who uses up the owner's tries: codes are counted only behind the right password, and a recovery code is
//!   never limited
//! - a code that is used twice, or twenty times at once: see [`accounts::second_factor`](crate::accounts::second_factor)
//! - a pending sign-in used as a credential: its token has a prefix of its own, which no other route accepts
//! - an attacker who knows the password and guesses codes: the owner is notified by mail
//! - a flood of answers of passkeys: they are looked up and verified only behind a valid pending sign-in, and each
//!   counts as a try, also one whose passkey is unknown
//! - a password that was changed, or an account that was disabled meanwhile: the sign-in ends with them
//! - a failure of the server that costs the user a try: the try is counted in the transaction that verifies it

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::authentication::Authentication;
use crate::accounts::second_factor::{Offered, Presented, SecondFactors};
use crate::accounts::start_session::{SessionDraft, SessionStart, StartedSession, start_session};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::crypto::token::{PlainToken, TokenKind};
use crate::crypto::webauthn::AuthenticationResponse;
use crate::domain::clock::Timestamp;
use crate::domain::error::{Error, Result, ValidationErrors};
use crate::domain::mail_kind::MailKind;
use crate::domain::{ClientInfo, TokenDigest, UserId};
use crate::http::error_codes::{
    INVALID_CODE, PASSKEY_INVALID, PASSKEY_UNKNOWN, PENDING_SIGN_IN_INVALID,
};
use crate::http::session_reply::{SignedIn, Transport, carrier, respond_with_session};
use crate::http::{Access, Body, CurrentUser, Route, SecretText, filled_in};
use crate::mail::{self, Notice};
use crate::store::{passkeys, pending_sign_ins, recovery_codes, totp_factors, users};
use crate::throttle::{Admission, Limit};

/// Second factors that may be tried in one sign-in.
const MAX_TRIES: u32 = 5;
/// At this many wrong codes in a window of the limit the owner is notified: their sender knows the password.
const REPORTED_FAILURES: u32 = 3;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/session/second_factor", Access::Public, create)
            .operation("presentSecondFactor", "Finish a sign-in with a second factor")
            .description(
                "Takes the `pending_token` of a 401 `second_factor_required` and one of `totp_code`, `recovery_code` and \
                 `passkey`. A pending sign-in is valid for ten minutes and five tries.",
            )
            .returns::<SignedIn>(200, "Session started")
            .errors(&[
                PENDING_SIGN_IN_INVALID,
                INVALID_CODE,
                PASSKEY_INVALID,
                PASSKEY_UNKNOWN,
            ])
            .rate_limited(),
        Route::get("/v1/user/factors", Access::Session, index)
            .operation("listSecondFactors", "List second factors")
            .returns::<FactorList>(200, "The second factors"),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    Body(input): Body<SecondFactorInput>,
) -> Result<HttpResponse> {
    let carrier = carrier(&context, &client, input.transport)?;
    let offered = input.offered()?;
    let (token, now) = (input.pending_token(), context.clock.now());
    let factors = SecondFactors::of(&context, &client);
    let pending = match token {
        Some(token) => {
            let (factors, checks) = (factors.clone(), offered.is_totp_code());
            let found = context.database.read(move |reader| {
                let pending = pending_sign_ins::find(reader, &token, MAX_TRIES, now)?;
                if let Some(pending) = pending.as_ref().filter(|_| checks) {
                    factors.check(reader, pending.user_id)?;
                }
                Ok(pending)
            });
            found.await?
        }
        None => None,
    };
    let Some((token, pending)) = token.zip(pending) else {
        context.refused(&client, Event::PendingSignInRefused);
        return Err(Error::PendingSignInInvalid);
    };
    let mut wrong = match &offered {
        Offered::Passkey(_) => Error::PasskeyInvalid,
        Offered::Code(_) => Error::InvalidCode,
    };
    let presented = match offered.verify(&context, &client).await {
        Err(unknown @ Error::PasskeyUnknown) => {
            wrong = unknown;
            Presented::Passkey(None)
        }
        verified => verified?,
    };
    let (mut draft, session_token) = SessionDraft::new(&context, &client, pending.remembered, now)?;
    draft.look(&context, pending.user_id, now).await?;
    let limits = CodeLimits::of(&context, pending.user_id);
    // The others cannot be guessed: an attacker who uses up the tries must not lock them.
    let counted = match &presented {
        Presented::TotpCode(_) => vec![limits.lately.clone(), limits.long.clone()],
        Presented::RecoveryCode(_) | Presented::Passkey(_) => vec![],
    };
    let admission = context.admit(&client, counted).await?;
    let step = SecondStep {
        token,
        presented,
        factors,
        draft,
        admission: admission.clone(),
        limits,
        failed: context.notice(&client, MailKind::SecondFactorFailed),
        blocked: context.notice(&client, MailKind::SecondFactorBlocked),
    };
    let finished = context.commit(&client, move |change| step.finish(change, now));
    match context.counted(&admission, finished).await? {
        Finished::SignedIn(started) => respond_with_session(
            HttpResponse::Ok(),
            &context,
            carrier,
            &session_token,
            &started.user,
            &started.session,
        ),
        Finished::WrongCode => Err(wrong),
        Finished::Invalid => Err(Error::PendingSignInInvalid),
    }
}

/// A second factor for a pending sign-in.
struct SecondStep {
    token: TokenDigest,
    presented: Presented,
    factors: SecondFactors,
    draft: SessionDraft,
    admission: Admission,
    limits: CodeLimits,
    /// The notice of several wrong codes.
    failed: Option<Notice>,
    /// The notice that no further code is admitted for a long time.
    blocked: Option<Notice>,
}

/// The limits on codes of a user.
struct CodeLimits {
    lately: Limit,
    long: Limit,
}

impl CodeLimits {
    fn of(context: &Context, user: UserId) -> Self {
        Self {
            lately: context.throttle.second_factor(user),
            long: context.throttle.second_factor_guesses(user),
        }
    }
}

/// What came of a second step.
enum Finished {
    SignedIn(Box<StartedSession>),
    WrongCode,
    Invalid,
}

impl SecondStep {
    fn finish(&self, change: &Change<'_>, now: Timestamp) -> Result<Finished> {
        let counted = pending_sign_ins::try_once(change, &self.token, MAX_TRIES, now)?;
        let account = match &counted {
            Some(pending) => users::find(change, pending.user_id)?,
            None => None,
        };
        let Some((pending, account)) = counted.zip(account) else {
            change.record(Event::PendingSignInRefused);
            return Ok(Finished::Invalid);
        };
        let user = account.user;
        let accepted = self.factors.accept(change, &user, &self.presented, now)?;
        let Some(method) = accepted else {
            change.record(Event::SecondFactorFailed { user: user.id });
            let count = self.admission.of(&self.limits.lately);
            if count.is_some_and(|count| count.count == REPORTED_FAILURES) {
                mail::notify(change, self.failed.as_ref(), &user, now)?;
            }
            let count = self.admission.of(&self.limits.long);
            if count.is_some_and(|count| count.left() == 0) {
                mail::notify(change, self.blocked.as_ref(), &user, now)?;
            }
            return Ok(Finished::WrongCode);
        };
        let authentication = Authentication::by_second_factor(&pending, method, now);
        let start = start_session(change, &authentication, &self.draft, now)?;
        pending_sign_ins::delete(change, &self.token)?;
        let SessionStart::Session(started) = start else {
            change.record(Event::PendingSignInRefused);
            return Ok(Finished::Invalid);
        };
        started.record(change);
        self.admission.give_back_after(change)?;
        self.limits.lately.forgive(change, now)?;
        self.limits.long.forgive(change, now)?;
        Ok(Finished::SignedIn(started))
    }
}

async fn index(context: web::Data<Context>, user: CurrentUser) -> Result<HttpResponse> {
    let id = user.id;
    let found = context.database.read(move |reader| {
        let enrolled_at = totp_factors::enrolled_at(reader, id)?;
        let codes_left = recovery_codes::count(reader, id)?;
        let passkeys = passkeys::list_for_user(reader, id)?;
        let account = users::find(reader, id)?;
        let has_password = account.is_some_and(|account| account.password_digest.is_some());
        Ok((enrolled_at, codes_left, passkeys, has_password))
    });
    let (enrolled_at, recovery_codes_left, passkeys, has_password) = found.await?;
    let totp = enrolled_at.map(|created_at| Factor {
        kind: FactorKind::Totp,
        name: None,
        created_at,
    });
    let passkeys = passkeys.iter().map(|passkey| Factor {
        kind: FactorKind::Passkey,
        name: Some(&passkey.name),
        created_at: passkey.created_at,
    });
    Ok(HttpResponse::Ok().json(FactorList {
        factors: totp.into_iter().chain(passkeys).collect(),
        recovery_codes_left,
        has_password,
    }))
}

/// The second step of a sign-in.
#[derive(Deserialize, ToSchema)]
struct SecondFactorInput {
    /// From the reply to the first step.
    #[schema(value_type = String)]
    pending_token: SecretText,
    /// Six digits that the authenticator app shows.
    #[schema(value_type = Option<String>, nullable = false)]
    totp_code: Option<SecretText>,
    /// In place of `totp_code`; it works once.
    #[schema(value_type = Option<String>, nullable = false)]
    recovery_code: Option<SecretText>,
    /// What a passkey of the user returned for the options of `POST /v1/session/passkey/options`.
    #[schema(nullable = false)]
    passkey: Option<AuthenticationResponse>,
    #[schema(inline, nullable = false)]
    transport: Option<Transport>,
}

impl SecondFactorInput {
    fn pending_token(&self) -> Option<TokenDigest> {
        let token = PlainToken::parse(TokenKind::PendingSignIn, self.pending_token.expose());
        token.map(|token| token.digest())
    }

    fn offered(&self) -> Result<Offered<'_>, ValidationErrors> {
        let fields = [&self.totp_code, &self.recovery_code];
        let [totp_code, recovery_code] = fields.map(|field| filled_in(field.as_ref()));
        match (totp_code, recovery_code, &self.passkey) {
            (Some(code), None, None) => Ok(Offered::totp_code(code)),
            (None, Some(code), None) => Ok(Offered::recovery_code(code)),
            (None, None, Some(response)) => Ok(Offered::Passkey(response)),
            (None, None, None) => Err(ValidationErrors::field("totp_code", "can't be blank")),
            (_, code, _) => {
                let field = code.map_or("passkey", |_| "recovery_code");
                let message = "can't be sent with another factor";
                Err(ValidationErrors::field(field, message))
            }
        }
    }
}

/// The second factors of the user.
#[derive(Serialize, ToSchema)]
struct FactorList<'a> {
    factors: Vec<Factor<'a>>,
    /// Recovery codes that were not used yet.
    #[schema(minimum = 0)]
    recovery_codes_left: i64,
    /// Whether the user can sign in by a password.
    has_password: bool,
}

/// A second factor.
#[derive(Serialize, ToSchema)]
struct Factor<'a> {
    #[schema(inline)]
    kind: FactorKind,
    /// Of a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FactorKind {
    /// An authenticator app.
    Totp,
    /// A passkey, which also signs in alone.
    Passkey,
}
