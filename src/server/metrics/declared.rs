//! Every metric, one row each: its name, its labels and what it is. The text that Prometheus reads and
//! `docs/reference/metrics.md` derive from these rows.

use prometheus_client::metrics::MetricType;

/// A metric, as declared.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its name; that of a counter without `_total`.
    pub name: &'static str,
    pub kind: MetricType,
    pub labels: &'static [&'static str],
    help: &'static [&'static str],
}

impl Metric {
    /// What it is, in one line.
    pub fn help(&self) -> String {
        self.help.concat().trim().to_owned()
    }
}

/// Each row `CONSTANT Kind "name" [labels];` becomes a [`Metric`].
macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $constant:ident $kind:ident $name:literal [$($label:ident),*];)+) => {
        $(
            $(#[doc = $doc])+
            pub(super) const $constant: &Metric = &Metric {
                name: $name,
                kind: MetricType::$kind,
                labels: &[$(stringify!($label)),*],
                help: &[$($doc),+],
            };
        )+

        /// Every row.
        #[cfg(test)]
        pub(super) const ALL: &[&Metric] = &[$($constant),+];
    };
}

metrics! {
    /// Always 1; its labels are the version of the server and the engine of its database.
    BUILD Gauge "cloakroom_build_info" [version, engine];
    /// Requests that were answered. Status 499 is a client that disconnected before the response.
    REQUESTS Counter "cloakroom_http_requests" [route, method, status];
    /// The time from the head of a request to its response, without sending it.
    REQUEST_DURATIONS Histogram "cloakroom_http_request_duration_seconds" [route, method];
    /// Requests that were refused because a limit was reached.
    LIMITS Counter "cloakroom_limits_reached" [limit];
    /// Events of the audit trail, sign-ins and their failures among them. Those of commands are not counted.
    EVENTS Counter "cloakroom_security_events" [event];
    /// Hashes that wait for a thread.
    HASHES_WAITING Gauge "cloakroom_hash_queue_length" [];
    /// Places of the queue of hashes that are taken: by hashes that wait, and by requests that will hash.
    HASH_PLACES_TAKEN Gauge "cloakroom_hash_queue_places_taken" [];
    /// The places of the queue of hashes (password.queue_limit).
    HASH_PLACES Gauge "cloakroom_hash_queue_places" [];
    /// Hashes that are computed now.
    HASHES_UNDER_WAY Gauge "cloakroom_hashes_under_way" [];
    /// How long hashes waited for a thread.
    HASH_WAITS Histogram "cloakroom_hash_queue_wait_seconds" [];
    /// Requests that were refused (503) because the queue of hashes was full, or their network's part of it.
    HASHES_REFUSED Counter "cloakroom_hash_queue_refused" [];
    /// Whether the database can be used, as far as the server knows: 1 or 0.
    DATABASE_UP Gauge "cloakroom_database_up" [];
    /// SQLite: how many writes each commit had.
    BATCHES Histogram "cloakroom_sqlite_commit_writes" [];
    /// SQLite: how long commits took, from the first statement until they were on the disk.
    COMMITS Histogram "cloakroom_sqlite_commit_duration_seconds" [];
    /// SQLite: commits that failed.
    COMMITS_FAILED Counter "cloakroom_sqlite_commits_failed" [];
    /// SQLite: writes that were refused (503) because the queue was full.
    WRITES_REFUSED Counter "cloakroom_sqlite_writes_refused" [];
    /// SQLite: size of the file.
    FILE_SIZE Gauge "cloakroom_sqlite_file_bytes" [];
    /// SQLite: size of the write-ahead log.
    LOG_SIZE Gauge "cloakroom_sqlite_wal_bytes" [];
    /// PostgreSQL: connections of the node: all that it may have, those that are open, and those that are idle.
    CONNECTIONS Gauge "cloakroom_postgresql_connections" [state];
    /// PostgreSQL: reads and writes that wait for a connection.
    JOBS_WAITING Gauge "cloakroom_postgresql_queue_length" [kind];
    /// PostgreSQL: how long reads and writes waited for a connection. Look-ups of requests share one and do not wait.
    JOB_WAITS Histogram "cloakroom_postgresql_queue_wait_seconds" [];
    /// PostgreSQL: reads and writes that were refused (503): the queue was full, or the server could not be reached.
    JOBS_REFUSED Counter "cloakroom_postgresql_refused" [];
    /// PostgreSQL: attempts of transactions after the first, because others were in their way.
    RETRIES Counter "cloakroom_postgresql_retries" [];
    /// PostgreSQL: transactions that were given up (503) after the last attempt.
    TRANSACTIONS_GIVEN_UP Counter "cloakroom_postgresql_transactions_given_up" [];
    /// Sessions with revoked access tokens that have not expired, in memory.
    REVOKED_SESSIONS Gauge "cloakroom_revocation_list_sessions" [];
    /// How long ago the table of revoked access tokens was read; on SQLite it is read when a token is verified.
    REVOCATIONS_AGE Gauge "cloakroom_revocation_list_age_seconds" [];
    /// Attempts to send mails, by how they ended.
    MAILS Counter "cloakroom_mails" [outcome];
    /// Mails in the outbox that wait; counted every 20 seconds.
    MAILS_WAITING Gauge "cloakroom_outbox_waiting" [];
    /// How long ago the oldest of the mails that wait was requested; 0 without any.
    OLDEST_MAIL Gauge "cloakroom_outbox_oldest_age_seconds" [];
    /// Mails that were given up and are kept; counted at each sweep (sweep.interval).
    MAILS_DEAD Gauge "cloakroom_outbox_dead" [];
    /// Sessions that are neither expired nor idle too long; counted at each sweep (sweep.interval), in small steps.
    SESSIONS Gauge "cloakroom_sessions_live" [];
    /// Calls to other servers, by how they ended.
    CALLS Counter "cloakroom_outbound_requests" [provider, outcome];
    /// Hosts of a provider that are not asked for a while, because they did not answer (circuit breaker).
    CIRCUITS_OPEN Gauge "cloakroom_outbound_circuits_open" [provider];
    /// Log lines that were lost, because what reads the log was too slow or gone.
    LOG_LINES_LOST Counter "cloakroom_log_lines_lost" [];
    /// Processor time of the process, in the kernel and outside.
    CPU Counter "process_cpu_seconds" [];
    /// Memory of the process that is in use.
    RESIDENT_MEMORY Gauge "process_resident_memory_bytes" [];
    /// Address space of the process.
    VIRTUAL_MEMORY Gauge "process_virtual_memory_bytes" [];
    /// Open files and connections of the process.
    OPEN_FILES Gauge "process_open_fds" [];
    /// The most files and connections that the process may have open.
    MAX_FILES Gauge "process_max_fds" [];
    /// When the process started, in seconds since 1970.
    STARTED Gauge "process_start_time_seconds" [];
}
