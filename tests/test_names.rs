//! Names of tests: sentences about behaviour in plain English, at most 60 characters.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST: usize = 60;

/// Words that name no component and no actor, or are metaphors.
const AVOIDED: &[&str] = &[
    "anybody",
    "dead",
    "everybody",
    "house",
    "nobody",
    "somebody",
    "told",
    "whoever",
];

#[test]
fn test_names_are_short_and_plain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for folder in ["benches", "crates", "examples", "src", "tests"] {
        collect(&root.join(folder), &mut names);
    }
    assert!(names.len() > 500, "the tests were not found");
    let is_plain = |name: &str| !name.split('_').any(|word| AVOIDED.contains(&word));
    names.retain(|(_, name)| name.len() > LONGEST || !is_plain(name));
    assert!(names.is_empty(), "{names:#?}");
}

/// Each test function below a folder, with its file.
fn collect(folder: &Path, names: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let found = test_names(&text);
            names.extend(found.into_iter().map(|name| (path.clone(), name)));
        }
    }
}

/// The names of the functions that follow a `#[test]` or `#[actix_web::test]` attribute.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[test]" || line.ends_with("::test]") {
            let declaration = lines.find_map(|line| line.split_once("fn "));
            let (_, rest) = declaration.expect("a function");
            names.push(rest.split('(').next().unwrap().to_owned());
        }
    }
    names
}
