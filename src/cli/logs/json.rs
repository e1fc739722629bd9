//! Log lines as JSON: `timestamp`, `level`, the fields of the event in their order, `target`.
//!
//! In place of the JSON of tracing-subscriber, which took more than a third of the processor time of `GET /up`.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write as _};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::sink::Sink;
use crate::domain::clock::Clock;

thread_local! {
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes each event as one line.
pub(super) struct JsonLines(pub(super) Sink);

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let write = |line: &mut Vec<u8>| {
            line.clear();
            append(line, event);
            self.0.write(line, event.metadata());
        };
        // The buffer is in use if a value logs while it is written, and gone while the thread ends.
        let reused = LINE.try_with(|line| line.try_borrow_mut().map(|mut line| write(&mut line)));
        if !matches!(reused, Ok(Ok(()))) {
            write(&mut Vec::new());
        }
    }
}

fn append(line: &mut Vec<u8>, event: &Event<'_>) {
    line.extend_from_slice(br#"{"timestamp":""#);
    Clock::append_system_time(line);
    line.extend_from_slice(br#"","level":""#);
    line.extend_from_slice(event.metadata().level().as_str().as_bytes());
    line.push(b'"');
    let mut fields = Fields { line, target: None };
    event.record(&mut fields);
    let target = fields.target.take();
    let target = target.as_deref().unwrap_or(event.metadata().target());
    fields.add("target", target);
    line.extend_from_slice(b"}\n");
}

struct Fields<'l> {
    line: &'l mut Vec<u8>,
    /// The target of an event that came by the crate `log`.
    target: Option<String>,
}

impl Fields<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.add_name(name);
        // Writing into memory does not fail, and these types are always JSON.
        let _ = serde_json::to_writer(&mut *self.line, value);
    }

    fn add_name(&mut self, name: &str) {
        self.line.push(b',');
        let _ = serde_json::to_writer(&mut *self.line, name);
        self.line.push(b':');
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        // The line of the source.
        if field.name() != "log.line" {
            self.add(field.name(), &value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.target = Some(value.to_owned()),
            "log.module_path" | "log.file" => {}
            name => self.add(name, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add_name(field.name());
        self.line.push(b'"');
        // A value that cannot be written leaves what it wrote.
        let _ = write!(Escaped(self.line), "{value:?}");
        self.line.push(b'"');
    }
}

/// Appends text as the inside of a JSON string.
struct Escaped<'l>(&'l mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if text.bytes().all(is_plain) {
            self.0.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
        self.0
            .extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::domain::clock::Timestamp;

    fn logged(log: impl FnOnce()) -> (String, Value) {
        let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
        let written = Arc::clone(&lines);
        let sink = Sink::new(move |line, _| written.lock().extend_from_slice(line));
        let subscriber = tracing_subscriber::registry().with(JsonLines(sink));
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(lines.lock().clone()).unwrap();
        let mut line: Value = serde_json::from_str(&text).unwrap();
        let at = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(Timestamp::parse(at.as_str().unwrap()).is_some(), "{text}");
        (text, line)
    }

    #[test]
    fn a_line_holds_each_kind_of_value() {
        let (text, line) = logged(|| {
            tracing::warn!(
                target: "one::two",
                integer = -3_i64,
                count = 3_u64,
                number = 0.25,
                yes = true,
                none = None::<i64>,
                word = "a \"b\"\n\u{e9}",
                shown = %"c \"d\"\u{1b}",
                printed = ?"e",
                "the {}",
                "message"
            );
        });
        let expected = json!({
            "level": "WARN", "message": "the message", "integer": -3, "count": 3, "number": 0.25, "yes": true,
            "word": "a \"b\"\n\u{e9}", "shown": "c \"d\"\u{1b}", "printed": "\"e\"", "target": "one::two",
        });
        assert_eq!(line, expected);
        assert!(
            text.starts_with("{\"timestamp\":\"2") && text.ends_with("\"target\":\"one::two\"}\n"),
            "{text}"
        );
    }

    #[test]
    fn a_line_may_be_logged_while_another_is_written() {
        let (_, line) = LINE.with(|line| {
            let _in_use = line.borrow_mut();
            logged(|| tracing::info!("inner"))
        });
        assert_eq!(line["message"], "inner");
    }

    #[test]
    fn an_event_of_the_crate_log_has_its_own_target() {
        let (_, line) = logged(|| {
            tracing::info!(
                target: "log",
                { "log.target" = "theirs", "log.module_path" = "theirs::module", "log.file" = "a.rs", "log.line" = 7_u64 },
                "message"
            );
        });
        let expected = json!({ "level": "INFO", "message": "message", "target": "theirs" });
        assert_eq!(line, expected);
    }
}
