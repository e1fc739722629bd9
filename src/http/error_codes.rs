//! Every error code, one row each: its status, the sentence for people, and when it comes. Replies, the OpenAPI document
//! and `docs/reference/errors.md` derive from these rows.

use crate::domain::error::{Error, ValidationErrors};

/// A code, on which programs may rely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The status of the reply.
    pub status: u16,
    /// The code itself.
    pub name: &'static str,
    /// The sentence in the reply, unless the error has its own.
    pub sentence: &'static str,
    /// When it comes, for the document.
    pub when: &'static str,
}

impl ErrorCode {
    /// The refusal that a feature returns by this code, about no field in particular.
    pub fn refusal(&self) -> Error {
        ValidationErrors::summary(self.name, self.sentence).into()
    }
}

macro_rules! error_codes {
    ($($row:ident: $status:literal $name:literal $sentence:literal, $when:literal;)*) => {
        $(
            #[allow(missing_docs, reason = "the row says it")]
            pub const $row: ErrorCode =
                ErrorCode { status: $status, name: $name, sentence: $sentence, when: $when };
        )*

        /// Every row, in the order of the reference.
        #[cfg(feature = "testing")]
        pub const ALL: &[ErrorCode] = &[$($row),*];
    };
}

error_codes! {
    INVALID_REQUEST: 400 "invalid_request" "The request cannot be understood",
        "the body or query cannot be read, or there are two credentials";
    STATE_INVALID: 400 "state_invalid" "This sign-in is invalid. Start it again.",
        "a provider sent the browser back with a `state` that is not of this server";
    INVALID_GRANT: 400 "invalid_grant" "The refresh token is invalid, expired or used up",
        "the refresh token is unknown, expired or used up";
    INVALID_SCOPE: 400 "invalid_scope" "Invalid `scope` parameter",
        "the scope is malformed, or more than the settings allow";
    INVALID_TARGET: 400 "invalid_target" "Invalid `audience` parameter",
        "the audience is none that the settings allow";
    UNAUTHORIZED: 401 "unauthorized" "Unauthorized", "no credential";
    TOKEN_INVALID: 401 "token_invalid" "The token is invalid",
        "the token is malformed, unknown or revoked";
    TOKEN_EXPIRED: 401 "token_expired" "The token has expired", "the token has expired";
    INVALID_API_KEY: 401 "invalid_api_key" "The API key is invalid, expired or revoked",
        "the API key is malformed, unknown, revoked or expired";
    INVALID_CREDENTIALS: 401 "invalid_credentials" "Invalid email address or password",
        "address and password do not match";
    SECOND_FACTOR_REQUIRED: 401 "second_factor_required" "A second factor is required",
        "the password is right: present a second factor with `pending_token`";
    PENDING_SIGN_IN_INVALID: 401 "pending_sign_in_invalid" "This sign-in has expired. Sign in again.",
        "the pending sign-in is unknown, expired or finished, or five second factors were wrong";
    EXCHANGE_CODE_INVALID: 401 "exchange_code_invalid" "This sign-in has expired. Sign in again.",
        "the exchange code is unknown, used or older than a minute, or not for this browser or app";
    INVALID_CODE: 401 "invalid_code" "Invalid code", "the code is wrong, was used before, or its request has ended";
    PASSKEY_INVALID: 401 "passkey_invalid" "The passkey could not be verified",
        "what the authenticator returned is invalid, expired or was used before";
    PASSKEY_UNKNOWN: 401 "passkey_unknown" "This passkey is not known here",
        "no account has the passkey: it was removed, or its account deleted";
    INSUFFICIENT_AUTHENTICATION: 401 "insufficient_user_authentication"
        "This needs a more recent authentication, or a second factor",
        "the user authenticated too long ago, or with one factor: see `WWW-Authenticate`";
    LINK_INVALID: 401 "link_invalid" "The link is invalid or has expired",
        "the link from a mail is forged, used or expired";
    FORBIDDEN: 403 "forbidden" "Forbidden",
        "sign-up is closed, or a credential of this kind may not do this";
    INSUFFICIENT_SCOPE: 403 "insufficient_scope" "The credential lacks a scope that this needs",
        "the credential lacks a scope: see `WWW-Authenticate`";
    EMAIL_UNCONFIRMED: 403 "email_unconfirmed"
        "You have to confirm your email address before continuing",
        "the address must be confirmed first, by the link that was mailed to it";
    SECOND_FACTOR_ENROLMENT_REQUIRED: 403 "second_factor_enrolment_required"
        "The time to set up a second factor is over. Reset your password to sign in and set one up.",
        "the password is right, but the user must have a second factor and had time to set one up: a reset by mail opens an hour for it";
    CROSS_ORIGIN: 403 "cross_origin" "This request must come from the application itself",
        "a page of another application sent it";
    NOT_FOUND: 404 "not_found" "Not found", "it does not exist, or belongs to another user";
    METHOD_NOT_ALLOWED: 405 "method_not_allowed" "This path does not have that method",
        "the path has other methods: see `Allow`";
    ACCOUNT_EXISTS: 409 "account_exists"
        "An account with this email address exists. Open the link that was mailed to it in this browser, or sign in and link the provider in the account.",
        "the address that the provider states has an account, to which the identity is not linked: a mailed link links it";
    IDENTITY_TAKEN: 409 "identity_taken" "This account at the provider is linked already, to you or to another user",
        "the identity is linked already, to this user or another";
    REQUEST_TIMEOUT: 408 "request_timeout" "The body did not arrive in time",
        "the body did not arrive in time";
    LAST_SIGN_IN_METHOD: 409 "last_sign_in_method" "This is the only way to sign in to the account",
        "the user has no password, no other passkey and no other linked identity: add one first";
    PAYLOAD_TOO_LARGE: 413 "payload_too_large" "The body is too large", "the body is over 64 KiB";
    UNSUPPORTED_MEDIA_TYPE: 415 "unsupported_media_type"
        "Send application/json or application/x-www-form-urlencoded",
        "the body is neither JSON nor a form, or it is compressed";
    VALIDATION_FAILED: 422 "validation_failed" "Validation failed",
        "the input cannot be used: see `fields`";
    ACCOUNT_NOT_CREATED: 422 "account_not_created" "There was a problem creating your account",
        "the address is taken";
    ADDRESS_UNVERIFIED: 422 "address_unverified" "The provider does not state a verified email address",
        "the provider states no email address, or not as verified, and a new account needs one";
    TOTP_ENROLLED: 422 "totp_enrolled" "An authenticator app is set up already",
        "the user has an authenticator app: remove it first";
    TOTP_NOT_STARTED: 422 "totp_not_started" "Start the setup of the authenticator app again",
        "there is no secret to prove, or it is older than an hour";
    NO_SECOND_FACTOR: 422 "no_second_factor" "Set up an authenticator app first",
        "the user has no second factor";
    TOO_MANY_PASSKEYS: 422 "too_many_passkeys" "Passkey limit reached",
        "the user has the maximum number of passkeys";
    TOO_MANY_IDENTITIES: 422 "too_many_identities" "Limit of linked accounts reached",
        "the user has the maximum number of linked identities";
    TOO_MANY_PROJECTS: 422 "too_many_projects" "Project limit reached",
        "the user has the maximum number of projects";
    TOO_MANY_API_KEYS: 422 "too_many_api_keys" "API key limit reached",
        "the user has the maximum number of API keys";
    RATE_LIMITED: 429 "rate_limited" "Try again later.", "too many requests: see `Retry-After`";
    INTERNAL_ERROR: 500 "internal_error" "Something went wrong on our side",
        "a fault of the server: look for `request_id` in its log";
    PROVIDER_UNAVAILABLE: 503 "provider_unavailable"
        "This provider is not available right now. Sign in another way, or try again later.",
        "the provider does not answer, or its discovery document cannot be used";
    UNAVAILABLE: 503 "unavailable" "This is not possible right now. Try again later.",
        "password hashing is saturated, the database is busy or the disk is full: see `Retry-After`";
}

/// The row of an error.
pub(in crate::http) fn row(error: &Error) -> ErrorCode {
    match error {
        Error::Validation(ValidationErrors {
            summary: Some((name, sentence)),
            ..
        }) => ErrorCode {
            name,
            sentence,
            ..VALIDATION_FAILED
        },
        Error::Validation(_) => VALIDATION_FAILED,
        Error::Malformed(sentence) => ErrorCode {
            sentence,
            ..INVALID_REQUEST
        },
        Error::UnsupportedMediaType => UNSUPPORTED_MEDIA_TYPE,
        Error::UnsupportedEncoding => ErrorCode {
            sentence: "Send the body without `Content-Encoding`",
            ..UNSUPPORTED_MEDIA_TYPE
        },
        Error::TooLarge => PAYLOAD_TOO_LARGE,
        Error::TooSlow => REQUEST_TIMEOUT,
        Error::MethodNotAllowed(_) => METHOD_NOT_ALLOWED,
        Error::Unauthorized => UNAUTHORIZED,
        Error::TokenInvalid => TOKEN_INVALID,
        Error::TokenExpired => TOKEN_EXPIRED,
        Error::InvalidApiKey => INVALID_API_KEY,
        Error::InvalidGrant => INVALID_GRANT,
        Error::InvalidScope => INVALID_SCOPE,
        Error::InvalidTarget => INVALID_TARGET,
        Error::InvalidCredentials => INVALID_CREDENTIALS,
        Error::LastAttempt => ErrorCode {
            sentence: "Invalid email address or password. \
                       One more failed attempt closes sign-in to this address for a while.",
            ..INVALID_CREDENTIALS
        },
        Error::SecondFactorRequired(_) => SECOND_FACTOR_REQUIRED,
        Error::PendingSignInInvalid => PENDING_SIGN_IN_INVALID,
        Error::InvalidCode => INVALID_CODE,
        Error::PasskeyInvalid => PASSKEY_INVALID,
        Error::PasskeyUnknown => PASSKEY_UNKNOWN,
        Error::LinkInvalid(sentence) => ErrorCode {
            sentence,
            ..LINK_INVALID
        },
        Error::Forbidden(sentence) => ErrorCode {
            sentence,
            ..FORBIDDEN
        },
        Error::InsufficientScope(_) => INSUFFICIENT_SCOPE,
        Error::InsufficientAuthentication { .. } => INSUFFICIENT_AUTHENTICATION,
        Error::ExchangeCodeInvalid => EXCHANGE_CODE_INVALID,
        Error::StateInvalid => STATE_INVALID,
        Error::AccountExists => ACCOUNT_EXISTS,
        Error::IdentityTaken => IDENTITY_TAKEN,
        Error::ProviderUnavailable(_) => PROVIDER_UNAVAILABLE,
        Error::Unconfirmed => EMAIL_UNCONFIRMED,
        Error::SecondFactorOverdue => SECOND_FACTOR_ENROLMENT_REQUIRED,
        Error::CrossOrigin => CROSS_ORIGIN,
        Error::NotFound => NOT_FOUND,
        Error::LastSignInMethod => LAST_SIGN_IN_METHOD,
        Error::RateLimited(_) => RATE_LIMITED,
        Error::Unavailable { .. } => UNAVAILABLE,
        Error::NotReady { reason, .. } => ErrorCode {
            name: reason.code(),
            sentence: "The server is not ready",
            ..UNAVAILABLE
        },
        Error::Internal(_) => INTERNAL_ERROR,
    }
}
