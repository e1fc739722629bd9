//! The reply that shows recovery codes, once.

use actix_web::HttpResponse;
use actix_web::http::header::PRAGMA;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::crypto::recovery_code::RecoveryCode;

/// Recovery codes, shown only in this reply.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes<'a> {
    /// Each replaces a code of the authenticator app once.
    recovery_codes: Vec<&'a str>,
}

impl RecoveryCodes<'_> {
    /// Shows these codes.
    pub fn reply(codes: &[RecoveryCode]) -> HttpResponse {
        let shown: Vec<Zeroizing<String>> = codes.iter().map(RecoveryCode::reveal).collect();
        let recovery_codes = shown.iter().map(|code| code.as_str()).collect();
        let mut reply = HttpResponse::Ok();
        reply.insert_header((PRAGMA, "no-cache"));
        reply.json(RecoveryCodes { recovery_codes })
    }
}
