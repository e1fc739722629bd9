//! The page about the commands, generated from their declarations: `docs/reference/commands.md`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Arguments;
use crate::config::generated_file::assert_up_to_date;

const FILE: &str = "docs/reference/commands.md";

const HEAD: &str = "\
# Commands

Every command with its options. This page is generated from the declarations in `src/cli`; `cloakroom help COMMAND` prints
the same. In a checkout, write `cargo run -- doctor` for `cloakroom doctor`.

";

/// `UPDATE=1 cargo test --lib reference` writes the page.
#[test]
fn the_page_about_commands_is_up_to_date() {
    assert_up_to_date(FILE, &page());
}

#[test]
fn every_command_and_option_has_a_help_text() {
    let root = built();
    for command in with_subcommands(&root) {
        let name = command.get_bin_name().unwrap_or_default();
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name}: {argument}");
        }
    }
}

fn page() -> String {
    let root = built();
    let mut page = format!("{HEAD}{}\n\n", about(&root));
    page += "| option of every command | meaning |\n|---|---|\n";
    for argument in root.get_arguments() {
        page += &row(argument);
    }
    write!(page, "\n{}\n\n", root.get_after_long_help().unwrap()).unwrap();
    page += "| command | what it does |\n|---|---|\n";
    let commands: Vec<_> = with_subcommands(&root).skip(1).collect();
    for command in &commands {
        let name = command.get_bin_name().unwrap();
        let link = name.replace(' ', "-");
        writeln!(page, "| [`{name}`](#{link}) | {} |", summary(command)).unwrap();
    }
    for command in &commands {
        page += &section(command);
    }
    page
}

/// With usage and names filled in, as the parser does it before it prints help.
fn built() -> Command {
    let mut root = Arguments::command().disable_help_subcommand(true);
    root.build();
    root
}

/// A command and those below it, in the order of their declarations; hidden ones are left out.
fn with_subcommands(command: &Command) -> Box<dyn Iterator<Item = &Command> + '_> {
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    Box::new(std::iter::once(command).chain(shown.flat_map(with_subcommands)))
}

fn section(command: &Command) -> String {
    let name = command.get_bin_name().unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let mut text = format!("\n## `{name}`\n\n{}\n\n", about(command));
    write!(text, "```text\n{usage}\n```\n").unwrap();
    let own: Vec<_> = command
        .get_arguments()
        .filter(|one| !one.is_global_set() && !one.is_hide_set() && one.get_id() != "help")
        .collect();
    if !own.is_empty() {
        text += "\n| argument | meaning |\n|---|---|\n";
        text.extend(own.into_iter().map(row));
    }
    text
}

fn summary(command: &Command) -> String {
    command.get_about().unwrap().to_string().replace('|', "\\|")
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let text = about.unwrap().to_string();
    let paragraphs: Vec<_> = text.split("\n\n").map(sentence).collect();
    paragraphs.join("\n\n")
}

fn sentence(text: &str) -> String {
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{text}{end}")
}

fn row(argument: &Arg) -> String {
    let mut name = argument.to_string();
    if let (Some(short), Some(_)) = (argument.get_short(), argument.get_long()) {
        name = format!("-{short}, {name}");
    }
    let help = argument.get_long_help().or(argument.get_help()).unwrap();
    let mut meaning = help.to_string().replace('|', "\\|").replace("\n\n", " ");
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values = argument.get_possible_values();
    if takes_value && !values.is_empty() {
        let names: Vec<_> = values.iter().map(|one| one.get_name()).collect();
        write!(meaning, " (one of {})", names.join(", ")).unwrap();
    }
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if takes_value && !defaults.is_empty() {
        write!(meaning, " (default: {})", defaults.join(", ")).unwrap();
    }
    format!("| `{name}` | {meaning} |\n")
}
