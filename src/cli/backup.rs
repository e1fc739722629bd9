//! `cloakroom backup`: copies the SQLite file beside the running server, and verifies such copies.

mod verify;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::output::Format;
use super::progress::Bar;
use super::{Outcome, on_database, quietly};
use crate::config::{Settings, Sources};
use crate::domain::clock::Clock;
use crate::store;

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The new file
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Check a backup: damage, schema, what it holds, and whether the key base belongs to it
    Verify {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        format: Format,
    },
}

pub(super) fn run(sources: &Sources, arguments: Arguments) -> Outcome {
    if let Some(Command::Verify { file, format }) = arguments.command {
        let settings = quietly(|| Settings::load(sources))?;
        return verify::run(&settings, &file, &format);
    }
    let file = arguments.file.ok_or("FILE is missing")?;
    on_database(sources, |settings| {
        let started = Clock::System.monotonic();
        let mut bar = Bar::default();
        let size = store::back_up(&settings.database, &file, &mut |progress| {
            bar.show("copied", progress.done, progress.of);
            ControlFlow::Continue(())
        })?;
        drop(bar);
        let took = Clock::System.monotonic().duration_since(started);
        let document = json!({
            "file": file,
            "bytes": size,
            "seconds": took.as_secs_f64(),
        });
        let (file, size) = (file.display(), bytes(size));
        arguments.format.print(&document, || {
            format!("{file}: {size}, in {}\n", seconds(took))
        })
    })
}

/// A size in the unit of its magnitude.
fn bytes(size: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| size >= *unit) {
        Some((unit, name)) => {
            let tenths = size.saturating_mul(10) / unit;
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{size} bytes"),
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_of_their_magnitude() {
        for (size, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (1 << 30, "1.0 GiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }
}
