//! New recovery codes in place of the old ones: `POST /v1/user/recovery_codes`.
//!
//! # Threats
//! - an attacker with a stolen session who makes codes to stay: it needs a reauthentication and a session that has
//!   used a second factor, and is notified by mail
//! - codes of an account without a second factor, which would be a second password: there are none

use actix_web::{HttpResponse, web};

use crate::accounts::second_factor::{new_recovery_codes, require_second_factor};
use crate::audit::Event;
use crate::context::{Change, Context};
use crate::domain::error::Result;
use crate::domain::mail_kind::MailKind;
use crate::domain::{Account, ClientInfo};
use crate::http::error_codes::{INSUFFICIENT_AUTHENTICATION, NO_SECOND_FACTOR};
use crate::http::password_challenge::ChallengeInput;
use crate::http::recovery_codes_reply::RecoveryCodes;
use crate::http::{Access, Body, CurrentSession, Route};
use crate::mail;
use crate::store::{recovery_codes, totp_factors};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/user/recovery_codes", Access::Session, create)
            .operation("replaceRecoveryCodes", "Replace the recovery codes")
            .description(
                "The new codes are shown once. The old ones no longer work. The session must have used a second factor: at \
                 sign-in, or by `POST /v1/session/reauthenticate`.",
            )
            .returns::<RecoveryCodes>(200, "The new recovery codes")
            .errors(&[INSUFFICIENT_AUTHENTICATION, NO_SECOND_FACTOR])
            .rate_limited(),
    ]
}

async fn create(
    context: web::Data<Context>,
    client: ClientInfo,
    session: CurrentSession,
    Body(input): Body<ChallengeInput>,
) -> Result<HttpResponse> {
    require_second_factor(&context, &session).await?;
    let reauthenticated = input.verify(&context, &client, &session).await?;
    let (codes, digests) = new_recovery_codes()?;
    let notice = context.notice(&client, MailKind::RecoveryCodesReplaced);
    let replace = move |change: &Change<'_>, account: &Account, now| {
        let user = &account.user;
        if totp_factors::enrolled_at(change, user.id)?.is_none() {
            return Ok(false);
        }
        recovery_codes::replace(change, user.id, &digests, now)?;
        change.record(Event::RecoveryCodesReplaced { user: user.id });
        mail::notify(change, notice.as_ref(), user, now)?;
        Ok(true)
    };
    match reauthenticated.commit(&context, &client, replace).await? {
        true => Ok(RecoveryCodes::reply(&codes)),
        false => Err(NO_SECOND_FACTOR.refusal()),
    }
}
