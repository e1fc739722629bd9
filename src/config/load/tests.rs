//! What comes of settings that are put together, and what is said of those that cannot be.

use std::time::Duration;

use super::*;
use crate::config::declare::section;
use crate::config::problems::Problems;

const KEY_BASE: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

fn sources(env: Environment, variables: &[(&str, &str)]) -> Sources {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        env,
        file: None,
        variables: variables.iter().map(owned).collect(),
        ignored: Vec::new(),
    }
}

fn with(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load(&sources(Environment::Development, variables))
}

fn refusal(variables: &[(&str, &str)]) -> String {
    with(variables).unwrap_err().to_string()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn with_file(text: &str) -> Result<Settings, ConfigError> {
    let file = file(text);
    let mut sources = sources(Environment::Development, &[]);
    sources.file = Some(file.path().to_owned());
    load(&sources)
}

#[test]
fn each_layer_overrides_the_one_before() {
    let file = file("[password]\nbcrypt_cost = 5\nmin_length = 10\n[server]\nworkers = 3\n");
    let mut sources = sources(
        Environment::Test,
        &[("CLOAKROOM__PASSWORD__MIN_LENGTH", "12")],
    );
    let settings = load(&sources).unwrap();
    assert_eq!(
        settings.password.bcrypt_cost, 4,
        "the environment's file over the default"
    );

    sources.file = Some(file.path().to_owned());
    let settings = load(&sources).unwrap();
    assert_eq!(
        settings.password.bcrypt_cost, 5,
        "the file over the environment's"
    );
    assert_eq!(settings.password.min_length, 12, "a variable over the file");
    assert_eq!(settings.server.workers, 3, "the file over the default");
    assert_eq!(
        settings.password.threads, 0,
        "the default where no source sets it"
    );
}

#[test]
fn production_loads_once_required_settings_are_given() {
    let settings = load(&sources(
        Environment::Production,
        &[
            ("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE),
            ("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com"),
            ("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com"),
        ],
    ))
    .unwrap();
    assert_eq!(settings.env, Environment::Production);
    assert!(settings.password.reject_common && settings.cors.origins.is_empty());
    assert!(!settings.samples.enabled);
    assert_eq!(settings.secrets.key_base.unwrap().expose(), KEY_BASE);
}

#[test]
fn production_reports_every_missing_setting() {
    let error = Settings::for_env(Environment::Production).unwrap_err();
    let keys: Vec<&str> = error
        .problems()
        .iter()
        .map(|problem| &*problem.key)
        .collect();
    assert_eq!(
        keys,
        [
            "server.frontend_url",
            "server.public_url",
            "secrets.key_base"
        ]
    );
    assert!(error.to_string().contains("`cloakroom secret`"), "{error}");
}

#[test]
fn a_variable_is_parsed_as_the_type_of_its_default() {
    let settings = with(&[
        ("CLOAKROOM__SERVER__BIND", "0.0.0.0:8080"),
        ("CLOAKROOM__SERVER__WORKERS", "3"),
        ("CLOAKROOM__REGISTRATION__OPEN", "false"),
        ("CLOAKROOM__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"),
        (
            "CLOAKROOM__CORS__ORIGINS",
            r#"["https://a.example", "https://b.example"]"#,
        ),
        ("CLOAKROOM__MAIL__SMTP__HOST", "mail.example.com"),
        ("CLOAKROOM__MAIL__SMTP__TLS", "starttls"),
        ("CLOAKROOM__MAIL__SERVICE_NAME", "12"),
        ("CLOAKROOM__SESSION__LIFETIME", "2w"),
        ("CLOAKROOM__THROTTLE__SIGN_IN", "5 in 1m"),
    ])
    .unwrap();
    assert_eq!(
        (&*settings.server.bind, settings.server.workers),
        ("0.0.0.0:8080", 3)
    );
    assert!(!settings.registration.open);
    assert_eq!(settings.server.trusted_proxies.len(), 2);
    assert_eq!(
        settings.cors.origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(
        (&*settings.mail.smtp.host, settings.mail.smtp.port()),
        ("mail.example.com", 587)
    );
    assert_eq!(settings.mail.service_name, "12");
    assert_eq!(settings.session.lifetime, Duration::from_secs(14 * 86_400));
    assert_eq!(settings.throttle.sign_in.count, 5);
}

#[test]
fn an_empty_variable_empties_a_list_or_unsets_a_value() {
    let settings = with(&[
        ("CLOAKROOM__CORS__ORIGINS", ""),
        ("CLOAKROOM__MAIL__TEMPLATES", ""),
    ])
    .unwrap();
    assert!(settings.cors.origins.is_empty() && settings.mail.templates.is_none());
}

#[test]
fn a_value_may_be_read_from_a_file() {
    for end in ["", "\n", "\r\n"] {
        let secret = file(&format!("{KEY_BASE}{end}"));
        let cost = file("11\n");
        let settings = with(&[
            (
                "CLOAKROOM__SECRETS__KEY_BASE__FILE",
                secret.path().to_str().unwrap(),
            ),
            (
                "CLOAKROOM__PASSWORD__BCRYPT_COST__FILE",
                cost.path().to_str().unwrap(),
            ),
        ])
        .unwrap();
        assert_eq!(settings.secrets.key_base.unwrap().expose(), KEY_BASE);
        assert_eq!(settings.password.bcrypt_cost, 11);
    }
}

#[test]
fn a_value_file_has_one_newline_and_no_byte_order_mark() {
    let load = |text: &str| {
        let file = file(text);
        let path = file.path().to_str().unwrap();
        with(&[("CLOAKROOM__SECRETS__KEY_BASE__FILE", path)])
            .map(|settings| settings.secrets.key_base.unwrap().expose().to_owned())
            .map_err(|error| error.to_string())
    };
    let marked = load(&format!("\u{feff}{KEY_BASE}\r\n"));
    assert_eq!(marked.as_deref(), Ok(KEY_BASE));
    for end in ["\n\n", "\r\n\r\n", "\n\r\n", "\r\r\n"] {
        let refused = load(&format!("{KEY_BASE}{end}")).unwrap_err();
        assert!(
            refused.starts_with("secrets.key_base: must have one newline at its end"),
            "{refused}"
        );
        assert!(!refused.contains(KEY_BASE), "{refused}");
    }
    let refused = load(&format!("{KEY_BASE}\n{KEY_BASE}")).unwrap_err();
    assert!(
        refused.starts_with("secrets.key_base: must be one line"),
        "{refused}"
    );
}

#[test]
fn a_trusted_proxy_is_a_network_or_an_address() {
    let proxies = "127.0.0.1,::1,10.0.0.0/8,2001:db8::/32";
    let settings = with(&[("CLOAKROOM__SERVER__TRUSTED_PROXIES", proxies)]).unwrap();
    let networks = settings.server.trusted_proxies.iter();
    assert_eq!(
        networks.map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1/32", "::1/128", "10.0.0.0/8", "2001:db8::/32"]
    );
}

#[test]
fn a_text_setting_is_one_line() {
    for (name, key) in [
        ("CLOAKROOM__SERVER__PUBLIC_URL", "server.public_url"),
        ("CLOAKROOM__SERVER__FRONTEND_URL", "server.frontend_url"),
        ("CLOAKROOM__DATABASE__PATH", "database.path"),
        ("CLOAKROOM__MAIL__DIRECTORY", "mail.directory"),
        ("CLOAKROOM__MAIL__TEMPLATES", "mail.templates"),
    ] {
        for value in [
            "http:/a.example\r\nX: y",
            "http:/a.ex\tample",
            "a\0b",
            "a\n",
        ] {
            let refused = refusal(&[(name, value)]);
            assert!(
                refused.contains(&format!("{key}: must be one line")),
                "{refused}"
            );
        }
    }
}

#[test]
fn a_value_file_that_cannot_be_read_stops_the_start() {
    let refused = refusal(&[("CLOAKROOM__SECRETS__KEY_BASE__FILE", "/nowhere/key_base")]);
    assert!(
        refused.starts_with("secrets.key_base: cannot be read from /nowhere/key_base"),
        "{refused}"
    );
}

#[test]
fn a_rejected_value_is_not_reported_as_missing() {
    let error = load(&sources(
        Environment::Production,
        &[
            ("CLOAKROOM__SECRETS__KEY_BASE__FILE", "/nowhere/key_base"),
            ("CLOAKROOM__SERVER__PUBLIC_URL", "https://auth.example.com"),
            ("CLOAKROOM__SERVER__FRONTEND_URL", "https://app.example.com"),
        ],
    ))
    .unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
}

#[test]
fn a_key_is_set_by_one_variable_only() {
    let path = file(KEY_BASE);
    let refused = refusal(&[
        ("CLOAKROOM__SECRETS__KEY_BASE", KEY_BASE),
        (
            "CLOAKROOM__SECRETS__KEY_BASE__FILE",
            path.path().to_str().unwrap(),
        ),
    ]);
    assert!(
        refused.starts_with("secrets.key_base: is set by both"),
        "{refused}"
    );
    assert!(!refused.contains(KEY_BASE));
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_key() {
    for (name, key, hint) in [
        (
            "CLOAKROOM__SERVER__BINDD",
            "server.bindd",
            "is server.bind meant?",
        ),
        (
            "CLOAKROOM__SMTP__HOST",
            "smtp.host",
            "is mail.smtp.host meant?",
        ),
        ("CLOAKROOM__SERVER__FILE", "server.file", "is not a setting"),
        (
            "CLOAKROOM__SERVER__NONSENSE",
            "server.nonsense",
            "`cloakroom config` lists them all",
        ),
        ("CLOAKROOM__MAIL__SMTP", "mail.smtp", "is a section"),
    ] {
        let refused = refusal(&[(name, "x")]);
        assert!(refused.starts_with(&format!("{key}: ")), "{refused}");
        assert!(
            refused.contains(hint) && refused.contains(name),
            "{refused}"
        );
    }
}

#[test]
fn a_malformed_variable_is_refused() {
    for name in [
        "CLOAKROOM__",
        "CLOAKROOM__SERVER",
        "CLOAKROOM__SERVER__",
        "CLOAKROOM____BIND",
        "CLOAKROOM__SERVER.BIND__FILE",
    ] {
        let refused = refusal(&[(name, "x")]);
        assert!(
            refused.starts_with(&format!("{name}: must be named")),
            "{refused}"
        );
    }
}

#[test]
fn a_variable_of_the_wrong_kind_is_refused() {
    for (name, text, message) in [
        (
            "CLOAKROOM__SERVER__WORKERS",
            "many",
            "server.workers: must be a whole number",
        ),
        (
            "CLOAKROOM__SERVER__WORKERS",
            "",
            "server.workers: must be a whole number",
        ),
        (
            "CLOAKROOM__SERVER__WORKERS",
            "-1",
            "server.workers: must be a whole number, not negative",
        ),
        (
            "CLOAKROOM__MAIL__SMTP__PORT",
            "70000",
            "mail.smtp.port: must be a whole number",
        ),
        (
            "CLOAKROOM__REGISTRATION__OPEN",
            "yes",
            "registration.open: must be true or false",
        ),
        (
            "CLOAKROOM__CORS__ORIGINS",
            "[\"a\"",
            "cors.origins: must be a list of strings",
        ),
        (
            "CLOAKROOM__CORS__ORIGINS",
            "[1]",
            "cors.origins: must be a list of strings",
        ),
        (
            "CLOAKROOM__SERVER__KEEP_ALIVE",
            "15",
            "server.keep_alive: must be a duration",
        ),
        (
            "CLOAKROOM__SERVER__TRUSTED_PROXIES",
            "10.0.0",
            "server.trusted_proxies: must contain networks",
        ),
        (
            "CLOAKROOM__SERVER__PUBLIC_URL",
            "example.com",
            "server.public_url: must be a URL",
        ),
        (
            "CLOAKROOM__SERVER__PUBLIC_URL",
            "",
            "server.public_url: must be given",
        ),
        (
            "CLOAKROOM__MAIL__FROM",
            "operator",
            "mail.from: must be an address",
        ),
        (
            "CLOAKROOM__MAIL__FROM",
            "A\nB <a@example.com>",
            "mail.from: must be",
        ),
        (
            "CLOAKROOM__MAIL__TRANSPORT",
            "pigeon",
            "mail.transport: unknown variant `pigeon`",
        ),
        (
            "CLOAKROOM__THROTTLE__RESET",
            "often",
            "throttle.reset: must be a limit",
        ),
    ] {
        let refused = refusal(&[(name, text)]);
        assert!(refused.starts_with(message), "{refused}");
        assert!(refused.ends_with(&format!("(set by {name})")), "{refused}");
    }
}

#[test]
fn unknown_keys_and_wrong_types_in_a_file_are_rejected() {
    for (text, message) in [
        ("[server]\nprot = 1", "server.prot: is not a setting"),
        (
            "[session]\nlifetme = '1d'",
            "session.lifetme: is not a setting; is session.lifetime meant?",
        ),
        (
            "bcrypt_cost = 12",
            "bcrypt_cost: is not a setting; is password.bcrypt_cost meant?",
        ),
        ("[nonsense]", "nonsense: is not a setting"),
        ("server = 3", "server: is a section"),
        (
            "[server.bind]\nport = 1",
            "server.bind.port: is not a setting",
        ),
        (
            "[server]\nbind = 3000",
            "server.bind: must be a string, not a whole number",
        ),
        (
            "[server]\nworkers = '2'",
            "server.workers: must be a whole number, not a string",
        ),
        (
            "[server]\nworkers = 1.5",
            "server.workers: must be a whole number, not a decimal number",
        ),
        (
            "[cors]\ncredentials = 'true'",
            "cors.credentials: must be true or false, not a string",
        ),
    ] {
        let refused = with_file(text).unwrap_err().to_string();
        assert!(refused.starts_with(message), "{refused}");
        assert!(refused.contains("(set by /"), "{refused}");
    }
    assert!(
        with_file("[server]\n[mail.smtp]\n").is_ok(),
        "empty sections say nothing"
    );
}

#[test]
fn an_unreadable_file_is_reported_with_its_line() {
    let mut absent = sources(Environment::Development, &[]);
    absent.file = Some("/nowhere/cloakroom.toml".into());
    let refused = load(&absent).unwrap_err().to_string();
    assert!(
        refused.starts_with("/nowhere/cloakroom.toml: cannot be read: "),
        "{refused}"
    );

    let refused = with_file("[secrets]\n\nkey_base = swordfish\n")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("is not TOML: line 3: "), "{refused}");
    assert!(!refused.contains("swordfish"), "{refused}");
}

#[test]
fn a_misplaced_secret_is_not_echoed() {
    for text in [
        "[secrets]\nprevious = 'swordfish'",
        "[secrets]\nprevious = [['swordfish']]",
        "[secrets]\nkey_base = ['swordfish']",
        "[secrets]\nkey_base = 'swordfish'",
        "[secrets]\nprevious = ['swordfish']",
        "[server]\npublic_url = 'https://me:swordfish@example.com'",
        "[server]\npublic_url = 'https://me:swordfish@exa mple.com'",
    ] {
        let refused = with_file(text).unwrap_err().to_string();
        assert!(!refused.contains("swordfish"), "{refused}");
    }
}

#[test]
fn errors_in_an_overridden_file_name_the_file() {
    let file = file("[server]\nworkers = 'many'\n");
    let mut sources = sources(
        Environment::Development,
        &[("CLOAKROOM__SERVER__WORKERS", "2")],
    );
    sources.file = Some(file.path().to_owned());
    let refused = load(&sources).unwrap_err().to_string();
    assert!(refused.contains(file.path().to_str().unwrap()), "{refused}");
    assert_eq!(refused.lines().count(), 1, "{refused}");
}

#[test]
fn all_problems_are_reported_together_without_repeats() {
    let refused = refusal(&[
        ("CLOAKROOM__SERVER__WORKERS", "many"),
        ("CLOAKROOM__SERVER__BIND", "nowhere"),
        ("CLOAKROOM__SESSION__LIFETIME", "soon"),
        ("CLOAKROOM__LOG__LEVEL", "inof"),
        ("CLOAKROOM__SERVER__TYPO", "x"),
    ]);
    let mut keys: Vec<&str> = refused
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "log.level",
            "server.bind",
            "server.typo",
            "server.workers",
            "session.lifetime"
        ]
    );
}

section! {
    /// A table of a map.
    Provider {
        /// A text.
        client_id: String = "",
        /// A number with a range.
        leeway: u32 = 5 in 0..=60,
    }
}

section! {
    /// Tables of tables.
    Federation {
        /// Whether any is used.
        enabled: bool = false,
        /// By name.
        #[serde(default)]
        providers: BTreeMap<String, Provider>,
    }
}

fn federation(text: &str, variables: &[(&str, &str)]) -> Result<Federation, ConfigError> {
    let mut layers = Layers::over_defaults_of::<Federation>();
    layers.add_table(text.parse().unwrap(), Some("a.toml"));
    layers.add_variables(&sources(Environment::Test, variables).variables);
    let settings: Federation = layers.deserialize()?;
    let mut problems = Problems::default();
    settings.check_ranges("", &mut problems);
    layers.report(problems.0);
    layers.finish(settings)
}

#[test]
fn a_map_of_tables_takes_any_name_and_known_keys() {
    assert!(federation("", &[]).unwrap().providers.is_empty());

    let text = "[providers.google]\nclient_id = 'g'\n[providers.github]\n";
    let variable = [("CLOAKROOM__PROVIDERS__GOOGLE__LEEWAY", "7")];
    let providers = federation(text, &variable).unwrap().providers;
    let google = &providers["google"];
    assert_eq!((&*google.client_id, google.leeway), ("g", 7));
    let github = &providers["github"];
    assert_eq!((&*github.client_id, github.leeway), ("", 5));
    assert_eq!(providers.len(), 2);
}

#[test]
fn errors_in_a_map_of_tables_name_their_key() {
    for (text, message) in [
        (
            "[providers.google]\nclient_idd = 'g'",
            "providers.google.client_idd: is not a setting",
        ),
        (
            "[providers.google]\nclient_id = 3",
            "providers.google.client_id: must be a string, not a whole number",
        ),
        (
            "[providers.google]\nleeway = 61",
            "providers.google.leeway: must be from 0 to 60, not 61 (set by a.toml)",
        ),
        (
            "[providers.google]\nleeway = -1",
            "providers.google.leeway: must be a whole number, not negative",
        ),
        (
            "[providers.'g.g']\nleeway = 1",
            "providers.g.g.leeway: is not a setting",
        ),
        ("[providers]\ngoogle = 3", "providers.google: is a section"),
    ] {
        let refused = federation(text, &[]).unwrap_err().to_string();
        assert!(refused.starts_with(message), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }
}

#[test]
fn a_list_written_for_a_variable_is_read_back() {
    let default = Value::from(Vec::<Value>::new());
    for items in [
        &[][..],
        &["one"],
        &["one", "t,wo", "[three]", " four\n", "\"f'ive\\", "sïx"],
    ] {
        let written = written_list(items.iter().copied());
        let read = coerce(&written, &default).unwrap();
        assert_eq!(
            read,
            items
                .iter()
                .map(|item| Value::from(*item))
                .collect::<Vec<_>>()
                .into()
        );
    }
}
