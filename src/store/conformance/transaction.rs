//! Reads and writes: what is committed, what is undone, and who knows of it when.

use futures_util::future::join_all;

use super::*;
use crate::domain::error::Error;

async fn users_in(database: &Database) -> Vec<String> {
    let users = database.read(|reader| users::list(reader, UserId(0), 999));
    let users = users.await.unwrap().into_iter();
    let mut addresses: Vec<_> = users.map(|user| user.email_address.as_str().to_owned()).collect();
    addresses.sort_unstable();
    addresses
}

pub(super) async fn a_write_is_all_or_nothing(database: Database) {
    let failed: Result<()> = database
        .write(|tx| {
            add_user(tx, "one@example.com");
            Err(Error::NotFound)
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(users_in(&database).await, Vec::<String>::new());
    let id = database.write(|tx| Ok(add_user(tx, "two@example.com"))).await;
    assert!(id.unwrap().0 > 0);
    assert_eq!(users_in(&database).await, ["two@example.com"]);
}

pub(super) async fn a_panic_undoes_its_own_write_alone(database: Database) {
    let panicking: Result<()> = database
        .write(|tx| {
            add_user(tx, "one@example.com");
            panic!("a test")
        })
        .await;
    assert!(matches!(panicking, Err(Error::Internal(_))));
    database.write(|tx| Ok(add_user(tx, "two@example.com"))).await.unwrap();
    assert_eq!(users_in(&database).await, ["two@example.com"]);
}

pub(super) async fn concurrent_writes_fail_alone(database: Database) {
    let writes = (0..50).map(|number| {
        database.write(move |tx| {
            add_user(tx, &format!("{number:02}@example.com"));
            match number % 7 {
                0 => Err(Error::NotFound),
                _ => Ok(number),
            }
        })
    });
    let results = join_all(writes).await;
    let mut expected = Vec::new();
    for (number, result) in results.into_iter().enumerate() {
        assert_eq!(result.is_err(), number % 7 == 0, "{number}");
        if number % 7 != 0 {
            expected.push(format!("{number:02}@example.com"));
        }
    }
    assert_eq!(users_in(&database).await, expected);
}

pub(super) async fn a_write_sees_its_own_changes(database: Database) {
    let written = database.write(|tx| {
        let id = add_user(tx, "one@example.com");
        users::invalidate_links(tx, id)?;
        Ok(account(tx, id).credentials_version)
    });
    assert_eq!(written.await.unwrap(), 1);
}

pub(super) async fn a_revocation_is_known_when_its_write_returns(database: Database) {
    let session = database
        .write(|tx| {
            let user = add_user(tx, "one@example.com");
            let (session, _) = add_session(tx, user);
            sessions::note_access(tx, session, NOW + HOUR, NOW)?;
            Ok(session)
        })
        .await
        .unwrap();
    let is_revoked = |jti| database.is_revoked(session, jti, NOW, NOW);
    assert!(!is_revoked("one").await.unwrap());
    let one = database.write(move |tx| revocations::insert_token(tx, session, "one", NOW, NOW + HOUR));
    one.await.unwrap();
    assert!(is_revoked("one").await.unwrap() && !is_revoked("two").await.unwrap());
    let ended = database.write(move |tx| sessions::delete(tx, session));
    assert!(ended.await.unwrap());
    assert!(is_revoked("two").await.unwrap());
}

pub(super) async fn a_ready_database_writes_once_a_second(database: Database) {
    let probe = || {
        let read = database.read(|reader| {
            let at = reader.one("SELECT written_at FROM write_probe", &[], |row| row.next());
            at.map(|at: Option<Timestamp>| at)
        });
        async { read.await.unwrap() }
    };
    assert_eq!(probe().await, None);
    for (now, written) in [
        (NOW, NOW),
        (NOW + PROBE_TTL - MOMENT, NOW),
        (NOW + PROBE_TTL, NOW + PROBE_TTL),
        // The clock was set back.
        (NOW, NOW),
    ] {
        database.ready(now).await.unwrap();
        assert_eq!(probe().await, Some(written));
    }
    let write = database.write(|tx| tables::write_probe::write(tx, NOW - HOUR));
    write.await.unwrap();
    assert_eq!(probe().await, Some(NOW - HOUR));
}
