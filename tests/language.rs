//! The texts of the repository avoid the words in `docs/contributing/words.toml`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Folders and files whose whole text is checked, with the names' ends.
const EVERYWHERE: &[(&str, &[&str])] = &[
    ("src", &["rs", "sql"]),
    ("frontend/src", &["ts", "tsx", "css"]),
    ("clients/typescript/src", &["ts", "tsx"]),
    ("config", &["toml"]),
    ("openapi.json", &["json"]),
    ("schema.sql", &["sql"]),
];

/// Where prose stands: Markdown without its code, and mails.
const DOCUMENTS: &[(&str, &[&str])] = &[
    (".", &["md"]),
    ("docs", &["md"]),
    ("crates/bcrypt-lanes/README.md", &["md"]),
    ("clients/typescript/README.md", &["md"]),
    ("frontend/README.md", &["md"]),
    ("src/mail/templates", &["txt", "html"]),
];

#[test]
fn texts_avoid_the_listed_words() {
    let words: Table = text(&root().join("docs/contributing/words.toml"))
        .parse()
        .unwrap();
    let (everywhere, documents) = (section(&words, "everywhere"), section(&words, "documents"));
    assert!(everywhere.len() > 5 && documents.len() > 5);
    let mut found = String::new();
    for path in files(EVERYWHERE).into_iter().chain(files(DOCUMENTS)) {
        report(&path, &text(&path), &everywhere, &mut found);
    }
    for path in files(DOCUMENTS) {
        report(&path, &prose(&text(&path)), &documents, &mut found);
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn listed_words_are_found_across_lines() {
    let list = [("in order to".to_owned(), "to".to_owned())];
    let mut found = String::new();
    let page = "Run it in\nOrder to see.\n```\nin order to\n```\nSee `in order to`, inorder to.\n";
    report(Path::new("page.md"), &prose(page), &list, &mut found);
    assert_eq!(found, "page.md:1: `in order to`; write: to\n");
}

/// The words of a section, each with what to write instead.
fn section(words: &Table, name: &str) -> Vec<(String, String)> {
    let listed = words[name].as_table().unwrap();
    let instead = |value: &Value| value.as_str().unwrap().to_owned();
    listed
        .iter()
        .map(|(word, value)| (word.clone(), instead(value)))
        .collect()
}

/// Adds a line for each occurrence.
fn report(path: &Path, text: &str, list: &[(String, String)], found: &mut String) {
    let words: Vec<(usize, String)> = text
        .lines()
        .enumerate()
        .flat_map(|(line, text)| words(text).map(move |word| (line + 1, word)))
        .collect();
    for (phrase, instead) in list {
        let phrase_words: Vec<&str> = phrase.split(' ').collect();
        for window in words.windows(phrase_words.len()) {
            if window.iter().map(|(_, word)| word).eq(&phrase_words) {
                let shown = path.strip_prefix(root()).unwrap_or(path).display();
                let line = window[0].0;
                writeln!(found, "{shown}:{line}: `{phrase}`; write: {instead}").unwrap();
            }
        }
    }
}

/// In lower case. A hyphen or an underscore joins words to a name.
fn words(line: &str) -> impl Iterator<Item = String> {
    let parts = line.split(|c: char| !c.is_alphanumeric() && !"-_'".contains(c));
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Markdown without blocks of code and code in backticks, with the same lines.
fn prose(markdown: &str) -> String {
    let mut in_block = false;
    let mut kept = String::new();
    for line in markdown.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        if !in_block && !is_fence {
            line.split('`').step_by(2).for_each(|part| kept += part);
        }
        kept.push('\n');
    }
    kept
}

fn files(places: &[(&str, &[&str])]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (place, ends) in places {
        let before = found.len();
        let path = root().join(place);
        match path.is_dir() {
            true => collect(&path, ends, *place != ".", &mut found),
            false => found.push(path),
        }
        assert!(found.len() > before, "{place}: no files");
    }
    found
}

fn collect(folder: &Path, ends: &[&str], is_deep: bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let end = path.extension().unwrap_or_default();
        if path.is_dir() && is_deep {
            collect(&path, ends, is_deep, found);
        } else if ends.iter().any(|it| end == *it) {
            found.push(path);
        }
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
