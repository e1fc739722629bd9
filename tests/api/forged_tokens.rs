//! Access tokens that are none: each forged here with the real keys at hand, so that one thing alone is wrong with it,
//! and each refused with its code.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use cloakroom::config::{Algorithm, Secret};
use cloakroom::crypto::access_token::NewAccessToken;
use cloakroom::crypto::key_ring::{KeyRing, Purpose};
use cloakroom::crypto::token::{PlainToken, TokenKind};
use cloakroom::domain::clock::Timestamp;
use cloakroom::domain::scope::Scopes;
use cloakroom::domain::{AuthMethods, Claims, SessionId, UserId};
use cloakroom::store::{revocations, sessions};
use cloakroom::testing::{START, TestApp};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::access_tokens::{LIFETIME, access_token, answer};
use crate::support::app::*;

const BASE: &str = "the base of all keys, long enough for one";

/// Our own keys in a forger's hands.
struct Forge {
    pair: Ed25519KeyPair,
    ed_kid: String,
    secret: Vec<u8>,
    hs_kid: String,
    algorithm: Algorithm,
    claims: Value,
}

/// A forged token, what is wrong with it, and the code that refuses it.
type Row = (String, String, &'static str);

impl Forge {
    /// With the claims of a token that is good.
    fn of(base: &str, algorithm: Algorithm, good: &str) -> Self {
        let keys = KeyRing::new(Secret::from(base.to_owned()), vec![]);
        let seed = keys.signing(Purpose::AccessTokenEd25519);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed[..32]).unwrap();
        let jwk = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            encode(pair.public_key().as_ref())
        );
        let digest = ring::digest::digest(&ring::digest::SHA256, jwk.as_bytes());
        Self {
            ed_kid: encode(digest.as_ref()),
            pair,
            secret: keys.signing(Purpose::AccessTokenHs256).to_vec(),
            hs_kid: encode(&keys.signing(Purpose::AccessTokenHs256Name)[..16]),
            algorithm,
            claims: part(good, 1),
        }
    }

    fn header(&self) -> Value {
        match self.algorithm {
            Algorithm::EdDsa => json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.ed_kid }),
            Algorithm::Hs256 => json!({ "typ": "at+jwt", "alg": "HS256", "kid": self.hs_kid }),
        }
    }

    /// Signed as the server signs.
    fn sign(&self, header: &str, claims: &str) -> String {
        match self.algorithm {
            Algorithm::EdDsa => self.sign_by_pair(header, claims),
            Algorithm::Hs256 => sign_by_secret(&self.secret, header, claims),
        }
    }

    fn sign_by_pair(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", encode(signature.as_ref()))
    }

    fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header();
        change(&mut header);
        self.sign(&header.to_string(), &self.claims.to_string())
    }

    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    fn good(&self) -> String {
        self.with_claims(|_| ())
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn message(header: &str, claims: &str) -> String {
    format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.as_bytes())
    )
}

fn sign_by_secret(secret: &[u8], header: &str, claims: &str) -> String {
    let message = message(header, claims);
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret),
        message.as_bytes(),
    );
    format!("{message}.{}", encode(tag.as_ref()))
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What another has instead of one of ours.
fn remove(value: &mut Value, member: &str) {
    value.as_object_mut().unwrap().remove(member).unwrap();
}

fn algorithms(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |what: &str, token: String| rows.push((what.to_owned(), token, "token_invalid"));
    let claims = forge.claims.to_string();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        for kid in [&forge.ed_kid, &forge.hs_kid] {
            let header = json!({ "typ": "at+jwt", "alg": none, "kid": kid }).to_string();
            row(
                &format!("alg {none:?}, unsigned"),
                message(&header, &claims) + ".",
            );
            row(
                &format!("alg {none:?}, signed"),
                forge.sign(&header, &claims),
            );
        }
    }
    let public = forge.pair.public_key().as_ref();
    let spki = [
        b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(),
        public,
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(&spki)
    );
    let forms: [(&str, &[u8]); 6] = [
        ("raw", public),
        ("base64url", &encode(public).into_bytes()),
        ("DER", &spki),
        ("PEM", pem.as_bytes()),
        ("PEM without its last line break", pem.trim_end().as_bytes()),
        ("nothing", b""),
    ];
    for (form, key) in forms {
        for kid in [&forge.ed_kid, &forge.hs_kid] {
            let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": kid }).to_string();
            let what = format!("HS256 with the Ed25519 public key ({form}) under {kid}");
            row(&what, sign_by_secret(key, &header, &claims));
        }
    }
    let mixed = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": forge.hs_kid }).to_string();
    row(
        "EdDSA under the name of the secret",
        forge.sign_by_pair(&mixed, &claims),
    );
    let mixed = json!({ "typ": "at+jwt", "alg": "HS256", "kid": forge.ed_kid }).to_string();
    row(
        "HS256 with our secret under the name of the pair",
        sign_by_secret(&forge.secret, &mixed, &claims),
    );
    for alg in [
        "HS512", "ES256", "RS256", "PS256", "Ed25519", "eddsa", "hs256",
    ] {
        row(
            &format!("alg {alg}"),
            forge.with_header(|header| header["alg"] = json!(alg)),
        );
    }
    let other = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let other = Forge {
        pair: other,
        secret: vec![7; 64],
        ..Forge::of(BASE, forge.algorithm, &forge.good())
    };
    row("another's key under our name", other.good());
    let dropped = Forge::of(
        "a base that was dropped, long enough",
        forge.algorithm,
        &forge.good(),
    );
    row("a base that was dropped", dropped.good());
    rows
}

fn headers(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |what: String, token: String| rows.push((what, token, "token_invalid"));
    let long = "k".repeat(3000);
    let kids = [
        json!("another"),
        json!("../../etc/passwd"),
        json!("/dev/null"),
        json!("' OR 1=1 --"),
        json!("https://evil.example/jwks.json"),
        json!(""),
        json!(long),
        json!(1),
        json!(null),
        json!([forge.ed_kid]),
    ];
    for kid in kids {
        row(
            format!("kid {kid}"),
            forge.with_header(|header| header["kid"] = kid),
        );
    }
    for member in ["kid", "alg", "typ"] {
        row(
            format!("no {member}"),
            forge.with_header(|header| remove(header, member)),
        );
    }
    for typ in [
        "JWT",
        "at+JWT",
        "AT+JWT",
        "application/at+jwt",
        "jwt",
        "",
        "id_token",
    ] {
        row(
            format!("typ {typ}"),
            forge.with_header(|header| header["typ"] = json!(typ)),
        );
    }
    let other = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(other.public_key().as_ref()), "kid": "x" });
    let theirs = Forge {
        pair: other,
        secret: vec![7; 64],
        ..Forge::of(BASE, forge.algorithm, &forge.good())
    };
    for (member, value) in [
        ("jku", json!("https://evil.example/jwks.json")),
        ("jwk", jwk),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("cty", json!("JWT")),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
        ("nonce", json!("1")),
    ] {
        row(
            format!("{member}, signed by us"),
            forge.with_header(|header| header[member] = value.clone()),
        );
        row(
            format!("{member}, signed by them"),
            theirs.with_header(|header| header[member] = value.clone()),
        );
    }
    let claims = forge.claims.to_string();
    let twice = forge
        .header()
        .to_string()
        .replacen('{', r#"{"alg":"none","#, 1);
    row("alg twice".to_owned(), forge.sign(&twice, &claims));
    for text in ["", "null", "[]", "\"at+jwt\"", "{", "\u{0}"] {
        row(format!("the header {text:?}"), forge.sign(text, &claims));
    }
    rows
}

fn claims(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |what: String, token: String| rows.push((what, token, "token_invalid"));
    for member in [
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "scope",
    ] {
        row(
            format!("no {member}"),
            forge.with_claims(|claims| remove(claims, member)),
        );
        for value in [json!(null), json!({}), json!([]), json!(true)] {
            row(
                format!("{member} {value}"),
                forge.with_claims(|claims| claims[member] = value),
            );
        }
    }
    let exp = forge.claims["exp"].as_u64().unwrap();
    for member in ["exp", "nbf", "iat"] {
        for value in [
            json!(exp.to_string()),
            json!(exp as f64 + 0.5),
            json!(-1),
            json!([exp]),
            json!(u64::MAX),
        ] {
            row(
                format!("{member} {value}"),
                forge.with_claims(|claims| claims[member] = value),
            );
        }
        for literal in [
            "1e3",
            "1e400",
            "9223372036854775808",
            "99999999999999999999",
            "0x10",
            "1769851800.0",
            "+1",
        ] {
            let mut claims = forge.claims.clone();
            claims[member] = json!("here");
            let claims = claims.to_string().replace("\"here\"", literal);
            row(
                format!("{member} {literal}"),
                forge.sign(&forge.header().to_string(), &claims),
            );
        }
    }
    row(
        "nbf in a second".to_owned(),
        forge.with_claims(|claims| claims["nbf"] = json!(seconds(START) + 1)),
    );
    for member in ["iss", "aud"] {
        let ours = forge.claims[member].as_str().unwrap();
        for value in [
            json!("https://evil.example"),
            json!(format!("{ours}/")),
            json!(ours.to_uppercase()),
            json!(""),
            json!([ours]),
            json!([ours, "https://evil.example"]),
        ] {
            row(
                format!("{member} {value}"),
                forge.with_claims(|claims| claims[member] = value),
            );
        }
    }
    for member in ["sub", "sid"] {
        let text = forge.claims[member].as_str().unwrap();
        let id: i64 = text.split('.').next().unwrap().parse().unwrap();
        for value in [
            json!(id),
            json!(format!("{id} ")),
            json!(format!(" {id}")),
            json!(format!("+{id}")),
            json!(format!("0{id}")),
            json!(format!("-{id}")),
            json!(format!("{id}.0")),
            json!("0"),
            json!(""),
            json!("one@example.com"),
            json!("9223372036854775808"),
        ] {
            row(
                format!("{member} {value}"),
                forge.with_claims(|claims| claims[member] = value),
            );
        }
    }
    for value in [
        "",
        "1",
        &"A".repeat(32),
        &"g".repeat(32),
        &"0".repeat(31),
        &"0".repeat(33),
    ] {
        row(
            format!("jti {value}"),
            forge.with_claims(|claims| claims["jti"] = json!(value)),
        );
    }
    for value in [
        " ",
        "projects:read  projects:write",
        "projects:read\n",
        "a:b\"",
        "Projects:Read",
        "é:a",
    ] {
        row(
            format!("scope {value:?}"),
            forge.with_claims(|claims| claims["scope"] = json!(value)),
        );
    }
    row(
        "a list of scopes".to_owned(),
        forge.with_claims(|claims| claims["scope"] = json!(["projects:read"])),
    );
    for (member, value) in [
        ("nonce", json!("1")),
        ("Exp", json!(true)),
        ("two words", json!(true)),
        ("client_id", json!("1")),
    ] {
        row(
            format!("{member} as well"),
            forge.with_claims(|claims| claims[member] = value),
        );
    }
    row(
        "plan twice".to_owned(),
        forge.sign(
            &forge.header().to_string(),
            &forge
                .claims
                .to_string()
                .replacen('{', r#"{"plan":1,"plan":1,"#, 1),
        ),
    );
    for member in ["sub", "exp", "scope"] {
        let twice = forge.claims.to_string().replacen(
            '{',
            &format!(r#"{{"{member}":{},"#, forge.claims[member]),
            1,
        );
        row(
            format!("{member} twice"),
            forge.sign(&forge.header().to_string(), &twice),
        );
    }
    for text in ["", "null", "[]", "{", "1"] {
        row(
            format!("the claims {text:?}"),
            forge.sign(&forge.header().to_string(), text),
        );
    }
    rows
}

fn forms(forge: &Forge) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |what: &str, token: String| rows.push((what.to_owned(), token, "token_invalid"));
    let good = forge.good();
    let [head, body, signature] = [0, 1, 2].map(|number| good.split('.').nth(number).unwrap());
    row("a segment more", format!("{good}.{signature}"));
    row("an empty segment more", format!("{good}."));
    row("an empty segment before", format!(".{good}"));
    row("two segments", format!("{head}.{body}"));
    row("one segment", head.to_owned());
    row("no signature", format!("{head}.{body}."));
    row("no claims", format!("{head}..{signature}"));
    row("no header", format!(".{body}.{signature}"));
    row("nothing but dots", "..".to_owned());
    row("padding behind", format!("{good}=="));
    let padded = |text: &str| BASE64_URL_SAFE.encode(BASE64_URL_SAFE_NO_PAD.decode(text).unwrap());
    row(
        "padded segments",
        [head, body, signature].map(padded).join("."),
    );
    row("white space inside", format!("{head}. {body}.{signature}"));
    let half = body.len() / 2;
    row(
        "white space within a segment",
        format!("{head}.{} {}.{signature}", &body[..half], &body[half..]),
    );
    // The last character's lowest bits decode to nothing.
    let last = signature.chars().last().unwrap();
    let changed = char::from(u8::try_from(last).unwrap() + 1);
    row(
        "spare bits set",
        format!(
            "{head}.{body}.{}{changed}",
            &signature[..signature.len() - 1]
        ),
    );
    // Most signatures have one of the two characters in which the alphabets differ.
    let other = (0..100)
        .map(|number| forge.with_claims(|claims| claims["jti"] = json!(format!("{number:032x}"))));
    let other = other
        .map(|token| token.replace('-', "+").replace('_', "/"))
        .find(|token| token.contains(['+', '/']));
    row("the other alphabet", other.unwrap());
    row("cut short", good[..good.len() - 1].to_owned());
    row("one character more", format!("{good}A"));
    row(
        "one MB of it",
        format!("{head}.{}.{signature}", "A".repeat(1 << 20)),
    );
    row(
        "one MB of scopes",
        forge.with_claims(|claims| claims["scope"] = json!("a:b ".repeat(1 << 18) + "a:b")),
    );
    let spaced = forge.claims.to_string() + &" ".repeat(5000);
    row(
        "5 KB of white space in the claims",
        forge.sign(&forge.header().to_string(), &spaced),
    );
    row(
        "5 KB of header",
        forge.with_header(|header| header["kid"] = json!("k".repeat(5000))),
    );
    rows
}

fn others(forge: &Forge) -> Vec<Row> {
    let past = seconds(START) - 1;
    let over = forge.with_claims(|claims| claims["exp"] = json!(past));
    let now = forge.with_claims(|claims| claims["exp"] = json!(seconds(START)));
    let (rest, _) = over.rsplit_once('.').unwrap();
    let (_, signature) = now.rsplit_once('.').unwrap();
    let refresh = PlainToken::generate(TokenKind::Refresh).unwrap();
    let row = |what: &str, token, code| (what.to_owned(), token, code);
    vec![
        row("past its time", over.clone(), "token_expired"),
        row(
            "past its time to the millisecond",
            now.clone(),
            "token_expired",
        ),
        row(
            "past its time and forged",
            format!("{rest}.{signature}"),
            "token_invalid",
        ),
        row(
            "a refresh token",
            refresh.reveal().to_owned(),
            "token_invalid",
        ),
    ]
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis() / 1000
}

async fn the_whole_table(algorithm: Algorithm) {
    let app = TestApp::with_settings(|settings| {
        settings.secrets.key_base = Some(Secret::from(BASE.to_owned()));
        settings.tokens.algorithm = algorithm;
    })
    .await;
    let user = app.create_user(ONE, PASSWORD).await;
    let token = app.sign_in_as(&user).await;
    let access = access_token(&app, &token).await;
    let forge = Forge::of(BASE, algorithm, &access.text);
    // What the forger makes is good where nothing is changed: the rows below fail for their one reason.
    let reordered = forge.good();
    assert_eq!(part(&reordered, 0), part(&access.text, 0));
    for good in [&access.text, &reordered] {
        assert_eq!(answer(&app, good).await, (200, Value::Null));
    }

    let mut rows = [
        algorithms(&forge),
        headers(&forge),
        claims(&forge),
        forms(&forge),
        others(&forge),
    ]
    .concat();
    let link = reset_token(&app, ONE).await;
    rows.push(("a reset link".to_owned(), link, "token_invalid"));

    let ended = access_token(&app, &app.sign_in_as(&user).await).await;
    assert_eq!(answer(&app, &ended.text).await.0, 200);
    end_session(&app, ended.session_id).await;
    rows.push(("its session ended".to_owned(), ended.text, "token_invalid"));
    let revoked = access_token(&app, &token).await;
    assert_eq!(answer(&app, &revoked.text).await.0, 200);
    let (id, jti, until) = (revoked.session_id, revoked.jti.clone(), START + LIFETIME);
    write(&app, move |tx| {
        revocations::insert_token(tx, id, &jti, START, until)
    })
    .await;
    rows.push(("ended alone".to_owned(), revoked.text, "token_invalid"));

    let mut wrong = Vec::new();
    // Twice: what was refused once must not be remembered as good.
    for (what, token, code) in rows.iter().chain(&rows) {
        let reply = app.get("/v1/projects").bearer(token).send().await;
        let challenge = reply.header("WWW-Authenticate").unwrap_or_default();
        let refused = (reply.status, &reply.json()["code"]) == (401, &json!(code));
        if !refused || !challenge.starts_with(r#"Bearer realm="cloakroom", error="invalid_token""#)
        {
            wrong.push(format!(
                "{what}: {} {} {challenge}",
                reply.status,
                reply.json()["code"]
            ));
        }
    }
    assert!(rows.len() > 200, "{}", rows.len());
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );

    // And where an API key is required, none of these tokens is one.
    for (what, text) in [
        ("a session's token", &token),
        ("an access token", &access.text),
    ] {
        let reply = app
            .get("/v1/projects")
            .header("X-API-Key", text)
            .send()
            .await;
        assert_eq!(
            (reply.status, &reply.json()["code"]),
            (401, &json!("invalid_api_key")),
            "{what}"
        );
    }
    assert_eq!(
        answer(&app, &access.text).await,
        (200, Value::Null),
        "the good one is as good as before"
    );
}

async fn end_session(app: &TestApp, id: SessionId) {
    assert!(write(app, move |tx| sessions::delete(tx, id)).await);
}

#[actix_web::test]
async fn every_forged_token_is_rejected_with_its_code() {
    the_whole_table(Algorithm::EdDsa).await;
}

#[actix_web::test]
async fn forged_tokens_are_rejected_under_hs256() {
    the_whole_table(Algorithm::Hs256).await;
}

#[actix_web::test]
async fn the_longest_configurable_token_is_accepted() {
    let app = TestApp::with_settings(|settings| {
        settings.tokens.issuer = "i".repeat(255);
        settings.tokens.audience = "a".repeat(255);
    })
    .await;
    let scopes: Vec<String> = (0..32)
        .map(|number| format!("a:{}{number:02}", "a".repeat(60)))
        .collect();
    let scopes = Scopes::from_words(&scopes).unwrap();
    let token = app.context().access_tokens.mint(&NewAccessToken {
        auth_methods: &AuthMethods::default(),
        authenticated_at: Timestamp::from_millis(0),
        claims: &Claims::default(),
        audience: None,
        user_id: UserId(i64::MAX),
        sid: &format!("{}.{}", i64::MAX, "f".repeat(32)),
        scopes: &scopes,
        jti: &"f".repeat(32),
        issued_at: START,
        expires_at: START + Duration::from_secs(3600),
    });
    let read = app
        .context()
        .access_tokens
        .verify(&token.unwrap(), START)
        .unwrap();
    assert_eq!(read.scopes, scopes);
}
