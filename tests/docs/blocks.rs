//! Every fenced block of the documents is run, loaded or compared by a test, or `blocks.toml` says why not.

use super::{documents, text};

/// A fenced block.
pub struct Block {
    /// What stands behind the fence: a language, and perhaps a mark.
    pub info: String,
    /// The comment before the fence, which names a file.
    pub file: Option<String>,
    pub body: String,
}

/// The blocks of a page; those of a list lose their indentation.
pub fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut before) = (Vec::new(), None::<(usize, Block)>, "");
    for line in page.lines() {
        let inner = line.trim_start();
        match &mut open {
            Some(_) if inner == "```" => blocks.extend(open.take().map(|(_, block)| block)),
            Some((indent, block)) => {
                block.body += line.get(*indent..).unwrap_or_default();
                block.body += "\n";
            }
            None => {
                if let Some(info) = inner.strip_prefix("```") {
                    let file = before
                        .strip_prefix("<!-- ")
                        .and_then(|rest| rest.strip_suffix(" -->"));
                    let block = Block {
                        info: info.to_owned(),
                        file: file.map(str::to_owned),
                        body: String::new(),
                    };
                    open = Some((line.len() - inner.len(), block));
                }
                before = line;
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The blocks of one page in one language that show no file.
pub fn blocks_in(page: &str, info: &str) -> Vec<String> {
    let found = blocks(&text(page)).into_iter();
    let found = found.filter(|block| block.info == info && block.file.is_none());
    found.map(|block| block.body).collect()
}

/// A section of the list: page, language and what is written for them.
fn listed(section: &str) -> Vec<(String, String, toml::Value)> {
    let list: toml::Table = text("tests/docs/blocks.toml").parse().unwrap();
    let pages = list[section].as_table().unwrap().clone();
    let rows = pages.into_iter().flat_map(|(page, rows)| {
        let rows = rows.as_table().unwrap().clone().into_iter();
        rows.map(move |(info, value)| (page.clone(), info, value))
    });
    rows.collect()
}

#[test]
fn every_block_of_the_documents_is_covered() {
    let mut found = Vec::new();
    for page in pages() {
        for block in blocks(&text(&page)) {
            match &block.file {
                Some(file) => assert!(
                    text(file).contains(&block.body),
                    "{page}: not in {file}: {}",
                    block.body
                ),
                None => found.push((page.clone(), block.info)),
            }
        }
    }
    found.sort();
    found.dedup();
    let rows = listed("run").into_iter().chain(listed("not_run"));
    let mut rows: Vec<_> = rows.map(|(page, info, _)| (page, info)).collect();
    rows.sort();
    assert_eq!(found, rows);
}

#[test]
fn tests_that_cover_a_block_exist() {
    for (page, info, test) in listed("run") {
        let [file, name] = [0, 1].map(|index| test[index].as_str().unwrap());
        assert!(
            text(file).contains(name),
            "{page}, {info}: no {name} in {file}"
        );
    }
}

fn pages() -> Vec<String> {
    let others = [
        "clients/typescript/README.md",
        "crates/bcrypt-lanes/README.md",
        "frontend/README.md",
    ];
    documents()
        .into_iter()
        .chain(others.map(str::to_owned))
        .collect()
}
