//! The arrows between the rooms of the house, by reading the code: who may name whom, who knows which library, where
//! SQL stands. `ARCHITECTURE.md` has the reasons.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the roof to the cellar. A room uses those below it, never one beside or above.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["testing"],
    &["openapi", "server"],
    &["features"],
    &["http"],
    &["context"],
    &[
        "access_tokens",
        "activity",
        "mail",
        "password",
        "sweep",
        "throttle",
    ],
    &["links"],
    &["store"],
    &["jwt", "signed"],
    &["keys"],
    &["model", "token"],
    &["config"],
    &["clock", "error"],
    &["scope"],
];

/// A source file without its comments and tests.
struct Source {
    path: PathBuf,
    /// `http::client`, as in `src/http/client.rs`.
    module: Vec<String>,
    text: String,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        &self.module[0]
    }

    fn name(&self) -> String {
        self.module.join("::")
    }

    /// What stands behind `crate::`, however it is written: the paths' segments.
    fn paths(&self) -> Vec<Vec<String>> {
        let code = &self.code;
        let mut paths = Vec::new();
        for (at, _) in code.match_indices("crate::") {
            paths.extend(expand(&code[at + "crate::".len()..]));
        }
        for (at, _) in code.match_indices("super::") {
            let (before, behind) = code.split_at(at);
            if before.ends_with("super::") {
                continue;
            }
            let rest = behind.trim_start_matches("super::");
            let up = (behind.len() - rest.len()) / "super::".len();
            let root = &self.module[..self.module.len().checked_sub(up).expect("a module above")];
            paths.extend(
                expand(rest)
                    .into_iter()
                    .map(|path| [root.to_vec(), path].concat()),
            );
        }
        paths
    }

    /// Whether a crate is named: `actix` means `actix_web` and its kin.
    fn knows(&self, library: &str) -> bool {
        self.code.contains(library)
    }
}

/// The paths that start here: one, or each of a group in braces.
fn expand(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    paths.extend(expand(&group[start..at]));
                    return paths;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    paths.extend(expand(&group[start..at]));
                    start = at + 1;
                }
                _ => {}
            }
        }
        panic!("a group without an end: {text}");
    }
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if end == 0 {
        return Vec::new();
    }
    let first = text[..end].to_owned();
    match text[end..].strip_prefix("::").map(expand) {
        Some(rest) if !rest.is_empty() => rest
            .into_iter()
            .map(|path| [vec![first.clone()], path].concat())
            .collect(),
        _ => vec![vec![first]],
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(read(&root, path));
            }
        }
    }
    assert!(sources.len() > 40, "the sources were not found");
    sources
}

fn read(root: &Path, path: PathBuf) -> Source {
    let inside = path.strip_prefix(root).unwrap().with_extension("");
    let mut module: Vec<String> = inside
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if module.len() > 1 && module.last().unwrap() == "mod" {
        module.pop();
    }
    let text = fs::read_to_string(&path).unwrap();
    let is_tests = module.last().is_some_and(|name| name == "tests");
    let code = if is_tests {
        ""
    } else {
        text.split("#[cfg(test)]\nmod tests").next().unwrap()
    };
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    Source {
        path,
        module,
        text,
        code,
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn every_room_stands_on_a_floor_and_every_arrow_points_down() {
    for source in sources().iter().filter(|source| source.room() != "lib") {
        let own = floor(source.room());
        assert!(
            own.is_some(),
            "{} stands on no floor: give it one in FLOORS",
            source.room()
        );
        for path in source.paths() {
            let Some(other) = floor(&path[0]) else {
                continue;
            };
            assert!(
                path[0] == source.room() || Some(other) > own,
                "{} uses {}, which is not below it",
                source.name(),
                path.join("::")
            );
        }
    }
}

#[test]
fn a_feature_uses_no_other_but_sessions() {
    let sources = sources();
    let features: Vec<&Source> = sources
        .iter()
        .filter(|source| source.room() == "features" && source.module.len() == 2)
        .collect();
    let names: Vec<&String> = features.iter().map(|feature| &feature.module[1]).collect();
    assert!(names.iter().any(|name| *name == "sessions"));
    for feature in &features {
        for path in feature
            .paths()
            .iter()
            .filter(|path| path[0] == "features" && path.len() > 1)
        {
            let other = &path[1];
            assert!(
                *other == feature.module[1] || other == "sessions" || !names.contains(&other),
                "{} uses {}",
                feature.name(),
                path.join("::")
            );
        }
    }
}

#[test]
fn only_the_rooms_about_http_know_actix() {
    for source in sources() {
        let may = ["http", "server", "features", "testing"].contains(&source.room())
            || source.name() == "cli::serve";
        assert!(
            may || !source.knows("actix"),
            "{} knows actix",
            source.name()
        );
    }
}

#[test]
fn only_the_store_knows_the_database() {
    for source in sources().iter().filter(|source| source.room() != "store") {
        for library in ["rusqlite", "r2d2"] {
            assert!(!source.knows(library), "{} knows {library}", source.name());
        }
        for words in [
            "SELECT ",
            "INSERT INTO",
            "DELETE FROM",
            " SET ",
            "PRAGMA ",
            "CREATE TABLE",
        ] {
            assert!(
                !source.code.contains(words),
                "{} speaks SQL: {words}",
                source.name()
            );
        }
    }
}

#[test]
fn only_jwt_knows_jsonwebtoken_and_ring() {
    for source in sources().iter().filter(|source| source.room() != "jwt") {
        for library in ["jsonwebtoken", "ring::signature", "ring::hmac", "use ring"] {
            assert!(!source.knows(library), "{} knows {library}", source.name());
        }
    }
}

#[test]
fn errors_know_nothing_of_http() {
    for source in sources()
        .iter()
        .filter(|source| source.room() != "http" && source.room() != "testing")
    {
        assert!(
            !source.knows("StatusCode"),
            "{} chooses a status",
            source.name()
        );
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for source in sources() {
        assert!(
            source.text.starts_with("//! "),
            "{} opens without //!",
            source.path.display()
        );
    }
}

#[test]
fn the_reader_of_this_test_sees_what_is_written() {
    let source = Source {
        path: PathBuf::new(),
        module: vec!["http".to_owned(), "client".to_owned()],
        text: String::new(),
        code: "use crate::{store::{users, sessions as rows}, error::Error};\nuse super::{audit, ClientInfo};\n\
               fn f() -> crate::crypto::token::Digest { super::super::server::f() }"
            .to_owned(),
    };
    let paths: Vec<String> = source.paths().iter().map(|path| path.join("::")).collect();
    let expected = [
        "store::users",
        "store::sessions",
        "error::Error",
        "token::Digest",
        "http::audit",
        "http::Visit",
        "server::f",
    ];
    assert_eq!(paths, expected);
}
