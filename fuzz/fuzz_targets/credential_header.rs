//! Any headers: reading the credential returns a token that the headers contain, or an error, and never panics.

#![no_main]

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use arbitrary::Arbitrary;
use cloakroom::http::auth::credential::{Credential, presented};
use libfuzzer_sys::fuzz_target;

const COOKIE_NAME: &str = "cloakroom";

#[derive(Arbitrary, Debug)]
struct Headers<'a> {
    authorization: Vec<&'a [u8]>,
    api_key: Vec<&'a [u8]>,
    cookie: Vec<&'a [u8]>,
}

fuzz_target!(|input: Headers| {
    let mut headers = HeaderMap::new();
    append(&mut headers, AUTHORIZATION, &input.authorization);
    append(
        &mut headers,
        HeaderName::from_static("x-api-key"),
        &input.api_key,
    );
    append(&mut headers, COOKIE, &input.cookie);

    let repeated =
        headers.get_all(AUTHORIZATION).count() > 1 || headers.get_all("x-api-key").count() > 1;
    let credential = presented(&headers, COOKIE_NAME);
    assert!(
        !repeated || credential.is_err(),
        "repeated headers are refused"
    );

    let text = match &credential {
        Ok(Some(Credential::Session { token, .. } | Credential::ApiKey { token })) => {
            token.reveal()
        }
        Ok(Some(Credential::Access { text })) => text,
        Ok(None) | Err(_) => return,
    };
    assert!(
        headers
            .iter()
            .any(|(_, value)| contains(value.as_bytes(), text.as_bytes())),
        "the credential comes from a header"
    );
});

fn append(headers: &mut HeaderMap, name: HeaderName, lines: &[&[u8]]) {
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name.clone(), value);
        }
    }
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    text.is_empty() || line.windows(text.len()).any(|window| window == text)
}
