//! Settings as a whole; `rules` tests what is refused.

mod rules;

use toml::{Table, Value};

use super::*;
use crate::domain::scope::Scopes;

fn development() -> Settings {
    Settings::for_env(Environment::Development).unwrap()
}

#[test]
fn development_and_test_defaults_are_valid() {
    assert_eq!(development().env, Environment::Development);
    assert!(development().cors.credentials);
    let test = Settings::for_env(Environment::Test).unwrap();
    assert_eq!(
        (test.password.bcrypt_cost, test.throttle.enabled),
        (4, false)
    );
    assert_eq!(test.server.bind, "127.0.0.1:0");
}

#[test]
fn every_key_of_the_default_file_survives_a_round_trip() {
    let mut default: Table = include_str!("../../config/default.toml").parse().unwrap();
    // All that development.toml changes.
    default["cors"]["credentials"] = Value::from(true);
    let written: Table = development().to_toml().unwrap().parse().unwrap();
    assert_eq!(written, default);
}

#[test]
fn written_settings_can_be_read_back() {
    let mut settings = Settings::for_env(Environment::Test).unwrap();
    settings.mail.smtp.username = Some("mailer".to_owned());
    settings.mail.templates = Some("mails".into());
    settings.tokens.algorithm = Algorithm::Hs256;
    settings.tokens.scopes = Scopes::parse("orders:read introspect").unwrap();
    settings.server.trusted_proxies =
        vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let written = settings.to_toml().unwrap();
    let read: Settings = toml::from_str(&written).unwrap();
    assert_eq!(read.to_toml().unwrap(), written);
    assert_eq!(read.server.trusted_proxies, settings.server.trusted_proxies);
    assert_eq!(read.tokens.scopes, settings.tokens.scopes);
}

#[test]
fn debug_and_toml_show_no_secret() {
    let mut settings = development();
    let secret = || Secret::from("swordfish".to_owned());
    settings.secrets.key_base = Some(secret());
    settings.secrets.previous = vec![secret()];
    settings.mail.smtp.password = Some(secret());
    let written = settings.to_toml().unwrap();
    assert!(!written.contains("swordfish") && !format!("{settings:?}").contains("swordfish"));
    let written: Table = written.parse().unwrap();
    assert_eq!(written["secrets"]["key_base"], Value::from("[hidden]"));
    assert_eq!(written["mail"]["smtp"]["password"], Value::from("[hidden]"));
}

#[test]
fn links_of_mails_have_their_token_in_the_fragment() {
    let mut settings = development();
    for base in ["https://example.com/app", "https://example.com/app/"] {
        settings.server.frontend_url = base.parse().unwrap();
        for (purpose, page) in [
            (LinkPurpose::Reset, "passwords/edit"),
            (LinkPurpose::Confirmation, "confirmations"),
            (LinkPurpose::AddressChange, "confirmations"),
            (LinkPurpose::Unlock, "unlocks"),
            (LinkPurpose::MailCode, "session/code"),
            (LinkPurpose::IdentityLink, "sign-in/link"),
        ] {
            let link = settings.mailed_link(purpose, "AQ.b-_");
            assert_eq!(link, format!("https://example.com/app/{page}#AQ.b-_"));
        }
    }
}

#[test]
fn links_lead_where_the_settings_say() {
    let mut settings = development();
    for (template, link) in [
        (
            "https://example.com/reset?t={token}&lang=en",
            "https://example.com/reset?t=AQ&lang=en",
        ),
        (
            "{frontend_url}/passwords/{token}/edit",
            "http://localhost:3001/passwords/AQ/edit",
        ),
        ("myapp://reset#{token}", "myapp://reset#AQ"),
        (
            "com.example.app:/reset/{token}",
            "com.example.app:/reset/AQ",
        ),
    ] {
        settings.links.password_reset = template.parse().unwrap();
        assert_eq!(settings.check(), Ok(()), "{template}");
        assert_eq!(settings.mailed_link(LinkPurpose::Reset, "AQ"), link);
    }
}

#[test]
fn issuer_and_audience_default_to_the_public_url() {
    let mut settings = development();
    settings.server.public_url = "https://auth.example.com/".parse().unwrap();
    assert_eq!(
        (settings.issuer(), settings.audience()),
        ("https://auth.example.com", settings.issuer())
    );
    settings.tokens.issuer = "https://example.com/".to_owned();
    assert_eq!(
        (settings.issuer(), settings.audience()),
        ("https://example.com/", "https://example.com/")
    );
    settings.tokens.audience = "shop".to_owned();
    assert_eq!(
        (settings.issuer(), settings.audience()),
        ("https://example.com/", "shop")
    );
}

#[test]
fn the_usual_port_depends_on_tls() {
    let mut smtp = development().mail.smtp;
    for (tls, port) in [
        (SmtpTls::Required, 465),
        (SmtpTls::Starttls, 587),
        (SmtpTls::None, 25),
    ] {
        smtp.tls = tls;
        assert_eq!(smtp.port(), port);
    }
    smtp.port = 2525;
    assert_eq!(smtp.port(), 2525);
}

#[test]
fn environments_are_matched_by_full_name() {
    assert_eq!("production".parse(), Ok(Environment::Production));
    let refused = "prod".parse::<Environment>().unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("CLOAKROOM_ENV: must be development, test or production")
    );
}
