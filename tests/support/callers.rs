//! An app in which every route can be called, and machine callers with each kind of credential.

use cloakroom::crypto::passkey_challenge::{Ceremony, Challenge};
use cloakroom::crypto::signed_link;
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::crypto::totp::TotpSecret;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{EmailAddress, SessionId, User};
use cloakroom::http::Access;
use cloakroom::providers::BoundTo;
use cloakroom::store::{api_keys, users};
use cloakroom::testing::{Call, TestApp};
use cloakroom::throttle::Decision;
use serde_json::{Value, json};

use super::app::{ONE, PASSWORD, confirmation_token, disable, execute_sql, reset_token, write};
use super::credentials::{api_key, api_key_until, pair};
use super::mail_code::ask_and_read;
use super::passkeys::{Device, base64url, device_of};
use super::provider::{VERIFIER, confirmed_code, identity_link, linked, provider_settings};
use super::route_cases::{ASSERTION, CODE, Case, EXCHANGE, LINK, LINKING, NEW_PASSKEY, PENDING};
use super::second_factor::{enrolled, pending_sign_in, start_totp};

/// A caller that is not a session: an API key, an access token or a refresh token.
pub struct MachineCaller {
    pub name: &'static str,
    pub kind: Kind,
    pub owner: Owner,
    pub scopes: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Key,
    ExpiredKey,
    RevokedKey,
    Access,
    RevokedAccess,
    Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    User,
    OtherUser,
    DisabledUser,
    Service,
}

pub const ALL_SCOPES: &str = "projects:read projects:write user:read other:thing introspect";
pub const GRANTED_SCOPES: &str = "projects:read projects:write user:read other:thing";
pub const OTHER_SCOPE: &str = "other:thing";

const fn machine(
    name: &'static str,
    kind: Kind,
    owner: Owner,
    scopes: &'static str,
) -> MachineCaller {
    MachineCaller {
        name,
        kind,
        owner,
        scopes,
    }
}

pub const MACHINE_CALLERS: &[MachineCaller] = &[
    machine("key", Kind::Key, Owner::User, ALL_SCOPES),
    machine("reading key", Kind::Key, Owner::User, "projects:read"),
    machine("narrow key", Kind::Key, Owner::User, OTHER_SCOPE),
    machine("another's key", Kind::Key, Owner::OtherUser, ALL_SCOPES),
    machine("service's key", Kind::Key, Owner::Service, ALL_SCOPES),
    machine(
        "narrow service's key",
        Kind::Key,
        Owner::Service,
        OTHER_SCOPE,
    ),
    machine(
        "disabled user's key",
        Kind::Key,
        Owner::DisabledUser,
        ALL_SCOPES,
    ),
    machine("expired key", Kind::ExpiredKey, Owner::User, ALL_SCOPES),
    machine("revoked key", Kind::RevokedKey, Owner::User, ALL_SCOPES),
    machine("access token", Kind::Access, Owner::User, GRANTED_SCOPES),
    machine(
        "narrow access token",
        Kind::Access,
        Owner::User,
        OTHER_SCOPE,
    ),
    machine(
        "another's access token",
        Kind::Access,
        Owner::OtherUser,
        GRANTED_SCOPES,
    ),
    machine(
        "disabled user's access token",
        Kind::Access,
        Owner::DisabledUser,
        GRANTED_SCOPES,
    ),
    machine(
        "revoked access token",
        Kind::RevokedAccess,
        Owner::User,
        GRANTED_SCOPES,
    ),
    machine("refresh token", Kind::Refresh, Owner::User, GRANTED_SCOPES),
];

impl MachineCaller {
    pub fn is_key(&self) -> bool {
        matches!(self.kind, Kind::Key | Kind::ExpiredKey | Kind::RevokedKey)
    }

    /// Public routes ignore credentials: one valid and one revoked key are enough there.
    pub fn is_tried_on(&self, access: Access) -> bool {
        access != Access::Public || ["key", "revoked key"].contains(&self.name)
    }

    pub fn present(&self, call: Call, credential: &str) -> Call {
        if self.is_key() {
            call.header("X-API-Key", credential)
        } else {
            call.bearer(credential)
        }
    }

    /// The expected status, and the code if the request is rejected.
    pub fn verdict(&self, access: Access, case: &Case) -> (u16, Option<&'static str>) {
        let lacks = |scope: &str| !self.scopes.split(' ').any(|word| word == scope);
        let is_invalid =
            self.owner == Owner::DisabledUser || !matches!(self.kind, Kind::Key | Kind::Access);
        match access {
            Access::Public => (case.anonymous, None),
            _ if is_invalid && self.is_key() => (401, Some("invalid_api_key")),
            _ if is_invalid => (401, Some("token_invalid")),
            Access::Session => (403, Some("forbidden")),
            Access::ApiKey(_) if !self.is_key() => (403, Some("forbidden")),
            Access::Scope(scope) | Access::ApiKey(scope) if lacks(scope) => {
                (403, Some("insufficient_scope"))
            }
            Access::ApiKey(_) => (200, None),
            Access::Scope(_) | Access::Credential => match self.owner {
                Owner::Service if case.path == "/v1/verify" => (200, None),
                Owner::Service => (403, Some("forbidden")),
                Owner::OtherUser if case.another == 404 => (404, Some("not_found")),
                Owner::OtherUser => (case.another, None),
                _ => (case.owner, None),
            },
        }
    }
}

/// An app with an owner, who has a project and a link of each kind, another user and a disabled user.
pub struct Fixture {
    pub app: TestApp,
    pub user: User,
    pub other_user: User,
    pub disabled_user: User,
    pub owner: String,
    pub another: String,
    pub disabled: String,
    /// Issued before the account was disabled.
    disabled_access: String,
    pub link: String,
    confirmation: String,
    unlock: String,
    mail_link: String,
    project: String,
    session: String,
    key_id: String,
    /// Of the owner, who is setting up an authenticator app.
    unproved_secret: TotpSecret,
    /// Of the other user, who has one.
    secret: TotpSecret,
    pub pending_token: String,
    exchange_code: String,
    linking_code: String,
    identity: String,
    identity_link: String,
    /// Of the owner.
    device: Device,
    passkey: String,
}

impl Fixture {
    pub async fn new() -> Self {
        let app = TestApp::with_settings(|settings| {
            settings.throttle.enabled = true;
            settings.tokens.scopes = Scopes::parse(GRANTED_SCOPES).unwrap();
            provider_settings(settings, "https://id.example.com");
        })
        .await;
        let user = app.create_user(ONE, PASSWORD).await;
        let other_user = app.create_user("two@example.com", PASSWORD).await;
        let disabled_user = app.create_user("three@example.com", PASSWORD).await;
        let disabled = app.sign_in_as(&disabled_user).await;
        let (disabled_access, _) = pair(&app, &disabled, GRANTED_SCOPES).await;
        disable(&app, &disabled_user).await;
        let (owner, another) = (
            app.sign_in_as(&user).await,
            app.sign_in_as(&other_user).await,
        );
        let new_project = app
            .post("/v1/projects")
            .bearer(&owner)
            .json(&json!({ "title": "A title" }))
            .send()
            .await;
        let key = json!({
            "name": "A key", "scopes": ["introspect"], "password_challenge": PASSWORD,
        });
        let new_key = app
            .post("/v1/api_keys")
            .bearer(&owner)
            .json(&key)
            .send()
            .await;
        let link = reset_token(&app, ONE).await;
        let confirmation = confirmation_token(&app, ONE).await;
        let unlock = unlock_token(&app).await;
        let (_, mailed) = ask_and_read(&app, ONE).await;
        let unproved_secret = start_totp(&app, &owner).await;
        let secret = enrolled(&app, &other_user).await;
        let used = "UPDATE sessions SET auth_methods = 'pwd otp mfa' WHERE user_id =";
        execute_sql(&app, &format!("{used} {}", other_user.id.0));
        let pending_token = pending_sign_in(&app, "two@example.com").await;
        let bound_to = BoundTo::app_with(VERIFIER);
        let exchange_code = confirmed_code(&app, "new", bound_to.clone()).await;
        let linking_code = confirmed_code(&app, "owner's", bound_to.for_user(user.id)).await;
        let identity = linked(&app, &user, "owner's other").await;
        let verified = "UPDATE users SET email_confirmed_at = 1 WHERE id =";
        execute_sql(&app, &format!("{verified} {}", user.id.0));
        let identity_link = identity_link(&app, &user, "owner's by mail").await;
        let (device, passkey) = device_of(&app, &user).await;
        let project = new_project.json()["project"]["id"].to_string();
        let shown = app.get("/v1/session").bearer(&owner).send().await;
        let session = shown.json()["session"]["id"].to_string();
        let key_id = new_key.json()["api_key"]["id"].to_string();
        Self {
            app,
            user,
            other_user,
            disabled_user,
            owner,
            another,
            disabled,
            disabled_access,
            link,
            confirmation,
            unlock,
            mail_link: mailed.link,
            project,
            session,
            key_id,
            unproved_secret,
            secret,
            pending_token,
            exchange_code,
            linking_code,
            identity,
            identity_link,
            device,
            passkey: passkey.id.0.to_string(),
        }
    }

    /// What a passkey of the owner returns at sign-in.
    fn assertion(&self) -> Value {
        let challenge = self.challenge(Ceremony::Assertion);
        self.device.get(&json!({ "challenge": challenge }))
    }

    /// What a new passkey of the owner returns.
    fn new_passkey(&self) -> Value {
        let session = SessionId(self.session.parse().unwrap());
        let challenge = self.challenge(Ceremony::Registration(self.user.id, session));
        let options = json!({ "challenge": challenge, "user": { "id": self.device.handle } });
        Device::new().create(&options)
    }

    fn challenge(&self, ceremony: Ceremony<'_>) -> String {
        let key_ring = &self.app.context().key_ring;
        let challenge = Challenge::issue(key_ring, ceremony, self.app.clock().now()).unwrap();
        base64url(&challenge.bytes)
    }

    /// The code that the other user's app shows.
    pub fn totp_code(&self) -> String {
        self.secret.code_at(self.app.clock().now())
    }

    pub async fn credential(&self, machine: &MachineCaller) -> String {
        let (user, session) = match machine.owner {
            Owner::User => (Some(&self.user), &self.owner),
            Owner::OtherUser => (Some(&self.other_user), &self.another),
            Owner::DisabledUser => (Some(&self.disabled_user), &self.disabled),
            Owner::Service => (None, &self.owner),
        };
        let now = self.app.clock().now();
        match machine.kind {
            Kind::Key => api_key(&self.app, user, machine.scopes).await,
            Kind::ExpiredKey => api_key_until(&self.app, user, machine.scopes, Some(now)).await,
            Kind::RevokedKey => {
                let key = api_key(&self.app, user, machine.scopes).await;
                let digest = PlainToken::parse(TokenKind::ApiKey, &key).unwrap().digest();
                write(&self.app, move |tx| {
                    api_keys::revoke_by_digest(tx, &digest, now)
                })
                .await
                .unwrap();
                key
            }
            Kind::Access if machine.owner == Owner::DisabledUser => self.disabled_access.clone(),
            Kind::Access => pair(&self.app, session, machine.scopes).await.0,
            Kind::Refresh => pair(&self.app, session, machine.scopes).await.1,
            Kind::RevokedAccess => {
                let session = self.app.sign_in_as(&self.user).await;
                let (access, _) = pair(&self.app, &session, machine.scopes).await;
                assert_eq!(
                    self.app
                        .delete("/v1/session")
                        .bearer(&session)
                        .send()
                        .await
                        .status,
                    200
                );
                access
            }
        }
    }

    /// The body of a case, with the token of the link that its path is about, and codes that are valid now.
    pub fn body(&self, case: &Case) -> Value {
        let mut body = case.body.clone();
        if body["token"] == LINK {
            body["token"] = json!(self.link_for(case.path));
        }
        if body["pending_token"] == PENDING {
            body["pending_token"] = json!(self.pending_token);
            body["totp_code"] = json!(self.totp_code());
        }
        if body["exchange_code"] == EXCHANGE {
            body["exchange_code"] = json!(self.exchange_code);
            body["code_verifier"] = json!(VERIFIER);
        }
        if body["exchange_code"] == LINKING {
            body["exchange_code"] = json!(self.linking_code);
            body["code_verifier"] = json!(VERIFIER);
        }
        if body["credential"] == ASSERTION {
            body["credential"] = self.assertion();
        }
        if body["credential"] == NEW_PASSKEY {
            body["credential"] = self.new_passkey();
        }
        if body["code"] == CODE {
            body["code"] = json!(self.unproved_secret.code_at(self.app.clock().now()));
        }
        body
    }

    /// The token of the link that a path is about.
    pub fn link_for(&self, pattern: &str) -> &str {
        match pattern.split('/').nth(2) {
            Some("session") if pattern.contains("identity_link") => &self.identity_link,
            Some("confirmations") => &self.confirmation,
            Some("unlocks") => &self.unlock,
            Some("session") => &self.mail_link,
            _ => &self.link,
        }
    }

    pub fn path(&self, pattern: &str) -> String {
        let link = self.link_for(pattern);
        let id = match pattern.split('/').nth(2) {
            Some("user") if pattern.contains("passkeys") => &self.passkey,
            Some("user") => &self.identity,
            Some("sessions") => &self.session,
            Some("api_keys") => &self.key_id,
            _ => &self.project,
        };
        pattern.replace("{token}", link).replace("{id}", id)
    }
}

/// The token of an unlock link for the owner's address. One failure opens the window that it belongs to.
async fn unlock_token(app: &TestApp) -> String {
    let context = app.context();
    let limit = context
        .throttle
        .address_failures(ONE, [192, 0, 2, 1].into());
    let decision = context
        .throttle
        .admit(&context.database, vec![limit.clone()], context.clock.now())
        .await
        .unwrap();
    let Decision::Admitted(admission) = decision else {
        panic!("{decision:?}")
    };
    let count = admission.of(&limit).unwrap();
    let address = EmailAddress::parse(ONE).unwrap();
    let owner = context
        .database
        .read(move |reader| users::find_by_address(reader, &address))
        .await
        .unwrap();
    signed_link::sign_unlock(&context.key_ring, &owner.unwrap(), count.expires_at)
}
