//! The settings reference, generated from the declarations: `config/default.toml` and `docs/reference/settings.md`.

use super::Settings;
use super::declare::{ANY_NAME, Declared, Section, Setting};

const TOML_HEAD: &str = "\
# Every setting of Cloakroom with its default and the reason. Generated from the declarations in src/config.
#
# Each of these overrides the ones before it: `{environment}.toml` in the same folder (compiled in, selected by
# CLOAKROOM_ENV: development, test or production), the file named by `--config` or CLOAKROOM_CONFIG, and variables:
# CLOAKROOM__SERVER__BIND sets `server.bind`. A variable whose name ends in __FILE names a file that contains the value:
# CLOAKROOM__SECRETS__KEY_BASE__FILE=/run/secrets/key_base. With one underscore (CLOAKROOM_SERVER_BIND) it sets nothing,
# and the start warns of it.
#
# Durations are one number and one unit: w, d, h, m, s or ms. Limits are written as \"10 in 3m\".
# \"\" means unset if the comment says so. `cloakroom config` prints the effective settings.
";

/// Every setting with its default, range and purpose, as a settings file.
pub fn default_toml() -> String {
    let mut text = TOML_HEAD.to_owned();
    for_each_section(|section, about, settings| {
        // Without a name, these are no settings yet.
        let (section, start) = match section.strip_suffix(ANY_NAME) {
            Some(path) => (format!("{path}NAME"), "# "),
            None => (section.to_owned(), ""),
        };
        text += &format!("\n{}{start}[{section}]\n", comment(about));
        for setting in settings {
            text += &comment(&setting.doc);
            if let Some(range) = &setting.range {
                text += &format!("# Range: {range}.\n");
            }
            text += &format!("{start}{} = {}\n", name(setting), setting.default);
        }
    });
    text
}

fn for_each_section(mut write: impl FnMut(&str, &[&str], &[Setting])) {
    let mut declared = Declared::default();
    Settings::declare("", &mut declared);
    for (section, about) in &declared.sections {
        let settings: Vec<_> = declared
            .settings
            .iter()
            .filter(|setting| {
                setting
                    .key
                    .rsplit_once('.')
                    .is_some_and(|(path, _)| path == section)
            })
            .cloned()
            .collect();
        if !settings.is_empty() {
            write(section, about, &settings);
        }
    }
}

fn name(setting: &Setting) -> &str {
    setting.key.rsplit('.').next().unwrap_or_default()
}

fn comment(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::generated_file::assert_up_to_date;

    const PAGE_HEAD: &str = "\
# Settings

Every setting with its default. This page is generated from the declarations in `src/config`; `config/default.toml` holds
the same as a settings file.

Later layers override earlier ones: the defaults, the environment's file (`CLOAKROOM_ENV`: `development`, `test` or
`production`), the file named by `--config` or `CLOAKROOM_CONFIG`, and variables. `CLOAKROOM__SERVER__BIND` sets
`server.bind`; lists are separated by commas. A variable whose name ends in `__FILE` names a file that contains the value.
With one underscore (`CLOAKROOM_SERVER_BIND`) it sets nothing, and the start and `cloakroom doctor` warn of it.
Unknown keys and unsafe values stop the start, and all of them are reported at once.

Durations are one number and one unit (`w`, `d`, `h`, `m`, `s` or `ms`); limits are written as `10 in 3m`. `\"\"` means
unset.

In production, these settings have other values, and `secrets.key_base` is required:

```toml
";

    /// `docs/reference/settings.md`
    fn page() -> String {
        let mut text =
            PAGE_HEAD.to_owned() + include_str!("../../config/production.toml") + "```\n";
        for_each_section(|section, about, settings| {
            let section = section.replace(ANY_NAME, "NAME");
            text += &format!("\n## `[{section}]`\n\n{}\n\n", about.join(" "));
            text += "| setting | default | range | purpose |\n|---|---|---|---|\n";
            for setting in settings {
                let (name, default) = (name(setting), &setting.default);
                let range = setting.range.as_deref().unwrap_or_default();
                let doc = setting.doc.join(" ").replace('|', "\\|");
                text += &format!("| `{name}` | `{default}` | {range} | {doc} |\n");
            }
        });
        text
    }

    /// `UPDATE=1 cargo test --lib reference` writes the files.
    #[test]
    fn generated_files_are_up_to_date() {
        for (file, text) in [
            ("config/default.toml", default_toml()),
            ("docs/reference/settings.md", page()),
        ] {
            assert_up_to_date(file, &text);
        }
    }
}
