//! The dependency rules of `ARCHITECTURE.md`, checked by reading the source: layers point downward, no two modules
//! depend on each other, and only the folder named for it knows a library, SQL or a status code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, top to bottom. A module uses its own layer's folder and those below, never one beside or above.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["testing"],
    &["server"],
    &["features"],
    &["http"],
    &["accounts"],
    &["context"],
    &[
        "activity",
        "audit",
        "breached_passwords",
        "mail",
        "providers",
        "throttle",
    ],
    &["outbound"],
    &["store"],
    &["crypto"],
    &["config"],
    &["domain"],
    &["metrics"],
];

/// A source file without comments and tests.
struct Module {
    file: PathBuf,
    /// `["http", "routes"]` for `src/http/routes.rs` and for `src/http/routes/mod.rs`.
    path: Vec<String>,
    text: String,
    code: String,
}

impl Module {
    fn name(&self) -> String {
        self.path.join("::")
    }

    fn folder(&self) -> &str {
        &self.path[0]
    }

    /// Whether the code has this word, not as the end of a longer one.
    fn mentions(&self, word: &str) -> bool {
        let starts =
            |at: usize| !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        self.code.match_indices(word).any(|(at, _)| starts(at))
    }

    /// The paths that the code names behind `crate::`, `super::` and `self::`, each from the root of the crate.
    /// Re-exports are no dependency: the facade offers what its children have.
    fn paths(&self) -> Vec<Vec<String>> {
        let code = without_reexports(&self.code);
        let mut paths = Vec::new();
        for (at, _) in code.match_indices("crate::") {
            paths.extend(expand(&code[at + "crate::".len()..]));
        }
        for (at, _) in code.match_indices("self::") {
            if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                paths.extend(self.below(0, &code[at + "self::".len()..]));
            }
        }
        for (at, _) in code.match_indices("super::") {
            if code[..at].ends_with("super::") {
                continue;
            }
            let rest = code[at..].trim_start_matches("super::");
            let levels = (code.len() - at - rest.len()) / "super::".len();
            paths.extend(self.below(levels, rest));
        }
        paths
    }

    fn below(&self, levels: usize, rest: &str) -> Vec<Vec<String>> {
        let root = &self.path[..self.path.len().saturating_sub(levels)];
        let paths = expand(rest).into_iter();
        paths.map(|path| [root, &path].concat()).collect()
    }
}

/// The modules of the crate and the names that their facades re-export.
struct Tree {
    modules: BTreeMap<Vec<String>, Module>,
    reexports: BTreeMap<Vec<String>, Vec<String>>,
}

impl Tree {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut folders, mut modules) = (vec![root.clone()], BTreeMap::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let file = entry.unwrap().path();
                if file.is_dir() {
                    folders.push(file);
                } else if file.extension().is_some_and(|extension| extension == "rs") {
                    let module = read(&root, file);
                    modules.insert(module.path.clone(), module);
                }
            }
        }
        assert!(modules.len() > 60, "the sources were not found");
        Self::new(modules)
    }

    fn new(modules: BTreeMap<Vec<String>, Module>) -> Self {
        let mut reexports = BTreeMap::new();
        for module in modules.values() {
            for statement in uses(&module.code).filter(|statement| is_public(statement)) {
                let (_, target) = statement.split_once("use ").unwrap();
                let target = target.strip_prefix("self::").unwrap_or(target);
                for path in expand(target.strip_prefix("crate::").unwrap_or(target)) {
                    let absolute = match target.starts_with("crate::") {
                        true => path,
                        false => [module.path.clone(), path].concat(),
                    };
                    let name = absolute.last().unwrap().clone();
                    let key = [module.path.clone(), vec![name]].concat();
                    reexports.insert(key, absolute);
                }
            }
        }
        Self { modules, reexports }
    }

    /// The module that a path leads to: as deep as files go, through re-exports.
    fn resolve(&self, path: &[String]) -> Option<&Module> {
        let mut path = path.to_vec();
        for _ in 0..5 {
            let depth = (1..=path.len())
                .rev()
                .find(|depth| self.modules.contains_key(&path[..*depth]))?;
            let next = path.get(..=depth).and_then(|name| self.reexports.get(name));
            match next {
                Some(target) if *target != path[..=depth] => {
                    path = [target.clone(), path[depth + 1..].to_vec()].concat();
                }
                _ => return self.modules.get(&path[..depth]),
            }
        }
        None
    }

    /// Which modules each module depends on.
    fn dependencies(&self) -> BTreeMap<&[String], BTreeSet<&[String]>> {
        let mut edges = BTreeMap::new();
        for module in self.modules.values() {
            let targets = module
                .paths()
                .into_iter()
                .filter_map(|path| self.resolve(&path));
            let targets = targets.map(|target| target.path.as_slice());
            let targets = targets.filter(|target| *target != module.path);
            edges.insert(module.path.as_slice(), targets.collect::<BTreeSet<_>>());
        }
        edges
    }
}

fn read(root: &Path, file: PathBuf) -> Module {
    let inside = file.strip_prefix(root).unwrap().with_extension("");
    let mut path: Vec<String> = inside
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if path.len() > 1 && path.last().unwrap() == "mod" {
        path.pop();
    }
    let text = fs::read_to_string(&file).unwrap();
    let is_tests = path
        .iter()
        .any(|part| part == "tests" || part == "conformance");
    let code = match is_tests {
        true => "",
        false => text.split("#[cfg(test)]\nmod tests").next().unwrap(),
    };
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    Module {
        code: lines.collect::<Vec<_>>().join("\n"),
        file,
        path,
        text,
    }
}

/// The `use` statements of a file, each up to its semicolon.
fn uses(code: &str) -> impl Iterator<Item = &str> {
    code.split(';').map(str::trim).filter_map(|statement| {
        let start = statement
            .rfind("\nuse ")
            .or_else(|| statement.rfind("\npub"));
        let statement = start.map_or(statement, |start| &statement[start + 1..]);
        (statement.starts_with("use ") || is_public(statement)).then_some(statement)
    })
}

fn is_public(statement: &str) -> bool {
    statement.starts_with("pub")
        && statement
            .split_once("use ")
            .is_some_and(|(head, _)| head.len() < 40)
}

fn without_reexports(code: &str) -> String {
    let mut rest = code.to_owned();
    for statement in uses(code).filter(|statement| is_public(statement)) {
        rest = rest.replace(statement, "");
    }
    rest
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
    if end == 0 || &text[..end] == "self" {
        return if end == 0 {
            Vec::new()
        } else {
            vec![Vec::new()]
        };
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

fn layer(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|folders| folders.contains(&folder))
}

/// One after the other, each group of modules that depend on each other.
fn cycles<'t>(edges: &BTreeMap<&'t [String], BTreeSet<&'t [String]>>) -> Vec<Vec<String>> {
    let reachable = |from: &'t [String]| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            let targets = edges.get(module).into_iter().flatten();
            next.extend(targets.copied().filter(|target| seen.insert(*target)));
        }
        seen
    };
    let all: BTreeMap<_, _> = edges
        .keys()
        .map(|module| (*module, reachable(module)))
        .collect();
    let mut groups = BTreeSet::new();
    for (module, seen) in &all {
        let group = seen.iter().filter(|other| all[**other].contains(module));
        let group: Vec<String> = group.map(|other| other.join("::")).collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

#[test]
fn layers_point_downward() {
    let tree = Tree::read();
    let mut faults = Vec::new();
    for module in tree
        .modules
        .values()
        .filter(|module| module.folder() != "lib")
    {
        let own = layer(module.folder());
        assert!(
            own.is_some(),
            "{} is in no layer: add it to LAYERS",
            module.folder()
        );
        for path in module.paths().iter().filter(|path| !path.is_empty()) {
            let other = layer(&path[0]);
            if path[0] != module.folder() && other.is_some() && other <= own {
                faults.push(format!("{} uses {}", module.name(), path.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "not downward:\n{}", faults.join("\n"));
}

#[test]
fn modules_form_no_cycle() {
    let tree = Tree::read();
    let found = cycles(&tree.dependencies());
    let found: Vec<String> = found.iter().map(|group| group.join(" ↔ ")).collect();
    assert!(found.is_empty(), "cycles:\n{}", found.join("\n"));
}

#[test]
fn no_feature_uses_another() {
    let tree = Tree::read();
    let feature = |path: &[String]| path.get(1).cloned();
    for (module, targets) in tree.dependencies() {
        for target in targets
            .iter()
            .filter(|target| target[0] == "features" && target.len() > 1)
        {
            let same = feature(module) == feature(target) || module.len() == 1;
            let inside = module[0] != "features" || same;
            assert!(inside, "{} uses {}", module.join("::"), target.join("::"));
        }
    }
}

#[test]
fn only_the_http_side_knows_actix() {
    for module in Tree::read().modules.values() {
        let may = ["http", "server", "features", "testing"].contains(&module.folder());
        let may = may || module.name() == "cli::serve" || module.name() == "context";
        assert!(
            may || !module.mentions("actix"),
            "{} knows actix",
            module.name()
        );
    }
}

#[test]
fn only_the_sqlite_engine_knows_rusqlite() {
    for module in Tree::read().modules.values() {
        let may = module.name().starts_with("store::sqlite");
        assert!(
            may || !module.mentions("rusqlite"),
            "{} knows rusqlite",
            module.name()
        );
    }
}

#[test]
fn only_the_postgresql_engine_knows_its_client() {
    for module in Tree::read().modules.values() {
        let may = module.name().starts_with("store::postgres");
        for library in [
            "postgres::Client",
            "postgres::Config",
            "use postgres::{",
            "tokio_postgres",
        ] {
            let is_ours = module.name() == "store" && library == "use postgres::{";
            assert!(
                may || is_ours || !module.mentions(library),
                "{} knows {library}",
                module.name()
            );
        }
    }
}

#[test]
fn only_the_store_contains_sql() {
    for module in Tree::read()
        .modules
        .values()
        .filter(|module| module.folder() != "store")
    {
        for words in [
            "SELECT ",
            "INSERT INTO",
            "DELETE FROM",
            " SET ",
            "PRAGMA ",
            "CREATE TABLE",
        ] {
            assert!(
                !module.mentions(words),
                "{} has SQL: {words}",
                module.name()
            );
        }
    }
}

#[test]
fn only_crypto_knows_ring_and_jwt_libraries() {
    for module in Tree::read()
        .modules
        .values()
        .filter(|module| module.folder() != "crypto")
    {
        for library in ["jsonwebtoken", "ring::", "use ring"] {
            assert!(
                !module.mentions(library),
                "{} knows {library}",
                module.name()
            );
        }
    }
}

#[test]
fn only_smtp_and_messages_know_lettre() {
    for module in Tree::read().modules.values() {
        let may = module.folder() == "mail";
        assert!(
            may || !module.mentions("lettre"),
            "{} knows lettre",
            module.name()
        );
    }
}

#[test]
fn only_http_chooses_status_codes() {
    for module in Tree::read().modules.values() {
        let may = ["http", "testing"].contains(&module.folder());
        assert!(
            may || !module.mentions("StatusCode"),
            "{} chooses a status",
            module.name()
        );
    }
}

#[test]
fn every_file_starts_with_its_purpose() {
    for module in Tree::read().modules.values() {
        assert!(
            module.text.starts_with("//! "),
            "{} has no //!",
            module.file.display()
        );
    }
}

fn module(name: &str, code: &str) -> (Vec<String>, Module) {
    let path: Vec<String> = name.split("::").map(str::to_owned).collect();
    let (text, code) = (String::new(), code.to_owned());
    (
        path.clone(),
        Module {
            file: PathBuf::new(),
            path,
            text,
            code,
        },
    )
}

#[test]
fn imports_are_read_in_every_form() {
    let (_, module) = module(
        "http::routes",
        "use crate::{store::{users, sessions as rows}, domain::Error};\nuse super::{audit, self};\n\
         pub use crate::mail::Kind;\nfn f() -> crate::crypto::token::Digest { super::super::server::f() }",
    );
    let paths: Vec<String> = module.paths().iter().map(|path| path.join("::")).collect();
    let expected = [
        "store::users",
        "store::sessions",
        "domain::Error",
        "crypto::token::Digest",
        "http::audit",
        "http",
        "server::f",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_cycle_through_a_facade_is_found() {
    let tree = Tree::new(BTreeMap::from([
        module(
            "http",
            "pub mod a;\npub mod b;\npub use a::One;\npub use b::Two;",
        ),
        module("http::a", "use crate::http::Two;\npub struct One;"),
        module("http::b", "use super::One;\npub struct Two;"),
        module("http::c", "use super::One;"),
    ]));
    assert_eq!(cycles(&tree.dependencies()), [["http::a", "http::b"]]);
}
