//! The range service: `GET {url}/{first 5 hexadecimal digits of the SHA-1}` returns a line `SUFFIX:COUNT` for each known
//! password whose SHA-1 starts so. Lines with the count 0 are padding.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use url::Url;

use crate::config;
use crate::domain::error::{Error, Result};
use crate::metrics::Counters;
use crate::outbound::{self, Outbound, OutboundError, Queue, Reach};

/// A sign-up waits no longer for it.
const DEADLINE: Duration = Duration::from_millis(500);
/// All replies then have about the same length, which would tell the network which digits were sent.
const PADDED: (&str, &str) = ("Add-Padding", "true");
/// The hexadecimal digits that the service learns.
const REVEALED: usize = 5;

pub(super) struct Service {
    url: String,
    queue: Queue,
    /// Passwords accepted without an answer, since the start.
    unchecked: AtomicU64,
}

impl Service {
    /// # Errors
    /// [`Error::Internal`], with the setting's name, if no call to the URL could succeed.
    pub(super) fn open(
        url: &str,
        settings: &config::Outbound,
        outbound: &Outbound,
    ) -> Result<Self> {
        let parsed = Url::parse(url).map_err(|why| why.to_string());
        parsed
            .and_then(|url| outbound::check(settings, Reach::Listed, &url))
            .map_err(|why| Error::internal(format!("password.breached_service: {why}")))?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            queue: outbound.queue(),
            unchecked: AtomicU64::new(0),
        })
    }

    /// How calls ended, since the start.
    pub(super) fn outcomes(&self) -> Arc<Counters> {
        self.queue.outcomes()
    }

    /// Whether the service knows a password with this SHA-1; `false` if it does not answer in time.
    pub(super) async fn knows(&self, digest: &[u8; 20]) -> bool {
        let digits = digest.iter().map(|byte| format!("{byte:02X}"));
        let digits = digits.collect::<String>();
        let (revealed, suffix) = digits.split_at(REVEALED);
        match self.suffixes(revealed).await {
            Ok(reply) => is_listed(&reply, suffix),
            Err(why) => {
                let unchecked = self.unchecked.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(
                    %why,
                    unchecked,
                    "the breached password service did not answer: a password was accepted without it"
                );
                false
            }
        }
    }

    async fn suffixes(&self, revealed: &str) -> Result<String, OutboundError> {
        let url = Url::parse(&format!("{}/{revealed}", self.url));
        let url = url.map_err(|error| OutboundError::Failed(error.to_string()))?;
        let reply = self.queue.get(url, PADDED, DEADLINE).await?;
        String::from_utf8(reply)
            .map_err(|_| OutboundError::Failed("the reply is not text".to_owned()))
    }
}

fn is_listed(reply: &str, suffix: &str) -> bool {
    reply.lines().any(|line| {
        line.split_once(':')
            .is_some_and(|(found, count)| found.eq_ignore_ascii_case(suffix) && count.trim() != "0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_matches_no_password() {
        let suffix = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
        assert!(is_listed(
            &format!("0018A:1\r\n{suffix}:9545824\r\n"),
            suffix
        ));
        assert!(is_listed(&format!("{}:3", suffix.to_lowercase()), suffix));
        assert!(!is_listed(&format!("{suffix}:0\r\n"), suffix));
        assert!(!is_listed("", suffix));
    }
}
