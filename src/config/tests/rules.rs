//! What is refused, and what is not.

use std::time::Duration;

use url::Url;

use crate::config::problems::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};
use crate::config::*;
use crate::domain::scope::Scopes;

/// The refusals of an environment's settings after `change`, one a line.
fn refused(env: Environment, change: impl FnOnce(&mut Settings)) -> String {
    let mut settings = Settings::for_env(Environment::Development).unwrap();
    settings.env = env;
    if env == Environment::Production {
        settings.secrets.key_base =
            Some(Secret::from("0123456789abcdefghijklmnopqrstuv".to_owned()));
    }
    change(&mut settings);
    settings
        .check()
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[track_caller]
fn refuses(key: &str, change: impl FnOnce(&mut Settings)) {
    refuses_in(Environment::Development, key, change);
}

#[track_caller]
fn refuses_in(env: Environment, key: &str, change: impl FnOnce(&mut Settings)) {
    let lines = refused(env, change);
    assert!(!lines.is_empty(), "{key} is accepted");
    for line in lines.lines() {
        assert!(line.starts_with(&format!("{key}: must ")), "{line}");
    }
}

#[track_caller]
fn accepts(change: impl FnOnce(&mut Settings)) {
    assert_eq!(refused(Environment::Development, change), "");
}

#[track_caller]
fn accepts_in_production(change: impl FnOnce(&mut Settings)) {
    assert_eq!(refused(Environment::Production, change), "");
}

#[test]
fn a_secret_shorter_than_32_bytes_is_refused() {
    let secret = |length| Secret::from("k".repeat(length));
    refuses("secrets.key_base", |s| {
        s.secrets.key_base = Some(secret(31));
    });
    refuses("secrets.previous", |s| {
        s.secrets.previous = vec![secret(32), secret(31)];
    });
    accepts(|s| s.secrets.key_base = Some(secret(32)));
}

#[test]
fn a_secret_is_one_line() {
    let secret = || Secret::from(format!("{}\n", "k".repeat(32)));
    refuses("secrets.key_base", |s| {
        s.secrets.key_base = Some(secret());
    });
    refuses("secrets.previous", |s| s.secrets.previous = vec![secret()]);
    refuses("mail.smtp.password", |s| {
        s.mail.smtp.username = Some("one".to_owned());
        s.mail.smtp.password = Some(secret());
    });
}

#[test]
fn the_cookie_domain_is_a_parent_of_the_public_url() {
    let with = |domain: &'static str, url: &'static str| {
        move |s: &mut Settings| {
            s.server.public_url = url.parse().unwrap();
            s.session.cookie_domain = Some(domain.to_owned());
        }
    };
    let own = "https://auth.example.com";
    for (domain, url) in [
        ("example.com", own),
        ("auth.example.com", own),
        ("example.com", "https://example.com/auth"),
        ("example.co.uk", "https://a.b.example.co.uk:8443"),
    ] {
        accepts(with(domain, url));
    }
    for (domain, url) in [
        ("com", own),
        (".example.com", own),
        ("Example.com", own),
        ("example.com.", own),
        ("example.com; Path=/x", own),
        ("ple.com", own),
        ("example.org", own),
        ("orders.example.com", own),
        ("127.0.0.1", "https://127.0.0.1"),
        ("localhost", "http://localhost:3000"),
        ("example.com", "http://auth.example.com"),
    ] {
        refuses("session.cookie_domain", with(domain, url));
    }
}

#[test]
fn the_database_is_a_path() {
    for url in [
        "file:x.db",
        "file:///x.db",
        "sqlite://x.db",
        "postgres://host/x",
    ] {
        refuses("database.path", |s| s.database.path = url.into());
    }
    accepts(|s| s.database.path = "/srv/file:x.db".into());
}

#[test]
fn production_refuses_a_guessable_key_base() {
    let weak = [
        "k".repeat(32),
        "0123456789".repeat(4),
        "abcdefg".repeat(9),
        "01234567".repeat(4),
    ];
    for weak in weak {
        refuses_in(Environment::Production, "secrets.key_base", |s| {
            s.secrets.key_base = Some(Secret::from(weak.clone()));
        });
        accepts(|s| s.secrets.key_base = Some(Secret::from(weak)));
    }
    for random in [
        "9f86d081884c7d659a2feaa0c55ad015",
        "correct horse battery staple, and more",
    ] {
        accepts_in_production(|s| s.secrets.key_base = Some(Secret::from(random.to_owned())));
    }
}

#[test]
fn production_trusts_no_network_of_strangers() {
    for wide in [
        "0.0.0.0/0",
        "0.0.0.0/1",
        "128.0.0.0/7",
        "::/0",
        "2000::/3",
        "::ffff:0:0/96",
        "::/8",
    ] {
        refuses_in(Environment::Production, "server.trusted_proxies", |s| {
            s.server.trusted_proxies = vec![wide.parse().unwrap()];
        });
        accepts(|s| s.server.trusted_proxies = vec![wide.parse().unwrap()]);
    }
    for own in [
        "10.0.0.0/8",
        "fc00::/7",
        "fd00::/8",
        "::ffff:10.0.0.0/104",
        "127.0.0.1/32",
        "2001:db8::/32",
    ] {
        accepts_in_production(|s| s.server.trusted_proxies = vec![own.parse().unwrap()]);
    }
}

/// The keys of the warnings of an environment's settings after `change`.
fn warned(env: Environment, change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = Settings::for_env(Environment::Development).unwrap();
    settings.env = env;
    settings.password.reject_common = true;
    change(&mut settings);
    let warnings = settings.warnings().into_iter();
    warnings.map(|warning| warning.key).collect()
}

#[test]
fn settings_unsafe_for_real_users_are_warnings() {
    let https = |s: &mut Settings| {
        s.server.public_url = "https://auth.example.com".parse().unwrap();
        s.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let none = [""; 0];
    for env in [Environment::Development, Environment::Test] {
        assert_eq!(warned(env, |_| ()), none);
        assert_eq!(warned(env, https), ["CLOAKROOM_ENV"]);
        for open in [
            "0.0.0.0:3000",
            "[::]:3000",
            "192.0.2.1:80",
            "auth.example.com:80",
        ] {
            assert_eq!(
                warned(env, |s| s.server.bind = open.to_owned()),
                ["CLOAKROOM_ENV"]
            );
        }
        for own in ["127.0.0.2:3000", "[::1]:3000", "localhost:3000"] {
            assert_eq!(warned(env, |s| s.server.bind = own.to_owned()), none);
        }
    }
    let production = Environment::Production;
    assert_eq!(warned(production, https), none);
    assert_eq!(
        warned(production, |s| s.throttle.enabled = false),
        ["throttle.enabled"]
    );
    assert_eq!(
        warned(production, |s| s.password.min_length = 7),
        ["password"]
    );
    assert_eq!(
        warned(production, |s| s.password.reject_common = false),
        ["password"]
    );
    let clear = |host: &'static str| {
        move |s: &mut Settings| {
            s.mail.transport = MailTransport::Smtp;
            s.mail.smtp.tls = SmtpTls::None;
            s.mail.smtp.host = host.to_owned();
        }
    };
    assert_eq!(
        warned(production, clear("mail.example.com")),
        ["mail.smtp.tls"]
    );
    assert_eq!(warned(production, clear("127.0.0.1")), none);
    let without_proxies = |s: &mut Settings| {
        https(s);
        s.server.trusted_proxies.clear();
    };
    assert_eq!(
        warned(production, without_proxies),
        ["server.trusted_proxies"]
    );
}

#[test]
fn production_needs_a_key_base() {
    refuses_in(Environment::Production, "secrets.key_base", |s| {
        s.secrets.key_base = None;
    });
    accepts(|s| s.secrets.key_base = None);
}

#[test]
fn production_needs_https_except_for_localhost() {
    for plain in [
        "http://example.com",
        "http://localhost.example.com",
        "http://10.0.0.1:3000",
    ] {
        let url: Url = plain.parse().unwrap();
        refuses_in(Environment::Production, "server.public_url", |s| {
            s.server.public_url = url.clone();
        });
        refuses_in(Environment::Production, "server.frontend_url", |s| {
            s.server.frontend_url = url.clone();
        });
        accepts(|s| s.server.public_url = url);
    }
    for sound in [
        "https://example.com",
        "http://localhost:3000",
        "http://127.0.0.1",
        "http://[::1]:3000",
        "http://auth.localhost:3000",
    ] {
        accepts_in_production(|s| s.server.public_url = sound.parse().unwrap());
    }
}

#[test]
fn a_url_is_http_without_credentials_query_or_fragment() {
    for bad in [
        "ftp://example.com",
        "javascript:alert(1)",
        "https://user@example.com",
        "https://:secret@example.com",
        "https://example.com/?a=b",
        "https://example.com/?",
        "https://example.com/#top",
    ] {
        refuses("server.public_url", |s| {
            s.server.public_url = bad.parse().unwrap();
        });
        refuses("server.frontend_url", |s| {
            s.server.frontend_url = bad.parse().unwrap();
        });
    }
    accepts(|s| s.server.frontend_url = "https://example.com/app/".parse().unwrap());
}

#[test]
fn bind_is_a_host_and_a_port() {
    for bad in [
        "",
        "3000",
        ":3000",
        "127.0.0.1",
        "127.0.0.1:",
        "a:b",
        "a:+1",
        "a:70000",
        "::1:3000",
        "[::1]",
        "[a]:1",
        "http://a:1",
    ] {
        refuses("server.bind", |s| s.server.bind = bad.to_owned());
    }
    for good in [
        "127.0.0.1:0",
        "0.0.0.0:80",
        "[::1]:3000",
        "[::]:3000",
        "localhost:3000",
        "my-host.example:1",
    ] {
        accepts(|s| s.server.bind = good.to_owned());
    }
}

#[test]
fn metrics_have_an_address_apart_from_the_public_one() {
    for bad in ["9464", "nowhere", "127.0.0.1:3000", "a:b"] {
        refuses("metrics.bind", |s| s.metrics.bind = Some(bad.to_owned()));
    }
    for good in ["127.0.0.1:0", "[::1]:9464"] {
        accepts(|s| s.metrics.bind = Some(good.to_owned()));
    }
    let bound = |bind: &str| {
        warned(Environment::Development, |s| {
            s.metrics.bind = Some(bind.to_owned());
        })
    };
    assert_eq!(bound("0.0.0.0:9464"), ["metrics.bind"]);
    assert!(bound("127.0.0.1:9464").is_empty());
}

#[test]
fn production_rejects_trusting_every_proxy() {
    for net in ["0.0.0.0/0", "::/0"] {
        let proxies = vec!["10.0.0.0/8".parse().unwrap(), net.parse().unwrap()];
        refuses_in(Environment::Production, "server.trusted_proxies", |s| {
            s.server.trusted_proxies = proxies.clone();
        });
        accepts(|s| s.server.trusted_proxies = proxies);
    }
}

#[test]
fn origins_are_written_as_browsers_send_them() {
    for bad in [
        "https://example.com/",
        "https://example.com/app",
        "https://EXAMPLE.com",
        "https://example.com:443",
        "https://user@example.com",
        "https://*.com",
        "https://*.*.example.com",
        "https://a*.example.com",
        "https://*.127.0.0.1",
        "https://*.example.com/",
        "*://example.com",
        "capacitor://",
        "capacitor://localhost/",
        "file:///index.html",
        "javascript:alert(1)",
        "wss://example.com",
        "https://bücher.example",
        "example.com",
        "ftp://example.com",
        "null",
        "",
    ] {
        refuses("cors.origins", |s| s.cors.origins = vec![bad.to_owned()]);
    }
    for good in [
        "https://example.com",
        "http://localhost:3001",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "https://*.example.com",
        "https://*.example.com:8443",
        "http://*.localhost:3001",
        "capacitor://localhost",
        "tauri://localhost",
        "ionic://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0f8b2a2e-4f8e-4f6c-9a43-6a5e6e6c8a5d",
    ] {
        accepts(|s| s.cors.origins = vec![good.to_owned()]);
    }
}

#[test]
fn a_pattern_lists_subdomains_alone() {
    let mut cors = Settings::for_env(Environment::Development).unwrap().cors;
    cors.origins = vec![
        "https://*.example.com".to_owned(),
        "tauri://localhost".to_owned(),
    ];
    for origin in [
        "https://app.example.com",
        "https://a.b.example.com",
        "tauri://localhost",
    ] {
        assert!(cors.lists(origin), "{origin}");
    }
    for origin in [
        "https://example.com",
        "https://.example.com",
        "https://a..example.com",
        "https://evilexample.com",
        "https://app.example.com.evil.example",
        "https://evil.example/app.example.com",
        "https://user@app.example.com",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://*.example.com",
        "tauri://localhost.evil.example",
        "*",
        "null",
        "",
    ] {
        assert!(!cors.lists(origin), "{origin}");
    }
}

#[test]
fn request_headers_are_header_names() {
    for bad in ["", "*", "x y", "x:y", "x-ä", "x\r\ny"] {
        refuses("cors.request_headers", |s| {
            s.cors.request_headers = vec![bad.to_owned()];
        });
    }
    accepts(|s| s.cors.request_headers = vec!["baggage".to_owned(), "X-Sentry".to_owned()]);
}

#[test]
fn the_wildcard_origin_stands_alone_without_credentials() {
    let any = || vec!["*".to_owned()];
    accepts(|s| {
        s.cors.origins = any();
        s.cors.credentials = false;
    });
    refuses("cors.origins", |s| {
        s.cors.origins = any();
        s.cors.credentials = true;
    });
    refuses("cors.origins", |s| s.cors.origins.push("*".to_owned()));
}

#[test]
fn smtp_needs_a_host() {
    refuses("mail.smtp.host", |s| s.mail.transport = MailTransport::Smtp);
    for bad in [
        "mail.example.com:25",
        "smtp://mail.example.com",
        "mail example",
        "bücher.example",
    ] {
        refuses("mail.smtp.host", |s| s.mail.smtp.host = bad.to_owned());
    }
    for good in ["mail.example.com", "10.0.0.1", "::1", "mail_relay"] {
        accepts(|s| {
            s.mail.transport = MailTransport::Smtp;
            s.mail.smtp.host = good.to_owned();
        });
    }
}

#[test]
fn smtp_needs_both_user_name_and_password_or_neither() {
    refuses("mail.smtp.password", |s| {
        s.mail.smtp.username = Some("mailer".to_owned());
    });
    refuses("mail.smtp.username", |s| {
        s.mail.smtp.password = Some(Secret::from("x".to_owned()));
    });
}

#[test]
fn cleartext_smtp_passwords_need_loopback() {
    let sign_in = |host: &str| {
        let host = host.to_owned();
        move |s: &mut Settings| {
            s.mail.smtp.host = host;
            s.mail.smtp.tls = SmtpTls::None;
            s.mail.smtp.username = Some("mailer".to_owned());
            s.mail.smtp.password = Some(Secret::from("x".to_owned()));
        }
    };
    refuses("mail.smtp.tls", sign_in("mail.example.com"));
    for host in ["localhost", "127.0.0.1", "::1"] {
        accepts(sign_in(host));
    }
}

#[test]
fn smtp_credentials_have_no_control_characters() {
    let sign_in = |username: &str, password: &str| {
        let (username, password) = (username.to_owned(), password.to_owned());
        move |s: &mut Settings| {
            s.mail.smtp.username = Some(username);
            s.mail.smtp.password = Some(Secret::from(password));
        }
    };
    refuses("mail.smtp.username", sign_in("a\0b", "x"));
    refuses("mail.smtp.password", sign_in("a", "x\n"));
    accepts(sign_in("jürgen@example.com", "pässword"));
}

#[test]
fn a_remote_mail_server_needs_a_sender_at_a_domain() {
    let send = |from: &str, host: &str| {
        let (from, host) = (from.parse().unwrap(), host.to_owned());
        move |s: &mut Settings| {
            s.mail.transport = MailTransport::Smtp;
            s.mail.from = from;
            s.mail.smtp.host = host;
        }
    };
    refuses_in(
        Environment::Production,
        "mail.from",
        send("no-reply@localhost", "mail.example.com"),
    );
    accepts_in_production(send("no-reply@localhost", "127.0.0.1"));
    accepts_in_production(send("no-reply@example.com", "mail.example.com"));
    accepts(send("no-reply@localhost", "mail.example.com"));
}

#[test]
fn mail_needs_directory_sender_and_one_line_name() {
    refuses("mail.directory", |s| s.mail.directory = "".into());
    refuses("mail.from", |s| {
        s.mail.from.name = Some("A\r\nBcc: b@example.com".to_owned());
    });
    for bad in ["", "no-reply@bücher.example", "a@example.com>\r\nDATA"] {
        refuses("mail.from", |s| s.mail.from.address = bad.to_owned());
    }
    for bad in ["", " ", "A\nB", &"a".repeat(101)] {
        refuses("mail.service_name", |s| {
            s.mail.service_name = bad.to_owned();
        });
    }
}

#[test]
fn the_range_service_is_a_url_that_ends_in_a_path() {
    let key = "password.breached_service";
    for url in [
        "ftp://api.example.com",
        "api.example.com/range",
        "https://api.example.com/?range=",
        "https://api.example.com/range#",
    ] {
        refuses(key, |s| s.password.breached_service = Some(url.to_owned()));
    }
    accepts(|s| {
        s.password.breached_service = Some("https://api.example.com/range".to_owned());
    });
}

#[test]
fn the_database_is_a_file() {
    refuses("database.path", |s| s.database.path = "".into());
    refuses("database.path", |s| s.database.path = ":memory:".into());
    refuses("database.path", |s| {
        s.database.path = "storage/cloakroom.key_base".into();
    });
}

#[test]
fn low_bcrypt_cost_is_allowed_only_in_tests() {
    refuses("password.bcrypt_cost", |s| s.password.bcrypt_cost = 9);
    refuses("password.bcrypt_cost", |s| s.password.bcrypt_cost = 17);
    refuses_in(Environment::Production, "password.bcrypt_cost", |s| {
        s.password.bcrypt_cost = 4;
    });
    refuses_in(Environment::Test, "password.bcrypt_cost", |s| {
        s.password.bcrypt_cost = 3;
    });
    refuses_in(Environment::Test, "password.bcrypt_cost", |s| {
        s.password.bcrypt_cost = 32;
    });
    assert_eq!(
        refused(Environment::Test, |s| s.password.bcrypt_cost = 4),
        ""
    );
}

#[test]
fn counts_have_bounds() {
    refuses("server.workers", |s| s.server.workers = 1_025);
    refuses("server.max_connections", |s| s.server.max_connections = 0);
    refuses("database.readers", |s| s.database.readers = 1_025);
    refuses("password.min_length", |s| s.password.min_length = 0);
    refuses("password.min_length", |s| s.password.min_length = 129);
    refuses("password.threads", |s| s.password.threads = 1_025);
    refuses("password.lanes", |s| s.password.lanes = 9);
    refuses("password.queue_limit", |s| s.password.queue_limit = 0);
    refuses("session.max_per_user", |s| s.session.max_per_user = 0);
    refuses("tokens.max_keys_per_user", |s| {
        s.tokens.max_keys_per_user = 0;
    });
    refuses("tokens.max_keys_per_user", |s| {
        s.tokens.max_keys_per_user = 10_001;
    });
}

#[test]
fn durations_have_bounds() {
    // A packet that is lost is sent again after a second (RFC 6298).
    refuses("server.head_timeout", |s| {
        s.server.head_timeout = SECOND - MILLISECOND;
    });
    refuses("server.body_timeout", |s| {
        s.server.body_timeout = SECOND - MILLISECOND;
    });
    refuses("server.keep_alive", |s| s.server.keep_alive = 2 * HOUR);
    refuses("server.shutdown_timeout", |s| {
        s.server.shutdown_timeout = MILLISECOND;
    });
    refuses("database.busy_timeout", |s| {
        s.database.busy_timeout = Duration::ZERO;
    });
    refuses("cors.max_age", |s| s.cors.max_age = 2 * DAY);
    refuses("mail.smtp.timeout", |s| {
        s.mail.smtp.timeout = MILLISECOND;
    });
    refuses("session.lifetime", |s| s.session.lifetime = Duration::ZERO);
    refuses("session.idle_timeout", |s| {
        s.session.idle_timeout = Duration::ZERO;
    });
    refuses("session.remember_lifetime", |s| {
        s.session.remember_lifetime = 2 * MAX_DURATION;
    });
    refuses("tokens.access_lifetime", |s| {
        s.tokens.access_lifetime = 9 * SECOND;
    });
    refuses("tokens.access_lifetime", |s| {
        s.tokens.access_lifetime = HOUR + SECOND;
    });
    accepts(|s| s.tokens.access_lifetime = HOUR);
    refuses("sweep.interval", |s| s.sweep.interval = 19 * SECOND);
    refuses("sweep.interval", |s| s.sweep.interval = 2 * DAY);
    refuses("sweep.keep_sessions", |s| {
        s.sweep.keep_sessions = 2 * MAX_DURATION;
    });
    refuses("sweep.keep_mails", |s| {
        s.sweep.keep_mails = 2 * MAX_DURATION;
    });
    accepts(|s| s.sweep.keep_sessions = Duration::ZERO);
}

#[test]
fn unverified_accounts_are_replaced_only_where_links_are_mailed() {
    let replace = |confirm| {
        move |s: &mut Settings| {
            s.registration.confirm = confirm;
            s.registration.unverified_reset = UnverifiedReset::Replace;
        }
    };
    refuses("registration.unverified_reset", replace(Confirm::Off));
    accepts(replace(Confirm::Remind));
    accepts(replace(Confirm::Required));
}

#[test]
fn private_sign_up_requires_email_verification() {
    for confirm in [Confirm::Off, Confirm::Remind] {
        refuses("registration.private", |s| {
            s.registration.confirm = confirm;
            s.registration.private = true;
        });
        accepts(|s| s.registration.confirm = confirm);
    }
    accepts(|s| {
        s.registration.confirm = Confirm::Required;
        s.registration.private = true;
    });
}

#[test]
fn issuer_and_audience_are_short_single_words() {
    for bad in ["two words", "a\nb", "é", &"a".repeat(256)] {
        refuses("tokens.issuer", |s| s.tokens.issuer = bad.to_owned());
        refuses("tokens.audience", |s| s.tokens.audience = bad.to_owned());
        let others = vec!["one".to_owned(), bad.to_owned()];
        refuses("tokens.audiences", |s| s.tokens.audiences = others);
    }
    refuses("tokens.audiences", |s| {
        s.tokens.audiences = vec![String::new()];
    });
    accepts(|s| s.tokens.issuer = "https://auth.example.com".to_owned());
}

#[test]
fn claims_are_few_and_have_names_of_their_own() {
    for bad in ["", "two words", "é", "sub", "EXP", "email", &"a".repeat(33)] {
        refuses("tokens.claims", |s| {
            s.tokens.claims = vec!["plan".to_owned(), bad.to_owned()];
        });
    }
    refuses("tokens.claims", |s| {
        s.tokens.claims = (0..17).map(|number| format!("a{number}")).collect();
    });
    accepts(|s| s.tokens.claims = (0..16).map(|number| format!("a{number}")).collect());
    accepts(|s| s.tokens.claims = vec!["plan".to_owned(), "role".to_owned()]);
}

#[test]
fn access_tokens_cannot_have_the_introspection_scope() {
    refuses("tokens.scopes", |s| {
        s.tokens.scopes = Scopes::parse("orders:read introspect").unwrap();
    });
    accepts(|s| s.tokens.scopes = Scopes::parse("orders:read").unwrap());
    accepts(|s| s.tokens.scopes = Scopes::default());
}

#[test]
fn sessions_are_no_longer_than_remembered_ones() {
    refuses("session.lifetime", |s| s.session.lifetime = 181 * DAY);
    refuses("session.idle_timeout", |s| {
        s.session.idle_timeout = 181 * DAY;
    });
    accepts(|s| s.session.lifetime = 180 * DAY);
}

#[test]
fn limits_allow_at_least_one_request() {
    let none = Rate {
        count: 0,
        window: MINUTE,
    };
    refuses("throttle.sign_in", |s| s.throttle.sign_in = none);
    refuses("throttle.reset", |s| s.throttle.reset = none);
    refuses("throttle.sign_up", |s| s.throttle.sign_up = none);
    refuses("throttle.address_failures", |s| {
        s.throttle.address_failures = none;
    });
    refuses("throttle.reset_mails", |s| s.throttle.reset_mails = none);
    refuses("throttle.confirmation", |s| s.throttle.confirmation = none);
    refuses("throttle.confirmation_mails", |s| {
        s.throttle.confirmation_mails = none;
    });
    refuses("throttle.challenges", |s| s.throttle.challenges = none);
    refuses("throttle.address_changes", |s| {
        s.throttle.address_changes = none;
    });
    refuses("throttle.notices", |s| s.throttle.notices = none);
    refuses("throttle.api_keys", |s| s.throttle.api_keys = none);
    refuses("throttle.tokens", |s| s.throttle.tokens = none);
    refuses("throttle.sign_in", |s| {
        s.throttle.sign_in.window = Duration::ZERO;
    });
}

#[test]
fn a_log_level_is_a_level_or_directives() {
    for bad in [
        "",
        "inof",
        "info,",
        "info, inof",
        "cloakroom=loud",
        "info,debgu",
    ] {
        refuses("log.level", |s| s.log.level = bad.to_owned());
    }
    for good in [
        "info",
        "WARN",
        "info,cloakroom=debug",
        "warn,actix_web=off",
        "cloakroom::mail=trace",
    ] {
        assert_eq!(
            (
                good,
                &*refused(Environment::Development, |s| s.log.level = good.to_owned())
            ),
            (good, "")
        );
    }
}

#[test]
fn exempt_networks_are_those_of_known_clients() {
    for anyone in ["0.0.0.0/0", "0.0.0.0/1", "::/0", "2001::/16"] {
        refuses("throttle.exempt_networks", |s| {
            s.throttle.exempt_networks = vec![anyone.parse().unwrap()];
        });
    }
    accepts(|s| {
        s.throttle.exempt_networks = vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ];
    });
}

#[test]
fn links_are_whole_urls_with_one_token() {
    for template in [
        "",
        "{frontend_url}/page",
        "{frontend_url}/page#{token}{token}",
        "{frontend_url}/page#{Token}",
        "{frontend_url}/{user}#{token}",
        "{frontend_url}/page#{token",
        "https://example.com/{frontend_url}#{token}",
        "{frontend_url}/a page#{token}",
        "{frontend_url}/päge#{token}",
        "{frontend_url}/page#{token}\n",
        "<https://example.com/#{token}>",
    ] {
        let refusal = template.parse::<LinkTemplate>().unwrap_err();
        assert!(refusal.starts_with("must "), "{template:?}: {refusal}");
    }
    for template in [
        "/page#{token}",
        "//example.com/page#{token}",
        "page#{token}",
        "https://#{token}",
        "https://{token}",
        "https://{token}.example.com/",
        "https://example.com:{token}/",
        "https://one:{token}@example.com/",
        "https://one@example.com/#{token}",
        "{token}://page",
        "javascript:alert('{token}')",
        "JavaScript:alert('{token}')",
        "data:text/html,{token}",
        "file:///page#{token}",
    ] {
        refuses("links.unlock", |s| {
            s.links.unlock = template.parse().unwrap();
        });
    }
    let plain = "http://example.com/page#{token}";
    accepts(|s| s.links.unlock = plain.parse().unwrap());
    let in_production = |s: &mut Settings, template: &str| {
        s.server.public_url = "https://auth.example.com".parse().unwrap();
        s.server.frontend_url = "https://example.com".parse().unwrap();
        s.links.email_verification = template.parse().unwrap();
    };
    refuses_in(Environment::Production, "links.email_verification", |s| {
        in_production(s, plain);
    });
    for template in ["http://localhost:3001/#{token}", "myapp://page#{token}"] {
        accepts_in_production(|s| in_production(s, template));
    }
}

#[test]
fn tokens_that_web_servers_log_are_warnings() {
    let keys = |template: &'static str| {
        warned(Environment::Production, |s| {
            s.links.password_reset = template.parse().unwrap();
        })
        .contains(&"links.password_reset".to_owned())
    };
    assert!(keys("{frontend_url}/passwords/{token}/edit"));
    assert!(keys("{frontend_url}/passwords?token={token}#form"));
    assert!(!keys("{frontend_url}/passwords/edit#{token}"));
    assert!(!keys("myapp://passwords/{token}"));
}

fn provider(change: impl FnOnce(&mut Provider)) -> impl FnOnce(&mut Settings) {
    let mut provider = Provider {
        kind: ProviderKind::Oidc,
        name: String::new(),
        issuer: "https://id.example.com/tenant/".to_owned(),
        tenant: String::new(),
        base_url: String::new(),
        client_id: "client".to_owned(),
        client_secret: Some(Secret::from("secret".to_owned())),
        team_id: String::new(),
        key_id: String::new(),
        private_key: None,
        scopes: vec!["openid".to_owned()],
        allowed_domains: vec!["example.com".to_owned()],
        authoritative_domains: vec![],
        sign_up: true,
        trust_email: true,
        name_claim: "name".to_owned(),
        profile_claims: vec![],
        metadata_claims: vec![],
    };
    change(&mut provider);
    move |settings| {
        settings.providers.insert("acme".to_owned(), provider);
    }
}

#[test]
fn a_provider_needs_issuer_client_and_scope() {
    accepts(provider(|_| {}));
    for issuer in [
        "",
        "id.example.com",
        "https://id.example.com/?a",
        "https://id.example.com/#",
        "ftp://id.example.com",
        "https://a@id.example.com",
    ] {
        refuses(
            "providers.acme.issuer",
            provider(|p| p.issuer = issuer.to_owned()),
        );
    }
    for id in ["", "a b"] {
        refuses(
            "providers.acme.client_id",
            provider(|p| p.client_id = id.to_owned()),
        );
    }
    refuses(
        "providers.acme.client_secret",
        provider(|p| p.client_secret = None),
    );
    let secret = Secret::from("a\nb".to_owned());
    refuses(
        "providers.acme.client_secret",
        provider(|p| p.client_secret = Some(secret)),
    );
    for scopes in [&["email"][..], &["openid", "a b"]] {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        refuses("providers.acme.scopes", provider(|p| p.scopes = scopes));
    }
}

/// A provider of this kind without what only others have.
fn preset(kind: ProviderKind, change: impl FnOnce(&mut Provider)) -> impl FnOnce(&mut Settings) {
    provider(move |p| {
        (p.kind, p.issuer, p.scopes) = (kind, String::new(), vec![]);
        match kind {
            ProviderKind::Microsoft => p.tenant = "organizations".to_owned(),
            ProviderKind::Apple => {
                (p.team_id, p.key_id) = ("TEAM".to_owned(), "KEY".to_owned());
                p.private_key = Some(Secret::from("a\nkey".to_owned()));
                p.client_secret = None;
            }
            _ => {}
        }
        change(p);
    })
}

const PRESETS: [ProviderKind; 6] = [
    ProviderKind::Google,
    ProviderKind::Microsoft,
    ProviderKind::Apple,
    ProviderKind::Gitlab,
    ProviderKind::Discord,
    ProviderKind::Github,
];

#[test]
fn a_known_provider_needs_little() {
    for kind in PRESETS {
        accepts(preset(kind, |_| {}));
        refuses(
            "providers.acme.client_id",
            preset(kind, |p| p.client_id.clear()),
        );
    }
    for tenant in ["common", "72f988bf-86f1-41af-91ab-2d7cd011db47"] {
        accepts(preset(ProviderKind::Microsoft, |p| {
            p.tenant = tenant.to_owned();
        }));
    }
    for tenant in [
        "",
        "consumers",
        "example.com",
        "72F988BF-86F1-41AF-91AB-2D7CD011DB47",
    ] {
        refuses(
            "providers.acme.tenant",
            preset(ProviderKind::Microsoft, |p| p.tenant = tenant.to_owned()),
        );
    }
    let apple = |change: fn(&mut Provider)| preset(ProviderKind::Apple, change);
    refuses("providers.acme.team_id", apple(|p| p.team_id.clear()));
    refuses("providers.acme.key_id", apple(|p| p.key_id.clear()));
    refuses(
        "providers.acme.private_key",
        apple(|p| p.private_key = None),
    );
}

#[test]
fn settings_that_a_kind_does_not_have_are_refused() {
    use ProviderKind::{Apple, Discord, Github, Gitlab, Google, Microsoft};
    let given = || "https://id.example.com".to_owned();
    for kind in PRESETS {
        if ![Microsoft, Github].contains(&kind) {
            refuses(
                "providers.acme.base_url",
                preset(kind, |p| p.base_url = given()),
            );
        }
        if kind != Microsoft {
            refuses(
                "providers.acme.tenant",
                preset(kind, |p| p.tenant = "common".to_owned()),
            );
        }
        if kind != Apple {
            refuses(
                "providers.acme.team_id",
                preset(kind, |p| p.team_id = given()),
            );
            refuses(
                "providers.acme.key_id",
                preset(kind, |p| p.key_id = given()),
            );
            let key = Some(Secret::from("key".to_owned()));
            refuses(
                "providers.acme.private_key",
                preset(kind, |p| p.private_key = key),
            );
        }
    }
    let secret = Some(Secret::from("secret".to_owned()));
    refuses(
        "providers.acme.client_secret",
        preset(Apple, |p| p.client_secret = secret),
    );
    for kind in [Microsoft, Github] {
        refuses(
            "providers.acme.issuer",
            preset(kind, |p| p.issuer = given()),
        );
    }
    accepts(preset(Gitlab, |p| p.issuer = given()));
    // An emulator is for development and tests.
    for kind in [Google, Apple, Discord] {
        accepts(preset(kind, |p| p.issuer = given()));
        let change = preset(kind, |p| p.issuer = given());
        refuses_in(Environment::Production, "providers.acme.issuer", change);
        accepts_in_production(preset(kind, |_| {}));
    }
    for kind in PRESETS {
        let scopes = vec!["unknown".to_owned()];
        refuses("providers.acme.scopes", preset(kind, |p| p.scopes = scopes));
    }
}

#[test]
fn authoritative_domains_are_domains_of_trusted_addresses() {
    for domain in ["", "Example.com", "*.example.com"] {
        let domains = vec![domain.to_owned()];
        let change = provider(|p| p.authoritative_domains = domains);
        refuses("providers.acme.authoritative_domains", change);
    }
    let any = |trusted| {
        provider(move |p| {
            p.allowed_domains.clear();
            p.authoritative_domains = vec!["*".to_owned()];
            p.trust_email = trusted;
        })
    };
    accepts(any(true));
    refuses("providers.acme.authoritative_domains", any(false));
}

#[test]
fn allowed_domains_are_domains_of_trusted_addresses() {
    for domain in [
        "",
        "Example.com",
        "@example.com",
        "*.example.com",
        "exämple.com",
    ] {
        let domains = vec![domain.to_owned()];
        refuses(
            "providers.acme.allowed_domains",
            provider(|p| p.allowed_domains = domains),
        );
    }
    refuses(
        "providers.acme.allowed_domains",
        provider(|p| p.trust_email = false),
    );
}

#[test]
fn kept_claims_have_names_of_their_own() {
    let many = (0..33)
        .map(|at| at.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let long = "a".repeat(129);
    for claims in ["", "=", "a=", "=a", "a b", "a,a", "a,a=b", &many, &long] {
        let claims: Vec<String> = claims.split(',').map(str::to_owned).collect();
        let (profile, metadata) = (claims.clone(), claims);
        let change = provider(|p| p.profile_claims = profile);
        refuses("providers.acme.profile_claims", change);
        let change = provider(|p| p.metadata_claims = metadata);
        refuses("providers.acme.metadata_claims", change);
    }
    let claims = ["picture", "b=a", "roles=https://example.com/roles=1"];
    accepts(provider(|p| {
        p.metadata_claims = claims.map(str::to_owned).to_vec();
    }));
}

#[test]
fn pages_to_return_to_are_whole_urls() {
    refuses("identities.redirects", |s| s.identities.redirects.clear());
    for page in [
        "",
        "/sign-in",
        "{frontend_url}/#a",
        "https://*.example.com/",
        "data:text/html,",
    ] {
        refuses("identities.redirects", |s| {
            s.identities.redirects = vec![page.to_owned()];
        });
    }
    let plain = "http://app.example.com/*".to_owned();
    accepts(|s| s.identities.redirects = vec![plain.clone()]);
}

#[test]
fn passkeys_are_for_the_domain_of_the_front_end() {
    let with = |front_end: &str, domain: &str, origins: &[&str]| {
        let front_end = front_end.parse().unwrap();
        let domain = (!domain.is_empty()).then(|| domain.to_owned());
        let origins: Vec<_> = origins.iter().map(|text| (*text).to_owned()).collect();
        move |s: &mut Settings| {
            s.server.frontend_url = front_end;
            s.passkeys.rp_id = domain;
            s.passkeys.origins = origins;
        }
    };
    let (page, hash) = ("https://app.example.com", "a".repeat(43));
    let app = format!("android:apk-key-hash:{hash}");
    for (front_end, domain, origins) in [
        (page, "", &[][..]),
        (page, "app.example.com", &[]),
        (page, "example.com", &[]),
        (
            page,
            "example.com",
            &["https://example.com", "https://a.b.example.com:8443", &app],
        ),
        (page, "example.org", &["https://example.org"]),
        ("http://localhost:3001", "", &[]),
        (
            "http://localhost:3001",
            "localhost",
            &["http://localhost:5173"],
        ),
        ("http://127.0.0.1:3001", "", &[]),
        ("http://app.test", "", &[]),
    ] {
        accepts(with(front_end, domain, origins));
    }
    for (front_end, domain) in [
        (page, "com"),
        (page, "example.org"),
        (page, "ple.com"),
        (page, "other.app.example.com"),
        (page, "Example.com"),
        (page, "example.com."),
        (page, "https://example.com"),
        (page, "example.com:443"),
        ("http://127.0.0.1:3001", "127.0.0.1"),
        ("http://app.test", "app.test"),
    ] {
        refuses("passkeys.rp_id", with(front_end, domain, &[]));
    }
    refuses("passkeys.rp_id", with("http://127.0.0.1:3001", "", &[page]));
    for origin in [
        "https://example.org",
        "https://badexample.com",
        "https://example.com/",
        "https://example.com:443",
        "https://*.example.com",
        "http://example.com",
        "example.com",
        "*",
        "",
        "android:apk-key-hash:short",
    ] {
        refuses(
            "passkeys.origins",
            with(page, "example.com", &[page, origin]),
        );
    }
}

#[test]
fn passkeys_belong_to_the_host_of_the_front_end_by_default() {
    let mut settings = Settings::for_env(Environment::Test).unwrap();
    let domain = |s: &Settings| s.passkeys.domain(&s.server);
    assert_eq!(domain(&settings).as_deref(), Some("localhost"));
    assert_eq!(
        settings.passkeys.allowed_origins(&settings.server),
        ["http://localhost:3001"]
    );
    settings.server.frontend_url = "https://example.com:8443/app".parse().unwrap();
    assert_eq!(domain(&settings).as_deref(), Some("example.com"));
    assert_eq!(
        settings.passkeys.allowed_origins(&settings.server),
        ["https://example.com:8443"]
    );
    for without in ["http://127.0.0.1:3001", "http://app.test", "https://[::1]"] {
        settings.server.frontend_url = without.parse().unwrap();
        assert_eq!(domain(&settings), None, "{without}");
    }
}
