//! The trace that a request belongs to, from the header `traceparent` (W3C Trace Context), for the log.
//!
//! # Threats
//! - log forging: only 32 lower-case hexadecimal digits are taken from a header of the exact form
//! - a client that states the trace of another: a trace id is a claim of the client and decides nothing

use actix_web::http::header::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `00-{trace id}-{parent id}-{flags}`; later versions may add fields.
const LENGTH: usize = 55;

/// The trace id of a request with one valid header.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<Box<str>> {
    let mut stated = headers.get_all(TRACEPARENT);
    let header = stated.next()?;
    match stated.next() {
        None => parse(header.to_str().ok()?).map(Into::into),
        Some(_) => None,
    }
}

fn parse(text: &str) -> Option<&str> {
    let (known, further) = text.split_at_checked(LENGTH)?;
    let [version, trace, parent, flags] =
        <[&str; 4]>::try_from(known.split('-').collect::<Vec<_>>()).ok()?;
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let is_version = is_hex(version, 2)
        && match version {
            "00" => further.is_empty(),
            "ff" => false,
            _ => further.is_empty() || further.starts_with('-'),
        };
    let is_valid = is_version
        && is_hex(trace, 32)
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2);
    is_valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn only_the_exact_form_has_a_trace() {
        let valid = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(parse(&valid), Some(TRACE));
        let later = format!("01-{TRACE}-00f067aa0ba902b7-01-more");
        assert_eq!(parse(&later), Some(TRACE));
        for text in [
            String::new(),
            valid.to_uppercase(),
            format!("{valid}-more"),
            later.replace("-more", "more"),
            valid.replacen("00", "ff", 1),
            valid.replace(TRACE, &"0".repeat(32)),
            valid.replace(TRACE, &"g".repeat(32)),
            valid.replace("00f067aa0ba902b7", &"0".repeat(16)),
            valid.replace("-01", "-0x"),
            valid.replace('-', " "),
            valid[1..].to_owned(),
            format!("00-{}-00f067aa0ba902b7-01", "ä".repeat(16)),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    #[test]
    fn two_headers_have_no_trace() {
        let value = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, value.parse().unwrap());
        assert_eq!(trace_id(&headers).as_deref(), Some(TRACE));
        headers.append(TRACEPARENT, value.parse().unwrap());
        assert_eq!(trace_id(&headers), None);
    }
}
