//! What only this engine does. Without a server (`.ci/postgres`) these tests do nothing.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use postgres::{Client, NoTls};

use super::*;
use crate::crypto::key_ring::BaseNames;
use crate::domain::clock::Timestamp;
use crate::domain::{AuthMethod, EmailAddress, SessionId, TokenDigest, UserId};
use crate::metrics::Counter;
use crate::store::tables::outbox::{self, BusyDomains, Class, NewOutboxEntry};
use crate::store::tables::{revocations, sessions, throttles, users};
use crate::store::{Database, FOREIGN_KEY_BASE, TestSchema};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A schema of a test's own.
pub(super) struct Home {
    pub schema: TestSchema,
    pub settings: config::Database,
}

impl Home {
    pub fn new() -> Option<Self> {
        let schema = TestSchema::from_environment()?;
        let settings = config::Settings::for_env(config::Environment::Test).unwrap();
        let mut settings = settings.database;
        schema.set_in(&mut settings);
        Some(Self { schema, settings })
    }

    /// A node.
    pub fn open(&self) -> Database {
        self.try_open(IfMissing::Create).unwrap()
    }

    pub fn try_open(&self, if_missing: IfMissing) -> Result<Database> {
        Database::open(&self.settings, 2, if_missing, Clock::System)
    }

    /// Reads on a session beside the nodes.
    pub fn read<T: Send>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T> + Send) -> T {
        inspect(&self.settings, &self.schema.url(), |session| {
            work(&Reader::new(session))
        })
        .unwrap()
    }

    /// A session of another program.
    fn client(&self) -> Client {
        let url = self.schema.url();
        Client::connect(url.expose(), NoTls).unwrap()
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(work)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Columns by table, with their types as both engines may call them.
fn columns(
    rows: impl IntoIterator<Item = (String, String, String)>,
) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    for (table, column, of) in rows {
        let of = match of.to_lowercase().as_str() {
            "integer" | "bigint" => "integer".to_owned(),
            "blob" | "bytea" => "blob".to_owned(),
            other => other.to_owned(),
        };
        tables
            .entry(table)
            .or_default()
            .push(format!("{column} {of}"));
    }
    tables
}

#[test]
fn both_engines_have_the_same_tables_and_columns() {
    let Some(home) = Home::new() else { return };
    home.open();
    let rows = home.client().query(
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position",
        &[],
    );
    let rows = rows.unwrap();
    let mut ours = columns(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))));
    // The version, which SQLite has in the head of the file; and what orders revocations.
    ours.remove("cloakroom_schema").unwrap();
    let revoked = ours.get_mut("revoked_access_tokens").unwrap();
    assert_eq!(revoked.pop().unwrap(), "written_by xid8");

    let file = crate::store::sqlite::in_memory();
    let theirs = Reader::new(&file).all(
        "SELECT s.name, c.name, c.type FROM sqlite_schema s, pragma_table_info(s.name) c
         WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%' ORDER BY s.name, c.cid",
        &[],
        |row| Ok((row.next()?, row.next()?, row.next()?)),
    );
    assert_eq!(ours, columns(theirs.unwrap()));
}

#[test]
fn a_revocation_that_commits_late_is_not_missed() {
    let Some(home) = Home::new() else { return };
    let database = home.open();
    let is_revoked = |id| run(database.is_revoked(SessionId(id), "any", NOW, NOW)).unwrap();
    let insert = |client: &mut Client, id: i64| {
        let sql =
            "INSERT INTO revoked_access_tokens (session_id, until) VALUES ($1, 9000000000000)";
        client.execute(sql, &[&id]).unwrap();
    };
    let (mut late, mut early) = (home.client(), home.client());
    late.batch_execute("BEGIN").unwrap();
    // It takes the lower number, and the list knows the higher one first.
    insert(&mut late, 1);
    insert(&mut early, 2);
    thread::sleep(2 * Duration::from_millis(200));
    assert!(is_revoked(2) && !is_revoked(1));
    late.batch_execute("COMMIT").unwrap();
    thread::sleep(Duration::from_millis(200));
    assert!(is_revoked(1), "200 ms after its commit");
}

#[test]
fn rows_of_a_restored_dump_are_read_once() {
    let Some(home) = Home::new() else { return };
    home.open();
    // As of a server that had assigned more numbers.
    home.schema
        .execute(
            "INSERT INTO revoked_access_tokens (session_id, until, written_by)
             VALUES (1, 9000000000000, '1000000000000')",
        )
        .unwrap();
    let database = home.open();
    assert!(run(database.is_revoked(SessionId(1), "any", NOW, NOW)).unwrap());
    let stored = home
        .schema
        .query("SELECT written_by::text FROM revoked_access_tokens");
    assert_eq!(stored.unwrap(), [Some("3".to_owned())]);
}

#[test]
fn two_workers_never_lease_one_mail() {
    let Some(home) = Home::new() else { return };
    let nodes = [home.open(), home.open()];
    const MAILS: usize = 200;
    let add = nodes[0].write(|tx| {
        for number in 0..MAILS {
            let new = NewOutboxEntry {
                kind: "password_reset",
                class: Class::Link,
                priority: crate::domain::mail_kind::Priority::High,
                email_address: &address(&format!("{number}@example.com")),
                expires_at: NOW + HOUR,
                user_id: None,
                ip_address: None,
                user_agent: None,
                subject_id: None,
                locale: None,
            };
            outbox::insert(tx, &new, NOW)?;
        }
        Ok(())
    });
    run(add).unwrap();
    let mut leased = run(async {
        let workers = (0..8).map(|number| {
            let node = &nodes[number % 2];
            async move {
                let mut all = Vec::new();
                loop {
                    let some = node
                        .write(|tx| outbox::lease(tx, HOUR, 7, &BusyDomains::default(), NOW))
                        .await
                        .unwrap();
                    if some.is_empty() {
                        return all;
                    }
                    all.extend(some.into_iter().map(|entry| (entry.id, entry.attempts)));
                }
            }
        });
        join_all(workers).await.concat()
    });
    leased.sort_unstable();
    assert_eq!(leased.len(), MAILS);
    leased.dedup_by_key(|(id, _)| *id);
    assert_eq!(leased.len(), MAILS, "each of them once");
    assert!(leased.iter().all(|(_, attempts)| *attempts == 1));
}

#[test]
fn a_hot_counter_counts_every_hit_once() {
    let Some(home) = Home::new() else { return };
    let nodes = [home.open(), home.open()];
    let mut counts = run(async {
        let hits = (0..200)
            .map(|number| nodes[number % 2].count(|tx| throttles::hit(tx, "hot", HOUR, NOW)));
        let hits = join_all(hits).await.into_iter();
        hits.map(|hit| hit.unwrap().count).collect::<Vec<_>>()
    });
    counts.sort_unstable();
    assert_eq!(counts, (1..=200).collect::<Vec<_>>());
}

#[test]
fn transactions_in_each_others_way_all_succeed() {
    let Some(home) = Home::new() else { return };
    let nodes = [home.open(), home.open()];
    // Each reads what all change.
    let add = nodes[0].write(|tx| users::insert(tx, &address("one@example.com"), None, NOW));
    let id = run(add).unwrap().unwrap().id;
    run(async {
        let changes = (0..20).map(|number| {
            nodes[number % 2].write(move |tx| {
                let version = users::find(tx, id)?.map_or(0, |account| account.credentials_version);
                users::invalidate_links(tx, id)?;
                Ok(version)
            })
        });
        let mut versions: Vec<i64> = join_all(changes)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        versions.sort_unstable();
        assert_eq!(
            versions,
            (0..20).collect::<Vec<_>>(),
            "as if one after the other"
        );
    });
}

#[test]
fn repeated_transactions_are_counted() {
    let Some(home) = Home::new() else { return };
    let node = home.open();
    let add = node.write(|tx| users::insert(tx, &address("one@example.com"), None, NOW));
    let id = run(add).unwrap().unwrap().id;
    let url = home.schema.url();
    let mut is_first = true;
    let change = node.write(move |tx| {
        let version = users::find(tx, id)?.map(|account| account.credentials_version);
        if std::mem::take(&mut is_first) {
            let between = thread::spawn({
                let url = url.clone();
                move || {
                    let mut other = Client::connect(url.expose(), NoTls).unwrap();
                    other
                        .batch_execute("UPDATE users SET credentials_version = 7")
                        .unwrap();
                }
            });
            between.join().unwrap();
        }
        users::invalidate_links(tx, id)?;
        Ok(version)
    });
    assert_eq!(run(change).unwrap(), Some(7), "it read again");
    let crate::store::Engine::Postgres(engine) = &node.shared.engine else {
        panic!("another engine");
    };
    let counts = [&engine.retries.repeated, &engine.retries.given_up];
    assert_eq!(counts.map(Counter::get), [1, 0]);
}

#[test]
fn writes_that_wait_leave_a_session_for_reads() {
    let Some(home) = Home::new() else { return };
    let node = home.open();
    let mut other = home.client();
    other
        .batch_execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE")
        .unwrap();
    let add = |number: usize| {
        let address = address(&format!("{number}@example.com"));
        node.write(move |tx| users::insert(tx, &address, None, NOW))
    };
    thread::scope(|scope| {
        let writes = scope.spawn(|| run(join_all((0..8).map(add))));
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST('users' AS regclass)";
        while home.schema.query(waiting).unwrap() != [Some("3".to_owned())] {
            thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..20 {
            run(node.read(|reader| users::list(reader, UserId(0), 1))).unwrap();
        }
        other.batch_execute("COMMIT").unwrap();
        assert!(writes.join().unwrap().iter().all(Result::is_ok));
    });
}

#[test]
fn a_lost_session_fails_one_request_and_is_replaced() {
    let Some(mut home) = Home::new() else { return };
    let database = home.open();
    let lost = run(database.read(|reader| {
        reader.one("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_| {
            Ok(())
        })
    }));
    assert!(
        matches!(
            lost,
            Err(Error::Unavailable {
                reason: UnavailableReason::DatabaseUnreachable,
                ..
            })
        ),
        "{lost:?}"
    );
    for _ in 0..20 {
        run(database.read(|reader| users::list(reader, UserId(0), 1))).unwrap();
    }
    // All at once, as when the server restarts.
    let url = config::Secret::from(format!(
        "{}&application_name=restart",
        home.schema.url().expose()
    ));
    home.settings.url = Some(url);
    let database = home.open();
    let end = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'restart'";
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'restart'";
    // Four threads and that of the revocations.
    while home.schema.query(count).unwrap() != [Some("5".to_owned())] {
        thread::sleep(Duration::from_millis(5));
    }
    let ended = home.schema.query(end).unwrap();
    let ended: Vec<String> = ended.into_iter().map(Option::unwrap).collect();
    let left = format!(
        "SELECT 1 FROM pg_stat_activity WHERE pid IN ({})",
        ended.join(", ")
    );
    while !home.schema.query(&left).unwrap().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    // Requests are refused at once until a thread has connected again.
    let read = || run(database.read(|reader| users::list(reader, UserId(0), 1)));
    while read().is_err() {
        thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..20 {
        read().unwrap();
    }
    // Within a transaction.
    let lost = run(database.write(|tx| {
        tx.one("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_| {
            Ok(())
        })
    }));
    assert!(lost.is_err());
    run(database.write(|tx| users::insert(tx, &address("one@example.com"), None, NOW))).unwrap();
}

#[test]
fn a_host_that_hangs_leaves_time_for_the_next() {
    let Some(mut home) = Home::new() else { return };
    home.open();
    // It takes connections and never answers.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hanging.local_addr().unwrap().port();
    let url = home.schema.url();
    let two = url
        .expose()
        .replacen('@', &format!("@127.0.0.1:{port},"), 1);
    home.settings.url = Some(config::Secret::from(format!("{two}&connect_timeout=1")));
    let database = home.try_open(IfMissing::Refuse).unwrap();
    run(database.read(|reader| users::list(reader, UserId(0), 1))).unwrap();
}

#[test]
fn a_failed_statement_undoes_work_that_ignores_it() {
    let Some(home) = Home::new() else { return };
    let database = home.open();
    let ignored = run(database.write(|tx| {
        users::insert(tx, &address("one@example.com"), None, NOW)?;
        let _ = tx.execute(
            "INSERT INTO write_probe (id, written_at) VALUES (2, 0)",
            &[],
        );
        Ok(())
    }));
    assert!(ignored.is_err(), "the server committed nothing");
    let users = run(database.read(|reader| users::list(reader, UserId(0), 9))).unwrap();
    assert!(users.is_empty());
}

#[test]
fn statements_work_without_being_prepared() {
    let Some(mut home) = Home::new() else { return };
    home.settings.prepare = false;
    let database = home.open();
    let add = database.write(|tx| users::insert(tx, &address("one@example.com"), None, NOW));
    let id = run(add).unwrap().unwrap().id;
    let changes = users::DetailChanges {
        name: Some(None),
        profile: None,
    };
    run(database.write(move |tx| users::update_details(tx, id, &changes.clone(), NOW))).unwrap();
    run(database.write(|tx| revocations::insert_token(tx, SessionId(1), "one", NOW, NOW))).unwrap();
    assert!(run(database.is_revoked(SessionId(1), "one", NOW, NOW)).unwrap());
    let prepared = home
        .schema
        .query("SELECT count(*) FROM pg_prepared_statements");
    assert_eq!(prepared.unwrap(), [Some("0".to_owned())]);
}

/// The page advises it for named statements behind a pooler, which does not keep what a session sets.
#[test]
fn time_limits_hold_on_each_session_behind_a_pooler() {
    let Some(home) = Home::new() else { return };
    if !home.schema.is_pooled() {
        return;
    }
    let page = include_str!("../../../docs/operations/postgresql.md");
    let of_role = page
        .lines()
        .filter(|line| line.starts_with("ALTER ROLE cloakroom SET") && line.contains("timeout"));
    let of_role: Vec<_> = of_role
        .map(|line| line.replace("cloakroom", "CURRENT_USER"))
        .collect();
    assert_eq!(of_role.len(), 3);
    home.schema.execute(&of_role.concat()).unwrap();
    let node = home.open();
    // The pooler has three sessions, and as many threads write: each transaction has one until all have theirs.
    let all_are_here = std::sync::Arc::new(std::sync::Barrier::new(3));
    let limits = (0..3).map(|_| {
        let all_are_here = std::sync::Arc::clone(&all_are_here);
        node.count(move |tx| {
            let limits = tx.one(
                "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
                        current_setting('idle_in_transaction_session_timeout')",
                &[],
                |row| Ok([row.next::<String>()?, row.next()?, row.next()?]),
            );
            all_are_here.wait();
            limits
        })
    });
    for limits in run(join_all(limits)) {
        assert_eq!(limits.unwrap().unwrap(), ["10s", "5s", "10s"]);
    }
}

#[test]
fn many_nodes_that_start_at_once_migrate_once() {
    let Some(home) = Home::new() else { return };
    thread::scope(|scope| {
        let starts: Vec<_> = (0..10).map(|_| scope.spawn(|| home.open())).collect();
        for start in starts {
            let node = start.join().unwrap();
            run(node.read(|reader| users::list(reader, UserId(0), 1))).unwrap();
        }
    });
}

#[test]
fn a_search_path_without_a_schema_is_refused() {
    let Some(mut home) = Home::new() else { return };
    let mut url = url::Url::parse(home.schema.url().expose()).unwrap();
    url.set_query(Some("sslmode=disable&options=-csearch_path%3Dnowhere"));
    home.settings.url = Some(config::Secret::from(url.to_string()));
    let refusal = home.try_open(IfMissing::Create).unwrap_err().to_string();
    assert!(refusal.contains("names no schema that exists"), "{refusal}");
}

#[test]
fn a_schema_of_version_13_keeps_its_rows() {
    let Some(home) = Home::new() else { return };
    let tables = include_str!("../migrations/postgres/0013_first.sql");
    home.schema
        .execute(&format!(
            "CREATE TABLE cloakroom_schema (id BIGINT PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL);
             INSERT INTO cloakroom_schema (id, version) VALUES (1, 13); {tables}
             INSERT INTO retired_key_bases VALUES ('one', 5)"
        ))
        .unwrap();
    home.open();
    let kept = home
        .schema
        .query("SELECT name || retired_at FROM key_bases");
    assert_eq!(kept.unwrap(), [Some("one5".to_owned())]);
}

#[test]
fn of_nodes_that_start_at_once_all_have_one_key_base() {
    let Some(home) = Home::new() else { return };
    let starts = |number: usize| {
        let names = BaseNames {
            current: format!("base {}", number % 2),
            previous: Vec::new(),
        };
        let recorded = home.open().record_key_bases(&names, NOW);
        recorded.map_err(|refusal| assert_eq!(refusal.to_string(), FOREIGN_KEY_BASE))
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|number| scope.spawn(move || starts(number)))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap().is_ok())
            .collect()
    });
    assert_eq!(outcomes[..2], outcomes[2..], "those with the same base");
    assert_ne!(outcomes[0], outcomes[1]);
}

#[test]
fn schemas_of_others_are_refused_and_left_alone() {
    let Some(home) = Home::new() else { return };
    let refusal = |if_missing| home.try_open(if_missing).unwrap_err().to_string();
    let missing = refusal(IfMissing::Refuse);
    assert!(
        missing.contains("`cloakroom migrate` creates them"),
        "{missing}"
    );

    home.schema
        .execute("CREATE TABLE users (theirs INTEGER)")
        .unwrap();
    let foreign = refusal(IfMissing::Create);
    assert!(foreign.contains("tables of another program"), "{foreign}");
    assert!(!foreign.contains("postgres@"), "no credentials: {foreign}");

    home.schema.execute("DROP TABLE users").unwrap();
    assert_eq!(
        super::upgrade(&home.settings, &home.schema.url()).unwrap(),
        0
    );
    home.open();
    home.schema
        .execute("UPDATE cloakroom_schema SET version = 9999")
        .unwrap();
    let newer = refusal(IfMissing::Create);
    assert!(newer.contains("a newer Cloakroom"), "{newer}");
}

#[test]
fn an_unreachable_server_is_named_without_its_password() {
    let Some(home) = Home::new() else { return };
    let url = config::Secret::from("postgres://app:hunter2@127.0.0.1:1/app".to_owned());
    let refusal = super::schema_version(&home.settings, &url)
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("127.0.0.1:1/app") && !refusal.contains("hunter2"),
        "{refusal}"
    );
}

/// Where the test has a node with sessions, and tells its connections from others by a name.
struct WithSessions {
    home: Home,
    database: Database,
    name: String,
}

const SESSIONS: usize = 200;

impl WithSessions {
    fn new(change: impl FnOnce(&mut config::Database)) -> Option<Self> {
        // A pooler shows its own connections.
        let mut home = Home::new().filter(|home| !home.schema.is_pooled())?;
        let name = format!("pipeline_{}", crate::crypto::token::random_hex().unwrap());
        let url = format!("{}&application_name={name}", home.schema.url().expose());
        home.settings.url = Some(config::Secret::from(url));
        change(&mut home.settings);
        let database = home.open();
        let fill = database.write(|tx| {
            for number in 0..SESSIONS {
                let user =
                    users::insert(tx, &address(&format!("{number}@example.com")), None, NOW)?;
                let user = user.expect("an unused address").id;
                let new = sessions::NewSession {
                    token_digest: digest(number),
                    ip_address: "192.0.2.1".to_owned(),
                    user_agent: None,
                    expires_at: NOW + HOUR,
                    remembered: false,
                    nonce: number.to_string(),
                };
                sessions::insert(tx, user, &new, (&AuthMethod::Password.into(), NOW), NOW)?;
            }
            Ok(())
        });
        run(fill).unwrap();
        Some(Self {
            home,
            database,
            name,
        })
    }

    /// Looks all sessions up at once, and one that is none.
    async fn look_all_up(&self) -> Result<()> {
        let asked = (0..=SESSIONS).map(|number| async move {
            let found = self
                .database
                .look_up(sessions::by_digest(digest(number)))
                .await?;
            let nonce = found.map(|(session, _)| session.nonce.clone());
            assert_eq!(nonce, (number < SESSIONS).then(|| number.to_string()));
            Ok(())
        });
        join_all(asked).await.into_iter().collect()
    }

    fn connections(&self) -> usize {
        let name = &self.name;
        let sql = format!("SELECT 1 FROM pg_stat_activity WHERE application_name = '{name}'");
        self.home.schema.query(&sql).unwrap().len()
    }

    /// Ends the sessions of the server whose last statement was a look-up; returns how many.
    fn end_pipelines(&self) -> usize {
        let name = &self.name;
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = '{name}' AND query LIKE '%sessions.token_digest = $1'"
        );
        self.home.schema.query(&sql).unwrap().len()
    }

    /// Looks sessions up until a connection beyond those of the queue answers.
    async fn wait_for_pipeline(&self) {
        while self.connections() < 6 {
            self.look_all_up().await.unwrap();
        }
        self.look_all_up().await.unwrap();
    }
}

fn digest(number: usize) -> TokenDigest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    TokenDigest::new(bytes)
}

/// As a worker of the server.
fn run_with_network<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

#[test]
fn a_thread_looks_up_by_one_connection_of_its_own() {
    for prepare in [true, false] {
        let Some(test) = WithSessions::new(|settings| settings.prepare = prepare) else {
            return;
        };
        run_with_network(async {
            test.wait_for_pipeline().await;
            for _ in 0..5 {
                test.look_all_up().await.unwrap();
            }
            // Four threads, that of the revocations, and this one.
            assert_eq!(test.connections(), 6);
        });
    }
}

#[test]
fn look_ups_survive_the_loss_of_their_connection() {
    let Some(test) = WithSessions::new(|_| ()) else {
        return;
    };
    run_with_network(async {
        for _ in 0..3 {
            test.wait_for_pipeline().await;
            assert!(test.end_pipelines() > 0);
            test.look_all_up().await.unwrap();
        }
    });
}

#[test]
fn a_thread_of_another_runtime_opens_a_connection_again() {
    let Some(test) = WithSessions::new(|_| ()) else {
        return;
    };
    for _ in 0..3 {
        run_with_network(test.wait_for_pipeline());
        while test.connections() > 5 {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn look_ups_without_a_connection_of_their_own_are_answered() {
    let Some(test) = WithSessions::new(|_| ()) else {
        return;
    };
    let name = test.home.schema.query("SELECT current_user::text").unwrap();
    let name = name[0].clone().unwrap();
    test.home
        .schema
        .execute(&format!(
            "RESET ROLE; ALTER ROLE {name} CONNECTION LIMIT 5; SET ROLE {name}"
        ))
        .unwrap();
    run_with_network(async {
        for _ in 0..20 {
            test.look_all_up().await.unwrap();
        }
    });
    assert_eq!(test.connections(), 5);
}
