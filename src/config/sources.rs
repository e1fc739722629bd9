//! Where an operator's settings come from: a file, and variables whose names are keys.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use toml::Table;

use super::file;
use super::{ConfigError, Environment};

const PREFIX: &str = "CLOAKROOM__";
const ENV: &str = "CLOAKROOM_ENV";
/// The settings whose values are secrets; those of providers have a name in their keys.
const SECRETS: [&str; 4] = [
    "database.url",
    "secrets.key_base",
    "secrets.previous",
    "mail.smtp.password",
];
/// The section of providers, and the secrets of each.
const PROVIDERS: &str = "providers";
const PROVIDER_SECRETS: [&str; 2] = ["client_secret", "private_key"];

/// Where settings come from, apart from what is compiled in. It holds secrets, so it has no `Debug`.
#[derive(Clone)]
pub struct Sources {
    /// Which compiled-in file lies over the defaults.
    pub env: Environment,
    /// The operator's TOML file, over those.
    pub file: Option<PathBuf>,
    /// Variables named `CLOAKROOM__SECTION__KEY` or `CLOAKROOM__SECTION__KEY__FILE`, over all.
    pub variables: Vec<(String, String)>,
    /// Variables whose names begin with one underscore. They set nothing.
    pub ignored: Vec<String>,
}

impl Sources {
    /// Those of this process: `CLOAKROOM_ENV`, `config_file` or else `CLOAKROOM_CONFIG`, and `CLOAKROOM__*`.
    /// The first two count as absent when empty. The file may name the environment (`env = "production"`), so that a
    /// command with `--config` uses the server's.
    ///
    /// # Errors
    /// An unknown environment, a file that says another one than the variable, or a variable of ours that is not UTF-8.
    pub fn from_process(config_file: Option<PathBuf>) -> Result<Self, ConfigError> {
        let mut sources = Self::gather(config_file, std::env::vars_os())?;
        let is_given = std::env::var_os(ENV).is_some_and(|env| !env.is_empty());
        // A file that cannot be read is reported with the settings.
        if let Some(env) = sources.env_of_file()? {
            if is_given && env != sources.env {
                return Err(ConfigError::single(
                    ENV,
                    format!(
                        "is {}, and the settings file says {env}: remove one of them",
                        sources.env
                    ),
                ));
            }
            sources.env = env;
        }
        Ok(sources)
    }

    fn env_of_file(&self) -> Result<Option<Environment>, ConfigError> {
        let table = self.file.as_deref().and_then(|path| file::read(path).ok());
        let env = table.as_ref().and_then(|table| table.get(file::ENV));
        env.map(|env| env.as_str().unwrap_or_default().parse())
            .transpose()
    }

    /// In words for the operator: the environment, and the file if there is one.
    pub fn describe(&self) -> String {
        match &self.file {
            Some(file) => format!("{}, settings of {}", self.env, file.display()),
            None => format!("{}, no settings file", self.env),
        }
    }

    /// The files that contain secrets: the settings file if one is a value in it, and those that contain one value.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let table = self.file.as_deref().and_then(|path| file::read(path).ok());
        let is_set = |key: &str| {
            table
                .as_ref()
                .is_some_and(|table| file::value_at(table, key).is_some())
        };
        let secrets = self.secrets(table.as_ref());
        let settings = self
            .file
            .clone()
            .filter(|_| secrets.iter().any(|key| is_set(key)));
        let values = secrets.iter().filter_map(|key| self.file_of(key));
        settings.into_iter().chain(values).collect()
    }

    /// The keys of secrets, with those of the providers that the settings file or a variable names.
    fn secrets(&self, table: Option<&Table>) -> BTreeSet<String> {
        let section = table.and_then(|table| table.get(PROVIDERS)?.as_table());
        let names = section.into_iter().flat_map(Table::keys);
        let of_file = names
            .flat_map(|name| PROVIDER_SECRETS.map(|secret| format!("{PROVIDERS}.{name}.{secret}")));
        let variables = self.variables.iter();
        let of_variables = variables.filter_map(|(name, _)| Some(variable_key(name)?.0));
        let is_secret = |key: &String| {
            key.starts_with(PROVIDERS) && PROVIDER_SECRETS.iter().any(|it| key.ends_with(it))
        };
        let of_variables = of_variables.filter(is_secret);
        let fixed = SECRETS.into_iter().map(str::to_owned);
        fixed.chain(of_file).chain(of_variables).collect()
    }

    /// The file that a variable or the settings file names for the value of this key (`secrets.key_base`), if one does.
    pub fn file_of(&self, key: &str) -> Option<PathBuf> {
        let mut variables = self.variables.iter().filter_map(|(name, value)| {
            let (named, from_file) = variable_key(name)?;
            (named == key).then_some((from_file, value))
        });
        if let Some((from_file, value)) = variables.next() {
            return from_file.then(|| PathBuf::from(value));
        }
        let table = file::read(self.file.as_deref()?).ok()?;
        file::file_at(&table, key).map(PathBuf::from)
    }

    fn gather(
        config_file: Option<PathBuf>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut sources = Self {
            env: Environment::default(),
            file: config_file,
            variables: Vec::new(),
            ignored: Vec::new(),
        };
        for (name, value) in variables {
            let name = name.to_string_lossy();
            match &*name {
                ENV if !value.is_empty() => {
                    sources.env = value.to_string_lossy().parse()?;
                }
                "CLOAKROOM_CONFIG" if !value.is_empty() => {
                    sources.file.get_or_insert_with(|| PathBuf::from(value));
                }
                _ if name.starts_with(PREFIX) => {
                    let value = value
                        .into_string()
                        .map_err(|_| ConfigError::single(&*name, "must be UTF-8"))?;
                    sources.variables.push((name.into_owned(), value));
                }
                _ if name.starts_with("CLOAKROOM_") => sources.ignored.push(name.into_owned()),
                _ => {}
            }
        }
        Ok(sources)
    }
}

/// The dotted key that a variable sets, and whether its value names a file; nothing for a malformed name.
pub(super) fn variable_key(name: &str) -> Option<(String, bool)> {
    let mut segments: Vec<String> = name
        .strip_prefix(PREFIX)?
        .split("__")
        .map(str::to_ascii_lowercase)
        .collect();
    let from_file = segments.len() > 2 && segments.last().is_some_and(|last| last == "file");
    if from_file {
        segments.pop();
    }
    let sound = |segment: &String| !segment.is_empty() && !segment.contains('.');
    (segments.len() > 1 && segments.iter().all(sound)).then(|| (segments.join("."), from_file))
}

/// What a file holds, without a byte order mark at its start and one newline at its end, which editors and `echo` put
/// there. More newlines are refused: whether they belong to a secret, only the operator knows.
pub(super) fn read_value(path: &str) -> Result<String, String> {
    let mut text =
        fs::read_to_string(path).map_err(|fault| format!("cannot be read from {path}: {fault}"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.ends_with(['\n', '\r']) {
        return Err(format!(
            "must have one newline at its end, which {path} has more of"
        ));
    }
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn process_variables_choose_environment_and_file() {
        let gather = |file: Option<&str>, variables: &[(&str, &str)]| {
            let owned = variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()));
            Sources::gather(file.map(PathBuf::from), owned)
        };
        let found = gather(
            None,
            &[
                ("PATH", "/bin"),
                ("CLOAKROOM_ENV", "test"),
                ("CLOAKROOM_CONFIG", "a.toml"),
                ("CLOAKROOM_PORT", "tcp://10.0.0.1:80"),
                ("CLOAKROOM__SERVER__BIND", "[::1]:0"),
            ],
        )
        .unwrap();
        assert_eq!(
            (found.env, found.file),
            (Environment::Test, Some("a.toml".into()))
        );
        assert_eq!(
            found.variables,
            [("CLOAKROOM__SERVER__BIND".into(), "[::1]:0".into())]
        );
        assert_eq!(found.ignored, ["CLOAKROOM_PORT"]);

        let found = gather(
            Some("b.toml"),
            &[("CLOAKROOM_CONFIG", "a.toml"), ("CLOAKROOM_ENV", "")],
        )
        .unwrap();
        assert_eq!(
            (found.env, found.file),
            (Environment::Development, Some("b.toml".into()))
        );

        assert!(gather(None, &[("CLOAKROOM_ENV", "staging")]).is_err());
    }

    #[test]
    fn a_value_file_belongs_to_its_key() {
        let named = [
            (
                "CLOAKROOM__SECRETS__KEY_BASE__FILE".into(),
                "/run/base".into(),
            ),
            (
                "CLOAKROOM__SECRETS__PREVIOUS".into(),
                "/run/previous".into(),
            ),
        ];
        let sources = Sources::gather(None, named).unwrap();
        assert_eq!(
            sources.file_of("secrets.key_base").as_deref(),
            Some(Path::new("/run/base"))
        );
        assert_eq!(sources.file_of("secrets.previous"), None);
    }

    #[test]
    fn secrets_of_providers_are_found_under_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        fs::write(
            &file,
            "[providers.acme]\nclient_secret__file = '/run/acme'\n",
        )
        .unwrap();
        let variable = "CLOAKROOM__PROVIDERS__OTHER__CLIENT_SECRET__FILE";
        let sources = Sources {
            env: Environment::Test,
            file: Some(file.clone()),
            variables: vec![(variable.into(), "/run/other".into())],
            ignored: vec![],
        };
        let [acme, other] = ["/run/acme", "/run/other"].map(PathBuf::from);
        assert_eq!(sources.secret_files(), [acme, other]);
        for secret in ["client_secret", "private_key"] {
            fs::write(&file, format!("[providers.acme]\n{secret} = 'secret'\n")).unwrap();
            assert_eq!(sources.secret_files()[0], file);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let value = OsString::from_vec(vec![0xff]);
        let refused = Sources::gather(None, [("CLOAKROOM__SERVER__BIND".into(), value)])
            .err()
            .unwrap();
        assert_eq!(
            refused.to_string(),
            "CLOAKROOM__SERVER__BIND: must be UTF-8"
        );
    }
}
