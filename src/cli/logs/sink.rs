//! Where lines go, for both formats, and the kind of each.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::queue::Kind;
use crate::audit;

/// The target of the line that says how many were lost.
pub(super) const LOSS: &str = "cloakroom::log";

type WriteLine = dyn Fn(&[u8], Kind) + Send + Sync;

/// Where lines go.
#[derive(Clone)]
pub(super) struct Sink(Arc<WriteLine>);

impl Sink {
    pub(super) fn new(write: impl Fn(&[u8], Kind) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub(super) fn write(&self, line: &[u8], metadata: &Metadata<'_>) {
        (self.0)(line, kind(metadata));
    }
}

impl<'s> MakeWriter<'s> for Sink {
    type Writer = LineWriter<'s>;

    fn make_writer(&'s self) -> LineWriter<'s> {
        LineWriter(self, Kind::Ordinary)
    }

    fn make_writer_for(&'s self, metadata: &Metadata<'_>) -> LineWriter<'s> {
        LineWriter(self, kind(metadata))
    }
}

/// Takes one line by one write.
pub(super) struct LineWriter<'s>(&'s Sink, Kind);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        (self.0.0)(line, self.1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn kind(metadata: &Metadata<'_>) -> Kind {
    match metadata.target() {
        audit::TARGET => Kind::SecurityEvent,
        LOSS => Kind::Loss,
        _ if *metadata.level() <= Level::WARN => Kind::Warning,
        _ => Kind::Ordinary,
    }
}
