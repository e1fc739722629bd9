//! Requests for a sign-in by mail, and what the mails hold.

use cloakroom::testing::{Reply, TestApp};
use serde_json::{Value, json};

use super::app::execute_sql;
use super::flows::link_token;

/// The path of the mailed link.
pub const LINK_PATH: &str = "/session/code#";

/// A request, as the page that sent it knows it.
pub struct Asked {
    pub token: String,
    /// The browser's cookie, as it sends it.
    pub cookie: String,
}

/// What a mail holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailed {
    pub code: String,
    pub link: String,
}

/// Asks for a code, as the application's page does in a new browser.
pub async fn ask(app: &TestApp, address: &str) -> Asked {
    ask_in(app, address, None).await
}

/// The same in a browser that has this cookie.
pub async fn ask_in(app: &TestApp, address: &str, cookie: Option<&str>) -> Asked {
    let mut call = app
        .post("/v1/session/code")
        .same_origin()
        .json(&json!({ "email_address": address }));
    if let Some(cookie) = cookie {
        call = call.header("Cookie", cookie);
    }
    let reply = call.send().await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    Asked {
        token: reply.json()["request_token"].as_str().unwrap().to_owned(),
        cookie: cookie_of(&reply),
    }
}

/// The cookie that a reply sets.
pub fn cookie_of(reply: &Reply) -> String {
    let line = reply.header("set-cookie").expect("a cookie");
    line.split(';').next().unwrap().to_owned()
}

/// Sends the mails that wait; the newest code that an address got.
pub async fn last_mailed(app: &TestApp, address: &str) -> Mailed {
    let mails = app.mails().await;
    let mut codes = mails.iter().filter(|mail| mail.to == address);
    let mail = codes.rfind(|mail| mail.text.contains(LINK_PATH));
    mailed_in(&mail.expect("a mail with a code").text)
}

/// The code and the link in the text of a mail.
pub fn mailed_in(text: &str) -> Mailed {
    let (_, rest) = text.split_once("sign in: ").expect("a code");
    Mailed {
        code: rest.split_whitespace().next().unwrap().to_owned(),
        link: link_token(text, LINK_PATH),
    }
}

/// Asks for a code and reads the mail.
pub async fn ask_and_read(app: &TestApp, address: &str) -> (Asked, Mailed) {
    let asked = ask(app, address).await;
    (asked, last_mailed(app, address).await)
}

/// Signs in with a code.
pub async fn present_code(app: &TestApp, request_token: &str, code: &str) -> Reply {
    let body = json!({ "request_token": request_token, "code": code });
    app.post("/v1/session").json(&body).send().await
}

/// What the page of the link asks for first, with this cookie.
pub async fn open_link(app: &TestApp, link: &str, cookie: Option<&str>) -> Reply {
    from_page(
        app,
        "/v1/session/code/check",
        json!({ "token": link }),
        cookie,
    )
    .await
}

/// Signs in by the link, with this cookie.
pub async fn present_link(app: &TestApp, link: &str, cookie: Option<&str>) -> Reply {
    from_page(app, "/v1/session", json!({ "link_token": link }), cookie).await
}

async fn from_page(app: &TestApp, path: &str, body: Value, cookie: Option<&str>) -> Reply {
    let mut call = app.post(path).same_origin().json(&body);
    if let Some(cookie) = cookie {
        call = call.header("Cookie", cookie);
    }
    call.send().await
}

/// Marks all addresses as verified: the first proof of an address changes its account.
pub fn verify_addresses(app: &TestApp) {
    execute_sql(app, "UPDATE users SET email_confirmed_at = created_at");
}

/// A code that is not this one.
pub fn other_than(code: &str) -> String {
    let last = if code.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &code[..7])
}
