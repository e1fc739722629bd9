//! Valid replies in unusual forms: without text, on several lines, in any case. The code alone decides.

use cloakroom::config::SmtpTls;
use cloakroom::mail::Transport;

use super::{CREDENTIALS, assert_transient, send, settings_for, with_password};
use crate::support::smtp::{At, Behaviour, ReplyForm, SmtpServer, Tls};

const STEPS: [&str; 10] = [
    "greeting",
    "EHLO",
    "STARTTLS",
    "AUTH",
    "MAIL",
    "RCPT",
    "DATA",
    "end of data",
    "NOOP",
    "QUIT",
];

fn server(tls: Tls, login: bool, reply_forms: Vec<(&'static str, ReplyForm)>) -> SmtpServer {
    SmtpServer::start(Behaviour {
        tls,
        login,
        credentials: CREDENTIALS,
        reply_forms,
        ..Behaviour::default()
    })
}

fn transport(server: &SmtpServer, tls: SmtpTls) -> Transport {
    let settings = with_password(settings_for(server, tls), "a password of ours");
    Transport::from_settings(&settings).unwrap()
}

/// Two mails on one connection, each accepted once.
async fn assert_delivers(server: &SmtpServer, tls: SmtpTls, why: &str) {
    let transport = transport(server, tls);
    for _ in 0..2 {
        let sent = send(&transport).await;
        assert!(sent.is_ok(), "{why}: {sent:?}");
    }
    transport.close_idle().await;
    let received = server.received();
    assert_eq!((received.len(), server.connections()), (2, 1), "{why}");
    assert!(received.iter().all(|mail| mail.tls && mail.authenticated));
}

#[actix_web::test]
async fn each_reply_may_have_any_valid_form() {
    for step in STEPS {
        for form in ReplyForm::ALL {
            let server = server(Tls::Starttls, false, vec![(step, form)]);
            assert_delivers(&server, SmtpTls::Starttls, &format!("{form:?} at {step}")).await;
        }
    }
}

#[actix_web::test]
async fn all_replies_may_have_unusual_forms_at_once() {
    for form in ReplyForm::ALL {
        for login in [false, true] {
            let forms = STEPS.map(|step| (step, form)).to_vec();
            let server = server(Tls::Implicit, login, forms);
            assert_delivers(&server, SmtpTls::Required, &format!("{form:?}, {login}")).await;
        }
    }
}

#[actix_web::test]
async fn a_refusal_without_text_is_a_refusal() {
    for form in [
        ReplyForm::NoText,
        ReplyForm::OnlySpace,
        ReplyForm::LinesWithoutText,
    ] {
        for (at, step, reply, reason) in [
            (At::Hello, "EHLO", "421 x", "421 at connecting"),
            (At::Sender, "MAIL", "451 x", "451 at MAIL FROM"),
            (At::Recipient, "RCPT", "450 x", "450 at RCPT TO"),
            (At::Data, "DATA", "451 x", "451 at DATA"),
            (At::Content, "end of data", "452 x", "452 at the message"),
        ] {
            let server = server(Tls::Implicit, false, vec![(step, form)]);
            server.refuse(at, reply, 1);
            let transport = transport(&server, SmtpTls::Required);
            assert_transient(send(&transport).await, &[reason]);
            assert_eq!(server.received(), [], "{form:?} at {step}");
            send(&transport).await.unwrap();
        }
    }
}

#[actix_web::test]
async fn a_server_with_auth_login_alone_gets_both_answers() {
    let server = server(Tls::Implicit, true, Vec::new());
    assert_delivers(&server, SmtpTls::Required, "AUTH LOGIN").await;
    let settings = with_password(settings_for(&server, SmtpTls::Required), "wrong");
    let transport = Transport::from_settings(&settings).unwrap();
    assert_transient(send(&transport).await, &["535", "AUTH"]);
}
