//! A software authenticator, and the passkeys of users.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloakroom::crypto::webauthn::{NewPasskey, PublicKey};
use cloakroom::domain::{Passkey, User, UserHandle};
use cloakroom::store::passkeys;
use cloakroom::testing::{Reply, TestApp};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::app::{PASSWORD, write};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const SYNCED: u8 = 1 << 3 | 1 << 4;
const ATTESTED_CREDENTIAL: u8 = 1 << 6;

/// A device with one passkey (ES256). Its fields may be changed to what a device should not do.
#[derive(Clone)]
pub struct Device {
    pub key: Arc<EcdsaKeyPair>,
    pub credential_id: Vec<u8>,
    /// The user handle in base64url, from the options.
    pub handle: String,
    /// The origin of the page that uses it.
    pub origin: String,
    pub rp_id: String,
    pub sign_count: u32,
    pub user_verified: bool,
}

impl Device {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let mut credential_id = vec![0; 16];
        random.fill(&mut credential_id).unwrap();
        Self {
            key: Arc::new(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()),
            credential_id,
            handle: String::new(),
            origin: "http://localhost:3001".to_owned(),
            rp_id: "localhost".to_owned(),
            sign_count: 0,
            user_verified: true,
        }
    }

    /// What `navigator.credentials.create` returns for these options, as JSON.
    pub fn create(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].as_str().unwrap().to_owned();
        let id = base64url(&self.credential_id);
        let mut data = self.authenticator_data(ATTESTED_CREDENTIAL);
        data.extend([0; 16]);
        data.extend([0, self.credential_id.len() as u8]);
        data.extend(&self.credential_id);
        data.extend(self.public_key().as_cose());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(data.len() as u8);
        object.extend(&data);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(self.client_data("webauthn.create", options).as_bytes()),
                "attestationObject": base64url(&object),
                "transports": ["internal"],
            },
        })
    }

    /// What `navigator.credentials.get` returns for these options, as JSON.
    pub fn get(&self, options: &Value) -> Value {
        let id = base64url(&self.credential_id);
        let client_data = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(0);
        let hash = digest(&SHA256, client_data.as_bytes());
        let message = [&data, hash.as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(client_data.as_bytes()),
                "authenticatorData": base64url(&data),
                "signature": base64url(signature.as_ref()),
                "userHandle": self.handle,
            },
        })
    }

    fn public_key(&self) -> PublicKey {
        let point = self.key.public_key().as_ref();
        let cose = [
            b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20",
            &point[1..33],
            b"\x22\x58\x20",
            &point[33..],
        ];
        PublicKey::from_cose(&cose.concat()).unwrap()
    }

    fn client_data(&self, ceremony: &str, options: &Value) -> String {
        json!({
            "type": ceremony, "challenge": options["challenge"], "origin": self.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        let verified = if self.user_verified { USER_VERIFIED } else { 0 };
        data.push(flags | USER_PRESENT | verified | SYNCED);
        data.extend(self.sign_count.to_be_bytes());
        data
    }
}

/// Bytes as browsers write them.
pub fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A device with a passkey of a user, and the passkey as it is stored.
pub async fn device_of(app: &TestApp, user: &User) -> (Device, Passkey) {
    let mut device = Device::new();
    let new = NewPasskey {
        credential_id: device.credential_id.clone(),
        public_key: device.public_key(),
        sign_count: 0,
        backup_eligible: true,
        backed_up: true,
        aaguid: [0; 16],
        transports: vec!["internal".to_owned()],
    };
    let random: [u8; 32] = std::array::from_fn(|at| device.credential_id[at % 16]);
    let (id, now) = (user.id, app.clock().now());
    let (handle, passkey) = write(app, move |tx| {
        let handle = passkeys::handle_or(tx, id, &UserHandle::new(random))?;
        Ok((handle, passkeys::insert(tx, id, &new, "A device", 99, now)?))
    })
    .await;
    device.handle = base64url(handle.as_bytes());
    (device, passkey.unwrap())
}

/// The options for a new passkey of the user of a session.
pub async fn creation_options(app: &TestApp, session: &str) -> Value {
    let body = json!({ "password_challenge": PASSWORD });
    let reply = app
        .post("/v1/user/passkeys/options")
        .bearer(session)
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Adds what a device returned as a passkey of the user of a session.
pub async fn add(app: &TestApp, session: &str, credential: &Value) -> Reply {
    let body =
        json!({ "credential": credential, "name": "A phone", "password_challenge": PASSWORD });
    app.post("/v1/user/passkeys")
        .bearer(session)
        .json(&body)
        .send()
        .await
}

/// Adds a passkey by the two requests of a page.
pub async fn add_device(app: &TestApp, session: &str) -> (Device, Reply) {
    let mut device = Device::new();
    let options = creation_options(app, session).await;
    let reply = add(app, session, &device.create(&options)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    (device, reply)
}

/// The options for the use of a passkey.
pub async fn request_options(app: &TestApp) -> Value {
    let reply = app.post("/v1/session/passkey/options").send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// What a device returns for new options.
pub async fn assertion(app: &TestApp, device: &Device) -> Value {
    device.get(&request_options(app).await)
}

/// Presents what a device returned at sign-in.
pub async fn present(app: &TestApp, credential: &Value) -> Reply {
    let body = json!({ "credential": credential });
    app.post("/v1/session/passkey").json(&body).send().await
}

/// Signs in by the two requests of a page.
pub async fn sign_in_with(app: &TestApp, device: &Device) -> Reply {
    present(app, &assertion(app, device).await).await
}

/// Proves the user of a session by a passkey; returns the session's new token.
pub async fn reauthenticate_with(app: &TestApp, session: &str, device: &Device) -> Reply {
    let body = json!({ "passkey": assertion(app, device).await });
    app.post("/v1/session/reauthenticate")
        .bearer(session)
        .json(&body)
        .send()
        .await
}

/// The options for an account with this address and without a password.
pub async fn sign_up_options(app: &TestApp, address: &str) -> Reply {
    app.post("/v1/registrations/passkey/options")
        .json(&json!({ "email_address": address }))
        .send()
        .await
}

/// Creates an account with what a device returned.
pub async fn sign_up_with(app: &TestApp, address: &str, credential: &Value) -> Reply {
    let passkey = json!({ "credential": credential, "name": "A phone" });
    app.post("/v1/registrations")
        .json(&json!({ "email_address": address, "passkey": passkey }))
        .send()
        .await
}

/// A user without a password: the device and the session's token.
pub async fn signed_up(app: &TestApp, address: &str) -> (Device, String) {
    let mut device = Device::new();
    let options = sign_up_options(app, address).await.json();
    let reply = sign_up_with(app, address, &device.create(&options)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    (device, reply.json()["token"].as_str().unwrap().to_owned())
}
