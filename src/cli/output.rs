//! What commands print: one JSON document for scripts, aligned columns for people.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use super::Outcome;
use crate::domain::one_line::is_unsafe;

/// The output format of a command.
#[derive(Debug, clap::Args)]
pub(super) struct Format {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Prints `document` with `--json`, else the text.
    pub(super) fn print(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Outcome {
        Ok(if self.json {
            print(&escaped(&serde_json::to_string(document)?))
        } else {
            print(&visible(&text()))
        }?)
    }
}

/// Writes to standard output, with a newline at the end. A closed pipe is not an error.
pub(super) fn print(text: &str) -> io::Result<()> {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut stdout = io::stdout().lock();
    let written = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("standard output: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

/// Writes a line to standard error; failures are ignored.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(line));
}

/// Asks for confirmation on the terminal.
///
/// # Errors
/// The answer is not yes, or standard input is not a terminal.
pub(super) fn confirm(question: &str) -> super::Outcome {
    if !io::stdin().is_terminal() {
        return Err("not a terminal: pass --yes".into());
    }
    note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err("cancelled".into()),
    }
}

/// Columns with a header row.
pub(super) fn table<const N: usize>(
    names: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    columns(std::iter::once(names.map(str::to_uppercase)).chain(rows))
}

/// Text with only characters that a terminal shows where they are: clients sent some of it.
fn visible(text: &str) -> String {
    text.replace(|c| c != '\n' && is_obeyed(c), "\u{fffd}")
}

/// JSON with the same characters as escapes. They occur in strings only.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal obeys a character instead of showing it: those unsafe in one line, those without width, and tags.
fn is_obeyed(c: char) -> bool {
    is_unsafe(c)
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Aligned columns.
pub(super) fn columns<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows
        .into_iter()
        .map(|row| row.map(|cell| cell.replace(is_obeyed, "\u{fffd}")))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A value that may be missing.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_cells_without_trailing_spaces() {
        let rows = [
            ["1".to_owned(), "é".to_owned()],
            ["100".to_owned(), String::new()],
        ];
        assert_eq!(table(["id", "who"], rows), "ID   WHO\n1    é\n100\n");
    }

    #[test]
    fn invisible_characters_never_reach_the_terminal() {
        let text = "a\u{202e}b\u{2066}c\u{200b}d\u{7f}e\u{9b}f\u{e0041}";
        let shown = "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}";
        assert_eq!(columns([[text.to_owned()]]), format!("{shown}\n"));
        assert_eq!(visible(&format!("{text}\n")), format!("{shown}\n"));
        let json = escaped(&serde_json::to_string(text).unwrap());
        assert_eq!(
            json,
            "\"a\\u202eb\\u2066c\\u200bd\\u007fe\\u009bf\\udb40\\udc41\""
        );
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(visible("é 日本 👩 ok"), "é 日本 👩 ok");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(
            columns([["a\u{1b}[2J\n\u{202e}b".to_owned()]]),
            "a\u{fffd}[2J\u{fffd}\u{fffd}b\n"
        );
    }
}
