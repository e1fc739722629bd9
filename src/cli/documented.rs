//! Every command line of Cloakroom in the documents is one that the program takes.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Arguments;

#[test]
fn command_lines_in_the_documents_are_valid() {
    let (mut mentioned, mut invalid) = (0, Vec::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in markdown(root) {
        let page = fs::read_to_string(&file).unwrap();
        for line in code(&page) {
            for arguments in command_lines(&line) {
                mentioned += 1;
                if let Err(reason) = parse(&arguments) {
                    invalid.push(format!("{}: {line}: {reason}", file.display()));
                }
            }
        }
    }
    assert!(invalid.is_empty(), "{}", invalid.join("\n"));
    assert!(mentioned > 100, "{mentioned}");
}

#[test]
fn invalid_command_lines_are_found() {
    let line = "sudo env A=b /usr/bin/cloakroom --config 'a b' secret rotate --leak | cat && cargo run -- doctr";
    let found: Vec<_> = command_lines(line).collect();
    assert_eq!(
        found,
        [
            vec!["--config", "a b", "secret", "rotate", "--leak"],
            vec!["doctr"]
        ]
    );
    assert!(found.iter().all(|arguments| parse(arguments).is_err()));
    assert!(parse(&["users".into(), "confirm".into()]).is_ok());
}

/// A mention may leave out what a command requires, and write `COMMAND` for any.
fn parse(arguments: &[String]) -> Result<(), String> {
    let words = [&["cloakroom".to_owned()], arguments].concat();
    let Err(error) = Arguments::command().try_get_matches_from(words) else {
        return Ok(());
    };
    let is_mention = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
    ) || arguments == ["help", "COMMAND"];
    is_mention.then_some(()).ok_or_else(|| error.to_string())
}

/// The arguments of each call in a shell's line.
fn command_lines(line: &str) -> impl Iterator<Item = Vec<String>> {
    split(line).into_iter().filter_map(|words| {
        let before =
            |word: &&String| ["$", "sudo", "env"].contains(&word.as_str()) || word.contains('=');
        let words = &words[words.iter().take_while(before).count()..];
        let program = match words.first()?.as_str() {
            "cargo" if words.get(1)? == "run" => words.iter().position(|word| word == "--"),
            "docker" | "$run" => words.iter().position(|word| is_program(word)),
            first => is_program(first).then_some(0),
        };
        Some(words[program? + 1..].to_vec())
    })
}

fn is_program(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or_default();
    name == "cloakroom" || name.starts_with("cloakroom:")
}

/// The words of each command; redirections, substitutions and comments end one.
fn split(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word, mut quote) = (vec![Vec::new()], None::<String>, None);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(mark), _) if character == mark => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '#') => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            (None, ' ' | '\n') => commands.last_mut().unwrap().extend(word.take()),
            (_, '\\') if quote != Some('\'') => {
                word.get_or_insert_default().extend(characters.next());
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands
}

/// The lines of all blocks for a shell or a unit, and what stands between single backticks.
fn code(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, part) in page.split("```").enumerate() {
        if number % 2 == 0 {
            let spans = part.split('`').skip(1).step_by(2);
            found.extend(spans.filter(|span| span.contains(' ')).map(str::to_owned));
        } else if let Some((language, block)) = part.split_once('\n') {
            let shell = ["sh", "console", "ini"]
                .iter()
                .any(|it| language.starts_with(it));
            let lines = block.lines().filter(|line| shell && !line.starts_with('#'));
            found.extend(lines.map(|line| line.replace("ExecStart=", "")));
        }
    }
    found
}

/// The Markdown files of the repository, without those of packages and builds.
fn markdown(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !["node_modules", "target"].contains(&name) {
            found.extend(markdown(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}
